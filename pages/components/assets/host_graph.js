// The graph of hosts and ports on a canvas: click to select, drag to move, a box for several.
// Places go back as numbers of the drawing, and Python keeps them. No third-party code, no HTML.
//
// The message is JSON: `nodes` [id, x, y, radius, look, name, rank, tip, is pinned, more], `edges`
// [node, node, width, change, tip], `looks`, `changes`, `selected`, and a head.

import { CLICK_PIXELS, Drawing, drawingIn, element } from "./drawing.js";

const HIT_PIXELS = 5;
const EDGE_PIXELS = 4;
const CLOSEST = 40; // times the whole
const MARGIN = 26; // pixels around the drawing
const NAME_ROOM = 110; // and room for names on the right, or a sixth of the width
const COLUMN_ROOM = 0.24; // beside two columns, as a share of the width
const MOST_STRETCH = 2; // one way over the other, for drawings whose sides mean nothing
const MOST_NAMES = 500; // so many are tried; those that would overlap are left out
const MANY_NODES = 150; // with more of them in view only ports and what was touched have names
const TOUCHED = 1000000; // from this rank on
const ALWAYS_NAMED = 14; // so many of the first ports have a name wherever it lies
const NAME_PIXELS = 11;
const RING = "#D9A400"; // at least 3 to 1 on light and on dark
const EDGE = "#8C9199";
const THINNEST = 0.6; // pixels of an edge
const NUDGE = 8;
const NUDGE_WAIT_MS = 500;

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  if (!data || !data.byteLength) return undefined;
  const message = JSON.parse(new TextDecoder().decode(data));
  const graph = drawingIn(parentElement, () => new HostGraph(parentElement));
  graph.send = (value) => setStateValue("event", value);
  graph.place(message);
  return () => setTimeout(() => graph.endIfGone(), 0);
}

const STYLE = `
.legend { display: flex; flex-wrap: wrap; gap: 4px; align-items: center; margin-bottom: 6px; }
.legend button { display: flex; gap: 6px; align-items: center; padding: 0 6px; min-height: 26px;
  max-width: 220px; }
.legend canvas { flex: none; width: 22px; height: 14px; }
.legend .change { display: flex; gap: 6px; align-items: center; padding: 0 6px; }
`;

class HostGraph extends Drawing {
  constructor(parent) {
    super(parent, "graph", STYLE);
    this.closest = CLOSEST;
    this.nodes = [];
    this.edges = [];
    this.selected = new Set();
    this.hovered = -1;
    this.build();
  }

  build() {
    this.root.hostGraph = this; // for whoever asks where a node is drawn
    this.addZooms();
    this.addAction("Whole graph", "Show all nodes", () => this.fit());
    this.addAction("Select none", "Take the selection back", () => this.choose([]));
    this.addTold();
    this.addLegend(this.root);
    this.legend.setAttribute("aria-label", "Legend: labels of hosts");
    this.addField(this.root);
    this.addTip();
    this.addHint();
    this.listen(this.canvas);
    this.canvas.addEventListener("dblclick", (event) => this.double(event));
  }

  // ---- messages ------------------------------------------------------------------------------

  place(message) {
    const { head } = message;
    this.layout = head.layout;
    this.looks = message.looks;
    this.changes = message.changes;
    this.nodes = message.nodes.map(([id, x, y, radius, look, name, rank, tip, isPinned, more]) => (
      { id, x, y, radius, look, name, rank, tip, isPinned, more }));
    this.edges = message.edges.map(([a, b, width, change, tip]) => ({ a, b, width, change, tip }));
    this.near = this.nodes.map(() => []);
    this.edges.forEach(({ a, b }) => {
      this.near[a].push(b);
      this.near[b].push(a);
    });
    this.order = this.nodes.map((_, place) => place)
      .sort((a, b) => this.nodes[b].rank - this.nodes[a].rank);
    this.selected = new Set(message.selected);
    this.hovered = -1;
    this.act = null;
    this.tip.hidden = true;
    this.furnish({ ...head, words: head.words || "Graph of hosts and ports" });
    this.explain();
    this.tellSelected();
    this.resize();
    if (head.frame !== this.frame || !this.view || (this.isWhole && !this.isFilled())) {
      this.frame = head.frame;
      this.fit();
    }
    this.draw();
  }

