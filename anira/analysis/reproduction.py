"""The reproduction table: each of the paper's claims beside what is measured here, with a verdict that is computed.

A claim is one object: its words, the paper's figure, a function that measures one number a training seed from the
stored tables, and a criterion, declared beforehand, that turns the interval over seeds into a word:

- agrees: the whole interval meets the criterion · differs: none of it does · undecided: part of it does
- not tested: fewer than three seeds, an undefined number, no table, or a claim that cannot be tested here; the
  reason says which

`reproduce` makes the table. Nothing in it can be chosen after the numbers are known.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from anira.analysis.dynamics import milestones, order_of_learning, rise_and_fall
from anira.analysis.generalization import beyond, own_conditions, paired, slopes
from anira.analysis.intervals import over_seeds
from anira.analysis.timing import Timing, common_correct, decision_timing
from anira.results import UnknownTable, read

SEEDS = 3  # the fewest for a verdict
VERDICTS = ("agrees", "differs", "undecided", "not tested")
STATED = ("hub_out_degree", "dfs_depth", "frontier_size", "newly_enabled")  # the features of the paper's last regression
ADAPTIVE = ("early", "online")


class Missing(Exception):
    """What a claim is measured from is not there; the message says what."""


@dataclass(frozen=True)
class Within:
    """The criterion that a number lies between two bounds, either of which may be infinite."""

    low: float = -np.inf
    high: float = np.inf

    def verdict(self, low: float, high: float) -> str:
        """What an interval says.

        >>> above = Within(low=0)
        >>> above.verdict(0.1, 0.4), above.verdict(-0.2, -0.1), above.verdict(-0.1, 0.1)
        ('agrees', 'differs', 'undecided')
        """
        if low >= self.low and high <= self.high:
            return "agrees"
        return "differs" if high < self.low or low > self.high else "undecided"

    def __str__(self) -> str:
        if np.isinf(self.high):
            return f"above {self.low:g}"
        return f"below {self.high:g}" if np.isinf(self.low) else f"{self.low:g} to {self.high:g}"


def above(bound: float) -> Within:
    return Within(low=bound)


def below(bound: float) -> Within:
    return Within(high=bound)


def near(value: float, margin: float) -> Within:
    return Within(round(value - margin, 6), round(value + margin, 6))


class Results:
    """The stored tables of one task and preset, read when they are asked for; `folder`: other than the package's, see `anira.results`."""

    def __init__(self, folder: str | Path | None, task: str, preset_name: str):
        self.folder, self.task, self.preset_name = folder, task, preset_name

    def _read(self, kind: str) -> pd.DataFrame:
        try:
            return read(kind, f"{self.task}-{self.preset_name}", folder=self.folder)
        except UnknownTable as error:
            raise Missing(f"no table {kind}/{self.task}-{self.preset_name}") from error

    @cached_property
    def evaluation(self) -> pd.DataFrame:
        """Rows of `anira evaluate` under each model's own conditions."""
        return own_conditions(self._read("generalization"))

    @cached_property
    def question(self) -> pd.DataFrame:
        """Rows of `anira question`."""
        return self._read("question")

    @cached_property
    def traces(self) -> pd.DataFrame:
        """Rows of `anira trace`."""
        return self._read("traces")

    def curves(self, variation: str = "none") -> pd.DataFrame:
        """Learning curves of finished or unfinished runs; `variation`: of the preset, such as "constant"."""
        frame = self._read("training")
        frame = frame[frame["variation"] == variation]
        if frame.empty:
            raise Missing(f"no learning curves of {self.task} {self.preset_name}, variation {variation}")
        return frame

    @lru_cache  # noqa: B019  the object lives as long as one table is made
    def timing(self, decider: str) -> dict[int, Timing]:
        """The regression with the paper's features for each seed, on the instances that all models solve."""
        try:
            frame = common_correct(self.traces)
        except ValueError as error:
            raise Missing(str(error)) from error
        parts = frame[frame["decider"] == decider].groupby("run_seed")
        return {seed: decision_timing(part.drop(columns=["model", "decider", "run_seed"], errors="ignore"), STATED, draws=2) for seed, part in parts}

    @property
    def recipe(self):
        """The preset."""
        from anira.training.presets import preset

        return preset(self.task, self.preset_name)

    @property
    def scale(self) -> str:
        """Task, preset and trained sizes, in words."""
        sizes, words = self.recipe.task.sizes, {"brevo": "N", "mano": "L", "depo": "k"}.get(self.task, "size")
        dense = sizes == tuple(range(sizes[0], sizes[-1] + 1))
        return f"{self.task.upper()} {self.preset_name}, {words} = {f'{sizes[0]}–{sizes[-1]}' if dense else ', '.join(map(str, sizes))}"


