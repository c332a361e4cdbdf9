"""DEPO: which node comes k edges after this one?

The prompt lists the shuffled edges of one directed cycle and asks, of several nodes, for the node that is
k hops further; the answer is one node per query, in the order of the queries (paper, section 4;
PhysicsLM 4.1). PhysicsLM puts each answer behind its query; here all queries come first, so that
the answer is one run of tokens.

    <bos> c →a b →c a →b <query> 2 a 2 b <answer> c a        the cycle a→b→c→a

Every cycle is longer than any number of hops asked for, so k hops are k different edges. The head of an edge has a
token of its own, as in BREVO: with bare pairs a small model is still guessing when with these it has learned it all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import comb, factorial

import networkx as nx
import numpy as np

from anira.tasks.compiled import compiled
from anira.tasks.dags import draw_names, shuffle
from anira.tasks.graphs import node_names
from anira.tasks.split import ANY, TRIES, check_filled, graph_is_held_out, side_of, token_ids
from anira.tasks.task import Batch, Feature, Instance, Split, Vocabulary, check_sizes, size_probabilities, to_batch, whole

SPECIALS = ("<pad>", "<bos>", "<query>", "<answer>")
BOS, QUERY, ANSWER = 1, 2, 3

FEATURES = {
    "hops": Feature("structure", "answer", "edges to follow from the query node, k"),
    "nodes": Feature("structure", "answer", "nodes of the cycle, N"),
    "readings": Feature("state", "answer", "times the list of edges is read from left to right to meet the k edges in order"),
    "travel": Feature("state", "answer", "edges of the list passed over between the k edges, in either direction"),
    "answered": Feature("state", "answer", "queries answered before this one"),
}


@compiled
def fill(rng, side, nodes, shares, hops, names, first_name, tokens, lengths, features):
    """Draw one instance per row and write its tokens and features in place; returns how many rows it could.

    nodes, shares: lengths of the cycle and the cumulative probability of each · hops (B, Q): those of each
    query · names: how many node names there are · first_name: the token of the first of them; as heads they follow.
    """
    queries = hops.shape[1]
    for row in range(len(hops)):
        for _ in range(TRIES):
            n = nodes[np.searchsorted(shares[:-1], rng.random(), side="right")]
            cycle = draw_names(rng, n, names)  # node i is followed by node i + 1
            order = np.arange(n).reshape(n, 1)
            shuffle(rng, order)
            starts = rng.integers(0, n, queries)
            if side == ANY or graph_is_held_out(np.stack((np.arange(n), (np.arange(n) + 1) % n), 1), cycle, -1) == side:
                break
        else:
            return row
        place = np.empty(n, np.int64)  # where in the list the edge that leaves node i stands
        line = tokens[row]
        line[0] = BOS
        t = 1
        for e in range(n):
            i = order[e, 0]
            place[i] = e
            line[t], line[t + 1] = first_name + cycle[i], first_name + names + cycle[(i + 1) % n]
            t += 2
        line[t] = QUERY
        answer = t + 1 + 2 * queries
        line[answer] = ANSWER
        lengths[row] = answer + 1 + queries
        for q in range(queries):
            i, k = starts[q], hops[row, q]
            line[t + 1 + 2 * q], line[t + 2 + 2 * q] = ANSWER + k, first_name + cycle[i]
            line[answer + 1 + q] = first_name + cycle[(i + k) % n]
            if len(features):
                readings, travel = 1, 0
                for step in range(k - 1):
                    here, there = place[(i + step) % n], place[(i + step + 1) % n]
                    readings += there < here
                    travel += abs(there - here)
                value = features[row, answer + 1 + q]
                value[0], value[1], value[2], value[3], value[4] = k, n, readings, travel, q
    return len(hops)


@dataclass(frozen=True)
class Depo:
    """The DEPO task.

    Args:
        sizes: numbers of hops, at least 1. Of a given size, every query asks for that many; in the
            mixture each query draws its own, uniformly, and the size of the instance is the largest.
        nodes: lengths of the cycle, drawn with the weights of PhysicsLM 4.1; all above the largest of `sizes`.
        queries: queries of an instance.
        node_names: how many distinct node names exist.

    >>> task = Depo()
    >>> instance = task.sample(2, np.random.default_rng(0))
    >>> print(*task.vocabulary.decode(instance.tokens[-13:]))
    2 h 2 g 2 j 2 k <answer> f d c h
    """

    sizes: Sequence[int] = tuple(range(1, 9))
    nodes: Sequence[int] = tuple(range(9, 21))
    queries: int = 4
    node_names: int = 20

    name = "depo"
    symbol = "k"
    knob = "hops asked for, k"
    source = "paper, section 4; PhysicsLM 4.1"
    features = FEATURES
    end_token = None
    unique_answer = True

    def __post_init__(self):
        object.__setattr__(self, "node_names", whole(self.node_names, "The number of node names of DEPO"))
        object.__setattr__(self, "queries", whole(self.queries, "The number of queries of DEPO"))
        if not 2 <= self.node_names <= 702:
            raise ValueError(f"DEPO has 2 to 702 node names (a to z, aa to zz), received {self.node_names}.")
        if not 1 <= self.queries <= 100:
            raise ValueError(f"DEPO asks 1 to 100 queries an instance, received {self.queries}.")
        nodes = check_sizes(self.nodes, 2, self.node_names, f"The cycle of DEPO with {self.node_names} node names")
        object.__setattr__(self, "nodes", nodes)
        object.__setattr__(self, "sizes", self._checked(self.sizes))

    @property
    def size_limits(self) -> tuple[int, int]:
        """One hop, and one less than the shortest cycle has nodes."""
        return 1, min(self.nodes) - 1

    def _checked(self, sizes: Iterable[int]) -> tuple[int, ...]:
        return check_sizes(sizes, *self.size_limits, f"DEPO with cycles of {min(self.nodes)} nodes and more")

    @cached_property
    def vocabulary(self) -> Vocabulary:
        hops, names = (str(k) for k in range(1, min(self.nodes))), node_names(self.node_names)
        return Vocabulary((*SPECIALS, *hops, *names, *(f"→{name}" for name in names)))

    def problems(self, size: int) -> int:
        """Different cycles, each with all that can be asked of it."""
        self._checked([size])
        return sum(comb(self.node_names, n) * factorial(n - 1) for n in set(self.nodes))

    def max_length(self, size: int) -> int:
        """Tokens of an instance on the longest cycle."""
        self._checked([size])
        return 2 * max(self.nodes) + 3 * self.queries + 3

    def batch(self, n: int, rng: np.random.Generator, size: int | None = None, *, split: Split = "any") -> Batch:
        """`n` instances of one size, or of the task's mixture, from one side of the split."""
        return self._batch(n, rng, size, split, with_features=False)[0]

    def batch_with_features(self, n: int, rng: np.random.Generator, size: int | None = None, *, split: Split = "any") -> tuple[Batch, np.ndarray]:
        """What `batch` draws, and the features of its tokens (B, T, F) in the order of `features`, NaN where one says nothing."""
        return self._batch(n, rng, size, split, with_features=True)

    def sample(self, size: int, rng: np.random.Generator, *, split: Split = "any") -> Instance:
        """One instance; its source is a `networkx.DiGraph` with graph attribute `queries`, pairs of hops and node."""
        (size,) = self._checked([size])
        tokens, features, (length,) = self._fill(np.full((1, self.queries), size), rng, split, with_features=True)
        tokens, end = tuple(int(token) for token in tokens[0, :length]), length - self.queries
        names = self.vocabulary.decode(tokens[:end])
        asked = names.index("<query>")
        queries = [(int(hops), node) for hops, node in zip(names[asked + 1 : -1 : 2], names[asked + 2 : -1 : 2], strict=True)]
        cycle = nx.DiGraph(queries=queries)
        cycle.add_edges_from((tail, head.removeprefix("→")) for tail, head in zip(names[1:asked:2], names[2:asked:2], strict=True))
        columns = {name: features[0, :length, i] for i, name in enumerate(FEATURES)}
        return Instance(tokens[:end], tokens[end:], size, cycle, columns)

    def held_out(self, instance: Instance | Sequence[int]) -> bool:
        """Whether the cycle, with all that can be asked of it, is held out; `ValueError` for tokens without one."""
        tokens, first = token_ids(instance), ANSWER + min(self.nodes)
        (asked,) = np.flatnonzero(tokens == QUERY)[:1].tolist() or [0]
        if asked < 2 or asked % 2 == 0:
            raise ValueError(f"A prompt of DEPO reads <bos>, edges, <query> and what is asked, received {tokens.tolist()}.")
        return graph_is_held_out(tokens[1:asked].reshape(-1, 2) - (first, first + self.node_names), np.arange(self.node_names), -1)

    def _batch(self, n, rng, size, split, *, with_features):
        hops = rng.choice(self.sizes, (n, self.queries)) if size is None else np.full((n, self.queries), *self._checked([size]))
        tokens, features, lengths = self._fill(hops, rng, split, with_features=with_features)
        return to_batch(tokens, lengths - self.queries, lengths, hops.max(1)), features[:, : lengths.max()]

    def _fill(self, hops, rng, split, *, with_features):
        longest = self.max_length(hops.max())
        nodes = np.array(self.nodes)
        tokens = np.zeros((len(hops), longest), np.int64)
        features = np.full((len(hops) if with_features else 0, longest, len(FEATURES)), np.nan)
        lengths = np.zeros(len(hops), np.int64)
        first = ANSWER + min(self.nodes)
        filled = fill(rng, side_of(split), nodes, size_probabilities(nodes).cumsum(), hops, self.node_names, first, tokens, lengths, features)
        check_filled(filled, hops.max(1), split, f"DEPO with cycles of {min(self.nodes)} to {max(self.nodes)} nodes")
        return tokens, features, lengths
