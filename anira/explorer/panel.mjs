/** One model's answer: drawing, tokens, reasons. Several stand side by side. */

import { GraphView } from "./graph.mjs";
import { node, part } from "./parts.mjs";
import { AnswerView, PromptView } from "./tokens.mjs";
import { WhyView } from "./why.mjs";

/** All that is shown of one model; only a graph and an expression have something to draw. */
export function Panel(label, kind, { point, give, giveBack, pen }) {
  const actions = { point, give: (position, by) => give(label, position, by), giveBack: () => giveBack(label) };
  const graph = kind === "sequence" ? null : GraphView(point, pen);
  const views = [graph, AnswerView(actions), WhyView(actions), PromptView(actions)].filter(Boolean);
  return {
    graph,
    element: node("div", { class: graph ? "ax-panel" : "ax-panel ax-plain" }, ...views.map((view) => view.element)),
    paint: (scene, shown) => views.forEach((view) => view.paint(scene, shown)),
    down: () => views.forEach((view) => view.down?.()),
  };
}

/** Before the reader points anywhere: the answer token that took most iterations, of the last model. */
export function firstFocus(scenes) {
  const scene = scenes.at(-1);
  const last = Math.min(...scenes.map((one) => one.answer.length));
  const tokens = scene.kind === "graph" || scene.expected.length > 1 ? scene.answer.slice(0, last) : scene.prompt;
  return tokens.reduce((most, token) => (token.depth > most.depth ? token : most)).position;
}

export function legendOf(D) {
  const cells = Array.from({ length: D }, (_, i) => part("i", { style: `background: var(--ax-depth-${i + 1}); color: var(--ax-ink-${i + 1})` }, String(i + 1)));
  return ["iterations ", ...cells];
}
