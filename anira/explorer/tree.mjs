/** How an expression is drawn, and what makes its tokens hard. A tree and its `at` are those of expression.mjs. */

/** Positions in the prompt as nodes, [operand, operator] pairs as edges, and where they are drawn: the root above, in 0..1. */
export function place(tree) {
  const nodes = [], edges = [], spots = new Map();
  let leaves = 0, deepest = 1;
  const visit = (part, depth) => {
    const position = part.at + 1;
    nodes.push(position);
    deepest = Math.max(deepest, depth);
    const below = part.left ? [part.left, part.right].map((child) => visit(child, depth + 1)) : [];
    const x = below.length ? (below[0] + below[1]) / 2 : leaves++;
    if (part.left) edges.push([part.left.at + 1, position], [part.right.at + 1, position]);
    spots.set(position, [x, depth]);
    return x;
  };
  visit(tree, 0);
  const places = new Map([...spots].map(([at, [x, y]]) => [at, [leaves > 1 ? x / (leaves - 1) : 0.5, y / deepest]]));
  return { nodes, edges, places };
}

/** What a stack machine holds as each token of the expression arrives: the prompt's features of anira/tasks/mano.py. */
export function stackFeatures(names) {
  const stack = []; // { left: operand slots that wait, size: tokens below }
  let completed = 0;
  return names.map((name) => {
    const row = { stack_height: stack.length, slots_left: stack.at(-1)?.left ?? 0, completed_size: completed, completions: 0 };
    if (/\D/.test(name)) {
      stack.push({ left: 2, size: 1 });
      completed = 0;
      return row;
    }
    completed = 1;
    while (stack.length) {
      const top = stack.at(-1);
      top.size += completed;
      if (--top.left) break;
      completed = stack.pop().size;
      row.completions++;
    }
    return row;
  });
}
