"""A BREVO instance as data frames that a chart can draw: nodes, arrows, and when each node is emitted."""

import numpy as np
import pandas as pd

from anira.explorer.layout import layout
from anira.tasks.task import Instance, Vocabulary

RADIUS = 0.045  # of a node, in widths of the drawing: arrow heads stop there
WIDTH, HEIGHT = 520, 300  # of the drawing in pixels; arrow heads are turned to its shape


def arrows(instance: Instance, vocabulary: Vocabulary) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Nodes and edges of an instance's graph as `anira.charts.search_steps` takes them."""
    graph, places = instance.source, layout(instance.source)
    answer = vocabulary.decode(instance.answer)
    nodes = pd.DataFrame(
        [
            {"name": name, "x": x, "y": y, "emitted": answer.index(name) if name in answer else np.nan, "query": name == graph.graph["query"]}
            for name, (x, y) in places.items()
        ]
    )
    edges = []
    for tail, head in graph.edges:
        (x, y), (x2, y2) = places[tail], places[head]
        across, down = (x2 - x) * WIDTH, (y2 - y) * HEIGHT
        stop = 1 - RADIUS * WIDTH / np.hypot(across, down)
        edges.append({"x": x, "y": y, "x2": x2, "y2": y2, "angle": np.degrees(np.arctan2(down, across)), "xm": x + (x2 - x) * stop, "ym": y + (y2 - y) * stop})
    return nodes, pd.DataFrame(edges)
