"""What holds for every task, over the whole range of its sizes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from anira.tasks import from_json, to_json
from anira.tasks.brevo import Brevo
from anira.tasks.depo import Depo
from anira.tasks.grammar import random_grammar
from anira.tasks.graphs import FAMILIES
from anira.tasks.lano import Lano
from anira.tasks.mano import Mano
from anira.tasks.suite import family_table, feature_table
from anira.tasks.task import collate
from anira.training.data import Batches

TASKS = {
    **{f"brevo-{family.__name__.lower()}": Brevo(sizes=range(4, 31), node_names=60, graphs=family()) for family in FAMILIES},
    "brevo-many-names": Brevo(sizes=range(2, 20), node_names=702),
    "mano": Mano(),
    "depo": Depo(sizes=range(1, 6), nodes=range(30, 40), node_names=702),
    "lano": Lano(),
    "lano-sizes": Lano(sizes=range(1, 5), grammar=random_grammar(depth=5, symbols=4, rules=3, ambiguity=0.5)),
}
every_task = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
drawn_in_bulk = pytest.mark.parametrize("task", [pytest.param(task, id=name) for name, task in TASKS.items() if hasattr(task, "batch_with_features")])
seeds = st.integers(0, 2**32 - 1)


def sizes(task):
    """Every size that the task can make."""
    return st.integers(*task.size_limits)


@every_task
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_an_instance_is_well_formed(task, data):
    size, seed = data.draw(sizes(task)), data.draw(seeds)
    instance = task.sample(size, np.random.default_rng(seed))
    assert instance.size == size and len(instance.tokens) <= task.max_length(size)
    assert task.vocabulary.encode(task.vocabulary.decode(instance.tokens)) == list(instance.tokens)
    if task.end_token is not None:
        assert instance.answer.index(task.end_token) == len(instance.answer) - 1
    assert 0 not in instance.tokens, "padding inside an instance"
    is_answer = np.arange(len(instance.tokens)) >= len(instance.prompt)
    assert instance.features.keys() == task.features.keys()
    for name, values in instance.features.items():
        described = ~np.isnan(values)
        assert len(values) == len(instance.tokens) and described.any(), name
        assert not (described & (is_answer != (task.features[name].where == "answer"))).any(), name

    again = task.sample(size, np.random.default_rng(seed))
    assert again == instance and len({again, instance}) == 1
    assert again.tokens == instance.tokens
    for name, values in again.features.items():
        assert np.array_equal(values, instance.features[name], equal_nan=True)


@every_task
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_batch_of_one_size_is_what_sample_draws_in_turn(task, data):
    size, seed = data.draw(sizes(task)), data.draw(seeds)
    batch = task.batch(3, np.random.default_rng(seed), size=size)
    rng = np.random.default_rng(seed)
    expected = collate([task.sample(size, rng) for _ in range(3)])
    for name in ("tokens", "answer_mask", "lengths", "sizes"):
        assert torch.equal(getattr(batch, name), getattr(expected, name)), name


@every_task
def test_a_mixed_batch_holds_every_size_and_the_same_bytes_for_the_same_seed(task):
    first, second = (task.batch(2000, np.random.default_rng(3)) for _ in range(2))
    assert set(first.sizes.tolist()) <= set(task.sizes) and len(set(first.sizes.tolist())) >= len(task.sizes) - 1
    assert torch.equal(first.tokens, second.tokens) and torch.equal(first.answer_mask, second.answer_mask)
    assert first.tokens.shape[1] == first.lengths.max() <= max(map(task.max_length, task.sizes))
    assert not first.tokens[~first.token_mask].any() and first.tokens[first.token_mask].all()
    assert first.tokens.max() < len(task.vocabulary)


@every_task
def test_a_size_outside_the_range_is_refused_with_the_range(task):
    rng, (smallest, largest) = np.random.default_rng(0), task.size_limits
    for size in (smallest - 1, largest + 1):
        for call in (lambda size=size: task.sample(size, rng), lambda size=size: task.batch(2, rng, size=size), lambda size=size: task.max_length(size)):
            with pytest.raises(ValueError, match=f"{smallest} to {largest}, received \\[{size}\\]"):
                call()
    with pytest.raises(ValueError, match="received"):
        type(task)(sizes=[])


@drawn_in_bulk
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_features_drawn_in_bulk_are_those_of_sample(task, data):
    size, seed = data.draw(sizes(task)), data.draw(seeds)
    batch, features = task.batch_with_features(3, np.random.default_rng(seed), size=size)
    assert torch.equal(batch.tokens, task.batch(3, np.random.default_rng(seed), size=size).tokens)
    assert features.shape == (*batch.tokens.shape, len(task.features))
    rng = np.random.default_rng(seed)
    for row in features:
        instance = task.sample(size, rng)
        expected = np.stack(list(instance.features.values()), 1)
        assert np.array_equal(row[: len(expected)], expected, equal_nan=True) and np.isnan(row[len(expected) :]).all()


@every_task
def test_worker_processes_make_the_same_batches(task):
    with Batches(task, 3, seed=5, start=100, workers=2) as batches:
        for step in range(100, 104):
            expected, made = task.batch(3, np.random.default_rng([5, step]), split="train"), next(batches)
            for name in ("tokens", "answer_mask", "lengths", "sizes"):
                assert torch.equal(getattr(made, name), getattr(expected, name)), name


@every_task
def test_a_task_comes_back_from_json_and_has_its_rows_in_the_table_of_the_suite(task):
    assert from_json(to_json(task)) == task
    table = feature_table([task])
    assert table["feature"].tolist() == list(task.features)
    assert set(table["kind"]) <= {"structure", "state"} and set(table["tokens"]) <= {"prompt", "answer"}
    assert table.index.unique().tolist() == [(task.name.upper(), task.knob, "{} to {}".format(*task.size_limits), task.source)]


def test_the_table_of_families_lists_every_knob():
    assert family_table()["knob"].tolist() == ["none", "chains", "branching", "width", "parents", "parents", "probability", "parents", "attraction"]
