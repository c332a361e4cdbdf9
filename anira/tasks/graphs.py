"""Families of directed acyclic graphs to draw BREVO's instances from.

A family is a small frozen object with its knobs, such as `Layered(width=3)`; its generator is compiled
and stands in `dags.py` under the same name. In every graph each dependency comes before what depends on
it, and the last node, which BREVO asks about, has at least one.
"""

from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import combinations, compress, permutations, product
from math import comb
from typing import ClassVar

import numpy as np

from anira.tasks.dags import CHAINS, DENSE, HUBS, LAYERED, MAX_DEGREE, PHYSICS, SPARSE, TREE
from anira.tasks.task import whole


@dataclass(frozen=True)
class Family:
    """What BREVO asks of a family of graphs. The fields of a family are its knobs, all numbers."""

    code: ClassVar[int]  # which generator of `dags.py`
    limits: ClassVar[dict[str, tuple[float, float]]] = {}  # smallest and largest value of each knob

    def __post_init__(self):
        for field in fields(self):
            name, (smallest, largest) = field.name, self.limits[field.name]
            value = getattr(self, name)
            if field.type is int:
                value = whole(value, f"The {name} of {type(self).__name__}")
            elif isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
                value = float(value)
            else:
                raise ValueError(f"{type(self).__name__} takes {name} from {smallest} to {largest}, received {value!r:.100}.")
            object.__setattr__(self, name, value)
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

    def allows(self, parents: list[set[int]], children: list[int]) -> bool:
        """Whether a graph can be drawn: `parents` of each node in topological order, and the number of its `children`."""
        raise NotImplementedError

    def problems(self, n: int, names: int) -> int:
        """Different sets of edges, with a query, of graphs on n nodes whose names are among `names`.

        Nodes without edges cannot be seen, so graphs that differ in those alone are one problem. It lists all 2^(n (n-1) / 2)
        graphs under each naming, which takes a second at n = 5.
        """
        return sum(comb(names, nodes) * count for nodes, count in _namings(self, n).items())


@dataclass(frozen=True)
class Physics(Family):
    """The paper's graphs (PhysicsLM 4.1): no node has more than four parents or four children.

    The number of leaves is uniform in 1..(n-1)//4+1; every later node draws a number of parents
    uniformly in 1..4 and takes them, without repetition, from the earlier nodes that still have fewer
    than four children.
    """

    code: ClassVar[int] = PHYSICS

    def allows(self, parents: list[set[int]], children: list[int]) -> bool:
        leaves = sum(not above for above in parents)
        first = not any(parents[:leaves]) and leaves <= (len(parents) - 1) // 4 + 1
        return first and max(map(len, parents)) <= MAX_DEGREE and max(children) <= MAX_DEGREE

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

    def allows(self, parents: list[set[int]], children: list[int]) -> bool:
        return list(map(len, parents)) == [0] * self.chains + [1] * (len(parents) - self.chains) and max(children) <= 1

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

    def allows(self, parents: list[set[int]], children: list[int]) -> bool:
        return children == [1] * (len(parents) - 1) + [0] and max(map(len, parents)) <= self.branching

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

    def allows(self, parents: list[set[int]], children: list[int]) -> bool:
        before = [set(range((node // self.width - 1) * self.width, node // self.width * self.width)) for node in range(len(parents))]
        return all(not above if node < self.width else above <= before[node] and 1 <= len(above) <= self.parents for node, above in enumerate(parents))

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

    def allows(self, parents: list[set[int]], children: list[int]) -> bool:
        return max(map(len, parents)) <= self.parents and len(parents[-1]) > 0

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

    def allows(self, parents: list[set[int]], children: list[int]) -> bool:
        edges, n = sum(map(len, parents)), len(parents)
        return len(parents[-1]) > 0 and (self.probability > 0 or edges == 1) and (self.probability < 1 or edges == n * (n - 1) // 2)

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

    def allows(self, parents: list[set[int]], children: list[int]) -> bool:
        return all(len(above) == min(self.parents, node) for node, above in enumerate(parents))

    def max_edges(self, n: int) -> int:
        return sum(min(self.parents, node) for node in range(n))


@lru_cache(maxsize=100)
def _namings(family: Family, n: int) -> dict[int, int]:
    """How many nodes can have edges → how many problems there are on exactly the names 0, 1, … of as many."""
    found: dict[int, set] = {}
    pairs = list(combinations(range(n), 2))
    for chosen in product((False, True), repeat=len(pairs)):
        edges = list(compress(pairs, chosen))
        parents, children = [{u for u, v in edges if v == node} for node in range(n)], [sum(u == node for u, _ in edges) for node in range(n)]
        if family.allows(parents, children):
            nodes = sorted({node for edge in edges for node in edge})
            for named in permutations(range(len(nodes))):
                name = dict(zip(nodes, named, strict=True))
                found.setdefault(len(nodes), set()).add((name[n - 1], frozenset((name[u], name[v]) for u, v in edges)))
    return {nodes: len(problems) for nodes, problems in found.items()}


PAPER = Physics()
FAMILIES = (Physics, Chains, Tree, Layered, Sparse, Dense, Hubs)


def node_names(count: int) -> tuple[str, ...]:
    """The first `count` of the names a, …, z, aa, ab, …, zz, at most 702.

    >>> node_names(28)[-3:]
    ('z', 'aa', 'ab')
    """
    letters = [chr(ord("a") + i) for i in range(26)]
    return tuple((letters + [a + b for a in letters for b in letters])[:count])
