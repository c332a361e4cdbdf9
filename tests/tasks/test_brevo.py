"""BREVO against networkx and a recursive search that derives every feature from its definition."""

import sys

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anira.tasks.brevo import FEATURES, Brevo
from anira.tasks.graphs import Chains, Dense, Hubs, Layered, Physics, Sparse, Tree

seeds = st.integers(0, 2**32 - 1)
DEFAULTS = [Physics(), Chains(), Chains(3), Tree(), Layered(), Sparse(), Dense(), Hubs()]
FAMILIES = st.one_of(  # every knob over its whole range
    st.just(Physics()),
    st.builds(Chains, chains=st.integers(1, 100)),
    st.builds(Tree, branching=st.integers(1, 1000)),
    st.builds(Layered, width=st.integers(1, 100), parents=st.integers(1, 100)),
    st.builds(Sparse, parents=st.integers(1, 100)),
    st.builds(Dense, probability=st.floats(0, 1)),
    st.builds(Hubs, parents=st.integers(1, 100), attraction=st.floats(0, 100)),
)


@pytest.fixture(autouse=True)
def room_for_recursion():
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(5000)  # the longest chain has 702 nodes
    yield
    sys.setrecursionlimit(before)


def post_order(graph, node, order, key):
    """Recursive depth-first post-order of what `node` depends on, `node` last."""
    for parent in sorted(graph.predecessors(node), key=key):
        if parent not in order:
            post_order(graph, parent, order, key)
    order.append(node)
    return order


def discovery(graph, query, key):
    """What a recursive search discovers and when: node → recursion depth, and for each emission the number discovered."""
    depth, entered, discovered_by = {query: 0}, set(), {}

    def visit(node, level):
        entered.add(node)
        parents = sorted(graph.predecessors(node), key=key)
        for parent in parents:
            depth.setdefault(parent, level + 1)
        for parent in parents:
            if parent not in entered:
                visit(parent, level + 1)
        discovered_by[node] = len(depth) - 1  # without the query

    visit(query, 0)
    return depth, discovered_by


def check(task, instance):
    graph, key = instance.source, task.vocabulary.names.index
    query = graph.graph["query"]
    answer = task.vocabulary.decode(instance.answer)[:-1]
    needed = nx.ancestors(graph, query)
    assert nx.is_directed_acyclic_graph(graph) and set(answer) == needed and len(answer) == len(needed) > 0
    assert answer == post_order(graph, query, [], key)[:-1]
    depth, discovered = discovery(graph, query, key)
    distance = nx.single_source_shortest_path_length(graph.reverse(copy=False), query)
    height = {node: i for i, generation in enumerate(nx.topological_generations(graph)) for node in generation}
    dependencies = {node: set(graph.predecessors(node)) for node in graph}
    hub = max(dict(graph.out_degree).values())
    done, rows = set(), []
    for i, node in enumerate(answer):
        done.add(node)
        row = {
            "nodes": instance.size,
            "edges": graph.number_of_edges(),
            "ancestors": len(needed),
            "hub_out_degree": hub,
            "in_degree": graph.in_degree(node),
            "out_degree": graph.out_degree(node),
            "dependents": len(set(graph.successors(node)) - {query}),
            "height": height[node],
            "query_distance": distance[node],
            "dfs_depth": depth[node],
            "frontier_size": discovered[node] - i,
            "newly_enabled": sum(v in needed and dependencies[v] <= done for v in graph.successors(node)),
            "emitted": i,
        }
        rows.append([row[name] for name in FEATURES])
    measured = np.stack([instance.features[name] for name in FEATURES], 1)
    assert np.array_equal(measured[len(instance.prompt) : -1], rows)
    assert np.isnan(measured[: len(instance.prompt)]).all() and np.isnan(measured[-1]).all()


