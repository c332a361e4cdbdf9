"""What the sentences of a chapter are compared with: numbers of the stored tables and the shipped models, and how text writes them."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd
import torch

import anira
from anira.analysis.claims import CLAIMS, verdicts
from anira.analysis.claims.findings import FINDINGS
from anira.analysis.dynamics import last_records
from anira.analysis.generalization import own_conditions
from anira.analysis.intervals import UNBOUNDED, Estimate, over_seeds
from anira.analysis.surface import surface_by_decider
from anira.bench.suite import summary
from anira.charts import claims as tables


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


def at_twelve(decider: str) -> Estimate:
    """Exact match of BREVO `tiny` on graphs of twelve nodes, over seeds."""
    table = own_conditions(anira.results("generalization", "brevo-tiny"))
    return over_seeds(table.loc[(table["decider"] == decider) & (table["size"] == 12), "exact_match"], bounds=(0, 1))


def range_of(column: str, batches: Callable[[pd.Series], pd.Series]) -> tuple[float, float]:
    """Of what was measured of sparse execution that reads at mean depth 2: the least and the greatest over deciders, widths and batches."""
    measured = summary(anira.results("bench", "cpu"))
    rows = measured[(measured["work"] == "prefill") & (measured["contender"] == "sparse") & (measured["mean_depth"] == 2)]
    values = rows.loc[batches(rows["batch"]), column]
    return values.min(), values.max()


def depth_rises_early() -> float:
    """Early's rise of depth with size, as a share of online's."""
    return row("brevo-early-depth-rises")["estimate"] / row("brevo-online-depth-rises")["estimate"]


def points(claim: str) -> list[str]:
    """A claim's share and its interval in whole points, with the sign of text."""
    return [f"{100 * value:.0f}".replace("-", "−") for value in row(claim)[["estimate", "low", "high"]]]


def policies() -> pd.DataFrame:
    """The ladder of policies."""
    return anira.results("policies", "brevo-tiny")


def spent(policy: str, cost: str, decider: str = "online") -> float:
    """What a policy without a setting spends with a decider's weights, mean over sizes."""
    return policies().query("policy == @policy and decider == @decider")[cost].mean()


def parameters(model: str) -> int:
    """How many numbers a shipped model has learned."""
    return sum(parameter.numel() for parameter in anira.load(model).model.parameters())


@cache
def findings() -> str:
    """The table of the paper's findings, as the page shows it."""
    asked = {claim for finding in FINDINGS.values() for claim in finding.claims}
    return tables.findings(verdicts([CLAIMS[claim] for claim in asked]), FINDINGS, dict.fromkeys(FINDINGS, "05-alignment.ipynb")).data


def seen(what: str) -> int:
    """How many of the paper's findings have this verdict."""
    return findings().count(f"<strong>{what}</strong>")


IN_WORDS = dict(enumerate(("none", "one", "two", "three", "four", "five", "six")))