  explain() {
    this.legend.replaceChildren();
    const counts = this.looks.map(() => 0);
    this.nodes.forEach((node) => { counts[node.look] += 1; });
    this.looks.forEach((look, place) => {
      if (!counts[place]) return;
      const button = element("button", "", this.legend);
      button.type = "button";
      button.title = "Select these nodes; with Shift add them to the selection";
      this.swatch(button, (context) => {
        context.translate(11, 7);
        drawShape(context, look.shape, look.shape === "port" ? 4.5 : 5);
        context.fillStyle = look.colour;
        context.fill();
      });
      element("span", "name", button, look.name);
      element("span", "count", button, counts[place].toLocaleString("en"));
      button.addEventListener("click", (event) => {
        const ids = this.nodes.filter((node) => node.look === place).map((node) => node.id);
        this.choose(event.shiftKey ? [...this.selected, ...ids] : ids);
      });
    });
    this.changes.forEach((change) => {
      const item = element("span", "change", this.legend);
      this.swatch(item, (context) => {
        context.strokeStyle = change.colour;
        context.lineWidth = 3;
        context.setLineDash(change.dash);
        context.beginPath();
        context.moveTo(0, 7);
        context.lineTo(22, 7);
        context.stroke();
      });
      element("span", "name", item, change.name);
    });
  }

  swatch(parent, paint) {
    const canvas = element("canvas", "", parent);
    canvas.width = 44;
    canvas.height = 28;
    canvas.setAttribute("aria-hidden", "true");
    const context = canvas.getContext("2d");
    context.scale(2, 2);
    paint(context);
  }

  tellSelected() {
    const count = this.selected.size;
    this.told.textContent = count
      ? `${count.toLocaleString("en")} of ${this.nodes.length.toLocaleString("en")} nodes selected`
      : "";
    this.root.dataset.selected = String(count);
  }

  tell(value) {
    this.send({ id: Date.now() + Math.random(), frame: this.frame, ...value });
  }

  choose(ids) {
    this.selected = new Set(ids);
    this.tellSelected();
    this.draw();
    this.tell({ kind: "select", ids: [...this.selected] });
  }

  // ---- view ----------------------------------------------------------------------------------

  fit() {
    if (!this.nodes.length) return;
    const xs = this.nodes.map((node) => node.x);
    const ys = this.nodes.map((node) => node.y);
    const [left, right, bottom, top] = [least(xs), most(xs), least(ys), most(ys)];
    const isColumns = this.layout !== "force";
    const isCrowd = this.nodes.length > MANY_NODES; // few names, which stand on either side
    const names = isCrowd ? MARGIN : Math.min(NAME_ROOM, this.width / 6);
    const sides = isColumns ? 2 * COLUMN_ROOM * this.width : 2 * MARGIN + names;
    let kx = Math.max(this.width - sides, 40) / (right - left || 1);
    let ky = Math.max(this.height - 2 * MARGIN, 40) / (top - bottom || 1);
    if (!isColumns) {
      if (right === left) kx = ky;
      if (top === bottom) ky = kx;
      kx = Math.min(kx, MOST_STRETCH * ky);
      ky = Math.min(ky, MOST_STRETCH * kx);
    }
    const shift = isColumns ? 0 : (names - MARGIN) / 2 / kx;
    this.showWhole({ x: (left + right) / 2 + shift, y: (bottom + top) / 2, kx, ky });
  }

  // Whether all nodes lie within the field and take at least half of it one way.
  isFilled() {
    const at = this.nodes.map((node) => this.toScreen(node.x, node.y));
    const [xs, ys] = [at.map(([x]) => x), at.map(([, y]) => y)];
    const isInside = least(xs) >= 0 && most(xs) <= this.width
      && least(ys) >= 0 && most(ys) <= this.height;
    const share = Math.max((most(xs) - least(xs)) / this.width, (most(ys) - least(ys)) / this.height);
    return isInside && (share > 0.5 || this.nodes.length < 2);
  }

  whereIs(id) {
    const node = this.nodes.find((each) => each.id === id);
    return node ? this.toScreen(node.x, node.y) : null;
  }

  // ---- drawing -------------------------------------------------------------------------------

  drawNow() {
    if (!this.view) return;
    const began = performance.now();
    const context = this.canvas.getContext("2d");
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    this.at = this.nodes.map((node) => this.toScreen(node.x, node.y));
    this.grown = Math.min(Math.max(this.view.kx / this.whole, 0.6) ** 0.5, 3);
    const bright = this.brightNodes();
    this.drawEdges(context, bright);
    this.drawNodes(context, bright);
    this.drawNames(context, bright);
    if (this.act && this.act.kind === "box") this.drawBox(context);
    this.root.dataset.drawMs = (performance.now() - began).toFixed(1);
    this.root.dataset.state = "drawn";
    this.root.dataset.nodes = String(this.nodes.length);
  }

