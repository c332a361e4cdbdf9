/** The drawing pad: what a reader may do to a graph, and why not to do it. */

import { button, node } from "./parts.mjs";
import { addIrrelevant, cycle, randomFrom } from "./search.mjs";
import { PEN_HINT, cycleSentence, emptySentence, irrelevantSentence, limitSentence } from "./words.mjs";

const LEAST = 3;

/**
 * `graph()` is the one being drawn, { nodes, edges, query }; `redraw(graph)` takes its place; `remember` notes what was spent before something
 * irrelevant is added; `limits` are { names, most, longest }:
 * the node names there are, the most nodes, the most tokens of prompt and answer together.
 */
export function Pad({ graph, redraw, repaint, remember, limits }) {
  let chosen = null;
  const said = node("p", { class: "ax-said-line", role: "status" });
  const say = (text = "") => { said.textContent = text; };
  const about = (name, text, act) => button(name, text, () => chosen && act(chosen));
  const buttons = [
    about("grow", "New node that needs it", (name) => grow(name)),
    about("grow-into", "New node that it needs", (name) => grow(name, true)),
    about("query", "Ask about it", (name) => ask(name)),
    about("remove", "Remove it", (name) => remove(name)),
  ];
  const element = node("div", { class: "ax-pad" }, node("p", { class: "ax-gloss" }, PEN_HINT), node("div", { class: "ax-row" }, ...buttons));

  function update() {
    if (chosen && !graph().nodes.includes(chosen)) chosen = null;
    for (const one of buttons) one.disabled = chosen === null;
  }
  function choose(name) {
    if (chosen && chosen !== name) {
      const from = chosen;
      chosen = null;
      return link(from, name);
    }
    chosen = chosen === name ? null : name;
    say(chosen ? `${chosen} is chosen.` : "");
    update();
    repaint();
  }
  function put(next, text) {
    const needed = next.edges.some(([, head]) => head === next.query);
    if (!needed) return refuse(emptySentence);
    if (next.nodes.length > limits.most) return refuse(limitSentence.most(limits.most));
    if (next.nodes.length < LEAST) return refuse(limitSentence.least(LEAST));
    if (1 + 2 * next.edges.length + 3 + next.nodes.length > limits.longest) return refuse(limitSentence.long(limits.longest));
    redraw(next);
    say(text);
    return true;
  }
  function refuse(text) {
    say(text);
    update();
    repaint();
    return false;
  }
  function link(from, to) {
    const { nodes, edges, query } = graph();
    const kept = edges.filter(([tail, head]) => tail !== from || head !== to);
    if (kept.length < edges.length) return put({ nodes, edges: kept, query }, `The arrow ${from} → ${to} is gone.`);
    const circle = cycle(edges, [from, to]);
    if (circle) return refuse(cycleSentence(circle));
    return put({ nodes, edges: [...edges, [from, to]], query }, `${to} now needs ${from}.`);
  }
  const fresh = (nodes) => limits.names.find((name) => !nodes.includes(name));
  function grow(from, into = false) {
    const { nodes, edges, query } = graph();
    const name = fresh(nodes);
    if (!name) return refuse(limitSentence.most(limits.most));
    const edge = into ? [name, from] : [from, name];
    return put({ nodes: [...nodes, name], edges: [...edges, edge], query }, `${edge[1]} now needs ${edge[0]}; ${name} is new.`);
  }
  function ask(name) {
    const { nodes, edges } = graph();
    return put({ nodes, edges, query: name }, `Now ${name} is asked about.`);
  }
  function remove(name) {
    const { nodes, edges, query } = graph();
    if (name === query) return refuse(`${name} is what the graph is asked about: ask about another node first.`);
    return put({ nodes: nodes.filter((other) => other !== name), edges: edges.filter((edge) => !edge.includes(name)), query }, `${name} is gone.`);
  }
  /** A node and arrows that the query does not depend on. */
  function irrelevant() {
    const { nodes, edges, query } = graph();
    const more = addIrrelevant(edges, query, limits.names.filter((name) => !nodes.includes(name)), randomFrom(edges.length));
    if (!more) return refuse(limitSentence.most(limits.most));
    remember();
    const needed = more.edges.filter(([, head]) => head === more.node).map(([tail]) => tail);
    return put({ nodes: [...nodes, more.node], edges: more.edges, query }, irrelevantSentence(more.node, needed));
  }
  update();
  return { element, said, say, update, pen: { choose, link, grow, remove, chosen: () => chosen }, irrelevant, rest: () => { chosen = null; update(); } };
}
