"""Deciders beyond the paper: the hybrid has early and online as its limits, the exits that learn nothing halt where they say."""

import pytest
import torch
import torch.nn.functional as F

from anira.model.anira import Anira, Config
from anira.model.deciders import Sample
from anira.model.decoding import generate
from anira.model.watching import answers_over_depth

SHAPE = dict(vocabulary=11, max_depth=5, width=16, hidden=24, heads=2, decider_hidden=16, max_length=32, answer_token=3)


def build(decider: str, seed: int = 0, **config) -> Anira:
    """A small float64 model with opinions."""
    generator = torch.Generator().manual_seed(seed)
    model = Anira(Config(decider=decider, **{**SHAPE, **config})).initialize(generator).double().eval()
    for parameter in model.parameters():
        parameter.data += 0.3 * torch.randn(parameter.shape, generator=generator, dtype=torch.double)
    return model


def tokens(seed: int = 1, shape=(6, 12)) -> torch.Tensor:
    return torch.randint(4, 11, shape, generator=torch.Generator().manual_seed(seed))


def hybrid_of(model: Anira) -> Anira:
    """A hybrid on the same trunk."""
    return model.with_decider("hybrid", torch.Generator().manual_seed(9))


@pytest.mark.parametrize("max_depth", [1, 2, 5])
def test_without_evidence_the_hybrid_is_early(max_depth):
    early, ids = build("early", max_depth=max_depth), tokens()
    hybrid = hybrid_of(early)
    hybrid.decider.prior.load_state_dict(early.decider.head.state_dict())  # the evidence begins at zero
    for rule in ("mode", "median", "mean", 0.2, 0.8):
        expected, found = early(ids, select=rule), hybrid(ids, select=rule)
        torch.testing.assert_close(found.exit_probs, expected.exit_probs, rtol=0, atol=1e-12)
        assert torch.equal(found.depths, expected.depths)
        torch.testing.assert_close(found.logits, expected.logits, rtol=0, atol=1e-12)


@pytest.mark.parametrize("max_depth", [1, 2, 5])
def test_with_a_prior_that_halves_the_hybrid_is_online(max_depth):
    online, ids = build("online", max_depth=max_depth), tokens()
    hybrid = hybrid_of(online)
    hybrid.decider.evidence.load_state_dict(online.decider.head.state_dict())
    with torch.no_grad():
        hybrid.decider.prior[-1].bias.copy_(-torch.arange(max_depth).clamp(max=max(max_depth - 2, 0)) * torch.log(torch.tensor(2.0, dtype=torch.double)))
    for rule in ("mode", "median", "mean", 0.2, 0.8):
        expected, found = online(ids, select=rule), hybrid(ids, select=rule)
        torch.testing.assert_close(found.exit_probs, expected.exit_probs, rtol=0, atol=1e-12)
        assert torch.equal(found.depths, expected.depths)
    one, other = (model(ids, select=Sample(torch.Generator().manual_seed(4))) for model in (online, hybrid))
    assert torch.equal(one.depths, other.depths)
    assert max_depth == 1 or len(online(ids, select=0.6).depths.unique()) > 1


def test_the_answer_teaches_both_parts_of_the_hybrid():
    model, ids = build("hybrid"), tokens()
    F.cross_entropy(model(ids, select=Sample(torch.Generator().manual_seed(0))).logits.flatten(0, 1), ids.flatten()).backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in model.decider.parameters())


def test_a_hybrid_starts_without_an_opinion_and_as_deep_as_early():
    for deep_start in (0.0, 1.0):
        models = [Anira(Config(decider=decider, **SHAPE)).initialize(torch.Generator().manual_seed(0)) for decider in ("early", "hybrid")]
        for model in models:
            model.decider.deepen(deep_start)
        one, other = (model(tokens(), depths=5).exit_probs for model in models)
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("limit", [0.2, 0.35, 0.5])
def test_confident_halts_at_the_first_iteration_after_which_the_answer_is_probable_enough(limit):
    """Token by token, as deep as it goes, against the definition: what the model would answer with all tokens where they are."""
    model, ids = build("online").with_decider("confident"), tokens()
    with torch.no_grad():
        output = model(ids, select=limit)
        probable = answers_over_depth(model, ids, select=limit).softmax(-1).amax(-1)  # (D, B, T), each token at most at its own depth
    expected = torch.full_like(output.depths, 5)
    for d in range(4, 0, -1):
        expected[probable[d - 1] >= limit] = d
    assert torch.equal(output.depths, expected) and len(output.depths.unique()) > 1
    torch.testing.assert_close(output.exit_probs.sum(-1), torch.ones(6, 12, dtype=torch.double))


