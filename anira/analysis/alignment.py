"""Alignment: does depth follow difficulty? Rank correlations of a trace's depth with each feature.

Spearman's rho and Kendall's tau-b, per answer token or per instance (means over its tokens), raw or partial:
with size and position held fixed, what is left of a correlation that sheer length might explain. A partial
correlation is that of the matrix of rank correlations (of rho, or of tau) with the held columns swept out.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numba import njit

from anira.analysis.frames import READINGS, by_model, check_trace
from anira.analysis.intervals import COLUMNS, cluster_bootstrap, clustered_mean, summarize_seeds

METHODS = ("spearman", "kendall")
SPENT = 1e-9  # a squared correlation this close to 1 leaves nothing


def alignment(
    frame: pd.DataFrame,
    features: Iterable[str],
    *,
    depth: str = "depth",
    unit: str = "token",
    held: Sequence[str] = (),
    draws: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """Rank correlations of depth with each feature, with bootstrap intervals by instance.

    Args:
        frame: the trace of one model, see `check_trace`. Tokens without a value of a feature are left out of it.
        features: columns to correlate with.
        depth: the column of depths: "depth" (spent where the token is predicted), "own_depth" (where it is read),
            or their expected counterparts.
        unit: "token", or "instance" for means over the tokens of an instance.
        held: columns held fixed, such as ("size", "position"); none for raw correlations.
        draws: bootstrap samples; whole instances are drawn.

    Returns:
        One row per feature and method: feature, method, estimate, low, high, clusters (instances), tokens, reason.
        Where the correlation is undefined it is NaN, and the reason says why.

    >>> frame = pd.DataFrame({"instance": [0, 0, 1, 1], "size": 3, "position": [5, 6, 5, 6], "depth": [1, 2, 1, 3], "correct": True})
    >>> alignment(frame.assign(height=[0, 1, 0, 2], edges=4), ["height", "edges"])[["feature", "method", "estimate", "reason"]]
      feature    method  estimate                                reason
    0  height  spearman       1.0  2 instances, and a bootstrap takes 5
    1  height   kendall       1.0  2 instances, and a bootstrap takes 5
    2   edges  spearman       NaN                     edges is constant
    3   edges   kendall       NaN                     edges is constant
    """
    features = list(features)
    if unit not in ("token", "instance"):
        raise ValueError(f'unit is "token" or "instance", received {unit!r}.')
    frame = check_trace(frame, [depth, *features, *held])
    tables = []
    for feature in features:
        columns = list(dict.fromkeys([depth, feature, *held]))
        rows = frame[["instance", *columns]].dropna()
        tokens = len(rows)
        if unit == "instance":
            rows = rows.groupby("instance", as_index=False)[columns].mean()
        if reason := _undefined(rows, depth, feature, held):
            tables.append(pd.DataFrame({"estimate": np.nan, "low": np.nan, "high": np.nan, "clusters": rows["instance"].nunique(), "reason": [reason] * 2}))
        else:
            varying = [name for name in held if rows[name].nunique() > 1]  # what does not vary is held fixed already
            statistic = _Correlation(rows[[depth, feature, *varying]].to_numpy(float))
            tables.append(cluster_bootstrap(statistic, rows["instance"], draws=draws, seed=seed))
        tables[-1].insert(0, "feature", feature)
        tables[-1].insert(1, "method", METHODS)
        tables[-1].insert(6, "tokens", tokens)
    return pd.concat(tables, ignore_index=True)


def alignment_over_seeds(traces: pd.DataFrame, features: Sequence[str], held: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Spearman's correlations of E[d] with each feature, over the seeds of each decider: raw, and with columns held fixed.

    Args:
        traces: rows of `anira trace`, of several models.
        held: words → the columns held fixed, such as {"raw": (), "size held fixed": ("size",)}.

    Returns:
        One row per decider, feature, held (its words) and reading ("predicted" or "read", see `READINGS`), with the columns of
        `anira.analysis.intervals` over seeds; NaN where a correlation is undefined for a seed.
    """
    tables = []
    for words, columns in held.items():
        for reading, depth in READINGS.items():
            each = by_model(traces, alignment, features, depth=depth, held=columns, draws=0)
            each = each[each["method"] == "spearman"]
            tables.append(summarize_seeds(each, ["decider", "feature"], bounds=(-1, 1)).assign(held=words, reading=reading))
    return pd.concat(tables, ignore_index=True)[["decider", "feature", "held", "reading", *COLUMNS]]


