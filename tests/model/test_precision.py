"""Every precision runs in every execution, keeps what must be exact, and asks no device for float64."""

from contextlib import nullcontext
from functools import partial

import pytest
import torch

from anira.model.anira import Anira, Config
from anira.model.deciders import DECIDERS, UNTIED, Sample
from anira.model.decoding import Sampling, generate_batch
from anira.model.layers import rotary
from anira.model.watching import answers_over_depth
from tests.model.random_models import SPARSE
from tests.precision import NoDoubles

PRECISIONS = {
    "float64": (torch.float64, None),
    "float32": (torch.float32, None),
    "bfloat16": (torch.bfloat16, None),
    "float16": (torch.float16, None),
    "autocast bfloat16": (torch.float32, torch.bfloat16),
    "autocast float16": (torch.float32, torch.float16),
}


def build(variant: str) -> tuple[Anira, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    config = Config.of_variant(variant, vocabulary=11, max_depth=4, width=16, hidden=24, heads=2, decider_hidden=16, max_length=32, answer_token=3)
    model = Anira(config).initialize(generator).eval()
    for parameter in model.decider.parameters():
        parameter.data += 0.5 * torch.randn(parameter.shape, generator=generator)
    return model, torch.randint(0, 11, (4, 9), generator=generator)


def casting(to: torch.dtype | None):
    return nullcontext() if to is None else torch.autocast("cpu", dtype=to)


@pytest.mark.parametrize("variant", [*DECIDERS, UNTIED])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_execution_runs_and_is_near_the_exact_answer(variant, precision):
    weights, cast = PRECISIONS[precision]
    model, tokens = build(variant)
    with torch.no_grad():
        exact = model.double()(tokens)
        model.to(weights)
        near = {torch.float64: 1e-12, torch.float32: 1e-4}.get(weights, 0.1) if cast is None else 0.1
        with casting(cast):
            passes = [model(tokens, depths=exact.depths, execution=execution) for execution in ("dense", "sparse")[: 2 - model.decider.reads_answer]]
            own = model(tokens)
        for output in passes:
            assert (output.logits.double() - exact.logits).abs().max() < near
            assert (output.exit_probs.double() - exact.exit_probs).abs().max() < near
            assert output.exit_probs.dtype == (torch.float64 if weights == torch.float64 else torch.float32)
            torch.testing.assert_close(output.exit_probs.sum(-1), torch.ones_like(output.exit_probs[..., 0]), rtol=0, atol=1e-6)
        assert own.depths.min() >= 1 and own.depths.max() <= 4
        if not model.decider.reads_answer:
            with casting(cast):
                written = generate_batch(model, list(tokens), end_token=None, max_new_tokens=5)
            assert all(len(continued.tokens) == 5 and continued.output.logits.isfinite().all() for continued in written)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_training_has_gradients_in_every_precision(precision):
    weights, cast = PRECISIONS[precision]
    for variant in ("early", "online", "hybrid"):
        model, tokens = build(variant)
        model.to(weights)
        with casting(cast):
            loss = model(tokens, select=Sample(torch.Generator().manual_seed(0))).logits.float().square().mean()
        loss.backward()
        assert all(parameter.grad is not None and parameter.grad.dtype == weights and parameter.grad.isfinite().all() for parameter in model.parameters())


def test_a_survival_is_summed_up_in_float32_whatever_the_weights():
    """In bfloat16 a halting probability of a thousandth would be lost beside 1: F(d) would stand still."""
    model, tokens = build("online")
    with torch.no_grad():
        model.decider.head[-1].weight.zero_()
        model.decider.head[-1].bias.fill_(-7.0)
        probs = model.bfloat16()(tokens, depths=4).exit_probs[..., :3].double()
    halt = torch.tensor(-7.0, dtype=torch.double).sigmoid()
    torch.testing.assert_close(probs, (halt * (1 - halt) ** torch.arange(3)).expand_as(probs), rtol=1e-5, atol=0)


def test_angles_are_those_of_float64_rounded_once():
    for dtype, exact in ((torch.float64, 1e-12), (torch.float32, 1e-7), (torch.bfloat16, 1e-7)):
        angles = torch.arange(4096, dtype=torch.double)[:, None] * 10_000.0 ** (-torch.arange(0, 8, 2, dtype=torch.double) / 8)
        found = rotary(4096, 8, dtype, torch.device("cpu"))
        assert (found.real - angles.cos()).abs().max() < exact and (found.imag - angles.sin()).abs().max() < exact


@pytest.mark.parametrize("variant", [*SPARSE, "confident", UNTIED])
def test_nothing_is_computed_in_double_precision(variant):
    model, tokens = build(variant)
    model.rotation(1)  # angles are made once, on the CPU
    lengths, sparse = torch.tensor([9, 2, 0, 5]), not model.decider.reads_answer
    calls = [partial(model.trunk, tokens), partial(model, tokens), partial(model, tokens, lengths=lengths), partial(model, tokens, depths=4)]
    calls += [partial(model, tokens, select=rule) for rule in ("mode", "mean", 0.3)] + [partial(answers_over_depth, model, tokens)]
    if sparse:
        calls += [partial(model, tokens, lengths=lengths, execution="sparse")]
        calls += [partial(generate_batch, model, list(tokens), end_token=3, max_new_tokens=4, select=rule) for rule in (None, "mean")]
        calls += [partial(generate_batch, model, list(tokens), end_token=3, max_new_tokens=4, sampling=Sampling(torch.Generator(), 0.7, 5))]
    if model.decider.learns:
        calls += [lambda: model(tokens, select=Sample(torch.Generator())).logits.sum().backward()]
    with NoDoubles():
        for call in calls:
            call()


def test_the_watch_sees_what_it_forbids():
    with NoDoubles(), pytest.raises(AssertionError, match="float64"):
        torch.ones(2).double()
    with NoDoubles(devices=("cuda", "mps")):
        torch.ones(2).double()
