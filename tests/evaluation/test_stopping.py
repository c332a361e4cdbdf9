"""Stopping rules: each row is what the model does under that rule, and the frontier holds what nothing beats."""

import numpy as np
import pandas as pd
import pytest
import torch

from anira.analysis.stopping import by_rule, efficient, over_sizes
from anira.evaluation.evaluate import evaluate
from anira.evaluation.stopping import frontier
from anira.model.anira import Anira, Config
from anira.model.flops import token_cost
from anira.tasks import Brevo

TASK = Brevo(sizes=(3, 4), node_names=8)


def build(decider):
    config = Config(vocabulary=len(TASK.vocabulary), decider=decider, width=16, hidden=24, heads=2, decider_hidden=16, max_depth=4)
    model = Anira(config).initialize(torch.Generator().manual_seed(0)).eval()
    if hasattr(model.decider, "head"):
        torch.nn.init.normal_(model.decider.head[-1].weight, std=2.0, generator=torch.Generator().manual_seed(1))
    return model


@pytest.mark.parametrize("decider", ["early", "online"])
def test_each_rule_is_evaluated_on_the_same_instances(decider):
    model = build(decider)
    table = frontier(model, TASK, n=12, seed=3, rules=["mode", 0.3, 2])
    for rule, forward in (("mode", {"select": "mode"}), ("0.3", {"select": 0.3}), ("2", {"depths": 2})):
        expected = evaluate(model, TASK, n=12, seed=3, **forward)
        pd.testing.assert_frame_equal(table[table["rule"] == rule][expected.columns].reset_index(drop=True), expected)
    assert table[table["rule"] == "mode"]["passes"].eq(2 if decider == "online" else 1).all()


@torch.no_grad()
def test_operations_are_those_of_the_tokens_and_passes():
    model = build("online")
    batch = TASK.batch(1, np.random.default_rng([0, 4]), size=4, split="held_out")
    table = frontier(model, TASK, n=1, seed=0, rules=["median", "mode", 4], sizes=[4]).set_index("rule")
    T = batch.tokens.shape[1] - 1
    contexts, full = torch.arange(1, T + 1), torch.full((T,), 4)

    def cost(depths):
        return token_cost(model.config, depths, contexts).summed()

    median, mode = (cost(model(batch.tokens[:, :-1], select=rule).depths[0]) for rule in ("median", "mode"))
    assert table.loc["median", "flops"] == pytest.approx(median.total / T)
    assert table.loc["mode", "flops"] == pytest.approx((cost(full).total + mode.total - mode.decider) / T)
    assert table.loc["4", "flops_share"] == 1 and table.loc["4", "flops"] == pytest.approx((cost(full).total - cost(full).decider) / T)


def test_higher_thresholds_never_spend_less():
    table = over_sizes(frontier(build("early"), TASK, n=20, seed=1, rules=[0.1, 0.3, 0.5, 0.7, 0.9]).assign(decider="early", run_seed=0))
    assert table["depth"].is_monotonic_increasing and table["flops"].is_monotonic_increasing and table["depth"].nunique() > 1


def test_a_model_that_decides_nothing_has_its_own_depth_only():
    assert frontier(build("fixed"), TASK, n=3, seed=0)["rule"].unique().tolist() == ["4"]
    with pytest.raises(ValueError, match="fixed model decides nothing"):
        frontier(build("fixed"), TASK, n=3, seed=0, rules=["median"])


@pytest.mark.parametrize("rule", ["greedy", 1.5, 9])
def test_an_unknown_rule_or_depth_is_an_error(rule):
    with pytest.raises(ValueError, match="stopping rule|Given depths"):
        frontier(build("early"), TASK, n=2, seed=0, rules=[rule])


def test_the_frontier_holds_what_no_other_row_beats():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"decider": "early", "run_seed": np.repeat([0, 1], 20), "flops_share": rng.integers(1, 9, 40), "exact_match": rng.integers(1, 9, 40)})
    found = efficient(table)
    for i, row in table.iterrows():
        others = table[table["run_seed"] == row["run_seed"]]
        beaten = ((others["flops_share"] <= row["flops_share"]) & (others["exact_match"] >= row["exact_match"])
                  & ((others["flops_share"] < row["flops_share"]) | (others["exact_match"] > row["exact_match"]))).any()  # fmt: skip
        assert found[i] == (not beaten)


def test_rules_are_summarized_over_seeds_and_one_seed_has_no_interval():
    table = pd.concat([frontier(build("early"), TASK, n=4, seed=seed, rules=["mode", 0.3, 1]).assign(decider="early", run_seed=seed) for seed in range(3)])
    summary, one = by_rule(table), by_rule(table.query("run_seed == 0"))
    mean = table.query("rule == 'mode' and size == 4")[["exact_match", "flops_share"]].mean()
    row = summary.query("rule == 'mode' and size == '4'").iloc[0]
    assert row[["exact_match", "flops_share"]].tolist() == pytest.approx(mean.tolist())
    assert summary["size"].unique().tolist() == ["all", "3", "4"] and (summary["seeds"] == 3).all()
    assert one[["low", "high"]].isna().all(axis=None) and one["exact_match"].notna().all()


def test_tables_with_holes_are_refused():
    table = pd.DataFrame({"decider": ["early"], "run_seed": [0], "flops_share": [np.nan], "exact_match": [1.0]})
    for damaged in (table, table[:0], table.drop(columns="exact_match")):
        with pytest.raises(ValueError, match="NaN|empty|lacks"):
            efficient(damaged)