  // What is pointed at or selected, with its neighbours, stands out; null where all do.
  brightNodes() {
    const middle = this.hovered >= 0 && !this.act ? [this.hovered]
      : this.nodes.flatMap((node, place) => (this.selected.has(node.id) ? [place] : []));
    if (!middle.length) return null;
    return { middle: new Set(middle), all: new Set(middle.flatMap((at) => [at, ...this.near[at]])) };
  }

  drawEdges(context, bright) {
    context.lineCap = "round";
    for (const isBright of bright ? [false, true] : [true]) {
      for (const { a, b, width, change } of this.edges) {
        if (bright && isBright !== (bright.middle.has(a) || bright.middle.has(b))) continue;
        const look = this.changes[change];
        context.globalAlpha = bright && !isBright ? 0.1 : 0.75;
        context.strokeStyle = look ? look.colour : EDGE;
        const wide = Math.max(width * Math.min(this.grown, 1.5), THINNEST);
        context.lineWidth = bright && isBright ? Math.max(wide, 1) : wide;
        context.setLineDash(look ? look.dash : []);
        context.beginPath();
        context.moveTo(...this.at[a]);
        context.lineTo(...this.at[b]);
        context.stroke();
      }
    }
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  drawNodes(context, bright) {
    for (let place = this.order.length - 1; place >= 0; place -= 1) {
      const at = this.order[place];
      const node = this.nodes[at];
      const look = this.looks[node.look];
      const [x, y] = this.at[at];
      context.save();
      context.translate(x, y);
      context.globalAlpha = bright && !bright.all.has(at) ? 0.3 : 1;
      drawShape(context, look.shape, node.radius * this.grown);
      context.lineWidth = Math.min(Math.max(node.radius * this.grown - 2, 0.5), 3);
      context.strokeStyle = this.theme.background;
      context.stroke();
      context.fillStyle = look.colour;
      context.fill();
      if (node.isPinned) {
        context.strokeStyle = this.theme.text;
        context.lineWidth = 1.5;
        context.stroke();
      }
      if (this.selected.has(node.id)) {
        context.globalAlpha = 1;
        context.strokeStyle = RING;
        context.lineWidth = 3;
        context.beginPath();
        context.arc(0, 0, node.radius * this.grown + 5, 0, 7);
        context.stroke();
      }
      context.restore();
    }
  }

  // The most important names first; one that would lie on another, or on a larger mark, waits for
  // a closer look.
  drawNames(context, bright) {
    context.font = `${NAME_PIXELS}px sans-serif`;
    context.textBaseline = "middle";
    context.lineJoin = "round";
    const taken = { names: new Boxes(), marks: new Boxes() };
    this.at.forEach((_, at) => taken.marks.add(this.boxOf(at)));
    const always = new Set(this.order.slice(0, ALWAYS_NAMED)
      .filter((at) => this.nodes[at].rank >= TOUCHED));
    const first = bright ? this.order.filter((at) => bright.all.has(at)) : [];
    const rest = bright ? this.order.filter((at) => !bright.all.has(at)) : this.order;
    const inside = [...first, ...rest].filter((at) => this.isInside(at));
    const lowest = inside.length > MANY_NODES ? TOUCHED : 0;
    const tried = inside.filter((at) => this.nodes[at].name
      && (this.nodes[at].rank >= lowest || (bright && bright.all.has(at))));
    for (const at of tried.slice(0, MOST_NAMES)) {
      const must = (bright ? bright.middle : always).has(at);
      const found = this.roomFor(context, at, taken, must);
      if (!found) continue;
      taken.names.add(found.box);
      context.globalAlpha = bright && !bright.all.has(at) ? 0.35 : 1;
      context.strokeStyle = this.theme.background;
      context.lineWidth = 3;
      context.strokeText(this.nodes[at].name, found.x, found.y);
      context.fillStyle = this.theme.text;
      context.fillText(this.nodes[at].name, found.x, found.y);
    }
    context.globalAlpha = 1;
  }

  isInside(at) {
    const [x, y] = this.at[at];
    return x > -40 && y > -10 && x < this.width + 40 && y < this.height + 10;
  }

  boxOf(at) {
    const [x, y] = this.at[at];
    const size = this.nodes[at].radius * this.grown * 0.8;
    const wide = this.looks[this.nodes[at].look].shape === "port" ? 1.6 * size : size;
    return [x - wide, y - size, x + wide, y + size];
  }

  roomFor(context, at, taken, must) {
    const node = this.nodes[at];
    const [x, y] = this.at[at];
    if (node.wide === undefined) node.wide = context.measureText(node.name).width;
    const look = this.looks[node.look];
    const away = node.radius * this.grown * (look.shape === "port" ? 1.5 : 1) + 4;
    const sides = [[x + away, y], [x - away - node.wide, y]];
    if (this.layout !== "force") sides.splice(look.shape === "port" ? 1 : 0, 1);
    else sides.push([x - node.wide / 2, y - away - 5], [x - node.wide / 2, y + away + 5]);
    const rooms = sides.map(([left, middle]) => (
      { x: left, y: middle, box: [left - 2, middle - 6, left + node.wide + 2, middle + 6] }))
      .filter(({ box }) => box[0] >= 0 && box[2] <= this.width && !taken.names.meets(box));
    return rooms.find(({ box }) => !taken.marks.meets(box)) || (must && rooms[0]) || null;
  }

  drawBox(context) {
    const { from, last } = this.act;
    context.globalAlpha = 0.15;
    context.fillStyle = this.theme.primary;
    context.fillRect(from[0], from[1], last[0] - from[0], last[1] - from[1]);
    context.globalAlpha = 1;
    context.strokeStyle = this.theme.primary;
    context.lineWidth = 2;
    context.strokeRect(from[0], from[1], last[0] - from[0], last[1] - from[1]);
  }

  // ---- which node is where -------------------------------------------------------------------

  nodeAt(x, y) {
    let best = -1;
    let nearest = Infinity;
    (this.at || []).forEach(([nx, ny], place) => {
      const reach = this.nodes[place].radius * this.grown + HIT_PIXELS;
      const distance = Math.hypot(nx - x, ny - y);
      if (distance <= reach && distance < nearest) {
        nearest = distance;
        best = place;
      }
    });
    return best;
  }

  edgeAt(x, y) {
    let best = -1;
    let nearest = EDGE_PIXELS;
    this.edges.forEach(({ a, b, width }, place) => {
      const distance = fromLine([x, y], this.at[a], this.at[b]) - width / 2;
      if (distance < nearest) {
        nearest = distance;
        best = place;
      }
    });
    return best;
  }

  // ---- what the analyst does -----------------------------------------------------------------

  press(event, at) {
    const node = event.button === 0 ? this.nodeAt(...at) : -1;
    this.begin(node >= 0 ? "move" : event.shiftKey ? "box" : "pan", at, event);
    this.act.node = node;
    if (node >= 0) this.act.moved = this.movedWith(node);
    this.tip.hidden = true;
  }

  // A node that is selected takes the others that are selected along.
  movedWith(node) {
    const places = this.nodes.map((_, place) => place);
    const isOne = this.selected.has(this.nodes[node].id);
    const moved = isOne ? places.filter((at) => this.selected.has(this.nodes[at].id)) : [node];
    return moved.map((at) => ({ at, x: this.nodes[at].x, y: this.nodes[at].y }));
  }

  drag(event) {
    const at = this.placeOf(event);
    if (!this.isDragging(at)) {
      this.hover(this.nodeAt(...at), at);
      return;
    }
    const { act } = this;
    if (act.kind === "move" && act.far >= CLICK_PIXELS) {
      this.shift(act.moved, at[0] - act.from[0], at[1] - act.from[1]);
    }
    this.draw();
  }

  shift(moved, dx, dy) {
    for (const { at, x, y } of moved) {
      this.nodes[at].x = x + dx / this.view.kx;
      this.nodes[at].y = y - dy / this.view.ky;
    }
  }

  release(event) {
    const { act } = this;
    if (!act) return;
    this.act = null;
    if (act.far < CLICK_PIXELS) this.click(act, event);
    else if (act.kind === "move") this.dropped(act.moved.map(({ at }) => at));
    else if (act.kind === "box") this.chooseIn(act);
    this.draw();
  }

  stop() {
    if (this.act && this.act.moved) this.shift(this.act.moved, 0, 0);
    this.act = null;
    this.draw();
  }

  dropped(places) {
    const moved = {};
    for (const at of places) {
      this.nodes[at].isPinned = true;
      moved[this.nodes[at].id] = [this.nodes[at].x, this.nodes[at].y];
    }
    this.tell({ kind: "move", layout: this.layout, places: moved });
  }

  click(act, event) {
    if (act.button !== 0) return;
    if (act.node < 0) {
      if (this.selected.size && !event.shiftKey) this.choose([]);
      return;
    }
    const { id } = this.nodes[act.node];
    if (!event.shiftKey && !event.ctrlKey && !event.metaKey) this.choose([id]);
    else if (this.selected.has(id)) this.choose([...this.selected].filter((each) => each !== id));
    else this.choose([...this.selected, id]);
  }

  chooseIn(act) {
    const [left, right] = [act.from[0], act.last[0]].sort((a, b) => a - b);
    const [top, bottom] = [act.from[1], act.last[1]].sort((a, b) => a - b);
    const ids = this.nodes.filter((_, place) => {
      const [x, y] = this.at[place];
      return x >= left && x <= right && y >= top && y <= bottom;
    }).map((node) => node.id);
    this.choose([...this.selected, ...ids]);
  }

  double(event) {
    const found = this.nodeAt(...this.placeOf(event));
    if (found < 0) this.fit();
    else if (this.nodes[found].more) this.tell({ kind: "expand", node: this.nodes[found].id });
    else this.told.textContent = `All neighbours of ${this.nodes[found].name} are drawn`;
  }

  ownKey(event, way) {
    const isNudge = Boolean(way && this.view && event.shiftKey);
    if (isNudge) this.nudge(way);
    return isNudge;
  }

  // Shift and the arrow keys move what is selected; it is told once the keys rest.
  nudge([dx, dy]) {
    const places = this.nodes.flatMap((node, at) => (this.selected.has(node.id) ? [at] : []));
    if (!places.length) return;
    const moved = places.map((at) => ({ at, x: this.nodes[at].x, y: this.nodes[at].y }));
    this.shift(moved, NUDGE * dx, NUDGE * dy);
    this.draw();
    clearTimeout(this.nudged);
    this.nudged = setTimeout(() => this.dropped(places), NUDGE_WAIT_MS);
  }

  hover(found, at) {
    const edge = found < 0 && at && this.at ? this.edgeAt(...at) : -1;
    if (found !== this.hovered) {
      this.hovered = found;
      this.draw();
    }
    const words = found >= 0 ? this.nodes[found].tip : edge >= 0 ? this.edges[edge].tip : "";
    this.canvas.style.cursor = found >= 0 ? "pointer" : "grab";
    this.showTip(words, at);
  }

  endIfGone() {
    if (super.endIfGone()) clearTimeout(this.nudged);
  }
}

// Boxes that are taken, by rows of pixels, so that few are looked at.
class Boxes {
  constructor() { this.rows = new Map(); }