def agree(graphs, count):
    sizes = range(max(3, graphs.smallest), 31)
    task, rng = Brevo(sizes=sizes, node_names=30, graphs=graphs), np.random.default_rng(0)
    for i in range(count):
        check(task, task.sample(sizes[i % len(sizes)], rng))


@pytest.mark.parametrize("graphs", DEFAULTS, ids=repr)
def test_answers_and_features_agree_with_networkx(graphs):
    agree(graphs, 3000 if graphs == Physics() else 1000)  # 10 000 in all


@pytest.mark.slow
@pytest.mark.parametrize("graphs", DEFAULTS, ids=repr)
def test_answers_and_features_agree_with_networkx_on_10_000_instances_of_each_family(graphs):
    agree(graphs, 10_000)


@settings(max_examples=150, deadline=None)
@given(graphs=FAMILIES, data=st.data())
def test_every_family_agrees_with_networkx_at_every_size(graphs, data):
    largest = data.draw(st.sampled_from([120, 120, 120, 702]))
    task = Brevo(sizes=[graphs.smallest], node_names=largest, graphs=graphs)
    size = data.draw(st.integers(graphs.smallest, largest))
    instance = task.sample(size, np.random.default_rng(data.draw(seeds)))
    assert len(instance.tokens) <= task.max_length(size)
    check(task, instance)


@pytest.mark.parametrize("graphs", [Physics(), Chains(), Hubs(100, 100)], ids=repr)
def test_the_largest_graphs_are_solved(graphs):
    task = Brevo(sizes=[702], node_names=702, graphs=graphs)
    check(task, task.sample(702, np.random.default_rng(0)))


def drawn(graphs, size, count=60):
    task, rng = Brevo(sizes=[size], node_names=40, graphs=graphs), np.random.default_rng(0)
    return [task.sample(size, rng).source for _ in range(count)]


def test_families_have_the_shape_that_they_promise():
    for graph in drawn(Physics(), 30):
        assert max(dict(graph.in_degree).values()) <= 4 and max(dict(graph.out_degree).values()) <= 4
    for graph in drawn(Chains(3), 20):
        assert max(dict(graph.in_degree).values()) == 1 and max(dict(graph.out_degree).values()) == 1
        assert graph.number_of_edges() == 17
    for graph in drawn(Tree(2), 20):
        assert nx.is_arborescence(graph.reverse()) and max(dict(graph.in_degree).values()) <= 2
        assert len(nx.ancestors(graph, graph.graph["query"])) == 19
    for graph in drawn(Layered(4, 2), 20):
        assert max(dict(graph.in_degree).values()) <= 2
        layer = {node: i for i, nodes in enumerate(nx.topological_generations(graph)) for node in nodes}
        assert all(layer[v] == layer[u] + 1 for u, v in graph.edges) and layer[graph.graph["query"]] == 4
    for graph in drawn(Sparse(3), 40):
        assert max(dict(graph.in_degree).values()) <= 3
    for graph in drawn(Dense(1.0), 12):
        assert graph.number_of_edges() == 66
    for graph in drawn(Hubs(2), 30):
        assert sorted(dict(graph.in_degree).values()) == [0, 1] + [2] * 28


def test_attraction_makes_hubs():
    hub = {a: np.mean([max(dict(graph.out_degree).values()) for graph in drawn(Hubs(2, a), 40)]) for a in (0, 1, 10)}
    assert hub[0] + 2 < hub[1] and hub[1] + 2 < hub[10]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Chains(0), "Chains takes chains from 1 to 100, received 0"),
        (lambda: Layered(width=0), "width from 1 to 100, received 0"),
        (lambda: Dense(1.5), "probability from 0 to 1, received 1.5"),
        (lambda: Hubs(attraction=-1), "attraction from 0 to 100, received -1"),
        (lambda: Brevo(sizes=[3], graphs=Chains(3)), "4 to 16, received \\[3\\]"),
        (lambda: Brevo(node_names=703), "2 to 702 node names"),
    ],
)
def test_impossible_knobs_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
