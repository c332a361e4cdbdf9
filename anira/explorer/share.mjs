/** What a reader can take away: a link that restores what they see, and a picture of it. */

import { ramp, readable } from "./parts.mjs";

const PREFIX = "explorer";

/** The part of an address after #, from what is chosen and looked at. */
export function writeAddress(name, choice, { iteration, pinned, given }) {
  const parts = new URLSearchParams();
  if (choice.problem) parts.set("problem", choice.problem);
  else parts.set("nodes", choice.nodes), parts.set("graph", choice.graph);
  parts.set("decider", choice.decider);
  if (choice.threshold !== null) parts.set("threshold", choice.threshold);
  if (Number.isFinite(iteration)) parts.set("iteration", iteration);
  if (pinned !== null) parts.set("token", pinned);
  const taken = Object.entries(given).flatMap(([label, depths]) => Object.entries(depths).map(([position, depth]) => `${label}_${position}_${depth}`));
  if (taken.length) parts.set("given", taken.join("."));
  return `#${name}?${parts}`;
}

/** What such an address asks of the explorer of this name, { choice, view }; null if it is not for it. What it gets wrong is left out. */
export function readAddress(hash, name, { deciders, sizes, thresholds }) {
  const [whose, query] = hash.replace(/^#/, "").split("?");
  if (whose !== name || query === undefined) return null;
  const parts = new URLSearchParams(query);
  const number = (key) => (parts.has(key) && Number.isFinite(Number(parts.get(key))) ? Number(parts.get(key)) : undefined);
  const choice = {}, view = {};
  if (parts.has("problem")) choice.problem = parts.get("problem");
  if (sizes.includes(number("nodes"))) Object.assign(choice, { nodes: number("nodes"), graph: Math.max(1, Math.round(number("graph") ?? 1)), problem: "" });
  const labels = deciders.map(({ label }) => label);
  if (["all", ...labels].includes(parts.get("decider"))) choice.decider = parts.get("decider");
  if (parts.has("threshold")) choice.threshold = thresholds.includes(number("threshold")) ? number("threshold") : null;
  else if (parts.has("decider") || parts.has("problem") || parts.has("nodes")) choice.threshold = null;
  view.iteration = number("iteration") ?? Infinity;
  view.pinned = number("token") ?? null;
  view.given = {};
  for (const [label, position, depth] of (parts.get("given") ?? "").split(".").filter(Boolean).map((part) => part.split("_")))
    if (labels.includes(label)) (view.given[label] ??= {})[Number(position)] = Number(depth);
  return { choice, view };
}

export const nameOf = ({ kind, task }) => (kind === "graph" ? PREFIX : `${PREFIX}-${kind === "expression" ? "mano" : task.replace(/\W+/g, "-")}`);

/** A picture of the scenes side by side, as the text of an SVG file: drawing if there is one, tokens with their stacks, who answered. */
export function picture(scenes, colors) {
  const drawing = scenes[0].drawn.length ? 290 : 0; // its height
  const across = drawing ? 17 : 12; // tokens in a row
  const inRows = (tokens) => Array.from({ length: Math.ceil(tokens.length / across) }, (_, i) => tokens.slice(i * across, (i + 1) * across));
  const told = scenes.map((scene) => [...(drawing ? [] : inRows(scene.prompt)), ...inRows(scene.answer)]);
  const rows = Math.max(...told.map((lines) => lines.length));
  const stack = 9 * Math.max(...scenes.map((scene) => scene.max_depth)), row = stack + 46;
  const W = 460, H = 60 + drawing + rows * row;
  const escape = (text) => String(text).replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);
  const text = (x, y, words, more = "") => `<text x="${x}" y="${y}" ${more}>${escape(words)}</text>`;
  const panels = scenes.map((scene, column) => {
    const paint = ramp(colors, scene.max_depth);
    const place = (spot) => [36 + spot.x * (W - 84), 66 + spot.y * 250];
    const at = new Map(scene.drawn.map((spot) => [spot.id, place(spot)]));
    const lines = scene.edges.map(([from, to]) => {
      const [[ax, ay], [bx, by]] = [at.get(from), at.get(to)], length = Math.hypot(bx - ax, by - ay);
      const [ux, uy] = [(bx - ax) / length, (by - ay) / length], [ex, ey] = [bx - 21 * ux, by - 21 * uy];
      const tip = scene.kind === "graph" ? `<path d="M${ex} ${ey}L${ex - 8 * ux + 4 * uy} ${ey - 8 * uy - 4 * ux}L${ex - 8 * ux - 4 * uy} ${ey - 8 * uy + 4 * ux}Z" fill="#6b7280"/>` : "";
      return `<line x1="${ax + 18 * ux}" y1="${ay + 18 * uy}" x2="${ex - 5 * ux}" y2="${ey - 5 * uy}" stroke="#6b7280" stroke-width="1.3"/>${tip}`;
    });
    const discs = scene.drawn.map((spot) => {
      const [x, y] = at.get(spot.id), depth = spot.token?.depth;
      const { fill, ink } = depth ? paint[depth - 1] : { fill: "#fff", ink: "#4b5563" };
      return `<circle cx="${x}" cy="${y}" r="17" fill="${fill}" stroke="${spot.query ? "#111" : "#9ca3af"}" stroke-width="${spot.query ? 2.5 : 1}"/>` +
        text(x, y + 5, `${readable(spot.name)}${depth ? ` ${depth}` : ""}`, `text-anchor="middle" fill="${ink}" font-weight="600" font-size="13"`);
    });
    const step = Math.min(40, (W - 60) / Math.max(...told[column].map((line) => line.length)));
    const tokens = told[column].flatMap((line, r) => line.map((token, i) => {
      const x = 36 + i * step, y = 46 + drawing + r * row + stack;
      const cells = paint.map(({ fill }, d) => `<rect x="${x}" y="${y - 9 * d}" width="${step * 0.7}" height="7" rx="1.5" fill="${d < token.depth ? fill : "none"}" stroke="${d < token.depth ? fill : "#c5c9d1"}" stroke-width="0.8"/>`);
      return cells.join("") + text(x + step * 0.35, y + 23, readable(token.name), `text-anchor="middle" font-weight="600" font-size="${readable(token.name).length > 3 ? 9 : 13}" fill="${token.right === false ? "#b4232f" : "#111"}"`) +
        text(x + step * 0.35, y + 38, token.depth, `text-anchor="middle" font-size="11" fill="#4b5563"`);
    }));
    const title = text(20, 30, `${scene.label}: ${scene.correct ? "right" : "wrong"}`, 'font-size="16" font-weight="600"');
    return `<g transform="translate(${column * W} 0)">${title}${lines.join("")}${discs.join("")}${tokens.join("")}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${W * scenes.length} ${H}" width="${W * scenes.length}" height="${H}" font-family="system-ui, sans-serif" font-size="13" fill="#111"><rect width="100%" height="100%" fill="#fff"/>${panels.join("")}</svg>`;
}

/** The text of an SVG file as a PNG, `scale` pixels to a unit of it. */
export async function painted(svg, scale = 2) {
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [scale * image.width, scale * image.height];
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/** Offer a file for download. */
export function save(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
