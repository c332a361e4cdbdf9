"""The numbers in the box at the top of a chapter are those of the stored tables.

`HELD` has a row for each: the words around the numbers as they stand in the box, with `{}` where the numbers are, and
what they are, computed. A number of a box that no row holds fails. A sentence that claims something is held by its link
(`tests/analysis/claims/test_links.py`).
"""

import json
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import anira
from anira.analysis.claims import CLAIMS, verdicts
from anira.analysis.claims.findings import FINDINGS
from anira.analysis.dynamics import last_records
from anira.analysis.generalization import own_conditions
from anira.analysis.intervals import UNBOUNDED, Estimate, over_seeds
from anira.analysis.policies import matched_uniform
from anira.analysis.surface import surface_by_decider
from anira.bench.suite import summary
from anira.charts import claims as tables

BOOK = Path(__file__).parents[2] / "book"


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


NUMBERS = dict(enumerate(("none", "one", "two", "three", "four", "five", "six")))


#: Chapter, words, numbers.
HELD: list[tuple[str, str, Callable[[], Sequence]]] = [
    ("01-welcome", "takes {:.2f} iterations for a token of the answer on graphs of three nodes", lambda: [online(3)["depth"]]),
    ("01-welcome", "and {:.2f} [{:.2f}, {:.2f}] on graphs of eight", lambda: online(8)[["depth", "depth_low", "depth_high"]]),
    ("03-brevo", "answers {:.0f} % [{:.0f} %, {:.0f} %] of graphs with eight", lambda: 100 * online(8)[["exact_match", "exact_low", "exact_high"]]),
    ("04-architecture", "take {} iterations together, where six for every token would be {}", lambda: taken(7, seed=2)),
    (
        "02-findings",
        "explain {:.0f} % of the early decider's depth and {:.0f} % of the online decider's",
        lambda: [100 * by_surface(decider) for decider in ("early", "online")],
    ),
    ("02-findings", "and {:.0f} % [{:.0f} %, {:.0f} %] for online", lambda: 100 * row("online-content")[["estimate", "low", "high"]]),
    ("02-findings", "explain {:.0f} % [{:.0f} %, {:.0f} %] for early", lambda: 100 * row("early-surface")[["estimate", "low", "high"]]),
    ("02-findings", "in models of {:.2f} million parameters", lambda: [parameters("brevo-online-tiny") / 1e6]),
    ("02-findings", "we see {}, {} in part, and {} not", lambda: [NUMBERS[seen(what)] for what in ("found", "found in part", "not found")]),
    ("05-alignment", "gives an answer token more iterations, {:.2f} [{:.2f}, {:.2f}]", lambda: row("brevo-online-depth-rises")[["estimate", "low", "high"]]),
    ("05-alignment", "and early about {} as many", lambda: [{True: "half"}[0.45 < depth_rises_early() < 0.55]]),
    ("05-alignment", "{:.0f} % with early", lambda: [100 * row("early-more-than-needed")["estimate"]]),
    ("05-alignment", "{:.0f} % with online", lambda: [100 * row("online-more-than-needed")["estimate"]]),
    ("06-timing", "a good part of the rest, {:.0f} % [{:.0f}, {:.0f}]", lambda: 100 * row("online-content")[["estimate", "low", "high"]]),
    ("06-timing", "bring early {:.2f} of the rise", lambda: [row("early-distracted")["estimate"]]),
    ("06-timing", "and online {:.2f}", lambda: [online_distracted()]),
    (
        "07-generalization",
        "is {:.2f} for early, {:.2f} for online and {:.2f} for a model of fixed depth (means",
        lambda: [at_twelve(decider) for decider in ("early", "online", "fixed")],
    ),
    ("08-cost", "should be {:.1f} to {:.1f} times as fast as at fixed depth", lambda: range_of("ideal_fixed", lambda batch: batch > 0)),
    ("08-cost", "reading 16 to 128 sequences at a time, we reach {:.1f} to {:.1f} times;", lambda: range_of("speed_up", lambda batch: batch >= 16)),
    ("08-cost", "with a single sequence {:.1f} to {:.1f}, so", lambda: range_of("speed_up", lambda batch: batch == 1)),
    (
        "10-training",
        "early ends with {:.2f} on an answer token and online with {:.2f}, and {:.0f} % of the answers",
        lambda: [
            *(trained(decider, "depth") for decider in ("early", "online")),
            100 * min(trained(decider, "exact_match").value for decider in ("early", "online")),
        ],
    ),
    ("09-beyond", "ahead by {} percentage point of exact match [{}, {}]", lambda: points("early-one-number")),
    ("09-beyond", "worth {:.1f} points over one depth", lambda: [100 * matched_uniform(policies()).set_index("decider")["difference"]["online"]]),
    ("09-beyond", "would need {:.1f} iterations where online takes {:.1f}", lambda: [spent(policy, "depth") for policy in ("oracle", "chosen")]),
    ("11-tasks", "gives {:.2f} [{:.2f}, {:.2f}] iterations more for each operator", lambda: row("mano-early-depth-rises")[["estimate", "low", "high"]]),
    ("11-tasks", "online {:.2f} [{:.2f}, {:.2f}]. On DEPO", lambda: row("mano-online-depth-rises")[["estimate", "low", "high"]]),
]


