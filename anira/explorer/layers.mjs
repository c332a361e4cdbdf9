/**
 * The layers of the model in the page: attention with rotary places and a cache, feed-forward, on packed states of some positions.
 *
 *   shapesOfLayers(w, config)          of the matrices that they need room for; w: name → Float32Array
 *   new Layers(w, config, space)       of these weights, in a Workspace of arrays.mjs
 *   .embed(tokens)                     states of tokens
 *   .pass(level, x, rows, going, cache)    one layer over states x of the positions rows, in place
 *   .apart(level, x, rows, cache)      the same for positions that do not see each other's new states
 *   .speak(x)                          logits (rows, V) of states
 *
 * A cache has keys and values for each level: 0 prelude, 1..D core, D + 1 coda. States are float32, sums float64.
 */

import { rmsNorm } from "./arrays.mjs";

const BLOCK = 32; // tokens between two yields

const isUntied = (w) => "untied.0.attention_norm.weight" in w;
const namesOf = (w, D) => ["prelude", "core", ...(isUntied(w) ? Array.from({ length: D - 1 }, (_, i) => `untied.${i}`) : []), "coda"];

export const shapesOfLayers = (w, { width: E, hidden, vocabulary, max_depth }) =>
  namesOf(w, max_depth).flatMap(() => [[E, E], [2 * E, E], [E, E], [2 * hidden, E], [E, hidden]]).concat([[vocabulary, E]]);

export class Layers {
  constructor(w, config, space) {
    [this.E, this.D, this.V, this.H, this.hidden] = [config.width, config.max_depth, config.vocabulary, config.heads, config.hidden];
    const { E, hidden } = this;
    const matrix = (name, n, k, from = 0) => space.matrix(w[`${name}.weight`].subarray(from), n, k);
    const [prelude, core, ...rest] = namesOf(w, this.D).map((at) => ({
      attentionNorm: w[`${at}.attention_norm.weight`], feedForwardNorm: w[`${at}.feed_forward_norm.weight`],
      q: matrix(`${at}.attention.qkv`, E, E), kv: matrix(`${at}.attention.qkv`, 2 * E, E, E * E), out: matrix(`${at}.attention.out`, E, E),
      gateUp: matrix(`${at}.feed_forward.gate_up`, 2 * hidden, E), down: matrix(`${at}.feed_forward.down`, E, hidden),
    }));
    this.space = space;
    this.untied = isUntied(w);
    this.layers = [prelude, core, ...(this.untied ? [] : Array(this.D - 1).fill(core)), ...rest]; // by level of the cache
    this.embedding = w["embedding.weight"];
    this.norm = w["norm.weight"];
    this.unembedding = matrix("unembedding", this.V, E);
    const half = E / this.H / 2, angle = (i) => Math.floor(i / half) * 10000 ** (-(i % half) / half);
    this.cos = Float32Array.from({ length: config.max_length * half }, (_, i) => Math.cos(angle(i)));
    this.sin = Float32Array.from({ length: config.max_length * half }, (_, i) => Math.sin(angle(i)));
    this.scores = new Float64Array(config.max_length);
  }

  embed(tokens) {
    return gather([this.embedding], Int32Array.from(tokens), this.E, () => 0);
  }

  speak(x) {
    const rows = x.length / this.E, normed = new Float32Array(x.length), logits = new Float32Array(rows * this.V);
    rmsNorm(normed, x, this.norm, rows);
    this.space.multiply(logits, normed, this.unembedding, rows);
    return logits;
  }

  /**
   * One pass of the layer of this level over packed states x of the positions `rows`, in place; those that are not `going`
   * are dropped, after their final keys and values have been written into this level and the later ones of the core.
   */
  *pass(level, x, rows, going, { keys, values }) {
    const { E, D } = this, layer = this.layers[level];
    const normed = new Float32Array(rows.length * E), kv = new Float32Array(rows.length * 2 * E);
    rmsNorm(normed, x, layer.attentionNorm, rows.length);
    this.space.multiply(kv, normed, layer.kv, rows.length);
    let kept = 0;
    for (let i = 0; i < rows.length; i++) {
      const t = rows[i], goes = going[kept] === t, last = goes || level > D ? level : D;
      this.rotate(kv, i * 2 * E, t);
      for (let to = level; to <= last; to++) {
        keys[to].set(kv.subarray(i * 2 * E, (i * 2 + 1) * E), t * E);
        values[to].set(kv.subarray((i * 2 + 1) * E, (i + 1) * 2 * E), t * E);
      }
      if (!goes) continue;
      if (kept < i) {
        x.copyWithin(kept * E, i * E, (i + 1) * E);
        normed.copyWithin(kept * E, i * E, (i + 1) * E);
      }
      kept++;
    }
    for (let first = 0; first < kept; first += BLOCK) {
      const size = Math.min(BLOCK, kept - first), part = (array) => array.subarray(first * E, (first + size) * E);
      const q = new Float32Array(size * E), read = new Float32Array(size * E);
      this.space.multiply(q, part(normed), layer.q, size);
      for (let i = 0; i < size; i++) {
        this.rotate(q, i * E, going[first + i]);
        this.attend(read, q, i * E, keys[level], values[level], going[first + i]);
      }
      this.finish(layer, part(x), read, size);
      yield;
    }
  }

