"""Intervals cover what they claim to cover, widen with the clusters, and say so when they are undefined."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from anira.analysis.intervals import cluster_bootstrap, clustered_mean, over_seeds, resample, summarize_seeds

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
    assert row.estimate == pytest.approx(fit.params[0], abs=1e-12)
    assert (row.low, row.high) == pytest.approx((low, high), abs=1e-9)


def test_bootstrap_agrees_with_the_analytic_interval_of_a_mean():
    values, instance = clustered(np.random.default_rng(1))
    boot = cluster_bootstrap(lambda weights: weights @ values / weights.sum(), instance, draws=4000).iloc[0]
    exact = clustered_mean(values, instance)
    assert (boot.low, boot.high) == pytest.approx((exact.low, exact.high), abs=0.1 * (exact.high - exact.low))


def test_resampling_keeps_clusters_whole_and_seeds_on_top():
    seeds = np.repeat([0, 1, 2], 8)
    instance = np.tile(np.repeat(np.arange(4), 2), 3)
    times = resample(instance, seeds, 50, np.random.default_rng(0))
    table = pd.DataFrame(times.T).groupby([seeds, instance])
    assert (table.nunique() == 1).all(axis=None)  # both tokens of an instance are drawn together
    assert (times.sum(1) == 24).all()
    assert (times[:, seeds == 0].sum(1) % 8 == 0).all()  # a seed is in or out, as often as drawn
    assert (times[:, seeds == 0].sum(1) == 0).any()


def test_seeds_on_top_widen_the_interval_when_seeds_differ():
    rng = np.random.default_rng(0)
    seeds, instance = np.repeat(np.arange(6), 200), np.tile(np.repeat(np.arange(50), 4), 6)
    values = rng.normal(0, 1, 6)[seeds] + rng.normal(size=1200)
    mean = lambda weights: weights @ values / weights.sum()  # noqa: E731
    flat, nested = (cluster_bootstrap(mean, instance, upper=upper).iloc[0] for upper in (None, seeds))
    assert nested.high - nested.low > 3 * (flat.high - flat.low)
    assert (flat.clusters, nested.clusters) == (50, 6)


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
        (lambda: cluster_bootstrap(lambda weights: 1.0, [3, 4], upper=[0, 0]).iloc[0], "a single seed"),
        (lambda: cluster_bootstrap(lambda weights: np.nan, [3, 4]).iloc[0], "undefined"),
        (lambda: cluster_bootstrap(lambda weights: 1.0, [3, 4], draws=0).iloc[0], "no samples drawn"),
        (lambda: cluster_bootstrap(lambda weights: 1.0 if weights.all() else np.nan, [3, 4, 5]).iloc[0], "undefined in more than 5 % of the bootstrap samples"),
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
