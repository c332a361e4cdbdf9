"""Each parameter is updated by exactly one optimizer, the matrices inside the layers by Muon where it is asked for."""

import pytest
import torch

from anira.model.anira import Anira, Config
from anira.training.optimizers import NAMES, Muon, build, moments, orthogonalized

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


@pytest.mark.parametrize("shape", [(12, 30), (30, 12), (8, 8), (1, 20)])
def test_orthogonalized_matrices_keep_their_singular_vectors_and_have_singular_values_near_one(shape):
    matrices = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    result = orthogonalized(matrices)
    assert result.dtype == torch.double
    for matrix, near in zip(matrices, result, strict=True):
        left, _, right = torch.linalg.svd(matrix, full_matrices=False)
        values = left.mT @ near @ right.mT
        torch.testing.assert_close(values, torch.diag(values.diagonal()), rtol=0, atol=1e-9)
        assert (values.diagonal() > 0.6).all() and (values.diagonal() < 1.3).all()


def test_muon_is_torchs_but_for_the_precision_in_which_it_orthogonalizes():
    drawn = torch.Generator().manual_seed(1)
    start = [torch.randn(shape, generator=drawn) for shape in ((16, 24), (16, 24), (40, 16))]
    gradients = [[torch.randn(matrix.shape, generator=drawn) for matrix in start] for _ in range(4)]
    ours, theirs = ([torch.nn.Parameter(matrix.clone()) for matrix in start] for _ in range(2))
    optimizers = Muon(ours, lr=0.02, weight_decay=0.1), torch.optim.Muon(theirs, lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for step in gradients:
        for parameters, optimizer in zip((ours, theirs), optimizers, strict=True):
            for parameter, gradient in zip(parameters, step, strict=True):
                parameter.grad = gradient.clone()
            optimizer.step()
    for one, other, before in zip(ours, theirs, start, strict=True):
        assert (one - other).norm() < 0.02 * (other - before).norm()  # bfloat16 has three digits
