"""A decider that the library has never seen: registered, it is used like its own, and nobody asks its name."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from anira.model import deciders
from anira.model.anira import Anira, Config
from anira.model.deciders import Decider, Online, register
from anira.model.decoding import generate_batch
from anira.model.flops import dense_cost, sparse_cost, token_cost


class Patient(Online):
    name = "patient"


class Parity(Decider):
    """Written from scratch: a token halts as soon as the sum of its state is positive."""

    name = "parity"
    default_rule = 0.4
    late_rules = ("mode", "mean", "median")

    def __init__(self, width: int, hidden: int, max_depth: int):
        super().__init__(width, hidden, max_depth)
        self.scale = nn.Parameter(torch.ones(()))

    def start(self, h: Tensor, select: object) -> "ParityRun":
        return ParityRun(h, self.max_depth, select, self.scale)

    @classmethod
    def operations(cls, config: Config, depths: Tensor, contexts: Tensor) -> Tensor:
        return depths * config.width


class ParityRun:
    planned = False

    def __init__(self, h: Tensor, max_depth: int, limit: float, scale: Tensor):
        self.max_depth, self.limit, self.scale = max_depth, limit, scale
        self.depths = torch.zeros(h.shape[:-1], dtype=torch.long)
        self.mass = h.new_zeros(h.shape[:-1])
        self.halting = h.new_zeros(h.shape[:-1])
        self.masses = []

    @property
    def exit_probs(self) -> Tensor:
        return torch.diff(torch.stack(self.masses, -1), dim=-1, prepend=torch.zeros_like(self.mass)[..., None])

    def active(self, d: int) -> Tensor:
        return self.mass < self.limit

    def observe(self, d: int, h: Tensor, rows: Tensor | None = None) -> None:
        self.depths += self.active(d)
        halting = (self.scale * h.sum(-1)).sigmoid() ** 2
        self.halting = halting if rows is None else self.halting.index_copy(0, rows, halting)
        self.mass = torch.ones_like(self.mass) if d == self.max_depth else self.mass + (1 - self.mass) * self.halting
        self.masses.append(self.mass)


@pytest.fixture(params=[Patient, Parity])
def name(request) -> Iterator[str]:
    register(request.param)
    yield request.param.name
    del deciders.DECIDERS[request.param.name]


def opinionated(name: str, max_depth: int = 4) -> Anira:
    generator = torch.Generator().manual_seed(0)
    model = Anira(Config(vocabulary=7, decider=name, max_depth=max_depth, width=8, hidden=12, heads=2, decider_hidden=9)).initialize(generator).double()
    for parameter in model.parameters():
        parameter.data += 0.4 * torch.randn(parameter.shape, generator=generator, dtype=torch.double)
    return model


def test_every_rule_execution_and_decoding_take_it(name):
    model, generator = opinionated(name), torch.Generator().manual_seed(1)
    tokens, lengths = torch.randint(0, 7, (5, 9), generator=generator), torch.tensor([9, 0, 4, 9, 7])
    given = torch.randint(1, 5, (5, 9), generator=generator)
    for policy in ({}, {"select": "mode"}, {"select": "mean"}, {"select": "median"}, {"select": 0.3}, {"select": 1}, {"depths": given}, {"depths": 2}):
        with torch.no_grad():
            dense, sparse = (model(tokens, lengths=lengths, execution=execution, **policy) for execution in ("dense", "sparse"))
            assert torch.equal(dense.depths, sparse.depths)
            for a, b in ((dense.logits, sparse.logits), (dense.exit_probs, sparse.exit_probs)):
                torch.testing.assert_close(a, b, rtol=0, atol=1e-10)
            for answer, output, _ in generate_batch(
                model, list(tokens[:2, :6]), end_token=None, max_new_tokens=3, **({} if policy.get("depths") is given else policy)
            ):
                assert len(answer) == 3 and output.depths.shape == (1, 8)
        torch.testing.assert_close(dense.exit_probs.sum(-1), (dense.depths > 0).double())
    with torch.no_grad():
        assert len(model(tokens).depths.unique()) > 1, "the case would not show anything with one depth"
        for prompt in tokens[:3, :6]:
            answer, output, _ = generate_batch(model, [prompt], end_token=None, max_new_tokens=4)[0]
            whole = model(torch.cat([prompt, answer[:-1]])[None])
            torch.testing.assert_close(output.logits, whole.logits, rtol=0, atol=1e-10)
            assert torch.equal(output.depths, whole.depths)


def test_its_operations_are_counted_as_it_says(name):
    config = opinionated(name).config
    depths, contexts = torch.tensor([[1, 4, 0]]), torch.ones(1, 3, dtype=torch.long)
    expected = int(deciders.DECIDERS[name].operations(config, depths, contexts).sum())
    assert expected > 0
    assert sparse_cost(config, depths).decider == expected
    assert token_cost(config, torch.tensor([1, 4]), torch.tensor([1, 1])).summed().decider == expected
    assert dense_cost(config, 2, 3).decider == 6 * int(deciders.DECIDERS[name].operations(config, torch.tensor([4]), torch.tensor([3])))


def test_more_iterations_than_trained_with_are_its_own_business(name):
    if deciders.DECIDERS[name].any_depth:
        assert opinionated(name).with_depth(6).config.max_depth == 6
    else:
        with pytest.raises(ValueError, match="4 iterations"):
            opinionated(name).with_depth(6)


def test_a_cost_that_is_not_told_is_an_error_and_not_nothing():
    class Silent(Decider):
        name = "silent"

    with pytest.raises(NotImplementedError, match="silent.*operations"):
        Silent.operations(None, torch.ones(1), torch.ones(1))


def test_what_cannot_be_registered_is_named():
    class Nameless(Online):
        pass

    class Untied(Online):
        name = "untied"

    class Other(Online):
        name = "early"

    class Ruleless(Online):
        name = "ruleless"
        default_rule = "best"

    for decider, message in [(3, "derived from"), (Nameless, "name of its own"), (Untied, "untied"), (Other, "belongs to"), (Ruleless, "stopping rule")]:
        with pytest.raises(ValueError, match=message):
            register(decider)
    assert not {"untied", "ruleless"} & set(deciders.DECIDERS)


def test_a_cell_that_is_run_again_replaces_its_decider():
    def cell():
        class Again(Online):
            name = "again"

        return register(Again)

    first, second = cell(), cell()
    assert first is not second and deciders.DECIDERS["again"] is second
    del deciders.DECIDERS["again"]


def test_untied_layers_leave_nothing_to_decide():
    with pytest.raises(ValueError, match="nothing to decide"):
        Config(vocabulary=5, decider="online", untied=True)
    assert Config.of_variant("untied", vocabulary=5).variant == "untied" and Config(vocabulary=5).variant == "online"
