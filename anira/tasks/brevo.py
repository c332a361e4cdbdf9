"""BREVO: on which nodes does the query depend?

The prompt lists the shuffled edges of a directed acyclic graph and names a query node; the answer is
every node that the query depends on, in depth-first post-order with predecessors taken in name order,
the query itself left out: exactly one valid answer (paper, section 4; PhysicsLM 4.1).

    <bos> a →f c →a f →b <query> b <answer> c a f <eos>        b needs f, f needs a, a needs c

The head of an edge has a token of its own, `→f`, so that a token says by itself which end of an edge it is.
The paper does not say how it writes edges; as bare pairs `a f` a small model learns several times slower,
since it must first find out which of two equal tokens is which end.

Sampling, solving and the features of every answer token are one compiled pass over the graph (`dags.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import networkx as nx
import numpy as np

from anira.tasks.dags import fill
from anira.tasks.graphs import PAPER, Family, node_names
from anira.tasks.split import check_filled, graph_is_held_out, side_of, token_ids
from anira.tasks.task import Batch, Feature, Instance, Split, Vocabulary, check_sizes, draw_sizes, to_batch, whole

SPECIALS = ("<pad>", "<bos>", "<query>", "<answer>", "<eos>")
PAD, BOS, QUERY, ANSWER, EOS = range(len(SPECIALS))

FEATURES = {
    "nodes": Feature("structure", "answer", "nodes of the graph, N"),
    "edges": Feature("structure", "answer", "edges of the graph"),
    "ancestors": Feature("structure", "answer", "nodes that the query depends on: the length of the answer"),
    "hub_out_degree": Feature("structure", "answer", "most arrows that leave one node"),
    "in_degree": Feature("structure", "answer", "nodes that the predicted node depends on directly"),
    "out_degree": Feature("structure", "answer", "nodes that depend directly on the predicted node"),
    "dependents": Feature("structure", "answer", "nodes that depend directly on the predicted node, the edge to the query not counted"),
    "height": Feature("structure", "answer", "longest path, in edges, that ends at the predicted node"),
    "query_distance": Feature("structure", "answer", "shortest path, in edges, from the predicted node to the query; the paper counts it as state"),
    "dfs_depth": Feature("state", "answer", "steps below the query at which the search first lists the node"),
    "frontier_size": Feature("state", "answer", "nodes listed and not yet written down, just before this one is"),
    "newly_enabled": Feature("state", "answer", "nodes that the query needs whose own needs are complete once this one is written down"),
    "emitted": Feature("state", "answer", "nodes written down before this one"),
}
# Which of them are state in the paper. It counts the distance to the query too, though the prompt alone determines it.
PAPERS_STATE = ("query_distance", *(name for name, feature in FEATURES.items() if feature.kind == "state"))


@dataclass(frozen=True)
class Brevo:
    """The BREVO task.

    Args:
        sizes: numbers of nodes that `batch` mixes, each at least 2.
        node_names: how many distinct node names exist; a graph draws its own among them.
        graphs: the family that graphs are drawn from, see `anira.tasks.graphs`; the paper's by default.

    >>> task = Brevo(sizes=range(3, 9))
    >>> instance = task.sample(4, np.random.default_rng(0))
    >>> task.vocabulary.decode(instance.answer)[-1]
    '<eos>'
    """

    sizes: Sequence[int] = tuple(range(3, 9))
    node_names: int = 16
    graphs: Family = PAPER

    name = "brevo"
    symbol = "N"
    knob = "nodes of the graph, N"
    source = "paper, section 4; PhysicsLM 4.1"
    features = FEATURES
    end_token = EOS
    unique_answer = True

    def __post_init__(self):
        object.__setattr__(self, "node_names", whole(self.node_names, "The number of node names of BREVO"))
        if not 2 <= self.node_names <= 702:
            raise ValueError(f"BREVO has 2 to 702 node names (a to z, aa to zz), received {self.node_names}.")
        if not isinstance(self.graphs, Family):
            raise ValueError(f"The graphs of BREVO are a family such as Physics(), see anira.tasks.graphs; received {self.graphs!r:.100}.")
        object.__setattr__(self, "sizes", self._checked(self.sizes))

    def _checked(self, sizes):
        return check_sizes(sizes, *self.size_limits, f"BREVO with {self.node_names} node names and {self.graphs}")

    @property
    def size_limits(self) -> tuple[int, int]:
        """The smallest graph of the family, and as many nodes as there are names."""
        return self.graphs.smallest, self.node_names

    @cached_property
    def vocabulary(self) -> Vocabulary:
        names = node_names(self.node_names)
        return Vocabulary((*SPECIALS, *names, *(f"→{name}" for name in names)))

    def problems(self, size: int) -> int | None:
        """Different sets of edges with a query; None from six nodes on, where they are billions."""
        (size,) = self._checked([size])
        return self.graphs.problems(size, self.node_names) if size <= 5 else None

    def max_length(self, size: int) -> int:
        """Tokens of the longest instance: as many edges as the family allows, and an answer of all nodes but one."""
        (size,) = self._checked([size])
        return 1 + 2 * self.graphs.max_edges(size) + 3 + (size - 1) + 1

    def batch(self, n: int, rng: np.random.Generator, size: int | None = None, *, split: Split = "any") -> Batch:
        """`n` instances of one size, or of the task's mixture, from one side of the split."""
        return self._batch(n, rng, size, split, with_features=False)[0]

    def batch_with_features(self, n: int, rng: np.random.Generator, size: int | None = None, *, split: Split = "any") -> tuple[Batch, np.ndarray]:
        """What `batch` draws, and the features of its tokens (B, T, F) in the order of `features`, NaN where one says nothing."""
        return self._batch(n, rng, size, split, with_features=True)

    def sample(self, size: int, rng: np.random.Generator, *, split: Split = "any") -> Instance:
        """One instance; its source is a `networkx.DiGraph` on node names with graph attribute `query`."""
        (size,) = self._checked([size])
        tokens, (prompt,), (length,), features = self._fill(np.array([size]), rng, split, with_features=True)
        tokens = tuple(int(token) for token in tokens[0, :length])
        names = self.vocabulary.decode(tokens)
        graph = nx.DiGraph(query=names[prompt - 2])
        graph.add_edges_from((tail, head.removeprefix("→")) for tail, head in zip(names[1 : prompt - 3 : 2], names[2 : prompt - 3 : 2], strict=True))
        columns = {name: features[0, :length, i] for i, name in enumerate(FEATURES)}
        return Instance(tokens[:prompt], tokens[prompt:], size, graph, columns)

    def held_out(self, instance: Instance | Sequence[int]) -> bool:
        """Whether the graph with its query, in whatever order its edges are listed, is held out; `ValueError` for tokens without one."""
        tokens, first = token_ids(instance), EOS + 1
        (asked,) = np.flatnonzero(tokens == QUERY)[:1].tolist() or [0]
        if not 1 < asked < len(tokens) - 1 or asked % 2 == 0:
            raise ValueError(f"A prompt of BREVO reads <bos>, edges, <query> and a node, received {tokens.tolist()}.")
        edges = tokens[1:asked].reshape(-1, 2) - (first, first + self.node_names)
        return graph_is_held_out(edges, np.arange(self.node_names), tokens[asked + 1] - first)

    def _batch(self, n, rng, size, split, *, with_features):
        sizes = draw_sizes(self.sizes, n, rng) if size is None else np.full(n, *self._checked([size]))
        tokens, prompt_lengths, lengths, features = self._fill(sizes, rng, split, with_features=with_features)
        return to_batch(tokens, prompt_lengths, lengths, sizes), features[:, : lengths.max()]

    def _fill(self, sizes, rng, split, *, with_features):
        longest = max(map(self.max_length, set(sizes.tolist())))
        tokens = np.zeros((len(sizes), longest), np.int64)
        prompt_lengths, lengths = np.zeros(len(sizes), np.int64), np.zeros(len(sizes), np.int64)
        rows = len(sizes) if with_features else 0
        features = np.full((rows, longest, len(FEATURES)), np.nan)
        room = np.empty((max(map(self.graphs.max_edges, set(sizes.tolist()))), 2), np.int64)
        specials = (BOS, QUERY, ANSWER, EOS)
        graphs = self.node_names, self.graphs.code, self.graphs.knobs, room
        filled = fill(rng, side_of(split), sizes, *graphs, specials, tokens, prompt_lengths, lengths, features)
        check_filled(filled, sizes, split, f"BREVO with {self.node_names} node names and {self.graphs}")
        return tokens, prompt_lengths, lengths, features