@pytest.mark.parametrize("limit", [0.3, 0.5, 0.7])
def test_resting_halts_at_the_first_small_change(limit):
    model, ids = build("online").with_decider("resting"), tokens()
    states = []
    with torch.no_grad():
        output = model(ids, select=limit, on_iteration=lambda one: states.append((one.before, one.state)))
        sparse = model(ids, select=limit, execution="sparse")
    expected = torch.full_like(output.depths, 5)
    for d in range(4, 0, -1):
        before, after = states[d - 1]
        expected[(after - before).norm(dim=-1) <= (1 - limit) * before.norm(dim=-1)] = d
    assert torch.equal(output.depths, expected) and torch.equal(sparse.depths, expected) and len(expected.unique()) > 1
    torch.testing.assert_close(sparse.exit_probs, output.exit_probs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("decider", ["confident", "resting"])
def test_what_learns_nothing_is_put_on_a_trained_model_and_is_not_trained(decider):
    trained, ids = build("early"), tokens()
    model = trained.with_decider(decider)
    assert not list(model.decider.parameters()) and model.config.decider == decider and not model.training
    torch.testing.assert_close(model(ids, depths=5).logits, trained(ids, depths=5).logits, rtol=0, atol=0)
    with pytest.raises(ValueError, match="nothing to learn"):
        model(ids, select=Sample(torch.Generator()))
    with pytest.raises(ValueError, match="torch.Generator"):
        trained.with_decider("online")
    with pytest.raises(ValueError, match="nothing to decide"):
        Anira(Config.of_variant("untied", **SHAPE)).with_decider(decider)


def test_what_reads_the_answer_has_no_sparse_execution():
    model, ids = build("confident"), tokens()
    for call in (lambda: model(ids, execution="sparse"), lambda: generate(model, ids[0], end_token=None, max_new_tokens=1)):
        with pytest.raises(ValueError, match="coda must see all"):
            call()


def test_role_leaves_the_depth_at_which_it_starts():
    """In two hundred steps at the rate of a recipe, when depth has a price and nothing else is asked for."""
    model, ids = build("role"), tokens()
    model.decider.deepen(1.0)
    torch.testing.assert_close(model(ids).exit_probs[0, 0], torch.softmax(torch.arange(5.0).double(), 0))
    assert (model(ids).depths == 5).all()
    optimizer = torch.optim.AdamW(model.decider.parameters(), lr=5e-3, weight_decay=0)
    for _ in range(200):
        optimizer.zero_grad()
        (0.05 * model(ids, select=Sample(torch.Generator().manual_seed(0))).expected_depths.mean()).backward()
        optimizer.step()
    assert (model(ids).depths == 1).all()


def test_role_knows_prompt_from_answer_and_nothing_else():
    model, ids = build("role"), tokens()
    ids[:, 5] = 3
    ids[0, 2] = 3  # an answer begins once
    with torch.no_grad():
        model.decider.prompt.copy_(torch.tensor([3.0, 0, 0, 0, 0]))
        model.decider.answer.copy_(torch.tensor([0.0, 0, 0, 2, 0]))
    expected = torch.where(torch.arange(12) >= torch.where(torch.arange(6) == 0, 2, 5)[:, None], 4, 1)
    for output in (model(ids), model(ids, execution="sparse")):
        assert torch.equal(output.depths, expected)
        assert len(output.exit_probs.flatten(0, 1).unique(dim=0)) == 2
    for line in ids:
        answer, output, _ = generate(model, line[:6], end_token=None, max_new_tokens=5)
        whole = model(torch.cat([line[:6], answer])[None, :-1])
        assert torch.equal(output.depths, whole.depths) and (output.depths[0, 5:] == 4).all()
    F.cross_entropy(model(ids, select=Sample(torch.Generator().manual_seed(0))).logits.flatten(0, 1), ids.flatten()).backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in model.decider.parameters())
    with pytest.raises(ValueError, match="answer_token"):
        Anira(Config(vocabulary=11, decider="role"))
