"""Instances as data frames that the charts of `anira.charts.tasks` can draw, with a feature value beside each node."""

import textwrap
from collections.abc import Iterable

import networkx as nx
import numpy as np
import pandas as pd

from anira.drawing.layout import layout
from anira.tasks.clrs import Clrs, Text
from anira.tasks.grammar import Tree
from anira.tasks.mano import Expression, Mano
from anira.tasks.task import Instance, Task

RADIUS = 0.045  # of a node, in widths of the drawing: arrow heads stop there
WIDTH, HEIGHT = 620, 300  # of the drawing in pixels; arrow heads are turned to its shape


def together(drawings: Iterable[tuple[pd.DataFrame, pd.DataFrame]], **columns: object) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The nodes of several drawings in one frame, their edges in another; `columns` are added to both."""
    nodes, edges = (pd.concat(parts, ignore_index=True).assign(**columns) for parts in zip(*drawings, strict=True))
    return nodes, edges


def arrows(instance: Instance, task: Task) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Nodes and edges of a BREVO instance as `anira.charts.search_steps` takes them."""
    graph, places = instance.source, layout(instance.source)
    query, answer = graph.graph["query"], task.vocabulary.decode(instance.answer)[:-1]
    listed = _listed(graph, query, task.vocabulary.names.index)
    rows = []
    for name, (x, y) in places.items():
        role = "query" if name == query else None if name in answer else "not needed"
        at: float = answer.index(name) if name in answer else np.nan
        values = {feature: column[len(instance.prompt) + int(at)] if name in answer else np.nan for feature, column in instance.features.items()}
        rows.append({"name": name, "x": x, "y": y, "at": at, "opens": listed.get(name, np.nan), "closes": at, "role": role, **values})
    edges = []
    for tail, head in graph.edges:
        (x, y), (x2, y2) = places[tail], places[head]
        across, down = (x2 - x) * WIDTH, (y2 - y) * HEIGHT
        stop = 1 - RADIUS * WIDTH / np.hypot(across, down)
        edges.append({"x": x, "y": y, "x2": x2, "y2": y2, "angle": np.degrees(np.arctan2(down, across)), "xm": x + (x2 - x) * stop, "ym": y + (y2 - y) * stop})
    return pd.DataFrame(rows).assign(size=instance.size), pd.DataFrame(edges).assign(size=instance.size)


def _listed(graph: nx.DiGraph, query: str, order) -> dict[str, int]:
    """For each ancestor of the query, how many nodes had been emitted when the search first listed it."""
    listed: dict[str, int] = {}
    entered: set[str] = set()
    emitted = 0

    def visit(node):
        nonlocal emitted
        entered.add(node)
        parents = sorted(graph.predecessors(node), key=order)
        for parent in parents:
            listed.setdefault(parent, emitted)
        for parent in parents:
            if parent not in entered:
                visit(parent)
        emitted += 1

    visit(query)
    return listed


def expression_tree(instance: Instance, task: Mano) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Nodes and edges of a MANO instance as `anira.charts.tree_steps` takes them; an operator's value is modulo the task's modulus."""

    def inner(node):
        return isinstance(node, Expression)

    return _tree(
        instance,
        children=lambda node: (node.left, node.right) if inner(node) else (),
        label=lambda node: node.operator if inner(node) else str(node),
        is_token=lambda node: True,
        value=lambda node: str(node.value(task.modulus)) if inner(node) else None,
    )


def parse_tree(instance: Instance) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Nodes and edges of a LANO instance as `anira.charts.tree_steps` takes them."""

    def inner(node):
        return isinstance(node, Tree)

    return _tree(
        instance,
        children=lambda node: node.children if inner(node) else (),
        label=lambda node: node.symbol if inner(node) else node,
        is_token=lambda node: not inner(node),
        value=lambda node: None,
    )


def _tree(instance, *, children, label, is_token, value):
    """The tree below an instance's source, given functions of a node; the first node that is a token is token 1."""
    nodes, edges, leaves, read = [], [], 0, 0

    def place(node, depth):
        nonlocal leaves, read
        token, below = is_token(node), children(node)
        row = {"name": label(node), "y": depth, "opens": read, "at": read if token else np.nan, "value": value(node)}
        row |= {name: column[1 + read] if token else np.nan for name, column in instance.features.items()}
        nodes.append(row)
        read += token
        placed = [place(child, depth + 1) for child in below]
        if placed:
            row["x"] = np.mean([child["x"] for child in placed])
        else:
            row["x"], leaves = leaves, leaves + 1
        edges.extend({"x": row["x"], "y": depth, "x2": child["x"], "y2": depth + 1} for child in placed)
        row["closes"] = read - 1
        return row

    place(instance.source, 0)
    nodes, edges = pd.DataFrame(nodes), pd.DataFrame(edges)
    across, down = max(nodes["x"].max(), 1), nodes["y"].max()
    nodes = nodes.assign(x=nodes["x"] / across, y=nodes["y"] / down, size=instance.size)
    return nodes, edges.assign(x=edges["x"] / across, x2=edges["x2"] / across, y=edges["y"] / down, y2=edges["y2"] / down, size=instance.size)


def walk(instance: Instance, task: Task, query: int = 0) -> pd.DataFrame:
    """The hops of one query of a DEPO instance as `anira.charts.hops` takes them, one row per edge of the list.

    Columns: place in the list, from 1 · edge · hop at which it is used, from 1, and node, where that hop ends: NaN if
    it is not used · before, place of the hop before · readings and travel up to this hop, as in the task's features.
    """
    names = task.vocabulary.decode(instance.prompt)
    asked = names.index("<query>")
    tails, heads = names[1:asked:2], [name.removeprefix("→") for name in names[2:asked:2]]
    (hops, node), places = instance.source.graph["queries"][query], []
    for _ in range(hops):
        places.append(tails.index(node))
        node = heads[places[-1]]
    edges = pd.DataFrame({"place": range(1, len(tails) + 1), "edge": [f"{tail}→{head}" for tail, head in zip(tails, heads, strict=True)], "node": heads})
    used = edges.iloc[places].assign(hop=range(1, hops + 1), before=lambda used: used["place"].shift())
    used = used.assign(readings=1 + (used["place"] < used["before"]).cumsum(), travel=(used["place"] - used["before"]).abs().fillna(0).cumsum())
    return edges.drop(columns="node").merge(used.drop(columns="edge"), on="place", how="left")


def settled_numbers(texts: Iterable[Text], task: Clrs) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Numbers of CLRS answers, and their questions with the answers, as `anira.charts.settling` takes them, one text for each algorithm and size: the first."""
    numbers, questions = [], {}
    for text in texts:
        called = {"problem": text.algorithm.replace("_", " "), "size": text.size}
        if (text.algorithm, text.size) in questions:
            continue
        lines = [piece for line in f"{text.question.rstrip()} {text.answer}".splitlines()[1:] for piece in textwrap.wrap(line, 44)]
        questions[text.algorithm, text.size] = {**called, "text": "\n".join(lines)}
        instance = task.instance(text)
        after = slice(len(instance.prompt), None)
        written = pd.DataFrame({name: instance.features[name][after] for name in ("element", "settled")})
        written = written.assign(number=task.vocabulary.decode(instance.answer)).dropna(subset="settled").groupby("element")
        parts = written.agg(number=("number", lambda digits: "".join(digits).strip()), settled=("settled", "first"))
        numbers.append(parts.reset_index().assign(**called, steps=text.steps))
    return pd.concat(numbers, ignore_index=True), pd.DataFrame(questions.values())
