"""The reproduction table: verdicts follow from intervals, planted results are found in stored tables, and what is missing is said."""

import numpy as np
import pandas as pd
import pytest

from anira.analysis.reproduction import VERDICTS, Claim, Missing, Results, Within, above, below, claims, near, reproduce
from anira.analysis.timing import decision_timing
from tests.results.stored import store

DECIDERS = ("early", "online", "fixed", "untied")


@pytest.mark.parametrize(
    ("criterion", "low", "high", "verdict"),
    [
        (above(0), 0.1, 0.3, "agrees"),
        (above(0), -0.3, -0.1, "differs"),
        (above(0), -0.1, 0.3, "undecided"),
        (below(0.5), 0.1, 0.3, "agrees"),
        (near(0.7, 0.1), 0.62, 0.78, "agrees"),
        (near(0.7, 0.1), 0.5, 0.78, "undecided"),
        (near(0.7, 0.1), 0.85, 0.9, "differs"),
    ],
)
def test_a_verdict_follows_from_the_interval(criterion, low, high, verdict):
    assert criterion.verdict(low, high) == verdict


def claim(values, criterion=None):
    return Claim("dynamics", "something", "0.5", "brevo", criterion or above(0), lambda results: pd.Series(values, dtype=float), presets=("tiny",))


@pytest.mark.parametrize(
    ("values", "verdict", "reason"),
    [
        ([0.5, 0.6, 0.7], "agrees", ""),
        ([-0.5, -0.6, -0.7], "differs", ""),
        ([-0.5, 0.6, 0.7], "undecided", ""),
        ([0.5, 0.6], "not tested", "2 of 3 seeds"),
        ([0.5], "not tested", "a single seed"),
        ([], "not tested", "no seeds"),
        ([0.5, np.nan, 0.7], "not tested", "undefined for a seed"),
    ],
)
def test_fewer_than_three_seeds_or_an_undefined_number_give_no_verdict(tmp_path, values, verdict, reason):
    row = reproduce(tmp_path, [claim(values)]).iloc[0]
    assert (row["verdict"], row["reason"], row["seeds"]) == (verdict, reason, len(values))


def test_a_null_is_rarely_called_an_effect(tmp_path):
    rng = np.random.default_rng(0)
    verdicts = reproduce(tmp_path, [claim(rng.normal(size=3)) for _ in range(200)])["verdict"]
    assert (verdicts == "undecided").mean() > 0.9  # the rest, about 5 %, falls to either side


def test_without_tables_nothing_is_tested_and_each_row_says_why(tmp_path):
    table = reproduce(tmp_path)
    assert (table["verdict"] == "not tested").all() and (table["reason"] != "").all()
    assert len(table) == len(claims()) and table["claim"].str.len().gt(10).all()
    assert {"alignment", "dynamics", "generalization", "decision timing", "question tokens", "natural language"} == set(table["part"])


