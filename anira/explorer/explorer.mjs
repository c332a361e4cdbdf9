/**
 * The halting explorer: a graph, an expression or a problem of another task, what models answer to it, and the iterations that each token took.
 *
 *   mount(element, source, first)   draws into the element and returns a function that takes it down again
 *   default.render                  the entry for anywidget: a kernel answers
 *   startPlayers()                  the entry for a page: the model in the page answers
 *
 * `source` is one of sources.mjs; `first` is what shows before anything is asked: { choice, problem, answers }. A choice is
 * { nodes, graph, problem, decider, threshold }: graph number `graph` of that size unless `problem` says which; a label or
 * "all"; null for each model's own rule. Everything drawn comes from a scene of problem.mjs.
 */

import { Controls, Scrub } from "./controls.mjs";
import { Pad } from "./pad.mjs";
import { Panel, firstFocus, legendOf } from "./panel.mjs";
import { button, fill, frame, node, paintRamp, part } from "./parts.mjs";
import { expressionProblem, graphProblem, sceneOf, sequenceProblem, tokenAt } from "./problem.mjs";
import { nameOf, painted, picture, readAddress, save, writeAddress } from "./share.mjs";
import { kernelSource, pageSource, readExpression, readGraph, wrap, writeGraph } from "./sources.mjs";
import { meanDepth, statusOf, storyOf } from "./words.mjs";

const STEP_MS = 650; // between iterations while playing
const PATIENCE_MS = { waiting: 300, lost: 8000 };

