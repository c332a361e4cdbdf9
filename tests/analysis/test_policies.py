"""Policies over seeds, and the share of a larger graph's rise that irrelevant nodes call forth."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from anira.analysis.policies import advantage, by_policy, matched_uniform, rise_with_distractors, rises_over_seeds


def distracted(per_irrelevant: float, per_larger: float, *, n: int = 150, wrong: int = 0) -> pd.DataFrame:
    """Tokens of n instances of sizes 3 and 4; a later place costs 0.5 more, and really larger graphs have longer answers."""
    rng, rows = np.random.default_rng(0), []
    for number, size in enumerate((3, 4)):
        for graph, added in [("as it is", 0), *product(("dead ends", "larger"), (1, 2)), ("apart", 2)]:
            rise = added * {"larger": per_larger, "apart": 3 * per_irrelevant}.get(graph, per_irrelevant)
            lengths = np.full(n, 2 + (added if graph == "larger" else 0))
            instance = np.repeat(np.arange(n), lengths)
            place = np.arange(len(instance)) - np.repeat(lengths.cumsum() - lengths, lengths)
            depth = 2 + rise + 0.5 * place + rng.normal(0, 0.1, len(instance))
            correct = ~((graph == "dead ends") & (instance < wrong))
            rows.append(
                pd.DataFrame(
                    {
                        "graph": graph,
                        "added": added,
                        "size": size,
                        "instance": instance + number * n,
                        "place": place,
                        "correct": correct,
                        "expected_depth": depth,
                    }
                )
            )
    return pd.concat(rows, ignore_index=True)


def whole(table: pd.DataFrame, quantity: str, graph: str = "dead ends") -> pd.Series:
    return table[(table["size"] == "all") & (table["quantity"] == quantity) & (table["graph"] == graph)].iloc[0]


def test_a_depth_that_goes_by_length_rises_as_much_with_irrelevant_nodes():
    table = rise_with_distractors(distracted(0.2, 0.2))
    assert whole(table, "share")["estimate"] == pytest.approx(1, abs=0.05)
    assert whole(table, "share")["high"] - whole(table, "share")["low"] < 0.2


def test_what_stands_apart_is_compared_with_larger_graphs_of_as_many_nodes():
    table = rise_with_distractors(distracted(0.1, 0.2))
    assert whole(table, "share", "apart")["estimate"] == pytest.approx(1.5, abs=0.07)
    assert whole(table, "share")["estimate"] == pytest.approx(0.5, abs=0.05)
    assert whole(rise_with_distractors(distracted(0.1, 0.2, wrong=15)), "exact match", "apart")["estimate"] == 1


def test_a_depth_that_goes_by_the_search_does_not_rise_with_them():
    table = rise_with_distractors(distracted(0.0, 0.2))
    assert whole(table, "share")["low"] < 0 < whole(table, "share")["high"]
    assert whole(table, "rise", "larger")["estimate"] == pytest.approx(0.3, abs=0.03)  # mean of one and two nodes more


def test_a_longer_answer_is_no_rise():
    table = rise_with_distractors(distracted(0.1, 0.0))
    assert whole(table, "rise", "larger")["estimate"] == pytest.approx(0, abs=0.03)
    assert whole(table, "rise")["low"] > 0.1


def test_graphs_larger_than_a_bound_are_left_out():
    table = distracted(0.2, 0.2)
    far = (table["size"] + table["added"] > 5) & (table["graph"] == "dead ends")
    table.loc[far, "expected_depth"] = 90.0
    assert whole(rise_with_distractors(table, largest=5), "share")["estimate"] == pytest.approx(1, abs=0.05)
    assert whole(rise_with_distractors(table), "share")["estimate"] > 10


def test_exact_match_with_distractors_counts_whole_answers():
    assert whole(rise_with_distractors(distracted(0.1, 0.2, wrong=15)), "exact match")["estimate"] == pytest.approx(0.9)


def test_rises_are_averaged_over_the_seeds_of_a_decider():
    models = pd.concat([distracted(per, 0.2).assign(decider="early", run_seed=seed) for seed, per in enumerate((0.05, 0.15))])
    row = whole(rises_over_seeds(models), "share")
    assert row["estimate"] == pytest.approx(0.5, abs=0.05)
    assert row["low"] < 0.25 < 0.75 < row["high"] and row["clusters"] == 2


def ladder() -> pd.DataFrame:
    """Two seeds, two sizes: "answer d" is right in .8, .9, 1 of instances, what is chosen spends 2.5 and is right in .97."""
    rows = []
    for seed in (0, 1):
        for size in (3, 4):
            for policy, setting, depth, exact in [("answer", 1.0, 1, 0.8), ("answer", 2.0, 2, 0.9), ("answer", 3.0, 3, 1.0), ("chosen", np.nan, 2.5, 0.97)]:
                better = 0.01 * seed * (policy == "chosen")
                row = {"decider": "early", "run_seed": seed, "policy": policy, "setting": setting, "size": size, "exact_match": exact + better, "depth": depth}
                rows.append({**row, "all_depth": 1.0, "looks": 0.0, "flops": 100.0, "flops_share": 0.5})
    return pd.DataFrame(rows)


def test_policies_are_averaged_over_sizes_and_then_over_seeds():
    table = by_policy(ladder())
    row = table[(table["size"] == "all") & (table["policy"] == "chosen")].iloc[0]
    assert row["exact_match"] == pytest.approx(0.975)
    assert row["seeds"] == 2
    assert row["low"] < 0.975 < row["high"]


def test_the_advantage_over_a_setting_is_taken_model_by_model():
    assert advantage(ladder(), "chosen", "answer", setting=2.0)["difference"].tolist() == pytest.approx([0.07, 0.08])
    with pytest.raises(ValueError, match="no rows of"):
        advantage(ladder(), "chosen", "rests")


def test_a_policy_is_matched_on_the_line_between_two_numbers_of_iterations():
    table = matched_uniform(ladder())
    assert table["matched"].tolist() == pytest.approx([0.95, 0.95])
    assert table["difference"].tolist() == pytest.approx([0.02, 0.03])


def test_a_policy_is_matched_with_another_model_of_the_same_seed():
    rival = ladder().query("run_seed == 1").assign(decider="role", exact_match=lambda rows: rows["exact_match"] - 0.1)
    table = matched_uniform(pd.concat([ladder(), rival]), weights="role").query("decider == 'early'")
    assert table["run_seed"].tolist() == [1]
    assert table["difference"].tolist() == pytest.approx([0.13])
