"""Measures of what we claim ourselves, and of the paper's claims asked again; as in `anira.analysis.claims.measures`."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np
import pandas as pd

from anira.analysis.alignment import partial as partial_correlation
from anira.analysis.allocation import after_shuffling
from anira.analysis.claims.claim import Missing, measure
from anira.analysis.claims.measures import CHANGE, CORRELATION, RATIO, SHARE, of_seeds, path_of_depth
from anira.analysis.claims.tables import Tables, once
from anira.analysis.frames import READINGS
from anira.analysis.generalization import paired
from anira.analysis.need import needs
from anira.analysis.policies import rise_with_distractors
from anira.analysis.surface import PAPER, surface, with_dependents
from anira.analysis.timing import Timing, decision_timing

T = TypeVar("T")

RATIO_BEYOND = 1.5  # of the largest trained size: where what is kept beyond it is judged
STATE = ("dfs_depth", "frontier_size", "newly_enabled")


def models(frame: pd.DataFrame, decider: str, made: Callable[[pd.DataFrame], T]) -> dict[int, T]:
    """What is made of the rows of each model of a decider, by seed; `Missing` if there is none."""
    rows = frame[frame["decider"] == decider]
    if rows.empty:
        raise Missing(f"no {decider} model")
    return {int(seed): made(part.drop(columns=["model", "decider", "run_seed"], errors="ignore")) for seed, part in rows.groupby("run_seed")}


def each_model(frame: pd.DataFrame, decider: str, value: Callable[[pd.DataFrame], float]) -> pd.Series:
    """One number a seed: `value` of the rows of each model of a decider."""
    return pd.Series(models(frame, decider, value), dtype=float)


def _numbers(made: dict[int, T], value: Callable[[T], float]) -> pd.Series:
    return pd.Series({seed: value(one) for seed, one in made.items()}, dtype=float)


def less(one: pd.Series, other: pd.Series) -> pd.Series:
    """The difference seed by seed, for the seeds that both have."""
    difference = (one - other).dropna()
    if difference.empty:
        raise Missing("no seed that both have")
    return difference


@once
def _surfaces(tables: Tables, decider: str, reading: str) -> dict[int, pd.DataFrame]:
    return models(tables.solved, decider, partial(surface, target=READINGS[reading]))


def _surface(tables: Tables, decider: str, quantity: str, term: str = "", reading: str = "predicted") -> pd.Series:
    def one(table: pd.DataFrame) -> float:
        return table[(table["quantity"] == quantity) & (table["term"] == term)]["estimate"].iloc[0]

    return _numbers(_surfaces(tables, decider, reading), one)


@measure(bounds=SHARE)
def surface_share(tables: Tables, decider: str) -> pd.Series:
    """Share of the variance of E[d] between cells of edges × place."""
    return _surface(tables, decider, "surface")


@measure(bounds=SHARE)
def content_share(tables: Tables, decider: str, reading: str = "predicted") -> pd.Series:
    """Share of the rest that features of graph and search explain within cells."""
    return _surface(tables, decider, "content", reading=reading)


@measure(bounds=CHANGE)
def content_difference(tables: Tables) -> pd.Series:
    """The same, online minus early."""
    return less(_surface(tables, "online", "content"), _surface(tables, "early", "content"))


@measure()
def coefficient_within_cells(tables: Tables, decider: str, feature: str) -> pd.Series:
    """Iterations per unit of a feature within cells of edges × place, the paper's other features held."""
    return _surface(tables, decider, "coefficient", feature)


@once
def _rises(tables: Tables, decider: str) -> dict[int, pd.DataFrame]:
    """With prompts no longer than those of training."""
    return models(tables.read("distractors"), decider, partial(rise_with_distractors, largest=largest_trained(tables), draws=2))


def _distracted(tables: Tables, decider: str, quantity: str) -> pd.Series:
    def one(table: pd.DataFrame) -> float:
        return table[(table["size"] == "all") & (table["quantity"] == quantity) & (table["graph"] == "dead ends")]["estimate"].iloc[0]

    return _numbers(_rises(tables, decider), one)


@measure()
def share_of_rise(tables: Tables, decider: str) -> pd.Series:
    """The rise of E[d] with dead ends, nodes that do not matter and depend on what does, as a share of that in really larger graphs."""
    return _distracted(tables, decider, "share")


@measure()
def share_of_rise_difference(tables: Tables) -> pd.Series:
    """The same, early minus online."""
    return less(_distracted(tables, "early", "share"), _distracted(tables, "online", "share"))


