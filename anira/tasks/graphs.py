"""Families of directed acyclic graphs to draw BREVO's instances from.

A family is a small frozen object with its knobs, such as `Layered(width=3)`; its generator is compiled
and stands in `dags.py` under the same name. In every graph each dependency comes before what depends on
it, and the last node, which BREVO asks about, has at least one.
"""

from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from anira.tasks.dags import CHAINS, DENSE, HUBS, LAYERED, MAX_DEGREE, PHYSICS, SPARSE, TREE


@dataclass(frozen=True)
class Family:
    """What BREVO asks of a family of graphs. The fields of a family are its knobs, all numbers."""

    code: ClassVar[int]  # which generator of `dags.py`
    limits: ClassVar[dict[str, tuple[float, float]]] = {}  # smallest and largest value of each knob

    def __post_init__(self):
        for name, (smallest, largest) in self.limits.items():
            value = getattr(self, name)
            if not smallest <= value <= largest:
                raise ValueError(f"{type(self).__name__} takes {name} from {smallest} to {largest}, received {value}.")

    @property
    def knobs(self) -> np.ndarray:
        """(2,) float64, the fields in order: what the compiled generator receives."""
        values = [getattr(self, field.name) for field in fields(self)]
        return np.array(values + [0] * (2 - len(values)), np.float64)

    @property
    def smallest(self) -> int:
        """The fewest nodes that a graph of this family can have."""
        return 2

    def max_edges(self, n: int) -> int:
        """Edges that a graph on n nodes has at most."""
        raise NotImplementedError


@dataclass(frozen=True)
class Physics(Family):
    """The paper's graphs (PhysicsLM 4.1): no node has more than four parents or four children.

    The number of leaves is uniform in 1..(n-1)//4+1; every later node draws a number of parents
    uniformly in 1..4 and takes them, without repetition, from the earlier nodes that still have fewer
    than four children.
    """

    code: ClassVar[int] = PHYSICS

    def max_edges(self, n: int) -> int:
        return sum(min(MAX_DEGREE, node) for node in range(n))


@dataclass(frozen=True)
class Chains(Family):
    """Nodes in a line, each depending on the one before; with several `chains`, the query ends one of them.

    Each chain has a first node; every other node joins a chain drawn uniformly.
    """

    code: ClassVar[int] = CHAINS
    chains: int = 1
    limits: ClassVar = {"chains": (1, 100)}

    @property
    def smallest(self) -> int:
        return self.chains + 1

    def max_edges(self, n: int) -> int:
        return n - self.chains


@dataclass(frozen=True)
class Tree(Family):
    """Every node but the query is needed by exactly one other, so the query depends on all of them.

    Going down from the query, each node picks that one uniformly among those placed before which have
    fewer than `branching` dependencies. `branching=1` is a chain.
    """

    code: ClassVar[int] = TREE
    branching: int = 3
    limits: ClassVar = {"branching": (1, 1000)}

    def max_edges(self, n: int) -> int:
        return n - 1


@dataclass(frozen=True)
class Layered(Family):
    """Layers of `width` nodes (the last may be smaller); a node depends on 1 to `parents` of the layer before.

    Both the number and the nodes are drawn uniformly, without repetition.
    """

    code: ClassVar[int] = LAYERED
    width: int = 3
    parents: int = 2
    limits: ClassVar = {"width": (1, 100), "parents": (1, 100)}

    @property
    def smallest(self) -> int:
        return self.width + 1

    def max_edges(self, n: int) -> int:
        return max(n - self.width, 0) * min(self.parents, self.width)


@dataclass(frozen=True)
class Sparse(Family):
    """Each node depends on 0 to `parents` earlier ones, number and nodes uniform: edges grow like n.

    The query depends on at least one.
    """

    code: ClassVar[int] = SPARSE
    parents: int = 3
    limits: ClassVar = {"parents": (1, 100)}

    def max_edges(self, n: int) -> int:
        return sum(min(self.parents, node) for node in range(n))


@dataclass(frozen=True)
class Dense(Family):
    """Each node depends on each earlier one with `probability`, independently: edges grow like n².

    A query that would depend on none depends on one drawn uniformly.
    """

    code: ClassVar[int] = DENSE
    probability: float = 0.3
    limits: ClassVar = {"probability": (0, 1)}

    def max_edges(self, n: int) -> int:
        return n * (n - 1) // 2


@dataclass(frozen=True)
class Hubs(Family):
    """Preferential attachment: each node depends on `parents` earlier ones, popular ones first.

    An earlier node is drawn, without repetition, with weight 1 + `attraction` × its out-degree.
    """

    code: ClassVar[int] = HUBS
    parents: int = 2
    attraction: float = 1.0
    limits: ClassVar = {"parents": (1, 100), "attraction": (0, 100)}

    def max_edges(self, n: int) -> int:
        return sum(min(self.parents, node) for node in range(n))


PAPER = Physics()
FAMILIES = (Physics, Chains, Tree, Layered, Sparse, Dense, Hubs)


def node_names(count: int) -> tuple[str, ...]:
    """The first `count` of the names a, …, z, aa, ab, …, zz, at most 702.

    >>> node_names(28)[-3:]
    ('z', 'aa', 'ab')
    """
    letters = [chr(ord("a") + i) for i in range(26)]
    return tuple((letters + [a + b for a in letters for b in letters])[:count])
