"""DEPO against following the edges with networkx and reading the list of edges one by one."""

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anira.tasks.depo import Depo


def walk(cycle, node, hops):
    nodes = [node]
    for _ in range(hops):
        (following,) = cycle.successors(nodes[-1])
        nodes.append(following)
    return nodes


def check(task, instance):
    """Answers by walking the cycle, features by reading the list of edges one by one."""
    cycle = instance.source
    assert nx.is_strongly_connected(cycle) and set(dict(cycle.degree).values()) == {2}
    assert task.vocabulary.decode(instance.answer) == [walk(cycle, node, hops)[-1] for hops, node in cycle.graph["queries"]]
    names = task.vocabulary.decode(instance.prompt)
    asked = names.index("<query>")
    assert all(name.startswith("→") for name in names[2:asked:2])
    edges = [(tail, head.removeprefix("→")) for tail, head in zip(names[1:asked:2], names[2:asked:2], strict=True)]
    for answered, (hops, node) in enumerate(instance.source.graph["queries"]):
        values = {name: column[len(instance.prompt) + answered] for name, column in instance.features.items()}
        wanted, read, readings = list(pairwise(walk(instance.source, node, hops))), 0, 0
        while read < hops:  # read the whole list again and again
            readings += 1
            for edge in edges:
                if read < hops and edge == wanted[read]:
                    read += 1
        travel = sum(abs(edges.index(a) - edges.index(b)) for a, b in pairwise(wanted))
        assert values == {"hops": instance.size, "nodes": len(edges), "readings": readings, "travel": travel, "answered": answered}


def test_answers_and_features_agree_on_10_000_instances():
    task, rng = Depo(), np.random.default_rng(0)
    for i in range(10_000):
        check(task, task.sample(task.sizes[i % len(task.sizes)], rng))


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_answers_and_features_agree_at_every_length_of_the_cycle(data):
    names = data.draw(st.sampled_from([40, 40, 40, 702]))
    shortest = data.draw(st.integers(2, names))
    task = Depo(sizes=[1], nodes=[shortest, min(shortest + 5, names)], queries=data.draw(st.integers(1, 20)), node_names=names)
    size = data.draw(st.integers(1, shortest - 1))
    check(task, task.sample(size, np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))))


def test_the_mixture_asks_for_every_number_of_hops_equally_often():
    task = Depo()
    batch = task.batch(4000, np.random.default_rng(1))
    names = np.array(task.vocabulary.names)[batch.tokens.numpy()]
    hops = np.where(np.char.isdigit(names), names, "0").astype(int)
    assert (hops.max(1) == batch.sizes.numpy()).all()
    counts = np.bincount(hops[hops > 0])[1:]
    assert np.abs(counts - 2000).max() < 5 * np.sqrt(2000)


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"nodes": [4], "sizes": [4]}, "1 to 3, received \\[4\\]"),
        ({"nodes": [21]}, "2 to 20, received \\[21\\]"),
        ({"node_names": 703}, "received 703"),
        ({"queries": 0}, "received 0"),
    ],
)
def test_impossible_knobs_are_refused(knobs, message):
    with pytest.raises(ValueError, match=message):
        Depo(**knobs)
