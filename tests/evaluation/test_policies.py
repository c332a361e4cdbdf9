"""The ladder: each policy gives the depths that its name says, and costs what it looks at."""

import numpy as np
import pandas as pd
import pytest
import torch

from anira.evaluation.evaluate import evaluate
from anira.evaluation.policies import _first, _mean_of_place, _shuffled, _stays, ladder
from anira.evaluation.reading import Reading
from anira.evaluation.trace import draw
from anira.model.flops import token_cost
from anira.tasks.task import collate
from tests.evaluation.test_readout import TASK, random_model


@pytest.fixture(scope="module", params=["early", "online"])
def found(request) -> tuple:
    model = random_model(request.param)
    return model, ladder(model, TASK, 12, seed=0, confident=(1e-9, 2.0), rests=(0.0, 1e9))


def rows(table: pd.DataFrame, policy: str, setting: float | None = None) -> pd.DataFrame:
    part = table[table["policy"] == policy]
    return (part if setting is None else part[part["setting"] == setting]).reset_index(drop=True)


def test_what_is_chosen_is_what_the_model_does(found):
    model, table = found
    instances = [collate(draw(TASK, [size], 12, 0, split="held_out")) for size in TASK.sizes]
    with torch.no_grad():
        outputs = [model(batch.tokens) for batch in instances]
    for row, batch, output in zip(rows(table, "chosen").itertuples(), instances, outputs, strict=True):
        answer = batch.answer_mask[:, 1:]
        assert row.depth == pytest.approx(output.depths[:, :-1][answer].double().mean().item(), abs=1e-5)
        right = (output.logits.argmax(-1)[:, :-1] == batch.tokens[:, 1:]) | ~answer
        assert row.exact_match == pytest.approx(right.all(1).double().mean().item(), abs=1e-5)


def test_policies_of_one_number_give_that_number(found):
    _, table = found
    for d in range(1, 5):
        assert (rows(table, "uniform", d)[["depth", "all_depth"]] == d).all(axis=None)
        assert (rows(table, "answer", d)[["depth", "prompt_depth"]] == [d, 1]).all(axis=None)


def test_shuffles_keep_the_iterations(found):
    _, table = found
    for name in ("size", "edges"):
        shuffled, chosen = rows(table, f"shuffled, same {name} and place"), rows(table, "chosen")
        weights = [int(collate(draw(TASK, [size], 12, 0, split="held_out")).answer_mask.sum()) for size in TASK.sizes]
        assert np.average(shuffled["depth"], weights=weights) == pytest.approx(np.average(chosen["depth"], weights=weights), abs=1e-4)


def test_exits_that_always_or_never_hold_give_one_iteration_or_all(found):
    _, table = found
    assert (rows(table, "confident", 1e-9)["depth"] == 1).all() and (rows(table, "confident", 1e-9)["looks"] == 0).all()
    assert (rows(table, "confident", 2.0)["depth"] == 4).all() and (rows(table, "confident", 2.0)["looks"] == 3).all()
    assert (rows(table, "rests", 0.0)["depth"] == 4).all()
    assert (rows(table, "rests", 1e9)["depth"] == 2).all()  # the first iteration has no state before it


def test_needs_found_together_are_those_of_uniform_depths(found):
    model, table = found
    for row, size in zip(rows(table, "need, together").itertuples(), TASK.sizes, strict=True):
        batch = collate(draw(TASK, [size], 12, 0, split="held_out"))
        answer = batch.answer_mask[:, 1:]
        with torch.no_grad():
            chosen = model(batch.tokens[:, :-1]).depths
            right = [model(batch.tokens[:, :-1], depths=torch.where(answer, d, chosen)).logits.argmax(-1) == batch.tokens[:, 1:] for d in range(1, 5)]
        needs = _stays(torch.stack(right, -1)[answer])
        assert row.depth == pytest.approx(needs.double().mean().item(), abs=1e-5)


