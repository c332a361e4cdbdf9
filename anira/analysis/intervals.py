"""Intervals that know what is independent: tokens of one instance are not, instances are, and seeds above all.

Every function returns rows with the columns

- estimate · low, high: the interval, at 95 % unless another level is asked for
- clusters: how many independent units it rests on (instances, or seeds)
- reason: empty, or why estimate or interval is undefined; what is undefined is NaN, never a guess
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy import stats

COLUMNS = ("estimate", "low", "high", "clusters", "reason")


def cluster_codes(clusters: Sequence, upper: Sequence | None = None) -> tuple[np.ndarray, int]:
    """Rows' clusters as integers 0..K-1, and K. With `upper`, a cluster is a pair: instance 3 of seed 0 is not that of seed 1.

    >>> cluster_codes(["a", "b", "a"], [0, 0, 1])
    (array([0, 1, 2]), 3)
    """
    columns = [np.asarray(clusters)] if upper is None else [np.asarray(upper), np.asarray(clusters)]
    keys = pd.DataFrame(dict(enumerate(columns)))
    if keys.isna().any(axis=None):
        raise ValueError("Every row needs a cluster: some instances or seeds are missing (NaN).")
    codes = keys.groupby(list(keys), sort=False).ngroup().to_numpy()
    return codes, int(codes.max()) + 1 if len(codes) else 0


def resample(clusters: Sequence, upper: Sequence | None, draws: int, rng: np.random.Generator) -> np.ndarray:
    """How often each row is in each bootstrap sample: (draws, rows), float64.

    Whole clusters are drawn with replacement. With `upper`, first the upper units (seeds), then as many clusters
    within each drawn one as it has.
    """
    codes, count = cluster_codes(clusters, upper)
    if upper is None:
        return rng.multinomial(count, np.full(count, 1 / count), size=draws)[:, codes].astype(float)
    seeds, seed_count = cluster_codes(upper)
    owner = np.zeros(count, dtype=int)
    owner[codes] = seeds
    taken = rng.multinomial(seed_count, np.full(seed_count, 1 / seed_count), size=draws)  # (draws, seeds)
    times = np.zeros((draws, count))
    for seed in range(seed_count):
        own = np.flatnonzero(owner == seed)
        times[:, own] = rng.multinomial(taken[:, seed] * len(own), np.full(len(own), 1 / len(own)))
    return times[:, codes]


def cluster_bootstrap(
    statistic: Callable[[np.ndarray], np.ndarray],
    clusters: Sequence,
    *,
    names: Sequence[str] | None = None,
    upper: Sequence | None = None,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Percentile intervals of a statistic, or of several at once, with whole clusters drawn again.

    Args:
        statistic: takes one weight per row (float64: how often the row is in the sample, all 1 for the estimate)
            and returns a number or an array (S,); NaN where undefined.
        clusters: each row's cluster, as a rule its instance.
        names: the index of the returned frame, one for each of the S numbers.
        upper: each row's unit above the clusters, as a rule the training seed. The column `clusters` then counts these.
        draws: bootstrap samples; 0 for the estimate alone, where intervals come from several seeds instead.

    Returns:
        S rows with `COLUMNS`. The interval is undefined with fewer than two clusters (or upper units), and where the
        statistic is undefined for more than 5 % of the samples.

    >>> values, instance = np.array([1.0, 1, 2, 2, 3, 3, 6, 6]), [0, 0, 1, 1, 2, 2, 3, 3]
    >>> row = cluster_bootstrap(lambda weights: np.average(values, weights=weights), instance).iloc[0]
    >>> float(row.estimate), bool(row.low < 2 < 4 < row.high)
    (3.0, True)
    """
    codes, count = cluster_codes(clusters, upper)
    if not count:
        raise ValueError("There is nothing to draw from: the frame is empty.")
    estimate = np.atleast_1d(np.asarray(statistic(np.ones(len(codes))), dtype=float))
    units = cluster_codes(upper)[1] if upper is not None else count
    low = high = np.full(len(estimate), np.nan)
    reason = np.where(np.isnan(estimate), "undefined", "").astype(object)
    if units < 2 or not draws:
        alone = "a single seed" if upper is not None else "a single instance"
        reason[reason == ""] = alone if units < 2 else "no samples drawn"
    else:
        rng = np.random.default_rng(seed)
        blocks = (resample(clusters, upper, min(50, draws - first), rng) for first in range(0, draws, 50))  # never all at once in memory
        samples = np.array([np.atleast_1d(statistic(weights)) for block in blocks for weights in block], dtype=float)  # (draws, S)
        frail = np.isnan(samples).mean(0) > 0.05
        reason[frail & (reason == "")] = "undefined in more than 5 % of the bootstrap samples"
        defined = reason == ""
        if defined.any():
            tails = [(1 - level) / 2, (1 + level) / 2]
            low, high = np.where(defined, np.nanquantile(np.where(defined, samples, 0.0), tails, axis=0), np.nan)
    return pd.DataFrame({"estimate": estimate, "low": low, "high": high, "clusters": units, "reason": reason}, index=names)


