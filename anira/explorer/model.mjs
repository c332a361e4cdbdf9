/**
 * The model itself in the page: prelude, core token by token, coda, by hand on typed arrays. `layers.mjs` has the layers and
 * `deciders.mjs` who decides; here it reads, answers, and says what other depths would have said.
 *
 *   loadModel(packed)   a model of what `anira/explorer/weights.py` packs:
 *                       { name, config, decides, names, end_token, answer_length, rule, tensors: [[name, shape, step, offset]], data }
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

import { Workspace, likeliest, unpackTensor } from "./arrays.mjs";
import { Decider, depthByRule, shapesOfHeads } from "./deciders.mjs";
import { Layers, gather, shapesOfLayers } from "./layers.mjs";

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
    Object.assign(this, { name: packed.name, config, names: packed.names, own: packed.rule, max_depth: config.max_depth });
    Object.assign(this, { endToken: packed.end_token, answerLength: packed.answer_length });
    [this.E, this.D, this.V] = [config.width, config.max_depth, config.vocabulary];
    const space = new Workspace([...shapesOfLayers(w, config), ...shapesOfHeads(packed.decides, w, config)]);
    this.layers = new Layers(w, config, space);
    this.decider = new Decider(packed.decides, w, config, space);
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
    const least = this.layers.untied ? this.D : 1;
    const checked = (t) => {
      const depth = given(t) ?? 0;
      if (depth && !(Number.isInteger(depth) && depth >= least && depth <= this.D))
        throw new RangeError(`Given depths are whole numbers ${least} to ${this.D}, received ${depth}.`);
      return depth;
    };
    const sequence = new Sequence(this, capacity);
    // a decider that looks at each new state knows its whole distribution only after D iterations: a second sequence holds that pass
    const whole = this.decider.evidence && (rule === "mode" || rule === "mean") && typeof depths !== "number" ? new Sequence(this, capacity) : null;
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
    const { E, D } = this;
    const from = sequence.length, count = more.length;
    let rows = range(from, from + count); // the positions that compute
    sequence.tokens.set(more, from);
    sequence.length += count;
    const x = this.layers.embed(more); // their states, packed
    yield* this.layers.pass(0, x, rows, rows, sequence);
    this.#keep(sequence, 0, x, rows);
    const decision = this.decider.begin(sequence, from, x, rule, given);
    for (let d = 1; d <= D; d++) {
      const going = rows.filter((t) => decision.active(t, d));
      yield* this.layers.pass(d, x, rows, going, sequence);
      rows = going;
      sequence.computed += rows.length;
      this.#keep(sequence, d, x, rows);
      decision.observe(d, x, rows);
    }
    rows = range(from, from + count);
    const last = gather(sequence.states, rows, E, (t) => sequence.depths[t]);
    yield* this.layers.pass(D + 1, last, rows, rows, sequence);
    sequence.logits.set(this.layers.speak(last), from * this.V);
  }

  #keep(sequence, d, x, rows) {
    rows.forEach((t, i) => sequence.states[d].set(x.subarray(i * this.E, (i + 1) * this.E), t * this.E));
  }

  *#overDepth(sequence, from) {
    const { E, D } = this, { length, depths, states } = sequence;
    const keys = { [D + 1]: new Float32Array(length * E) }, values = { [D + 1]: new Float32Array(length * E) };
    const before = range(0, from), rows = range(from, length), said = [];
    for (let d = 1; d <= D; d++) {
      const changed = before.filter((t) => depths[t] >= d);
      yield* this.layers.pass(D + 1, gather(states, changed, E, () => d), changed, range(0, 0), { keys, values });
      const x = gather(states, rows, E, (t) => Math.min(d, depths[t]));
      yield* this.layers.pass(D + 1, x, rows, rows, { keys, values });
      said.push(this.#predict(x));
    }
    return said;
  }

  *#alone(sequence, from) {
    const { E, D } = this, rows = range(from, sequence.length), said = [];
    const x = gather(sequence.states, rows, E, () => 0);
    for (let d = 1; d <= D; d++) {
      yield* this.layers.apart(d, x, rows, sequence);
      const y = x.slice();
      yield* this.layers.apart(D + 1, y, rows, sequence);
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

  #predict(x) {
    const logits = this.layers.speak(x);
    return Array.from({ length: x.length / this.E }, (_, i) => likeliest(logits, i * this.V, this.V));
  }
}

const range = (from, to) => Int32Array.from({ length: to - from }, (_, i) => from + i);

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
