/**
 * The halting explorer: a graph, a model's answer, and the iterations that each token took.
 *
 *   mount(element, source)      draws into the element and returns a function that takes it down again
 *   liveSource(model)           scenes computed by a kernel, through the traits of an anywidget model
 *   recordedSource(recording)   scenes from a recording (its format: anira/explorer/recording.py)
 *
 * A source has `options` (what the controls offer), `choice()`, `scene()`, `choose(change)` and
 * `subscribe(listener)`. A scene is the plain data of anira/explorer/scene.py. The one subtlety is alignment:
 * position p of the sequence reads a token and predicts the next, so prompt token p and answer token
 * p - prompt.length + 1 show the depth of the same position.
 */

const SVG = "http://www.w3.org/2000/svg";
const VIEW = { width: 420, height: 300, left: 26, top: 26, bottom: 40 }; // of the graph, in its own units
const RADIUS = { least: 12, most: 17 };
const STEP_MS = 650; // between iterations while playing

// ---------------------------------------------------------------- sources

export function liveSource(model) {
  const names = ["nodes", "graph", "decider", "threshold"];
  return {
    live: true,
    options: model.get("options"),
    choice: () => Object.fromEntries(names.map((name) => [name, model.get(name)])),
    scene: () => model.get("scene"),
    choose(change) {
      for (const [name, value] of Object.entries(change)) model.set(name, value);
      model.save_changes(); // while the kernel computes, the widget manager merges further moves into one
    },
    subscribe(listener) {
      const events = ["scene", ...names].map((name) => `change:${name}`);
      for (const event of events) model.on(event, listener);
      return () => events.forEach((event) => model.off(event, listener));
    },
  };
}

