"""The dense model: passthrough, stopping rules, straight-through gradients, clear errors."""

from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.utils.checkpoint import checkpoint

from anira.model.anira import Anira, Config
from anira.model.deciders import Sample, depth_by_rule, variants
from anira.model.decoding import generate
from anira.model.layers import rotary, rotate


def build(decider: str, seed: int = 0, **config) -> Anira:
    """A small float64 model whose decider is opinionated enough to spread depths over 1..D."""
    shape = dict(vocabulary=11, answer_token=3, max_depth=4, width=16, hidden=24, heads=2, decider_hidden=16, max_length=32)
    generator = torch.Generator().manual_seed(seed)
    model = Anira(Config.of_variant(decider, **{**shape, **config})).initialize(generator).double().eval()
    for parameter in model.parameters():
        if parameter.ndim == 2:
            torch.nn.init.normal_(parameter, std=parameter.shape[1] ** -0.5, generator=generator)
    if hasattr(model.decider, "head"):
        torch.nn.init.normal_(model.decider.head[-1].weight, generator=generator)
        with torch.no_grad():
            model.decider.head[-1].bias -= float(decider == "online")
    return model


def tokens(seed: int = 1, shape=(5, 12)) -> torch.Tensor:
    return torch.randint(11, shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("decider", variants())
def test_token_by_token_reference_agrees(decider):
    """Each state recomputed by definition: a token halts at its depth, others see its final state."""
    model, ids = build(decider), tokens()
    output = model(ids)
    if hasattr(model.decider, "head"):
        assert len(output.depths.unique()) > 2, "the case would not show anything with one depth"
    with torch.no_grad():
        rotation = model.rotation(ids.shape[1])
        states = [model.prelude(model.embedding(ids), rotation)]
        for d in range(1, model.config.max_depth + 1):
            whole = model.iterations[d - 1](states[-1], rotation)
            states.append(torch.stack([torch.stack([whole[b, t] if output.depths[b, t] >= d else states[-1][b, t] for t in range(12)]) for b in range(5)]))
        logits = model.unembedding(model.norm(model.coda(states[-1], rotation)))
    torch.testing.assert_close(output.logits, logits, rtol=0, atol=1e-12)
    if decider == "online":
        halting = torch.stack([model.decider.head(state)[..., 0].sigmoid() for state in states[1:]], -1)
        survival = torch.cumprod(1 - halting, -1)
        q = torch.cat([halting[..., :1], halting[..., 1:-1] * survival[..., :-2], survival[..., -2:-1]], -1)
        torch.testing.assert_close(output.exit_probs, q, rtol=0, atol=1e-12)
        assert torch.equal(output.depths, depth_by_rule(q, "median"))


@pytest.mark.parametrize("decider", variants())
def test_exit_probs_are_distributions_and_padding_changes_nothing(decider):
    model, ids = build(decider), tokens()
    output = model(ids)
    torch.testing.assert_close(output.exit_probs.sum(-1), torch.ones(5, 12, dtype=torch.float64))
    padded = model(F.pad(ids, (0, 7)))
    torch.testing.assert_close(padded.logits[:, :12], output.logits, rtol=0, atol=1e-12)
    assert torch.equal(padded.depths[:, :12], output.depths)


def test_given_depths_override_the_decider():
    model, ids = build("online"), tokens()
    own = model(ids)
    torch.testing.assert_close(model(ids, depths=own.depths).logits, own.logits)
    assert (model(ids, depths=2).depths == 2).all()
    assert not torch.allclose(model(ids, depths=1).logits, model(ids, depths=4).logits)


def test_numbers_of_any_kind_are_numbers():
    model, ids = build("online"), tokens()
    expected, deep = model(ids, select=0.5), model(ids, select=1.0)
    for rule in (np.float32(0.5), np.float64(0.5), torch.tensor(0.5)):
        assert torch.equal(model(ids, select=rule).depths, expected.depths)
    assert torch.equal(model(ids, select=1).depths, deep.depths)
    for given in (2, np.int64(2), torch.tensor(2), torch.full((5, 12), 2, dtype=torch.int32), torch.full((5, 12), 2, dtype=torch.uint8)):
        for execution in ("dense", "sparse"):
            output = model(ids, depths=given, execution=execution)
            assert output.depths.dtype == torch.int64 and (output.depths == 2).all()
    answer, output, _ = generate(model, ids[0, :4], end_token=None, max_new_tokens=2, depths=torch.tensor(2))
    assert (output.depths == 2).all()


@pytest.mark.parametrize("execution", ["dense", "sparse"])
def test_a_batch_of_no_instances_is_an_empty_output(execution):
    empty = torch.zeros(0, 5, dtype=torch.long)
    for lengths in (None, torch.zeros(0, dtype=torch.long)):
        output = build("online")(empty, lengths=lengths, execution=execution)
        assert output.logits.shape == (0, 5, 11) and output.depths.shape == (0, 5) and output.exit_probs.shape == (0, 5, 4)


@pytest.mark.parametrize("decider", ["early", "online", "hybrid"])
def test_activation_checkpointing_with_sampled_depths_gives_the_same_gradients(decider):
    """Layers wrapped, and the whole call wrapped with a sample that is made anew from its seed."""
    ids = tokens()

    def sampled(model):
        return model(ids, select=Sample(torch.Generator().manual_seed(5))).logits

    def gradients(wrap):
        model = build(decider)
        wrap(model)(model).square().sum().backward()
        return [parameter.grad for parameter in model.parameters()]

    def layers(model):
        for layer in (model.prelude, model.core, model.coda):
            layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)
        return sampled

    plain = gradients(lambda model: sampled)
    for wrap in (layers, lambda model: partial(checkpoint, sampled, use_reentrant=False)):
        for expected, found in zip(plain, gradients(wrap), strict=True):
            torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)


