/** Why this depth? The exit distribution of the token in focus, what it would have said, and what made it hard. */

import { bold, buttonPart, classes, fill, node, part, plural, readable, watchSize } from "./parts.mjs";
import { tokenAt } from "./problem.mjs";
import { difficulty, knownBefore, ruleIn } from "./words.mjs";

const HEIGHT = { least: 176, top: 14, bars: 104, tick: 16, said: 20 };
const SIDE = { left: 34, right: 50 };

/** `give(position, by)` gives iterations or takes them away; `giveBack()` undoes all of it. */
export function WhyView({ give, giveBack }) {
  const element = node("figure", { class: "ax-why" });
  let last = null;
  const size = watchSize(element, 360, () => last && paint(...last));
  const turn = (by) => () => give(last[1].focus, by);
  const [take, add] = [turn(-1), turn(1)];

  function paint(scene, shown) {
    last = [scene, shown];
    const { focus, threshold } = shown;
    const token = tokenAt(scene, focus);
    const answered = scene.answer[focus - scene.prompt.length + 1];
    const rows = [...spending(scene, answered), ...difficulty(scene, answered ?? token), ...knownBefore(scene, answered)];
    fill(element,
      part("p", { class: "ax-heading" }, ...headline(scene, focus, token, answered)),
      chart(size.width(), scene, shown, token, answered),
      part("p", { class: "ax-gloss" }, ...ruleIn(scene, threshold, token)),
      part("dl", { class: "ax-facts" }, ...rows.flatMap(([name, ...text]) => [part("dt", {}, name), part("dd", {}, ...text)])),
      part("div", { class: "ax-row ax-giving" },
        buttonPart("take", "− take one", take, { "aria-label": "Take one iteration away from this token", disabled: token.depth <= scene.decider.min_depth }),
        buttonPart("give", "+ give one", add, { "aria-label": "Give this token one more iteration", disabled: token.depth >= scene.max_depth }),
        buttonPart("give-back", "undo", giveBack, { "aria-label": "Undo all iterations taken or given", hidden: !scene.given })));
  }
  return { element, paint, down: size.down };
}

function headline(scene, focus, token, answered) {
  const quiet = (text) => part("span", { class: "ax-quiet" }, text);
  if (answered) {
    const before = focus < scene.prompt.length ? readable(token.name) : scene.answer[focus - scene.prompt.length].name;
    return ["Why ", bold(plural(token.depth, "iteration")), " before ", bold(readable(answered.name)), quiet(` (reading ${before})`)];
  }
  return ["Why ", bold(plural(token.depth, "iteration")), " on reading ", bold(readable(token.name)), quiet(` (token ${focus + 1} of ${scene.prompt.length})`)];
}

/** Bars q(d) and the line F(d) over the depths, and under each depth the token that would have been said. */
function chart(width, scene, { iteration, threshold }, token, answered) {
  const D = scene.max_depth;
  const limit = threshold ?? (scene.decider.rule === "median" ? 0.5 : typeof scene.decider.rule === "number" ? scene.decider.rule : null);
  const height = HEIGHT.top + HEIGHT.bars + HEIGHT.tick + HEIGHT.said + 10;
  const step = (width - SIDE.left - SIDE.right) / D;
  const x = (d) => SIDE.left + (d - 1) * step;
  const y = (p) => HEIGHT.top + (1 - p) * HEIGHT.bars;
  const right = width - SIDE.right;
  const label = (attributes, ...text) => part("text", { dy: "0.35em", ...attributes }, ...text);
  const parts = [0, 0.5, 1].map((p) => part("g", { class: "ax-axis" },
    part("line", { x1: SIDE.left, x2: right, y1: y(p), y2: y(p) }), label({ x: SIDE.left - 6, y: y(p), "text-anchor": "end" }, p)));
  let mass = 0;
  let line = `M${SIDE.left} ${y(0)}`;
  token.exit_probs.forEach((q, i) => {
    const d = i + 1, middle = x(d) + step / 2;
    mass += q;
    line += `V${y(Math.min(1, mass))}H${x(d) + step}`;
    const unknown = !scene.decider.planned && d > iteration; // what looks after each iteration cannot know yet
    const chosen = d === token.depth && "ax-chosen";
    parts.push(part("rect", { class: classes("ax-bar", chosen, unknown && "ax-later"), x: x(d) + step * 0.2, width: step * 0.6, y: y(q), height: Math.max(1, y(0) - y(q)), rx: 1.5, style: `fill: var(--ax-depth-${d})` },
      part("title", {}, `q(${d}) = ${q.toFixed(3)}, F(${d}) = ${mass.toFixed(3)}`)));
    parts.push(label({ class: classes("ax-tick", chosen), x: middle, y: y(0) + 12, "text-anchor": "middle" }, d));
    const said = answered?.said?.[i];
    if (said !== undefined) {
      const kind = said === answered.expected ? "ax-good" : "ax-bad";
      parts.push(label({ class: classes("ax-said", kind, chosen), x: middle, y: y(0) + HEIGHT.tick + 15, "text-anchor": "middle" }, `${readable(said)}${kind === "ax-good" ? " ✓" : ""}`));
    }
  });
  if (limit !== null) parts.push(part("line", { class: "ax-threshold", x1: SIDE.left, x2: right, y1: y(limit), y2: y(limit) }));
  parts.push(part("path", { class: "ax-mass", d: line }), label({ class: "ax-mass-label", x: right + 6, y: y(1) }, "F(d)"));
  if (limit !== null) parts.push(label({ class: "ax-threshold-label", x: right + 6, y: Math.max(y(limit), y(1) + 15) }, `≥ ${limit}`));
  parts.push(label({ x: SIDE.left - 6, y: y(0) + 12, "text-anchor": "end" }, "d"));
  if (answered?.said) parts.push(label({ x: SIDE.left - 4, y: y(0) + HEIGHT.tick + 15, "text-anchor": "end" }, "says"));
  const probs = token.exit_probs.map((q) => q.toFixed(2)).join(", ");
  const said = answered?.said ? ` With 1 to ${D} iterations it would say ${answered.said.map(readable).join(", ")}.` : "";
  const name = `Exit probabilities of depths 1 to ${D}: ${probs}. It halts at ${token.depth}.${said}`;
  return part("svg", { role: "img", "aria-label": name, viewBox: `0 0 ${width} ${height}`, height }, ...parts);
}

/** What an answer token needed beside what was spent on it. */
function spending(scene, answered) {
  if (!answered || scene.decider.min_depth === scene.max_depth) return [];
  if (answered.said === null) return [["Needed", "…"]];
  if (!answered.need) return [["Needed", answered.expected === undefined ? "nothing: the answer ends before" : `no depth up to ${scene.max_depth} says ${readable(answered.expected)}`]];
  const over = answered.depth - answered.need;
  const verdict = over > 0 ? `${plural(over, "iteration")} more than needed` : over < 0 ? `${plural(-over, "iteration")} too few` : "as many as needed";
  return [["Needed", bold(answered.need), `: right for good from there on; spent ${answered.depth}, ${verdict}`]];
}

