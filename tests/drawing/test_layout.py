"""A layout can be read from left to right, and is always the same."""

import networkx as nx
import pytest

from anira.drawing.layout import layout
from anira.explorer.problems import instance_of
from anira.tasks import Brevo


@pytest.mark.parametrize("size", [3, 8, 12, 16])
def test_layout_points_right_keeps_nodes_apart_and_repeats_itself(size):
    for number in range(1, 9):
        graph = instance_of(Brevo(), size, number).source
        places = layout(graph)
        assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in places.values())
        assert all(places[u][0] < places[v][0] for u, v in graph.edges)
        assert len(set(places.values())) == len(graph)
        assert layout(nx.DiGraph(graph)) == places
