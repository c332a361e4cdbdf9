"""What the sentences of a chapter are compared with: numbers of the stored tables and the shipped models, and how text writes them."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd
import torch

import anira
from anira.analysis.claims import CLAIMS, verdicts
from anira.analysis.claims.findings import FINDINGS
from anira.analysis.dynamics import last_records, rise_and_fall
from anira.analysis.frames import by_model
from anira.analysis.generalization import left_out, own_conditions
from anira.analysis.intervals import UNBOUNDED, Estimate, over_seeds
from anira.analysis.need import calibration, needs, over_models
from anira.analysis.policies import by_policy, matched_uniform
from anira.analysis.surface import surface_by_decider
from anira.bench.suite import summary
from anira.charts import claims as tables
from anira.evaluation.generalize import with_family


def written(value: float, digits: int = 2, *, bare: bool = False) -> str:
    """A number as text has it: with the sign minus, and with `bare` without the zero before the point."""
    text = f"{value:.{digits}f}".replace("-", "−")
    return text.replace("0.", ".", 1) if bare and abs(value) < 1 else text


def interval(low: float, high: float, digits: int = 2, *, bare: bool = False) -> str:
    """An interval as text has it, [low, high]."""
    return f"[{written(low, digits, bare=bare)}, {written(high, digits, bare=bare)}]"


@cache
def row(claim: str) -> pd.Series:
    """What the tables say of a claim, at its largest scale."""
    return verdicts([CLAIMS[claim]]).iloc[0]


def online(size: int) -> pd.Series:
    """What the shipped online model did on graphs of a size."""
    return anira.results("shipped", "brevo-tiny").query("decider == 'online'").set_index("size").loc[size]


def taken(size: int, seed: int) -> tuple[int, int]:
    """Iterations that the shipped online model spends on one instance, and that full depth would."""
    model, task, _ = anira.load("brevo-online-tiny")
    tokens = torch.tensor([task.sample(size, np.random.default_rng(seed)).tokens])
    return int(model(tokens).depths.sum()), model.config.max_depth * tokens.numel()


def by_surface(decider: str) -> float:
    """The share of depth that prompt length and place explain in BREVO `tiny`, the mean over seeds."""
    shares = surface_by_decider(anira.results("traces", "brevo-tiny")).query("quantity == 'surface' and seed == 'all'").set_index("decider")["estimate"]
    return shares[decider]


def online_distracted() -> float:
    """The share of a larger graph's rise that dead ends bring online."""
    return row("early-distracted")["estimate"] - row("online-distracted-less")["estimate"]


def trained(decider: str, value: str) -> Estimate:
    """A value of BREVO `tiny` at the end of training, the mean over its sizes, over seeds."""
    curves = anira.results("training", "brevo-tiny")
    ends = last_records(curves[(curves["variation"] == "none") & (curves["decider"] == decider)])
    return over_seeds(ends.groupby("run_seed")[value].mean(), bounds=(0, 1) if value == "exact_match" else UNBOUNDED)


def range_of(column: str, batches: Callable[[pd.Series], pd.Series]) -> tuple[float, float]:
    """Of what was measured of sparse execution that reads at mean depth 2: the least and the greatest over deciders, widths and batches."""
    measured = summary(anira.results("bench", "cpu"))
    rows = measured[(measured["work"] == "prefill") & (measured["contender"] == "sparse") & (measured["mean_depth"] == 2)]
    values = rows.loc[batches(rows["batch"]), column]
    return values.min(), values.max()


def depth_rises_early() -> float:
    """Early's rise of depth with size, as a share of online's."""
    return row("brevo-early-depth-rises")["estimate"] / row("brevo-online-depth-rises")["estimate"]


def points(claim: str, digits: int = 0) -> list[str]:
    """A claim's share and its interval in points, with the sign of text."""
    return [written(100 * value, digits) for value in row(claim)[["estimate", "low", "high"]]]


@cache
def policies() -> pd.DataFrame:
    """The ladder of policies."""
    return anira.results("policies", "brevo-tiny")


@cache
def rungs(decider: str) -> pd.DataFrame:
    """The policies with a decider's weights, means over sizes, by policy and setting."""
    return by_policy(policies()).query("size == 'all' and decider == @decider").set_index(["policy", "setting"])


def rung(policy: str, decider: str, setting: float = np.nan) -> pd.Series:
    """One of them."""
    return rungs(decider).loc[(policy, setting)]


def exact(policy: str, decider: str, setting: float = np.nan) -> str:
    """Its exact match as text has it."""
    return written(rung(policy, decider, setting)["exact_match"], 3, bare=True)


def operations(policy: str, decider: str, setting: float = np.nan) -> str:
    """Its share of the operations of full depth, as text has it."""
    return written(rung(policy, decider, setting)["flops_share"], 3, bare=True)


