"""Intervals cover what they claim to cover, widen with the clusters, and say so when they are undefined."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from anira.analysis.intervals import COLUMNS, Estimate, cluster_bootstrap, clustered_mean, estimates, over_seeds, resample, summarize_seeds, table

INSTANCES, TOKENS = 60, 8


def clustered(rng: np.random.Generator, between: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Values with mean 0 whose instances differ with standard deviation `between`; each value's instance."""
    instance = np.repeat(np.arange(INSTANCES), rng.integers(2, TOKENS, INSTANCES))
    return rng.normal(0, between, INSTANCES)[instance] + rng.normal(size=len(instance)), instance


def covered(make_row) -> float:
    """The share of 200 data sets with true value 0 whose interval holds it."""
    rows = [make_row(*clustered(np.random.default_rng(draw))) for draw in range(200)]
    return np.mean([row.low <= 0 <= row.high for row in rows])


NINETY_NINE = stats.binom.ppf([0.005, 0.995], 200, 0.95) / 200  # where a coverage of 95 % shows up in 99 % of experiments


def test_clustered_mean_covers_at_its_level():
    low, high = NINETY_NINE
    assert low <= covered(clustered_mean) <= high


def test_cluster_bootstrap_covers_at_its_level():
    def row(values, instance):
        return cluster_bootstrap(lambda weights: weights @ values / weights.sum(), instance, draws=300).iloc[0]

    low, high = NINETY_NINE
    assert low <= covered(row) <= high


def test_an_interval_that_takes_tokens_for_independent_does_not_cover():
    def naive(values, instance):
        return over_seeds(values)  # every token its own unit

    assert covered(naive) < 0.85


def test_clustered_mean_is_the_cluster_robust_regression_on_a_constant():
    values, instance = clustered(np.random.default_rng(0))
    fit = sm.OLS(values, np.ones(len(values))).fit(cov_type="cluster", cov_kwds={"groups": instance}, use_t=True)
    low, high = fit.conf_int()[0]
    row = clustered_mean(values, instance)
    assert row.value == pytest.approx(fit.params[0], abs=1e-12)
    assert (row.low, row.high) == pytest.approx((low, high), abs=1e-9)


def test_bootstrap_agrees_with_the_analytic_interval_of_a_mean():
    values, instance = clustered(np.random.default_rng(1))
    boot = cluster_bootstrap(lambda weights: weights @ values / weights.sum(), instance, draws=4000).iloc[0]
    exact = clustered_mean(values, instance)
    assert (boot.low, boot.high) == pytest.approx((exact.low, exact.high), abs=0.1 * (exact.high - exact.low))


def test_resampling_keeps_clusters_whole():
    instance = np.repeat(np.arange(4), 2)
    times = resample(instance, 50, np.random.default_rng(0))
    assert (pd.DataFrame(times.T).groupby(instance).nunique() == 1).all(axis=None)  # both tokens of an instance are drawn together
    assert (times.sum(1) == 8).all()


def of_few(K: int, draw: int) -> Estimate:
    values = np.random.default_rng([K, draw]).normal(size=K)
    return cluster_bootstrap(lambda weights: weights @ values / K, np.arange(K), draws=400, seed=draw).iloc[0]


@pytest.mark.parametrize("K", [5, 10])
def test_a_bootstrap_of_few_clusters_is_not_too_narrow(K):
    rows = [of_few(K, draw) for draw in range(200)]
    assert np.mean([row.low <= 0 <= row.high for row in rows]) > stats.binom.ppf(0.005, 200, 0.91) / 200  # plain percentiles: 0.84 and 0.90


BOUNDED = {  # bounded quantities of one model each: how a seed's value is drawn, the bounds, the true mean
    "a share": (lambda rng, n: rng.beta(9, 1, n), (0, 1), 0.9),
    "a share near the ceiling": (lambda rng, n: rng.beta(49, 1, n), (0, 1), 0.98),
    "a share that some seeds have whole": (lambda rng, n: rng.binomial(200, rng.beta(95, 5, n)) / 200, (0, 1), 0.95),
    "a correlation": (lambda rng, n: 2 * rng.beta(16, 4, n) - 1, (-1, 1), 0.6),
    "a ratio": (lambda rng, n: rng.gamma(4, 0.5, n), (0, np.inf), 2.0),
    "a share of variance on new data": (lambda rng, n: 1 - rng.gamma(4, 0.1, n), (-np.inf, 1), 0.6),
}


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize(("draw", "bounds", "mean"), BOUNDED.values(), ids=list(BOUNDED))
def test_intervals_of_bounded_quantities_stay_inside_and_cover(draw, bounds, mean, seeds):
    rng = np.random.default_rng(seeds)
    rows = [over_seeds(draw(rng, seeds), bounds=bounds) for _ in range(300)]
    assert all(bounds[0] <= row.low <= row.value <= row.high <= bounds[1] for row in rows)
    assert np.mean([row.low <= mean <= row.high for row in rows]) > stats.binom.ppf(0.001, 300, 0.93) / 300


def test_an_interval_far_from_its_bounds_is_the_plain_one():
    values = [0.48, 0.5, 0.52]
    plain, bounded = over_seeds(values), over_seeds(values, bounds=(0, 1))
    assert bounded.value == plain.value and (bounded.low, bounded.high) == pytest.approx((plain.low, plain.high), abs=1e-3)


