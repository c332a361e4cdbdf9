"""Need, calibration and the answer over depth, on readouts in which every token's history is written down."""

import numpy as np
import pandas as pd
import pytest

from anira.analysis.need import answers_over_depth, calibration, needs, over_models, spending


def readouts(tokens: list[dict], depth: int = 4) -> pd.DataFrame:
    """Rows of tokens given as {"said": "abcd", "together": "...", "target": "c", "depth": 3, …}, one letter an iteration."""
    rows = []
    for number, token in enumerate(tokens):
        instance, place = token.get("instance", number), token.get("place", 0)
        for i in range(depth):
            rows.append(
                {
                    "instance": instance,
                    "size": token.get("size", 3),
                    "position": 10 + place,
                    "place": place,
                    "depth": token.get("depth", depth),
                    "expected_depth": token.get("expected_depth", 2.5),
                    "iteration": i + 1,
                    "said": token["said"][i],
                    "right": token["said"][i] == token["target"],
                    "right_together": token.get("together", token["said"])[i] == token["target"],
                    "passed": token.get("passed", (0.02, 0.2, 0.6, 1.0))[i],
                }
            )
    return pd.DataFrame(rows)


def test_the_need_is_the_least_depth_from_which_on_the_prediction_stays_right():
    tokens = [
        {"said": "xxcc", "target": "c"},  # right from 3 on
        {"said": "cccc", "target": "c"},  # from 1 on
        {"said": "cxcc", "target": "c"},  # right at 1, but not to stay
        {"said": "ccxx", "target": "c"},  # lost: its need is unknown
        {"said": "xcyc", "together": "xxxc", "target": "c", "depth": 2},
    ]
    table = needs(readouts(tokens))
    assert table["need"].tolist()[:3] == [3, 1, 3]
    assert np.isnan(table["need"][3])
    assert table["need"][4] == table["need_together"][4] == 4
    assert table["lost"].tolist() == [False, False, False, True, False]
    assert table["changes"].tolist() == [1, 0, 2, 1, 3]
    assert table["settled"].tolist() == [3, 1, 3, 3, 4]
    assert table["correct"].tolist() == [True, True, True, False, True]


def planted(n: int, depth_of_need) -> pd.DataFrame:
    """n instances of two tokens with needs 1..4, E[d] = `depth_of_need`(need, noise)."""
    rng, tokens = np.random.default_rng(0), []
    for instance in range(n):
        size = int(rng.integers(3, 6))
        for place in range(2):
            need = int(rng.integers(1, 5))
            expected = depth_of_need(need, rng.normal())
            chosen = int(np.clip(np.ceil(expected), 1, 4))
            tokens.append(
                {
                    "instance": instance,
                    "size": size,
                    "place": place,
                    "said": "x" * (need - 1) + "c" * (5 - need),
                    "target": "c",
                    "depth": chosen,
                    "expected_depth": expected,
                }
            )
    return readouts(tokens)


def correlation(table: pd.DataFrame, quantity: str) -> pd.Series:
    return table[(table["quantity"] == quantity) & (table["definition"] == "alone") & (table["size"] == "all")].iloc[0]


def test_spending_that_follows_need_is_found_and_spending_that_does_not_is_not():
    follows = spending(planted(200, lambda need, noise: np.clip(need + 0.2 * noise, 1, 4)), draws=25)
    blind = spending(planted(200, lambda need, noise: np.clip(3 + 0.5 * noise, 1, 4)), draws=25)
    for quantity in ("need", "need beyond"):
        assert correlation(follows, quantity)["low"] > 0.9
        assert correlation(blind, quantity)["low"] < 0 < correlation(blind, quantity)["high"]
    assert correlation(follows, "size")["low"] < 0 < correlation(follows, "size")["high"]


def test_spent_needed_and_the_share_that_gets_more():
    tokens = [{"said": "xxcc", "target": "c", "depth": 4}, {"said": "cccc", "target": "c", "depth": 1}, {"said": "xxxx", "target": "c", "depth": 4}]
    tokens += [{"said": "xccc", "target": "c", "depth": 2, "size": 4}] * 1
    table = spending(readouts([{**token, "instance": i} for i, token in enumerate(tokens)]), draws=0).query("definition == 'alone' and size == 'all'")
    values = table.set_index("quantity")["estimate"]
    assert values[["spent", "needed", "more"]].tolist() == pytest.approx([7 / 3, 2, 1 / 3])


def test_calibration_counts_what_no_later_iteration_changes():
    tokens = [{"said": "abcc", "target": "c"}, {"said": "cccc", "target": "c"}, {"said": "ddcd", "target": "c"}]
    table = calibration(readouts(tokens), bins=(0, 0.1, 0.5, 1)).query("quantity == 'final'")
    assert table["readouts"].tolist() == [3, 3, 3]  # F(d) of .02, .2 and .6; the last iteration is left out
    assert table["estimate"].tolist() == pytest.approx([1 / 3, 1 / 3, 2 / 3])


def test_the_answer_over_depth():
    tokens = [{"said": "abcc", "target": "c", "depth": 2}, {"said": "cccc", "target": "c", "depth": 3}]
    table = answers_over_depth(readouts(tokens)).query("size == 'all'").pivot(index="iteration", columns="quantity", values="estimate")
    assert table["right"].tolist() == [0.5, 0.5, 1, 1]
    assert table["final"].tolist() == [0.5, 0.5, 1, 1]
    assert table["changed"].tolist()[1:] == [0.5, 0.5, 0]
    assert table["running"].tolist() == [1, 1, 0.5, 0]


def test_one_seed_keeps_its_interval_over_instances_and_several_give_one_over_seeds():
    one = [planted(20, lambda need, noise, seed=seed: np.clip(need + seed / 3, 1, 4)).assign(decider="early", run_seed=seed) for seed in range(3)]
    single, several = over_models(one[0], calibration), over_models(pd.concat(one), calibration)
    assert set(single["over"]) == {"instances"}
    assert set(several["over"]) == {"seeds"}
    assert (several["clusters"] == 3).all()


def test_readouts_with_a_missing_or_a_double_iteration_are_refused():
    table = readouts([{"said": "abcc", "target": "c"}, {"said": "abcc", "target": "c"}])
    with pytest.raises(ValueError, match="missing"):
        needs(table.drop(index=1))
    with pytest.raises(ValueError, match="twice"):
        needs(pd.concat([table, table]))