  add(box) {
    for (const row of rowsOf(box)) {
      if (!this.rows.has(row)) this.rows.set(row, []);
      this.rows.get(row).push(box);
    }
  }

  meets(box) {
    return rowsOf(box).some((row) => (this.rows.get(row) || []).some(
      (other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3],
    ));
  }
}

function rowsOf([, top, , bottom]) {
  const rows = [];
  for (let row = Math.floor(top / 16); row <= Math.floor(bottom / 16); row += 1) rows.push(row);
  return rows;
}

function drawShape(context, shape, radius) {
  context.beginPath();
  if (shape === "port") context.rect(-1.35 * radius, -0.7 * radius, 2.7 * radius, 1.4 * radius);
  else if (shape === "square") context.rect(-0.9 * radius, -0.9 * radius, 1.8 * radius, 1.8 * radius);
  else if (shape === "triangle") corners(context, radius, [[0, -1.15], [1.1, 0.8], [-1.1, 0.8]]);
  else if (shape === "diamond") corners(context, radius, [[0, -1.2], [1.2, 0], [0, 1.2], [-1.2, 0]]);
  else context.arc(0, 0, radius, 0, 7);
}

function corners(context, radius, points) {
  points.forEach(([x, y], place) => {
    if (place) context.lineTo(x * radius, y * radius);
    else context.moveTo(x * radius, y * radius);
  });
  context.closePath();
}

function fromLine([x, y], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const share = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1);
  const on = Math.min(Math.max(share, 0), 1);
  return Math.hypot(x - ax - on * dx, y - ay - on * dy);
}

function least(values) { return values.reduce((a, b) => Math.min(a, b), Infinity); }

function most(values) { return values.reduce((a, b) => Math.max(a, b), -Infinity); }