@dataclass(frozen=True)
class Claim:
    """One claim of the paper. `measure` returns one number a seed, or raises `Missing`; presets: where to look, in order."""

    part: str
    text: str
    paper: str
    task: str = ""
    criterion: Within | None = None
    measure: Callable[[Results], pd.Series] | None = None
    presets: tuple[str, ...] = ("tiny", "minute", "paper")
    untestable: str = ""


def _column(frame: pd.DataFrame, value: str, decider: str | None = None) -> pd.Series:
    """One number a seed from a table with one row a model."""
    if decider is not None:
        frame = frame[frame["decider"] == decider]
    if frame.empty:
        raise Missing(f"no {decider} model" if decider else "no seed that both deciders have")
    return frame.set_index("run_seed")[value]


def _reached(results: Results, decider: str) -> pd.Series:
    return _column(order_of_learning(milestones(results.curves())), "tau", decider)


def _path(results: Results, decider: str, value: str, *, constant: bool) -> pd.Series:
    curves = results.curves("constant" if constant else "none")
    done = curves.groupby(["decider", "run_seed"])["step"].transform("max") >= results.recipe.steps
    if not done.any():
        raise Missing("no finished run")
    path = rise_and_fall(curves[done], "depth", since=0 if constant else results.recipe.trunk_steps)
    return _column(path.assign(height=path["peak"] / results.recipe.model["max_depth"]), value, decider)


def _difference(results: Results, value: str) -> pd.Series:
    trained = results.evaluation.query("place == 'trained'")
    return _column(paired(trained, value, "online", "early"), "difference")


def _graceful(results: Results) -> pd.Series:
    kept = beyond(results.evaluation).pivot(index="run_seed", columns="decider", values="exact")
    missing = {"early", "online", "fixed", "untied"} - set(kept)
    if missing:
        raise Missing(f"no model of: {', '.join(sorted(missing))}")
    return (kept["online"] - kept.drop(columns="online").max(axis=1)).dropna()


def _timing(results: Results, decider: str, value: Callable[[Timing], float]) -> pd.Series:
    fits = results.timing(decider)
    if not fits:
        raise Missing(f"no {decider} model")
    return pd.Series({seed: value(fit) for seed, fit in fits.items()}, dtype=float)


def _term(name: str, column: str) -> Callable[[Timing], float]:
    return lambda fit: fit.coefficients.set_index("term")[column].get(name, np.nan)


def _largest_share(fit: Timing) -> float:
    return fit.coefficients["share"].max() / fit.r_squared


def _lano(results: Results, decider: str, feature: str) -> pd.Series:
    traces = results.traces[results.traces["decider"] == decider].dropna(subset=[feature])
    if traces.empty:
        raise Missing(f"no {decider} model")
    return traces.groupby("run_seed")[["expected_depth", feature]].apply(lambda part: stats.spearmanr(part["expected_depth"], part[feature]).statistic)


def _question(results: Results, value: str) -> pd.Series:
    return _column(results.question.drop_duplicates(["decider", "run_seed"]), value, "early")


