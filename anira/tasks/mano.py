"""MANO: what is the value of this expression, modulo 23?

The prompt is an arithmetic expression over +, - and × in prefix notation, the answer its value: one token
(paper, section 4; PhysicsLM 4.1).

    <bos> - × 3 4 + 1 22 <answer> 12        (3 × 4) - (1 + 22), modulo 23

An expression with L operators is drawn from the root down: one operator, uniform among the three; of the
other L-1 a number uniform in 0..L-1 goes to its left operand and the rest to its right one; an operand
without operators is uniform among the 23 values. A stack machine reads the tokens from left to right;
what it holds when a token arrives is that token's difficulty.
"""

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import comb

import numpy as np

from anira.tasks.compiled import compiled
from anira.tasks.split import ANY, TRIES, check_filled, sequence_is_held_out, side_of, token_ids
from anira.tasks.task import Batch, Feature, Instance, Split, Vocabulary, check_sizes, to_batch, whole

SPECIALS = ("<pad>", "<bos>", "<answer>")
OPERATORS = {"+": operator.add, "-": operator.sub, "×": operator.mul}
BOS, ANSWER = 1, 2
PLUS, MINUS, TIMES = range(len(SPECIALS), len(SPECIALS) + len(OPERATORS))
ZERO = TIMES + 1  # the token of the value 0; the other values follow

FEATURES = {
    "operators": Feature("structure", "answer", "operators of the expression, L"),
    "multiplications": Feature("structure", "answer", "operators that are ×"),
    "tree_height": Feature("structure", "answer", "operators on the longest path from the root to an operand"),
    "slots_left": Feature("state", "prompt", "operand slots left of the operator on top of the stack, when the token arrives; 0 if the stack is empty"),
    "completed_size": Feature("state", "prompt", "tokens of the subtree completed just before the token arrives; 0 after an operator"),
    "stack_height": Feature("state", "prompt", "operators on the stack when the token arrives"),
    "completions": Feature("state", "prompt", "operators that the token gives their last operand, and so their value"),
}


@dataclass(frozen=True)
class Expression:
    """A binary operator applied to two operands, each a number or another expression.

    >>> expression = Expression("-", Expression("×", 3, 4), 5)
    >>> print(expression)
    (3 × 4) - 5
    >>> list(expression.prefix()), expression.value(23)
    (['-', '×', '3', '4', '5'], 7)
    """

    operator: str
    left: "Expression | int"
    right: "Expression | int"

    def __str__(self) -> str:
        left, right = (f"({operand})" if isinstance(operand, Expression) else operand for operand in (self.left, self.right))
        return f"{left} {self.operator} {right}"

    def value(self, modulus: int) -> int:
        """The value in 0..modulus-1."""
        left, right = (operand.value(modulus) if isinstance(operand, Expression) else operand for operand in (self.left, self.right))
        return OPERATORS[self.operator](left, right) % modulus

    def prefix(self) -> Iterator[str]:
        """Token names in prefix order."""
        yield self.operator
        for operand in (self.left, self.right):
            yield from operand.prefix() if isinstance(operand, Expression) else (str(operand),)

    @classmethod
    def parse(cls, names: Iterator[str]) -> "Expression | int":
        """The expression at the start of `names`, in prefix order; what follows it is left unread.

        >>> print(Expression.parse(iter("+ 1 × 2 3".split())))
        1 + (2 × 3)
        """
        name = next(names)
        return cls(name, cls.parse(names), cls.parse(names)) if name in OPERATORS else int(name)


@compiled
def draw(rng: np.random.Generator, operators: int, modulus: int) -> np.ndarray:
    """The tokens of a random expression (2 · operators + 1,), in prefix order; see the top of this file."""
    tokens = np.empty(2 * operators + 1, np.int64)
    pending = np.empty(operators + 1, np.int64)  # operators still to be placed in each open operand slot
    pending[0], slots = operators, 1
    for t in range(len(tokens)):
        slots -= 1
        inside = pending[slots]
        if inside == 0:
            tokens[t] = ZERO + rng.integers(0, modulus)
        else:
            tokens[t] = rng.integers(PLUS, TIMES + 1)
            left = rng.integers(0, inside)
            pending[slots], pending[slots + 1] = inside - 1 - left, left
            slots += 2
    return tokens


