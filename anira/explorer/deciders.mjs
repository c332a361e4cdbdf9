/**
 * Who decides in the page: the heads of early, online and hybrid, and the depth that a stopping rule takes of their exit probabilities.
 *
 *   shapesOfHeads(decides, w, config)        of the matrices that they need room for; w: name → Float32Array
 *   new Decider(decides, w, config, space)   `decides` as in a packed model; has `prior` and `evidence`, each if there is such a head
 *   .begin(sequence, from, x, rule, given)   a run over the positions from, from + 1, … whose prelude's states are x
 *   depthByRule(exitProbs, at, D, rule)
 */

import { layerNorm, likeliest, logSumExp, softmax } from "./arrays.mjs";

const HEADS = { fixed: {}, early: { prior: "head" }, online: { evidence: "head" }, hybrid: { prior: "prior", evidence: "evidence" } };
const outputsOf = (w, head) => w[`decider.${head}.3.bias`].length;

export const shapesOfHeads = (decides, w, { width, decider_hidden }) =>
  Object.values(HEADS[decides]).flatMap((head) => [[decider_hidden, width], [outputsOf(w, head), decider_hidden]]);

/** The depth that a rule takes from the distribution exitProbs[at … at + D), with float32's rounding as PyTorch has it. */
export function depthByRule(exitProbs, at, D, rule) {
  if (rule === "mode") return likeliest(exitProbs, at, D) + 1;
  let sum = 0;
  if (rule === "mean") {
    for (let d = 1; d <= D; d++) sum += d * exitProbs[at + d - 1];
    const mean = Math.fround(sum), whole = Math.floor(mean);
    const rounded = mean - whole === 0.5 ? whole + (whole % 2) : Math.round(mean);
    return Math.min(D, Math.max(1, rounded));
  }
  const threshold = Math.fround(rule === "median" ? 0.5 : rule);
  let depth = 1;
  for (let d = 1; d < D; d++) {
    sum += exitProbs[at + d - 1];
    if (Math.fround(sum) < threshold) depth = d + 1;
  }
  return depth;
}

export class Decider {
  constructor(decides, w, { width, max_depth, decider_hidden }, space) {
    [this.E, this.D, this.space] = [width, max_depth, space];
    const matrix = (name, n, k) => space.matrix(w[`${name}.weight`], n, k);
    for (const [role, head] of Object.entries(HEADS[decides])) // prior: of the depths, from the prelude's state; evidence: to halt, from each new state
      this[role] = {
        weight: w[`decider.${head}.0.weight`], bias: w[`decider.${head}.0.bias`], outerBias: w[`decider.${head}.3.bias`],
        inner: matrix(`decider.${head}.1`, decider_hidden, width), outer: matrix(`decider.${head}.3`, outputsOf(w, head), decider_hidden),
      };
  }

  /** What a head of the decider says of packed states x, (rows, outputs). */
  #ask(head, x, rows) {
    const hidden = head.inner.n, outputs = head.outer.n;
    const normed = new Float32Array(rows * this.E), inner = new Float32Array(rows * hidden), out = new Float32Array(rows * outputs);
    layerNorm(normed, x, head.weight, head.bias, rows);
    this.space.multiply(inner, normed, head.inner, rows);
    for (let i = 0; i < inner.length; i++) inner[i] /= 1 + Math.exp(-inner[i]);
    this.space.multiply(out, inner, head.outer, rows);
    for (let i = 0; i < out.length; i++) out[i] += head.outerBias[i % outputs];
    return out;
  }

  /** The run of the decider over positions from, …, whose prelude's states are x: who is active in iteration d, and what it learns from each new state. */
  begin(sequence, from, x, rule, given) {
    const { D } = this, { depths, exitProbs } = sequence, count = x.length / this.E, { fround } = Math;
    const prior = this.prior && this.#ask(this.prior, x, count);
    if (!this.evidence) {
      for (let i = 0; i < count; i++) {
        const t = from + i;
        if (prior) softmax(exitProbs.subarray(t * D, (t + 1) * D), prior.subarray(i * D, (i + 1) * D));
        else exitProbs[(t + 1) * D - 1] = 1;
        depths[t] = given(t) || depthByRule(exitProbs, t * D, D, rule);
      }
      return { active: (t, d) => depths[t] >= d, observe() {} };
    }
    const threshold = fround(typeof rule === "number" ? rule : 0.5);
    const logit = new Float32Array(count), mass = new Float32Array(count), survival = new Float32Array(count).fill(1);
    return {
      active: (t, d) => (given(t) ? d <= given(t) : d === 1 || mass[t - from] < threshold),
      observe: (d, x, rows) => {
        rows.forEach((t) => (depths[t] = d));
        if (d < D && rows.length) this.#ask(this.evidence, x, rows.length).forEach((value, i) => (logit[rows[i] - from] = value));
        for (let i = 0; i < count; i++) {
          const before = prior ? fround(prior[i * D + d - 1] - logSumExp(prior.subarray(i * D + d, (i + 1) * D))) : 0; // logit of halting, a priori
          const halt = fround(1 / (1 + Math.exp(-fround(logit[i] + before))));
          exitProbs[(from + i) * D + d - 1] = d < D ? survival[i] * halt : survival[i];
          mass[i] += exitProbs[(from + i) * D + d - 1];
          survival[i] *= fround(1 - halt);
        }
      },
    };
  }
}
