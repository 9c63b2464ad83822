// The map of hosts. WebGL draws the points, a second canvas what the analyst draws; a polygon goes
// back, and Python decides which hosts lie inside. No third-party code, and no text as HTML.
//
// Two kinds of message, both [u32 length of header][header, JSON][padding to 4][arrays]:
//   map:   where the points are and which hosts they stand for; sent once for a map
//   marks: class and state of each point, colours, trails, texts; sent whenever one of them changes

import { CLICK_PIXELS, Drawing, drawingIn, element } from "./drawing.js";

const live = new Map(); // maps on the page, by name
const early = new Map(); // marks that came before their map, by name

const SELECTED = 1;
const LIT = 2;
const BACKGROUND = 4;
const DASHES = [[], [9, 5], [2, 4], [12, 4, 2, 4]]; // trails tell by number and by their strokes
const MOST_VERTICES = 200;
const MOST_NAMED = 4; // more names would write over one another; each trail has its number
const HOVER_PIXELS = 9;
const CLOSEST = 20000; // times the whole

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const message = unpack(data);
  if (!message) return undefined;
  if (message.head.role === "marks") {
    const map = live.get(message.head.name);
    if (map) map.mark(message);
    early.set(message.head.name, message);
    return undefined;
  }
  const map = drawingIn(parentElement, () => new HostMap(parentElement, message.head.name));
  map.send = (value) => setStateValue("event", value);
  map.place(message);
  return () => setTimeout(() => map.endIfGone(), 0);
}

function unpack(data) {
  if (!data || !data.byteLength) return null;
  const bytes = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
  const length = new DataView(bytes).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
  return { head, bytes, start: 4 * Math.ceil((4 + length) / 4) };
}

const STYLE = `
.bar button[aria-pressed="true"] { border-color: var(--st-primary-color);
  background: var(--st-secondary-background-color); font-weight: 600; }
.body { display: flex; flex-wrap: wrap; gap: 10px; }
.field { flex: 1 1 420px; }
.legend { flex: 0 1 220px; min-width: 190px; overflow-y: auto; }
.legend .title { font-weight: 600; margin: 2px 0 4px 6px; }
.legend button { display: flex; width: 100%; gap: 8px; align-items: center; background: none;
  padding: 2px 6px; min-height: 0; text-align: left; }
.legend .name { flex: 1; }
.legend .swatch { flex: none; width: 11px; height: 11px; }
.legend .empty { opacity: .45; }
.none { padding: 16px; }
`;

const VERTEX = `#version 300 es
in vec2 xy; in vec4 colour; in vec2 form;
uniform vec2 scale; uniform vec2 shift; uniform float size; uniform float pixel;
out vec4 ink; flat out float shape; flat out vec2 marked; flat out float soft;
flat out float mark; flat out float band;
void main() {
  gl_Position = vec4(xy * scale + shift, 0.0, 1.0);
  float isSelected = step(1.0, mod(form.y, 2.0));
  float isLit = step(1.0, mod(floor(form.y / 2.0), 2.0));
  float own = size * (1.0 + 0.5 * max(isSelected, isLit)) * (form.x > 0.5 ? 1.15 : 1.0) + 1.0;
  float line = max(2.0 * pixel, 0.2 * own);
  gl_PointSize = own + isLit * 2.0 * (line + max(2.0 * pixel, 0.2 * own));
  ink = colour; shape = form.x; marked = vec2(isSelected, isLit); soft = 2.0 / gl_PointSize;
  mark = own / gl_PointSize; band = 1.0 - 2.0 * line / gl_PointSize;
}`;

// A selected host has its edge in the colour of the text; a lit one, selected or not, stands in a
// gap of the background inside a ring of its own.

const FRAGMENT = `#version 300 es
precision mediump float;
in vec4 ink; flat in float shape; flat in vec2 marked; flat in float soft;
flat in float mark; flat in float band;
uniform vec3 ring; uniform vec3 gap;
out vec4 result;
void main() {
  vec2 p = (gl_PointCoord * 2.0 - 1.0) / mark;
  float away = length(p) * mark;
  float d = length(p);
  if (shape > 2.5) d = (abs(p.x) + abs(p.y)) * 1.02;
  else if (shape > 1.5) d = max(p.y + 0.15, abs(p.x) * 0.95 - p.y * 0.55 + 0.1);
  else if (shape > 0.5) d = max(abs(p.x), abs(p.y)) * 1.15;
  vec3 c = mix(ink.rgb, ring, step(0.62, d) * marked.x);
  float alpha = max(ink.a, max(marked.x, marked.y));
  alpha *= 1.0 - smoothstep(1.0 - soft / mark, 1.0, d);
  float ringed = marked.y * (1.0 - smoothstep(1.0 - soft, 1.0, away));
  vec3 around = mix(gap, ring, smoothstep(band - soft, band, away));
  result = vec4(c * alpha + around * ringed * (1.0 - alpha), alpha + ringed * (1.0 - alpha));
  if (result.a <= 0.0) discard;
}`;

