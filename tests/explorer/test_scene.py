"""The explorer's scene is what the model does: same answer, same depths, shown on the right tokens."""

import networkx as nx
import numpy as np
import pytest
import torch
from anira.explorer.recording import instance_of
from anira.explorer.scene import scene, solve

from anira.drawing.layout import layout
from anira.model.decoding import generate
from anira.tasks.brevo import Brevo
from anira.zoo import load

SIZES = (3, 5, 8, 11)


@pytest.fixture(scope="module", params=["brevo-early-tiny", "brevo-online-tiny"])
def loaded(request):
    return load(request.param)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("select", [None, 0.2, 0.8])
def test_the_generated_answer_is_that_of_greedy_decoding(loaded, size, select):
    model, task, _ = loaded
    instance = instance_of(task, size, 1)
    tokens, _, _ = generate(model, torch.tensor(instance.prompt), end_token=task.end_token, max_new_tokens=size, select=select)
    shown = scene(model, task, instance, select)
    assert [token["name"] for token in shown["answer"]] == task.vocabulary.decode(tokens)
    assert shown["expected"] == task.vocabulary.decode(instance.answer)
    assert shown["correct"] == (tuple(tokens.tolist()) == instance.answer)


@pytest.mark.parametrize("size", SIZES)
def test_an_answer_token_shows_the_position_that_predicts_it_and_a_prompt_token_its_own(loaded, size):
    model, task, _ = loaded
    instance = instance_of(task, size, 2)
    shown = scene(model, task, instance, 0.5)
    names = [token["name"] for token in shown["prompt"] + shown["answer"]]
    with torch.no_grad():
        output = model(torch.tensor([task.vocabulary.encode(names)]), select=0.5)
    depths, exit_probs = output.depths[0], output.exit_probs[0]
    first = len(shown["prompt"])
    for position, token in enumerate(shown["prompt"]):
        assert token["depth"] == depths[position]
        np.testing.assert_allclose(token["exit_probs"], exit_probs[position], atol=1e-5)
    for i, token in enumerate(shown["answer"]):
        assert token["depth"] == depths[first + i - 1]
        np.testing.assert_allclose(token["exit_probs"], exit_probs[first + i - 1], atol=1e-5)
        assert token["name"] == task.vocabulary.names[int(output.logits[0, first + i - 1].argmax())]


def test_solving_many_instances_together_equals_solving_each_alone(loaded):
    model, task, _ = loaded
    instances = [instance_of(task, size, graph) for size in (3, 6, 8) for graph in (1, 2, 3)]
    for instance, together in zip(instances, solve(model, task, instances, 0.5), strict=True):
        (alone,) = solve(model, task, [instance], 0.5)
        assert together.answer == alone.answer
        torch.testing.assert_close(together.exit_probs, alone.exit_probs, atol=1e-5, rtol=0)


def test_prompt_reads_as_edges_then_query(loaded):
    model, task, _ = loaded
    shown = scene(model, task, instance := instance_of(task, 6, 1))
    assert set(shown["edges"]) == set(instance.source.edges)
    roles = [token["role"] for token in shown["prompt"]]
    assert roles == ["start"] + ["from", "to"] * len(shown["edges"]) + ["mark", "query", "mark"]
    (query,) = [node["name"] for node in shown["nodes"] if node["query"]]
    assert query == instance.source.graph["query"] == shown["prompt"][-2]["name"]


def test_solving_leaves_the_number_of_threads_as_it_was(loaded):
    before = torch.get_num_threads()
    solve(loaded.model, loaded.task, [instance_of(loaded.task, 4, 1)], 0.5)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("size", [3, 8, 12, 16])
def test_layout_points_right_keeps_nodes_apart_and_repeats_itself(size):
    for number in range(1, 9):
        graph = instance_of(Brevo(), size, number).source
        places = layout(graph)
        assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in places.values())
        assert all(places[u][0] < places[v][0] for u, v in graph.edges)
        assert len(set(places.values())) == len(graph)
        assert layout(nx.DiGraph(graph)) == places