@measure(bounds=SHARE)
def exact_match_with_distractors(tables: Tables, decider: str) -> pd.Series:
    """Exact match with dead ends added, in graphs no larger than those of training."""
    return _distracted(tables, decider, "exact match")


@once
def _tokens(tables: Tables, decider: str) -> dict[int, pd.DataFrame]:
    return models(tables.read("readouts"), decider, needs)


def _needs(tables: Tables, decider: str, value: Callable[[pd.DataFrame], float]) -> pd.Series:
    return _numbers(_tokens(tables, decider), lambda tokens: value(tokens.dropna(subset=["need"])))


@measure(bounds=SHARE)
def share_given_more(tables: Tables, decider: str) -> pd.Series:
    """Share of answer tokens that get more iterations than they need."""
    return _needs(tables, decider, lambda tokens: (tokens["depth"] > tokens["need"]).mean())


@measure()
def need_less_than_fixed(tables: Tables, decider: str) -> pd.Series:
    """Iterations that an answer token of a model of fixed depth needs, minus those of this decider's."""
    return less(_needs(tables, "fixed", lambda tokens: tokens["need"].mean()), _needs(tables, decider, lambda tokens: tokens["need"].mean()))


def _rank_correlation(tokens: pd.DataFrame, feature: str, held: tuple[str, ...] = ()) -> float:
    columns = tokens[["expected_depth", feature, *held]]
    return partial_correlation(np.corrcoef(columns.rank().to_numpy().T))


@measure()
def size_beyond_need(tables: Tables, decider: str) -> pd.Series:
    """Spearman's correlation of E[d] with the size, minus that with the need."""
    return _needs(tables, decider, lambda tokens: _rank_correlation(tokens, "size") - _rank_correlation(tokens, "need"))


@measure(bounds=CORRELATION)
def need_beyond_surface(tables: Tables, decider: str) -> pd.Series:
    """Spearman's correlation of E[d] with the need, size and place held fixed."""
    return _needs(tables, decider, lambda tokens: _rank_correlation(tokens, "need", ("size", "place")))


@measure(bounds=SHARE)
def final_early(tables: Tables, decider: str, low: float, high: float) -> pd.Series:
    """Share of predictions that no later iteration changes, where F(d) lies in (low, high]."""

    def one(part: pd.DataFrame) -> float:
        settled = needs(part)[["instance", "position", "settled"]]
        rows = part.merge(settled, on=["instance", "position"])
        rows = rows[(rows["passed"] > low) & (rows["passed"] <= high) & (rows["iteration"] < rows["iteration"].max())]
        return (rows["iteration"] >= rows["settled"]).mean()

    return each_model(tables.read("readouts"), decider, one)


@once
def _shuffles(tables: Tables) -> pd.DataFrame:
    return after_shuffling(tables.read("interventions"))


def _shuffled(tables: Tables, decider: str, size: int | None) -> pd.Series:
    table = _shuffles(tables)
    rows = table[(table["intervention"] == "shuffled in the instance − chosen") & (table["decider"] == decider) & (table["seed"] != "all")]
    if rows.empty:
        raise Missing(f"no {decider} model")
    rows = rows if size is None else rows[rows["size"] == size]
    return rows.groupby(rows["seed"].astype(int))["estimate"].mean()


@measure(bounds=CHANGE)
def lost_by_shuffling(tables: Tables, decider: str, size: int | None = None) -> pd.Series:
    """Exact match with depths as chosen, minus that with the same depths dealt out anew within each answer; at one size, or the mean over sizes."""
    return -_shuffled(tables, decider, size)


@measure()
def lost_by_shuffling_difference(tables: Tables, size: int | None = None) -> pd.Series:
    """The same, online minus early."""
    return less(_shuffled(tables, "early", size), _shuffled(tables, "online", size))


@measure(bounds=CHANGE)
def ahead_of_one_number(tables: Tables, decider: str, depth: int) -> pd.Series:
    """Exact match with depths as chosen, minus that with one number of iterations for every answer token, the prompt as chosen."""
    table = tables.read("interventions")
    exact = table.assign(exact=table["right"] == table["tokens"])
    chosen, fixed = exact[exact["intervention"] == "chosen"], exact[(exact["intervention"] == "fixed") & (exact["amount"] == depth)]
    return less(*(each_model(part, decider, lambda rows: rows["exact"].mean()) for part in (chosen, fixed)))