class HostMap extends Drawing {
  constructor(parent, name) {
    super(parent, "map", STYLE);
    this.closest = CLOSEST;
    this.name = name;
    this.id = null;
    this.n = 0;
    this.marks = null;
    this.path = null;
    this.build();
    live.set(name, this);
  }

  // ---- page elements -------------------------------------------------------------------------

  build() {
    this.tools = {};
    this.addTool("lasso", "Lasso", "Draw around hosts to select them");
    this.addTool("box", "Box", "Draw a box around hosts to select them");
    this.addTool("pan", "Move", "Drag the map; with other tools hold the space bar or the right button");
    this.addZooms();
    this.addAction("Whole map", "Show all hosts", () => this.fit());
    this.addAction("Select none", "Take the selection back", () => this.tell({ kind: "clear" }));
    this.addTold();
    this.body = element("div", "body", this.root);
    this.addField(this.body);
    this.over = element("canvas", "", this.field);
    this.addLegend(this.body);
    this.addTip();
    this.addHint();
    this.choose("lasso");
    this.gl = this.canvas.getContext("webgl2", { antialias: true, premultipliedAlpha: true });
    if (!this.gl) {
      this.refuse();
      return;
    }
    this.listen(this.over);
    this.listenToMore();
    this.prepare();
  }

  addTool(tool, text, title) {
    this.tools[tool] = this.addAction(text, title, () => this.choose(tool));
  }

  refuse() {
    this.root.dataset.state = "no-webgl";
    this.body.remove();
    this.bar.remove();
    this.hint.remove();
    this.none = element("div", "none", this.root);
    this.none.textContent =
      "This browser offers no WebGL 2, so the map cannot be drawn here. " +
      "The table below has the same hosts, and selecting there does the same.";
  }

  choose(tool) {
    this.tool = tool;
    for (const [name, button] of Object.entries(this.tools)) {
      button.setAttribute("aria-pressed", String(name === tool));
    }
    this.over.style.cursor = tool === "pan" ? "grab" : "crosshair";
  }

  tell(value) {
    this.send({ id: Date.now() + Math.random(), points: this.id, ...value });
  }

  // ---- WebGL ---------------------------------------------------------------------------------