def _undefined(rows: pd.DataFrame, depth: str, feature: str, held: Sequence[str]) -> str:
    """Why no correlation exists, or nothing."""
    if rows.empty:
        return f"{feature} has no values"
    for name in (depth, feature):
        if rows[name].nunique() == 1:
            return f"{name} is constant"
    if held:
        ranks = rows[list(dict.fromkeys([depth, feature, *held]))].rank().to_numpy()
        fixed = np.column_stack([np.ones(len(rows)), rows[list(held)].rank()])
        rest = ranks[:, :2] - fixed @ np.linalg.lstsq(fixed, ranks[:, :2], rcond=None)[0]
        for name, left, spread in zip((depth, feature), rest.var(0), ranks[:, :2].var(0), strict=True):
            if feature in held or left < SPENT * spread:
                return f"{feature if feature in held else name} is determined by what is held fixed"
    return ""


class _Correlation:
    """Weights of rows (n,) → (rho, tau-b) of the first two columns of `values` (n, q), the others held fixed."""

    def __init__(self, values: np.ndarray):
        levels = [np.unique(column, return_inverse=True) for column in values.T]
        self.codes = np.stack([codes for _, codes in levels])  # (q, n)
        self.counts = [len(names) for names, _ in levels]
        self.orders = np.argsort(self.codes, axis=1, kind="stable")

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        count = len(self.codes)
        ranks = np.empty((count, len(weights)))
        for i, codes in enumerate(self.codes):
            totals = np.bincount(codes, weights=weights, minlength=self.counts[i])
            ranks[i] = (totals.cumsum() - totals / 2)[codes]
        ranks -= (ranks @ weights / weights.sum())[:, None]
        products = (ranks * weights) @ ranks.T
        spread = np.sqrt(np.diag(products))
        if not spread.all():
            return np.full(2, np.nan)
        taus = np.eye(count)
        for i in range(count):
            for j in range(i):
                taus[i, j] = taus[j, i] = weighted_tau(self.codes[i], self.codes[j], self.orders[i], weights, self.counts[j])
        return np.array([partial(products / np.outer(spread, spread)), partial(taus)])


def partial(correlations: np.ndarray) -> float:
    """The correlation of the first two of q variables with the others held fixed, from their matrix (q, q).

    NaN where the others leave nothing of one of the two.

    >>> partial(np.array([[1, 0.5, 0.5], [0.5, 1, 0.5], [0.5, 0.5, 1]])).round(4)
    np.float64(0.3333)
    """
    ours, theirs = correlations[:2, :2], correlations[:2, 2:]
    rest = ours - theirs @ np.linalg.pinv(correlations[2:, 2:], hermitian=True) @ theirs.T if theirs.size else ours
    if min(rest[0, 0], rest[1, 1]) < SPENT:
        return np.nan
    return rest[0, 1] / np.sqrt(rest[0, 0] * rest[1, 1])


@njit(cache=True)
def weighted_tau(x: np.ndarray, y: np.ndarray, order: np.ndarray, weights: np.ndarray, levels: int) -> float:
    """Kendall's tau-b of two columns in which row i is there `weights[i]` times.

    x, y: codes from 0, in the order of the values (n,); y below `levels` · order: argsort of x · weights: whole numbers.
    """
    tree = np.zeros(levels + 1)  # Fenwick tree: weight of the rows so far, by y
    seen = np.zeros(levels)
    total = weights.sum()
    pairs = total * (total - 1) / 2
    excess, ties_x, ties_y, before = 0.0, 0.0, 0.0, 0.0
    begin, n = 0, len(order)
    while begin < n:
        end, group = begin, 0.0
        while end < n and x[order[end]] == x[order[begin]]:
            row = order[end]
            if weights[row] > 0:
                upto, k = 0.0, y[row] + 1
                while k > 0:
                    upto += tree[k]
                    k -= k & -k
                excess += weights[row] * (2 * upto - seen[y[row]] - before)  # those below, less those above
                group += weights[row]
            end += 1
        for i in range(begin, end):
            row = order[i]
            if weights[row] > 0:
                seen[y[row]] += weights[row]
                k = y[row] + 1
                while k <= levels:
                    tree[k] += weights[row]
                    k += k & -k
        before += group
        ties_x += group * (group - 1) / 2
        begin = end
    for level in range(levels):
        ties_y += seen[level] * (seen[level] - 1) / 2
    scale = np.sqrt((pairs - ties_x) * (pairs - ties_y))
    return excess / scale if scale > 0 else np.nan


def depth_by_value(frame: pd.DataFrame, features: Iterable[str], *, depth: str = "depth", fewest: int = 20) -> pd.DataFrame:
    """Mean depth over tokens at each value of each feature, of one model.

    Values with fewer than `fewest` instances are left out. One row per feature and value: feature, value, tokens, and
    `intervals.COLUMNS` (clustered by instance).
    """
    features = list(features)
    frame = check_trace(frame, [depth, *features])
    rows = []
    for feature in features:
        for value, part in frame.groupby(feature):
            if part["instance"].nunique() >= fewest:
                rows.append({"feature": feature, "value": value, "tokens": len(part), **clustered_mean(part[depth], part["instance"])})
    return pd.DataFrame(rows, columns=["feature", "value", "tokens", *COLUMNS])