def claims() -> list[Claim]:
    """All of the paper's claims, in its order."""
    words = "in words only"
    found = []
    for task, knob in (("mano", "L"), ("brevo", "N")):
        for decider in ADAPTIVE:
            text = f"{decider}: depth rises with {knob}, iterations per unit of {knob}"
            found.append(Claim("alignment", text, words, task, above(0), lambda r, d=decider: _column(slopes(r.evaluation), "slope", d)))
        text = "online spends fewer iterations than early, difference on trained sizes"
        found.append(Claim("alignment", text, words, task, below(0), lambda r: _difference(r, "depth")))
        text = "… at equal accuracy, difference in exact match"
        found.append(Claim("alignment", text, words, task, near(0, 0.05), lambda r: _difference(r, "exact_match")))
    proxies = {"expansion": (0.666, 0.456), "convergence": (-0.264, -0.111), "additions": (0.618, 0.463), "multiplications": (0.645, 0.490)}
    for feature, figures in proxies.items():
        for decider, figure in zip(ADAPTIVE, figures, strict=True):
            text, criterion = f"{decider}: Spearman of expected depth with {feature}", above(0) if figure > 0 else below(0)
            found.append(Claim("alignment", text, f"{figure:+.3f}", "lano", criterion, lambda r, d=decider, f=feature: _lano(r, d, f)))
    for task in ("mano", "brevo"):
        for decider in ADAPTIVE:
            text = f"{decider}: sizes are learned from easy to hard, Kendall's τ of size and step of 90 %"
            found.append(Claim("dynamics", text, words, task, above(0), lambda r, d=decider: _reached(r, d)))
            text = f"{decider}: depth first climbs to near its maximum, peak as a share of D, γ constant"
            found.append(Claim("dynamics", text, words, task, above(0.9), lambda r, d=decider: _path(r, d, "height", constant=True)))
            text = f"{decider}: … then falls, iterations from the peak"
            found.append(Claim("dynamics", text, words, task, above(0), lambda r, d=decider: _path(r, d, "fall", constant=False)))
            text = f"{decider}: … while accuracy holds, change of exact match since the peak"
            found.append(Claim("dynamics", text, words, task, above(-0.05), lambda r, d=decider: _path(r, d, "gain", constant=False)))
    for task in ("mano", "brevo"):
        asked = words if task == "mano" else f"{words}, of MANO"
        for decider in ("early", "online", "fixed", "untied"):
            text = f"{decider}: collapses beyond the trained sizes, share of exact match kept"
            found.append(Claim("generalization", text, asked, task, below(0.5), lambda r, d=decider: _column(beyond(r.evaluation), "retained", d)))
        text = "online collapses most gracefully, exact match beyond minus that of the best other"
        found.append(Claim("generalization", text, asked, task, above(0), _graceful))
        for decider in ADAPTIVE:
            text = f"{decider}: depth keeps growing beyond the trained sizes, iterations"
            found.append(Claim("generalization", text, asked, task, above(0), lambda r, d=decider: _column(beyond(r.evaluation), "growth", d)))
    reason = "no model was trained on CLRS-Text: its sequences of thousands of tokens are out of reach here; asked of BREVO below"
    found.append(Claim("generalization", "accuracy drops at unseen sizes, also between trained ones", f"{words}, of CLRS", untestable=reason))
    for decider in ADAPTIVE:
        text = f"{decider}: accuracy drops at sizes left out between trained ones, exact match lost"
        measure = lambda r, d=decider: _column(beyond(r.evaluation, "between"), "drop", d)  # noqa: E731
        found.append(Claim("generalization", text, f"{words}, of CLRS", "brevo", above(0), measure, presets=("minute-gap",)))
    for decider, figure in zip(ADAPTIVE, (0.734, 0.709), strict=True):
        text = f"{decider}: R² of the regression of expected depth, N as categories"
        found.append(Claim("decision timing", text, f"{figure:.3f}", "brevo", near(figure, 0.1), lambda r, d=decider: _timing(r, d, lambda fit: fit.r_squared)))
    figures = {"hub_out_degree": (0.134, 0.168), "dfs_depth": (-0.005, 0.302), "frontier_size": (0.047, 0.171), "newly_enabled": (-0.079, -0.286)}
    for feature, pair in figures.items():
        for decider, figure in zip(ADAPTIVE, pair, strict=True):
            text = f"{decider}: coefficient of {feature.replace('_', ' ')}"
            criterion = near(figure, 0.05) if abs(figure) < 0.01 else above(0) if figure > 0 else below(0)
            measure = lambda r, d=decider, f=feature: _timing(r, d, _term(f, "coefficient"))  # noqa: E731
            found.append(Claim("decision timing", text, f"{figure:+.3f}", "brevo", criterion, measure))
    text = "early: share of the variance that falls to size"
    found.append(Claim("decision timing", text, "28 %", "brevo", near(0.28, 0.1), lambda r: _timing(r, "early", _term("size", "share"))))
    text = "online: importances are more balanced, largest share of R², online minus early"
    measure = lambda r: (_timing(r, "online", _largest_share) - _timing(r, "early", _largest_share)).dropna()  # noqa: E731
    found.append(Claim("decision timing", text, words, "brevo", below(0), measure))
    text = "N as categories helps early more than online, gain in R² over a line, early minus online"

    def categories(results: Results) -> pd.Series:
        early, online = (_timing(results, decider, lambda fit: fit.r_squared - fit.linear_r_squared) for decider in ADAPTIVE)
        return (early - online).dropna()

    found.append(Claim("decision timing", text, words, "brevo", above(0), categories))
    text = "early: operators get more depth with one operand slot left than with two, iterations"
    found.append(Claim("question tokens", text, words, "mano", above(0), lambda r: _question(r, "one_slot")))
    text = "early: … growing with the subtree just completed, iterations per token of it"
    found.append(Claim("question tokens", text, words, "mano", above(0), lambda r: _question(r, "growth")))
    reason = "needs a pretrained language model and days of a GPU"
    found.append(Claim("natural language", "GSM-Symbolic: fewer iterations at a small loss", words, untestable=reason))
    found.append(Claim("natural language", "GSM-Symbolic: harder splits get no extra depth", words, untestable=reason))
    return found


