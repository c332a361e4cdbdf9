"""BREVO against networkx and a recursive search that derives every feature from its definition."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anira.tasks.brevo import FEATURES, Brevo
from anira.tasks.graphs import Chains, Dense, Hubs, Layered, Physics, Sparse, Tree

seeds = st.integers(0, 2**32 - 1)
FAMILIES = st.one_of(
    st.just(Physics()),
    st.builds(Chains, chains=st.integers(1, 5)),
    st.builds(Tree, branching=st.integers(1, 6)),
    st.builds(Layered, width=st.integers(1, 6), parents=st.integers(1, 6)),
    st.builds(Sparse, parents=st.integers(1, 6)),
    st.builds(Dense, probability=st.floats(0, 1)),
    st.builds(Hubs, parents=st.integers(1, 6), attraction=st.floats(0, 20)),
)


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


def check(task, instance, *, features):
    graph, key = instance.source, task.vocabulary.names.index
    query = graph.graph["query"]
    answer = task.vocabulary.decode(instance.answer)[:-1]
    needed = nx.ancestors(graph, query)
    assert nx.is_directed_acyclic_graph(graph) and set(answer) == needed and len(answer) == len(needed) > 0
    assert answer == post_order(graph, query, [], key)[:-1]
    if not features:
        return
    depth, discovered = discovery(graph, query, key)
    within = graph.subgraph(needed)
    distance = nx.single_source_shortest_path_length(graph.reverse(copy=False), query)
    done = set()
    for i, node in enumerate(answer):
        done.add(node)
        expected = {
            "nodes": instance.size,
            "edges": graph.number_of_edges(),
            "ancestors": len(needed),
            "hub_out_degree": max(dict(graph.out_degree).values()),
            "in_degree": graph.in_degree(node),
            "out_degree": graph.out_degree(node),
            "height": nx.dag_longest_path_length(graph.subgraph(nx.ancestors(graph, node) | {node})),
            "query_distance": distance[node],
            "dfs_depth": depth[node],
            "frontier_size": discovered[node] - i,
            "newly_enabled": sum(set(graph.predecessors(v)) <= done for v in within.successors(node)),
            "emitted": i,
        }
        measured = {name: instance.features[name][len(instance.prompt) + i] for name in FEATURES}
        assert measured == expected


def test_answers_agree_with_networkx_on_10_000_instances():
    task, rng = Brevo(sizes=range(3, 31), node_names=30), np.random.default_rng(0)
    for i in range(10_000):
        check(task, task.sample(task.sizes[i % len(task.sizes)], rng), features=i % 10 == 0)


@settings(max_examples=250, deadline=None)
@given(graphs=FAMILIES, data=st.data())
def test_every_family_agrees_with_networkx_at_every_size(graphs, data):
    task = Brevo(sizes=[graphs.smallest], node_names=50, graphs=graphs)
    size = data.draw(st.integers(graphs.smallest, 50))
    instance = task.sample(size, np.random.default_rng(data.draw(seeds)))
    assert len(instance.tokens) <= task.max_length(size)
    check(task, instance, features=True)


def test_the_largest_graphs_are_solved():
    task = Brevo(sizes=[702], node_names=702)
    check(task, task.sample(702, np.random.default_rng(0)), features=False)


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