def test_a_folder_that_does_not_exist_is_an_error_and_not_a_table_of_untested_claims(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        reproduce(tmp_path / "results")


@pytest.fixture
def folder(tmp_path):
    """Tables in which the paper's claims on alignment, dynamics and generalization hold, but one: depth falls with N for early."""
    rng = np.random.default_rng(0)
    rows = []
    for decider in DECIDERS:
        for seed in range(3):
            for size in (2, 3, 4, 5, 6):
                slope = {"early": -0.2, "online": 0.3}.get(decider, 0)
                exact = 0.98 if size <= 4 else 0.4 if decider == "online" else 0.1
                depth = {"early": 3.5, "online": 2}.get(decider, 4) + slope * (size - 4) + rng.normal(0, 0.01)
                rows.append((f"{decider}-{seed}", decider, seed, "physics", 4, True, "trained" if size <= 4 else "beyond", size, exact, depth))
    columns = ["model", "decider", "run_seed", "family", "max_depth", "own", "place", "size", "exact_match", "depth"]
    store(tmp_path, "generalization", "brevo-minute", pd.DataFrame(rows, columns=columns))
    curves = []
    for decider in ("early", "online"):
        for seed in range(3):
            for variation, path in (("none", {250: 3.8, 300: 2.5, 450: 2.0}), ("constant", {25: 1.5, 100: 1.2 + 0.01 * seed, 450: 1.3})):
                curve = [(step, size, float(step >= 100 * size), depth) for step, depth in path.items() for size in (2, 3, 4)]
                run = {"model": f"{decider}-{seed}-{variation}", "preset": "minute", "decider": decider, "run_seed": seed, "variation": variation}
                curves.append(pd.DataFrame(curve, columns=["step", "size", "exact_match", "depth"]).assign(**run))
    store(tmp_path, "training", "brevo-minute", pd.concat(curves))
    return tmp_path


def test_planted_results_are_found_where_they_are_stored(folder):
    table = reproduce(folder).query("scale == 'BREVO minute, N = 2–4'").set_index("claim")
    verdicts = table["verdict"].to_dict()
    expected = {
        "early: depth rises with N, iterations per unit of N": "differs",
        "online: depth rises with N, iterations per unit of N": "agrees",
        "online spends fewer iterations than early, difference on trained sizes": "agrees",
        "… at equal accuracy, difference in exact match": "agrees",
        "early: sizes are learned from easy to hard, Kendall's τ of size and step of 90 %": "agrees",
        "online: depth first climbs to near its maximum, peak as a share of D, γ constant": "differs",
        "online: … then falls, iterations from the peak": "agrees",
        "fixed: collapses beyond the trained sizes, share of exact match kept": "agrees",
        "online collapses most gracefully, exact match beyond minus that of the best other": "agrees",
        "online: depth keeps growing beyond the trained sizes, iterations": "agrees",
        "early: depth keeps growing beyond the trained sizes, iterations": "differs",
    }
    assert {name: verdicts[name] for name in expected} == expected
    slope = table.loc["online: depth rises with N, iterations per unit of N"]
    assert slope["estimate"] == pytest.approx(0.3, abs=0.02) and slope["low"] < 0.3 < slope["high"] and slope["seeds"] == 3
    assert set(table["verdict"]) <= set(VERDICTS)


def test_one_seed_has_an_estimate_and_no_verdict(folder):
    path = folder / "generalization/brevo-minute.csv"
    pd.read_csv(path).query("run_seed == 0").to_csv(path, index=False)
    row = reproduce(folder).set_index("claim").loc["online: depth rises with N, iterations per unit of N"]
    assert row["verdict"] == "not tested" and row["reason"] == "a single seed" and np.isnan(row["low"]) and row["estimate"] == pytest.approx(0.3, abs=0.02)


def test_unfinished_runs_are_not_measured(folder):
    path = folder / "training/brevo-minute.csv"
    pd.read_csv(path, keep_default_na=False).query("step < 450").to_csv(path, index=False)
    with pytest.raises(Missing, match="no finished run"):
        next(c for c in claims() if c.text.startswith("online: … then falls") and c.task == "brevo").measure(Results(folder, "brevo", "minute"))


def test_the_regression_rows_are_those_of_the_timing_analysis(folder):
    rng = np.random.default_rng(1)
    frames = []
    for decider in ("early", "online"):
        for seed in range(3):
            instance, size = np.repeat(np.arange(60), 3), np.repeat(rng.integers(3, 6, 60), 3)
            hub, dfs, frontier, new = rng.integers(1, 5, (4, 180))
            depth = 2 + 0.1 * hub + 0.3 * dfs + 0.2 * frontier - 0.2 * new + rng.normal(0, 0.05, 180) + 4
            features = {"hub_out_degree": hub, "dfs_depth": dfs, "frontier_size": frontier, "newly_enabled": new}
            frame = {"model": f"{decider}-{seed}", "decider": decider, "run_seed": seed, "instance": instance, "size": size, "position": np.tile([7, 8, 9], 60)}
            frames.append(pd.DataFrame({**frame, "correct": True, "instance_correct": True, "depth": 5, "expected_depth": depth, **features}))
    traces = pd.concat(frames)
    traces["size"] = traces.groupby("instance")["size"].transform("first")
    store(folder, "traces", "brevo-minute", traces)
    table = reproduce(folder, [c for c in claims() if c.part == "decision timing"]).set_index("claim")
    row = table.loc["online: coefficient of dfs depth"]
    fits = [decision_timing(traces.query(f"decider == 'online' and run_seed == {seed}"), ["hub_out_degree", "dfs_depth", "frontier_size", "newly_enabled"], draws=2)
            for seed in range(3)]  # fmt: skip
    mean = np.mean([fit.coefficients.set_index("term").loc["dfs_depth", "coefficient"] for fit in fits])
    assert row["estimate"] == pytest.approx(mean) and row["verdict"] == "agrees"
    assert table.loc["early: coefficient of dfs depth", "verdict"] == "differs"  # planted at 0.3, the paper has -0.005
    assert table.loc["early: coefficient of newly enabled", "verdict"] == "agrees"


def test_bounds_read_as_words():
    assert [str(x) for x in (above(0), below(0.5), near(0.7, 0.1), Within(0, 1))] == ["above 0", "below 0.5", "0.6 to 0.8", "0 to 1"]
