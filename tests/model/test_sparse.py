"""Sparse execution equals dense: depths, values and gradients, over random models, shapes, paddings and depths."""

import pytest
import torch

from anira.model.anira import Anira
from anira.model.deciders import DECIDERS, Sample
from tests.model.random_models import SPARSE, random_model

FEW, ALL, PER_TEST = 400, 10_000, 100


def random_call(generator: torch.Generator, model: Anira) -> tuple[torch.Tensor, dict]:
    """Tokens and the other arguments of one call: padding or none, depths from the decider, a rule or outside."""

    def choose(*options):
        return options[int(torch.randint(0, len(options), (1,), generator=generator))]

    shape, D = (choose(1, 2, 3, 5), choose(1, 2, 4, 7, 11)), model.config.max_depth
    tokens = torch.randint(0, model.config.vocabulary, shape, generator=generator)
    some = torch.randint(1, D + 1, shape, generator=generator)
    one_deep = torch.ones(shape, dtype=torch.long)
    one_deep.view(-1)[int(torch.randint(0, one_deep.numel(), (1,), generator=generator))] = D
    call = choose(
        {},
        {"select": choose("mode", "median", "mean", 0.1, 0.3, 0.8)},
        {"depths": choose(1, D, (D + 1) // 2)},
        {"depths": choose(some, some.sort(1).values, one_deep, some[:, :1].expand(shape))},
    )
    lengths = choose(None, torch.randint(0, shape[1] + 1, shape[:1], generator=generator), torch.full(shape[:1], shape[1]))
    return tokens, {**call, "lengths": lengths}


def gradients(model: Anira, tokens: torch.Tensor, call: dict, execution: str, weights: tuple) -> dict[str, torch.Tensor]:
    model.zero_grad()
    output = model(tokens, **call, execution=execution)
    ((output.logits * weights[0]).sum() + (output.exit_probs * weights[1]).sum()).backward()
    return {name: torch.zeros_like(p) if p.grad is None else p.grad.clone() for name, p in model.named_parameters()}


def compare_gradients(generator, model: Anira, tokens: torch.Tensor, call: dict) -> float:
    """The largest difference between a gradient of the dense and of the sparse pass, for a random loss."""
    weights = [torch.randn(*tokens.shape, last, generator=generator, dtype=torch.double) for last in (model.config.vocabulary, model.config.max_depth)]
    dense, sparse = (gradients(model, tokens, call, execution, weights) for execution in ("dense", "sparse"))
    return max(float((dense[name] - sparse[name]).abs().max()) for name in dense)


@pytest.mark.parametrize("first", [pytest.param(first, marks=pytest.mark.slow if first >= FEW else ()) for first in range(0, ALL, PER_TEST)])
def test_sparse_equals_dense(first):
    values, slopes = [0.0], [0.0]
    for case in range(first, first + PER_TEST):
        generator = torch.Generator().manual_seed(case)
        model = random_model(generator)
        tokens, call = random_call(generator, model)
        with torch.no_grad():
            dense, sparse = (model(tokens, **call, execution=execution) for execution in ("dense", "sparse"))
        assert torch.equal(dense.depths, sparse.depths), f"case {case}"
        values += [float((a - b).abs().max()) for a, b in ((dense.logits, sparse.logits), (dense.exit_probs, sparse.exit_probs))]
        assert values[-1] < 1e-10 and values[-2] < 1e-10, f"case {case}: {values[-2:]}"
        if "depths" in call:
            slopes.append(compare_gradients(generator, model, tokens, call))
            assert slopes[-1] < 1e-8, f"case {case}: {slopes[-1]}"
    print(f"largest difference in {PER_TEST} cases: values {max(values):.1e}, gradients {max(slopes):.1e}")


def test_the_random_cases_reach_every_depth_and_many_halting_patterns():
    met = {name: set() for name in SPARSE}
    for case in range(60 * len(SPARSE)):
        generator = torch.Generator().manual_seed(case)
        model = random_model(generator, SPARSE[case % len(SPARSE)], max_depth=5)
        tokens, _ = random_call(generator, model)
        with torch.no_grad():
            met[model.config.decider] |= set(model(tokens, select=(0.1, 0.4, 0.8)[case % 7 % 3]).depths.flatten().tolist())
    assert met == {name: {1, 2, 3, 4, 5} if DECIDERS[name].decides else {5} for name in SPARSE}


@pytest.mark.parametrize("decider", SPARSE)
def test_gradients_of_the_deciders_own_depths_are_equal_too(decider):
    generator = torch.Generator().manual_seed(1)
    model = random_model(generator, decider)
    tokens = torch.randint(0, 7, (3, 6), generator=generator)
    assert compare_gradients(generator, model, tokens, {}) < 1e-8


def test_the_core_runs_on_active_tokens_only(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    model = random_model(generator, "online")
    model.config.__dict__["max_depth"] = model.decider.max_depth = 4
    seen = []
    monkeypatch.setattr(model.core.feed_forward, "forward", lambda x, original=model.core.feed_forward.forward: (seen.append(len(x)), original(x))[1])
    model(torch.randint(0, 7, (2, 3), generator=generator), depths=torch.tensor([[1, 3, 4], [1, 1, 3]]), lengths=torch.tensor([3, 2]), execution="sparse")
    assert seen == [5, 2, 2, 1]


def test_a_batch_of_nothing_but_padding_gives_zeros():
    model = random_model(torch.Generator().manual_seed(0))
    output = model(torch.zeros(2, 3, dtype=torch.long), lengths=torch.tensor([0, 0]), execution="sparse")
    assert not output.logits.any() and not output.depths.any() and not output.exit_probs.any()


def test_wrong_calls_are_refused():
    model, tokens = random_model(torch.Generator().manual_seed(0)), torch.zeros(2, 3, dtype=torch.long)
    with pytest.raises(ValueError, match="execution"):
        model(tokens, execution="fast")
    with pytest.raises(ValueError, match="lengths"):
        model(tokens, lengths=torch.tensor([1, 4]))
    with pytest.raises(ValueError, match="straight-through"):
        model(tokens, select=Sample(torch.Generator()), execution="sparse")