def test_values_outside_their_bounds_are_refused():
    with pytest.raises(ValueError, match="lie in 0 to 1, received 0.5 to 1.2"):
        over_seeds([0.5, 1.2], bounds=(0, 1))


def test_seeds_that_are_alike_on_the_bound_have_an_interval_of_no_width():
    assert over_seeds([1.0, 1.0, 1.0], bounds=(0, 1)) == Estimate(1.0, 1.0, 1.0, 3)


@pytest.mark.parametrize(
    ("low", "high", "side"),
    [
        (0.11, 0.5, "above"),
        (0.01, 0.5, "above"),
        (-0.5, -0.01, "below"),
        (0.01, 0.09, "no effect worth the name"),
        (-0.09, 0.09, "no effect worth the name"),
        (-0.01, 0.5, "undecided"),
        (-0.5, 0.5, "undecided"),
        (np.nan, np.nan, "undecided"),
    ],
)
def test_an_estimate_takes_sides(low, high, side):
    assert Estimate(0.0, low, high, 3).side(0, smallest=0.1) == side
    assert Estimate(5.0, low + 5, high + 5, 3).side(5, smallest=0.1) == side


def test_an_estimate_formats_itself_with_its_interval_or_the_reason_for_none():
    estimate = Estimate(0.614, 0.551, 0.668, 3)
    assert f"{estimate:.2f}" == str(estimate) == "0.61 [0.55, 0.67]"
    assert f"{estimate:+.1%}" == "+61.4% [+55.1%, +66.8%]"
    assert f"{over_seeds([0.5]):.1f}" == "0.5 (a single seed)"
    assert f"{Estimate(-0.001, -0.012, 0.004, 3):.2f}" == "0.00 [−0.01, 0.00]"  # a minus sign, and none before zero
    assert f"{over_seeds([]):.1f}" == "undefined (no seeds)"
    assert "0.61" in estimate._repr_html_() and "[0.55, 0.67]" in estimate._repr_html_()


def test_estimates_and_frames_of_their_columns_are_one_thing():
    frame = pd.DataFrame({"decider": list("aaabbb"), "feature": list("xxxxxx"), "estimate": [1.0, 2, 4, 5, 6, 8]})
    found = summarize_seeds(frame, ["decider", "feature"])
    assert estimates(found).tolist() == [over_seeds([1.0, 2, 4]), over_seeds([5.0, 6, 8])]
    pd.testing.assert_frame_equal(pd.DataFrame([{**estimate} for estimate in estimates(found)]), found[list(COLUMNS)])
    shown = table(found, rows="feature", columns="decider", digits=1)
    assert shown.loc["x", "a"] == f"{over_seeds([1.0, 2, 4]):.1f}" and shown.columns.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="several estimates for feature 'x' and decider 'a'"):
        table(pd.concat([found, found]), rows="feature", columns="decider")


def test_groups_with_a_missing_key_are_an_error_that_names_the_column():
    frame = pd.DataFrame({"decider": ["early", "early", None], "estimate": [1.0, 2.0, 3.0]})
    with pytest.raises(ValueError, match="Column 'decider' is missing .NaN. in 1 of 3 rows"):
        summarize_seeds(frame, ["decider"])


def test_over_seeds_is_the_one_sample_t_interval():
    values = [0.61, 0.7, 0.64, 0.69]
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    row = over_seeds(values)
    assert (row.low, row.high, row.clusters) == (pytest.approx(low), pytest.approx(high), 4)


def test_summarize_seeds_has_one_row_a_group():
    frame = pd.DataFrame({"decider": ["early"] * 3 + ["online"], "seed": [0, 1, 2, 0], "estimate": [1.0, 2.0, 3.0, 5.0]})
    table = summarize_seeds(frame, ["decider"]).set_index("decider")
    assert table.loc["early", "estimate"] == 2
    assert table.loc["online", "reason"] == "a single seed" and np.isnan(table.loc["online", "low"])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (lambda: clustered_mean([1.0, 2.0], [7, 7]), "a single instance"),
        (lambda: clustered_mean([], []), "no rows"),
        (lambda: over_seeds([]), "no seeds"),
        (lambda: over_seeds([1.0, np.nan]), "undefined for a seed"),
        (lambda: cluster_bootstrap(lambda weights: 1.0, [3, 3]).iloc[0], "a single instance"),
        (lambda: cluster_bootstrap(lambda weights: 1.0, [3, 4, 5, 6]).iloc[0], "4 instances, and a bootstrap takes 5"),
        (lambda: cluster_bootstrap(lambda weights: np.nan, range(5)).iloc[0], "undefined"),
        (lambda: cluster_bootstrap(lambda weights: 1.0, range(5), draws=0).iloc[0], "no samples drawn"),
        (lambda: cluster_bootstrap(lambda weights: 1.0 if weights.all() else np.nan, range(5)).iloc[0], "undefined in more than 5 % of the bootstrap samples"),
    ],
)
def test_what_is_undefined_is_marked(row, reason):
    row = row()
    assert row.reason == reason
    assert np.isnan(row.low) and np.isnan(row.high)


def test_missing_values_and_clusters_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        clustered_mean([1.0, np.nan], [0, 1])
    with pytest.raises(ValueError, match="needs a cluster"):
        clustered_mean([1.0, 2.0], [0, np.nan])
    with pytest.raises(ValueError, match="empty"):
        cluster_bootstrap(lambda weights: 1.0, [])