@compiled
def solve(tokens: np.ndarray, modulus: int) -> tuple[int, np.ndarray, np.ndarray]:
    """The value of a prefix expression by a stack machine, and what the machine holds as each token arrives.

    Returns the value in 0..modulus-1, the features of the answer (3,) and those of the tokens (T, 4), in
    the order of FEATURES.
    """
    held = np.empty(len(tokens), np.int64)  # operators that wait for an operand, innermost last
    slots, size, height = np.empty_like(held), np.empty_like(held), np.empty_like(held)
    first = np.empty_like(held)  # value of the left operand
    features = np.empty((len(tokens), 4), np.float64)
    top, completed, multiplications, tallest, value = -1, 0, 0, 0, 0
    for t in range(len(tokens)):
        token, row = tokens[t], features[t]
        row[0], row[1], row[2], row[3] = slots[top] if top >= 0 else 0, completed, top + 1, 0
        if token < ZERO:
            top += 1
            held[top], slots[top], size[top], height[top] = token, 2, 1, 0
            multiplications += token == TIMES
            completed = 0
            continue
        value, completed, tallest = token - ZERO, 1, 0
        while top >= 0:
            slots[top] -= 1
            size[top] += completed
            height[top] = max(height[top], tallest + 1)
            if slots[top] == 1:
                first[top] = value
                break
            if held[top] == PLUS:
                value = first[top] + value
            elif held[top] == MINUS:
                value = first[top] - value
            else:
                value = first[top] * value
            value, completed, tallest = value % modulus, size[top], height[top]
            row[3] += 1
            top -= 1
    return value, np.array([len(tokens) // 2, multiplications, tallest], np.float64), features


@compiled
def fill(rng, side, sizes, modulus, tokens, features):
    """Draw one instance per row and write its tokens and features in place; returns how many rows it could."""
    for row in range(len(sizes)):
        end = 2 * sizes[row] + 2
        for _ in range(TRIES):
            expression = draw(rng, sizes[row], modulus)
            if side == ANY or sequence_is_held_out(expression, PLUS) == side:
                break
        else:
            return row
        value, of_answer, of_tokens = solve(expression, modulus)
        line = tokens[row]
        line[0], line[1:end], line[end], line[end + 1] = BOS, expression, ANSWER, ZERO + value
        if len(features):
            features[row, end + 1, :3] = of_answer
            features[row, 1:end, 3:] = of_tokens
    return len(sizes)


@dataclass(frozen=True)
class Mano:
    """The MANO task.

    Args:
        sizes: numbers of operators that `batch` mixes, in equal shares; each at least 1.
        modulus: how many values there are, 0 to modulus-1; at least 2.

    >>> task = Mano()
    >>> instance = task.sample(3, np.random.default_rng(0))
    >>> print(instance.source, "=", *task.vocabulary.decode(instance.answer))
    (6 - 7) × (1 + 0) = 22
    """

    sizes: Sequence[int] = tuple(range(3, 17))
    modulus: int = 23

    name = "mano"
    symbol = "L"
    knob = "operators of the expression, L"
    source = "paper, section 4; PhysicsLM 4.1"
    size_limits = (1, 100)
    features = FEATURES
    end_token = None
    unique_answer = True

    def __post_init__(self):
        object.__setattr__(self, "modulus", whole(self.modulus, "The modulus of MANO"))
        if not 2 <= self.modulus <= 1000:
            raise ValueError(f"MANO computes modulo 2 to 1000, received {self.modulus}.")
        object.__setattr__(self, "sizes", self._checked(self.sizes))

    def _checked(self, sizes):
        return check_sizes(sizes, *self.size_limits, "MANO")

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary((*SPECIALS, *OPERATORS, *map(str, range(self.modulus))))

    def problems(self, size: int) -> int:
        """Different expressions: trees of this many operators, times the choices of operators and operands."""
        (size,) = self._checked([size])
        return comb(2 * size, size) // (size + 1) * 3**size * self.modulus ** (size + 1)

    def max_length(self, size: int) -> int:
        """Tokens of every instance of this size: the expression, <bos>, <answer> and the value."""
        (size,) = self._checked([size])
        return 2 * size + 4

    def batch(self, n: int, rng: np.random.Generator, size: int | None = None, *, split: Split = "any") -> Batch:
        """`n` instances of one size, or of the task's mixture, from one side of the split."""
        return self._batch(n, rng, size, split, with_features=False)[0]

    def batch_with_features(self, n: int, rng: np.random.Generator, size: int | None = None, *, split: Split = "any") -> tuple[Batch, np.ndarray]:
        """What `batch` draws, and the features of its tokens (B, T, F) in the order of `features`, NaN where one says nothing."""
        return self._batch(n, rng, size, split, with_features=True)

    def sample(self, size: int, rng: np.random.Generator, *, split: Split = "any") -> Instance:
        """One instance; its source is an `Expression`."""
        (size,) = self._checked([size])
        tokens, features = self._fill(np.array([size]), rng, split, with_features=True)
        tokens = tuple(int(token) for token in tokens[0])
        source = Expression.parse(iter(self.vocabulary.decode(tokens[1:-2])))
        columns = {name: features[0, :, i] for i, name in enumerate(FEATURES)}
        return Instance(tokens[:-1], tokens[-1:], size, source, columns)

    def held_out(self, instance: Instance | Sequence[int]) -> bool:
        """Whether the expression is held out; `ValueError` for tokens without one."""
        tokens = token_ids(instance)
        (end,) = np.flatnonzero(tokens == ANSWER)[:1].tolist() or [0]
        if end < 2:
            raise ValueError(f"A prompt of MANO reads <bos>, an expression and <answer>, received {tokens.tolist()}.")
        return sequence_is_held_out(tokens[1:end], PLUS)

    def _batch(self, n, rng, size, split, *, with_features):
        sizes = rng.choice(self.sizes, n) if size is None else np.full(n, *self._checked([size]))
        tokens, features = self._fill(sizes, rng, split, with_features=with_features)
        lengths = 2 * sizes + 4
        return to_batch(tokens, lengths - 1, lengths, sizes), features[:, : lengths.max()]

    def _fill(self, sizes, rng, split, *, with_features):
        longest = self.max_length(sizes.max())
        tokens = np.zeros((len(sizes), longest), np.int64)
        features = np.full((len(sizes) if with_features else 0, longest, len(FEATURES)), np.nan)
        check_filled(fill(rng, side_of(split), sizes, self.modulus, tokens, features), sizes, split, f"MANO modulo {self.modulus}")
        return tokens, features
