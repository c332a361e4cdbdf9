/**
 * The model itself in the page: prelude, core token by token, coda, by hand on typed arrays.
 *
 *   loadModel(packed)   a model of what `anira/explorer/weights.py` packs:
 *                       { name, config, decides, task, names, end_token, answer_length, rule, tensors: [[name, shape, step, offset]], data }
 *   loadSteps(packed)   a generator that returns the same, for a page that goes on with it between its frames
 *
 *   model.own           the model's own stopping rule; model.max_depth is D, model.names its vocabulary, model.encode(names) ids
 *   model.run(tokens, options)       one full pass over tokens
 *   model.answer(prompt, options)    greedy decoding: the prompt is read once, then one token after the other
 *       options.rule       "mode", "median", "mean" or a threshold on F(d) in (0, 1]; by default model.own
 *       options.depths     instead of the decider's choice: one number for all, or an array (a Map) with a number for some positions
 *       options.maxTokens, options.endToken   of an answer; by default the task's
 *       → { tokens, answer, depths, exitProbs, logits, predictions, computed, sequence }, position t reads token t and
 *         predicts token t + 1: depths (T), exitProbs (T·D), logits (T·V), predictions (T) the likeliest tokens,
 *         computed: token-iterations of the core that were executed, answer: the generated tokens (of `answer` only)
 *   model.overDepth(sequence, from)  what the coda says after iterations 1..D, every token's depth clamped at d
 *   model.alone(sequence, from)      what it says when one token alone takes depth 1..D, the others as they are
 *       → D arrays, each with the predictions at the positions from, from + 1, …
 *   model.need(sequence, from, right)    the first depth from which on `alone` stays right, per position; 0 where D is not right
 *
 * Each of run, answer, overDepth, alone, need has a generator, `model.steps.run(…)` and so on, that yields between pieces
 * of a few milliseconds and returns the same; a page that goes on with them between its frames is never blocked.
 *
 * Execution is sparse and equal to anira/model/sparse.py: a halted token is not computed, its final keys and values are
 * written once, into every later level of the cache, so that iteration d sees h(min(d - 1, d*)). States are float32, sums float64.
 */

import { Workspace, layerNorm, likeliest, logSumExp, rmsNorm, softmax, unpackTensor } from "./arrays.mjs";

const BLOCK = 32; // tokens between two yields