def test_one_seed_gives_one_trunk_under_every_decider():
    trunks = []
    for decider in variants():
        model = Anira(Config.of_variant(decider, vocabulary=11, answer_token=3)).initialize(torch.Generator().manual_seed(3))
        trunks.append({name: value for name, value in model.state_dict().items() if not name.startswith("decider")})
    for other in trunks[1:]:
        assert all(torch.equal(trunks[0][name], other[name]) for name in trunks[0])


def test_untied_layers_are_of_equal_depth_and_all_different():
    """Against a stack of as many layers written out; the recurrent model has the cost, not the parameters."""
    model, recurrent, ids = build("untied"), build("fixed"), tokens()
    layers = [model.prelude, model.core, *model.untied, model.coda]
    assert len(layers) == model.config.max_depth + 2
    with torch.no_grad():
        h, rotation = model.embedding(ids), model.rotation(12)
        for layer in layers:
            h = layer(h, rotation)
        expected = model.unembedding(model.norm(h))
    torch.testing.assert_close(model(ids).logits, expected, rtol=0, atol=1e-12)
    weights = [sum(p.numel() for p in m.parameters()) for m in (model, recurrent, model.core)]
    assert weights[0] - weights[1] == 3 * weights[2]
    assert len({layer.attention.qkv.weight.sum().item() for layer in layers}) == 6
    model(ids).logits.sum().backward()
    assert all(layer.attention.qkv.weight.grad.abs().max() > 0 for layer in layers)


def test_untied_layers_are_sparse_and_decoded_as_dense():
    model, ids, lengths = build("untied"), tokens(), torch.tensor([12, 3, 0, 7, 11])
    dense, sparse = (model(ids, lengths=lengths, execution=execution) for execution in ("dense", "sparse"))
    torch.testing.assert_close(sparse.logits, dense.logits, rtol=0, atol=1e-12)
    assert torch.equal(sparse.depths, dense.depths)
    for prompt in ids[:, :5]:
        answer, written, _ = generate(model, prompt, end_token=None, max_new_tokens=6)
        whole = model(torch.cat([prompt, answer[:-1]])[None])
        torch.testing.assert_close(written.logits, whole.logits, rtol=0, atol=1e-12)
        assert torch.equal(whole.logits[0, 4:].argmax(-1), answer)
    for call in (lambda: model(ids, depths=3), lambda: generate(model, ids[0], end_token=None, max_new_tokens=2, depths=3)):
        with pytest.raises(ValueError, match="4 to 4"):
            call()


def test_a_deep_start_is_equally_deep_for_both_deciders():
    last = []
    for decider in ("early", "online"):
        model = Anira(Config(vocabulary=11, decider=decider)).initialize(torch.Generator().manual_seed(0))
        model.decider.deepen(1.0)
        last.append(model(tokens(), depths=6).exit_probs[..., -1])
    expected = torch.arange(6.0).softmax(0)[-1].expand(5, 12)
    for probs in last:
        torch.testing.assert_close(probs, expected, rtol=1e-5, atol=1e-6)


