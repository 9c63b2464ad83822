// What the map of hosts and the graph of hosts and ports have in common: a toolbar, a field that is
// moved and zoomed by pointer, wheel and keys, a tip beside the pointer, the colours of the theme.
//
// What draws says the rest: fit() and drawNow(); press, drag, release, stop and hover of the pointer;
// ownKey; and `closest`, how far one can zoom in. No third-party code, no HTML.

export const CLICK_PIXELS = 4;
const ZOOM_STEP = 1.35;
const ARROW_PIXELS = 40;
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const STYLE = `
.drawing { position: relative; width: 100%; font: 13px/1.35 var(--st-font, sans-serif);
  color: var(--st-text-color); }
.bar { display: flex; flex-wrap: wrap; gap: 4px; align-items: center; margin-bottom: 6px; }
.bar .told { margin-left: auto; opacity: .85; }
button { font: inherit; color: inherit; background: var(--st-background-color); cursor: pointer;
  border: 1px solid var(--st-border-color); border-radius: 6px; padding: 3px 10px; min-height: 30px; }
button:hover { border-color: var(--st-primary-color); }
button:focus-visible, canvas:focus-visible { outline: 2px solid var(--st-primary-color);
  outline-offset: 1px; }
.legend .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.legend .count { font-variant-numeric: tabular-nums; opacity: .85; white-space: nowrap; }
.field { position: relative; border: 1px solid var(--st-border-color); border-radius: 6px;
  overflow: hidden; }
.field canvas { position: absolute; inset: 0; width: 100%; height: 100%; touch-action: none; }
.tip { position: absolute; pointer-events: none; padding: 4px 8px; border-radius: 6px; max-width: 70%;
  background: var(--st-secondary-background-color); border: 1px solid var(--st-border-color);
  white-space: pre; overflow: hidden; text-overflow: ellipsis; }
.hint { opacity: .75; font-size: 12px; margin-top: 4px; }
`;

const byParent = new WeakMap();

// Return the drawing that lives in the component's place, made by `make` where none does.
export function drawingIn(parent, make) {
  if (!byParent.has(parent)) byParent.set(parent, make());
  return byParent.get(parent);
}

export function element(tag, className, parent, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  if (parent) parent.appendChild(made);
  return made;
}

export class Drawing {
  constructor(parent, kind, style) {
    this.parent = parent;
    this.send = () => {};
    this.view = null; // middle of the field in the numbers of the drawing, and pixels for one of them
    this.frame = null;
    this.act = null; // what the pointer does while it is down
    element("style", "", parent, STYLE + style);
    this.root = element("div", `drawing ${kind}`, parent);
    this.root.dataset.state = "empty";
    this.bar = element("div", "bar", this.root);
    this.bar.setAttribute("role", "toolbar");
    this.bar.setAttribute("aria-label", `Tools of the ${kind}`);
  }

  // ---- page elements -------------------------------------------------------------------------

  addAction(text, title, act) {
    const button = element("button", "", this.bar, text);
    button.type = "button";
    button.title = title;
    button.setAttribute("aria-label", title);
    button.addEventListener("click", act);
    return button;
  }

  addZooms() {
    this.addAction("+", "Zoom in", () => this.zoom(ZOOM_STEP));
    this.addAction("\u2212", "Zoom out", () => this.zoom(1 / ZOOM_STEP));
  }

  addTold() {
    this.told = element("span", "told", this.bar);
    this.told.setAttribute("role", "status");
  }

  addLegend(parent) {
    this.legend = element("div", "legend", parent);
    this.legend.setAttribute("role", "group");
  }

  addField(parent) {
    this.field = element("div", "field", parent);
    this.canvas = element("canvas", "", this.field);
  }

  addTip() {
    this.tip = element("div", "tip", this.field);
    this.tip.hidden = true;
  }

  addHint() { this.hint = element("div", "hint", this.root); }

  // What a message says of the field itself.
  furnish({ height, hint, words }) {
    this.field.style.height = `${height}px`;
    this.hint.textContent = hint || "";
    this.surface.setAttribute("aria-label", words);
    this.readTheme();
  }

  readTheme() {
    const style = getComputedStyle(this.root);
    const read = (name, other) => style.getPropertyValue(name).trim() || other;
    this.theme = {
      background: read("--st-background-color", "#ffffff"),
      text: read("--st-text-color", "#16202a"),
      primary: read("--st-primary-color", "#0b5c8a"),
    };
  }

