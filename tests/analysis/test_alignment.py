"""Rank correlations agree with scipy, hold what they hold, cover what was planted, and mark what is undefined."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from anira.analysis.alignment import alignment, alignment_over_seeds, depth_by_value, partial
from tests.analysis.synthetic import skeleton

EXPERIMENTS = 100
NINETY_NINE = stats.binom.ppf([0.005, 0.995], EXPERIMENTS, 0.95) / EXPERIMENTS


def gaussian(rng: np.random.Generator, instances: int, r: float) -> pd.DataFrame:
    """Expected depth (in a monotone disguise) and a feature that correlate with r; half of either is its instance's."""
    frame = skeleton(rng, instances)
    pairs = rng.multivariate_normal([0, 0], [[1, r], [r, 1]], size=instances + len(frame))
    x, y = (np.sqrt(0.5) * (pairs[frame["instance"]] + pairs[instances:])).T
    return frame.assign(expected_depth=1 + np.exp(x), feature=y, depth=np.clip(np.round(2 + x), 1, 6).astype(int))


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    frame = gaussian(rng, 80, 0.5)
    return frame.assign(step=rng.integers(0, 5, len(frame)) + (frame["depth"] > 2), loose=rng.normal(size=len(frame)).round(1))


@pytest.mark.parametrize("feature", ["feature", "step", "loose"])
@pytest.mark.parametrize("unit", ["token", "instance"])
def test_raw_correlations_are_those_of_scipy(frame, feature, unit):
    rows = alignment(frame, [feature], unit=unit, draws=2).set_index("method")["estimate"]
    data = frame if unit == "token" else frame.groupby("instance")[["depth", feature]].mean()
    assert rows["spearman"] == pytest.approx(stats.spearmanr(data["depth"], data[feature]).statistic, abs=1e-9)
    assert rows["kendall"] == pytest.approx(stats.kendalltau(data["depth"], data[feature]).statistic, abs=1e-9)


def test_a_bootstrap_sample_is_correlated_like_the_rows_written_out(frame):
    from anira.analysis.alignment import _Correlation

    times = np.random.default_rng(1).integers(0, 4, len(frame)).astype(float)
    written = frame.loc[frame.index.repeat(times.astype(int))]
    rho, tau = _Correlation(frame[["depth", "step"]].to_numpy(float))(times)
    assert rho == pytest.approx(stats.spearmanr(written["depth"], written["step"]).statistic, abs=1e-9)
    assert tau == pytest.approx(stats.kendalltau(written["depth"], written["step"]).statistic, abs=1e-9)


def test_partial_spearman_is_the_correlation_of_what_a_regression_of_ranks_leaves(frame):
    row = alignment(frame, ["step"], held=("size", "position"), draws=2).set_index("method").loc["spearman"]
    ranks = frame[["depth", "step", "size", "position"]].rank()
    held = np.column_stack([np.ones(len(ranks)), ranks[["size", "position"]]])
    left = ranks[["depth", "step"]] - held @ np.linalg.lstsq(held, ranks[["depth", "step"]])[0]
    assert row["estimate"] == pytest.approx(np.corrcoef(left.T)[0, 1], abs=1e-9)


def test_over_seeds_means_are_those_of_each_model_in_both_readings(frame):
    models = [frame.assign(decider="early", run_seed=seed, own_expected_depth=frame["feature"].rank() * (1 if seed else -1) + 999) for seed in range(3)]
    models[1] = models[1].assign(expected_depth=models[1]["expected_depth"] + models[1]["step"])
    table = alignment_over_seeds(pd.concat(models), ["step", "size"], {"raw": (), "size held": ("size",)}).set_index(["feature", "held", "reading"])
    single = [stats.spearmanr(part["expected_depth"], part["step"]).statistic for part in models]
    assert table.loc[("step", "raw", "predicted"), "estimate"] == pytest.approx(np.mean(single))
    ranks = models[2][["own_expected_depth", "step", "size"]].rank().corr().to_numpy()
    assert table.loc[("step", "size held", "read"), "estimate"] == pytest.approx(partial(ranks) / 3)  # one seed of the three has the opposite sign
    assert table.loc[("step", "raw", "predicted"), "clusters"] == 3 and np.isnan(table.loc[("size", "size held", "read"), "estimate"])


def test_partial_kendall_is_its_textbook_formula(frame):
    row = alignment(frame, ["step"], held=("size",), draws=2).set_index("method").loc["kendall"]
    xy, xz, yz = (stats.kendalltau(frame[a], frame[b]).statistic for a, b in [("depth", "step"), ("depth", "size"), ("step", "size")])
    assert row["estimate"] == pytest.approx((xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2)), abs=1e-9)


