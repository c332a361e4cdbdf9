"""Distractors change the prompt and nothing that the query asks for."""

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from anira.evaluation.distractors import distract, with_distractors
from anira.evaluation.trace import draw
from anira.model.anira import Anira, Config
from anira.tasks import Brevo

TASK = Brevo(sizes=range(3, 9))


def graph_of(prompt: tuple[int, ...]) -> tuple[nx.DiGraph, str, list[tuple[str, str]]]:
    """The graph that a prompt lists, its query, and its edges in order."""
    names = TASK.vocabulary.decode(prompt)
    edges = [(tail, head.removeprefix("→")) for tail, head in zip(names[1:-3:2], names[2:-3:2], strict=True)]
    return nx.DiGraph(edges), names[-2], edges


def post_order(graph: nx.DiGraph, query: str) -> list[str]:
    """The answer by a search written here: dependencies by name, each after its own."""
    found: list[str] = []

    def visit(node: str) -> None:
        for other in sorted(graph.predecessors(node)):
            if other not in found:
                visit(other)
        if node not in found:
            found.append(node)

    visit(query)
    return found[:-1]


@settings(max_examples=60, deadline=None)
@given(size=st.integers(3, 8), count=st.integers(1, 6), seed=st.integers(0, 10**6), apart=st.booleans())
def test_the_answer_stays_and_nothing_that_matters_depends_on_what_is_added(size, count, seed, apart):
    assume(count > 1 or not apart)
    rng = np.random.default_rng(seed)
    instance = TASK.sample(size, rng)
    longer = with_distractors(TASK, instance, count, rng, apart=apart)
    before, query, edges = graph_of(instance.prompt)
    after, same_query, more = graph_of(longer.prompt)
    added = set(after) - set(before)
    assert same_query == query and len(added) == count
    assert not added & nx.ancestors(after, query)
    from_others = {tail for tail, head in more if head in added and tail not in added}
    if apart:
        assert not from_others and nx.is_weakly_connected(after.subgraph(added))
    assert nx.is_directed_acyclic_graph(after)
    assert max(degree for _, degree in after.out_degree()) <= 4
    assert [edge for edge in more if edge in edges] == edges  # the others keep their order
    assert TASK.vocabulary.decode(longer.answer)[:-1] == post_order(after, query)
    assert longer.answer == instance.answer
    assert all(len(values) == len(longer.tokens) for values in longer.features.values())


def test_training_graphs_hardly_ever_fall_into_parts():
    """Fewer than one in a hundred, as the book says where it adds a graph apart."""
    rng = np.random.default_rng(0)
    parts = [nx.number_weakly_connected_components(TASK.sample(size, rng, split="train").source) for size in TASK.sizes for _ in range(300)]
    assert np.mean(np.array(parts) > 1) < 0.01


def test_added_edges_lie_anywhere_in_the_prompt():
    rng = np.random.default_rng(0)
    first = []
    for _ in range(200):
        instance = TASK.sample(6, rng)
        _, _, edges = graph_of(instance.prompt)
        _, _, more = graph_of(with_distractors(TASK, instance, 2, rng).prompt)
        first.append(more[0] not in edges)
    assert 0.1 < np.mean(first) < 0.6


def test_a_dead_end_hangs_on_nodes_that_matter_while_one_is_free():
    rng, on = np.random.default_rng(1), []
    for _ in range(100):
        instance = TASK.sample(8, rng)
        before, query, edges = graph_of(instance.prompt)
        _, _, more = graph_of(with_distractors(TASK, instance, 1, rng).prompt)
        tails, free = {tail for tail, head in more if (tail, head) not in edges}, {node for node in nx.ancestors(before, query) if before.out_degree(node) < 4}
        on.append(tails <= free)
        assert on[-1] or not free
    assert np.mean(on) > 0.9


def test_too_many_distractors_are_refused():
    small = Brevo(sizes=(3,), node_names=5)
    with pytest.raises(ValueError, match="2 of 5 names are left"):
        with_distractors(small, small.sample(3, np.random.default_rng(0)), 3, np.random.default_rng(0))
    with pytest.raises(ValueError, match="no edge"):
        with_distractors(TASK, TASK.sample(3, np.random.default_rng(0)), 1, np.random.default_rng(0), apart=True)


class Counting(torch.nn.Module):
    """A model whose depth is the number of edges in the prompt, or of answer tokens read so far, and whose answers are right."""

    def __init__(self, by: str):
        super().__init__()
        self.config, self.by = Config(vocabulary=len(TASK.vocabulary), max_depth=40, max_length=200), by
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, tokens, depths=None):
        from anira.model.anira import Output

        following = torch.nn.functional.pad(tokens[:, 1:], (0, 1))
        answering = (tokens == 3).cumsum(1)
        edges = ((tokens == 2).int().argmax(1) - 1) // 2
        spent = edges[:, None].expand_as(tokens) if self.by == "edges" else answering.cumsum(1).clamp(min=1)
        exits = torch.nn.functional.one_hot(spent.clamp(1, 40) - 1, 40).float()
        return Output(torch.nn.functional.one_hot(following, len(TASK.vocabulary)).float(), spent.clamp(1, 40), exits)


def test_a_depth_that_counts_edges_rises_with_them_and_one_that_counts_answers_does_not():
    for by, rises in (("edges", True), ("answers", False)):
        table = distract(Counting(by), TASK, [4, 6], 10, seed=0, added=[1, 3])
        assert set(table.loc[table["added"] == 3, "graph"]) == {"dead ends", "apart", "larger"} and "apart" not in set(table.loc[table["added"] == 1, "graph"])
        wide = table[table["graph"].isin(["as it is", "dead ends"])].pivot_table(index=["instance", "place"], columns="added", values="expected_depth")
        assert (wide[3] > wide[0]).all() if rises else (wide[3] == wide[0]).all()
        assert table["correct"].all()
        if rises:
            assert (table["depth"] == table["edges"]).all()


def test_larger_graphs_are_those_that_are_drawn_at_that_size():
    table = distract(Counting("edges"), TASK, [4], 10, seed=0, added=[2])
    larger = table[table["graph"] == "larger"]
    assert larger.groupby("instance")["edges"].first().tolist() == [len(graph_of(other.prompt)[2]) for other in draw(TASK, [6], 10, 0, split="held_out")]


def test_another_task_is_refused():
    from anira.tasks import Mano

    config = Config(vocabulary=len(Mano().vocabulary))
    with pytest.raises(ValueError, match="BREVO"):
        distract(Anira(config), Mano(), [2], 3, seed=0)
