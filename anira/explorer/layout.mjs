/**
 * Where to draw the nodes of a graph or a tree: anira/drawing/layout.py for the page, the same search for the same cost, in the
 * same order of operations: among drawings that are equally good, rounding decides.
 *
 * Layers go from left to right by height, so an edge always points to the right. Within its layer each node takes one of a
 * few slots, found from the barycenter order by moving one node, or swapping two, as long as that makes the drawing easier
 * to read. No randomness: the same graph always looks the same.
 */

const SLOTS = 9;
const LAYER_GAP = 0.24; // between layers, at most, in widths of the drawing
const ASPECT = 1.45; // width over height of the drawing
const STRETCH = 1.6; // a flat drawing is pulled apart vertically, at most by this factor
const SEPARATION = 0.3; // between two nodes of a layer, where there is room for it
const CLEARANCE = 0.085; // an edge should pass other nodes at this distance, in heights of the drawing
const ROUNDS = 30;

/** Map of node name → [x, y], each in 0..1, y pointing down, for an acyclic graph given by its nodes and [tail, head] pairs. */
export function layout(nodes, edges) {
  const names = [...nodes].sort();
  const index = new Map(names.map((name, i) => [name, i]));
  const pairs = edges.map(([tail, head]) => [index.get(tail), index.get(head)]).sort(([a, b], [c, d]) => a - c || b - d); // in whatever order they are listed
  const height = heights(names.length, pairs);
  const layers = Math.max(...height) + 1;
  const gap = Math.min(LAYER_GAP, 1 / Math.max(1, layers - 1));
  const x = height.map((h) => 0.5 + (h - (layers - 1) / 2) * gap);
  const fullest = Math.max(...Array.from({ length: layers }, (_, layer) => height.filter((h) => h === layer).length));
  const slots = Math.max(SLOTS, 2 * fullest - 1);
  const slot = descend(barycenter(height, pairs, slots), height, pairs, x.map((value) => value * ASPECT), slots);
  const [low, high] = [Math.min(...slot), Math.max(...slot)];
  const y = slot.map((value) => 0.5 + (value - (low + high) / 2) / Math.max(high - low, (slots - 1) / STRETCH));
  return new Map(names.map((name, i) => [name, [x[i], y[i]]]));
}

function heights(n, pairs) {
  const height = Array(n).fill(0);
  for (let moved = true; moved; ) {
    moved = false;
    for (const [tail, head] of pairs)
      if (height[head] <= height[tail]) [height[head], moved] = [height[tail] + 1, true];
  }
  return height;
}

function barycenter(height, pairs, slots) {
  const slot = Array(height.length).fill(0);
  for (let layer = 0; layer <= Math.max(...height); layer++) {
    const nodes = height.flatMap((h, i) => (h === layer ? [i] : []));
    const mean = (node, i) => {
      const parents = pairs.filter(([, head]) => head === node).map(([tail]) => slot[tail]);
      return parents.length ? parents.reduce((a, b) => a + b, 0) / parents.length : i;
    };
    const order = nodes.map((node, i) => [mean(node, i), node]).sort(([a], [b]) => a - b);
    order.forEach(([, node], i) => (slot[node] = ((i + 0.5) / order.length) * (slots - 1)));
  }
  return slot.map(toEven);
}

/** Halves go to the even neighbour, as NumPy has it. */
const toEven = (value) => (value % 1 === 0.5 ? 2 * Math.round(value / 2) : Math.round(value));

function descend(slot, height, pairs, x, slots) {
  let best = cost(slot, pairs, x, slots);
  for (let round = 0; round < ROUNDS; round++) {
    const before = best;
    for (let node = 0; node < slot.length; node++)
      for (let target = 0; target < slots; target++) {
        const home = slot[node];
        const holder = slot.findIndex((at, other) => other !== node && height[other] === height[node] && at === target);
        slot[node] = target;
        if (holder >= 0) slot[holder] = home;
        const found = cost(slot, pairs, x, slots, best);
        if (found < best - 1e-9) best = found;
        else {
          slot[node] = home;
          if (holder >= 0) slot[holder] = target;
        }
      }
    if (best === before) break;
  }
  return slot;
}

/** How hard the drawing is to read: 10 per edge through a node, 1 per crossing, some for length. Stops counting above `enough`. */
function cost(slot, pairs, x, slots, enough = Infinity) {
  const unit = 1 / (slots - 1);
  let total = 0;
  for (let i = 0; i < slot.length; i++) {
    total += 0.02 * Math.abs(slot[i] * unit - 0.5);
    for (let j = 0; j < i; j++)
      if (x[i] === x[j]) total += 30 * Math.max(0, SEPARATION - Math.abs(slot[i] - slot[j]) * unit);
  }
  for (let e = 0; e < pairs.length && total < enough; e++) {
    const [a, b] = pairs[e];
    const ax = x[a], ay = slot[a] * unit, dx = x[b] - ax, dy = slot[b] * unit - ay;
    total += 0.25 * Math.abs(dy);
    const length = Math.sqrt(dx * dx + dy * dy);
    for (let node = 0; node < slot.length; node++) {
      if (node === a || node === b || x[node] <= ax || x[node] >= x[b]) continue;
      const away = (Math.abs(slot[node] * unit - (ay + ((x[node] - ax) / dx) * dy)) * dx) / length;
      if (away < CLEARANCE) total += 10 * (1 - away / CLEARANCE) + 2;
      else if (away < 2 * CLEARANCE) total += 0.5 * (2 - away / CLEARANCE);
    }
    for (let f = 0; f < e; f++) {
      const [c, d] = pairs[f];
      if (a === c || a === d || b === c || b === d) continue;
      const left = Math.max(ax, x[c]), right = Math.min(x[b], x[d]);
      if (left >= right) continue;
      const cy = slot[c] * unit, slope = ((slot[d] - slot[c]) * unit) / (x[d] - x[c]);
      const first = ay + ((left - ax) / dx) * dy - (cy + (left - x[c]) * slope);
      const last = ay + ((right - ax) / dx) * dy - (cy + (right - x[c]) * slope);
      if (first * last < 0) total += 1;
    }
  }
  return total;
}