  /** x + out(read), then + its feed-forward block. */
  finish(layer, x, read, rows) {
    const { E, hidden } = this;
    const normed = new Float32Array(rows * E), inner = new Float32Array(rows * 2 * hidden), gated = new Float32Array(rows * hidden);
    this.space.multiply(normed, read, layer.out, rows);
    for (let i = 0; i < x.length; i++) x[i] += normed[i];
    rmsNorm(normed, x, layer.feedForwardNorm, rows);
    this.space.multiply(inner, normed, layer.gateUp, rows);
    for (let row = 0; row < rows; row++)
      for (let i = 0, at = row * 2 * hidden; i < hidden; i++) gated[row * hidden + i] = (inner[at + i] / (1 + Math.exp(-inner[at + i]))) * inner[at + hidden + i];
    this.space.multiply(normed, gated, layer.down, rows);
    for (let i = 0; i < x.length; i++) x[i] += normed[i];
  }

  /** Turn the pairs (i, i + d/2) of every head of x[at … at + E) by the rotary angles of a position. */
  rotate(x, at, position) {
    const { E, H } = this, half = E / H / 2;
    for (let i = 0; i < half; i++) {
      const cos = this.cos[position * half + i], sin = this.sin[position * half + i];
      for (let a = at + i; a < at + E; a += 2 * half) {
        const left = x[a], right = x[a + half];
        x[a] = left * cos - right * sin;
        x[a + half] = left * sin + right * cos;
      }
    }
  }

  /** What the query q[at … at + E) of a position reads from the positions up to its own, into out at the same place. */
  attend(out, q, at, keys, values, position) {
    const { E, H } = this, d = E / H, { scores } = this;
    for (let head = 0; head < E; head += d) {
      let largest = -Infinity, total = 0;
      for (let t = 0, k = head; t <= position; t++, k += E) {
        let score = 0;
        for (let i = 0; i < d; i++) score += q[at + head + i] * keys[k + i];
        scores[t] = score /= Math.sqrt(d);
        if (score > largest) largest = score;
      }
      for (let t = 0; t <= position; t++) total += scores[t] = Math.exp(scores[t] - largest);
      for (let t = 0, v = head; t <= position; t++, v += E) {
        const weight = scores[t] / total;
        for (let i = 0; i < d; i++) out[at + head + i] += weight * values[v + i];
      }
    }
  }

  /** `pass` for positions that do not see each other's new states: each reads itself, and the others from the cache. */
  *apart(level, x, rows, { keys, values }) {
    const { E } = this, layer = this.layers[level], n = rows.length;
    const normed = new Float32Array(n * E), q = new Float32Array(n * E), kv = new Float32Array(n * 2 * E), read = new Float32Array(n * E);
    rmsNorm(normed, x, layer.attentionNorm, n);
    this.space.multiply(q, normed, layer.q, n);
    this.space.multiply(kv, normed, layer.kv, n);
    rows.forEach((t, i) => {
      this.rotate(q, i * E, t);
      this.rotate(kv, i * 2 * E, t);
      const [key, value] = [keys, values].map((cache) => cache[level].slice(t * E, (t + 1) * E));
      keys[level].set(kv.subarray(i * 2 * E, (i * 2 + 1) * E), t * E);
      values[level].set(kv.subarray((i * 2 + 1) * E, (i + 1) * 2 * E), t * E);
      this.attend(read, q, i * E, keys[level], values[level], t);
      keys[level].set(key, t * E);
      values[level].set(value, t * E);
    });
    this.finish(layer, x, read, n);
    yield;
  }

}

/** The states of some positions, packed; `level(position)` says after which iteration. */
export function gather(states, rows, E, level) {
  const x = new Float32Array(rows.length * E);
  rows.forEach((t, i) => x.set(states[level(t)].subarray(t * E, (t + 1) * E), i * E));
  return x;
}
