/** Prompt and answer: every token with the stack of its iterations. */

import { aloud, node, oneTabStop, plural, readable, roam } from "./parts.mjs";

/**
 * A token with its stack of D cells, filled up to its depth. Its name, its number and words for what cannot be seen are
 * its accessible name. Clicking its filled cells takes an iteration away, clicking the empty ones gives one; so do - and +.
 */
function tokenButton(token, D, { point, give }, group) {
  const cells = Array.from({ length: D }, (_, i) => node("i", { style: `--ax-cell: var(--ax-depth-${D - i})` }));
  return node(
    "button",
    {
      type: "button", class: `ax-token ax-is-${token.role}`, "data-position": token.position, tabindex: -1,
      onpointerenter: (event) => event.pointerType === "mouse" && point(token.position),
      onpointerleave: (event) => event.pointerType === "mouse" && point(null),
      onfocus: (event) => event.target.matches(":focus-visible") && point(token.position, true),
      onblur: () => point(null),
      onclick: (event) => {
        const cell = event.target.closest("i");
        point(token.position, true);
        if (cell) give(token.position, cell.classList.contains("ax-on") ? -1 : 1);
      },
      onkeydown: (event) => {
        if (roam(event, [...group.querySelectorAll(".ax-token")])) return;
        const by = { "-": -1, "+": 1 }[event.key];
        if (by) give(token.position, by);
      },
    },
    node("span", { class: "ax-name" }, readable(token.name)),
    node("span", { class: "ax-cells", "aria-hidden": "true" }, ...cells),
  );
}

function paintToken(button, token, scene, { iteration, focus }) {
  const D = scene.max_depth;
  const done = Math.min(token.depth, iteration);
  const mark = (name, on) => button.classList.toggle(name, Boolean(on));
  button.dataset.depth = token.depth;
  mark("ax-active", iteration <= token.depth);
  mark("ax-halted", iteration <= D && iteration > token.depth);
  mark("ax-focus", token.position === focus);
  mark("ax-given", token.given);
  button.setAttribute("aria-pressed", token.position === focus);
  button.querySelectorAll("i").forEach((cell, i) => {
    cell.classList.toggle("ax-on", D - i <= done);
    cell.classList.toggle("ax-now", D - i === iteration && iteration <= token.depth);
  });
}

const stopAt = (group, focus) => oneTabStop([...group.querySelectorAll(".ax-token")], (button) => Number(button.dataset.position) === focus);

export function AnswerView(actions) {
  const tokens = node("div", { class: "ax-tokens", role: "group" });
  const expected = node("p", { class: "ax-expected" });
  const verdict = node("span", { class: "ax-verdict" });
  const title = node("p", { class: "ax-heading" });
  return {
    element: node("div", { class: "ax-answer" }, title, tokens, expected),
    build(scene) {
      tokens.setAttribute("aria-label", `Answer of the ${scene.label} model, with the iterations spent before each token`);
      tokens.style.setProperty("--ax-columns", Math.min(17, Math.max(6, scene.answer.length)));
      tokens.replaceChildren(...scene.answer.map((token) => {
        const made = tokenButton(token, scene.max_depth, actions, tokens);
        made.classList.toggle("ax-wrong", !token.right);
        made.append(node("span", { class: "ax-count" }, String(token.depth)), aloud(` ${token.depth === 1 ? "iteration" : "iterations"}${token.right ? "" : ", wrong"}`));
        return made;
      }));
      const right = scene.correct ? "right" : "wrong";
      title.replaceChildren("Answer of ", node("b", {}, scene.label), " ", verdict);
      verdict.className = `ax-verdict ax-${right}`;
      verdict.textContent = scene.correct ? "✓ right" : "✗ wrong";
      expected.replaceChildren(...(scene.correct ? [] : ["right would be ", ...scene.expected.flatMap((name, i) =>
        [i ? " " : "", node("span", { class: scene.answer[i]?.right ? "" : "ax-differs" }, readable(name))])]));
    },
    paint(scene, shown) {
      tokens.childNodes.forEach((made, i) => paintToken(made, scene.answer[i], scene, shown));
      stopAt(tokens, shown.focus);
    },
  };
}

export function PromptView(actions) {
  const chips = node("div", { class: "ax-chips", role: "group" });
  const title = node("p", { class: "ax-heading" });
  let [graph, width, tallest] = [null, 0, 0];
  return {
    element: node("div", { class: "ax-prompt" }, title, chips),
    build(scene) {
      const same = graph === (graph = scene.prompt.map((token) => token.name).join(" "));
      if (same) return; // the cells of the same tokens change their colour instead
      title.textContent = { graph: "Question: the arrows in random order, then the query", expression: "Question, operators first", sequence: "Question, token by token" }[scene.kind];
      chips.setAttribute("aria-label", `Question to the ${scene.label} model, with the iterations spent on reading each token`);
      chips.replaceChildren(...scene.chips.map((positions) => {
        const { role } = scene.prompt[positions[0]];
        const kind = { start: " ax-special", mark: positions.length > 1 ? " ax-asked" : " ax-special" }[role] ?? "";
        return node("span", { class: `ax-chip${kind}` }, ...positions.map((position) => {
          const made = tokenButton(scene.prompt[position], scene.max_depth, actions, chips);
          made.append(aloud(""));
          return made;
        }));
      }));
      // Smaller graphs keep the room of larger ones, so that the page below stays where it is.
      requestAnimationFrame(() => {
        if (width !== (width = chips.offsetWidth)) [tallest, chips.style.minHeight] = [0, ""];
        tallest = Math.max(tallest, chips.offsetHeight);
        chips.style.minHeight = `${tallest}px`;
      });
    },
    paint(scene, shown) {
      for (const made of chips.querySelectorAll(".ax-token")) {
        const token = scene.prompt[Number(made.dataset.position)];
        made.lastChild.textContent = ` ${plural(token.depth, "iteration")}`;
        paintToken(made, token, scene, shown);
      }
      stopAt(chips, shown.focus);
    },
  };
}