  showTip(words, at) {
    this.tip.hidden = !words;
    if (!words) return;
    this.tip.textContent = words;
    const room = this.width - this.tip.offsetWidth - 4;
    this.tip.style.left = `${Math.max(0, Math.min(at[0] + 14, room))}px`;
    const below = at[1] + 14 + this.tip.offsetHeight < this.height;
    this.tip.style.top = `${below ? at[1] + 14 : at[1] - 14 - this.tip.offsetHeight}px`;
  }

  // ---- view ----------------------------------------------------------------------------------

  get width() { return this.field.clientWidth || 1; }

  get height() { return this.field.clientHeight || 1; }

  get ratio() { return this.canvas.width / this.width; }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.round(this.width * ratio));
    const height = Math.max(1, Math.round(this.height * ratio));
    if (this.canvas.width === width && this.canvas.height === height) return;
    for (const each of this.field.querySelectorAll("canvas")) {
      each.width = width;
      each.height = height;
    }
    if (!this.view || this.isWhole) this.fit();
  }

  // Show all there is: the view, from which zooming is measured.
  showWhole(view) {
    this.view = view;
    this.whole = view.kx;
    this.isWhole = true;
    this.draw();
  }

  zoom(factor, x = this.width / 2, y = this.height / 2) {
    if (!this.view) return;
    const before = this.toData(x, y);
    const wanted = Math.max(this.view.kx * factor, this.whole / 4);
    const used = Math.min(wanted, this.whole * this.closest) / this.view.kx;
    this.view.kx *= used;
    this.view.ky *= used;
    const after = this.toData(x, y);
    this.view.x += before[0] - after[0];
    this.view.y += before[1] - after[1];
    this.isWhole = false;
    this.draw();
  }

  move(dx, dy) {
    this.view.x -= dx / this.view.kx;
    this.view.y += dy / this.view.ky;
    this.isWhole = false;
    this.draw();
  }

  toData(x, y) {
    const { view } = this;
    return [view.x + (x - this.width / 2) / view.kx, view.y - (y - this.height / 2) / view.ky];
  }

  toScreen(x, y) {
    const { view } = this;
    return [this.width / 2 + (x - view.x) * view.kx, this.height / 2 - (y - view.y) * view.ky];
  }

  draw() {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      this.drawNow();
    });
  }

  // ---- what the analyst does -----------------------------------------------------------------

  listen(surface) {
    this.surface = surface;
    surface.tabIndex = 0;
    surface.setAttribute("role", "application"); // arrow keys and + - work on it
    const on = (type, act) => surface.addEventListener(type, act);
    on("contextmenu", (event) => event.preventDefault());
    on("pointerdown", (event) => this.grasp(event));
    on("pointermove", (event) => this.drag(event));
    on("pointerup", (event) => this.release(event));
    on("pointercancel", () => this.stop());
    on("pointerleave", () => this.hover(-1));
    surface.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), ...this.placeOf(event));
    }, { passive: false });
    on("keydown", (event) => this.key(event));
    this.observer = new ResizeObserver(() => {
      this.resize();
      this.draw();
    });
    this.observer.observe(this.field);
  }

  placeOf(event) {
    const box = this.surface.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  grasp(event) {
    if (!this.view) return;
    this.surface.focus({ preventScroll: true });
    this.surface.setPointerCapture(event.pointerId);
    this.press(event, this.placeOf(event));
  }

  begin(kind, at, event) {
    this.act = { kind, from: at, last: at, far: 0, button: event.button };
  }

  // Whether the pointer is down: then how far it went is kept, and a pan moves the view.
  isDragging(at) {
    const { act } = this;
    if (!act) return false;
    act.far = Math.max(act.far, Math.hypot(at[0] - act.from[0], at[1] - act.from[1]));
    if (act.kind === "pan") this.move(at[0] - act.last[0], at[1] - act.last[1]);
    act.last = at;
    return true;
  }

  key(event) {
    const way = WAYS[event.key];
    if (!this.ownKey(event, way) && !this.viewKey(event.key, way)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  viewKey(key, way) {
    if (way && this.view) this.move(-ARROW_PIXELS * way[0], -ARROW_PIXELS * way[1]);
    else if (key === "+" || key === "=") this.zoom(ZOOM_STEP);
    else if (key === "-") this.zoom(1 / ZOOM_STEP);
    else if (key === "0") this.fit();
    else if (key === "Escape") this.stop();
    else return false;
    return true;
  }

  // Streamlit moves components about: only one that is gone for good ends. Say whether it did.
  endIfGone() {
    if (this.root.isConnected) return false;
    if (this.observer) this.observer.disconnect();
    cancelAnimationFrame(this.pending || 0);
    byParent.delete(this.parent);
    return true;
  }
}
