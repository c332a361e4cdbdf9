"""Cached generation says what a full forward pass over the same tokens says, at every position."""

import pytest
import torch

from anira.model.anira import Anira, Config
from anira.model.decoding import Sampling, generate, generate_batch
from tests.model.random_models import random_model

BATCHES, ALL, PROMPTS = 25, 500, 20  # 500 prompts in every test run, 10,000 in the slow one


def random_prompts(generator: torch.Generator, count: int, longest: int) -> list[torch.Tensor]:
    lengths = torch.randint(1, longest + 1, (count,), generator=generator).tolist()
    return [torch.randint(0, 7, (length,), generator=generator) for length in lengths]


def random_policy(generator: torch.Generator, model: Anira, positions: int) -> dict:
    """Depths from the decider, from a rule, one number for all, or given for every position."""
    given = torch.randint(1, model.config.max_depth + 1, (PROMPTS, positions), generator=generator)
    policies = [{}, {}, {"select": "mode"}, {"select": "mean"}, {"select": 0.3}, {"depths": model.config.max_depth}, {"depths": given}]
    return policies[int(torch.randint(0, len(policies), (1,), generator=generator))]


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=pytest.mark.slow if seed >= BATCHES else ()) for seed in range(ALL)])
def test_generation_equals_the_full_pass_token_by_token_and_depth_by_depth(seed):
    generator = torch.Generator().manual_seed(seed)
    model, new = random_model(generator), 1 + seed % 12
    prompts = random_prompts(generator, PROMPTS, 9)
    policy = random_policy(generator, model, 9 + new - 1)
    results = generate_batch(model, prompts, end_token=3, max_new_tokens=new, **policy)
    largest = 0.0
    for line, (prompt, (answer, output, _)) in enumerate(zip(prompts, results, strict=True)):
        read = torch.cat([prompt, answer])[:-1]
        full_policy = {key: value[line : line + 1, : len(read)] if torch.is_tensor(value) else value for key, value in policy.items()}
        with torch.no_grad():
            full = model(read[None], **full_policy)
        assert torch.equal(output.depths, full.depths)
        assert torch.equal(answer, full.logits[0, len(prompt) - 1 :].argmax(-1))
        assert 3 not in answer[:-1] and (answer[-1] == 3 or len(answer) == new)
        largest = max(largest, float((output.logits - full.logits).abs().max()), float((output.exit_probs - full.exit_probs).abs().max()))
    assert largest < 1e-10
    print(f"largest difference over {PROMPTS} prompts: {largest:.1e}")


def test_sequences_end_at_different_lengths_in_the_random_batches():
    lengths = set()
    for seed in range(12, BATCHES):
        generator = torch.Generator().manual_seed(seed)
        model = random_model(generator)
        lengths |= {len(answer) for answer, _, _ in generate_batch(model, random_prompts(generator, PROMPTS, 9), end_token=3, max_new_tokens=9)}
    assert len(lengths) >= 5, lengths


def test_a_single_prompt_gets_the_same_answer_as_in_a_batch():
    generator = torch.Generator().manual_seed(0)
    model, prompts = random_model(generator, "online"), random_prompts(generator, 4, 6)
    for prompt, (answer, output, _) in zip(prompts, generate_batch(model, prompts, end_token=None, max_new_tokens=5), strict=True):
        alone, alone_output, _ = generate(model, prompt, end_token=None, max_new_tokens=5)
        assert torch.equal(alone, answer) and torch.equal(alone_output.depths, output.depths)
        assert len(answer) == 5


