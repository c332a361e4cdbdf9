"""Each parameter is updated by exactly one optimizer, the matrices inside the layers by Muon where it is asked for."""

import pytest
import torch

from anira.model.anira import Anira, Config
from anira.training.optimizers import NAMES, build, moments

CONFIG = Config(vocabulary=11, width=16, hidden=24, heads=2, decider_hidden=16)


def names(model: Anira, optimizer: torch.optim.Optimizer) -> list[str]:
    owned = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    return [name for name, parameter in model.named_parameters() if id(parameter) in owned]


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_has_exactly_one_optimizer(name):
    model = Anira(CONFIG)
    owned = [parameter for optimizer in build(model, name, 1e-3, 0.1) for parameter in names(model, optimizer)]
    assert sorted(owned) == sorted(parameter for parameter, _ in model.named_parameters())


def test_muon_takes_the_matrices_inside_the_layers_and_nothing_else():
    model = Anira(CONFIG)
    muon = names(model, build(model, "muon", 1e-3, 0.1)[1])
    assert "core.attention.qkv.weight" in muon and "decider.head.1.weight" in muon
    assert all(model.get_parameter(name).ndim == 2 for name in muon)
    assert not {"embedding.weight", "unembedding.weight"} & set(muon)


@pytest.mark.parametrize("name", NAMES)
def test_gains_and_biases_are_not_decayed(name):
    model = Anira(CONFIG)
    for optimizer in build(model, name, 1e-3, 0.1):
        for group in optimizer.param_groups:
            assert (group["weight_decay"] == 0) == all(parameter.ndim <= 1 for parameter in group["params"])


@pytest.mark.parametrize("name", NAMES)
def test_moments_are_those_of_the_optimizer_that_made_them(name):
    model = Anira(CONFIG)
    optimizers = build(model, name, 1e-3, 0.1)
    model(torch.tensor([[1, 2, 3]])).logits.sum().backward()
    for optimizer in optimizers:
        optimizer.step()
    assert "exp_avg" in moments(optimizers, model.embedding.weight)
    assert ("momentum_buffer" in moments(optimizers, model.core.attention.qkv.weight)) == (name == "muon")


def test_an_unknown_optimizer_is_named():
    with pytest.raises(ValueError, match="'sgd'.*adamw, muon"):
        build(Anira(CONFIG), "sgd", 1e-3, 0.1)