  prepare() {
    const gl = this.gl;
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    ["xy", "colour", "form"].forEach((name, place) => gl.bindAttribLocation(program, place, name));
    gl.linkProgram(program);
    gl.useProgram(program);
    this.at = {};
    for (const name of ["scale", "shift", "size", "pixel", "ring", "gap"]) {
      this.at[name] = gl.getUniformLocation(program, name);
    }
    this.buffers = [0, 1, 2].map(() => gl.createBuffer());
    this.order = gl.createBuffer();
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  fill(place, values, size, type, normalised) {
    const gl = this.gl;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[place]);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, size, type, normalised, 0, 0);
  }

  // ---- messages ------------------------------------------------------------------------------

  place(message) {
    const { head, bytes, start } = message;
    if (!this.gl) return;
    this.furnish({ ...head, words: head.words || "Map of hosts" });
    this.legend.style.maxHeight = `${head.height}px`;
    if (head.id !== this.id) {
      this.id = head.id;
      this.n = head.n;
      this.xy = new Float32Array(bytes, start, 2 * head.n);
      this.hosts = new Uint32Array(bytes, start + 8 * head.n, head.n);
      this.bounds = head.bounds;
      this.fill(0, this.xy, 2, this.gl.FLOAT, false);
      this.index();
      this.marks = null;
      this.root.dataset.state = "placed";
      if (head.frame !== this.frame || !this.view) {
        this.frame = head.frame;
        this.resize();
        this.fit();
      }
      const marks = early.get(this.name);
      if (marks) this.mark(marks);
    }
    this.resize();
    this.draw();
  }

  mark(message) {
    if (!this.gl || message.head.id !== this.id) return;
    const n = this.n;
    this.marks = message.head;
    this.classes = new Uint8Array(message.bytes, message.start, n);
    this.states = new Uint8Array(message.bytes, message.start + n, n);
    this.told.textContent = message.head.text || "";
    this.explain();
    this.paint();
    this.draw();
    this.root.dataset.state = "drawn";
    this.root.dataset.selected = String(message.head.selected || 0);
    this.root.dataset.points = this.id;
    this.turn = (this.turn || 0) + 1;
    this.root.dataset.turn = String(this.turn); // for who waits for the answer to a lasso
  }

  explain() {
    const { palette, title, selected } = this.marks;
    const focused = [...this.legend.children].indexOf(this.parent.activeElement);
    this.legend.replaceChildren();
    this.legend.setAttribute("aria-label", `Legend: ${title}`);
    element("div", "title", this.legend, title);
    palette.forEach((each, place) => {
      if (!each.hosts) return;
      const button = element("button", selected && !each.selected ? "empty" : "", this.legend);
      button.type = "button";
      button.title = "Select these hosts; with Shift add them to the selection";
      const swatch = element("span", "swatch", button);
      swatch.style.background = each.colour;
      swatch.style.borderRadius = each.shape ? "1px" : "50%";
      if (each.shape === 2) swatch.style.clipPath = "polygon(0 0, 100% 0, 50% 100%)";
      if (each.shape === 3) swatch.style.clipPath = "polygon(50% 0, 100% 50%, 50% 100%, 0 50%)";
      element("span", "name", button, each.name);
      const count = each.hosts.toLocaleString("en");
      const part = `${each.selected.toLocaleString("en")} / ${count}`;
      element("span", "count", button, selected ? part : count);
      button.addEventListener("click", (event) => {
        this.tell({ kind: "class", place, how: event.shiftKey ? "add" : "replace" });
      });
    });
    if (focused >= 0) this.legend.children[focused]?.focus();
  }

  paint() {
    const n = this.n;
    const palette = this.marks.palette.map((each) => [...rgb(each.colour), each.shape || 0]);
    const fade = this.marks.selected > 0 ? 0.3 : 1;
    const colours = new Uint8Array(4 * n);
    const forms = new Uint8Array(2 * n);
    const layers = [0, 0, 0];
    for (let i = 0; i < n; i += 1) {
      const look = palette[this.classes[i]];
      const state = this.states[i];
      colours[4 * i] = look[0];
      colours[4 * i + 1] = look[1];
      colours[4 * i + 2] = look[2];
      colours[4 * i + 3] = 255 * (state & BACKGROUND ? 0.45 : 0.85) * (state & SELECTED ? 1 : fade);
      forms[2 * i] = look[3];
      forms[2 * i + 1] = state;
      layers[layerOf(state)] += 1;
    }
    const next = [0, layers[0], layers[0] + layers[1]];
    const order = new Uint32Array(n);
    for (let i = 0; i < n; i += 1) {
      const layer = layerOf(this.states[i]);
      order[next[layer]] = i;
      next[layer] += 1;
    }
    const gl = this.gl;
    this.fill(1, colours, 4, gl.UNSIGNED_BYTE, true);
    this.fill(2, forms, 2, gl.UNSIGNED_BYTE, false);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.order);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, order, gl.STATIC_DRAW);
  }

  // ---- view ----------------------------------------------------------------------------------

  fit() {
    if (!this.bounds) return;
    const [left, bottom, right, top] = this.bounds;
    const scale = 0.94 * Math.min(
      this.width / (right - left || 1), this.height / (top - bottom || 1),
    );
    this.showWhole({ x: (left + right) / 2, y: (bottom + top) / 2, kx: scale, ky: scale });
  }

  // The line that is being drawn lies on a canvas of its own: the points are not drawn again.
  drawLine() {
    if (this.pending || this.pendingLine || !this.view || !this.marks) return;
    this.pendingLine = requestAnimationFrame(() => {
      this.pendingLine = 0;
      this.drawOver();
    });
  }

  drawNow() {
    const { gl, view, canvas } = this;
    if (!view || !this.marks || !this.n || gl.isContextLost()) return;
    const sx = (2 * view.kx) / this.width;
    const sy = (2 * view.ky) / this.height;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(this.at.scale, sx, sy);
    gl.uniform2f(this.at.shift, -view.x * sx, -view.y * sy);
    gl.uniform1f(this.at.size, this.pointPixels() * this.ratio);
    gl.uniform3f(this.at.ring, ...rgb(this.theme.text).map((each) => each / 255));
    gl.uniform3f(this.at.gap, ...rgb(this.theme.background).map((each) => each / 255));
    gl.uniform1f(this.at.pixel, this.ratio);
    gl.drawElements(gl.POINTS, this.n, gl.UNSIGNED_INT, 0);
    this.drawOver();
    this.root.dataset.view = [view.x, view.y, view.kx].join(",");
  }

  pointPixels() {
    const base = this.n > 100000 ? 2 : this.n > 20000 ? 3 : this.n > 4000 ? 4.5 : 6;
    return Math.min(base * Math.max(this.view.kx / this.whole, 0.5) ** 0.35, 16);
  }

  drawOver() {
    const context = this.over.getContext("2d");
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    const trails = this.marks.trails || [];
    for (const trail of trails) this.drawTrail(context, trail, trails.length <= MOST_NAMED);
    if (this.path && this.path.length > 1) {
      context.beginPath();
      this.path.forEach(([x, y], place) => (place ? context.lineTo(x, y) : context.moveTo(x, y)));
      context.closePath();
      context.globalAlpha = 0.15;
      context.fillStyle = this.theme.primary;
      context.fill("nonzero");
      context.globalAlpha = 1;
      context.strokeStyle = this.theme.primary;
      context.lineWidth = 2;
      context.stroke();
    }
  }

  drawTrail(context, trail, isNamed) {
    const at = trail.points.map(([x, y]) => this.toScreen(x, y));
    const { text, background } = this.theme; // no colour of a label; apart from points by an edge
    context.beginPath();
    at.forEach(([x, y], place) => (place ? context.lineTo(x, y) : context.moveTo(x, y)));
    for (const [colour, width] of [[background, 5], [text, 2]]) {
      context.setLineDash(width === 2 ? DASHES[(trail.number - 1) % DASHES.length] : []);
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.stroke();
    }
    context.setLineDash([]);
    context.font = "bold 12px sans-serif";
    context.lineJoin = "round";
    context.strokeStyle = background;
    context.fillStyle = text;
    at.forEach(([x, y], place) => {
      const isEnd = place === at.length - 1;
      context.lineWidth = 2;
      context.beginPath();
      context.arc(x, y, isEnd ? 5 : 3, 0, 7);
      context.stroke();
      context.fill();
      if (place && !isEnd) return;
      const named = isEnd ? `${trail.name}, ${trail.days[place]}` : trail.days[place];
      const words = isNamed ? `${trail.number}: ${named}` : String(trail.number);
      context.lineWidth = 4;
      context.strokeText(words, x + 7, y - 5);
      context.fillText(words, x + 7, y - 5);
    });
  }

  // ---- which host is where -------------------------------------------------------------------

  index() {
    const { n, xy, bounds } = this;
    const cells = Math.min(512, Math.max(1, Math.ceil(Math.sqrt(n / 4))));
    const [left, bottom, right, top] = bounds;
    const grid = { cells, left, bottom, w: (right - left) / cells || 1, h: (top - bottom) / cells || 1 };
    const starts = new Uint32Array(cells * cells + 1);
    const cell = new Uint32Array(n);
    for (let i = 0; i < n; i += 1) {
      const column = clamp(Math.floor((xy[2 * i] - left) / grid.w), cells);
      const row = clamp(Math.floor((xy[2 * i + 1] - bottom) / grid.h), cells);
      cell[i] = row * cells + column;
      starts[cell[i] + 1] += 1;
    }
    for (let i = 0; i < cells * cells; i += 1) starts[i + 1] += starts[i];
    const next = starts.slice();
    grid.members = new Uint32Array(n);
    for (let i = 0; i < n; i += 1) {
      grid.members[next[cell[i]]] = i;
      next[cell[i]] += 1;
    }
    grid.starts = starts;
    this.grid = grid;
  }

  nearest(px, py) {
    if (!this.marks || !this.view || !this.n) return -1;
    const { grid, xy } = this;
    const [x, y] = this.toData(px, py);
    const reach = HOVER_PIXELS / this.view.kx;
    const first = [clamp(Math.floor((x - reach - grid.left) / grid.w), grid.cells),
      clamp(Math.floor((y - reach - grid.bottom) / grid.h), grid.cells)];
    const last = [clamp(Math.floor((x + reach - grid.left) / grid.w), grid.cells),
      clamp(Math.floor((y + reach - grid.bottom) / grid.h), grid.cells)];
    let best = -1;
    let least = reach * reach;
    for (let row = first[1]; row <= last[1]; row += 1) {
      for (let column = first[0]; column <= last[0]; column += 1) {
        const at = row * grid.cells + column;
        for (let place = grid.starts[at]; place < grid.starts[at + 1]; place += 1) {
          const i = grid.members[place];
          const dx = xy[2 * i] - x;
          const dy = xy[2 * i + 1] - y;
          const distance = dx * dx + dy * dy;
          if (distance <= least) {
            least = distance;
            best = i;
          }
        }
      }
    }
    return best;
  }

  // ---- what the analyst does -----------------------------------------------------------------

  listenToMore() {
    this.over.addEventListener("keyup", (event) => {
      if (event.key === " ") this.isSpace = false;
    });
    this.canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    this.canvas.addEventListener("webglcontextrestored", () => {
      this.prepare();
      this.fill(0, this.xy, 2, this.gl.FLOAT, false);
      if (this.marks) this.paint();
      this.draw();
    });
  }

  press(event, at) {
    if (!this.marks) return;
    const isPan = this.tool === "pan" || event.button !== 0 || this.isSpace;
    this.begin(isPan ? "pan" : this.tool, at, event);
    this.path = isPan ? null : [at];
    this.hover(-1);
  }

  drag(event) {
    const at = this.placeOf(event);
    if (!this.isDragging(at)) {
      this.hover(this.nearest(at[0], at[1]), at);
      return;
    }
    if (this.act.kind === "pan") return;
    const [x, y] = this.act.from;
    if (this.act.kind === "box") this.path = [[x, y], [at[0], y], at, [x, at[1]]];
    else this.path.push(at);
    this.drawLine();
  }

  release(event) {
    const { act, path } = this;
    this.stop();
    if (!act) return;
    const how = event.shiftKey ? "add" : event.ctrlKey || event.metaKey ? "remove" : "replace";
    if (act.far < CLICK_PIXELS) {
      if (act.button === 0) this.click(act.from, how);
      return;
    }
    if (act.kind === "pan" || path.length < 3) return;
    const polygon = thinned(path, MOST_VERTICES).map(([x, y]) => this.toData(x, y));
    this.tell({ kind: act.kind, polygon, how });
  }

  stop() {
    this.act = null;
    this.path = null;
    this.drawLine();
  }

  click(at, how) {
    const found = this.nearest(at[0], at[1]);
    if (found < 0) return;
    const host = this.hosts[found];
    this.tell({ kind: how === "replace" ? "open" : "host", host, how });
  }

  ownKey(event) {
    if (event.key === " ") this.isSpace = true;
    return event.key === " ";
  }

  hover(found, at) {
    if (found < 0) {
      this.showTip("");
      this.over.style.cursor = this.tool === "pan" ? "grab" : "crosshair";
      return;
    }
    const look = this.marks.palette[this.classes[found]];
    this.showTip(`${dotted(this.hosts[found])}\n${look.name}`, at);
    this.over.style.cursor = "pointer";
  }

  endIfGone() {
    if (!super.endIfGone()) return;
    cancelAnimationFrame(this.pendingLine || 0);
    if (this.gl) this.gl.getExtension("WEBGL_lose_context")?.loseContext();
    if (live.get(this.name) === this) live.delete(this.name);
  }
}

