"""LANO: what comes next in a string of this grammar?

An instance is a string drawn from a probabilistic context-free grammar, and every token of it is to be predicted
from those before (paper, section 4; the grammar cfg3b is from PhysicsLM 1).

    <bos> 2 1 0 2 1 <eos>        of S -> A B | B A, A -> 2 1 | 2 1 0, B -> 2 1 | 0 2 1: two trees have these leaves

No single token is right, so the measure of a model is its cross-entropy, and the least that any model can reach, on
average, is the mean of `surprisal`. A prefix parser (`earley.py`) computes it exactly, and what it keeps and does as
it reads a token is that token's difficulty. The paper names four such measures: parse-space expansion, parse
convergence, additions and multiplications. What is known of it does not define them; the definitions are ours.

The paper has one grammar and no knob. Here the size of an instance is the height of the symbol that its string is
derived from, one of that height drawn uniformly: of cfg3b, size 6 is the root and gives the paper's strings, size 1
a symbol that expands to terminals directly. Strings of different sizes are thus made by the same rules, and every
constituent of a long string is a shorter string of the task. Nothing in an instance tells its size: a model
that is trained on several at once has to find out, which the features, computed for the given size, do not
include.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from scipy.special import entr

from anira.tasks.compiled import compiled
from anira.tasks.earley import parse
from anira.tasks.grammar import CFG3B, Grammar, Tables, Tree, is_terminal
from anira.tasks.split import ANY, TRIES, check_filled, sequence_is_held_out, side_of, token_ids
from anira.tasks.task import Batch, Feature, Instance, Split, Vocabulary, check_sizes, to_batch

SPECIALS = ("<pad>", "<bos>", "<eos>")
BOS, EOS = 1, 2
LONGEST = 10_000  # tokens of the longest string

FEATURES = {
    "levels": Feature("structure", "answer", "rules on the longest path from the string's symbol to a terminal: the size"),
    "position": Feature("structure", "answer", "tokens of the string before this one"),
    "entropy": Feature("state", "answer", "entropy, in nats, of the grammar's next-token distribution that the token is drawn from"),
    "surprisal": Feature("state", "answer", "minus the logarithm of the token's probability there, in nats"),
    "expansion": Feature("state", "answer", "parse-space expansion: states that the prefix parser adds when it reads the token"),
    "ambiguity": Feature("state", "answer", "entropy, in nats, of the partial parses that are left after the token; 0 when there is one"),
    "convergence": Feature("state", "answer", "parse convergence: by how much the token lowers the ambiguity; negative where it rises"),
    "additions": Feature("state", "answer", "additions of probabilities that the prefix parser performs to read the token"),
    "multiplications": Feature("state", "answer", "multiplications of probabilities that the prefix parser performs to read the token"),
}


@lru_cache(maxsize=100)
def tables_of(grammar: Grammar, size: int) -> Tables:
    """The grammar's arrays for strings of this size; the numbers of its symbols are tokens of LANO."""
    numbers = {name: len(SPECIALS) + i for i, name in enumerate(grammar.terminals)}
    return grammar.tables(grammar.at_height(size), numbers, EOS)


@compiled
def derive(rng: np.random.Generator, tables: Tables, tokens: np.ndarray, rules: np.ndarray) -> int:
    """Write a string into `tokens` and, where there is room, the numbers of its rules into `rules`; returns its length."""
    terminals, first_rule, _, cumulative, first_dot, after, _ = tables
    stack = np.empty(len(after), np.int64)  # symbols to be expanded, leftmost on top
    tokens[0] = BOS
    t, top, used = 1, 0, 0
    stack[0] = terminals
    while top >= 0:
        symbol = stack[top]
        top -= 1
        if symbol < terminals:
            tokens[t] = symbol
            t += 1
            continue
        rule, last = first_rule[symbol - terminals], first_rule[symbol - terminals + 1] - 1
        if rule < last:
            draw = rng.random()
            while rule < last and draw >= cumulative[rule]:
                rule += 1
        if len(rules):
            rules[used] = rule
            used += 1
        dot = first_dot[rule]
        while after[dot] >= 0:
            dot += 1
        while dot > first_dot[rule]:
            dot -= 1
            top += 1
            stack[top] = after[dot]
    return t