def test_a_look_costs_a_coda(found):
    model, table = found
    looked, rested = rows(table, "confident", 2.0), rows(table, "rests", 0.0)  # the same depths, with three looks and with none
    batches = [collate(draw(TASK, [size], 12, 0, split="held_out")) for size in TASK.sizes]
    for (_, one), (_, other), batch in zip(looked.iterrows(), rested.iterrows(), batches, strict=True):
        column = batch.answer_mask.nonzero()[:, 1]
        cost = token_cost(model.config, torch.full_like(column, 4), column)
        look = (cost.coda + cost.unembedding + 4 * model.config.width * column).sum().item()
        predicted = int(batch.lengths.sum()) - len(batch)
        assert one["flops"] - other["flops"] == pytest.approx(3 * look / predicted, abs=1e-3)


def test_uniform_depth_costs_no_decider_and_full_depth_is_the_whole(found):
    _, table = found
    assert rows(table, "uniform", 4)["flops_share"].tolist() == pytest.approx([1, 1])
    assert (rows(table, "chosen")["flops"] > 0).all()


def test_first_and_least_depths_are_those_of_a_loop():
    holds = torch.rand(200, 5, generator=torch.Generator().manual_seed(0)) < 0.6
    first = [next((d + 1 for d in range(5) if row[d]), 5) for row in holds.tolist()]
    stays = [next((d + 1 for d in range(5) if all(row[d:])), 5) for row in holds.tolist()]
    assert _first(holds).tolist() == first
    assert _stays(holds).tolist() == stays


def reading(depths: list[list[int]], prompt: int = 2) -> Reading:
    """Instances whose answer tokens have these depths."""
    width = prompt + max(map(len, depths))
    depth, answer = np.zeros((len(depths), width), np.int64), np.zeros((len(depths), width), bool)
    for row, values in enumerate(depths):
        answer[row, prompt : prompt + len(values)] = True
        depth[row, prompt : prompt + len(values)] = values
    zeros = np.zeros_like(depth)
    return Reading(answer, ~answer, answer, depth, zeros, depth.astype(float), zeros.astype(float))


def test_the_mean_of_a_place_comes_from_other_instances():
    own, others = reading([[9, 9, 9, 9]]), reading([[2, 4], [3, 5, 1]])
    assert _mean_of_place(own, others)[own.answer].tolist() == [2, 4, 1, 3]  # 2.5 to the even one; nobody has a fourth place: the mean of all


def test_depths_are_dealt_out_among_tokens_of_one_key_and_place_alone():
    readings = [reading([[1, 2], [3, 4], [5, 6]]), reading([[7, 8]])]
    keys = [np.array([0, 0, 1]), np.array([1])]
    seen = set()
    for seed in range(20):
        one, other = _shuffled(readings, keys, np.random.default_rng(seed))
        assert sorted(one[:2, 2]) == [1, 3] and sorted(one[:2, 3]) == [2, 4]
        assert sorted([one[2, 2], other[0, 2]]) == [5, 7]
        seen.add((one[0, 2], one[2, 2]))
    assert len(seen) == 4  # and they do move


def test_the_ladder_and_evaluate_agree_on_how_rows_are_summed(found):
    model, table = found
    wanted = evaluate(model, TASK, 12, 0, depths=3)
    assert set(wanted.columns) <= set(table.columns)


@pytest.mark.parametrize("decider", ["early", "online"])
def test_to_show_the_decider_another_token_is_to_give_its_depth(decider):
    """Why shuffling within cells is a patch of the decider's view: with another token's states before it, and the core untouched, it takes that token's depth."""
    model, batch = random_model(decider), collate(draw(TASK, [5], 8, seed=0))
    views: list[torch.Tensor] = []
    with torch.no_grad():
        with model.decider.head.register_forward_pre_hook(lambda layer, inputs: views.append(inputs[0].clone())):
            chosen = model(batch.tokens).depths
        other = torch.randperm(len(batch), generator=torch.Generator().manual_seed(1))
        shown = iter(views)
        with model.decider.head.register_forward_pre_hook(lambda layer, inputs: (next(shown)[other],)):
            patched = model(batch.tokens).depths
    assert torch.equal(patched, chosen[other])
    assert not torch.equal(patched, chosen)
