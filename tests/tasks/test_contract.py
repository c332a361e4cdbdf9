"""What holds for every task, over the whole range of its sizes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from anira.tasks.brevo import Brevo
from anira.tasks.depo import Depo
from anira.tasks.graphs import Dense, Hubs, Layered
from anira.tasks.mano import Mano
from anira.tasks.task import collate

TASKS = {
    "brevo": (Brevo(sizes=range(3, 31), node_names=40), 2, 40),
    "brevo-layered": (Brevo(sizes=range(4, 20), node_names=30, graphs=Layered(3)), 4, 30),
    "brevo-dense": (Brevo(sizes=range(2, 20), node_names=20, graphs=Dense(0.5)), 2, 20),
    "brevo-hubs": (Brevo(sizes=range(2, 20), node_names=702, graphs=Hubs()), 2, 702),
    "mano": (Mano(), 1, 100),
    "depo": (Depo(sizes=range(1, 6), nodes=range(30, 40), node_names=702), 1, 29),
}
every_task = pytest.mark.parametrize(("task", "smallest", "largest"), TASKS.values(), ids=TASKS)
seeds = st.integers(0, 2**32 - 1)


@every_task
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_an_instance_is_well_formed(task, smallest, largest, data):
    size, seed = data.draw(st.integers(smallest, largest)), data.draw(seeds)
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
    assert again.tokens == instance.tokens
    for name, values in again.features.items():
        assert np.array_equal(values, instance.features[name], equal_nan=True)


@every_task
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_batch_of_one_size_is_what_sample_draws_in_turn(task, smallest, largest, data):
    size, seed = data.draw(st.integers(smallest, largest)), data.draw(seeds)
    batch = task.batch(3, np.random.default_rng(seed), size=size)
    rng = np.random.default_rng(seed)
    expected = collate([task.sample(size, rng) for _ in range(3)])
    for name in ("tokens", "answer_mask", "lengths", "sizes"):
        assert torch.equal(getattr(batch, name), getattr(expected, name)), name


@every_task
def test_a_mixed_batch_holds_every_size_and_the_same_bytes_for_the_same_seed(task, smallest, largest):
    first, second = (task.batch(2000, np.random.default_rng(3)) for _ in range(2))
    assert set(first.sizes.tolist()) <= set(task.sizes) and len(set(first.sizes.tolist())) >= len(task.sizes) - 1
    assert torch.equal(first.tokens, second.tokens) and torch.equal(first.answer_mask, second.answer_mask)
    assert first.tokens.shape[1] == first.lengths.max() <= max(map(task.max_length, task.sizes))
    assert not first.tokens[~first.token_mask].any() and first.tokens[first.token_mask].all()
    assert first.tokens.max() < len(task.vocabulary)


@every_task
def test_a_size_outside_the_range_is_refused_with_the_range(task, smallest, largest):
    rng = np.random.default_rng(0)
    for size in (smallest - 1, largest + 1):
        for call in (lambda size=size: task.sample(size, rng), lambda size=size: task.batch(2, rng, size=size), lambda size=size: task.max_length(size)):
            with pytest.raises(ValueError, match=f"{smallest} to {largest}, received \\[{size}\\]"):
                call()
    with pytest.raises(ValueError, match="received"):
        type(task)(sizes=[])
