"""Which problems are held out: one in five, by a hash of the problem, so that no list is needed and no seed.

A problem is what is asked, without what does not change the answer. Each task hashes its own:

- BREVO: the set of edges, by the names of their nodes, and the query;
- DEPO: the set of edges, so that a circle is held out with everything that can be asked of it;
- MANO: the expression in prefix order, +, - and × as 0, 1, 2 and the value v as 3 + v;
- LANO: the string, each terminal by its place among the grammar's;
- CLRS: the question, as the UTF-8 bytes of its text from the problem's name on.

Node names are numbers here: a is 0, b is 1. All hashes are 64 bits wide and wrap around; `mix` is the finalizer of
splitmix64 (Steele et al., 2014). A sequence s₁ … sₙ has the hash hₙ of h₀ = SALT, hᵢ = mix(hᵢ₋₁ + STEP + sᵢ). A set of edges
has mix(SALT + Σ mix(STEP + 1024 · tail + head)), whatever their order. A query that follows is one more sᵢ. A problem
is held out when its hash is a multiple of 5.

Drawing from one side is drawing until a problem lies there: for one size, it gives the problems that the same generator
would give with split "any", with those of the other side left out.
"""

from collections.abc import Sequence

import numpy as np

from anira.tasks.compiled import compiled
from anira.tasks.task import Instance, Split

ANY, TRAIN, HELD_OUT = -1, 0, 1  # sides, for compiled code
SIDES = {"any": ANY, "train": TRAIN, "held_out": HELD_OUT}
TRIES = 10_000  # draws until a side counts as empty
SALT = np.uint64(59)  # arbitrary, but one with which even the smallest universes fall on both sides: six strings of cfg3b, two cycles of three nodes
STEP = np.uint64(0x9E3779B97F4A7C15)


def side_of(split: Split) -> int:
    """The code of a split; `ValueError` for what is none."""
    if split not in SIDES:
        raise ValueError(f"A split is {', '.join(map(repr, SIDES))}; received {split!r}.")
    return SIDES[split]


def token_ids(instance: Instance | Sequence[int]) -> np.ndarray:
    """(T,) int64: the tokens of an instance, or the given ones."""
    return np.asarray(getattr(instance, "tokens", instance), np.int64)


def in_split(problem: Sequence[int], split: Split) -> bool:
    """Whether a problem belongs to a split, told as a sequence of whole numbers of at least 0: for a task of your own.

    >>> [in_split([3, 4, n], "held_out") for n in range(3)]
    [False, True, False]
    """
    side = side_of(split)
    return side == ANY or sequence_is_held_out(np.asarray(problem, np.int64), 0) == side


def check_filled(filled: int, sizes: Sequence[int], split: Split, task: str) -> None:
    """`ValueError` where a generator gave up before the last of its rows."""
    if filled < len(sizes):
        raise too_few(int(sizes[filled]), split, task)


def too_few(size: int, split: Split, task: str) -> ValueError:
    """The error of a generator that has tried in vain."""
    return ValueError(
        f"{TRIES} draws of {task} at size {size} gave no problem with split {split!r}: there are too few of this size. Take a larger size, or split 'any'."
    )


@compiled
def mix(x):
    """A bijection of uint64 in which every bit depends on every bit."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@compiled
def follow(hashed, item):
    """The hash of what `hashed` stands for, followed by a further item."""
    return mix(hashed + STEP + np.uint64(item))


@compiled
def sequence_is_held_out(items, offset):
    """Whether the problem is held out that is the sequence `items - offset`."""
    hashed = SALT
    for item in items:
        hashed = follow(hashed, item - offset)
    return hashed % np.uint64(5) == 0


@compiled
def graph_is_held_out(edges, names, query):
    """Whether the problem is held out that is a set of edges (m, 2) between nodes called `names`, with a query among them or -1."""
    total = SALT
    for e in range(len(edges)):
        total += mix(STEP + np.uint64(1024 * names[edges[e, 0]] + names[edges[e, 1]]))
    hashed = mix(total)
    if query >= 0:
        hashed = follow(hashed, names[query])
    return hashed % np.uint64(5) == 0
