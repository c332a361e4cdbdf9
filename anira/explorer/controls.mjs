/** The controls above the picture. Each shows what is chosen, and tells `actions` what a reader chooses. */

import { button, fill, nearest, node, part, slider } from "./parts.mjs";
import { parseExpression, prefixOf, writeOut } from "./expression.mjs";
import { writeExpression } from "./sources.mjs";

const field = (name, label, value, ...control) => node("div", { class: `ax-field ax-field-${name}` }, node("div", { class: "ax-label" }, label, " ", value), ...control);

const WORDS = {
  graph: () => ({ label: "Nodes", size: "Number of nodes", many: " nodes", one: "graph" }),
  expression: () => ({ label: "Operators", size: "Number of operators", many: " operators", one: "expression" }),
  sequence: ({ symbol, knob }) => ({ label: `Size ${symbol}`, size: `Size: ${knob}`, many: "", one: "problem" }),
};

/** Which problem, which decider, which rule. */
export function Controls(source, actions) {
  const { sizes, trained, thresholds, deciders, kind } = source.options;
  const { choose } = actions;
  const words = WORDS[kind](source.options);
  const nodes = slider(sizes, words.size, "nodes", (value) => choose({ nodes: value, problem: "" }));
  const nodesText = node("output");
  const graphText = node("output");
  const previous = button("previous", "‹", () => actions.turn(-1), { "aria-label": `Previous ${words.one}` });
  const next = button("graph", `New ${words.one}`, () => actions.turn(1));

  const group = `ax-decider-${Math.random().toString(36).slice(2)}`; // radios of several explorers must not join
  const labels = deciders.length > 1 ? [...deciders.map(({ label }) => label), "all"] : deciders.map(({ label }) => label);
  const radios = labels.map((label) => node("input", { type: "radio", name: group, value: label, "data-control": `decider-${label}`, onchange: () => choose({ decider: label }) }));
  const threshold = slider(thresholds, "Threshold on F(d)", "threshold", (value) => choose({ threshold: value }));
  const thresholdText = node("output");
  const own = node("input", { type: "checkbox", "data-control": "own-rule", onchange: (event) => choose({ threshold: event.target.checked ? null : thresholds[threshold.value] }) });

  const typed = kind === "expression" && Typed(source.options, choose);
  const element = node(
    "div", { class: "ax-controls" },
    field("nodes", words.label, nodesText, nodes),
    field("graph", words.one[0].toUpperCase() + words.one.slice(1), graphText, node("div", { class: "ax-row" }, previous, next)),
    field("decider", "Decider", "", node("div", { class: "ax-segments", role: "radiogroup", "aria-label": "Decider" },
      ...radios.map((radio) => node("label", {}, radio, node("span", {}, radio.value === "all" ? "side by side" : radio.value))))),
    field("rule", node("label", { class: "ax-own" }, own, " own rule"), thresholdText, threshold),
    typed && typed.element,
  );
  return {
    element,
    update(choice, problem) {
      const size = problem?.size ?? choice.nodes;
      const unseen = !trained.includes(size);
      nodes.value = sizes.indexOf(nearest(sizes, size));
      nodes.setAttribute("aria-valuetext", `${size}${words.many}${unseen ? ", a size not seen in training" : ""}`);
      fill(nodesText, size, unseen && part("em", { class: "ax-unseen" }, "unseen size"));
      const count = source.count(choice.nodes);
      fill(graphText, choice.problem ? (choice.problem === source.options.example ? "an example" : "your own") : count ? `${choice.graph} of ${count}` : `no. ${choice.graph}`);
      previous.disabled = !count && choice.graph === 1;
      const shown = choice.decider === "all" ? deciders : deciders.filter(({ label }) => label === choice.decider);
      const rules = [...new Set(shown.map(({ rule }) => rule))];
      own.checked = choice.threshold === null;
      threshold.value = thresholds.indexOf(nearest(thresholds, choice.threshold ?? 0.5));
      threshold.setAttribute("aria-valuetext", choice.threshold === null ? `not used, the models' own rules: ${rules.join(", ")}` : String(choice.threshold));
      threshold.classList.toggle("ax-idle", choice.threshold === null);
      fill(thresholdText, choice.threshold === null ? rules.join(", ") : `halt once F(d) ≥ ${choice.threshold}`);
      for (const radio of radios) radio.checked = radio.value === choice.decider;
      if (typed) typed.update(choice, problem);
    },
  };
}

/** A field in which an expression can be typed. */
function Typed({ modulus, longest, sizes }, choose) {
  const id = `ax-typed-${Math.random().toString(36).slice(2)}`;
  const input = node("input", { type: "text", id, "data-control": "expression", autocomplete: "off", spellcheck: "false", "aria-describedby": `${id}-said`, oninput: read });
  const said = node("p", { class: "ax-said-line", id: `${id}-said`, role: "status" });
  function read() {
    try {
      const names = prefixOf(parseExpression(input.value, modulus));
      if (names.length < 3) throw new Error("An expression has at least one operator.");
      if (names.length + 3 > longest || (names.length - 1) / 2 > sizes.at(-1)) throw new Error(`An expression has at most ${sizes.at(-1)} operators here.`);
      said.textContent = "";
      input.removeAttribute("aria-invalid");
      choose({ problem: writeExpression(names) });
    } catch (error) {
      said.textContent = error.message;
      input.setAttribute("aria-invalid", "true");
    }
  }
  return {
    element: node("div", { class: "ax-field ax-typed" }, node("label", { class: "ax-label", for: id }, `Type your own: + - × and numbers 0 to ${modulus - 1}`), input, said),
    update(choice, problem) {
      if (problem && document.activeElement !== input) input.value = writeOut(problem.tree);
    },
  };
}

/** Which iteration is being looked at; one for all models. */
export function Scrub({ seek, play }) {
  const playing = button("play", null, play);
  const track = node("input", { type: "range", min: 1, step: 1, "aria-label": "Iteration", "data-control": "iteration", oninput: (event) => seek(Number(event.target.value)) });
  const text = node("output");
  return {
    element: node("div", { class: "ax-scrub" }, playing, node("span", { class: "ax-label" }, "Iteration"), track, text),
    paint(D, { iteration, playing: running }) {
      track.setAttribute("max", D + 1);
      track.value = Math.min(iteration, D + 1);
      const done = iteration > D ? `all ${D} done` : `${iteration} of ${D}`;
      fill(text, done);
      track.setAttribute("aria-valuetext", done);
      fill(playing, running ? "❚❚" : "▶");
      playing.setAttribute("aria-label", running ? "Pause" : "Play the iterations");
    },
  };
}

