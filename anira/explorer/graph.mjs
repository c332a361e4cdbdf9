/** The drawing: a graph or a tree, its nodes in the colours of their depths; a graph can be drawn on. */

import { node, oneTabStop, plural, readable, roam, watchWidth } from "./parts.mjs";
import { tokenAt } from "./problem.mjs";

const RADIUS = { least: 13, most: 18 };
const MARGIN = { left: 26, right: 34, top: 30, bottom: 30 };
const RATIO = 0.78; // height over width
const HEIGHT = { least: 250, most: 420 };

/** `point(position, pin)` as in `mount`; `pen`, if the reader may draw: { choose(name), link(a, b), grow(name), remove(name), chosen() }. */
export function GraphView(point, pen) {
  const svg = node("svg");
  const element = node("figure", { class: "ax-graph" }, svg);
  let spots = new Map(), lines = [], drawnFor = "", scene = null, shown = null, drag = null;
  const size = watchWidth(element, 480, () => scene && (build(scene, shown), paint(scene, shown)));

  function build(next, state) {
    [scene, shown] = [next, state];
    const width = size.width();
    const height = Math.min(HEIGHT.most, Math.max(HEIGHT.least, width * RATIO));
    svg.setAttribute("role", state.editing ? "group" : "img");
    svg.setAttribute("aria-label", description(scene, state.editing));
    const wanted = JSON.stringify([width, scene.kind, scene.nodes, scene.edges, scene.query, scene.answer.map((token) => [token.name, token.right]), state.editing]);
    if (wanted === drawnFor) return; // the discs of the same answer change their colour and size instead
    drawnFor = wanted;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("height", height);
    const at = new Map(scene.drawn.map(({ id, x, y }) => [id, [
      MARGIN.left + x * (width - MARGIN.left - MARGIN.right), MARGIN.top + y * (height - MARGIN.top - MARGIN.bottom)]]));
    lines = scene.edges.map(([from, to]) => arrow(at.get(from), at.get(to), scene.kind === "graph"));
    spots = new Map(scene.drawn.map((spot) => [spot.id, disc(spot, at.get(spot.id), width)]));
    const focused = svg.contains(document.activeElement) && document.activeElement.dataset.node;
    svg.replaceChildren(node("g", {}, ...lines), ...spots.values());
    if (focused) spots.get(focused)?.focus();
  }

  function disc(spot, [x, y], width) {
    const kinds = ["ax-node", spot.query && "ax-query", spot.missed ? "ax-missed" : !spot.token && !spot.query && "ax-unneeded", spot.token?.right === false && "ax-wrong"];
    const group = node("g", {
      class: kinds.filter(Boolean).join(" "), transform: `translate(${x} ${y})`, "data-node": spot.id,
      ...(shown.editing ? asButton(spot) : spot.position !== null && asPointer(spot.position)),
    });
    const off = RADIUS.most * 0.78;
    const tagRight = x + RADIUS.most + 42 < width;
    group.append(
      node("circle", { class: "ax-halo", r: RADIUS.most + 4 }),
      node("circle", { class: "ax-disc" }),
      node("text", { class: "ax-letter", dy: "0.35em" }, readable(spot.name), node("tspan", { class: "ax-depth", dy: "0.3em" })),
    );
    if (spot.query) group.append(node("text", { class: "ax-tag", dy: "0.35em", ...(tagRight ? { x: RADIUS.most + 8 } : { y: RADIUS.most + 14, "text-anchor": "middle" }) }, "query"));
    if (spot.place !== null)
      group.append(node("g", { class: "ax-badge", transform: `translate(${off} ${-off})` }, node("circle", { r: 8.5 }), node("text", { dy: "0.36em" }, String(spot.place))));
    return group;
  }

  const asPointer = (position) => ({
    onpointerenter: (event) => event.pointerType === "mouse" && point(position),
    onpointerleave: (event) => event.pointerType === "mouse" && point(null),
    onclick: () => point(position, true),
  });

  /** While drawing, a node is a button; from one it is also possible to pull an arrow. */
  const asButton = (spot) => ({
    role: "button", tabindex: -1, "aria-label": spot.name,
    onpointerdown: (event) => {
      event.currentTarget.setPointerCapture(event.pointerId);
      drag = { from: spot.id, x: event.clientX, y: event.clientY, line: null };
    },
    onpointermove: (event) => pull(event),
    onpointerup: (event) => release(event, spot.id),
    onpointercancel: () => { drag?.line?.remove(); drag = null; },
    onkeydown: (event) => {
      if (roam(event, [...spots.values()])) return;
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); pen.choose(spot.id); }
      if (event.key === "Delete" || event.key === "Backspace") { event.preventDefault(); pen.remove(spot.id); }
    },
  });

  function pull(event) {
    if (!drag || Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < 8) return;
    const box = svg.getBoundingClientRect();
    const [x, y] = spots.get(drag.from).getAttribute("transform").match(/[\d.]+/g);
    if (!drag.line) svg.append((drag.line = node("line", { class: "ax-pulled", x1: x, y1: y })));
    drag.line.setAttribute("x2", event.clientX - box.left);
    drag.line.setAttribute("y2", event.clientY - box.top);
  }

  function release(event, from) {
    const pulled = drag?.line;
    pulled?.remove();
    drag = null;
    if (!pulled) return pen.choose(from);
    const to = document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-node]");
    if (to && svg.contains(to)) return to.dataset.node !== from && pen.link(from, to.dataset.node);
    if (svg.contains(document.elementFromPoint(event.clientX, event.clientY))) pen.grow(from);
  }

  function paint(next, state) {
    [scene, shown] = [next, state];
    const { iteration, hovered, focus } = state;
    const D = scene.max_depth;
    const answering = focus - scene.prompt.length + 1; // index of the answer token in focus, if it is one
    const fading = scene.kind === "graph" && hovered !== null && answering >= 0;
    for (const spot of scene.drawn) {
      const group = spots.get(spot.id), { token } = spot;
      const done = token ? Math.min(token.depth, iteration) : 0;
      group.querySelector(".ax-disc").setAttribute("r", RADIUS.least + (token ? ((RADIUS.most - RADIUS.least) * token.depth) / D : 0));
      group.querySelector(".ax-depth").textContent = token ? done : "";
      group.dataset.depth = token ? token.depth : 0;
      group.style.setProperty("--ax-fill", done ? `var(--ax-depth-${done})` : "var(--ax-paper)");
      group.style.setProperty("--ax-ink", done ? `var(--ax-ink-${done})` : "var(--ax-text)");
      const mark = (name, on) => group.classList.toggle(name, Boolean(on));
      mark("ax-later", fading && spot.place !== null && spot.place - 1 > answering);
      mark("ax-focus", spot.position === focus);
      mark("ax-active", token && iteration <= token.depth);
      mark("ax-halted", token && iteration <= D && iteration > token.depth);
      mark("ax-given", token?.given);
      mark("ax-chosen", state.editing && pen.chosen() === spot.id);
      if (state.editing) {
        group.setAttribute("aria-pressed", pen.chosen() === spot.id);
        const needs = scene.edges.filter(([, head]) => head === spot.id).map(([tail]) => tail);
        group.setAttribute("aria-label", `${spot.name}${spot.query ? ", the query" : ""}, ${needs.length ? `needs ${needs.join(", ")}` : "needs nothing"}`);
      }
    }
    if (state.editing) oneTabStop([...spots.values()], (group) => group.dataset.node === (pen.chosen() ?? scene.query));
    const read = scene.kind === "graph" && answering < 0 && /from|to/.test(tokenAt(scene, focus).role) ? Math.floor((focus - 1) / 2) : -1;
    const asked = answering >= 0 ? scene.answer[answering].name : null;
    lines.forEach((line, i) => {
      const to = scene.edges[i][1];
      line.classList.toggle("ax-focus", i === read || (scene.kind === "graph" ? to === asked : to === focus));
      line.classList.toggle("ax-later", fading && to !== asked);
    });
  }

  return { element, svg, build, paint, focus: () => svg.querySelector('[tabindex="0"]')?.focus(), down: size.down };
}

