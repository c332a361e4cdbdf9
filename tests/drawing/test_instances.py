"""What a drawing shows at each step is what the task's features count."""

import re

import numpy as np
import pytest

import anira
from anira.drawing.instances import arrows, expression_tree, parse_tree, settled_numbers, together, walk
from anira.tasks import Brevo, Clrs, Depo, Lano, Mano, graphs
from anira.tasks.clrs import Text


@pytest.mark.parametrize("family", graphs.FAMILIES)
def test_the_nodes_drawn_as_listed_are_the_frontier(family):
    task = Brevo(sizes=range(4, 13), graphs=family())
    for size in task.sizes:
        nodes, edges = arrows(task.sample(size, np.random.default_rng(size)), task)
        assert len(nodes) <= size and set(edges["size"]) == {size}
        for _, node in nodes[nodes["at"].notna()].iterrows():
            listed = (nodes["opens"] <= node["at"]) & (nodes["closes"] >= node["at"])
            assert listed.sum() == node["frontier_size"]


@pytest.mark.parametrize("modulus", [5, 23])
def test_the_operators_drawn_as_open_are_the_stack_and_end_with_their_values(modulus):
    task = Mano(modulus=modulus)
    for size in range(1, 9):
        instance = task.sample(size, np.random.default_rng(size))
        nodes, edges = expression_tree(instance, task)
        assert len(nodes) == len(edges) + 1 == 2 * size + 1
        for _, node in nodes.iterrows():
            assert ((nodes["opens"] < node["at"]) & (nodes["closes"] >= node["at"])).sum() == node["stack_height"]
        assert [nodes["value"].iloc[0]] == task.vocabulary.decode(instance.answer)


def test_the_leaves_of_a_parse_tree_are_the_tokens_with_their_features():
    task = Lano()
    for size in (1, 2, 3):
        instance = task.sample(size, np.random.default_rng(size))
        nodes, _ = parse_tree(instance)
        leaves = nodes[nodes["at"].notna()].sort_values("at")
        assert leaves["name"].tolist() == task.vocabulary.decode(instance.answer)[:-1]
        assert np.array_equal(leaves["expansion"], instance.features["expansion"][1:-1])
        assert leaves["x"].is_monotonic_increasing


def test_a_walk_counts_readings_and_travel_as_the_task_does():
    task = Depo(queries=3)
    for size in task.sizes:
        instance = task.sample(size, np.random.default_rng(size))
        for query in range(3):
            hops = walk(instance, task, query)
            last = hops[hops["hop"] == size].iloc[0]
            token = len(instance.prompt) + query
            assert last["node"] == task.vocabulary.decode(instance.answer)[query]
            assert [last["readings"], last["travel"]] == [instance.features[name][token] for name in ("readings", "travel")]


def test_several_drawings_together_keep_every_node_and_edge():
    task = Brevo()
    drawings = [arrows(task.sample(size, np.random.default_rng(size)), task) for size in (4, 6)]
    nodes, edges = together(drawings, graphs="physics")
    assert [len(nodes), len(edges)] == [sum(map(len, parts)) for parts in zip(*drawings, strict=True)]
    assert nodes["size"].unique().tolist() == [4, 6] and set(edges["graphs"]) == {"physics"}


def test_the_numbers_of_a_sorted_answer_are_drawn_where_their_text_settles_them():
    rows = anira.results("texts", "clrs").query("algorithm == 'insertion_sort'").to_dict("records")
    texts = [Text(**row | {"settled": tuple(row["settled"])}) for row in rows]
    numbers, questions = settled_numbers(texts, Clrs())
    first = {text.size: text for text in reversed(texts)}
    assert questions["size"].tolist() == sorted(first)
    assert [text.replace("\n", " ") for text in questions["text"]] == [
        f"key: {key} pred: {text.answer}" for size, text in sorted(first.items()) for key in re.findall(r"key: (.*)", text.question)
    ]
    for size, part in numbers.groupby("size"):
        assert part["settled"].tolist() == list(first[size].settled) and (part["steps"] == first[size].steps).all()
        assert [float(number) for number in part["number"]] == [float(number) for number in re.findall(r"[\d.]+", first[size].answer)]