def test_a_step_computes_one_token_a_live_sequence_and_only_as_deep_as_it_needs(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    model = random_model(generator, "early")
    D, seen = model.config.max_depth, []
    prompts = [torch.tensor([1, 2]), torch.tensor([4])]
    depths = torch.ones(2, 4, dtype=torch.long)
    depths[0, 3] = D
    monkeypatch.setattr(model.core.feed_forward, "forward", lambda x, original=model.core.feed_forward.forward: (seen.append(len(x)), original(x))[1])
    generate_batch(model, prompts, end_token=None, max_new_tokens=3, depths=depths)
    assert D > 1 and seen == [3, 2, 2] + [1] * (D - 1)


def test_a_sequence_that_fills_the_model_is_cut_and_its_neighbours_are_whole():
    generator = torch.Generator().manual_seed(0)
    model = Anira(Config(vocabulary=7, width=8, hidden=12, heads=2, max_depth=3, max_length=16)).initialize(generator).double()
    prompts = [torch.randint(0, 7, (length,), generator=generator) for length in (5, 14, 4, 16)]
    whole = [generate(model, prompt, end_token=None, max_new_tokens=6) for prompt in prompts]
    together = generate_batch(model, prompts, end_token=None, max_new_tokens=6)
    assert [len(continued.tokens) for continued in together] == [6, 3, 6, 1] and [continued.cut for continued in together] == [False, True, False, True]
    for one, other in zip(whole, together, strict=True):
        assert torch.equal(one.tokens, other.tokens) and one.cut == other.cut
        torch.testing.assert_close(one.output.logits, other.output.logits, rtol=0, atol=1e-12)
    exactly = generate(model, prompts[1], end_token=None, max_new_tokens=3)
    assert torch.equal(exactly.tokens, together[1].tokens) and not exactly.cut  # it wanted no more


def test_drawn_tokens_follow_the_probabilities_and_the_seed():
    """Shares of many draws of one next token against softmax, by a chi-square test; only the k most probable with top_k."""
    model = random_model(torch.Generator().manual_seed(3), "early")
    prompt, count = torch.tensor([1, 4, 2]), 20_000

    def shares(**options):
        drawn = generate_batch(model, [prompt] * count, end_token=None, max_new_tokens=1, sampling=Sampling(torch.Generator().manual_seed(0), **options))
        return torch.stack([continued.tokens[0] for continued in drawn]).bincount(minlength=7)

    logits = generate(model, prompt, end_token=None, max_new_tokens=1).output.logits[0, -1].float()
    for temperature in (1.0, 0.6):
        expected = (logits / temperature).softmax(0) * count
        assert expected.min() > 5 and float(((shares(temperature=temperature) - expected) ** 2 / expected).sum()) < 22.5  # 0.1 % point, 6 degrees of freedom
    assert set(shares(top_k=2).nonzero().flatten().tolist()) == set(logits.topk(2).indices.tolist())
    one, same, other = (
        [
            continued.tokens.tolist()
            for continued in generate_batch(model, [prompt] * 4, end_token=3, max_new_tokens=9, sampling=Sampling(torch.Generator().manual_seed(seed)))
        ]
        for seed in (1, 1, 2)
    )
    assert one == same != other and len(set(map(tuple, one))) > 1
    greedy = generate(model, prompt, end_token=3, max_new_tokens=9)
    coldest = generate(model, prompt, end_token=3, max_new_tokens=9, sampling=Sampling(torch.Generator(), top_k=1))
    assert torch.equal(greedy.tokens, coldest.tokens)


def test_drawn_sequences_are_what_a_full_pass_says_of_them():
    generator = torch.Generator().manual_seed(2)
    model, prompts = random_model(generator, "online"), random_prompts(generator, 8, 6)
    for prompt, continued in zip(
        prompts, generate_batch(model, prompts, end_token=3, max_new_tokens=7, sampling=Sampling(torch.Generator().manual_seed(0))), strict=True
    ):
        full = model(torch.cat([prompt, continued.tokens])[None, :-1])
        assert torch.equal(full.depths, continued.output.depths)
        torch.testing.assert_close(full.logits, continued.output.logits, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("options", "word"), [({"temperature": 0.0}, "above 0"), ({"temperature": float("nan")}, "above 0"), ({"top_k": 0}, "top_k")])
def test_sampling_that_makes_no_sense_is_refused(options, word):
    with pytest.raises(ValueError, match=word):
        Sampling(torch.Generator(), **options)


def test_wrong_calls_are_refused():
    model = random_model(torch.Generator().manual_seed(0))
    prompt = torch.tensor([1, 2, 3])
    for prompts, arguments, word in [
        ([], {}, "prompt"),
        ([torch.tensor([], dtype=torch.long)], {}, "prompt"),
        ([torch.tensor([9])], {}, "Token ids"),
        ([prompt], {"depths": 99}, "depths"),
        ([prompt], {"depths": torch.ones(1, 2, dtype=torch.long)}, "depths"),
        ([prompt], {"select": "best"}, "rule"),
        ([prompt], {"max_new_tokens": 0}, "max_new_tokens"),
    ]:
        with pytest.raises(ValueError, match=word):
            generate_batch(model, prompts, **{"end_token": None, "max_new_tokens": 2, **arguments})