/** The depth that a rule takes from the distribution exitProbs[at … at + D), with float32's rounding as PyTorch has it. */
function depthByRule(exitProbs, at, D, rule) {
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

function drain(generator) {
  for (;;) {
    const { done, value } = generator.next();
    if (done) return value;
  }
}

/** Tokens that have been read, and all that the model keeps of them. Levels of the cache: 0 prelude, 1..D core, D + 1 coda. */
class Sequence {
  constructor(model, capacity) {
    const { E, D, V } = model;
    const levels = (count, size) => Array.from({ length: count }, () => new Float32Array(size));
    this.length = 0;
    this.tokens = new Int32Array(capacity);
    this.keys = levels(D + 2, capacity * E);
    this.values = levels(D + 2, capacity * E);
    this.states = levels(D + 1, capacity * E); // h(d); that of a token ends at its depth
    this.depths = new Uint8Array(capacity);
    this.exitProbs = new Float32Array(capacity * D);
    this.logits = new Float32Array(capacity * V);
    this.computed = 0;
  }
}

class PageModel {
  constructor(packed, w) {
    const { config } = packed;
    Object.assign(this, { name: packed.name, config, task: packed.task, names: packed.names, own: packed.rule, max_depth: config.max_depth });
    Object.assign(this, { endToken: packed.end_token, answerLength: packed.answer_length });
    [this.E, this.D, this.V, this.H] = [config.width, config.max_depth, config.vocabulary, config.heads];
    const { E } = this, { hidden, decider_hidden } = config;
    this.untied = "untied.0.attention_norm.weight" in w;
    const layers = ["prelude", "core", ...(this.untied ? Array.from({ length: this.D - 1 }, (_, i) => `untied.${i}`) : []), "coda"];
    const heads = { fixed: {}, early: { prior: "head" }, online: { evidence: "head" }, hybrid: { prior: "prior", evidence: "evidence" } }[packed.decides];
    const outputs = (head) => w[`decider.${head}.3.bias`].length;
    const shapes = layers.flatMap(() => [[E, E], [2 * E, E], [E, E], [2 * hidden, E], [E, hidden]]).concat([[this.V, E]]);
    this.space = new Workspace(shapes.concat(Object.values(heads).flatMap((head) => [[decider_hidden, E], [outputs(head), decider_hidden]])));
    const matrix = (name, n, k, from = 0) => this.space.matrix(w[`${name}.weight`].subarray(from), n, k);
    const [prelude, core, ...rest] = layers.map((at) => ({
      attentionNorm: w[`${at}.attention_norm.weight`], feedForwardNorm: w[`${at}.feed_forward_norm.weight`],
      q: matrix(`${at}.attention.qkv`, E, E), kv: matrix(`${at}.attention.qkv`, 2 * E, E, E * E), out: matrix(`${at}.attention.out`, E, E),
      gateUp: matrix(`${at}.feed_forward.gate_up`, 2 * hidden, E), down: matrix(`${at}.feed_forward.down`, E, hidden),
    }));
    this.layers = [prelude, core, ...(this.untied ? [] : Array(this.D - 1).fill(core)), ...rest]; // by level of the cache
    this.embedding = w["embedding.weight"];
    this.norm = w["norm.weight"];
    this.unembedding = matrix("unembedding", this.V, E);
    for (const [role, head] of Object.entries(heads)) // prior: of the depths, from the prelude's state; evidence: to halt, from each new state
      this[role] = {
        weight: w[`decider.${head}.0.weight`], bias: w[`decider.${head}.0.bias`], outerBias: w[`decider.${head}.3.bias`],
        inner: matrix(`decider.${head}.1`, decider_hidden, E), outer: matrix(`decider.${head}.3`, outputs(head), decider_hidden),
      };
    const half = E / this.H / 2, angle = (i) => Math.floor(i / half) * 10000 ** (-(i % half) / half);
    this.cos = Float32Array.from({ length: config.max_length * half }, (_, i) => Math.cos(angle(i)));
    this.sin = Float32Array.from({ length: config.max_length * half }, (_, i) => Math.sin(angle(i)));
    this.scores = new Float64Array(config.max_length);
    this.steps = {
      run: (tokens, options) => this.#run(tokens, options), answer: (prompt, options) => this.#answer(prompt, options),
      overDepth: (sequence, from) => this.#overDepth(sequence, from), alone: (sequence, from) => this.#alone(sequence, from),
      need: (sequence, from, right) => this.#need(sequence, from, right),
    };
  }

  run(tokens, options) { return drain(this.#run(tokens, options)); }
  answer(prompt, options) { return drain(this.#answer(prompt, options)); }
  overDepth(sequence, from) { return drain(this.#overDepth(sequence, from)); }
  alone(sequence, from) { return drain(this.#alone(sequence, from)); }
  need(sequence, from, right) { return drain(this.#need(sequence, from, right)); }

  /** Ids of token names. */
  encode(names) {
    return names.map((name) => {
      const id = this.names.indexOf(name);
      if (id < 0) throw new RangeError(`Unknown token ${name}. This vocabulary has ${this.names.join(", ")}.`);
      return id;
    });
  }

  *#run(tokens, options = {}) {
    const reader = this.#reader(tokens, tokens.length, options);
    yield* reader.read(tokens);
    return this.#output(reader.sequence);
  }

  *#answer(prompt, options = {}) {
    const room = this.config.max_length - prompt.length + 1;
    const most = Math.max(1, Math.min(options.maxTokens ?? this.answerLength ?? room, room));
    const end = options.endToken ?? this.endToken;
    const reader = this.#reader(prompt, prompt.length + most - 1, options);
    const { sequence } = reader;
    const answer = [];
    for (let tokens = prompt; ; tokens = answer.slice(-1)) {
      yield* reader.read(tokens);
      answer.push(likeliest(sequence.logits, (sequence.length - 1) * this.V, this.V));
      if (answer.at(-1) === end || answer.length === most) return { ...this.#output(sequence), answer };
    }
  }

  #output(sequence) {
    const { D, V } = this, T = sequence.length;
    const predictions = Array.from({ length: T }, (_, t) => likeliest(sequence.logits, t * V, V));
    return {
      tokens: [...sequence.tokens.subarray(0, T)], depths: [...sequence.depths.subarray(0, T)], exitProbs: sequence.exitProbs.subarray(0, T * D),
      logits: sequence.logits.subarray(0, T * V), predictions, computed: sequence.computed, sequence,
    };
  }

  /** What reads tokens into a sequence under these options: a generator function `read`, and the sequence. */
  #reader(tokens, capacity, { rule, threshold, depths } = {}) {
    rule = rule ?? threshold ?? this.own;
    if (!["mode", "median", "mean"].includes(rule) && !(typeof rule === "number" && rule > 0 && rule <= 1))
      throw new RangeError(`A stopping rule is mode, median, mean or a threshold in (0, 1] on F(d), received ${rule}.`);
    if (!tokens.length || capacity > this.config.max_length)
      throw new RangeError(`This model takes 1 to ${this.config.max_length} tokens, received ${tokens.length ? capacity : 0}.`);
    const wrong = [...tokens].find((token) => !(Number.isInteger(token) && token >= 0 && token < this.V));
    if (wrong !== undefined) throw new RangeError(`Token ids must lie in 0..${this.V - 1}, received ${wrong}.`);
    const given = typeof depths === "number" ? () => depths : depths instanceof Map ? (t) => depths.get(t) : (t) => depths?.[t];
    const least = this.untied ? this.D : 1;
    const checked = (t) => {
      const depth = given(t) ?? 0;
      if (depth && !(Number.isInteger(depth) && depth >= least && depth <= this.D))
        throw new RangeError(`Given depths are whole numbers ${least} to ${this.D}, received ${depth}.`);
      return depth;
    };
    const sequence = new Sequence(this, capacity);
    // a decider that looks at each new state knows its whole distribution only after D iterations: a second sequence holds that pass
    const whole = this.evidence && (rule === "mode" || rule === "mean") && typeof depths !== "number" ? new Sequence(this, capacity) : null;
    const model = this;
    return {
      sequence,
      *read(more) {
        if (!whole) return yield* model.#read(sequence, more, rule, checked);
        const from = sequence.length, { D } = model;
        yield* model.#read(whole, more, rule, () => D);
        yield* model.#read(sequence, more, rule, (t) => checked(t) || depthByRule(whole.exitProbs, t * D, D, rule));
        sequence.exitProbs.set(whole.exitProbs.subarray(from * D, sequence.length * D), from * D);
      },
    };
  }

  /** Read more tokens into a sequence; `given(position)` is a depth from outside, or 0. */
  *#read(sequence, more, rule, given) {
    const { E, D, layers } = this;
    const from = sequence.length, count = more.length;
    let rows = range(from, from + count); // the positions that compute
    sequence.tokens.set(more, from);
    sequence.length += count;
    const x = gather([this.embedding], Int32Array.from(more), E, () => 0); // their states, packed
    yield* this.#layer(0, x, rows, rows, sequence);
    this.#keep(sequence, 0, x, rows);
    const decision = this.#decide(sequence, from, x, rule, given);
    for (let d = 1; d <= D; d++) {
      const going = rows.filter((t) => decision.active(t, d));
      yield* this.#layer(d, x, rows, going, sequence);
      rows = going;
      sequence.computed += rows.length;
      this.#keep(sequence, d, x, rows);
      decision.observe(d, x, rows);
    }
    rows = range(from, from + count);
    const last = gather(sequence.states, rows, E, (t) => sequence.depths[t]);
    yield* this.#layer(D + 1, last, rows, rows, sequence);
    this.#speak(sequence.logits.subarray(from * this.V), last, count);
  }

  #keep(sequence, d, x, rows) {
    rows.forEach((t, i) => sequence.states[d].set(x.subarray(i * this.E, (i + 1) * this.E), t * this.E));
  }

  #speak(logits, x, rows) {
    const normed = new Float32Array(rows * this.E), out = new Float32Array(rows * this.V);
    rmsNorm(normed, x, this.norm, rows);
    this.space.multiply(out, normed, this.unembedding, rows);
    logits.set(out);
  }

  /**
   * One pass of the layer of this level over packed states x of the positions `rows`, in place; those that are not `going`
   * are dropped, after their final keys and values have been written into this level and the later ones of the core.
   */
  *#layer(level, x, rows, going, { keys, values }) {
    const { E, D } = this, layer = this.layers[level];
    const normed = new Float32Array(rows.length * E), kv = new Float32Array(rows.length * 2 * E);
    rmsNorm(normed, x, layer.attentionNorm, rows.length);
    this.space.multiply(kv, normed, layer.kv, rows.length);
    let kept = 0;
    for (let i = 0; i < rows.length; i++) {
      const t = rows[i], goes = going[kept] === t, last = goes || level > D ? level : D;
      this.#rotate(kv, i * 2 * E, t);
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
        this.#rotate(q, i * E, going[first + i]);
        this.#attend(read, q, i * E, keys[level], values[level], going[first + i]);
      }
      this.#finish(layer, part(x), read, size);
      yield;
    }
  }

  /** x + out(read), then + its feed-forward block. */
  #finish(layer, x, read, rows) {
    const { E } = this, { hidden } = this.config;
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
  #rotate(x, at, position) {
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
  #attend(out, q, at, keys, values, position) {
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
  #decide(sequence, from, x, rule, given) {
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

  *#overDepth(sequence, from) {
    const { E, D } = this, { length, depths, states } = sequence;
    const keys = { [D + 1]: new Float32Array(length * E) }, values = { [D + 1]: new Float32Array(length * E) };
    const before = range(0, from), rows = range(from, length), said = [];
    for (let d = 1; d <= D; d++) {
      const changed = before.filter((t) => depths[t] >= d);
      yield* this.#layer(D + 1, gather(states, changed, E, () => d), changed, range(0, 0), { keys, values });
      const x = gather(states, rows, E, (t) => Math.min(d, depths[t]));
      yield* this.#layer(D + 1, x, rows, rows, { keys, values });
      said.push(this.#predict(x));
    }
    return said;
  }

  *#alone(sequence, from) {
    const { E, D } = this, rows = range(from, sequence.length), said = [];
    const x = gather(sequence.states, rows, E, () => 0);
    for (let d = 1; d <= D; d++) {
      yield* this.#apart(d, x, rows, sequence);
      const y = x.slice();
      yield* this.#apart(D + 1, y, rows, sequence);
      said.push(this.#predict(y));
    }
    return said;
  }

  *#need(sequence, from, right) {
    const said = yield* this.#alone(sequence, from);
    return Array.from(right, (token, i) => {
      let depth = this.D;
      while (depth && said[depth - 1][i] === token) depth--;
      return depth === this.D ? 0 : depth + 1;
    });
  }

  /** `#layer` for positions that do not see each other's new states: each reads itself, and the others from the cache. */
  *#apart(level, x, rows, { keys, values }) {
    const { E } = this, layer = this.layers[level], n = rows.length;
    const normed = new Float32Array(n * E), q = new Float32Array(n * E), kv = new Float32Array(n * 2 * E), read = new Float32Array(n * E);
    rmsNorm(normed, x, layer.attentionNorm, n);
    this.space.multiply(q, normed, layer.q, n);
    this.space.multiply(kv, normed, layer.kv, n);
    rows.forEach((t, i) => {
      this.#rotate(q, i * E, t);
      this.#rotate(kv, i * 2 * E, t);
      const [key, value] = [keys, values].map((cache) => cache[level].slice(t * E, (t + 1) * E));
      keys[level].set(kv.subarray(i * 2 * E, (i * 2 + 1) * E), t * E);
      values[level].set(kv.subarray((i * 2 + 1) * E, (i + 1) * 2 * E), t * E);
      this.#attend(read, q, i * E, keys[level], values[level], t);
      keys[level].set(key, t * E);
      values[level].set(value, t * E);
    });
    this.#finish(layer, x, read, n);
    yield;
  }

  #predict(x) {
    const rows = x.length / this.E, logits = new Float32Array(rows * this.V);
    this.#speak(logits, x, rows);
    return Array.from({ length: rows }, (_, i) => likeliest(logits, i * this.V, this.V));
  }
}

const range = (from, to) => Int32Array.from({ length: to - from }, (_, i) => from + i);

/** The states of some positions, packed; `level(position)` says after which iteration. */
function gather(states, rows, E, level) {
  const x = new Float32Array(rows.length * E);
  rows.forEach((t, i) => x.set(states[level(t)].subarray(t * E, (t + 1) * E), i * E));
  return x;
}

/** `loadModel` in steps of a few milliseconds. */
export function* loadSteps(packed) {
  const text = atob(packed.data), weights = {};
  for (const [name, ...where] of packed.tensors) {
    weights[name] = unpackTensor(text, ...where);
    yield;
  }
  return new PageModel(packed, weights);
}

export function loadModel(packed) {
  return drain(loadSteps(packed));
}
