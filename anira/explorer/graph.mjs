/** The drawing: a graph or a tree, its nodes in the colours of their depths; a graph can be drawn on. */

import { classes, fill, node, part, plural, readable, roam, tabStop, watchSize } from "./parts.mjs";
import { tokenAt } from "./problem.mjs";

const RADIUS = { least: 13, most: 18 };
const MARGIN = { left: 26, right: 34, top: 30, bottom: 30 };
const RATIO = 0.78; // height over width
const HEIGHT = { least: 250, most: 420 };

/** `point(position, pin)` as in `mount`; `pen`, if the reader may draw: { choose(name), link(a, b), grow(name), remove(name), chosen() }. */
export function GraphView(point, pen) {
  const element = node("figure", { class: "ax-graph" });
  let last = null, drag = null;
  const repaint = () => last && paint(...last);
  const size = watchSize(element, 480, repaint);
  const nameOf = (event) => event.currentTarget.dataset.node;

  function paint(scene, shown) {
    last = [scene, shown];
    const { hovered, focus, editing } = shown;
    const width = size.width();
    const height = Math.min(HEIGHT.most, Math.max(HEIGHT.least, width * RATIO));
    const at = new Map(scene.drawn.map(({ id, x, y }) => [id, [
      MARGIN.left + x * (width - MARGIN.left - MARGIN.right), MARGIN.top + y * (height - MARGIN.top - MARGIN.bottom)]]));
    const answering = focus - scene.prompt.length + 1; // index of the answer token in focus, if it is one
    const fading = scene.kind === "graph" && hovered !== null && answering >= 0;
    const read = scene.kind === "graph" && answering < 0 && /from|to/.test(tokenAt(scene, focus).role) ? Math.floor((focus - 1) / 2) : -1;
    const asked = answering >= 0 ? scene.answer[answering].name : null;
    const stop = editing && tabStop(scene.nodes, pen.chosen() ?? scene.query);
    const arrows = scene.edges.map(([from, to], i) => {
      const inFocus = i === read || (scene.kind === "graph" ? to === asked : to === focus);
      return arrow(at.get(from), at.get(to), scene.kind === "graph", classes("ax-edge", inFocus && "ax-focus", fading && to !== asked && "ax-later"));
    });
    const discs = scene.drawn.map((spot) => {
      const later = fading && spot.place !== null && spot.place - 1 > answering;
      const use = editing ? { ...asButton(scene, spot), tabindex: spot.id === stop ? 0 : -1, ...drawing } : spot.position !== null && { "data-position": spot.position, ...pointing };
      return disc(spot, at.get(spot.id), width, scene.max_depth, shown, use, later && "ax-later");
    });
    const pulled = drag?.to && part("line", { class: "ax-pulled", x1: at.get(drag.from)[0], y1: at.get(drag.from)[1], x2: drag.to[0], y2: drag.to[1] });
    fill(element, part("svg", { role: editing ? "group" : "img", "aria-label": description(scene, editing), viewBox: `0 0 ${width} ${height}`, height },
      part("g", {}, ...arrows), ...discs, pulled));
  }

  const pointing = {
    onpointerenter: (event) => event.pointerType === "mouse" && point(Number(event.currentTarget.dataset.position)),
    onpointerleave: (event) => event.pointerType === "mouse" && point(null),
    onclick: (event) => point(Number(event.currentTarget.dataset.position), true),
  };

  /** While drawing, a node is a button; from one it is also possible to pull an arrow. */
  function asButton(scene, { id, query }) {
    const needs = scene.edges.filter(([, head]) => head === id).map(([tail]) => tail);
    return { role: "button", "aria-pressed": String(pen.chosen() === id), "aria-label": `${id}${query ? ", the query" : ""}, ${needs.length ? `needs ${needs.join(", ")}` : "needs nothing"}` };
  }

  const drawing = {
    onpointerdown: (event) => {
      event.currentTarget.setPointerCapture(event.pointerId);
      drag = { from: nameOf(event), x: event.clientX, y: event.clientY, to: null };
    },
    onpointermove: (event) => {
      if (!drag || Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < 8) return;
      const box = element.getBoundingClientRect();
      drag.to = [event.clientX - box.left, event.clientY - box.top];
      repaint();
    },
    onpointerup: (event) => {
      const pulled = drag?.to, from = nameOf(event);
      drag = null;
      if (!pulled) return pen.choose(from);
      repaint();
      const there = document.elementFromPoint(event.clientX, event.clientY);
      if (!element.contains(there)) return;
      const to = there.closest("[data-node]")?.dataset.node;
      if (!to) pen.grow(from);
      else if (to !== from) pen.link(from, to);
    },
    onpointercancel: () => { drag = null; repaint(); },
    onkeydown: (event) => {
      if (roam(event, [...element.querySelectorAll(".ax-node")])) return;
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); pen.choose(nameOf(event)); }
      if (event.key === "Delete" || event.key === "Backspace") { event.preventDefault(); pen.remove(nameOf(event)); }
    },
  };

  /** The disc of a node: its name, the iterations done, its place in the answer. */
  function disc(spot, [x, y], width, D, { iteration, focus, editing }, use, later) {
    const { token } = spot;
    const done = token ? Math.min(token.depth, iteration) : 0;
    const kinds = classes("ax-node", later, spot.query && "ax-query", spot.missed ? "ax-missed" : !token && !spot.query && "ax-unneeded", token?.right === false && "ax-wrong",
      spot.position === focus && "ax-focus", token && iteration <= token.depth && "ax-active", token && iteration <= D && iteration > token.depth && "ax-halted",
      token?.given && "ax-given", editing && pen.chosen() === spot.id && "ax-chosen");
    const [fill, ink] = done ? [`depth-${done}`, `ink-${done}`] : ["paper", "text"];
    const off = RADIUS.most * 0.78;
    const tagPlace = x + RADIUS.most + 42 < width ? { x: RADIUS.most + 8 } : { y: RADIUS.most + 14, "text-anchor": "middle" };
    return part("g", { key: spot.id, class: kinds, transform: `translate(${x} ${y})`, "data-node": spot.id, "data-depth": token ? token.depth : 0, style: `--ax-fill: var(--ax-${fill}); --ax-ink: var(--ax-${ink})`, ...use },
      part("circle", { class: "ax-halo", r: RADIUS.most + 4 }),
      part("circle", { class: "ax-disc", r: RADIUS.least + (token ? ((RADIUS.most - RADIUS.least) * token.depth) / D : 0) }),
      part("text", { class: "ax-letter", dy: "0.35em" }, readable(spot.name), part("tspan", { class: "ax-depth", dy: "0.3em" }, done || "")),
      spot.query && part("text", { class: "ax-tag", dy: "0.35em", ...tagPlace }, "query"),
      spot.place !== null && part("g", { class: "ax-badge", transform: `translate(${off} ${-off})` }, part("circle", { r: 8.5 }), part("text", { dy: "0.36em" }, spot.place)));
  }

  return { element, paint, focus: () => element.querySelector('[tabindex="0"]')?.focus(), down: size.down };
}

function arrow([ax, ay], [bx, by], head, kinds) {
  const length = Math.hypot(bx - ax, by - ay) || 1;
  const [ux, uy] = [(bx - ax) / length, (by - ay) / length];
  const [sx, sy] = [ax + ux * RADIUS.most, ay + uy * RADIUS.most];
  const [ex, ey] = [bx - ux * (RADIUS.most + 3), by - uy * (RADIUS.most + 3)];
  const tip = `M${ex} ${ey}L${ex - 8 * ux + 4 * uy} ${ey - 8 * uy - 4 * ux}L${ex - 8 * ux - 4 * uy} ${ey - 8 * uy + 4 * ux}Z`;
  return part("g", { class: kinds }, part("path", { d: `M${sx} ${sy}L${ex - 6 * ux} ${ey - 6 * uy}`, class: "ax-line" }), head && part("path", { d: tip, class: "ax-head" }));
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
