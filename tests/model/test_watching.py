"""What is told of each iteration is what happened, in both executions; answers over depth are those of passes that end there."""

import pytest
import torch

from anira.model.anira import Anira
from anira.model.watching import Iteration, answers_over_depth
from tests.model.random_models import SPARSE, random_model


def watched(model: Anira, tokens: torch.Tensor, **options) -> tuple[list[Iteration], object]:
    seen: list[Iteration] = []
    with torch.no_grad():
        return seen, model(tokens, on_iteration=seen.append, **options)


def deep_model(seed: int, decider: str) -> tuple[Anira, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    while (model := random_model(generator, decider)).config.max_depth < 3:
        pass
    return model, torch.randint(0, 7, (3, 6), generator=generator)


@pytest.mark.parametrize("decider", SPARSE)
def test_both_executions_tell_the_same_of_each_iteration(decider):
    model, tokens = deep_model(0, decider)
    lengths = torch.tensor([6, 2, 4])
    inside = torch.arange(6) < lengths[:, None]
    (dense, output), (sparse, _) = (watched(model, tokens, lengths=lengths, select=0.4, execution=execution) for execution in ("dense", "sparse"))
    assert [one.d for one in dense] == [one.d for one in sparse] == list(range(1, model.config.max_depth + 1))
    for one, other in zip(dense, sparse, strict=True):
        assert torch.equal(one.active[inside], output.depths[inside] >= one.d) and torch.equal(one.active[inside], other.active[inside])
        pairs = [(one.state, other.state), (one.before, other.before), (one.exit_probs, other.exit_probs), (one.halting, other.halting)]
        for a, b in (*pairs, *zip(one.keys_values(), other.keys_values(), strict=True)):
            torch.testing.assert_close(a[inside], b[inside], rtol=0, atol=1e-10)
        torch.testing.assert_close(one.exit_probs[inside], output.exit_probs[inside][..., : one.d])


def test_keys_and_values_are_those_that_the_layer_computes():
    model, tokens = deep_model(1, "online")
    seen = []
    original = model.core.attention.queries_keys_values
    model.core.attention.queries_keys_values = lambda x, rotation: seen.append(original(x, rotation)) or seen[-1]
    iterations, _ = watched(model, tokens, depths=model.config.max_depth)
    for (_, keys, values), iteration in zip(seen, iterations, strict=True):
        torch.testing.assert_close(torch.stack(iteration.keys_values()), torch.stack([keys, values]), rtol=0, atol=1e-12)


def test_the_halting_probability_is_what_the_decider_says_of_the_state():
    model, tokens = deep_model(2, "online")
    for iteration in watched(model, tokens)[0][:-1]:
        torch.testing.assert_close(iteration.halting, model.decider.head(iteration.state)[..., 0].sigmoid(), rtol=0, atol=1e-10)


@pytest.mark.parametrize("decider", ["early", "online", "confident"])
def test_the_answer_after_d_iterations_is_that_of_a_pass_that_ends_there(decider):
    model, tokens = deep_model(3, decider)
    own, deepest = model(tokens).depths, model.config.max_depth
    for given, depths in ((None, own), (deepest, torch.full_like(own, deepest))):
        for d, logits in enumerate(answers_over_depth(model, tokens, given), start=1):
            torch.testing.assert_close(logits, model(tokens, depths=depths.clamp(max=d)).logits, rtol=0, atol=1e-10)
    lengths = torch.tensor([6, 0, 3])
    torch.testing.assert_close(answers_over_depth(model, tokens, lengths=lengths)[-1], model(tokens, lengths=lengths).logits, rtol=0, atol=1e-10)


def test_late_rules_are_watched_in_the_run_that_counts():
    model, tokens = deep_model(4, "online")
    iterations, output = watched(model, tokens, select="mode")
    assert len(iterations) == model.config.max_depth and torch.equal(sum(one.active.long() for one in iterations), output.depths)
