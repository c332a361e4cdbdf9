/** Prompt and answer: every token with the stack of its iterations. */

import { classes, fill, node, part, plural, readable, roam, tabStop, watchSize } from "./parts.mjs";

const placeOf = (event) => Number(event.currentTarget.dataset.position);

/** What pointer and keys do on a token. Clicking its filled cells takes an iteration away, clicking the empty ones gives one; so do - and +. */
const listeners = ({ point, give }) => ({
  onpointerenter: (event) => event.pointerType === "mouse" && point(placeOf(event)),
  onpointerleave: (event) => event.pointerType === "mouse" && point(null),
  onfocus: (event) => event.currentTarget.matches(":focus-visible") && point(placeOf(event), true),
  onblur: () => point(null),
  onclick: (event) => {
    const cell = event.target.closest("i");
    point(placeOf(event), true);
    if (cell) give(placeOf(event), cell.classList.contains("ax-on") ? -1 : 1);
  },
  onkeydown: (event) => {
    if (roam(event, [...event.currentTarget.closest("[role=group]").querySelectorAll(".ax-token")])) return;
    const by = { "-": -1, "+": 1 }[event.key];
    if (by) give(placeOf(event), by);
  },
});

/** A token with its stack of D cells, filled up to its depth. Its name, its number and words for what cannot be seen are its accessible name. */
function tokenPart(token, stop, { max_depth: D }, { iteration, focus }, heard, ...count) {
  const done = Math.min(token.depth, iteration), active = iteration <= token.depth, inFocus = token.position === focus;
  const cells = Array.from({ length: D }, (_, i) => part("i", {
    class: classes(D - i <= done && "ax-on", D - i === iteration && active && "ax-now"), style: `--ax-cell: var(--ax-depth-${D - i})`,
  }));
  const kinds = classes("ax-token", `ax-is-${token.role}`, active && "ax-active", iteration <= D && !active && "ax-halted", inFocus && "ax-focus", token.given && "ax-given", token.right === false && "ax-wrong");
  return part("button", {
    type: "button", class: kinds, "data-position": token.position, "data-depth": token.depth, tabindex: token.position === stop ? 0 : -1, "aria-pressed": String(inFocus), ...heard,
  }, part("span", { class: "ax-name" }, readable(token.name)), part("span", { class: "ax-cells", "aria-hidden": "true" }, ...cells), ...count);
}

const aloud = (text) => part("span", { class: "ax-aloud" }, text);
const stopOf = (tokens, { focus }) => tabStop(tokens.map((token) => token.position), focus);

export function AnswerView(actions) {
  const element = node("div", { class: "ax-answer" }), heard = listeners(actions);
  return {
    element,
    paint(scene, shown) {
      const { answer, label, correct } = scene, stop = stopOf(answer, shown);
      const verdict = part("span", { class: `ax-verdict ax-${correct ? "right" : "wrong"}` }, correct ? "✓ right" : "✗ wrong");
      const name = `Answer of the ${label} model, with the iterations spent before each token`;
      const right = correct ? [] : ["right would be ", ...scene.expected.flatMap((one, i) => [i ? " " : "", part("span", { class: answer[i]?.right ? "" : "ax-differs" }, readable(one))])];
      fill(element,
        part("p", { class: "ax-heading" }, "Answer of ", part("b", {}, label), " ", verdict),
        part("div", { class: "ax-tokens", role: "group", "aria-label": name, style: `--ax-columns: ${Math.min(17, Math.max(6, answer.length))}` },
          ...answer.map((token) => tokenPart(token, stop, scene, shown, heard,
            part("span", { class: "ax-count" }, token.depth), aloud(` ${token.depth === 1 ? "iteration" : "iterations"}${token.right ? "" : ", wrong"}`)))),
        part("p", { class: "ax-expected" }, ...right));
    },
  };
}

const ASKED = { graph: "Question: the arrows in random order, then the query", expression: "Question, operators first", sequence: "Question, token by token" };

export function PromptView(actions) {
  const element = node("div", { class: "ax-prompt" }), heard = listeners(actions);
  const { down } = watchSize(element, 0, () => {}); // smaller graphs keep the room of larger ones
  return {
    element, down,
    paint(scene, shown) {
      const { prompt, chips } = scene, stop = stopOf(prompt, shown);
      const chip = (positions) => {
        const several = positions.length > 1, { role } = prompt[positions[0]];
        const kind = role === "mark" && several ? "ax-asked" : (role === "mark" || role === "start") && "ax-special";
        return part("span", { class: classes("ax-chip", kind) },
          ...positions.map((position) => tokenPart(prompt[position], stop, scene, shown, heard, aloud(` ${plural(prompt[position].depth, "iteration")}`))));
      };
      const name = `Question to the ${scene.label} model, with the iterations spent on reading each token`;
      fill(element, part("p", { class: "ax-heading" }, ASKED[scene.kind]), part("div", { class: "ax-chips", role: "group", "aria-label": name }, ...chips.map(chip)));
    },
  };
}
