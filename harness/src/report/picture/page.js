"use strict";
// Draws what is in view of the operations, and tells about the one that is pointed at or chosen.
const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
const LANE = 48, BAR = 34, MARGIN = 26, NAMES = 92;
const LABEL = -3, POINT = 9; // within a bar, from its middle: the text above, the order below
const OUTCOMES = ["ok", "fail", "info"];
const [stage, lanes, names, detail, overview] =
  ["stage", "lanes", "names", "detail", "overview"].map((id) => document.getElementById(id));
let unit = 26; // pixels a column
let chosen = -1;

function make(parent, name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const key in attributes) element.setAttribute(key, attributes[key]);
  if (text !== undefined) element.textContent = text;
  parent.appendChild(element);
  return element;
}

const x = (column) => 12 + column * unit;
const visible = () => stage.clientWidth - NAMES;
const y = (lane) => MARGIN + lane * LANE + LANE / 2;
const end = (operation) => operation.to < 0 ? data.columns : operation.to;
const height = () => MARGIN + data.processes.length * LANE + 14;

// The points of the order, in columns: between the events around them.
const points = data.order.map(([operation, column, place]) => ({ operation, column, place }));
const placeInOrder = new Map(points.map((point, place) => [point.operation, place]));

function drawNames() {
  names.replaceChildren();
  names.setAttribute("width", NAMES);
  names.setAttribute("height", height());
  data.processes.forEach((process, lane) =>
    make(names, "text", { x: NAMES - 10, y: y(lane) + 4, "text-anchor": "end", class: "lane-name" }, process));
}

function fitted(text, width) {
  const letters = Math.floor((width - 8) / 6.6);
  if (text.length <= letters) return text;
  return letters < 4 ? "" : text.slice(0, letters - 1) + "…";
}

function drawOperation(parent, operation, number) {
  const [left, right] = [x(operation.from), x(end(operation))];
  const top = y(operation.lane) - BAR / 2;
  const width = Math.max(3, right - left);
  const classes = ["operation", OUTCOMES[operation.outcome]];
  if (operation.core) classes.push("core");
  if (operation.impossible) classes.push("impossible");
  if (number === chosen) classes.push("chosen");
  const group = make(parent, "g", { class: classes.join(" "), "data-operation": number });
  make(group, "rect", { class: "bar", x: left, y: top, width, height: BAR });
  if (operation.outcome === 2) {
    make(group, "path", { d: `M${right},${top}H${left + 4}q-4,0 -4,4v${BAR - 8}q0,4 4,4H${right}` });
  }
  const text = (operation.impossible ? "✗ " : "") + operation.what;
  const seen = Math.max(left, stage.scrollLeft);
  make(group, "text", { x: seen + 6, y: y(operation.lane) + LABEL }, fitted(text, left + width - seen));
}

function draw() {
  const width = x(data.columns) + 40;
  lanes.replaceChildren();
  lanes.setAttribute("width", width);
  lanes.setAttribute("height", height());
  const first = (stage.scrollLeft - 200) / unit;
  const last = (stage.scrollLeft + visible() + 200) / unit;
  data.processes.forEach((_, lane) => {
    if (lane % 2 === 1) make(lanes, "rect", { class: "band", x: 0, y: y(lane) - LANE / 2, width, height: LANE });
  });
  for (const [column, skipped] of data.breaks) {
    if (column < first || column > last) continue;
    const at = x(column) - unit / 2;
    make(lanes, "line", { class: "break", x1: at, x2: at, y1: MARGIN - 8, y2: height() - 6 });
    make(lanes, "text", { class: "break-text", x: at + 4, y: 14 }, `⋯ ${skipped.toLocaleString("en")} events are not shown`);
  }
  if (data.failedAt >= 0) {
    const at = x(data.failedAt);
    make(lanes, "line", { class: "failed-at", x1: at, x2: at, y1: 6, y2: height() - 6 });
  }
  data.operations.forEach((operation, number) => {
    if (end(operation) >= first && operation.from <= last) drawOperation(lanes, operation, number);
  });
  const near = points.filter((point) => point.column >= first - 60 && point.column <= last + 60);
  if (near.length > 0) {
    const lane = (point) => y(data.operations[point.operation].lane) + POINT;
    const path = near.map((point, place) => {
      const [px, py] = [x(point.column), lane(point)];
      if (place === 0) return `M${px},${py}`;
      const [bx, by] = [x(near[place - 1].column), lane(near[place - 1])];
      const middle = (bx + px) / 2;
      return by === py ? `L${px},${py}` : `C${middle},${by} ${middle},${py} ${px},${py}`;
    });
    make(lanes, "path", { class: "order", d: path.join("") });
    for (const point of near) make(lanes, "circle", { class: "point", cx: x(point.column), cy: lane(point), r: 4 });
  }
  drawOverview();
}

