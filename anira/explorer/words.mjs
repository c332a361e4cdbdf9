/** Everything that the explorer says in sentences. */

import { writeOut } from "./expression.mjs";
import { bold, listed, part, plural, readable, sum } from "./parts.mjs";
import { compared, positions } from "./problem.mjs";

const italic = (text) => part("i", {}, text);

/** The paragraph above the picture: what was asked, what was answered, what it took. */
export function storyOf(scenes, { iteration, edited, before }) {
  const [scene] = scenes;
  const D = Math.max(...scenes.map(({ max_depth }) => max_depth));
  const opening = [...question(scene), " ", ...answers(scenes), " "];
  if (edited) return [...opening, ...consequence(scenes, edited)];
  if (iteration <= D) return [...opening, bold(`Iteration ${iteration} of ${D}: `), ...listing(scenes, (one) => underWay(one, iteration, scenes.length > 1)), "."];
  if (before) return [...opening, ...added(scenes, before)];
  return [...opening, ...(scenes.length > 1 ? comparison(scenes) : contrast(scene))];
}

function question(scene) {
  if (scene.kind === "expression") return ["What is ", bold(writeOut(scene.tree)), ` modulo ${scene.modulus}?`];
  if (scene.kind === "sequence") return [bold(scene.title), "."];
  return ["What must come before ", bold(scene.query), "?"];
}

function answers(scenes) {
  const said = (scene) => scene.answer.filter((token) => token.role === "answer" || scene.kind === "sequence").map((token) => readable(token.name)).join(" ") || "nothing";
  const verdict = (scene) => (scene.correct ? "right" : "wrong");
  if (scenes.length === 2 && said(scenes[0]) === said(scenes[1]) && scenes[0].correct === scenes[1].correct)
    return ["Both models answer ", bold(said(scenes[0])), `, which is ${verdict(scenes[0])}.`];
  return scenes.flatMap((scene, i) => [i ? " The " : "The ", scene.label, " model answers ", bold(said(scene)), `, which is ${verdict(scene)}.`]);
}

const listing = (scenes, say) => scenes.flatMap((scene, i) => [i ? "; " : "", ...say(scene)]);

function underWay(scene, iteration, several) {
  const all = positions(scene);
  const active = all.filter((token) => token.depth >= iteration).length;
  const whose = several ? `${scene.label}: ` : "";
  return [whose, active ? `${plural(active, "token")} still in the core` : "no token is left in the core",
    all.length > active ? `, ${all.length - active} halted and passed through unchanged` : ", none has halted yet"];
}

const shareOf = (scene) => Math.round((100 * sum(positions(scene).map((token) => token.depth))) / (scene.max_depth * positions(scene).length));

function contrast(scene) {
  const tokens = compared(scene), reading = tokens !== scene.answer;
  const depths = tokens.map((token) => token.depth);
  const most = tokens[depths.indexOf(Math.max(...depths))], least = tokens[depths.indexOf(Math.min(...depths))];
  const verb = reading ? "on reading " : "before ";
  const spent = most.depth === least.depth
    ? ["It spent ", bold(plural(most.depth, "iteration")), reading ? " on each token" : " before each token"]
    : ["It spent ", bold(plural(most.depth, "iteration")), ` ${verb}`, bold(readable(most.name)), ", ", bold(least.depth), ` ${verb}`, bold(readable(least.name))];
  return [...spent, `; with the question, ${shareOf(scene)} % of the iterations that a fixed depth of ${scene.max_depth} takes.`];
}

function comparison(scenes) {
  return [compared(scenes[0]) !== scenes[0].answer ? "Iterations on reading the question: " : "Iterations before the tokens of the answer: ", ...listing(scenes, (scene) => {
    const depths = compared(scene).map((token) => token.depth);
    const [low, high] = [Math.min(...depths), Math.max(...depths)];
    return [scene.label, " ", bold(low === high ? low : `${low} to ${high}`), ` (mean ${(sum(depths) / depths.length).toFixed(1)})`];
  }), "."];
}

export const meanDepth = (scene) => sum(scene.answer.map((token) => token.depth)) / scene.answer.length;

/** What the same question costs after something was added that it does not depend on. */
function added(scenes, before) {
  return ["The question is the same, with more in it that does not matter. Iterations for each token of the answer: ", ...listing(scenes, (scene) =>
    [scene.label, " ", bold(meanDepth(scene).toFixed(1)), ...(before[scene.label] === undefined ? [] : [`, before that ${before[scene.label].toFixed(1)}`])]), "."];
}