function layerOf(state) {
  if (state & (SELECTED | LIT)) return 2;
  return state & BACKGROUND ? 0 : 1;
}

function clamp(value, cells) {
  return Math.min(Math.max(value, 0), cells - 1);
}

function dotted(host) {
  return [host >>> 24, (host >>> 16) & 255, (host >>> 8) & 255, host & 255].join(".");
}

function rgb(colour) {
  const found = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})/i.exec(colour);
  if (found) return found.slice(1).map((each) => parseInt(each, 16));
  const numbers = colour.match(/[\d.]+/g);
  return numbers ? numbers.slice(0, 3).map(Number) : [128, 128, 128];
}

// A drawn line has hundreds of points: keep those that bend it most, at most so many.
function thinned(path, most) {
  let kept = path;
  for (let slack = 0.5; kept.length > most; slack *= 1.6) kept = simplified(path, slack);
  return kept;
}

function simplified(path, slack) {
  const keep = new Uint8Array(path.length);
  const spans = [[0, path.length - 1]];
  keep[0] = 1;
  keep[path.length - 1] = 1;
  while (spans.length) {
    const [first, last] = spans.pop();
    const [ax, ay] = path[first];
    const [bx, by] = path[last];
    const length = Math.hypot(bx - ax, by - ay); // 0 where the line comes back to its start
    let far = slack;
    let at = -1;
    for (let i = first + 1; i < last; i += 1) {
      const [x, y] = path[i];
      const away = length
        ? Math.abs((x - ax) * (by - ay) - (y - ay) * (bx - ax)) / length
        : Math.hypot(x - ax, y - ay);
      if (away > far) {
        far = away;
        at = i;
      }
    }
    if (at > 0) {
      keep[at] = 1;
      spans.push([first, at], [at, last]);
    }
  }
  return path.filter((_, place) => keep[place]);
}