@measure(bounds=RATIO)
def iterations_when_confident(tables: Tables, decider: str, confidence: float) -> pd.Series:
    """Iterations an answer token until the readout is confident, as a share of those that the decider chose."""
    table = tables.read("policies")
    confident = table[(table["policy"] == "confident") & (table["setting"] == confidence)]
    means = [each_model(part, decider, lambda rows: rows["depth"].mean()) for part in (confident, table[table["policy"] == "chosen"])]
    return (means[0] / means[1]).dropna()


@measure(bounds=CHANGE)
def confident_less_chosen(tables: Tables, decider: str, confidence: float) -> pd.Series:
    """Exact match of stopping when the readout is confident, minus that of the decider."""
    table = tables.read("policies")
    confident = table[(table["policy"] == "confident") & (table["setting"] == confidence)]
    return less(*(each_model(part, decider, lambda rows: rows["exact_match"].mean()) for part in (confident, table[table["policy"] == "chosen"])))


@once
def fits(tables: Tables, decider: str, reading: str) -> dict[int, Timing]:
    """The regression with the paper's hub for each seed, on the instances that all models solve, depth taken where a token is predicted, or read."""
    return models(with_dependents(tables.solved), decider, lambda part: decision_timing(part, PAPER, READINGS[reading], draws=2))


def _of_fits(tables: Tables, decider: str, reading: str, value: Callable[[Timing], float]) -> pd.Series:
    return _numbers(fits(tables, decider, reading), value)


def _terms(fit: Timing) -> pd.DataFrame:
    return fit.coefficients.set_index("term")


@measure(bounds=SHARE)
def r_squared(tables: Tables, decider: str, reading: str) -> pd.Series:
    """R² of E[d] on the paper's features, sizes as categories."""
    return _of_fits(tables, decider, reading, lambda fit: fit.r_squared)


@measure()
def coefficient(tables: Tables, decider: str, feature: str, reading: str) -> pd.Series:
    """Iterations per unit of a feature, the others and the size held."""
    return _of_fits(tables, decider, reading, lambda fit: _terms(fit).loc[feature, "coefficient"])


@measure(bounds=SHARE)
def gain_of_categories(tables: Tables, decider: str) -> pd.Series:
    """What sizes as categories add to R² over a straight line."""
    return _of_fits(tables, decider, "read", lambda fit: max(fit.r_squared - fit.linear_r_squared, 0))


@measure(bounds=CHANGE)
def size_ahead(tables: Tables, decider: str) -> pd.Series:
    """The share of depth's variance (LMG) that falls to the size, minus the largest share of another predictor."""
    return _of_fits(tables, decider, "read", lambda fit: _terms(fit).loc["size", "share"] - _terms(fit)["share"].drop("size").max())


def _state_share(fit: Timing) -> float:
    return _terms(fit).loc[list(STATE), "share"].sum() / fit.r_squared


@measure(bounds=CHANGE)
def state_difference(tables: Tables) -> pd.Series:
    """The part of R² (LMG) that falls to the three features of the search's state, online minus early."""
    return less(*(_of_fits(tables, decider, "read", _state_share) for decider in ("online", "early")))


@measure(bounds=CHANGE)
def concentration_difference(tables: Tables) -> pd.Series:
    """The largest part of R² (LMG) that one predictor has, online minus early."""
    return less(*(_of_fits(tables, decider, "read", lambda fit: _terms(fit)["share"].max() / fit.r_squared) for decider in ("online", "early")))


def _parts(rows: pd.DataFrame) -> pd.Series:
    """The parts of R² (LMG) that fall to the predictors, which sum to 1."""
    fit = decision_timing(rows, PAPER, READINGS["read"], draws=2)
    return _terms(fit)["share"] / fit.r_squared


