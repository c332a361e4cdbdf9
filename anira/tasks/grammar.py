"""Probabilistic context-free grammars: written as text, checked, and laid out in arrays for the compiled code.

A grammar here expands every symbol to strings of bounded length: no symbol can contain itself. The
*height* of a symbol is the number of rules on the longest path from it down to a terminal; the start
symbol is the only one of the largest height.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np

SYMBOL = r"[^\s'|\[\]]+"
TALLEST = 200  # levels of rules
NAME = rf"(?:'[^\s'|]+'|{SYMBOL})"


class Rule(NamedTuple):
    """One way to expand a symbol: `symbols` are names, of terminals in quotes."""

    symbols: tuple[str, ...]
    probability: float


@dataclass(frozen=True)
class Tree:
    """A symbol with what it expands to: trees, and the names of terminals without quotes.

    >>> print(Tree("S", (Tree("A", ("a", "b")), "c")))
    (S (A a b) c)
    """

    symbol: str
    children: tuple["Tree | str", ...]

    def __str__(self) -> str:
        return f"({' '.join([self.symbol, *map(str, self.children)])})"

    def leaves(self) -> Iterator[str]:
        """The terminals from left to right."""
        for child in self.children:
            yield from child.leaves() if isinstance(child, Tree) else (child,)


class Tables(NamedTuple):
    """A grammar as arrays. Symbols are numbers: terminals 0..V-1, then N nonterminals, each before those it contains.

    Nonterminal 0 is an added start with one rule, `start → X end`, for each symbol X that strings are derived
    from. A *dotted rule* is a rule and a place in its right-hand side; dot + 1 is the next place.

    first_rule (N + 1,): the rules of nonterminal y are first_rule[y]:first_rule[y + 1] · probability,
    cumulative (R,): of each rule, and summed over the symbol's rules up to it · first_dot (R,): the dotted
    rule at its beginning · after (D,): the symbol that follows the dot, -1 at the end · left (D,): the
    nonterminal on the rule's left-hand side.
    """

    terminals: int
    first_rule: np.ndarray
    probability: np.ndarray
    cumulative: np.ndarray
    first_dot: np.ndarray
    after: np.ndarray
    left: np.ndarray


@dataclass(frozen=True)
class Grammar:
    """A probabilistic context-free grammar in NLTK's notation.

    One symbol a line with its alternatives, each followed by its probability in brackets; alternatives
    without any are equally likely. Terminals stand in quotes; the first symbol is the start.

    Raises `ValueError` for text that is no such grammar: a symbol without rules, one that can contain
    itself or cannot be reached, probabilities that do not sum to 1.

    >>> grammar = Grammar("S -> A 'c' [0.9] | A A [0.1]" "\\n" "A -> 'a' | 'a' 'b'")
    >>> grammar.heights, grammar.longest
    ({'S': 2, 'A': 1}, {'S': 4, 'A': 2})
    """

    text: str

    def __post_init__(self):
        if not isinstance(self.text, str):
            raise ValueError(f"A grammar is a text such as S -> 'a' 'b', received {self.text!r:.100}.")
        rules = self.rules
        if not rules:
            raise ValueError("A grammar needs at least one rule, such as S -> 'a' 'b', received none.")
        for symbol, alternatives in rules.items():
            unknown = [name for rule in alternatives for name in rule.symbols if not is_terminal(name) and name not in rules]
            if unknown:
                raise ValueError(f"{symbol} expands to {unknown[0]}, which has no rules. Write terminals in quotes: '{unknown[0]}'.")
            if len({rule.symbols for rule in alternatives}) < len(alternatives):
                raise ValueError(f"{symbol} has the same alternative twice.")
            total = sum(rule.probability for rule in alternatives)
            if not abs(total - 1) < 1e-9 or min(rule.probability for rule in alternatives) <= 0:
                raise ValueError(f"The probabilities of {symbol} must be positive and sum to 1, received {[rule.probability for rule in alternatives]}.")
        unreachable = rules.keys() - self.heights.keys()
        if unreachable:
            raise ValueError(f"{self.start} never leads to {', '.join(sorted(unreachable))}.")

    @cached_property
    def rules(self) -> Mapping[str, tuple[Rule, ...]]:
        """The alternatives of each symbol, the start first."""
        rules: dict[str, list[Any]] = {}
        for line in filter(str.strip, self.text.splitlines()):
            symbol, arrow, right = (part.strip() for part in line.partition("->"))
            if not arrow or not re.fullmatch(SYMBOL, symbol):
                raise ValueError(f"A line of a grammar reads like S -> A 'b' | 'c', received {line!r}.")
            rules.setdefault(symbol, []).extend(alternatives(symbol, right))
        return {symbol: equal_shares(symbol, listed) for symbol, listed in rules.items()}

    @property
    def start(self) -> str:
        """The symbol that whole strings are derived from."""
        return next(iter(self.rules))

    @cached_property
    def terminals(self) -> tuple[str, ...]:
        """Names of the terminals, without quotes, sorted."""
        names = {name for rules in self.rules.values() for rule in rules for name in rule.symbols}
        return tuple(sorted(name.strip("'") for name in names if is_terminal(name)))

    @cached_property
    def heights(self) -> Mapping[str, int]:
        """Rules on the longest path from each symbol down to a terminal, the tallest symbol first."""
        heights = {}

        def visit(symbol, path):
            if is_terminal(symbol):
                return 0
            if len(path) > TALLEST:
                raise ValueError(f"A grammar has at most {TALLEST} levels of rules, received more.")
            if symbol in path:
                raise ValueError(f"{' -> '.join([*path[path.index(symbol) :], symbol])}: a symbol must not contain itself, or strings have no bound.")
            if symbol not in heights:
                heights[symbol] = 1 + max(visit(name, [*path, symbol]) for rule in self.rules[symbol] for name in rule.symbols)
            return heights[symbol]

        visit(self.start, [])
        return dict(sorted(heights.items(), key=lambda item: -item[1]))

    @property
    def height(self) -> int:
        """That of the start."""
        return self.heights[self.start]

    @cached_property
    def longest(self) -> Mapping[str, int]:
        """Terminals of the longest string of each symbol."""
        return self._lengths(max)

    @cached_property
    def shortest(self) -> Mapping[str, int]:
        """Terminals of the shortest string of each symbol."""
        return self._lengths(min)

    def _lengths(self, extreme):
        lengths = {}
        for symbol in reversed(self.heights):
            lengths[symbol] = extreme(sum(lengths.get(name, 1) for name in rule.symbols) for rule in self.rules[symbol])
        return dict(reversed(lengths.items()))

    @cached_property
    def derivations(self) -> Mapping[str, int]:
        """Ways to derive a string from each symbol: as many as there are strings, or more where one has several trees."""
        counts: dict[str, int] = {}
        for symbol in reversed(list(self.heights)):
            counts[symbol] = sum(prod(counts.get(name, 1) for name in rule.symbols) for rule in self.rules[symbol])
        return dict(reversed(counts.items()))

    def strings(self, symbol: str) -> set[tuple[str, ...]]:
        """All strings of a symbol, each a tuple of terminals without quotes. There are at most `derivations[symbol]`."""
        found = set()
        for rule in self.rules[symbol]:
            parts = [[(name.strip("'"),)] if is_terminal(name) else self.strings(name) for name in rule.symbols]
            found |= {sum(chosen, ()) for chosen in product(*parts)}
        return found

    def at_height(self, height: int) -> list[str]:
        """The symbols of this height."""
        return [symbol for symbol, value in self.heights.items() if value == height]

    def tables(self, starts: Sequence[str], tokens: Mapping[str, int], end: int) -> Tables:
        """Arrays for strings of the symbols `starts`, all equally likely, each ended by the token `end`.

        `tokens` gives the number of each terminal; both lie within 0..V-1, V = 1 + the largest of them.
        """
        terminals = 1 + max(end, *tokens.values())
        numbers = {symbol: terminals + 1 + i for i, symbol in enumerate(self.heights)} | {f"'{name}'": number for name, number in tokens.items()}
        rules: list[list[tuple[tuple[int, ...], float]]] = [[((numbers[symbol], end), 1 / len(starts)) for symbol in starts]]
        rules += [[(tuple(numbers[name] for name in rule.symbols), rule.probability) for rule in self.rules[symbol]] for symbol in self.heights]
        after = [[*symbols, -1] for listed in rules for symbols, _ in listed]
        left = [np.full(len(symbols) + 1, y) for y, listed in enumerate(rules) for symbols, _ in listed]
        return Tables(
            terminals,
            np.cumsum([0, *map(len, rules)]),
            np.array([probability for listed in rules for _, probability in listed]),
            np.concatenate([np.cumsum([probability for _, probability in listed]) for listed in rules]),
            np.cumsum([0, *map(len, after)])[:-1],
            np.concatenate(after),
            np.concatenate(left),
        )


def is_terminal(name: str) -> bool:
    """Whether a name in a rule stands for a terminal: those are in quotes."""
    return name.startswith("'")


def alternatives(symbol: str, right: str) -> list[tuple[tuple[str, ...], float | None]]:
    """The right-hand sides in a line of a grammar, each with its probability where the line gives one."""
    found = []
    for part in right.split("|"):
        match = re.fullmatch(rf"({NAME}(?:\s+{NAME})*)\s*(?:\[([^\]]*)\])?", part.strip())
        if not match:
            raise ValueError(f"An alternative of {symbol} must be names, terminals in quotes, and perhaps [a probability]; received {part.strip()!r}.")
        names, probability = match.groups()
        try:
            found.append((tuple(names.split()), None if probability is None else float(probability)))
        except ValueError:
            raise ValueError(f"The probability of an alternative of {symbol} must be a number, received {probability!r}.") from None
    return found


def equal_shares(symbol: str, found: Sequence[tuple[tuple[str, ...], float | None]]) -> tuple[Rule, ...]:
    """The alternatives as rules; where no probability is given, all have the same."""
    given = sum(probability is not None for _, probability in found)
    if given not in (0, len(found)):
        raise ValueError(f"{symbol} must give a probability to each of its alternatives or to none.")
    return tuple(Rule(names, 1 / len(found) if probability is None else probability) for names, probability in found)


def layered(levels: Sequence[Mapping[str, str]]) -> Grammar:
    """A grammar in layers: each level's symbols expand to symbols of the next, the last level's to terminals.

    A level maps each symbol, one character, to its alternatives, `"012|120"`. Symbols of the level under the
    root are called A0, A1, …, those under them B0, B1, …

    >>> print(layered([{"S": "01|10"}, {"0": "01|011", "1": "10"}]).text)
    S -> A0 A1 | A1 A0
    A0 -> '0' '1' | '0' '1' '1'
    A1 -> '1' '0'
    """
    letters = ["", *map(chr, range(ord("A"), ord("Z") + 1))]
    lines = []
    for level, rules in enumerate(levels):
        name = "'{}'" if level == len(levels) - 1 else letters[level + 1] + "{}"
        for symbol, listed in rules.items():
            right = " | ".join(" ".join(name.format(character) for character in side) for side in listed.split("|"))
            lines.append(f"{letters[level]}{symbol} -> {right}")
    return Grammar("\n".join(lines))


CFG3B = layered(
    [
        {"S": "21|10"},
        {"0": "012|120", "1": "102|01", "2": "20|021"},
        {"0": "20|021", "1": "102|201", "2": "210|10"},
        {"0": "12|21", "1": "102|012", "2": "210|120"},
        {"0": "021|210", "1": "102|012", "2": "120|201"},
        {"0": "20|012", "1": "21|201", "2": "210|10"},
    ]
)


def random_grammar(depth: int = 6, symbols: int = 3, rules: int = 2, ambiguity: float = 0.0, seed: int = 0) -> Grammar:
    """A layered grammar in the manner of cfg3b, with knobs.

    Every right-hand side has two or three symbols, drawn uniformly among all such strings without repetition
    on a level; but with probability `ambiguity` it is instead one that another symbol of the level has
    already. At 0 a right-hand side tells which symbol it came from; at 1 no string does.

    Args:
        depth: levels of rules, 1 to 8; strings have between 2**depth and 3**depth tokens.
        symbols: symbols of a level, 1 to 10; those that nothing leads to are left out.
        rules: alternatives of a symbol, 1 to symbols + symbols**2, all equally likely.
        ambiguity: share of right-hand sides in common, 0 to 1.
        seed: draws the grammar.

    >>> print(random_grammar(depth=2, ambiguity=0.5, seed=1).text)
    S -> A0 A1 A1 | A1 A0 A0
    A0 -> '2' '1' | '0' '1' '1'
    A1 -> '1' '1' '2' | '2' '1'
    """
    limits = {"depth": (1, 8), "symbols": (1, 10), "rules": (1, symbols + symbols**2), "ambiguity": (0, 1)}
    for (name, (smallest, largest)), value in zip(limits.items(), (depth, symbols, rules, ambiguity), strict=True):
        if not smallest <= value <= largest:
            raise ValueError(f"A random grammar takes {name} from {smallest} to {largest}, received {value}.")
    rng = np.random.default_rng(seed)
    names = "0123456789"[:symbols]
    strings = np.array(["".join(characters) for length in (2, 3) for characters in product(names, repeat=length)])
    levels, used = [], ["S"]
    for _ in range(depth):
        fresh: list[str] = rng.permutation(strings).tolist()
        taken: list[str] = []
        level: dict[str, str] = {}
        for symbol in used:
            own = []
            for _ in range(rules):
                common = [string for string in taken if string not in own]
                own.append(common[rng.integers(len(common))] if common and rng.random() < ambiguity else fresh.pop())
            taken += [string for string in own if string not in taken]
            level[symbol] = "|".join(own)
        levels.append(level)
        used = sorted({character for listed in level.values() for character in listed} - {"|"})
    return layered(levels)
