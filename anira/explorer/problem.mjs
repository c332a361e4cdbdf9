/**
 * What is asked, and what a decider made of it: the one place in which a scene is built, whoever computed the answer.
 *
 *   graphProblem(nodes, edges, query), expressionProblem(names, modulus), sequenceProblem(posed)
 *     → { kind, prompt, roles, chips, nodes, edges, places, expected, longest, features, size }: token names of the prompt with
 *       their roles, which positions stand together, what is drawn where, the right answer, the most tokens that a model may
 *       answer, and what makes each token hard
 *   sceneOf(problem, packed, decider)
 *     → the problem with the packed answer laid on it: prompt and answer as tokens with depth and exit distribution
 *
 * A packed answer is { answer, depths, exit_probs, alone, given, milliseconds, device }: the names of the generated tokens A,
 * one depth and D probabilities for each of the P + A - 1 positions that were read, what each answer token would have been
 * with 1..D iterations of its own (null until it is known), and the depths that came from the reader.
 *
 * Alignment. Position p reads one token and predicts the next. A prompt token shows the depth spent at its own position, an
 * answer token that of the position before it, the one that predicts it. So the last prompt token and the first answer token
 * show the same position.
 */

import { expressionPrompt, parsePrefix, valueOf } from "./expression.mjs";
import { layout } from "./layout.mjs";
import { promptOf, search } from "./search.mjs";
import { place, stackFeatures } from "./tree.mjs";

export const END = "<eos>";

/** A graph and its query; nodes without an arrow are drawn and not part of the prompt. */
export function graphProblem(nodes, edges, query) {
  const { answer, features } = search(edges, query, nodes);
  const prompt = promptOf(edges, query);
  const last = prompt.length - 1;
  return {
    kind: "graph", nodes, edges, query, prompt, features, size: nodes.length,
    roles: prompt.map((_, i) => (i === 0 ? "start" : i === last - 1 ? "query" : i >= last - 2 ? "mark" : i % 2 ? "from" : "to")),
    chips: [[0], ...edges.map((_, i) => [1 + 2 * i, 2 + 2 * i]), [last - 2, last - 1], [last]],
    places: layout(nodes, edges),
    expected: [...answer, END], longest: new Set(edges.flat()).size,
  };
}

/** An expression in prefix notation, a list of token names. */
export function expressionProblem(names, modulus) {
  const tree = parsePrefix(names);
  const prompt = expressionPrompt(tree);
  const { nodes, edges, places } = place(tree);
  return {
    kind: "expression", tree, modulus, nodes, edges, places, prompt, query: null, size: (names.length - 1) / 2,
    roles: prompt.map((_, i) => (i === 0 ? "start" : i === prompt.length - 1 ? "mark" : "from")),
    chips: prompt.map((_, i) => [i]),
    expected: [String(valueOf(tree, modulus))], longest: 1, features: [null, ...stackFeatures(names), null],
  };
}

/** A problem of any other task, as Python poses it: its tokens and their features, and nothing to draw. */
export function sequenceProblem({ title, prompt, answer, end, features, size }) {
  return {
    kind: "sequence", title, prompt, end, features, size, nodes: [], edges: [], places: new Map(), query: null,
    roles: prompt.map((name) => (/^<.+>$/.test(name) ? "mark" : "from")),
    chips: prompt.map((_, i) => [i]),
    expected: answer, longest: answer.length,
  };
}

/** The scene of a packed answer; `decider` is its entry in the source's options. */
export function sceneOf(problem, packed, decider) {
  const D = decider.max_depth, first = problem.prompt.length - 1;
  const at = (position) => ({
    position, depth: packed.depths[position], exit_probs: packed.exit_probs.slice(position * D, (position + 1) * D), given: position in packed.given,
  });
  const prompt = problem.prompt.map((name, i) => ({ name, role: problem.roles[i], difficulty: problem.kind === "graph" ? null : problem.features[i], ...at(i) }));
  const answer = packed.answer.map((name, i) => {
    const right = name === problem.expected[i];
    const said = packed.alone?.map((names) => names[i]) ?? null;
    return {
      name, right, said, role: name === (problem.end ?? END) ? "end" : "answer", expected: problem.expected[i], place: i + 1,
      need: said && needOf(said, problem.expected[i]), difficulty: problem.kind === "graph" ? difficultyOf(problem, name) : problem.features[first + 1 + i] ?? null, ...at(first + i),
    };
  });
  const order = new Map();
  answer.forEach((token, i) => order.has(token.name) || order.set(token.name, i));
  return {
    ...problem, label: decider.label, decider, max_depth: D, prompt, answer,
    correct: answer.length === problem.expected.length && answer.every((token) => token.right),
    given: Object.keys(packed.given).length, milliseconds: packed.milliseconds, device: packed.device,
    drawn: problem.nodes.map((name) => drawn(problem, prompt, answer, order, name)),
  };
}

/** What is drawn of a node: the token whose iterations it shows, if it is one. */
function drawn(problem, prompt, answer, order, id) {
  const [x, y] = problem.places.get(id);
  if (problem.kind === "expression") return { id, name: prompt[id].name, x, y, token: prompt[id], position: id, place: null };
  const i = order.get(id);
  const query = id === problem.query;
  return {
    id, name: id, x, y, query, token: i === undefined ? null : answer[i], place: i === undefined ? null : i + 1,
    position: i !== undefined ? answer[i].position : query ? prompt.length - 2 : null, missed: i === undefined && problem.expected.includes(id),
  };
}

/** The search's counts for a node, wherever the model put it; null for what is not part of the right answer. */
function difficultyOf(problem, name) {
  const i = problem.expected.indexOf(name);
  return i < 0 || name === END ? null : problem.features[i];
}

/** The first iteration from which on the right token is said; 0 where it is not said in the end, or there is none. */
function needOf(said, expected) {
  if (expected === undefined) return 0;
  let depth = said.length;
  while (depth && said[depth - 1] === expected) depth--;
  return depth === said.length ? 0 : depth + 1;
}

export const tokenAt = (scene, position) =>
  position < scene.prompt.length ? scene.prompt[position] : scene.answer[position - scene.prompt.length + 1];

/** The tokens whose depths are compared: the answer's, or the question's where the answer is one token. */
export const compared = (scene) => (scene.kind !== "graph" && scene.expected.length === 1 ? scene.prompt.slice(1) : scene.answer);

/** The positions whose iterations were spent, each once. */
export const positions = (scene) => [...scene.prompt, ...scene.answer.slice(1)];
