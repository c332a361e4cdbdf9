/**
 * BREVO in the page: the twin of `anira.tasks.dags`, held to it by tests on thousands of graphs.
 *
 * A graph is a list of arrows [tail, head], the head depending on the tail, in the order of the prompt, and a query.
 *
 *   search(edges, query, nodes)    { answer: names in the order of emission, features: for each of them, named as `anira.tasks.brevo.FEATURES` };
 *                              nodes: all names, if some stand without an arrow
 *   findCycle(edges)           null, or the names along a cycle, the first repeated at the end: ["a", "c", "a"]
 *   cycle(edges, [a, b])       null, or the names along the cycle that one more arrow would close: ["a", "b", …, "a"]
 *   promptOf(edges, query)     the names of the prompt's tokens; `problemOf(names)` gives back { edges, query }
 *   randomGraph(n, names, random)                 { edges, query }: a graph as the paper draws them, with n of these names
 *   addIrrelevant(edges, query, fresh, random)    { node, edges } with one of the fresh names and arrows into it, each at a random
 *                                                 place of the prompt: a dead end, as in anira.evaluation.distractors, on which
 *                                                 the query does not depend. Null without a fresh name
 *   randomFrom(seed)           a function that returns numbers in [0, 1), the same for the same seed
 *
 * `search` throws a RangeError that names the cycle where there is one.
 */

const MOST = 4; // parents and children of a node, in the paper's graphs

/** Node names in the order in which the search takes them: a to z, then aa to zz. */
const byName = (a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

/** Parents and children of every node, parents by name. */
function relatives(edges, query, nodes = []) {
  const names = new Set([...nodes, ...edges.flat()]);
  if (query !== undefined) names.add(query);
  const [parents, children] = [0, 1].map(() => new Map([...names].map((name) => [name, []])));
  for (const [tail, head] of edges) {
    parents.get(head).push(tail);
    children.get(tail).push(head);
  }
  for (const list of parents.values()) list.sort(byName);
  return { parents, children };
}

export function findCycle(edges) {
  const { children } = relatives(edges);
  const done = new Set();
  let found = null;
  function visit(name, path) {
    const at = path.indexOf(name);
    if (at >= 0) found = [...path.slice(at), name];
    if (found || done.has(name)) return;
    for (const child of children.get(name)) visit(child, [...path, name]);
    done.add(name);
  }
  for (const name of children.keys()) visit(name, []);
  return found;
}

export function cycle(edges, [tail, head]) {
  const { children } = relatives(edges, tail);
  const before = new Map([[head, null]]); // the node from which the shortest way reaches each
  for (const name of before.keys()) {
    if (name === tail) {
      const way = [];
      for (let at = tail; at !== null; at = before.get(at)) way.unshift(at);
      return [tail, ...way];
    }
    for (const child of children.get(name) ?? []) if (!before.has(child)) before.set(child, name);
  }
  return null;
}

export function search(edges, query, nodes = []) {
  const { parents, children } = relatives(edges, query, nodes);
  const closed = findCycle(edges);
  if (closed) throw new RangeError(`The arrows ${closed.join(" → ")} close a cycle, and nothing in it can come first: remove one of them.`);
  const distance = new Map([[query, 0]]);
  for (const name of distance.keys())
    for (const parent of parents.get(name)) if (!distance.has(parent)) distance.set(parent, distance.get(name) + 1);
  const heights = new Map();
  const height = (name) => {
    if (!heights.has(name)) heights.set(name, Math.max(-1, ...parents.get(name).map(height)) + 1);
    return heights.get(name);
  };
  const hub = Math.max(...[...children.values()].map((list) => list.length));
  const missing = new Map([...parents].map(([name, list]) => [name, list.length]));
  const depth = new Map([[query, 0]]); // recursion depth at which the search first lists a node
  const entered = new Set(), answer = [], features = [];

  function visit(name, level) {
    entered.add(name);
    for (const parent of parents.get(name)) if (!depth.has(parent)) depth.set(parent, level + 1);
    for (const parent of parents.get(name)) if (!entered.has(parent)) visit(parent, level + 1);
    if (name === query) return;
    let enabled = 0;
    for (const child of children.get(name)) {
      missing.set(child, missing.get(child) - 1);
      if (!missing.get(child) && distance.has(child) && child !== query) enabled++;
    }
    features.push({
      nodes: parents.size, edges: edges.length, ancestors: distance.size - 1, hub_out_degree: hub,
      in_degree: parents.get(name).length, out_degree: children.get(name).length,
      dependents: children.get(name).length - (distance.get(name) === 1 ? 1 : 0), height: height(name), query_distance: distance.get(name),
      dfs_depth: depth.get(name), frontier_size: depth.size - 1 - answer.length, newly_enabled: enabled, emitted: answer.length,
    });
    answer.push(name);
  }
  visit(query, 0);
  return { answer, features };
}

export function promptOf(edges, query) {
  return ["<bos>", ...edges.flatMap(([tail, head]) => [tail, `→${head}`]), "<query>", query, "<answer>"];
}

export function problemOf(names) {
  const end = names.indexOf("<query>"), edges = [];
  for (let i = 1; i < end; i += 2) edges.push([names[i], names[i + 1].slice(1)]);
  return { edges, query: names[end + 1] };
}

/** k of the items, drawn without repetition, in random order. */
function pick(items, k, random) {
  const pool = [...items];
  for (let i = 0; i < k; i++) {
    const j = i + Math.floor(random() * (pool.length - i));
    [pool[i], pool[j]] = [pool[j], pool[i]];
  }
  return pool.slice(0, k);
}

export function randomGraph(n, names, random) {
  const nodes = pick(names, n, random);
  const leaves = 1 + Math.floor(random() * (Math.floor((n - 1) / 4) + 1));
  const children = new Map(nodes.map((name) => [name, 0]));
  const edges = [];
  for (let i = leaves; i < n; i++) {
    const open = nodes.slice(0, i).filter((name) => children.get(name) < MOST);
    for (const parent of pick(open, Math.min(1 + Math.floor(random() * MOST), open.length), random)) {
      edges.push([parent, nodes[i]]);
      children.set(parent, children.get(parent) + 1);
    }
  }
  return { edges: pick(edges, edges.length, random), query: nodes[n - 1] };
}

export function addIrrelevant(edges, query, fresh, random = Math.random) {
  if (!fresh.length) return null;
  const [node] = pick(fresh, 1, random);
  const { children } = relatives(edges, query), matter = new Set(search(edges, query).answer);
  const names = [...children.keys()].filter((name) => name !== query);
  const open = names.filter((name) => children.get(name).length < MOST), ends = open.filter((name) => matter.has(name));
  const pool = [ends, open, names, [query]].find((some) => some.length);
  const more = [...edges];
  for (const tail of pick(pool, Math.min(1 + Math.floor(random() * MOST), pool.length), random))
    more.splice(Math.floor(random() * (more.length + 1)), 0, [tail, node]);
  return { node, edges: more };
}

export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0; // mulberry32
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