def graphs() -> int:
    """On how many graphs a policy was asked."""
    return int(policies().query("policy == 'chosen' and decider == 'online'")["instances"].sum())


def ahead(decider: str, size: int | None = None) -> float:
    """By how many points of exact match the decider's choice is ahead of one number at the same mean depth, at a size or over all."""
    table = policies() if size is None else policies().query("size == @size")
    return 100 * matched_uniform(table).groupby("decider")["difference"].mean()[decider]


def how_often(one: float, other: float) -> str:
    """Whether one share of the graphs is as large as another."""
    return ("as often", "more often", "less often")[int(np.sign(round(graphs() * (one - other))))]


@cache
def readouts() -> pd.DataFrame:
    """What BREVO `tiny` would say after each iteration."""
    return anira.results("readouts", "brevo-tiny")


@cache
def final(decider: str) -> pd.DataFrame:
    """How often a decider's predictions are final, by the probability F(d) of having halted, which begins at the index."""
    return over_models(readouts().query("decider == @decider"), calibration).query("quantity == 'final'").set_index("from")


@cache
def needed(decider: str) -> pd.DataFrame:
    """What each answer token needs, of all models of a decider."""
    return by_model(readouts().query("decider == @decider"), needs)


@cache
def trace_of_chains(decider: str) -> pd.Series:
    """A shipped model's mean expected depth at each place of the answer, on chains of six nodes."""
    model, task, _ = anira.load(f"brevo-{decider}-tiny")
    trace = anira.trace(model, with_family(task, "chains"), sizes=[6], n=100, seed=0)
    return trace.groupby("emitted")["expected_depth"].mean()


@cache
def generalization() -> pd.DataFrame:
    """BREVO `tiny` on sizes, families and largest depths of which most were not trained."""
    return anira.results("generalization", "brevo-tiny")


def exact_on(decider: str, size: int, family: str = "physics", allowed: int = 6) -> pd.Series:
    """Exact match of a decider's models on graphs of a size and family, by seed."""
    rows = generalization().query("decider == @decider and size == @size and family == @family and max_depth == @allowed")
    return rows.set_index("run_seed")["exact_match"]


def over(shares: pd.Series) -> Estimate:
    """Shares of several seeds, as one."""
    return over_seeds(shares, bounds=(0, 1))


def depths(decider: str) -> pd.DataFrame:
    """Iterations on the graphs of training and larger ones: a row for each seed, a column for each size."""
    return own_conditions(generalization()).query("decider == @decider").pivot(index="run_seed", columns="size", values="depth")


@cache
def lost_by_leaving_out() -> pd.DataFrame:
    """Exact match on graphs of three nodes that `minute` loses when they are left out of its training, by decider."""
    whole, gap = (own_conditions(anira.results("generalization", name)) for name in ("brevo-minute", "brevo-minute-gap"))
    return left_out(whole, gap).query("trained == 'lost'").set_index("decider")


@cache
def minute(variation: str) -> pd.DataFrame:
    """The learning curves of BREVO `minute` under a schedule."""
    return anira.results("training", "brevo-minute").query("variation == @variation")


def ends(decider: str, variation: str, value: str) -> pd.Series:
    """How its runs end on graphs of four nodes, by seed."""
    return last_records(minute(variation)).query("decider == @decider and size == 4").set_index("run_seed")[value]


def lost_by_constant(decider: str) -> Estimate:
    """Exact match on graphs of four nodes that γ constant costs, seed by seed."""
    return over_seeds((ends(decider, "none", "exact_match") - ends(decider, "constant", "exact_match")).dropna(), bounds=UNBOUNDED)


def peaks(decider: str) -> pd.Series:
    """The greatest depth in training with γ constant, as a share of the largest possible, by seed."""
    return rise_and_fall(minute("constant").query("decider == @decider"), "depth").set_index("run_seed")["peak"] / 4


def parameters(model: str) -> int:
    """How many numbers a shipped model has learned."""
    return sum(parameter.numel() for parameter in anira.load(model).model.parameters())


def millions() -> str:
    """How many million numbers the shipped models of BREVO `tiny` have learned, one number where they agree."""
    return " or ".join(dict.fromkeys(written(parameters(f"brevo-{decider}-tiny") / 1e6) for decider in ("early", "online")))


@cache
def findings() -> str:
    """The table of the paper's findings, as the page shows it."""
    asked = {claim for finding in FINDINGS.values() for claim in finding.claims}
    return tables.findings(verdicts([CLAIMS[claim] for claim in asked]), FINDINGS, dict.fromkeys(FINDINGS, "05-alignment.ipynb")).data


def seen(what: str) -> int:
    """How many of the paper's findings have this verdict."""
    return findings().count(f"<strong>{what}</strong>")


IN_WORDS = dict(enumerate(("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")))