def box(chapter: str) -> str:
    """The first blockquote of a chapter, without what its links lead to; empty where there is none."""
    first = "".join(json.loads((BOOK / f"{chapter}.ipynb").read_text(encoding="utf-8"))["cells"][0]["source"])
    quoted = " ".join(line.lstrip("> ") for line in first.splitlines() if line.startswith(">"))
    return re.sub(r"\[((?:[^\[\]]|\[[^\[\]]*\])+)\]\(([^()]*)\)", lambda link: "" if link[2].startswith("http") else link[1], quoted)


@pytest.mark.parametrize(("chapter", "words", "numbers"), HELD, ids=[f"{chapter}: {words[:40]}" for chapter, words, _ in HELD])
def test_the_box_says_what_the_tables_say(chapter, words, numbers):
    assert words.format(*numbers()) in box(chapter)


def test_without_a_decider_the_same_accuracy_costs_fewer_operations():
    """The last sentence of chapter 9's box, for both deciders."""
    for decider in ("early", "online"):
        rungs = policies().query("decider == @decider").groupby(["policy", "setting"], dropna=False)[["exact_match", "flops"]].mean().reset_index()
        chosen = rungs[rungs["policy"] == "chosen"].iloc[0]
        as_right = rungs[rungs["policy"].isin(["answer", "mean of size and place"]) & (rungs["exact_match"] >= chosen["exact_match"] - 1e-9)]
        assert as_right["flops"].min() < chosen["flops"], decider


def test_chapter_10_says_what_a_constant_penalty_costs():
    ends = last_records(anira.results("training", "brevo-minute")).query("size == 4")
    exact = ends.pivot(index=["decider", "run_seed"], columns="variation", values="exact_match")
    lost = {
        decider: over_seeds((part["none"] - part["constant"]).dropna(), bounds=UNBOUNDED)
        for decider, part in exact.groupby("decider")
        if decider in ("early", "online")
    }
    assert {estimate["clusters"] for estimate in lost.values()} == {5}
    numbers = [f"{estimate['estimate']:.2f} of exact match [{estimate['low']:.2f}, {estimate['high']:.2f}]".replace("-", "−") for estimate in lost.values()]
    said = json.dumps(json.loads((BOOK / "10-training.ipynb").read_text(encoding="utf-8")), ensure_ascii=False)
    assert f"early loses {numbers[0]}, and online {numbers[1].replace(' of exact match', '')}" in said


@pytest.mark.parametrize("chapter", sorted(path.stem for path in BOOK.glob("*.ipynb") if box(path.stem)))
def test_every_number_of_a_box_is_held(chapter):
    text = box(chapter)
    for _, words, numbers in (held for held in HELD if held[0] == chapter):
        text = text.replace(words.format(*numbers()), "")
    assert re.findall(r"\d[\d.]*", text) == []


def test_what_generalization_says_of_untied_models_on_chains():
    families = anira.results("generalization", "brevo-tiny").query("max_depth == 6 and size == 8")
    chains, trees = (families[families["family"] == name].groupby("decider")["exact_match"] for name in ("chains", "tree"))
    worst, best = chains.min(), chains.max()
    assert (round(worst["untied"], 2), round(best["untied"], 2)) == (0.72, 0.83) and round(best.drop("untied").max(), 2) == 0.52
    assert (trees.mean() < chains.mean())["untied"] and not (trees.mean() < chains.mean()).drop("untied").any()


def test_what_generalization_says_of_expressions_of_five_operators():
    right = own_conditions(anira.results("generalization", "mano-tiny")).groupby(["decider", "size"])["exact_match"].mean().unstack()
    kept = (right[5] - 1 / 5) / (right[3] - 1 / 5)
    assert kept[["early", "online", "fixed"]].between(0.05, 0.15).all()  # "nine tenths" are lost
