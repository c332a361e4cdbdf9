"""Probes: they are shown the states that the decider is shown, find what stands there, and nothing else."""

from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from anira.evaluation.probes import CHOICE, probe, state
from anira.model.anira import Anira, Config
from anira.tasks import Depo
from anira.tasks.task import Feature, to_batch
from tests.model.random_models import random_model


@torch.no_grad()
@pytest.mark.parametrize("seed", range(8))
def test_a_state_is_what_the_loop_has_after_so_many_iterations(seed):
    generator = torch.Generator().manual_seed(seed)
    model = random_model(generator, ["early", "online", "fixed"][seed % 3])
    tokens = torch.randint(7, (3, 6), generator=generator)
    h, rotation = model.prelude(model.embedding(tokens), model.rotation(6)), model.rotation(6)
    depths = model(tokens).depths
    for iteration in range(model.config.max_depth + 1):
        if iteration:
            h = torch.where((depths >= iteration)[..., None], model.core(h, rotation), h)
        torch.testing.assert_close(state(model, tokens, iteration), h, rtol=0, atol=1e-12)


@dataclass(frozen=True)
class Planted:
    """Three random digits, then three more as the answer. What a feature says of an answer token is made up."""

    name = "planted"
    vocabulary, sizes, size_limits = tuple(range(10)), (3,), (3, 3)
    features = {
        "before": Feature("structure", "answer", "the digit just before the token: in the state that predicts it"),
        "noise": Feature("state", "answer", "nowhere in the tokens"),
        "length": Feature("structure", "answer", "the size, three times"),
    }

    def batch_with_features(self, n, rng, *, split):
        tokens = rng.integers(1, 9, (n, 6))
        features = np.full((n, 6, 3), np.nan)
        features[:, 3:, 0], features[:, 3:, 1], features[:, 3:, 2] = tokens[:, 2:5], rng.random((n, 3)), 9
        return to_batch(tokens, np.full(n, 3), np.full(n, 6), np.full(n, 3)), features


@pytest.fixture(scope="module")
def model():
    config = Config(vocabulary=10, width=16, hidden=24, heads=2, decider_hidden=32, max_depth=2)
    return Anira(config).initialize(torch.Generator().manual_seed(0))


def test_what_is_there_is_found_and_what_is_not_is_not(model):
    table = probe(model, Planted(), 600, seed=1, draws=100).set_index(["feature", "iteration"])
    assert (table.loc["before", "estimate"] > 0.9).all() and (table.loc["before", "low"] > 0.85).all()
    assert (table.loc["noise", "estimate"] < 0.05).all() and (table.loc["noise", "high"] < 0.1).all()
    assert table.loc["length", "estimate"].isna().all() and set(table.loc["length", "reason"]) == {"size and place leave nothing to tell"}
    assert (table["clusters"] == 120).all()


def test_place_and_size_are_given_to_the_probe_and_earn_it_nothing(model):
    class Placed(Planted):
        def batch_with_features(self, n, rng, *, split):
            batch, features = super().batch_with_features(n, rng, split=split)
            features[:, 3:, 0] = 3 * np.arange(3) + rng.random((n, 3))  # nearly all of it is the place
            return batch, features

    table = probe(model, Placed(), 600, seed=1, draws=0).set_index(["feature", "iteration"])
    assert table.loc["before", "estimate"].between(-0.3, 0.05).all()  # far below, it would not know the place


def test_what_is_given_decides_what_is_left_to_tell(model, monkeypatch):
    monkeypatch.setattr("anira.evaluation.probes.STEPS", 20)  # of probes that need not be good

    class Counted(Planted):
        def batch_with_features(self, n, rng, *, split):
            batch, features = super().batch_with_features(n, rng, split=split)
            features[:, 3:, 0] = np.arange(3)  # the place, and nothing else
            return batch, features

    model = deepcopy(model).double()  # whatever the states are computed in
    left = {given: probe(model, Counted(), 60, seed=1, given=given, draws=0).set_index("feature").loc["before"] for given in (("size", "place"), ("size",), ())}
    assert left["size", "place"]["estimate"].isna().all() and set(left["size", "place"]["reason"]) == {"size and place leave nothing to tell"}
    assert left["size",]["estimate"].notna().all() and left[()]["estimate"].notna().all()


def test_an_early_choice_stands_in_the_state_it_was_made_from():
    task = Depo(sizes=(1, 2), nodes=(3, 4), node_names=4)
    model = Anira(Config(vocabulary=len(task.vocabulary), decider="early", width=16, hidden=24, heads=2, decider_hidden=16, max_depth=3))
    model.initialize(torch.Generator().manual_seed(0))
    torch.nn.init.normal_(model.decider.head[-1].weight, std=2.0, generator=torch.Generator().manual_seed(1))
    table = probe(model, task, 1000, seed=0, draws=0).set_index(["feature", "iteration"])
    assert table.loc[(CHOICE, 0), "estimate"] > 0.9


def test_what_cannot_be_probed_says_so(model):
    untied = Anira(Config.of_variant("untied", vocabulary=10, width=16, hidden=24, heads=2))
    with pytest.raises(ValueError, match="Untied layers"):
        probe(untied, Planted(), 100, seed=0)
    with pytest.raises(ValueError, match="batch_with_features"):
        probe(model, type("Bare", (), {"name": "bare"})(), 100, seed=0)
    with pytest.raises(ValueError, match="can be given size and place, received 'position'"):
        probe(model, Planted(), 100, seed=0, given=["position"])
    with pytest.raises(ValueError, match="received n = 1"):
        probe(model, Planted(), 1, seed=0)
