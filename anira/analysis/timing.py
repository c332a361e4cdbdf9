"""Decision timing: which features does depth go by, structure known beforehand or the state of the execution?

The regression of the paper, step by step (section 6, appendix A.8), on the answer tokens of correctly solved instances:

1. of each pair of features with a correlation above 0.8 in size, drop the one less correlated with depth
2. drop the feature with the largest variance inflation factor until all are below 5
3. keep a feature if leaving it out costs more than 0.5 % of the variance (ablation ΔR²)
4. refit with the size N as categories

Added here: standard errors clustered by instance, a test of linear against categorical size, and shares of variance
that do not depend on an order (LMG: a predictor's gain averaged over all orders, which is its Shapley value; the
size counts as one predictor). Everything that is undefined is NaN, with its reason.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import factorial

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.regression.linear_model import OLS, RegressionResults

from anira.analysis.frames import MODEL, check_trace, group_by
from anira.analysis.intervals import cluster_bootstrap, cluster_codes

CORRELATION, INFLATION, GAIN = 0.8, 5.0, 0.005  # the paper's thresholds
POPULATIONS = ("correct", "all")
MOST_PREDICTORS = 14  # LMG visits every subset of them
SINGULAR = 1e-10
TERMS = (
    "term",
    "coefficient",
    "low",
    "high",
    "p",
    "standardized",
    "standardized_low",
    "standardized_high",
    "gain",
    "share",
    "share_low",
    "share_high",
    "reason",
)


def common_correct(traces: pd.DataFrame) -> pd.DataFrame:
    """The rows of the instances that every model of the frame solves, so that all are regressed on the same tokens.

    Models are told apart by those of the columns model, decider and run_seed that the frame has.
    """
    keys = [name for name in MODEL if name in traces]
    if not keys:
        raise ValueError(f"The frame says nowhere which model a row is from; it needs one of {', '.join(MODEL)}.")
    solved = group_by(traces, [*keys, "instance"])["instance_correct"].all().groupby("instance").agg(["sum", "size"])
    count = len(traces[keys].drop_duplicates())
    everywhere = solved.index[(solved["sum"] == count) & (solved["size"] == count)]
    if not len(everywhere):
        raise ValueError(f"No instance is solved by all {count} models: there is nothing to regress on the same tokens.")
    return traces[traces["instance"].isin(everywhere)]


def select_features(
    frame: pd.DataFrame,
    features: Iterable[str],
    target: str = "expected_depth",
    *,
    population: str = "correct",
) -> pd.DataFrame:
    """Steps 1 to 3: which features stay. The size competes as one of them; the regression has it whatever comes of it.

    Returns one row per feature: feature · step at which its fate was decided ("constant", "correlation", "inflation",
    "ablation"; "size" for a copy of it) · kept · value that decided: the size of r, the inflation factor, or ΔR² · against, the
    other feature of the pair.

    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.normal(size=(2, 400))
    >>> frame = pd.DataFrame({"instance": np.arange(400), "size": rng.integers(3, 7, 400), "position": 5, "depth": 1, "correct": True})
    >>> frame = frame.assign(a=a, nearly_a=a + 0.1 * b, b=b, c=rng.normal(size=400), expected_depth=20 + a - b)
    >>> select_features(frame, ["nearly_a", "a", "b", "c"])[["feature", "step", "kept", "against"]]
        feature         step   kept against
    0  nearly_a  correlation  False       a
    1         a     ablation   True
    2         b     ablation   True
    3         c     ablation  False
    """
    features = _names(features)
    rows = _population(frame, features, target, population)
    values = rows[["size", *features]].astype(float)
    fates = {}
    for name in features:
        if values[name].nunique() == 1:
            fates[name] = ("constant", False, np.nan, "")
        elif (values[name] == values["size"]).all():
            fates[name] = ("size", False, 1.0, "size")
    left = [name for name in ["size", *features] if name not in fates and values[name].nunique() > 1]
    if rows[target].nunique() == 1 or len(left) == 0:
        raise ValueError(f"There is nothing to explain: {target if left else 'every feature'} is constant in this trace.")
    with_target = values.corrwith(rows[target].astype(float)).abs()
    between = values[left].corr().abs()
    pairs = [(between.loc[a, b], a, b) for i, a in enumerate(left) for b in left[i + 1 :]]
    for r, a, b in sorted(pairs, key=lambda pair: -pair[0]):
        if r > CORRELATION and a in left and b in left:
            weaker, stronger = (a, b) if with_target[a] < with_target[b] else (b, a)
            left.remove(weaker)
            fates[weaker] = ("correlation", False, r, stronger)
    while len(left) > 1:
        inflation = inflation_factors(values[left])["factor"]
        if inflation.max() < INFLATION:
            break
        fates[inflation.idxmax()] = ("inflation", False, inflation.max(), "")
        left.remove(inflation.idxmax())
    moments = _Moments(values[left].to_numpy(), rows[target].to_numpy(float), np.arange(len(left)), np.zeros(len(rows), dtype=int))
    full, *without = moments.r_squared(np.vstack([np.ones(len(left)), 1 - np.eye(len(left))]).astype(bool))
    for name, rest in zip(left, without, strict=True):
        fates[name] = ("ablation", bool(full - rest > GAIN), full - rest, "")
    return pd.DataFrame([(name, *fates[name]) for name in features], columns=["feature", "step", "kept", "value", "against"])


def inflation_factors(values: pd.DataFrame) -> pd.DataFrame:
    """Variance inflation factor of each column (1 / (1 - R²) on the others); infinite where the others determine it.

    One row a column: factor, and reason where it is undefined (NaN): a constant column, which is then no other's other.
    """
    constant = values.nunique() < 2
    found = pd.DataFrame({"factor": np.nan, "reason": np.where(constant, "constant", "")}, index=values.columns)
    found.loc[~constant, "factor"] = _inflation(values.loc[:, ~constant])
    return found


def _inflation(values: pd.DataFrame) -> pd.Series:
    if values.empty:
        return pd.Series(index=values.columns, dtype=float)
    correlations = values.corr().to_numpy()
    if np.linalg.eigvalsh(correlations)[0] < SINGULAR:
        rest = [1 - _r_squared(np.delete(np.delete(correlations, i, 0), i, 1), np.delete(correlations[i], i)) for i in range(len(correlations))]
        return pd.Series([1 / left if left > SINGULAR else np.inf for left in rest], index=values.columns)
    return pd.Series(np.diag(np.linalg.inv(correlations)), index=values.columns)


@dataclass(frozen=True)
class Timing:
    """What `decision_timing` finds.

    coefficients: one row per predictor, the size last. term · coefficient, low, high, p: raw, in iterations per unit of
    the feature · standardized and its interval: in standard deviations · gain: ΔR² when it is left out · share,
    share_low, share_high: its part of the variance of depth, LMG · reason.
    r_squared · tokens, instances: what the regression rests on · linear_r_squared: with the size as a number ·
    linearity_f, linearity_df, linearity_p: Wald test that the size is linear, clustered · reason: why the whole is
    undefined, if it is.
    """

    coefficients: pd.DataFrame
    r_squared: float
    linear_r_squared: float
    tokens: int
    instances: int
    linearity_f: float = np.nan
    linearity_df: int = 0
    linearity_p: float = np.nan
    reason: str = ""

    @property
    def summary(self) -> pd.DataFrame:
        """Everything but the coefficients, as one row."""
        return pd.DataFrame([{name: value for name, value in vars(self).items() if name != "coefficients"}])


def decision_timing(
    frame: pd.DataFrame,
    features: Iterable[str],
    target: str = "expected_depth",
    *,
    population: str = "correct",
    size: str = "categorical",
    draws: int = 300,
    seed: int = 0,
) -> Timing:
    """Step 4: the regression of depth on the given features and the size.

    Args:
        frame: the trace of one model, see `check_trace`. Tokens without a value of a feature (`<eos>`) are left out.
        features: those that `select_features` kept. One set for all models makes their coefficients comparable.
        target: "expected_depth" (where the token is predicted), "own_expected_depth" (where it is read), or a depth.
        population: "correct" for the tokens of wholly solved instances, "all" for all.
        size: "categorical", or "linear" for the size as a number.
        draws: bootstrap samples (of instances) for the intervals of the shares.

    Raises:
        ValueError: a frame that is no trace, no instance in the population, more than 14 predictors.
    """
    features = _names(features)
    if size not in ("categorical", "linear"):
        raise ValueError(f'size is "categorical" or "linear", received {size!r}.')
    if len(features) >= MOST_PREDICTORS:
        raise ValueError(f"Shares visit every subset of the predictors: at most {MOST_PREDICTORS - 1} features, received {len(features)}. Select first.")
    rows = _population(frame, features, target, population)
    groups, clusters = cluster_codes(rows["instance"])
    levels = np.sort(rows["size"].unique())
    columns = [f"x{i}" for i in range(len(features))]
    table = pd.DataFrame(rows[features].astype(float).to_numpy(), columns=columns).assign(y=rows[target].to_numpy(float), size=rows["size"].to_numpy(float))
    terms = [*features, *(["size"] if len(levels) > 1 else [])]
    linear = table[[*columns, "size"]] if len(levels) > 1 else table[columns]
    by_category = len(levels) > 1 and size == "categorical"
    predictors = table[columns].join(pd.get_dummies(table["size"], prefix="size", dtype=float).iloc[:, 1:]) if by_category else linear
    design = predictors.to_numpy()
    reason = _undefined(design, table["y"], clusters, target)
    if reason:
        empty = pd.DataFrame({"term": terms, **dict.fromkeys(TERMS[1:-1], np.nan), "reason": reason}, columns=TERMS)
        return Timing(empty, np.nan, np.nan, len(rows), clusters, reason=reason)

    numeric = _fit(linear, table["y"], groups)
    fit = _fit(predictors, table["y"], groups) if by_category else numeric

    moments = _Moments(design, table["y"].to_numpy(), np.r_[np.arange(len(features)), np.full(design.shape[1] - len(features), len(features))], groups)
    everything = np.ones(len(terms), dtype=bool)
    full, *without = moments.r_squared(np.vstack([everything, ~np.eye(len(terms), dtype=bool)]))
    shares = cluster_bootstrap(moments.shares, np.arange(clusters), draws=draws, seed=seed)
    interval = fit.conf_int()
    spread = table["y"].std(ddof=0)
    lines = []
    for i, term in enumerate(terms):
        parameter = columns[i] if i < len(columns) else "size"
        line = {"term": term, "gain": full - without[i], "reason": ""}
        line |= dict(zip(("share", "share_low", "share_high"), shares.loc[i, ["estimate", "low", "high"]], strict=True))
        if parameter in fit.params:
            scale = table[parameter].std(ddof=0) / spread
            raw = (fit.params[parameter], *interval.loc[parameter])
            line |= dict(zip(("coefficient", "low", "high"), raw, strict=True)) | {"p": fit.pvalues[parameter]}
            line |= {name: value * scale for name, value in zip(("standardized", "standardized_low", "standardized_high"), raw, strict=True)}
        else:
            line["reason"] = "one coefficient for each size"
        lines.append(line)
    return Timing(
        pd.DataFrame(lines, columns=TERMS), fit.rsquared, numeric.rsquared, len(rows), clusters, **_linearity(linear, table, levels, groups, clusters)
    )


def _names(features: Iterable[str]) -> list[str]:
    """The features as a list; the size is a predictor anyway."""
    return [name for name in dict.fromkeys(features) if name != "size"]


def _population(frame: pd.DataFrame, features: Sequence[str], target: str, population: str) -> pd.DataFrame:
    """The tokens to regress, with a value of every feature."""
    if population not in POPULATIONS:
        raise ValueError(f"A population is one of {', '.join(POPULATIONS)}, received {population!r}.")
    rows = check_trace(frame, [*features, target])
    if population == "correct":
        rows = rows[rows["instance_correct"]]
    rows = rows.dropna(subset=list(features))
    if rows.empty:
        raise ValueError(f"No token of the population {population!r} has a value of every feature: the model solves no instance, or a feature has no values.")
    return rows


def _undefined(design: np.ndarray, y: pd.Series, clusters: int, target: str) -> str:
    """Why no regression exists, or nothing."""
    if clusters < 2:
        return "a single instance"
    if y.nunique() == 1:
        return f"{target} is constant"
    if not design.shape[1]:
        return "no predictors"
    if clusters <= design.shape[1] + 1:
        return f"{clusters} instances for {design.shape[1]} predictors"
    if (design.std(0) == 0).any():
        return "a predictor is constant"
    if np.linalg.eigvalsh(np.atleast_2d(np.corrcoef(design.T)))[0] < SINGULAR:
        return "predictors determine each other"
    return ""


def _fit(predictors: pd.DataFrame, y: pd.Series, groups: np.ndarray) -> RegressionResults:
    """Least squares with a constant; errors clustered by `groups`."""
    return OLS(y, predictors.assign(constant=1.0)).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)


def _linearity(linear: pd.DataFrame, table: pd.DataFrame, levels: np.ndarray, groups: np.ndarray, clusters: int) -> dict:
    """The Wald test of steps for the sizes between the ends, on top of a line; undefined with fewer than three sizes."""
    if len(levels) < 3:
        return {}
    steps = {f"step{i}": (table["size"] == level).astype(float) for i, level in enumerate(levels[1:-1])}
    fit = _fit(linear.assign(**steps), table["y"], groups)
    which = [list(fit.params.index).index(name) for name in steps]
    estimates, covariance = fit.params.to_numpy()[which], fit.cov_params().to_numpy()[np.ix_(which, which)]
    statistic = float(estimates @ np.linalg.solve(covariance, estimates)) / len(which)
    return {"linearity_f": statistic, "linearity_df": len(which), "linearity_p": float(stats.f.sf(statistic, len(which), clusters - 1))}


class _Moments:
    """First and second moments of predictors and target in each cluster: R² of any subset under any weights.

    design (n, q) · y (n,) · players (q,): which predictor each column belongs to, from 0 · groups (n,): clusters from 0.
    """

    def __init__(self, design: np.ndarray, y: np.ndarray, players: np.ndarray, groups: np.ndarray):
        together = np.column_stack([design, y])
        together = (together - together.mean(0)) / together.std(0)  # R² does not change, rounding errors shrink
        together = np.column_stack([np.ones(len(y)), together])
        self.players, self.count = players, int(players.max()) + 1
        order = np.argsort(groups, kind="stable")
        starts = np.r_[0, np.flatnonzero(np.diff(groups[order])) + 1, len(groups)]
        self.clusters = np.array([together[order[a:b]].T @ together[order[a:b]] for a, b in pairwise(starts)])  # (K, q+2, q+2)

    def r_squared(self, subsets: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """R² of the subsets of predictors (S, p), each cluster taken `weights` (K,) times: (S,)."""
        sums = self.clusters.sum(0) if weights is None else np.tensordot(weights, self.clusters, 1)
        means = sums[0, 1:] / sums[0, 0]
        covariance = sums[1:, 1:] / sums[0, 0] - np.outer(means, means)
        if min(np.diag(covariance)) < SINGULAR:
            return np.full(len(subsets), np.nan)
        scale = np.sqrt(np.diag(covariance))
        correlation = covariance / np.outer(scale, scale)
        inside = subsets[:, self.players]  # (S, q)
        blocks = np.where(inside[:, :, None] & inside[:, None, :], correlation[:-1, :-1], np.eye(len(self.players)))
        right = inside * correlation[:-1, -1]
        try:
            return (right * np.linalg.solve(blocks, right[:, :, None])[:, :, 0]).sum(1)
        except np.linalg.LinAlgError:
            return np.full(len(subsets), np.nan)

    def shares(self, weights: np.ndarray | None = None) -> np.ndarray:
        """LMG: each predictor's gain in R², averaged over all orders (p,). The shares sum to R²."""
        subsets, orders = self._all
        explained = self.r_squared(subsets, weights)
        shares = np.empty(self.count)
        for player in range(self.count):
            without = np.flatnonzero(~subsets[:, player])
            shares[player] = orders[without] @ (explained[without + 2**player] - explained[without])
        return shares

    @cached_property
    def _all(self) -> tuple[np.ndarray, np.ndarray]:
        """All subsets (2^p, p), and for each the share of orders in which just its members come before a given other one (2^p,)."""
        subsets = np.arange(2**self.count)[:, None] >> np.arange(self.count) & 1
        by_size = np.array([factorial(s) * factorial(self.count - 1 - s) / factorial(self.count) for s in range(self.count)])
        return subsets.astype(bool), by_size[np.minimum(subsets.sum(1), self.count - 1)]


def _r_squared(correlations: np.ndarray, right: np.ndarray) -> float:
    return float(right @ np.linalg.pinv(correlations, hermitian=True) @ right)
