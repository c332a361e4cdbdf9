"""How depth is dealt out: shares, what a shuffle costs, and where two deciders cross."""

import numpy as np
import pandas as pd
import pytest

from anira.analysis.allocation import after_shuffling, crossing, depth_shares


def test_shares_count_tokens_and_depths_that_nobody_got():
    frame = pd.DataFrame({"decider": "early", "run_seed": [0, 0, 0, 0, 1, 1], "size": [3, 3, 4, 4, 3, 3], "depth": [1, 3, 3, 3, 3, 3]})
    table = depth_shares(frame).query("size == 'all'").set_index(["seed", "depth"])["estimate"]
    assert table["0"].tolist() == [0.25, 0, 0.75]
    assert table["1"].tolist() == [0, 0, 1]
    assert table["all"].tolist() == pytest.approx([0.125, 0, 0.875])


def interventions(costs: dict[int, float]) -> pd.DataFrame:
    """100 instances a size and seed, of which a share `costs[seed]` is wrong once depths are shuffled within an answer."""
    rows = []
    for seed, cost in costs.items():
        for name, wrong in (("chosen", 0), ("shuffled in the instance", round(100 * cost)), ("shuffled among instances", 0), ("fixed", 50)):
            rows.append(
                pd.DataFrame({"run_seed": seed, "intervention": name, "instance": range(100), "tokens": 4, "right": np.where(np.arange(100) < wrong, 3, 4)})
            )
    return pd.concat(rows).assign(decider="online", size=8)


def test_what_a_shuffle_costs_is_taken_seed_by_seed():
    table = after_shuffling(interventions({0: 0.1, 1: 0.2, 2: 0.15})).set_index(["intervention", "seed"])
    assert table.loc[("shuffled in the instance − chosen", "all"), "estimate"] == pytest.approx(-0.15)
    assert table.loc[("shuffled in the instance − chosen", "all"), "high"] < 0
    assert table.loc[("shuffled in the instance", "1"), "estimate"] == 0.8
    assert table.loc[("shuffled among instances − chosen", "all"), "estimate"] == 0
    assert "fixed" not in table.index.get_level_values(0)


def test_a_table_without_shuffles_is_refused():
    with pytest.raises(ValueError, match="no rows of shuffled"):
        after_shuffling(interventions({0: 0.1}).query("intervention == 'chosen'"))


def test_deciders_cross_on_the_line_between_two_sizes():
    sizes = np.arange(3, 7)
    rows = [pd.DataFrame({"decider": "early", "run_seed": seed, "size": sizes, "depth": 4.0}) for seed in range(3)]
    lines = (2 + 0.8 * (sizes - 3), np.full(4, 3.5), np.array([5, 3, 5, 3.0]))
    rows += [pd.DataFrame({"decider": "online", "run_seed": seed, "size": sizes, "depth": line}) for seed, line in enumerate(lines)]
    table = crossing(pd.concat(rows))
    assert table["size"][0] == pytest.approx(5.5)
    assert table["size"][1:].isna().all()
    assert table["reason"].tolist() == ["", "online is shallower at all sizes", "they cross more than once"]