/** What followed from the iterations that the reader took or gave. */
function consequence(scenes, { label, position, by }) {
  const scene = scenes.find((one) => one.label === label) ?? scenes[0];
  const token = positions(scene).find((one) => one.position === position);
  const first = scene.answer.find((one) => !one.right);
  const what = by < 0 ? "One iteration less" : "One iteration more";
  const where = token ? [" at ", bold(readable(scene.answer.find((one) => one.position === position)?.name ?? token.name)), ` (${label}, now ${token.depth})`] : [];
  if (scene.correct) return [what, ...where, ": the answer stays right."];
  return [what, ...where, first ? [": the first wrong token is number ", String(first.place), ", "].join("") : ": the answer stops too early", ...(first ? [bold(readable(first.name)), "."] : ["."])];
}

/** What q and F are, and by which rule a depth came from them: shown under the chart. */
export function ruleIn(scene, threshold, token) {
  if (!scene.decider.decides) return [`This model decides nothing: every token gets ${scene.max_depth} iterations.`];
  const what = ["Bars ", italic("q(d)"), ": how likely this model holds it that ", italic("d"), " iterations are right for the token. Line ", italic("F(d)"), ": their sum so far. "];
  if (token.given) return [...what, bold("You chose this depth.")];
  if (threshold !== null) return [...what, "It halts at the first ", italic("d"), " with ", italic("F(d)"), ` ≥ ${threshold}, as you set.`];
  const rule = { mode: "It takes the likeliest depth (the mode).", mean: "It takes the mean, rounded." }[scene.decider.rule];
  const limit = scene.decider.rule === "median" ? "½ (the median)" : scene.decider.rule;
  return [...what, ...(rule ? [rule] : ["It halts at the first ", italic("d"), " with ", italic("F(d)"), ` ≥ ${limit}.`])];
}

const MEANING = {
  frontier_size: ["Frontier", (n) => `${plural(n, "node")} found by the search and not yet written`],
  dfs_depth: ["Search depth", (n) => `${n} below the query when first found`],
  out_degree: ["Arrows out", (n) => `${plural(n, "node")} ${n === 1 ? "needs" : "need"} it directly`],
  stack_height: ["Open operators", (n) => `${n} when the token arrives`],
  slots_left: ["Waiting", (n) => `${plural(n, "operand")} missing to the innermost operator`],
  completions: ["Completes", (n) => plural(n, "operator")],
};

/** Rows of what makes the token hard. */
export function difficulty(scene, token) {
  if (!token.difficulty) return [];
  if (scene.kind === "sequence") // by the names that its task gives them
    return Object.entries(token.difficulty).map(([name, value]) => [name.replaceAll("_", " "), Number.isInteger(value) ? String(value) : value.toFixed(2)]);
  return Object.entries(MEANING).filter(([name]) => Number.isFinite(token.difficulty[name])).map(([name, [title, say]]) => [title, say(token.difficulty[name])]);
}

/** What stands in plain sight before the first iteration, the question's length and the place, and whether the decider waited for more. */
export function knownBefore(scene, answered) {
  if (!answered || scene.kind !== "graph") return [];
  const text = [bold(scene.edges.length), " arrows in the question, place ", bold(answered.place), " in the answer"];
  const when = scene.decider.planned ? "; this model decided then" : "; this model looked again after each iteration";
  return [["Known before", ...text, scene.decider.decides ? when : ""]];
}

/** The line at the bottom: who computed this, and how long it took. */
export function statusOf(scenes, { live, failure }) {
  if (failure) return failure;
  const { device, milliseconds } = scenes[0];
  const total = sum(scenes.map((scene) => scene.milliseconds));
  if (milliseconds === null) return "Computed beforehand; whatever you change, the model in this page answers";
  const where = device === "page" ? "in this page" : `by the kernel on ${device === "cpu" ? "the CPU" : `the GPU (${device})`}`;
  return `Computed ${live ? "live " : ""}${where}, ${total.toFixed(0)} ms`;
}

/** What the drawing pad says. */
export const PEN_HINT = "Choose a node, then another: an arrow between them comes or goes. Or pull from node to node, or from a node into the open.";
export const cycleSentence = (names) => `That arrow would close a circle, ${names.join(" → ")}: then nothing in it could come first.`;
export const limitSentence = { most: (n) => `A graph has at most ${n} nodes.`, least: (n) => `A graph has at least ${n} nodes.`, long: (n) => `The model reads at most ${n} tokens: take an arrow away first.` };
export const emptySentence = "The query needs at least one arrow into it.";
export const irrelevantSentence = (name, heads) => `Added ${name}${heads.length ? `, which needs ${listed(heads)}` : ""}: the query does not depend on it, and the right answer stays the same.`;