export function mount(element, source, first) {
  const { options } = source;
  const name = nameOf(options);
  const root = node("section", { class: "anira-explorer", "aria-label": "Halting explorer", "data-name": name });
  element.append(root);

  let choice = { ...first.choice };
  let problem = null;
  let answers = {}; // label → packed answer
  let scenes = [];
  let iteration = Infinity; // the one being looked at; Infinity: all are done
  let pinned = null; // position whose token the reader chose
  let hovered = null; // position under the pointer or the focus
  let given = {}; // label → position → depth, from the reader
  let edited = null; // the latest of these, for the story
  let before = null; // label → mean depth of the answer, before something irrelevant was added
  let editing = false;
  let failure = null;
  let timer = null;
  let asked = 0;

  const controls = Controls(source, { choose, turn });
  const scrub = Scrub({ seek, play });
  const pad = options.kind === "graph" && Pad({
    graph: () => problem, redraw: ({ nodes, edges, query }) => { const kept = before; choose({ problem: writeGraph(nodes, edges, query) }); before = kept; }, repaint: paint,
    remember: () => { before ??= Object.fromEntries(scenes.map((scene) => [scene.label, meanDepth(scene)])); },
    limits: { names: options.names, most: options.names.length, longest: options.longest },
  });
  const draw = pad && button("draw", "Draw", () => { editing = !editing; if (!editing) pad.rest(); build(); paint(); if (editing) panels[0]?.graph.focus(); }, { "aria-pressed": "false" });
  const link = button("link", source.live ? "Copy call" : "Copy link", copy);
  const shared = node("span", { class: "ax-quiet", role: "status" });
  const tools = node("div", { class: "ax-row ax-tools" },
    draw, pad && button("irrelevant", "Add what does not matter", pad.irrelevant),
    button("picture", "Save picture", () => save("explorer.svg", new Blob([picture(scenes, options.colors)], { type: "image/svg+xml" }))),
    button("png", "as PNG", async () => save("explorer.png", await painted(picture(scenes, options.colors))), { "aria-label": "Save picture as PNG" }),
    link, shared);
  const story = node("p", { class: "ax-story", "aria-live": "polite" });
  const stage = node("div", { class: "ax-panels" });
  const status = node("span", { class: "ax-status", role: "status" });
  const legend = node("span", { class: "ax-legend" });
  root.append(controls.element, tools, ...(pad ? [pad.element, pad.said] : []), story, scrub.element, stage, node("footer", { class: "ax-footer" }, legend, status));
  let panels = [];

  const labelsOf = () => (choice.decider === "all" ? options.deciders.map(({ label }) => label) : [choice.decider]);

  // ---- what a reader does

  function choose(change) {
    if ("nodes" in change || "graph" in change || "problem" in change) forget();
    choice = { ...choice, ...change };
    source.changed(choice);
    refresh();
  }

  function turn(by) {
    const count = source.count(choice.nodes);
    const next = choice.problem ? choice.graph : choice.graph + by;
    choose({ graph: count ? wrap(next, count) : Math.max(1, next), problem: "" });
  }

  /** What belongs to a graph does not outlive it. */
  function forget() {
    [pinned, hovered, given, edited, before] = [null, null, {}, null, null];
    if (pad) pad.say();
  }

  /** Pointer or focus on a position (null: left it); a click or the keyboard pins it. */
  function point(position, pin = false) {
    hovered = position;
    if (pin) pinned = position;
    queueMicrotask(paint); // an element that is taken out of the page loses the focus in the midst of a drawing
  }

  function give(label, position, by) {
    const scene = scenes.find((one) => one.label === label);
    const depth = tokenAt(scene, position).depth + by;
    if (depth < scene.decider.min_depth || depth > scene.max_depth) return;
    given = { ...given, [label]: { ...given[label], [position]: depth } };
    edited = { label, position, by };
    pinned = position;
    refresh();
  }

  function giveBack(label) {
    given = { ...given, [label]: {} };
    edited = null;
    refresh();
  }

  function seek(value) {
    stop();
    iteration = value > deepest() ? Infinity : value;
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
      iteration = iteration >= deepest() ? Infinity : iteration + 1;
      if (iteration === Infinity) stop();
      paint();
    }, STEP_MS);
    paint();
  }

  const deepest = () => Math.max(...scenes.map((scene) => scene.max_depth));

  async function copy() {
    const address = writeAddress(name, choice, { iteration, pinned, given });
    const call = `anira.explore(${[options.models_in_call, ...Object.entries(choice).filter(([key, value]) => value !== null && value !== "" && !(choice.problem && /nodes|graph/.test(key))).map(([key, value]) => `${key}=${JSON.stringify(value)}`)].filter(Boolean).join(", ")})`;
    const text = source.live ? call : location.href.replace(/#.*/, "") + address;
    if (!source.live) history.replaceState(null, "", address);
    await navigator.clipboard?.writeText(text).catch(() => {});
    shared.textContent = source.live ? `Copied: ${call}` : "The address of this page now restores what you see; it is copied.";
  }

  // ---- asking

  /** The problem of the choice if it is another than before, its answers, then what else there is to know of them. */
  async function refresh() {
    const turn = ++asked;
    root.dataset.busy = "yes";
    controls.update(choice, problem);
    const waiting = setTimeout(() => wait("waiting", source.live ? "Waiting for the kernel …" : "The model in this page is computing …"), PATIENCE_MS.waiting);
    const lost = source.live && setTimeout(() => wait("lost", "No answer from the kernel: run this cell again."), PATIENCE_MS.lost);
    const come = () => { clearTimeout(waiting); clearTimeout(lost); };
    const stale = (reply) => {
      if (reply?.error) throw new Error(reply.error);
      return turn !== asked || reply === null;
    };
    try {
      if (!isShown()) {
        const posed = choice.problem || (await source.problem(choice.nodes, choice.graph));
        if (stale(posed)) return;
        setProblem(posed);
      }
      const question = { prompt: problem.prompt, labels: labelsOf(), rule: choice.threshold, given, draft: problem.expected, longest: problem.longest };
      const found = await source.answers(question);
      come();
      if (stale(found)) return;
      answers = found;
      if (!(await show(turn))) return;
      root.dataset.busy = "more"; // the picture is there; what follows only adds to it
      const alone = await source.alone(question, found);
      if (stale(alone)) return;
      for (const label of question.labels) answers[label].alone = alone[label];
      await show(turn);
    } catch (error) {
      if (turn === asked) wait("lost", error.message);
    } finally {
      come();
      if (turn === asked) delete root.dataset.busy;
    }
  }

  const key = () => choice.problem || `${choice.nodes} ${choice.graph}`;
  const isShown = () => problem !== null && problem.key === key();

  function setProblem(posed) {
    if (options.kind === "sequence") problem = sequenceProblem(posed);
    else if (options.kind === "expression") problem = expressionProblem(readExpression(posed), options.modulus);
    else {
      const { nodes, edges, query } = readGraph(posed);
      problem = graphProblem(nodes, edges, query);
    }
    problem.key = key();
  }

  function wait(state, text) {
    root.dataset.state = state;
    failure = text;
    fill(status, text);
  }

  function take() {
    scenes = labelsOf().map((label) => sceneOf(problem, answers[label], options.deciders.find((decider) => decider.label === label)));
    const last = Math.min(...scenes.map((scene) => scene.prompt.length + scene.answer.length - 2));
    if (pinned > last) pinned = null;
    if (hovered > last) hovered = null;
    build();
  }

  /** Each model's answer in a frame of its own: laid out together, two of large graphs would block one for too long. Whether it was still wanted. */
  async function show(turn) {
    take();
    for (const [i, panel] of panels.entries()) {
      if (i) await frame();
      if (turn !== asked) return false;
      panel.paint(scenes[i], looking());
    }
    delete root.dataset.state;
    failure = null;
    tell();
    return true;
  }

  // ---- drawing

  function build() {
    const labels = scenes.map(({ label }) => label).join(" ");
    if (stage.dataset.labels !== labels) {
      panels.forEach((panel) => panel.down());
      panels = scenes.map(({ label }) => Panel(label, options.kind, { point, give, giveBack, pen: pad?.pen }));
      stage.replaceChildren(...panels.map((panel) => panel.element));
      stage.dataset.labels = labels;
      stage.classList.toggle("ax-several", panels.length > 1);
    }
    controls.update(choice, problem);
    if (pad) {
      pad.element.hidden = pad.said.hidden = !editing;
      if (pad.said.textContent) pad.said.hidden = false;
      pad.update();
      draw.setAttribute("aria-pressed", editing);
    }
    paintRamp(root, options.colors, deepest());
    fill(legend, ...legendOf(deepest()));
  }

  const looking = () => ({ iteration, hovered, focus: hovered ?? pinned ?? firstFocus(scenes), playing: timer !== null, threshold: choice.threshold, editing, edited, before });

  function paint() {
    if (!scenes.length) return;
    panels.forEach((panel, i) => panel.paint(scenes[i], looking()));
    tell();
  }

  function tell() {
    const shown = looking();
    scrub.paint(deepest(), shown);
    const words = storyOf(scenes, shown);
    fill(story, part("span", { key: JSON.stringify(words) }, ...words)); // said aloud as a whole, and only when it is news
    fill(status, statusOf(scenes, { live: source.live, failure }));
  }

  // ---- keys and addresses

  /** A key pressed in here must neither turn the page nor be a notebook's shortcut ("a" inserts a cell), but for those that leave a cell. */
  const passes = (event) => event.ctrlKey || event.metaKey || event.key === "Escape" || (event.key === "Enter" && event.shiftKey);
  const guard = (event) => root.contains(event.target) && root.toggleAttribute("data-lm-suppress-shortcuts", !passes(event));
  window.addEventListener("keydown", guard, true); // JupyterLab listens on the document, and this comes first
  root.addEventListener("keydown", (event) => {
    if (!passes(event)) event.stopPropagation();
    else if (event.key === "Escape") document.activeElement?.blur();
  });

  function follow(hash) {
    const wish = readAddress(hash, name, options);
    if (!wish) return false;
    forget();
    choice = { ...choice, ...wish.choice };
    [iteration, pinned, given] = [wish.view.iteration, wish.view.pinned, wish.view.given];
    source.changed(choice);
    refresh();
    return true;
  }
  const come = () => root.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  const followed = (event) => {
    const target = event.target.closest?.(`a[href*="#${name}?"]`);
    if (!target || event.ctrlKey || event.metaKey || document.querySelector(`.anira-explorer[data-name="${name}"]`) !== root) return;
    event.preventDefault();
    if (follow(target.hash)) come();
  };
  const moved = () => follow(location.hash);
  document.addEventListener("click", followed, true);
  window.addEventListener("hashchange", moved);
  root.addEventListener("pointerenter", () => source.prepare(), { once: true });
  root.addEventListener("focusin", () => source.prepare(), { once: true });

  setProblem(first.problem);
  answers = first.answers;
  take();
  paint();
  if (!source.live && follow(location.hash)) come(); // from another page, or a copied link
  const unsubscribe = source.subscribe((traits) => {
    if (Object.entries(traits).every(([key, value]) => choice[key] === value)) return;
    forget();
    choice = { ...choice, ...traits };
    refresh();
  });
  return () => {
    stop();
    asked++;
    unsubscribe();
    panels.forEach((panel) => panel.down());
    window.removeEventListener("keydown", guard, true);
    document.removeEventListener("click", followed, true);
    window.removeEventListener("hashchange", moved);
    root.remove();
  };
}

// ---------------------------------------------------------------- entry points

const GRACE_MS = 1500; // a kernel's widget takes the player's place in this time, where there is one

/** Start every player on the page that has not been started; in a notebook its widget, if a kernel runs it, comes first. */
export function startPlayers() {
  for (const element of document.querySelectorAll("[data-anira-player]:not([data-started])")) {
    element.dataset.started = "";
    const { options, first } = JSON.parse(element.querySelector("script").textContent);
    const start = () => element.isConnected && !element.hasAttribute("data-attached") && mount(element, pageSource({ ...options, weights: element.dataset.weights }), first);
    if (element.closest(".jp-OutputArea, #output-area")) setTimeout(start, GRACE_MS);
    else start();
  }
}

export default {
  render({ model, el }) {
    const place = document.querySelector(`[data-anira-player="${model.get("options").id}"]`);
    place?.setAttribute("data-attached", "");
    return mount(el, kernelSource(model), model.get("first"));
  },
};
