/**
 * Who answers: the model in this page, or a kernel. Both take the same questions and give the same packed answers.
 *
 *   source.options            what can be chosen: sizes, deciders with their rules, names, problems (anira/explorer/problems.py)
 *   source.live               whether a kernel answers
 *   source.answers(question)  { label: packed answer } for a question { prompt, labels, rule, given, draft, longest }; null once a newer one was asked
 *   source.alone(question, answers)   { label: [names of the answer tokens] for each depth 1..D }; null likewise
 *   source.problem(size, number)      that problem: its text, see `writeGraph` and `writeExpression`, or what `sequenceProblem` takes
 *   source.changed(choice), source.subscribe(listener)   both ways between the page's choice and the kernel's traits
 */

import { prefixOf, randomExpression } from "./expression.mjs";
import { loadSteps } from "./model.mjs";
import { randomFrom, randomGraph } from "./search.mjs";

const SLICE_MS = 12; // of computing between two looks at what else the page has to do

// ---------------------------------------------------------------- problems as text

/** `c-a.a-f.d*f`: the arrows c→a and a→f, the node d without one, and the query f. */
export const writeGraph = (nodes, edges, query) => {
  const linked = new Set(edges.flat());
  return `${[...edges.map((edge) => edge.join("-")), ...nodes.filter((name) => !linked.has(name))].join(".")}*${query}`;
};

export function readGraph(text) {
  const [parts, query] = text.split("*");
  const pieces = parts.split(".").filter(Boolean).map((part) => part.split("-"));
  return { nodes: [...new Set([...pieces.flat(), query])].sort(byName), edges: pieces.filter((piece) => piece.length === 2), query };
}

const byName = (a, b) => a.length - b.length || (a < b ? -1 : 1);

/** Token names in prefix notation, `-.x.3.4.5`. */
export const writeExpression = (names) => names.join(".").replaceAll("×", "x");
export const readExpression = (text) => text.replaceAll("x", "×").split(".");

// ---------------------------------------------------------------- the model in this page

/** The options carry `models`, label → name, and `weights`, the folder of the page in which `<name>.js` would lie. */
export function pageSource(options) {
  const loaded = {};
  const kept = new Map(); // label → what the model said last, with the states that `alone` goes on from
  let newest = 0;
  const modelOf = (label) => (loaded[label] ??= fetchModel(options.models[label], options.weights).catch((error) => { delete loaded[label]; throw error; }));
  /** Run what `work(label, model)` steps through, for each label in turn; null if a newer question comes in between. */
  async function each(labels, asked, work) {
    const found = {};
    for (const label of labels) {
      const model = await modelOf(label);
      const began = performance.now();
      const done = await unhurried(work(label, model), () => asked === newest);
      if (done === null) return null;
      found[label] = Array.isArray(done) ? done : { ...done, milliseconds: performance.now() - began, device: "page" };
    }
    return found;
  }
  return {
    live: false, options,
    /** Weights are loaded when somebody shows an interest. */
    prepare: () => Promise.allSettled(Object.keys(options.models).map(modelOf)),
    answers: ({ prompt, labels, rule, given, longest }) =>
      each(labels, ++newest, function* (label, model) {
        const mine = given[label] ?? {};
        const said = yield* model.steps.answer(model.encode(prompt), {
          ...(rule !== null && { rule }), depths: new Map(Object.entries(mine).map(([position, depth]) => [Number(position), depth])), maxTokens: longest,
        });
        kept.set(label, said);
        return { answer: said.answer.map((token) => model.names[token]), depths: said.depths, exit_probs: [...said.exitProbs], given: mine, alone: null };
      }),
    alone: ({ prompt, labels }) =>
      each(labels, newest, function* (label, model) {
        const said = yield* model.steps.alone(kept.get(label).sequence, prompt.length - 1);
        return said.map((tokens) => tokens.map((token) => model.names[token]));
      }),
    problem: async (size, number) => options.problems[size][number - 1] ?? drawn(options, size, number),
    count: (size) => (options.drawable ? null : options.problems[size].length),
    changed() {},
    subscribe: () => () => {},
  };
}

/** Beyond the problems that came with the page it draws its own, the same for the same number. */
function drawn({ kind, names, modulus }, size, number) {
  const random = randomFrom(1000 * size + number);
  if (kind === "expression") return writeExpression(prefixOf(randomExpression(size, modulus, random)));
  const { edges, query } = randomGraph(size, names, random);
  return writeGraph([], edges, query);
}

/** Numbers are counted 1..count, and after the last comes the first. */
export const wrap = (number, count) => ((((number - 1) % count) + count) % count) + 1;

/** Packed weights: from an element of this page, or from a classic script beside it, which works from disk too. */
async function fetchModel(name, folder) {
  const element = document.querySelector(`script[data-anira-model="${name}"]`);
  if (element) return unhurried(loadSteps(JSON.parse(element.textContent)), () => true);
  if (!globalThis.anira_models?.[name])
    await new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${folder}${name}.js`;
      script.onload = resolve;
      script.onerror = () => reject(new Error(`The model ${name} could not be loaded.`));
      document.head.append(script);
    });
  return unhurried(loadSteps(globalThis.anira_models[name]), () => true);
}

/** Run a generator in slices, and between two of them and after the last let the page go on; null as soon as it is no longer `wanted`. */
async function unhurried(generator, wanted) {
  for (;;) {
    const end = performance.now() + SLICE_MS;
    let step;
    do step = generator.next(); while (!step.done && performance.now() < end);
    await pause();
    if (!wanted()) return null;
    if (step.done) return step.value;
  }
}

/** Let the page do what waits; unlike a timeout of 0 this is not held back by browsers. */
const pause = () => new Promise((resolve) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => { port1.close(); resolve(); };
  port2.postMessage(null);
});

// ---------------------------------------------------------------- a kernel

const TRAITS = ["nodes", "graph", "problem", "decider", "threshold"];

/** An anywidget model. One question is under way at a time; of those that wait, only the newest is sent. */
export function kernelSource(model) {
  const pending = new Map(); // id → resolve
  let id = 0, underWay = null, waiting = null;
  model.on("msg:custom", (message) => {
    pending.get(message.id)?.(message.reply);
    pending.delete(message.id);
  });
  const send = (content) => new Promise((resolve) => {
    pending.set(++id, resolve);
    model.send({ id, ...content });
  });
  function latest(content) {
    waiting?.resolve(null);
    return new Promise((resolve) => {
      waiting = { content, resolve };
      if (!underWay) next();
    });
  }
  function next() {
    [underWay, waiting] = [waiting, null];
    if (!underWay) return;
    const { content, resolve } = underWay;
    send(content).then((reply) => { resolve(reply); next(); });
  }
  return {
    live: true, options: model.get("options"),
    prepare() {},
    answers: (question) => latest({ ask: "answers", ...question }),
    alone: ({ prompt, labels }, answers) => latest({ ask: "alone", prompt, labels, answers: Object.fromEntries(labels.map((label) => [label, answers[label].answer])), depths: Object.fromEntries(labels.map((label) => [label, answers[label].depths])) }),
    problem: (size, number) => latest({ ask: "problem", size, number }),
    count: () => null,
    changed(choice) {
      for (const name of TRAITS) model.set(name, choice[name]);
      model.save_changes();
    },
    subscribe(listener) {
      const heard = () => listener(Object.fromEntries(TRAITS.map((name) => [name, model.get(name)])));
      for (const name of TRAITS) model.on(`change:${name}`, heard);
      return () => TRAITS.forEach((name) => model.off(`change:${name}`, heard));
    },
  };
}