export function recordedSource(recording, wish = {}) {
  const { sizes, thresholds, graphs } = recording;
  const deciders = Object.keys(recording.runs);
  const choice = { nodes: 6, graph: 1, decider: deciders.at(-1), threshold: 0.5, ...wish };
  choice.nodes = nearest(sizes, choice.nodes);
  choice.threshold = nearest(thresholds, choice.threshold);
  choice.graph = wrap(choice.graph, graphs);
  if (!deciders.includes(choice.decider)) choice.decider = deciders.at(-1);
  const listeners = new Set();
  let scene = decode(recording, choice);
  return {
    live: false,
    options: { sizes, trained: sizes, thresholds, deciders, graphs },
    choice: () => choice,
    scene: () => scene,
    choose(change) {
      Object.assign(choice, change);
      scene = decode(recording, choice);
      listeners.forEach((listener) => listener());
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** The scene that a recording holds for a choice. */
export function decode(recording, choice) {
  const size = recording.sizes.indexOf(choice.nodes);
  const instance = recording.instances[size][choice.graph - 1];
  const threshold = recording.thresholds.indexOf(choice.threshold);
  const [answerText, depths, probs] = recording.runs[choice.decider][size][choice.graph - 1][threshold];
  const names = instance.prompt.split(" ");
  const expected = instance.expected.split(" ");
  const D = recording.max_depth;
  const at = (position) => ({
    depth: parseInt(depths[position], 36),
    exit_probs: Array.from({ length: D }, (_, d) => {
      const i = 2 * (position * D + d);
      return (64 * ALPHABET.indexOf(probs[i]) + ALPHABET.indexOf(probs[i + 1])) / 4095;
    }),
  });
  const last = names.length - 1;
  const role = (i) => (i === 0 ? "start" : i === last - 1 ? "query" : i >= last - 2 ? "mark" : i % 2 ? "from" : "to");
  const edges = [];
  for (let i = 1; i < last - 2; i += 2) edges.push([names[i], names[i + 1].replace("→", "")]);
  const answer = answerText.split(" ").map((name, i) => ({
    name,
    role: name === expected.at(-1) ? "end" : "answer",
    right: name === expected[i],
    ...at(last + i),
  }));
  return {
    size: instance.size,
    decider: choice.decider,
    max_depth: D,
    nodes: instance.nodes.map(([name, x, y]) => ({ name, x, y, query: name === names[last - 1] })),
    edges,
    prompt: names.map((name, i) => ({ name, role: role(i), ...at(i) })),
    answer,
    expected,
    correct: answerText === instance.expected,
    choice: { ...choice },
  };
}

/** Graphs are counted 1..graphs, and after the last comes the first. */
const wrap = (graph, graphs) => ((((graph - 1) % graphs) + graphs) % graphs) + 1;

const nearest = (values, wish) => values.reduce((a, b) => (Math.abs(b - wish) < Math.abs(a - wish) ? b : a));

// ---------------------------------------------------------------- small helpers

function node(tag, attributes = {}, ...children) {
  const svg = ["svg", "g", "path", "circle", "rect", "line", "text", "title"].includes(tag);
  const made = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** `<eos>` is a name for the model; readers see the word. */
const readable = (name) => ({ "<bos>": "start", "<query>": "query", "<answer>": "answer", "<eos>": "end", "<pad>": "pad" })[name] ?? name;
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const ordinal = (n) => n + (["th", "st", "nd", "rd"][n % 100 > 10 && n % 100 < 14 ? 0 : n % 10] ?? "th");
const sum = (values) => values.reduce((a, b) => a + b, 0);

/** Colours of the depths 1..D as custom properties, mixed from three theme colours. */
function paintRamp(root, D) {
  for (let d = 1; d <= D; d++) {
    const t = D === 1 ? 1 : (d - 1) / (D - 1);
    const [from, to, share] = t < 0.5 ? ["shallow", "middle", 2 * t] : ["middle", "deep", 2 * t - 1];
    root.style.setProperty(`--ax-depth-${d}`, `color-mix(in oklab, var(--ax-${from}), var(--ax-${to}) ${Math.round(share * 100)}%)`);
    root.style.setProperty(`--ax-ink-${d}`, `light-dark(${t > 0.5 ? "#fff" : "#17171c"}, ${t < 0.3 ? "#fff" : "#17171c"})`);
  }
}

// ---------------------------------------------------------------- the explorer

export function mount(element, source) {
  const root = node("section", { class: "anira-explorer", "aria-label": "Halting explorer", "data-lm-suppress-shortcuts": "true" });
  element.append(root);
  // A key pressed in here must neither turn the page nor be a notebook's shortcut ("a" inserts a cell).
  root.addEventListener("keydown", (event) => event.ctrlKey || event.metaKey || event.stopPropagation());

  let scene = source.scene();
  let iteration = Infinity; // the one being looked at; Infinity: all are done
  let pinned = null; // position whose token the reader chose
  let hovered = null; // position under the pointer or the focus
  let timer = null;

  const controls = Controls(source);
  const story = node("p", { class: "ax-story", "aria-live": "polite" });
  const graph = GraphView(point);
  const answer = AnswerView(point);
  const chart = ChartView();
  const scrub = ScrubView({ seek, play });
  const prompt = PromptView(point);
  const status = node("span", { class: "ax-status" });
  const legend = node("span", { class: "ax-legend" });
  root.append(
    controls.element,
    story,
    node("div", { class: "ax-stage" }, graph.element, node("div", { class: "ax-side" }, answer.element, chart.element)),
    node("div", { class: "ax-sequence" }, scrub.element, prompt.element),
    node("footer", { class: "ax-footer" }, legend, status),
  );

  /** Pointer or focus on a position (null: left it); a click or the keyboard pins it. */
  function point(position, pin = false) {
    hovered = position;
    if (pin) pinned = position;
    paint();
  }

  function seek(value) {
    stop();
    iteration = value > scene.max_depth ? Infinity : value;
    paint();
  }

  function stop() {
    clearInterval(timer);
    timer = null;
  }

  function play() {
    if (timer) return stop(), paint();
    iteration = 1;
    timer = setInterval(() => {
      iteration = iteration >= scene.max_depth ? Infinity : iteration + 1;
      if (iteration === Infinity) stop();
      paint();
    }, STEP_MS);
    paint();
  }

  function update() {
    const before = scene;
    scene = source.scene();
    controls.update();
    if (scene === before) return;
    if (scene.choice.nodes !== before.choice.nodes || scene.choice.graph !== before.choice.graph) pinned = hovered = null;
    const positions = scene.prompt.length + scene.answer.length - 1;
    if (pinned >= positions) pinned = null;
    if (hovered >= positions) hovered = null;
    build();
  }

  function build() {
    paintRamp(root, scene.max_depth);
    graph.build(scene);
    answer.build(scene);
    prompt.build(scene);
    scrub.build(scene);
    legend.replaceChildren(...legendOf(scene.max_depth));
    paint();
  }

  function paint() {
    const shown = { iteration, hovered, focus: hovered ?? pinned ?? firstFocus(scene), playing: timer !== null };
    graph.paint(scene, shown);
    answer.paint(scene, shown);
    prompt.paint(scene, shown);
    chart.paint(scene, shown);
    scrub.paint(scene, shown);
    const words = node("span", {}, ...storyOf(scene, shown));
    if (words.textContent !== story.textContent) story.replaceChildren(words); // said aloud only when it is news
    status.textContent = statusOf(scene, source);
  }

  controls.update();
  build();
  const unsubscribe = source.subscribe(update);
  return () => {
    stop();
    unsubscribe();
    root.remove();
  };
}

/** Before the reader points anywhere: the answer token that took most iterations. */
function firstFocus(scene) {
  const depths = scene.answer.map((token) => token.depth);
  return scene.prompt.length - 1 + depths.indexOf(Math.max(...depths));
}

const tokenAt = (scene, position) =>
  position < scene.prompt.length ? scene.prompt[position] : scene.answer[position - scene.prompt.length + 1];

// ---------------------------------------------------------------- controls

function Controls(source) {
  const { sizes, trained, thresholds, deciders, graphs } = source.options;
  const slider = (values, label, name) =>
    node("input", {
      type: "range", min: 0, max: values.length - 1, step: 1, "aria-label": label, "data-control": name,
      oninput: (event) => source.choose({ [name]: values[event.target.value] }),
    });
  const nodes = slider(sizes, "Number of nodes", "nodes");
  const nodesText = node("output");
  const threshold = slider(thresholds, "Stopping threshold on F(d)", "threshold");
  const thresholdText = node("output");
  const graphText = node("output");
  const turn = (by) => () => {
    const next = source.choice().graph + by;
    source.choose({ graph: graphs ? wrap(next, graphs) : Math.max(1, next) });
  };
  const previous = node("button", { type: "button", class: "ax-small", "aria-label": "Previous graph", "data-control": "previous", onclick: turn(-1) }, "‹");
  const next = node("button", { type: "button", "data-control": "graph", onclick: turn(1) }, "New graph");
  const group = `ax-decider-${Math.random().toString(36).slice(2)}`; // radios of several explorers must not join
  const radios = deciders.map((name) =>
    node("input", { type: "radio", name: group, value: name, "data-control": `decider-${name}`, onchange: () => source.choose({ decider: name }) }),
  );
  const field = (label, value, control) =>
    node("div", { class: "ax-field" }, node("div", { class: "ax-label" }, label, " ", value), control);
  return {
    element: node(
      "div", { class: "ax-controls" },
      field("Nodes", nodesText, nodes),
      field("Graph", graphText, node("div", { class: "ax-row" }, previous, next)),
      field("Decider", "", node("div", { class: "ax-segments", role: "radiogroup", "aria-label": "Decider" },
        ...radios.map((radio) => node("label", {}, radio, node("span", {}, radio.value))))),
      field(node("span", {}, "Halt once ", node("i", {}, "F(d)"), " ≥"), thresholdText, threshold),
    ),
    update() {
      const choice = source.choice();
      const unseen = !trained.includes(choice.nodes);
      nodes.value = sizes.indexOf(choice.nodes);
      nodes.setAttribute("aria-valuetext", `${choice.nodes} nodes${unseen ? ", a size not seen in training" : ""}`);
      nodesText.replaceChildren(String(choice.nodes), ...(unseen ? [node("em", { class: "ax-unseen" }, "unseen size")] : []));
      threshold.value = thresholds.indexOf(nearest(thresholds, choice.threshold));
      threshold.setAttribute("aria-valuetext", String(choice.threshold));
      thresholdText.textContent = choice.threshold.toFixed(2).replace(/(\.\d)0$/, "$1");
      graphText.textContent = graphs ? `${choice.graph} of ${graphs}` : `no. ${choice.graph}`;
      previous.disabled = !graphs && choice.graph === 1;
      for (const radio of radios) radio.checked = radio.value === choice.decider;
    },
  };
}

function ScrubView({ seek, play }) {
  const button = node("button", { type: "button", class: "ax-play", "data-control": "play", onclick: play });
  const slider = node("input", {
    type: "range", min: 1, step: 1, "aria-label": "Iteration", "data-control": "iteration", oninput: (event) => seek(Number(event.target.value)),
  });
  const text = node("output");
  return {
    element: node("div", { class: "ax-scrub" }, button, node("span", { class: "ax-label" }, "Iteration"), slider, text),
    build: (scene) => slider.setAttribute("max", scene.max_depth + 1),
    paint(scene, { iteration, playing }) {
      const D = scene.max_depth;
      slider.value = Math.min(iteration, D + 1);
      text.textContent = iteration > D ? `all ${D} done` : `${iteration} of ${D}`;
      slider.setAttribute("aria-valuetext", text.textContent);
      button.textContent = playing ? "❚❚" : "▶";
      button.setAttribute("aria-label", playing ? "Pause" : "Play the iterations");
    },
  };
}

// ---------------------------------------------------------------- tokens

/** A token with its stack of D cells, filled up to its depth. */
function tokenButton(token, position, D, point, group) {
  const cells = Array.from({ length: D }, (_, i) => node("i", { style: `--ax-cell: var(--ax-depth-${D - i})` }));
  return node(
    "button",
    {
      type: "button", class: `ax-token ax-${token.role}`, "data-position": position, "data-depth": token.depth, tabindex: -1,
      onpointerenter: (event) => event.pointerType === "mouse" && point(position),
      onpointerleave: (event) => event.pointerType === "mouse" && point(null),
      onfocus: (event) => event.target.matches(":focus-visible") && point(position, true),
      onblur: () => point(null),
      onclick: () => point(position, true),
      onkeydown: (event) => {
        const all = [...group.querySelectorAll(".ax-token")];
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        all[(all.indexOf(event.currentTarget) + step + all.length) % all.length].focus();
      },
    },
    node("span", { class: "ax-name" }, readable(token.name)),
    node("span", { class: "ax-cells", "aria-hidden": "true" }, ...cells),
  );
}

function paintToken(button, token, position, scene, { iteration, focus }) {
  const D = scene.max_depth;
  const done = Math.min(token.depth, iteration);
  button.dataset.depth = token.depth;
  button.setAttribute("aria-label", `${readable(token.name)}, ${plural(token.depth, "iteration")}${token.right === false ? ", wrong" : ""}`);
  button.classList.toggle("ax-active", iteration <= token.depth);
  button.classList.toggle("ax-halted", iteration <= D && iteration > token.depth);
  button.classList.toggle("ax-focus", position === focus);
  button.setAttribute("aria-pressed", position === focus);
  button.querySelectorAll("i").forEach((cell, i) => {
    cell.classList.toggle("ax-on", D - i <= done);
    cell.classList.toggle("ax-now", D - i === iteration && iteration <= token.depth);
  });
}

function oneTabStop(group, focus) {
  const all = [...group.querySelectorAll(".ax-token")];
  const stop = all.find((button) => Number(button.dataset.position) === focus) ?? all[0];
  for (const button of all) button.tabIndex = button === stop ? 0 : -1;
}

function AnswerView(point) {
  const tokens = node("div", { class: "ax-tokens", role: "group", "aria-label": "Answer of the model, with the iterations spent before each token" });
  const expected = node("div", { class: "ax-expected" });
  const verdict = node("span", { class: "ax-verdict" });
  return {
    element: node("div", { class: "ax-answer" }, node("h4", {}, "Answer ", verdict), tokens, expected),
    build(scene) {
      const first = scene.prompt.length - 1;
      const length = Math.max(scene.answer.length, scene.expected.length);
      tokens.style.setProperty("--ax-columns", Math.max(6, length));
      expected.style.setProperty("--ax-columns", Math.max(6, length));
      tokens.replaceChildren(
        ...scene.answer.map((token, i) => {
          const button = tokenButton(token, first + i, scene.max_depth, point, tokens);
          button.classList.toggle("ax-wrong", !token.right);
          button.append(node("span", { class: "ax-count", "aria-hidden": "true" }, String(token.depth)));
          return button;
        }),
      );
      expected.replaceChildren(
        ...(scene.correct ? [] : scene.expected.map((name, i) =>
          node("span", { class: scene.answer[i]?.right ? "" : "ax-differs" }, readable(name)))),
      );
      expected.setAttribute("aria-label", scene.correct ? "" : `Expected: ${scene.expected.map(readable).join(", ")}`);
      verdict.className = `ax-verdict ${scene.correct ? "ax-right" : "ax-wrong"}`;
      verdict.textContent = scene.correct ? "✓ right" : "✗ wrong, expected underneath";
    },
    paint(scene, shown) {
      tokens.childNodes.forEach((button, i) => paintToken(button, scene.answer[i], scene.prompt.length - 1 + i, scene, shown));
      oneTabStop(tokens, shown.focus);
    },
  };
}

function PromptView(point) {
  const chips = node("div", { class: "ax-chips", role: "group", "aria-label": "Prompt, with the iterations spent on reading each token" });
  let [graph, width, tallest] = [null, 0, 0];
  return {
    element: node("div", { class: "ax-prompt" }, node("h4", {}, "Prompt: the edges, shuffled, then the query"), chips),
    build(scene) {
      const same = graph === (graph = scene.prompt.map((token) => token.name).join(" "));
      if (same) return; // the cells of the same tokens change their colour instead
      const make = (position) => tokenButton(scene.prompt[position], position, scene.max_depth, point, chips);
      const end = scene.prompt.length;
      const edges = scene.edges.map((_, i) =>
        node("span", { class: "ax-chip" }, make(1 + 2 * i), make(2 + 2 * i)));
      chips.replaceChildren(
        node("span", { class: "ax-chip ax-special" }, make(0)),
        ...edges,
        node("span", { class: "ax-chip ax-asked" }, make(end - 3), make(end - 2)),
        node("span", { class: "ax-chip ax-special" }, make(end - 1)),
      );
      // Smaller graphs keep the room of larger ones, so that the page below stays where it is.
      if (width !== (width = chips.offsetWidth)) [tallest, chips.style.minHeight] = [0, ""];
      tallest = Math.max(tallest, chips.offsetHeight);
      chips.style.minHeight = `${tallest}px`;
    },
    paint(scene, shown) {
      for (const button of chips.querySelectorAll(".ax-token")) {
        const position = Number(button.dataset.position);
        paintToken(button, scene.prompt[position], position, scene, shown);
      }
      oneTabStop(chips, shown.focus);
    },
  };
}

// ---------------------------------------------------------------- graph

function GraphView(point) {
  const svg = node("svg", { viewBox: `0 0 ${VIEW.width} ${VIEW.height}`, role: "img" });
  let shown = null;
  let circles = new Map();
  let lines = [];
  const place = ({ x, y }) => [
    VIEW.left + x * (VIEW.width - 2 * VIEW.left),
    VIEW.top + y * (VIEW.height - VIEW.top - VIEW.bottom),
  ];

  return {
    element: node("figure", { class: "ax-graph" }, svg),
    build(scene) {
      const facts = scene.answer.filter((token) => token.role === "answer").map((token) => `${token.name} after ${plural(token.depth, "iteration")}`);
      svg.setAttribute("aria-label", `Graph of ${plural(scene.nodes.length, "node")} with edges ${scene.edges.map((edge) => edge.join(" to ")).join(", ")}. The model emits ${facts.join(", ")}.`);
      const same = shown === (shown = JSON.stringify([scene.nodes, scene.edges, scene.answer.map((token) => token.name)]));
      if (same) return; // the discs of the same answer change their colour and size instead
      const emitted = new Map();
      scene.answer.forEach((token, i) => emitted.has(token.name) || emitted.set(token.name, i));
      const at = new Map(scene.nodes.map((spot) => [spot.name, place(spot)]));
      lines = scene.edges.map(([from, to]) => {
        const [[ax, ay], [bx, by]] = [at.get(from), at.get(to)];
        const length = Math.hypot(bx - ax, by - ay);
        const [ux, uy] = [(bx - ax) / length, (by - ay) / length];
        const [sx, sy] = [ax + ux * RADIUS.most, ay + uy * RADIUS.most];
        const [ex, ey] = [bx - ux * (RADIUS.most + 3), by - uy * (RADIUS.most + 3)];
        const head = `M${ex} ${ey}L${ex - 7 * ux + 3.5 * uy} ${ey - 7 * uy - 3.5 * ux}L${ex - 7 * ux - 3.5 * uy} ${ey - 7 * uy + 3.5 * ux}Z`;
        return node("g", { class: "ax-edge" },
          node("path", { d: `M${sx} ${sy}L${ex - 5 * ux} ${ey - 5 * uy}`, class: "ax-line" }), node("path", { d: head, class: "ax-head" }));
      });
      circles = new Map(scene.nodes.map((spot) => {
        const [x, y] = at.get(spot.name);
        const order = emitted.get(spot.name);
        const wanted = scene.expected.includes(spot.name);
        const kinds = ["ax-node", spot.query && "ax-query", order === undefined && !spot.query && (wanted ? "ax-missed" : "ax-unneeded")];
        const position = order === undefined ? scene.prompt.length - 2 : scene.prompt.length - 1 + order;
        const group = node("g", {
          class: kinds.filter(Boolean).join(" "), transform: `translate(${x} ${y})`, "data-node": spot.name,
          ...(order !== undefined || spot.query) && {
            onpointerenter: (event) => event.pointerType === "mouse" && point(position),
            onpointerleave: (event) => event.pointerType === "mouse" && point(null),
            onclick: () => point(position, true),
          },
        });
        group.append(node("circle", { class: "ax-halo", r: spot.query ? RADIUS.least + 4 : RADIUS.most + 4 }));
        group.append(node("circle", { class: "ax-disc" }), node("text", { class: "ax-letter", dy: "0.35em" }, spot.name));
        if (spot.query) group.append(node("text", { class: "ax-tag", y: RADIUS.most + 8, dy: "0.35em" }, "query"));
        if (order !== undefined) {
          const off = RADIUS.most * 0.82;
          group.append(node("g", { class: `ax-badge${scene.answer[order].right ? "" : " ax-wrong"}`, transform: `translate(${off} ${-off})` },
            node("circle", { r: 7.5 }), node("text", { dy: "0.35em" }, String(order + 1))));
        }
        return [spot.name, { group, order, query: spot.query }];
      }));
      svg.replaceChildren(...lines, ...[...circles.values()].map(({ group }) => group));
    },
    paint(scene, { iteration, hovered, focus }) {
      const D = scene.max_depth;
      const answering = focus - scene.prompt.length + 1; // index of the answer token in focus, if it is one
      const fading = hovered !== null && answering >= 0;
      const focused = answering >= 0 ? scene.answer[answering].name : null;
      for (const [name, { group, order, query }] of circles) {
        const token = order === undefined ? null : scene.answer[order];
        const depth = token ? Math.min(token.depth, iteration) : 0;
        const disc = group.querySelector(".ax-disc");
        disc.setAttribute("r", RADIUS.least + (token ? ((RADIUS.most - RADIUS.least) * token.depth) / D : 0));
        group.dataset.depth = token ? token.depth : 0;
        group.style.setProperty("--ax-fill", depth ? `var(--ax-depth-${depth})` : "var(--ax-paper)");
        group.style.setProperty("--ax-ink", depth ? `var(--ax-ink-${depth})` : "var(--ax-text)");
        group.classList.toggle("ax-later", fading && order > answering);
        group.classList.toggle("ax-focus", name === focused && answering === order);
        group.classList.toggle("ax-active", Boolean(token) && iteration <= token.depth);
        group.classList.toggle("ax-halted", Boolean(token) && iteration <= D && iteration > token.depth);
        group.classList.toggle("ax-asked", query && focus === scene.prompt.length - 2);
      }
      const read = answering < 0 && tokenAt(scene, focus).role.match(/from|to/) ? Math.floor((focus - 1) / 2) : -1;
      lines.forEach((line, i) => {
        const [, to] = scene.edges[i];
        line.classList.toggle("ax-focus", i === read || (answering >= 0 && to === focused));
        line.classList.toggle("ax-later", fading && to !== focused && !(circles.get(to).order < answering));
      });
    },
  };
}

// ---------------------------------------------------------------- exit distribution

function ChartView() {
  const title = node("figcaption");
  const W = 330, H = 132, left = 30, right = 44, top = 10, bottom = 24;
  const svg = node("svg", { viewBox: `0 0 ${W} ${H}`, role: "img" });
  return {
    element: node("figure", { class: "ax-chart" }, title, svg),
    paint(scene, { focus, iteration }) {
      const token = tokenAt(scene, focus);
      const answered = scene.answer[focus - scene.prompt.length + 1];
      const D = scene.max_depth;
      const threshold = scene.choice.threshold;
      const unknown = scene.decider === "online"; // an early decider knows the whole distribution from the start
      const step = (W - left - right) / D;
      const x = (d) => left + (d - 1) * step;
      const y = (p) => top + (1 - p) * (H - top - bottom);
      const parts = [0, 0.5, 1].map((p) => node("g", { class: "ax-axis" },
        node("line", { x1: left, x2: W - right, y1: y(p), y2: y(p) }), node("text", { x: left - 6, y: y(p), dy: "0.35em", "text-anchor": "end" }, p)));
      let mass = 0;
      let line = `M${left} ${y(0)}`;
      token.exit_probs.forEach((q, i) => {
        const d = i + 1;
        mass += q;
        line += `V${y(Math.min(1, mass))}H${x(d) + step}`;
        const classes = ["ax-bar", d === token.depth && "ax-chosen", unknown && d > iteration && "ax-later"].filter(Boolean).join(" ");
        parts.push(node("rect", { class: classes, x: x(d) + step * 0.2, width: step * 0.6, y: y(q), height: Math.max(0.5, y(0) - y(q)), rx: 1.5, style: `fill: var(--ax-depth-${d})` },
          node("title", {}, `q(${d}) = ${q.toFixed(3)}, F(${d}) = ${mass.toFixed(3)}`)));
        parts.push(node("text", { class: `ax-tick${d === token.depth ? " ax-chosen" : ""}`, x: x(d) + step / 2, y: H - 10, "text-anchor": "middle" }, d));
      });
      parts.push(node("line", { class: "ax-threshold", x1: left, x2: W - right, y1: y(threshold), y2: y(threshold) }));
      parts.push(node("path", { class: "ax-mass", d: line }));
      // Two labels at the right end, kept apart when the threshold comes near 1.
      parts.push(node("text", { class: "ax-mass-label", x: W - right + 5, y: y(1), dy: "0.35em" }, "F(d)"));
      parts.push(node("text", { class: "ax-threshold-label", x: W - right + 5, y: Math.max(y(threshold), y(1) + 13), dy: "0.35em" }, `≥ ${threshold}`));
      svg.replaceChildren(...parts);
      const where = focus < scene.prompt.length - 1
        ? [`reading token ${focus + 1} of ${scene.prompt.length}, `, node("b", {}, readable(token.name))]
        : ["reading ", focus < scene.prompt.length ? node("i", {}, readable(token.name)) : scene.answer[focus - scene.prompt.length].name, ", about to emit ", node("b", {}, readable(answered.name))];
      title.replaceChildren("Exit distribution ", node("i", {}, "q(d)"), " ", ...where, ": halts at ", node("b", {}, String(token.depth)), ".");
      svg.setAttribute("aria-label", `Exit probabilities of depths 1 to ${D}: ${token.exit_probs.map((q) => q.toFixed(2)).join(", ")}. It halts at ${token.depth}.`);
    },
  };
}

// ---------------------------------------------------------------- words

function storyOf(scene, { iteration }) {
  const bold = (text) => node("b", {}, text);
  const D = scene.max_depth;
  const asked = scene.nodes.find((spot) => spot.query).name;
  const words = scene.answer.filter((token) => token.role === "answer").map((token) => token.name);
  const opening = [
    "What must come before ", bold(asked), "? The ", scene.choice.decider, " model answers ", bold(words.join(" ") || "nothing"),
    scene.correct ? ", which is right. " : ", which is wrong. ",
  ];
  const positions = [...scene.prompt, ...scene.answer.slice(1)];
  if (iteration <= D) {
    const active = positions.filter((token) => token.depth >= iteration).length;
    const halted = positions.length - active;
    return [...opening, bold(`Iteration ${iteration} of ${D}: `),
      active ? `${plural(active, "token")} still in the core` : "no token is left in the core",
      halted ? `, ${halted} halted and passed through unchanged.` : ", none has halted yet."];
  }
  const spent = sum(positions.map((token) => token.depth));
  const share = Math.round((100 * spent) / (D * positions.length));
  const depths = scene.answer.map((token) => token.depth);
  const most = scene.answer[depths.indexOf(Math.max(...depths))];
  const least = scene.answer[depths.indexOf(Math.min(...depths))];
  const contrast = most.depth === least.depth
    ? ["It spent ", bold(plural(most.depth, "iteration")), " before each token"]
    : ["It spent ", bold(plural(most.depth, "iteration")), " before emitting ", bold(readable(most.name)), ", ", bold(String(least.depth)), " before ", bold(readable(least.name))];
  return [...opening, ...contrast, `; prompt included, ${share} % of what a fixed depth of ${D} takes.`];
}

function statusOf(scene, source) {
  if (!source.live) return "Recorded runs of the shipped models";
  return `Computed live on ${scene.device === "cpu" ? "the CPU" : scene.device}, ${scene.milliseconds.toFixed(0)} ms`;
}

function legendOf(D) {
  const cells = Array.from({ length: D }, (_, i) => node("i", { style: `background: var(--ax-depth-${i + 1}); color: var(--ax-ink-${i + 1})` }, String(i + 1)));
  return ["iterations ", ...cells];
}

// ---------------------------------------------------------------- entry points

/** Start every recorded player on the page that has not been started. */
export function startPlayers() {
  for (const element of document.querySelectorAll("[data-anira-player]:not([data-started])")) {
    element.dataset.started = "";
    const [choice, recording] = [...element.querySelectorAll("script")].map((script) => JSON.parse(script.textContent));
    mount(element, recordedSource(recording, choice));
  }
}

export default {
  render: ({ model, el }) => mount(el, liveSource(model)),
};