def reproduce(folder: str | Path | None = None, asked: Iterable[Claim] | None = None, *, level: float = 0.95) -> pd.DataFrame:
    """One row for each claim and scale at which there is something to measure; a claim without any has one row.

    `folder`: of tables other than the package's, see `anira.results`; `FileNotFoundError` where there is none.

    Columns: part, claim, paper, criterion, scale, estimate, low, high (interval over seeds, Student's t), seeds,
    verdict, reason.
    """
    rows, results = [], {}
    for claim in claims() if asked is None else asked:
        head = {"part": claim.part, "claim": claim.text, "paper": claim.paper, "criterion": str(claim.criterion or "")}
        if claim.untestable:
            rows.append({**head, "scale": "", **_verdict(None, pd.Series(dtype=float), claim.untestable, level)})
            continue
        measured, absent = [], []
        for name in claim.presets:
            try:
                place = results.setdefault((claim.task, name), Results(folder, claim.task, name))
                values = claim.measure(place)
                measured.append({**head, "scale": place.scale, **_verdict(claim.criterion, values, "", level)})
            except Missing as missing:
                absent.append(str(missing))
        if not measured:
            measured = [{**head, "scale": "", **_verdict(None, pd.Series(dtype=float), f"{claim.task.upper()}: {absent[0]}", level)}]
        rows += measured
    return pd.DataFrame(rows)


def _verdict(criterion: Within | None, values: pd.Series, reason: str, level: float) -> dict:
    row = over_seeds(values, level=level)
    reason = reason or row["reason"] or (f"{len(values)} of {SEEDS} seeds" if len(values) < SEEDS else "")
    verdict = "not tested" if reason else criterion.verdict(row["low"], row["high"])
    return {"estimate": row["estimate"], "low": row["low"], "high": row["high"], "seeds": len(values), "verdict": verdict, "reason": reason}