def _moved(tables: Tables, decider: str) -> pd.Series:
    """What part of the importances moves from one predictor to another between the smaller half of the sizes and the larger, by seed."""
    rows = with_dependents(tables.solved)
    sizes = np.sort(rows["size"].unique())
    small = rows["size"] < sizes[len(sizes) // 2]
    halves = [models(part, decider, _parts) for part in (rows[small], rows[~small])]
    return pd.Series({seed: (one - halves[1][seed]).abs().sum() / 2 for seed, one in halves[0].items()}, dtype=float)


@measure(bounds=CHANGE)
def importances_moved_difference(tables: Tables) -> pd.Series:
    """The part of the importances that moves between predictors from small graphs to large ones, online minus early."""
    return less(_moved(tables, "online"), _moved(tables, "early"))


@measure()
def growth_with_size_difference(tables: Tables) -> pd.Series:
    """Iterations per unit of size over the trained sizes, online minus early."""
    means = tables.evaluation.query("place == 'trained'")
    slopes = [each_model(means, decider, lambda rows: np.polyfit(rows["size"], rows["depth"], 1)[0]) for decider in ("online", "early")]
    return less(*slopes)


@measure()
def depth_difference(tables: Tables, value: str) -> pd.Series:
    """Iterations on trained sizes, online minus early: `expected_depth` of answer tokens, or `prompt_depth`."""
    return of_seeds(paired(tables.evaluation.query("place == 'trained'"), value, "online", "early"), "difference")


@measure()
def depth_difference_at_the_end(tables: Tables) -> pd.Series:
    """Iterations an answer token at the largest size evaluated, online minus early."""
    largest = tables.evaluation["size"].max()
    return of_seeds(paired(tables.evaluation[tables.evaluation["size"] == largest], "depth", "online", "early"), "difference")


def largest_trained(tables: Tables) -> int:
    """The largest size that the models were trained on."""
    table = tables.evaluation
    return int(table.loc[table["place"] == "trained", "size"].max())


def guessing(tables: Tables) -> float:
    """The exact match of a guess where an answer is one token: one of the tokens that occur."""
    return 1 / tables.traces["token"].nunique()


def beyond_at_ratio(tables: Tables, decider: str) -> pd.Series:
    """Exact match at the first size that is `RATIO_BEYOND` times the largest trained one."""
    table, size = tables.evaluation, np.ceil(RATIO_BEYOND * largest_trained(tables))
    there = table[table["size"] == size]
    if there.empty:
        raise Missing(f"nothing was asked at size {size:g}")
    return each_model(there, decider, lambda rows: rows["exact_match"].mean())


@measure(bounds=RATIO)
def kept_above_guessing(tables: Tables, decider: str, *, one_token: bool) -> pd.Series:
    """What is left above guessing at 1.5 times the largest trained size, as a share of what there is at that size.

    one_token: whether an answer is one token, as in MANO; a longer one is not guessed.
    """
    table, guess = tables.evaluation, guessing(tables) if one_token else 0.0
    at_largest = each_model(table[table["size"] == largest_trained(tables)], decider, lambda rows: rows["exact_match"].mean())
    return ((beyond_at_ratio(tables, decider) - guess).clip(lower=0) / (at_largest - guess)).dropna()


@measure(bounds=CHANGE)
def ahead_beyond_of(tables: Tables, other: str) -> pd.Series:
    """Exact match of online at 1.5 times the largest trained size, minus that of another decider."""
    return less(beyond_at_ratio(tables, "online"), beyond_at_ratio(tables, other))


@measure(bounds=CHANGE)
def lost_by_leaving_out(tables: Tables, decider: str) -> pd.Series:
    """Exact match at sizes left out between trained ones: that of the same recipe trained with them, minus that without, seed by seed."""
    without = tables.evaluation.query("place == 'between'")
    whole = Tables(tables.task, tables.preset.removesuffix("-gap"), tables.folder).evaluation
    with_them = whole[whole["size"].isin(without["size"])]
    return less(*(each_model(part, decider, lambda rows: rows["exact_match"].mean()) for part in (with_them, without)))


@measure(bounds=CORRELATION)
def correlation_where_read(tables: Tables, decider: str, feature: str) -> pd.Series:
    """Spearman's correlation of E[d] where a token is read with a feature, the position held fixed."""
    rows = tables.traces.dropna(subset=[feature])

    def one(part: pd.DataFrame) -> float:
        return partial_correlation(np.corrcoef(part[["own_expected_depth", feature, "position"]].rank().to_numpy().T))

    return each_model(rows, decider, one)


@measure(bounds=CORRELATION)
def correlation_beyond_surface(tables: Tables, decider: str, feature: str) -> pd.Series:
    """Spearman's correlation of E[d] with a feature, size and place held fixed."""
    rows = tables.traces.dropna(subset=[feature])

    def one(part: pd.DataFrame) -> float:
        return partial_correlation(np.corrcoef(part[["expected_depth", feature, "size", "emitted"]].rank().to_numpy().T))

    return each_model(rows, decider, one)


@measure()
def fall_with_constant_penalty(tables: Tables, decider: str) -> pd.Series:
    """Iterations from the highest depth in training to the end, γ constant."""
    return path_of_depth(tables, decider, "fall", "constant")


@measure(bounds=CHANGE)
def exact_match_since_peak(tables: Tables, decider: str) -> pd.Series:
    """Exact match at the end minus that at the highest depth, γ constant."""
    return path_of_depth(tables, decider, "gain", "constant")