@compiled
def fill(rng, side, tables, rows, tokens, lengths, rules):
    """Derive a string in each of the given rows, leftmost symbol first; returns how many rows it could.

    Where `rules` (B, R) has rows, they receive the numbers of the rules in the order of their use.
    """
    for i in range(len(rows)):
        row = rows[i]
        for _ in range(TRIES):
            length = lengths[row] = derive(rng, tables, tokens[row], rules[row] if len(rules) else rules.ravel())
            if side == ANY or sequence_is_held_out(tokens[row, 1 : length - 1], len(SPECIALS)) == side:
                break
            tokens[row, :length] = 0
        else:
            return i
    return len(rows)


@dataclass(frozen=True)
class Lano:
    """The LANO task.

    Args:
        sizes: heights of the symbols that strings are derived from, in equal shares; by default the root's alone.
        grammar: a `Grammar`; cfg3b by default, see `anira.tasks.grammar` for others.

    >>> task = Lano()
    >>> instance = task.sample(2, np.random.default_rng(0))
    >>> print(instance.source, "=", *task.vocabulary.decode(instance.answer))
    (D1 (E1 2 1) (E0 2 0) (E2 1 0)) = 2 1 2 0 1 0 <eos>
    """

    sizes: Sequence[int] = None  # type: ignore[assignment]  # until __post_init__
    grammar: Grammar = CFG3B

    name = "lano"
    symbol = "h"
    knob = "levels of rules that the string is made by"
    source = "paper, section 4; PhysicsLM 1"
    features = FEATURES
    end_token = EOS
    unique_answer = False

    def __post_init__(self):
        if not isinstance(self.grammar, Grammar):
            raise ValueError(f"The grammar of LANO is a Grammar, see anira.tasks.grammar; received {self.grammar!r:.100}.")
        object.__setattr__(self, "sizes", self._checked([self.grammar.height] if self.sizes is None else self.sizes))
        taken = set(SPECIALS) & set(self.grammar.terminals)
        if taken:
            raise ValueError(f"LANO has tokens {', '.join(SPECIALS)} of its own, received a grammar with terminals {', '.join(sorted(taken))}.")

    def _checked(self, sizes):
        return check_sizes(sizes, *self.size_limits, f"LANO with a grammar of height {self.grammar.height} and strings up to {LONGEST} tokens")

    @property
    def size_limits(self) -> tuple[int, int]:
        """From symbols that expand to terminals alone to the root, or the tallest with strings up to `LONGEST`."""
        too_long = [self.grammar.heights[symbol] for symbol, length in self.grammar.longest.items() if length > LONGEST]
        return 1, min([*too_long, self.grammar.height + 1]) - 1

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary((*SPECIALS, *self.grammar.terminals))

    def problems(self, size: int) -> int | None:
        """Different strings; None where there are more than 10 000 ways to derive one, too many to list."""
        (size,) = self._checked([size])
        symbols = self.grammar.at_height(size)
        if sum(self.grammar.derivations[symbol] for symbol in symbols) > 10_000:
            return None
        return len(set().union(*map(self.grammar.strings, symbols)))

    def max_length(self, size: int) -> int:
        """Tokens of the longest string of this size, with <bos> and <eos>."""
        (size,) = self._checked([size])
        return 2 + max(self.grammar.longest[symbol] for symbol in self.grammar.at_height(size))

    def batch(self, n: int, rng: np.random.Generator, size: int | None = None, *, split: Split = "any") -> Batch:
        """`n` instances of one size, or of the task's mixture, from one side of the split."""
        sizes = rng.choice(self.sizes, n) if size is None else np.full(n, *self._checked([size]))
        tokens, lengths, _ = self._fill(sizes, rng, split, with_rules=False)
        return to_batch(tokens, np.ones_like(lengths), lengths, sizes)

    def batch_with_features(self, n: int, rng: np.random.Generator, size: int | None = None, *, split: Split = "any") -> tuple[Batch, np.ndarray]:
        """What `batch` draws, and the features of its tokens (B, T, F) in the order of `features`, NaN where one says nothing."""
        batch = self.batch(n, rng, size, split=split)
        features = np.full((*batch.tokens.shape, len(FEATURES)), np.nan)
        for row, tokens, length, height in zip(features, batch.tokens.numpy(), batch.lengths.tolist(), batch.sizes.tolist(), strict=True):
            row[:length] = self._measure(tokens[:length], height)
        return batch, features

    def sample(self, size: int, rng: np.random.Generator, *, split: Split = "any") -> Instance:
        """One instance; its source is the `Tree` by which the string was derived."""
        (size,) = self._checked([size])
        tokens, (length,), (rules,) = self._fill(np.array([size]), rng, split, with_rules=True)
        tokens = tuple(int(token) for token in tokens[0, :length])
        return Instance(tokens[:1], tokens[1:], size, self._tree(size, rules), self.measure(tokens, size))

    def held_out(self, instance: Instance | Sequence[int]) -> bool:
        """Whether the string is held out; `ValueError` for tokens that end without <eos>."""
        tokens = token_ids(instance)
        (end,) = np.flatnonzero(tokens == EOS)[:1].tolist() or [0]
        if end < 1:
            raise ValueError(f"An instance of LANO reads <bos>, a string and <eos>, received {tokens.tolist()}.")
        return sequence_is_held_out(tokens[1:end], len(SPECIALS))

    def next_probs(self, tokens: Sequence[int], size: int) -> np.ndarray:
        """The grammar's own distribution of each next token, in a string of this size.

        tokens (T,): <bos> and a string, whole or only begun. Returns (T, V) float64: row i is the distribution
        of token i + 1 given tokens 0 to i, as is row i of a model's logits; the row of <eos> is zero. Raises
        `ValueError` for tokens that no string begins with.

        >>> Lano().next_probs([BOS], size=6)
        array([[0.     , 0.     , 0.     , 0.15625, 0.125  , 0.71875]])
        """
        return self._parse(tokens, size)[0]

    def measure(self, tokens: Sequence[int], size: int) -> dict[str, np.ndarray]:
        """The features of a string, <bos> first: name → (T,) float64, NaN at <bos>. Raises as `next_probs` does."""
        return dict(zip(FEATURES, self._measure(tokens, size).T, strict=True))

    def _measure(self, tokens, size):
        next_probs, measures = self._parse(tokens, size)
        expansion, ambiguity, additions, multiplications = measures.T
        features = np.full((len(tokens), len(FEATURES)), np.nan)
        features[1:, 0] = size
        features[1:, 1] = position = np.arange(len(tokens) - 1)
        features[1:, 2] = np.maximum(entr(next_probs[:-1]).sum(1), 0)  # a probability of 1 may be 1 + 2e-16
        features[1:, 3] = np.maximum(np.log(1 / next_probs[position, tokens[1:]]), 0)
        features[1:, 4] = expansion
        features[1:, 5] = ambiguity
        features[1:, 6] = np.append(0, ambiguity[:-1]) - ambiguity
        features[1:, 7] = additions
        features[1:, 8] = multiplications
        return features

    def _parse(self, tokens, size):
        (size,) = self._checked([size])
        if len(tokens) == 0 or tokens[0] != BOS:
            raise ValueError(f"A string of LANO begins with <bos>, {BOS}, received {list(tokens[:1])}.")
        return parse(np.array(tokens[1:], np.int64), tables_of(self.grammar, size))

    def _fill(self, sizes, rng, split, *, with_rules):
        longest = max(map(self.max_length, set(sizes.tolist())))
        tokens, lengths = np.zeros((len(sizes), longest), np.int64), np.zeros(len(sizes), np.int64)
        rules = np.zeros((len(sizes), 1 + longest * self.grammar.height) if with_rules else (0, 0), np.int64)
        for size in set(sizes.tolist()):
            rows = np.flatnonzero(sizes == size)
            filled = fill(rng, side_of(split), tables_of(self.grammar, size), rows, tokens, lengths, rules)
            check_filled(filled, sizes[rows], split, f"LANO with a grammar of height {self.grammar.height}")
        return tokens, lengths, rules

    def _tree(self, size, rules):
        starts = self.grammar.at_height(size)
        listed = [(symbol, rule.symbols) for symbol in self.grammar.heights for rule in self.grammar.rules[symbol]]
        remaining = iter(rules[1:])

        def grow():
            symbol, names = listed[next(remaining) - len(starts)]
            return Tree(symbol, tuple(name.strip("'") if is_terminal(name) else grow() for name in names))

        return grow()