def test_stopping_rules_follow_their_definitions():
    q = np.random.default_rng(0).dirichlet(np.ones(6) * 0.7, size=1000)
    probs = torch.from_numpy(q)
    for threshold, rule in [(0.5, "median"), (0.2, 0.2), (0.9, 0.9)]:
        by_hand = [next(d for d in range(1, 7) if d == 6 or row[:d].sum() >= threshold) for row in q]
        assert depth_by_rule(probs, rule).tolist() == by_hand
    assert depth_by_rule(probs, "mode").tolist() == (q.argmax(1) + 1).tolist()
    assert depth_by_rule(probs, "mean").tolist() == np.rint(q @ np.arange(1, 7)).astype(int).tolist()


@pytest.mark.parametrize("rule", ["mode", "mean"])
def test_online_rules_that_need_the_whole_distribution_use_the_full_run(rule):
    model, ids = build("online"), tokens()
    whole = model(ids, depths=4).exit_probs
    output = model(ids, select=rule)
    assert torch.equal(output.depths, depth_by_rule(whole, rule))
    torch.testing.assert_close(output.logits, model(ids, depths=output.depths).logits)


@pytest.mark.parametrize("decider", ["early", "online"])
def test_sampled_depths_follow_the_exit_distribution(decider):
    """A chi-square test over many samples of one position whose distribution does not depend on samples."""
    model = build(decider)
    ids = tokens(shape=(1, 1)).expand(20_000, 1)
    output = model(ids, select=Sample(torch.Generator().manual_seed(0)))
    observed = torch.bincount(output.depths[:, 0], minlength=5)[1:]
    # A lone token sees only itself, so its unhalted run shares the states that decide.
    expected = model(ids[:1], depths=4).exit_probs[0, 0].detach() * 20_000
    assert float(((observed - expected) ** 2 / expected).sum()) < 16.3  # 0.1 % point of chi-square with 3 degrees of freedom


@pytest.mark.parametrize("decider", ["early", "online"])
def test_the_answer_teaches_the_decider(decider):
    """Straight-through: the cross-entropy alone reaches the decider, and the forward value stays hard."""
    model, ids = build(decider), tokens()
    sample = Sample(torch.Generator().manual_seed(0))
    output = model(ids, select=sample)
    hard = model(ids, depths=output.depths)
    torch.testing.assert_close(output.logits, hard.logits, rtol=0, atol=1e-12)
    F.cross_entropy(output.logits.flatten(0, 1), ids.flatten()).backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in model.decider.parameters())


def test_rotary_scores_depend_on_distance_alone():
    rotation = rotary(50, 8, torch.float64, torch.device("cpu"))
    q, k = torch.randn(2, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    scores = rotate(q.expand(50, 8), rotation) @ rotate(k.expand(50, 8), rotation).T
    for offset in (-3, 0, 7):
        torch.testing.assert_close(scores.diagonal(offset), scores.diagonal(offset)[:1].expand(50 - abs(offset)))


def test_causality():
    model, ids = build("online"), tokens()
    changed = ids.clone()
    changed[:, 8:] = (changed[:, 8:] + 1) % 11
    torch.testing.assert_close(model(changed).logits[:, :8], model(ids).logits[:, :8], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m(torch.zeros(3, dtype=torch.long)), "shape"),
        (lambda m: m(torch.full((1, 3), 11)), "0..10"),
        (lambda m: m(torch.zeros(1, 33, dtype=torch.long)), "at most 32 tokens"),
        (lambda m: m(tokens(), depths=5), "1 to 4"),
        (lambda m: m(tokens(), depths=2.0), "integers"),
        (lambda m: m(tokens(), depths=torch.ones(5, 12, dtype=torch.bool)), "integers"),
        (lambda m: m(tokens(), depths=torch.ones(5, 3, dtype=torch.long)), "one for each token"),
        (lambda m: m(tokens(), lengths=[12] * 5), "whole numbers"),
        (lambda m: m(tokens(), lengths=torch.full((5,), 3.0)), "whole numbers"),
        (lambda m: m(tokens(), select=True), "threshold"),
        (lambda m: m(tokens(), select=0), "threshold"),
        (lambda m: m(tokens(), select="maximum"), "mode, median, mean"),
        (lambda m: m(tokens(), select=1.5), "threshold"),
        (lambda m: Config(vocabulary=5, decider="late"), "early, online, hybrid"),
        (lambda m: Config(vocabulary=5, width=20, heads=4), "multiple of 2·heads"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(build("online"))
