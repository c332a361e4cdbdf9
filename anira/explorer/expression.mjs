/**
 * MANO in the page: expressions over +, - and ×, modulo the task's modulus, as trees and as tokens in prefix order.
 *
 * A tree is { token, at, left, right }, its leaves { token, at }: `token` an operator or a number as text, `at` its place in
 * prefix order, 0 being the root.
 *
 *   parsePrefix(names)               the tree of an expression's tokens
 *   parseExpression(text, modulus)   the tree of what a reader types: 3 × (4 + 1) - 2, with * for ×, and × before + and -
 *   prefixOf(tree)                   its tokens; `writeOut(tree)` as a reader writes it
 *   valueOf(tree, modulus)           0 … modulus - 1
 *   expressionPrompt(tree)           the names of the prompt's tokens
 *   randomExpression(operators, modulus, random)   as the task draws them
 *
 * Errors: a RangeError that says what was expected where, for a text that is no expression.
 */

const OPERATORS = ["+", "-", "×"];

export function parsePrefix(names) {
  let at = 0;
  const read = () => {
    const tree = { token: names[at], at: at++ };
    if (tree.token === undefined) throw new RangeError(`The expression ends too early: an operand is missing after ${names.join(" ")}.`);
    if (OPERATORS.includes(tree.token)) [tree.left, tree.right] = [read(), read()];
    return tree;
  };
  const tree = read();
  if (at < names.length) throw new RangeError(`The expression is over before ${names.slice(at).join(" ")}.`);
  return tree;
}

export function parseExpression(text, modulus) {
  const words = text.replace(/[*·x]/g, "×").replace(/[−–]/g, "-").match(/\d+|[^\s\d]/g) ?? [];
  let next = 0;
  const fail = (wanted) => {
    throw new RangeError(`Expected ${wanted}, found ${next < words.length ? `“${words[next]}”` : "the end"}${next ? ` after “${words.slice(0, next).join(" ")}”` : ""}.`);
  };
  const operand = () => {
    if (words[next] === "(") {
      next++;
      const inner = terms();
      if (words[next] !== ")") fail("an operator or )");
      next++;
      return inner;
    }
    if (!/^\d+$/.test(words[next] ?? "") || Number(words[next]) >= modulus) fail(`a number from 0 to ${modulus - 1} or (`);
    return [String(Number(words[next++]))];
  };
  const chain = (operators, part) => () => {
    let left = part();
    while (operators.includes(words[next])) left = [words[next++], ...left, ...part()];
    return left;
  };
  const terms = chain(["+", "-"], chain(["×"], operand));
  const names = terms();
  if (next < words.length) fail("an operator or the end");
  return parsePrefix(names);
}

export function prefixOf(tree) {
  return tree.left ? [tree.token, ...prefixOf(tree.left), ...prefixOf(tree.right)] : [tree.token];
}

export function writeOut(tree) {
  if (!tree.left) return tree.token;
  const part = (operand) => (operand.left ? `(${writeOut(operand)})` : operand.token);
  return `${part(tree.left)} ${tree.token} ${part(tree.right)}`;
}

export function valueOf(tree, modulus) {
  if (!tree.left) return Number(tree.token);
  const left = valueOf(tree.left, modulus), right = valueOf(tree.right, modulus);
  const value = tree.token === "+" ? left + right : tree.token === "-" ? left - right : left * right;
  return ((value % modulus) + modulus) % modulus;
}

export function expressionPrompt(tree) {
  return ["<bos>", ...prefixOf(tree), "<answer>"];
}

export function randomExpression(operators, modulus, random) {
  const below = (n) => Math.floor(random() * n);
  const grow = (count) => {
    if (!count) return [String(below(modulus))];
    const left = below(count);
    return [OPERATORS[below(OPERATORS.length)], ...grow(left), ...grow(count - 1 - left)];
  };
  return parsePrefix(grow(operators));
}