def test_holding_the_common_cause_takes_its_correlation_away():
    rng = np.random.default_rng(3)
    frame = skeleton(rng, 400)
    frame = frame.assign(expected_depth=3 + frame["size"] + rng.normal(size=len(frame)), feature=frame["size"] + rng.normal(size=len(frame)))
    raw, held = (alignment(frame, ["feature"], depth="expected_depth", held=held, draws=100) for held in [(), ("size", "position")])
    assert (raw["low"] > 0.3).all()
    assert (held["low"] < 0.05).all() and (held["estimate"].abs() < 0.1).all()


@pytest.mark.parametrize(("r", "draws"), [(0.5, 150), (0.0, 150)])
def test_planted_correlations_lie_within_their_intervals_at_the_stated_coverage(r, draws):
    """For normal variables rho = 6/π·asin(r/2) and tau = 2/π·asin(r); r = 0 is the planted null."""
    truth = {"spearman": 6 / np.pi * np.arcsin(r / 2), "kendall": 2 / np.pi * np.arcsin(r)}
    tables = [
        alignment(gaussian(np.random.default_rng(draw), 120, r), ["feature"], depth="expected_depth", draws=draws, seed=draw) for draw in range(EXPERIMENTS)
    ]
    rows = pd.concat(tables)
    true = rows["method"].map(truth)
    covered = rows.assign(inside=(rows["low"] <= true) & (true <= rows["high"])).groupby("method")["inside"].mean()
    assert (covered >= NINETY_NINE[0] - 0.02).all() and (covered <= NINETY_NINE[1]).all(), covered  # a percentile interval of 120 instances is a little short


def test_intervals_by_instance_are_wider_than_by_token_where_instances_differ():
    frame = gaussian(np.random.default_rng(5), 200, 0.0)
    frame = frame.assign(
        feature=frame.groupby("instance")["feature"].transform("first"), expected_depth=frame.groupby("instance")["expected_depth"].transform("first")
    )
    by_instance = alignment(frame, ["feature"], depth="expected_depth", draws=200)
    by_token = alignment(frame.assign(instance=np.arange(len(frame))), ["feature"], depth="expected_depth", draws=200)
    assert ((by_instance["high"] - by_instance["low"]) > 1.5 * (by_token["high"] - by_token["low"])).all()


def test_partial_of_nothing_left_is_nan():
    assert np.isnan(partial(np.array([[1, 0.3, 1], [0.3, 1, 0.3], [1, 0.3, 1]])))


@pytest.mark.parametrize(
    ("change", "held", "reason"),
    [
        (lambda frame: frame.assign(depth=3), (), "depth is constant"),
        (lambda frame: frame.assign(step=3), (), "step is constant"),
        (lambda frame: frame.assign(step=np.nan), (), "step has no values"),
        (lambda frame: frame.assign(step=-frame["size"]), ("size",), "step is determined by what is held fixed"),
        (lambda frame: frame.assign(step=frame["size"]), ("size", "position"), "step is determined by what is held fixed"),
    ],
)
def test_what_is_undefined_is_nan_with_its_reason(frame, change, held, reason):
    rows = alignment(change(frame), ["step"], held=held)
    assert (rows["reason"] == reason).all()
    assert rows[["estimate", "low", "high"]].isna().all(axis=None)


def test_one_instance_has_a_correlation_but_no_interval(frame):
    rows = alignment(frame[frame["instance"] == frame["instance"].value_counts().idxmax()], ["step"])
    assert rows[["low", "high"]].isna().all(axis=None) and rows["reason"].isin(["a single instance", "depth is constant"]).all()


def test_tokens_without_a_value_are_left_out_and_counted(frame):
    some = frame.assign(step=frame["step"].where(frame["position"] > 10))
    rows = alignment(some, ["step"], draws=2)
    kept = some.dropna()
    assert (rows["tokens"] == len(kept)).all() and len(kept) < len(frame)
    assert rows["estimate"][0] == pytest.approx(stats.spearmanr(kept["depth"], kept["step"]).statistic, abs=1e-9)


def test_frames_that_are_no_trace_are_refused(frame):
    with pytest.raises(ValueError, match="lacks height"):
        alignment(frame, ["height"])
    with pytest.raises(ValueError, match="is empty"):
        alignment(frame.iloc[:0], ["step"])
    with pytest.raises(ValueError, match="unit is"):
        alignment(frame, ["step"], unit="letter")


def test_depth_by_value_is_a_mean_at_each_value_that_enough_instances_have(frame):
    rows = depth_by_value(frame, ["step"], fewest=30).set_index("value")
    counts = frame.groupby("step")["instance"].nunique()
    assert set(rows.index) == set(counts.index[counts >= 30]) != set(counts.index)
    assert rows.loc[2, "estimate"] == pytest.approx(frame.loc[frame["step"] == 2, "depth"].mean())
    assert depth_by_value(frame, ["step"], fewest=1000).empty