function arrow([ax, ay], [bx, by], head) {
  const length = Math.hypot(bx - ax, by - ay) || 1;
  const [ux, uy] = [(bx - ax) / length, (by - ay) / length];
  const [sx, sy] = [ax + ux * RADIUS.most, ay + uy * RADIUS.most];
  const [ex, ey] = [bx - ux * (RADIUS.most + 3), by - uy * (RADIUS.most + 3)];
  const tip = `M${ex} ${ey}L${ex - 8 * ux + 4 * uy} ${ey - 8 * uy - 4 * ux}L${ex - 8 * ux - 4 * uy} ${ey - 8 * uy + 4 * ux}Z`;
  return node("g", { class: "ax-edge" }, node("path", { d: `M${sx} ${sy}L${ex - 6 * ux} ${ey - 6 * uy}`, class: "ax-line" }), head && node("path", { d: tip, class: "ax-head" }));
}

function description(scene, editing) {
  if (scene.kind === "expression") {
    const read = scene.prompt.slice(1, -1).map((token) => `${token.name} ${plural(token.depth, "iteration")}`);
    return `Tree of the expression. ${read.join(", ")}.`;
  }
  if (editing) return "Nodes of the graph: choose one, then another, to draw an arrow between them or to take it away";
  const facts = scene.answer.filter((token) => token.role === "answer").map((token) => `${token.name} after ${plural(token.depth, "iteration")}`);
  return `Graph of ${plural(scene.nodes.length, "node")} with arrows ${scene.edges.map((edge) => edge.join(" to ")).join(", ")}. The ${scene.label} model emits ${facts.join(", ") || "nothing"}.`;
}
