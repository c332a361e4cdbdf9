"""Counted operations equal those that PyTorch's operator counter sees, for each component."""

import itertools
from functools import partial

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from anira.model.anira import Anira, Config
from anira.model.deciders import UNTIED, variants
from anira.model.decoding import Cache
from anira.model.flops import Cost, cache_bytes, dense_cost, ideal_speed_up, sparse_cost, token_cost
from tests.model.random_models import SPARSE

ATTENTION = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu


def small_model(decider: str) -> Anira:
    return Anira(Config.of_variant(decider, vocabulary=11, answer_token=3, max_depth=4, width=8, hidden=20, heads=2, decider_hidden=14))


def counted(model: Anira, call) -> Cost:
    """The operations of `call` as the operator counter sees them, each product booked on the owner of its weights."""
    width = model.config.width
    owners = {"prelude": model.prelude, "core": model.core, "coda": model.coda, "decider": model.decider, "unembedding": model.unembedding}
    totals = dict.fromkeys([*owners, "attention"], 0)
    owner_of = {}
    for name, module in [*owners.items(), ("core", model.untied)]:
        for weight in module.parameters():
            owner_of[weight.data_ptr()] = name
            if len(weight) > width:
                owner_of[weight[width:].data_ptr()] = name  # the keys' and values' part of the queries' matrix

    def booked(operator):
        def flops(*arguments, out_val):
            count = flop_registry[operator](*arguments, out_val=out_val)
            totals[owner_of[arguments[-1].data_ptr()]] += count
            return count

        flops._get_raw = True
        return flops

    def attention(*arguments, **options):  # the CPU's operator has the same formula, but is not in the registry
        return flop_registry[torch.ops.aten._scaled_dot_product_flash_attention](*arguments, **options)

    attention._get_raw = True
    formulas = {operator: booked(operator) for operator in (torch.ops.aten.mm, torch.ops.aten.addmm)} | {ATTENTION: attention}
    with torch.no_grad(), FlopCounterMode(display=False, custom_mapping=formulas) as counter:
        call()
    totals["attention"] = counter.get_flop_counts()["Global"].get(ATTENTION, 0)
    assert sum(totals.values()) == counter.get_total_flops(), "an operator that belongs to no component"
    return Cost(**totals)


@pytest.mark.parametrize(("decider", "padded"), list(itertools.product([*SPARSE, UNTIED], [False, True])))
def test_a_batch_costs_what_the_operator_counter_sees(decider, padded):
    model, generator = small_model(decider), torch.Generator().manual_seed(0)
    tokens = torch.randint(0, 11, (3, 7), generator=generator)
    lengths = torch.tensor([7, 2, 5]) if padded else None
    some, shallow = torch.randint(1, 5, (3, 7), generator=generator), torch.randint(1, 3, (3, 7), generator=generator)
    for given in (some, shallow, 1, 4)[3 if model.config.untied else 0 :]:
        run = partial(model, tokens, depths=given, lengths=lengths)
        assert counted(model, run) == dense_cost(model.config, 3, 7)
        assert counted(model, partial(run, execution="sparse")) == sparse_cost(model.config, run().depths)


@pytest.mark.parametrize(("decider", "depth", "context"), list(itertools.product([*SPARSE, UNTIED], [1, 2, 3, 4], [1, 6])))
def test_a_token_read_with_a_cache_costs_the_least_it_needs(decider, depth, context):
    model = small_model(decider)
    cache, positions = Cache(model, 1, 6), torch.tensor([context - 1])
    memories = cache.newest(positions, torch.zeros(1, context))
    token, given = torch.tensor([5]), torch.tensor([depth])
    told = model.decider.context(token[None])
    told = told if told is None else told[0]
    seen = counted(model, lambda: model.packed(token, model.rotation(context)[-1:], given, 0.5, memories, told))
    assert seen == token_cost(model.config, torch.tensor([depth]), torch.tensor([context])).summed()


def test_a_look_at_the_answer_costs_a_coda_and_an_unembedding():
    """Booked on the decider, and not on the coda: so the components are told apart by their sum and by a model without looks."""
    model = small_model("confident")
    tokens, sees = torch.randint(0, 11, (3, 7), generator=torch.Generator().manual_seed(0)), dense_cost(model.config, 3, 7)
    seen = counted(model, partial(model, tokens, depths=3))
    fixed = small_model("fixed")
    without = counted(fixed, partial(fixed, tokens))
    assert seen.total == sees.total and sees.decider == seen.total - without.total > 0
    assert token_cost(model.config, torch.tensor([2]), torch.tensor([7])).summed().decider == sees.decider // (3 * 7 * 3) * 2


def test_the_cache_is_as_large_as_counted():
    model = small_model("early")
    cache = Cache(model, slots=3, capacity=5)
    bytes_each = cache_bytes(model.config, 2)
    assert cache.nbytes == 3 * 5 * (bytes_each.prelude + bytes_each.core_held + bytes_each.coda)
    assert [cache_bytes(model.config, depth).core // bytes_each.prelude for depth in (1, 2, 3, 4)] == [2, 3, 4, 4]


@pytest.mark.parametrize("decider", variants())
def test_the_ideal_is_one_at_full_depth_and_below_the_ratio_of_depths_elsewhere(decider):
    config = small_model(decider).config
    assert ideal_speed_up(config, torch.full((2, 5), 4)) == 1
    assert 1 < ideal_speed_up(config, torch.full((2, 5), 2)) < 2
    spread = torch.tensor([[4, 1, 1, 1, 1], [1, 1, 1, 1, 4]])
    assert ideal_speed_up(config, spread) < ideal_speed_up(config, torch.tensor([[4, 1, 1, 1, 1], [4, 1, 1, 1, 1]]))


def test_padding_is_free_in_the_ideal():
    config = small_model("online").config
    assert ideal_speed_up(config, torch.tensor([[2, 3, 0, 0]])) == ideal_speed_up(config, torch.tensor([[2, 3]]))
