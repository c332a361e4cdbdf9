"""Measures: small named functions from the stored tables of a task and preset to one number a training seed."""

import numpy as np
import pandas as pd
from scipy import stats

from anira.analysis.claims.claim import Missing, measure
from anira.analysis.claims.tables import Tables, once
from anira.analysis.dynamics import milestones, order_of_learning, rise_and_fall
from anira.analysis.generalization import beyond, paired
from anira.analysis.generalization import slopes as slopes_of
from anira.analysis.timing import Timing

SHARE, CORRELATION, CHANGE, RATIO = (0, 1), (-1, 1), (-1, 1), (0, np.inf)


def of_seeds(frame: pd.DataFrame, value: str, decider: str | None = None) -> pd.Series:
    """One number a seed from a table with one row a model; `Missing` if there is none of that decider."""
    if decider is not None:
        frame = frame[frame["decider"] == decider]
    if frame.empty:
        raise Missing(f"no {decider} model" if decider else "no seed that both deciders have")
    return frame.set_index("run_seed")[value]


@measure()
def depth_slope(tables: Tables, decider: str) -> pd.Series:
    """Iterations per unit of size, over the trained sizes."""
    return of_seeds(slopes_of(tables.evaluation), "slope", decider)


def _online_less_early(tables: Tables, value: str) -> pd.Series:
    return of_seeds(paired(tables.evaluation.query("place == 'trained'"), value, "online", "early"), "difference")


@measure()
def depth_difference(tables: Tables) -> pd.Series:
    """Iterations on trained sizes, online minus early."""
    return _online_less_early(tables, "depth")


@measure(bounds=CHANGE)
def exact_match_difference(tables: Tables) -> pd.Series:
    """Exact match on trained sizes, online minus early."""
    return _online_less_early(tables, "exact_match")


@measure(bounds=CORRELATION)
def correlation(tables: Tables, decider: str, feature: str) -> pd.Series:
    """Spearman's rank correlation of expected depth with a feature, over answer tokens."""
    traces = tables.traces[tables.traces["decider"] == decider].dropna(subset=[feature])
    if traces.empty:
        raise Missing(f"no {decider} model")
    return traces.groupby("run_seed")[["expected_depth", feature]].apply(lambda part: stats.spearmanr(part["expected_depth"], part[feature]).statistic)


@measure(bounds=CORRELATION)
def learned_in_order(tables: Tables, decider: str) -> pd.Series:
    """Kendall's τ of size and the step at which it reaches 90 % exact match."""
    return of_seeds(order_of_learning(milestones(tables.curves())), "tau", decider)


@once
def paths_of_depth(tables: Tables, variation: str) -> pd.DataFrame:
    """How depth climbs and falls in the runs that went as far as the longest, from the end of the trunk phase on, see `rise_and_fall`.

    The trunk phase ends with the last record up to which every token runs all D iterations.
    """
    curves, paths = tables.curves(variation), []
    for (_, _, last), run in curves.groupby(["decider", "run_seed", curves.groupby(["decider", "run_seed"])["step"].transform("max")], sort=False):
        if last == curves["step"].max():
            whole = run[["depth", "prompt_depth"]].eq(tables.max_depth).all(axis=1).groupby(run["step"]).all()
            paths.append(rise_and_fall(run, "depth", since=whole.index[whole.cummin()].max() if whole.iloc[0] else 0))
    return pd.concat(paths)


def path_of_depth(tables: Tables, decider: str, value: str, variation: str = "none") -> pd.Series:
    """One number of these paths, of a decider."""
    return of_seeds(paths_of_depth(tables, variation), value, decider)


@measure(bounds=SHARE)
def highest_depth(tables: Tables, decider: str) -> pd.Series:
    """The highest depth in training with γ constant, as a share of D."""
    return path_of_depth(tables, decider, "peak", "constant") / tables.max_depth


@measure()
def fall_of_depth(tables: Tables, decider: str) -> pd.Series:
    """Iterations from the highest depth after the trunk phase to the end."""
    return path_of_depth(tables, decider, "fall")


@measure(bounds=CHANGE)
def exact_match_since_peak(tables: Tables, decider: str) -> pd.Series:
    """Exact match at the end minus that at the highest depth after the trunk phase."""
    return path_of_depth(tables, decider, "gain")


@once
def _beyond(tables: Tables, where: str = "beyond") -> pd.DataFrame:
    return beyond(tables.evaluation, where)


@measure(bounds=RATIO)
def kept_beyond(tables: Tables, decider: str) -> pd.Series:
    """Exact match beyond the trained sizes, as a share of that at the largest of them."""
    return of_seeds(_beyond(tables), "retained", decider)


@measure(bounds=CHANGE)
def ahead_beyond(tables: Tables) -> pd.Series:
    """Exact match of online beyond the trained sizes, minus that of the best other."""
    kept = _beyond(tables).pivot(index="run_seed", columns="decider", values="exact")
    missing = {"early", "online", "fixed", "untied"} - set(kept)
    if missing:
        raise Missing(f"no model of: {', '.join(sorted(missing))}")
    return (kept["online"] - kept.drop(columns="online").max(axis=1)).dropna()


@measure()
def growth_beyond(tables: Tables, decider: str) -> pd.Series:
    """Iterations beyond the trained sizes, minus those at the largest of them."""
    return of_seeds(_beyond(tables), "growth", decider)


@measure(bounds=CHANGE)
def lost_between(tables: Tables, decider: str) -> pd.Series:
    """Exact match lost at sizes left out between trained ones, against the mean of their neighbours."""
    return of_seeds(_beyond(tables, "between"), "drop", decider)


def _of_fits(tables: Tables, decider: str, value) -> pd.Series:
    return pd.Series({seed: value(fit) for seed, fit in tables.timing(decider).items()}, dtype=float)


def _largest_share(fit: Timing) -> float:
    return fit.coefficients["share"].max() / fit.r_squared


def _gain_of_categories(fit: Timing) -> float:
    return fit.r_squared - fit.linear_r_squared


@measure(bounds=SHARE)
def r_squared(tables: Tables, decider: str) -> pd.Series:
    """R² of expected depth on the paper's features, sizes as categories."""
    return _of_fits(tables, decider, lambda fit: fit.r_squared)


def _term(tables: Tables, decider: str, term: str, column: str) -> pd.Series:
    return _of_fits(tables, decider, lambda fit: fit.coefficients.set_index("term")[column].get(term, np.nan))


@measure()
def coefficient(tables: Tables, decider: str, feature: str) -> pd.Series:
    """Iterations per unit of a feature, the others and the size held."""
    return _term(tables, decider, feature, "coefficient")


@measure(bounds=SHARE)
def share_of_size(tables: Tables, decider: str) -> pd.Series:
    """The share of depth's variance that falls to the size (LMG)."""
    return _term(tables, decider, "size", "share")


@measure(bounds=CHANGE)
def concentration_difference(tables: Tables) -> pd.Series:
    """The largest share of R² that one predictor has, online minus early."""
    return (_of_fits(tables, "online", _largest_share) - _of_fits(tables, "early", _largest_share)).dropna()


@measure(bounds=CHANGE)
def categories_difference(tables: Tables) -> pd.Series:
    """What sizes as categories add to R², early minus online."""
    return (_of_fits(tables, "early", _gain_of_categories) - _of_fits(tables, "online", _gain_of_categories)).dropna()


@measure()
def operator_effect(tables: Tables, effect: str) -> pd.Series:
    """One of the effects of `anira.analysis.question.operator_effects`, of the early decider."""
    return of_seeds(tables.question.drop_duplicates(["decider", "run_seed"]), effect, "early")