function drawOverview() {
  overview.replaceChildren();
  const count = data.density.length;
  overview.setAttribute("viewBox", `0 0 ${count} 34`);
  const most = Math.max(1, ...data.density);
  data.density.forEach((operations, place) => {
    const tall = operations / most * 28;
    make(overview, "rect", { x: place + .1, y: 32 - tall, width: .8, height: tall });
  });
  const scale = (fraction) => fraction * count;
  make(overview, "rect", { class: "shown", x: scale(data.shown[0]), y: 0,
    width: Math.max(.8, scale(data.shown[1] - data.shown[0])), height: 34 });
  if (data.failedFraction >= 0) {
    const at = scale(data.failedFraction);
    make(overview, "line", { class: "wrong", x1: at, x2: at, y1: 0, y2: 34, "vector-effect": "non-scaling-stroke" });
  }
}

function tell(number) {
  const operation = data.operations[number];
  detail.replaceChildren();
  const put = (parent, name, text, className) => {
    const element = document.createElement(name);
    element.textContent = text;
    if (className) element.className = className;
    parent.appendChild(element);
    return element;
  };
  put(detail, "h2", operation.what);
  const list = put(detail, "dl", "");
  const rows = [["process", data.processes[operation.lane]], ["ended", OUTCOMES[operation.outcome]], ...operation.facts];
  const place = placeInOrder.get(number);
  if (place !== undefined) rows.push(["in the order", `${(points[place].place + 1).toLocaleString("en")} of ${data.orderLength.toLocaleString("en")}`]);
  for (const [name, text] of rows) { put(list, "dt", name); put(list, "dd", text); }
  if (operation.impossible) put(detail, "p", "It cannot be placed: when it returned, no order was left.", "cannot");
  detail.hidden = false;
}

function choose(number) {
  if (number < 0 || number >= data.operations.length) return;
  chosen = number;
  const operation = data.operations[number];
  const [left, right] = [x(operation.from), x(Math.min(end(operation), operation.from + 8))];
  if (left < stage.scrollLeft + 20 || right > stage.scrollLeft + visible() - 20) {
    stage.scrollLeft = left - visible() / 2;
  }
  const top = y(operation.lane);
  if (top < stage.scrollTop + LANE || top > stage.scrollTop + stage.clientHeight - LANE) {
    stage.scrollTop = top - stage.clientHeight / 2;
  }
  draw();
  tell(number);
}

function neighbour(direction) {
  const place = placeInOrder.get(chosen);
  if (place !== undefined && points[place + direction]) return points[place + direction].operation;
  return chosen + direction;
}

function beside(direction) {
  const here = data.operations[chosen];
  let best = -1;
  data.operations.forEach((operation, number) => {
    if (operation.lane !== here.lane + direction) return;
    const distance = (other) => Math.abs(data.operations[other].from - here.from);
    if (best < 0 || distance(number) < distance(best)) best = number;
  });
  return best;
}

function zoom(factor) {
  const middle = (stage.scrollLeft + visible() / 2) / unit;
  unit = Math.min(120, Math.max(2, unit * factor));
  draw();
  stage.scrollLeft = middle * unit - visible() / 2;
  draw();
}

function showViolation() {
  const number = data.operations.findIndex((operation) => operation.impossible);
  const marked = number >= 0 ? number : data.operations.findIndex((operation) => operation.core);
  if (marked >= 0) choose(marked);
}

const KEYS = {
  ArrowLeft: () => choose(chosen < 0 ? 0 : neighbour(-1)),
  ArrowRight: () => choose(chosen < 0 ? 0 : neighbour(1)),
  ArrowUp: () => choose(chosen < 0 ? 0 : beside(-1)),
  ArrowDown: () => choose(chosen < 0 ? 0 : beside(1)),
  "+": () => zoom(1.4), "=": () => zoom(1.4), "-": () => zoom(1 / 1.4), "−": () => zoom(1 / 1.4),
  v: showViolation,
  Home: () => { stage.scrollLeft = 0; }, End: () => { stage.scrollLeft = stage.scrollWidth; },
  Escape: () => { chosen = -1; detail.hidden = true; draw(); },
};
document.addEventListener("keydown", (event) => {
  const action = KEYS[event.key];
  if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  action();
});
document.getElementById("closer").onclick = () => zoom(1.4);
document.getElementById("farther").onclick = () => zoom(1 / 1.4);
const jump = document.getElementById("jump");
if (jump) jump.onclick = showViolation;
lanes.addEventListener("mouseover", (event) => {
  const group = event.target.closest(".operation");
  if (group) tell(Number(group.dataset.operation));
  else if (chosen >= 0) tell(chosen);
  else detail.hidden = true;
});
lanes.addEventListener("click", (event) => {
  const group = event.target.closest(".operation");
  if (group) choose(Number(group.dataset.operation));
});
let planned = false;
const redraw = () => {
  if (planned) return;
  planned = true;
  requestAnimationFrame(() => { planned = false; draw(); });
};
stage.addEventListener("scroll", redraw);
window.addEventListener("resize", redraw);
drawNames();
draw();
showViolation();