def clustered_mean(values: Sequence, clusters: Sequence, *, level: float = 0.95) -> pd.Series:
    """Mean over rows with an interval whose standard error takes rows of one cluster together (Student's t, K-1).

    The mean is a ratio, sum over rows by number of rows, linearised. One `Series` with `COLUMNS`.

    >>> row = clustered_mean([1.0, 1, 3, 3], [0, 0, 1, 1])
    >>> float(row.estimate), int(row.clusters), bool(row.high - row.low > 4)
    (2.0, 2, True)
    """
    values = np.asarray(values, dtype=float)
    if np.isnan(values).any():
        raise ValueError("Some values are NaN; say what they mean first, for instance by dropping their rows.")
    codes, count = cluster_codes(clusters)
    if not count:
        return _row(np.nan, np.nan, 0, "no rows", level)
    sizes, sums = np.bincount(codes, minlength=count), np.bincount(codes, weights=values, minlength=count)
    mean = values.mean()
    if count < 2:
        return _row(mean, np.nan, 1, "a single instance", level)
    error = np.sqrt(np.square(sums - mean * sizes).sum() * count / (count - 1)) / len(values)
    return _row(mean, error, count, "", level)


def over_seeds(values: Sequence, *, level: float = 0.95) -> pd.Series:
    """Mean of one number a seed, with Student's interval over seeds: what another training run would give.

    It holds for whatever the number is (an accuracy, a correlation, a coefficient) and takes in what the instances
    contribute. `clusters` counts the seeds; with one seed the interval is undefined. NaN in, NaN out.

    >>> print(over_seeds([0.5, 0.6, 0.7]))
    estimate         0.6
    low         0.351586
    high        0.848414
    clusters           3
    reason
    dtype: object
    """
    values = np.asarray(values, dtype=float)
    if not len(values):
        return _row(np.nan, np.nan, 0, "no seeds", level)
    if np.isnan(values).any():
        return _row(np.nan, np.nan, len(values), "undefined for a seed", level)
    if len(values) < 2:
        return _row(values[0], np.nan, 1, "a single seed", level)
    return _row(values.mean(), stats.sem(values), len(values), "", level)


def summarize_seeds(frame: pd.DataFrame, by: Sequence[str], value: str = "estimate", *, level: float = 0.95) -> pd.DataFrame:
    """`over_seeds` for each group of a frame that has one row a group and seed; `by` names the groups' columns."""
    groups = frame.groupby(list(by), sort=False)[value]
    rows = [{**dict(zip(by, key, strict=True)), **over_seeds(values, level=level)} for key, values in groups]
    return pd.DataFrame(rows, columns=[*by, *COLUMNS])


def _row(estimate: float, error: float, clusters: int, reason: str, level: float) -> pd.Series:
    half = stats.t.ppf((1 + level) / 2, clusters - 1) * error if clusters > 1 else np.nan
    return pd.Series({"estimate": estimate, "low": estimate - half, "high": estimate + half, "clusters": clusters, "reason": reason})
