"""Surface against content: what is planted in a cell's mean is surface, what is planted within cells is content, and noise is neither."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from anira.analysis.alignment import alignment
from anira.analysis.surface import PAPER, alignment_within_cells, size_shares, surface, surface_by_decider, with_dependents, with_last_tokens

CONTENT = ["dfs_depth", "frontier_size", "newly_enabled", "out_degree"]


def traced(n: int, depth, seed: int = 0) -> pd.DataFrame:
    """A trace of n instances of four tokens; `depth(frame, rng)` gives E[d]."""
    rng = np.random.default_rng(seed)
    edges = np.repeat(rng.integers(4, 9, n), 4)
    frame = pd.DataFrame({"instance": np.repeat(np.arange(n), 4), "size": edges - 1, "emitted": np.tile(np.arange(4), n), "edges": edges})
    frame = frame.assign(position=2 * frame["edges"] + 4 + frame["emitted"], depth=3, correct=True)
    for name, low, high in (("dfs_depth", 1, 5), ("newly_enabled", 0, 3), ("out_degree", 1, 5), ("query_distance", 1, 4)):
        frame[name] = rng.integers(low, high, len(frame))
    frame["frontier_size"] = frame["emitted"] + rng.integers(0, 3, len(frame))  # goes with the surface, but not wholly
    return frame.assign(expected_depth=depth(frame, rng))


def found(table: pd.DataFrame, quantity: str, term: str = "") -> pd.Series:
    return table[(table["quantity"] == quantity) & (table["term"] == term)].iloc[0]


def test_a_depth_that_goes_by_the_surface_alone_leaves_nothing_to_content():
    frame = traced(1500, lambda f, rng: 3 + 0.2 * f["edges"] - 0.1 * f["emitted"] * f["edges"] / 8 + rng.normal(0, 0.1, len(f)))
    table = surface(frame, CONTENT, draws=100)
    assert found(table, "surface")["estimate"] > 0.85
    assert found(table, "content")["estimate"] < 0.005
    for term in PAPER:
        row = found(table, "coefficient", term)
        assert abs(row["estimate"]) < 0.01  # where content is planted it is 0.2 and more
        assert row["low"] < 0.005 and row["high"] > -0.005


def test_what_is_planted_within_cells_is_found_with_its_coefficient():
    frame = traced(800, lambda f, rng: 3 + 0.2 * f["edges"] + 0.3 * f["dfs_depth"] - 0.2 * f["newly_enabled"] + rng.normal(0, 0.2, len(f)))
    table = surface(frame, CONTENT, draws=100)
    rest = 0.3**2 * 1.25 + 0.2**2 * (2 / 3)  # variances of uniform integers
    assert found(table, "content")["estimate"] == pytest.approx(rest / (rest + 0.2**2), abs=0.02)
    for term, value in (("dfs_depth", 0.3), ("newly_enabled", -0.2), ("frontier_size", 0.0), ("dependents", 0.0)):
        row = found(table, "coefficient", term)
        assert row["estimate"] == pytest.approx(value, abs=0.03)
        assert row["low"] < value + 0.01 and row["high"] > value - 0.01


def test_coefficients_are_those_of_a_regression_with_a_level_for_every_cell():
    frame = with_dependents(traced(200, lambda f, rng: 9 + 0.1 * f["frontier_size"] * f["edges"] + rng.normal(0, 1, len(f))))
    fit = smf.ols("expected_depth ~ C(edges):C(emitted) + dependents + dfs_depth + frontier_size + newly_enabled", frame).fit()
    cells = smf.ols("expected_depth ~ C(edges):C(emitted)", frame).fit()
    table = surface(frame, list(PAPER))
    assert [found(table, "coefficient", term)["estimate"] for term in PAPER] == pytest.approx(fit.params[list(PAPER)].to_list())
    assert found(table, "surface")["estimate"] == pytest.approx(cells.rsquared)
    assert found(table, "content")["estimate"] == pytest.approx((fit.rsquared - cells.rsquared) / (1 - cells.rsquared))


def test_the_hub_of_a_token_does_not_count_the_query():
    frame = pd.DataFrame({"out_degree": [3, 2, 1], "query_distance": [1, 2, 1]})
    assert with_dependents(frame)["dependents"].tolist() == [2, 2, 0]


def test_deciders_are_compared_seed_by_seed_on_what_all_solve():
    models = []
    for decider, slope in (("early", 0.0), ("online", 0.3)):
        for seed in range(3):
            frame = traced(300, lambda f, rng, slope=slope, seed=seed: 3 + slope * f["dfs_depth"] + np.random.default_rng(10 + seed).normal(0, 0.3, len(f)))
            models.append(frame.assign(decider=decider, run_seed=seed, instance_correct=True))
    frame = pd.concat(models, ignore_index=True)
    wrong = (frame["decider"] == "early") & (frame["run_seed"] == 1) & (frame["instance"] == 0)
    frame.loc[wrong, ["correct", "instance_correct"]] = False
    table = surface_by_decider(frame, content=CONTENT)
    content = table[table["quantity"] == "content"].set_index(["decider", "seed"])
    assert content.loc[("online − early", "all"), "low"] > 0.2
    single = content.loc["online"]["estimate"]
    assert content.loc[("online", "all"), "estimate"] == pytest.approx(single[["0", "1", "2"]].mean())
    alone = frame[(frame["decider"] == "online") & (frame["run_seed"] == 0) & (frame["instance"] > 0)]
    assert single["0"] == pytest.approx(found(surface(alone, CONTENT), "content")["estimate"])


def test_a_constant_depth_has_no_shares():
    table = surface(traced(20, lambda f, rng: np.full(len(f), 3.0)), CONTENT)
    assert table["estimate"].isna().all()
    assert (table["reason"] != "").all()


def test_a_frame_without_any_value_of_a_feature_is_refused():
    frame = traced(20, lambda f, rng: rng.normal(3, 0.1, len(f)).clip(1))
    with pytest.raises(ValueError, match="No token has a value"):
        surface(frame.assign(dfs_depth=np.nan), CONTENT)


def test_what_goes_with_position_alone_is_nothing_within_cells():
    """The height of a node rises with its place; with size and position held it seems to matter, within cells it does not."""
    frame = traced(600, lambda f, rng: 9 - f["emitted"] + rng.normal(0, 0.3, len(f)))
    rng = np.random.default_rng(1)
    frame = frame.assign(height=frame["emitted"] + rng.integers(0, 2, len(frame)), edges=frame["edges"] + rng.integers(0, 9, 600).repeat(4))
    frame["position"] = 2 * frame["edges"] + 4 + frame["emitted"]
    held = alignment(frame, ["height"], depth="expected_depth", held=("size", "position"), draws=0).iloc[0]
    within = alignment_within_cells(frame, ["height", "edges"], draws=40).set_index("feature")
    assert held["estimate"] < -0.7
    assert abs(within.loc["height", "estimate"]) < 0.05
    assert within.loc["edges", "reason"] == "the cells determine it"


def test_what_is_planted_within_cells_is_aligned_there():
    frame = traced(400, lambda f, rng: 9 + 5 * f["edges"] + f["dfs_depth"] + rng.normal(0, 0.1, len(f)))
    row = alignment_within_cells(frame, ["dfs_depth"], draws=40).iloc[0]
    assert row["low"] > 0.8


def test_a_depth_that_goes_by_the_last_two_tokens_alone_leaves_nothing_once_they_are_held():
    """The feature is the number of tokens a among the last three, of which two are held."""
    rng, rows = np.random.default_rng(0), []
    for instance in range(300):
        letters = rng.choice([*"ab"], 12)
        a = (letters == "a").astype(int)
        one, two = np.append(0, a[:-1]), np.append([0, 0], a[:-2])
        rows.append(pd.DataFrame({"instance": instance, "size": 12, "position": range(12), "token": letters, "count": a + one + two, "local": a + one}))
    frame = pd.concat(rows).assign(depth=3, correct=True)
    frame["expected_depth"] = 3 + frame["local"] + rng.normal(0, 0.3, len(frame))
    shuffled = with_last_tokens(frame.sample(frac=1, random_state=0), 2)
    held, not_held = (alignment_within_cells(shuffled, ["count"], cells=[cell]).iloc[0]["estimate"] for cell in ("last_tokens", "size"))
    assert abs(held) < 0.03 and not_held > 0.6
    frame["expected_depth"] = 3 + frame["count"] + rng.normal(0, 0.3, len(frame))
    assert alignment_within_cells(with_last_tokens(frame, 2), ["count"], cells=["last_tokens"]).iloc[0]["estimate"] > 0.6
    with pytest.raises(ValueError, match="one or more"):
        with_last_tokens(frame, 0)


def test_the_last_tokens_are_those_of_one_model_and_one_instance():
    frame = pd.DataFrame({"model": [*"xxyy"], "instance": [0, 1, 0, 0], "position": [1, 1, 1, 2], "token": [*"abab"]})
    assert with_last_tokens(frame, 2)["last_tokens"].nunique() == 3  # a, b (twice first of an instance), ab


def test_the_three_shares_of_size_agree_where_it_goes_with_nothing_else():
    frame = traced(800, lambda f, rng: 3 + 0.5 * f["size"] + 0.3 * f["dfs_depth"] + rng.normal(0, 0.3, len(f)))
    shares = size_shares(frame, ["dfs_depth", "newly_enabled"]).set_index("measure")["share"]
    part = 0.25 * frame["size"].var() / frame["expected_depth"].var()
    assert shares.tolist() == pytest.approx([part] * 3, abs=0.03)


def test_the_three_shares_part_where_size_goes_with_another():
    frame = traced(800, lambda f, rng: 3 + 0.5 * f["size"] + rng.normal(0, 0.3, len(f)))
    frame["ancestors"] = frame["size"] + np.random.default_rng(2).integers(0, 2, len(frame))
    shares = size_shares(frame, ["ancestors"]).set_index("measure")["share"]
    assert shares["size alone"] > shares["LMG"] + 0.1 > shares["left out"] + 0.2
