"""Chapter 09-beyond."""

from functools import cache

import numpy as np
import pandas as pd

import anira
from anira.analysis.dynamics import last_records
from anira.analysis.generalization import own_conditions, paired
from anira.analysis.intervals import Estimate, over_seeds
from anira.analysis.interventions import effects
from anira.analysis.need import answers_over_depth, over_models
from anira.analysis.policies import advantage, matched_uniform
from anira.evaluation.interventions import intervene
from tests.book.numbers.tables import (
    IN_WORDS,
    exact,
    final,
    generalization,
    millions,
    needed,
    operations,
    points,
    policies,
    readouts,
    rung,
    rungs,
    written,
)

SIZES = range(3, 9)
CHOOSING = ("early", "online", "hybrid")
ROOM = ("oracle", "need, alone", "need, together")  # policies that take the right answer


def in_points(estimate: Estimate) -> list[str]:
    """A share and its interval in points, as text has them."""
    return [written(100 * estimate[name], 1) for name in ("estimate", "low", "high")]


def measurable(estimate: Estimate) -> bool:
    """What the chapter calls so."""
    return estimate["low"] > 0 or estimate["high"] < 0


def called(*estimates: Estimate) -> str:
    """What the chapter calls several differences."""
    return "measurable" if any(measurable(estimate) for estimate in estimates) else "not measurable"


@cache
def ahead(decider: str, weights: str | None = None, size: int | None = None) -> Estimate:
    """By how much the decider's choice is ahead of one number at the same mean depth, run with a model's weights, at a size or over all."""
    table = policies() if size is None else policies().query("size == @size")
    return over_seeds(matched_uniform(table, weights=weights).query("decider == @decider")["difference"])


@cache
def at_each_size(decider: str) -> pd.DataFrame:
    """By how much it is ahead of one number for each size: a row for each seed, a column for each size."""
    own = policies().query("decider == @decider")
    return pd.DataFrame({size: matched_uniform(own.query("size == @size")).set_index("run_seed")["difference"] for size in SIZES})


def ahead_by_size(decider: str) -> Estimate:
    """The mean of these over sizes."""
    return over_seeds(at_each_size(decider).mean(axis=1))


def share_of_size() -> str:
    """How much of online's lead is due to giving larger graphs more, in words."""
    share = 1 - ahead_by_size("online")["estimate"] / ahead("online")["estimate"]
    return "more than half" if 0.5 < share < 0.75 else f"{100 * share:.0f} %"


def least_and_most() -> list[float]:
    """The least and the greatest lead, in points, of those that are measurable in the table of one number, and whose they are."""
    leads = {(decider, weights): ahead(decider, weights) for decider in CHOOSING for weights in (None, "role")}
    found = {key: 100 * lead["estimate"] for key, lead in leads.items() if measurable(lead)}
    return [" and ".join(dict.fromkeys(decider for decider, _ in found)), min(found.values()), max(found.values())]


def difference(one: str, other: str, decider: str, setting: float | None = None) -> Estimate:
    """By how much a policy is ahead of another, with a decider's weights, seed by seed; `setting` is the other's."""
    return over_seeds(advantage(policies().query("decider == @decider"), one, other, setting=setting)["difference"])


def each_loses(one: str, other: str, decider: str) -> str:
    """In how many of the seeds one policy is right more often than the other, in words."""
    lost = advantage(policies().query("decider == @decider"), one, other)["difference"] > 0
    return f"all {IN_WORDS[len(lost)]}" if lost.all() else IN_WORDS[int(lost.sum())]


def lost_when_confident() -> list[str]:
    """The points that early's seeds lose when they stop as the readout is sure, the least first."""
    lost = advantage(policies().query("decider == 'early'"), "chosen", "confident", setting=0.999)["difference"]
    return [f"{100 * value:.0f}" for value in sorted(lost)]


def fewer_when_confident() -> str:
    """How many iterations fewer confidence takes with online's weights, in words."""
    share = 1 - rung("confident", "online", 0.999)["depth"] / rung("chosen", "online")["depth"]
    return "a fifth" if 0.175 < share < 0.225 else f"{100 * share:.0f} %"


def as_often(one: float, other: float) -> str:
    """Whether two shares are the same to the third digit."""
    return "as often" if written(one, 3) == written(other, 3) else "more often" if one > other else "less often"


def resting() -> str:
    """Whether stopping when the state rests differs from one number at the same mean depth, with early's and online's weights."""
    rests = policies()[policies()["policy"].eq("rests") & policies()["decider"].isin(["early", "online"])]
    found = []
    for setting in rests["setting"].unique():
        rule = rests[rests["setting"] == setting].assign(policy="this rule")
        leads = matched_uniform(pd.concat([rule, policies()[policies()["policy"].eq("answer") & policies()["decider"].isin(["early", "online"])]]), "this rule")
        found += [measurable(over_seeds(part["difference"])) for _, part in leads.groupby("decider")]
    return f"is not measurably better or worse than one number, with any of the {IN_WORDS[len(found) // 2]} ε" if not any(found) else "is measurably other"


@cache
def measured() -> pd.DataFrame:
    """Three seeds of each decider on the sizes of training."""
    return own_conditions(generalization()).query("3 <= size <= 8 and run_seed < 3")


def against(decider: str, rival: str, value: str = "exact_match", size: int | None = None) -> Estimate:
    """A decider less a rival on these, at a size or over all, seed by seed."""
    rows = measured() if size is None else measured().query("size == @size")
    return over_seeds(paired(rows, value, decider, rival)["difference"])


def fewer(decider: str, rival: str) -> list[str]:
    """How many iterations fewer than a rival a decider takes for an answer token, with the interval."""
    return [written(value) for value in (-against(decider, rival, "depth")[name] for name in ("estimate", "high", "low"))]


def ahead_of_five() -> Estimate:
    """By how much online's choice is ahead of five iterations for every answer token with role's weights."""
    chosen, five = (
        policies().query(asked) for asked in ("decider == 'online' and policy == 'chosen'", "decider == 'role' and policy == 'answer' and setting == 5")
    )
    return over_seeds(chosen.groupby("run_seed")["exact_match"].mean() - five.groupby("run_seed")["exact_match"].mean())


def away_from_four(decider: str) -> float:
    """How many iterations more than four an answer token gets of a decider, the mean over seeds."""
    chosen = anira.results("interventions", "brevo-tiny").query("decider == @decider and intervention == 'chosen'")
    return chosen.groupby("run_seed")["depth"].mean().mean() - 4


def prompt(decider: str) -> float:
    """Iterations that a decider gives a prompt token."""
    return policies().query("policy == 'chosen' and decider == @decider")["prompt_depth"].mean()


def of_role() -> list[str]:
    """What role gives tokens of the prompt and of the answer, where all seeds agree, in words."""
    chosen = policies().query("policy == 'chosen' and decider == 'role'")
    given = [chosen[name].unique() for name in ("prompt_depth", "depth")]
    return [f"{IN_WORDS[chosen['run_seed'].nunique()]} training seeds", *(IN_WORDS[int(each[0])] if len(each) == 1 else str(each) for each in given)]


def constant(decider: str, value: str) -> float:
    """What models trained with γ constant do on graphs of eight nodes, the mean over seeds."""
    curves = last_records(anira.results("training", "brevo-tiny").query("variation == 'constant'"))
    return curves.query("decider == @decider and size == 8")[value].mean()


def right_after_one(decider: str) -> float:
    """Percent of answer tokens that are right after one iteration."""
    return 100 * readouts().query("decider == @decider and iteration == 1").groupby("run_seed")["right"].mean().mean()


def changed_after_three() -> list[float]:
    """Percent of predictions that an iteration after the third changes in models with a decider, the most."""
    found = over_models(readouts(), answers_over_depth).query("quantity == 'changed' and size == 'all' and iteration > 3 and decider != 'fixed'")
    return [np.ceil(100 * found["estimate"].max())]


def enough() -> pd.DataFrame:
    """The policies with online's weights that reach .97."""
    return rungs("online").query("exact_match >= 0.97").reset_index()


def first_that_knows_nothing() -> list:
    """The first of those by iterations that does not take the right answer."""
    first = enough().query("policy not in @ROOM").nsmallest(1, "depth").iloc[0]
    return [{"confident": "confidence"}.get(first["policy"], first["policy"]), written(first["exact_match"], 3, bare=True), first["depth"]]


def first_in_operations() -> list:
    """The two that cost the fewest operations, and within how much of each other."""
    two = enough().nsmallest(2, "flops_share")
    return [*two["policy"], np.ceil(1000 * two["flops_share"].diff().iloc[-1]) / 1000]


@cache
def broken_by_two_less() -> str:
    """How many of the exercise's twenty answers break when each token gets two iterations less than it chose."""
    model, task, _ = anira.load("brevo-online-tiny")
    exact = effects(intervene(model, task, sizes=[6], n=20, seed=1)).set_index(["intervention", "amount"])["exact_match"]
    return IN_WORDS[round(20 * (exact["chosen", 0] - exact["offset", -2]))].capitalize()


HELD = [
    (
        "it gets {} percentage points [{}, {}] more answers wholly right than the same model",
        lambda: in_points(ahead("online")),
    ),
    ("{} of this lead comes from giving larger graphs more iterations", lambda: [share_of_size().capitalize()]),
    (
        "Online takes {} iterations [{}, {}] less per answer token than a model that was trained for one depth, and is {} less often right",
        lambda: [*fewer("online", "role"), "measurably" if measurable(against("online", "role")) else "not measurably"],
    ),
    (
        "Early's choice is {} better than one depth:",
        lambda: ["measurably" if any(measurable(ahead("early", weights)) for weights in (None, "role")) else "not measurably"],
    ),
    ("early is ahead by {} point [{}, {}]", lambda: points("early-one-number")),
    (
        "A decider that combines early and online is {} better than online",
        lambda: ["measurably" if any(measurable(against("hybrid", "online", size=size)) for size in (None, 8)) else "not measurably"],
    ),
    (
        "five iterations for every answer token cost {} than the choice of any of these three deciders, with the same weights, and are, over all sizes, {} less",
        lambda: [
            "less" if all(rung("answer", one, 5)["flops"] < rung("chosen", one)["flops"] for one in CHOOSING) else "more",
            "measurably" if any(measurable(difference("chosen", "answer", decider, 5)) for decider in CHOOSING) else "not measurably",
        ],
    ),
    ("would need {:.1f} iterations where online takes {:.1f}", lambda: [rung(policy, "online")["depth"] for policy in ("oracle", "chosen")]),
    ("In all {} it comes to {} iteration for the prompt and {} for the answer", of_role),
    (
        "Early and role give every prompt token {} iteration, online {:.2f} and hybrid {:.2f} on average",
        lambda: ["a single" if prompt("early") == prompt("role") == 1 else written(prompt("early"), 5), prompt("online"), prompt("hybrid")],
    ),
    ("{} million parameters). Every policy", lambda: [millions()]),
    ("the last column: {} are ahead by {:.1f} to {:.1f} percentage points, measurably", least_and_most),
    ("There early is ahead by {} points [{}, {}]", lambda: points("early-one-number", 1)),
    ("and spends {:.2f} iterations more", lambda: [away_from_four("early")]),
    ("Online is ahead by {} points [{}, {}]", lambda: points("online-one-number", 1)),
    ("and spends {:.2f} iterations less", lambda: [-away_from_four("online")]),
    ("Where do online's {} points come from?", lambda: in_points(ahead("online"))[:1]),
    ("online is ahead by only {} points [{}, {}] on average over sizes", lambda: in_points(ahead_by_size("online"))),
    (
        "by {} at three nodes and by {} [{}, {}] at eight",
        lambda: ["none" if abs(ahead("online", size=3)["estimate"]) < 0.0005 else "some", *in_points(ahead("online", size=8))],
    ),
    ("So {} of the {} points come from giving larger graphs more", lambda: [share_of_size(), in_points(ahead("online"))[0]]),
    ("Early, compared in the same way, is ahead by at most {:.1f} points at any size", lambda: [100 * at_each_size("early").mean().max()]),
    (
        "the policy *mean of size and place* takes {:.2f} iterations and is right on {} of the graphs",
        lambda: [rung("mean of size and place", "online")["depth"], exact("mean of size and place", "online")],
    ),
    ("The decider's choice takes {:.2f} and is right on {}", lambda: [rung("chosen", "online")["depth"], exact("chosen", "online")]),
    (
        "The difference, {} points [{}, {}], is {}",
        lambda: [*in_points(of := difference("chosen", "mean of size and place", "online")), called(of)],
    ),
    (
        "five iterations for every answer token cost {} of full depth, and the decider's choice costs {}",
        lambda: [operations("answer", "online", 5), operations("chosen", "online")],
    ),
    (
        "The choice is ahead in exact match by {} points [{}, {}], which is {}",
        lambda: [*in_points(of := difference("chosen", "answer", "online", 5)), called(of)],
    ),
    (
        "{} is the most expensive: it costs {}",
        lambda: [max(CHOOSING, key=lambda of: rung("chosen", of)["flops"]).capitalize(), operations("chosen", "hybrid")],
    ),
    ("online takes {} iterations [{}, {}] less than role per answer token", lambda: fewer("online", "role")),
    ("and hybrid {} [{}, {}]. Both", lambda: fewer("hybrid", "role")),
    (
        "but {}: online by {} points [{}, {}], hybrid by {} [{}, {}]",
        lambda: [
            "not measurably" if not any(measurable(against(one, "role")) for one in ("online", "hybrid")) else "measurably",
            *in_points(against("online", "role")),
            *in_points(against("hybrid", "role")),
        ],
    ),
    (
        "On graphs of eight nodes hybrid is ahead by {} points [{}, {}] and takes {:.2f} iterations more",
        lambda: [*in_points(against("hybrid", "role", size=8)), against("hybrid", "role", "depth", 8)["estimate"]],
    ),
    (
        "Online is ahead by {} points too, in all {} seeds, but the interval includes zero [{}, {}]",
        lambda: [
            in_points(of := against("online", "role", size=8))[0],
            IN_WORDS[int((paired(measured().query("size == 8"), "exact_match", "online", "role")["difference"] > 0).sum())],
            *in_points(of)[1:],
        ],
    ),
    (
        "Early takes {:.2f} iterations more than role over all sizes, and its lead, {} points [{}, {}], is {}",
        lambda: [against("early", "role", "depth")["estimate"], *in_points(of := against("early", "role")), called(of)],
    ),
    (
        "role takes {:.2f} iterations per token, online {:.2f} and hybrid {:.2f}",
        lambda: [rung("chosen", decider)["all_depth"] for decider in ("role", "online", "hybrid")],
    ),
    (
        "In operations role costs {} of full depth, {} than the other deciders",
        lambda: [operations("chosen", "role"), "less" if all(rung("chosen", "role")["flops"] < rung("chosen", one)["flops"] for one in CHOOSING) else "more"],
    ),
    ("are right on {} of the ladder's graphs, four on {}", lambda: [exact("answer", "role", setting) for setting in (5, 4)]),
    (
        "Online's choice is ahead of five by {} points [{}, {}], with {:.1f} iterations less",
        lambda: [*in_points(ahead_of_five()), 5 - rung("chosen", "online")["depth"]],
    ),
    (
        "Hybrid is ahead of online by {} points [{}, {}] over all sizes and by {} [{}, {}] at eight nodes",
        lambda: [*in_points(against("hybrid", "online")), *in_points(against("hybrid", "online", size=8))],
    ),
    (
        "It takes {} iterations per answer token and {} per prompt token, and it costs {} operations",
        lambda: [
            "other" if measurable(against("hybrid", "online", "depth")) else "about as many",
            "more" if against("hybrid", "online", "prompt_depth")["low"] > 0 else "as many",
            "more" if rung("chosen", "hybrid")["flops"] > rung("chosen", "online")["flops"] else "fewer",
        ],
    ),
    (
        "θ = .999, confidence is right {} as the decider's choice ({})",
        lambda: [as_often(*(rung(*of)["exact_match"] for of in (("confident", "online", 0.999), ("chosen", "online")))), exact("chosen", "online")],
    ),
    (
        "and takes {} fewer iterations, {:.1f} against {:.1f}",
        lambda: [fewer_when_confident(), rung("confident", "online", 0.999)["depth"], rung("chosen", "online")["depth"]],
    ),
    ("it takes fewer iterations too, {:.1f} against {:.1f}", lambda: [rung("confident", "early", 0.999)["depth"], rung("chosen", "early")["depth"]]),
    ("there it is right on {} of the graphs, and the choice on {}", lambda: [exact("confident", "early", 0.999), exact("chosen", "early")]),
    ("The three seeds lose {}, {} and {} points", lambda: lost_when_confident()),
    (
        "The mean loss, {} points [{}, {}], is {}, because the seeds differ so much",
        lambda: [*in_points(of := difference("chosen", "confident", "early", 0.999)), called(of)],
    ),
    (
        "confidence costs as much as the decider's choice with online's weights ({} against {})",
        lambda: [operations("confident", "online", 0.999), operations("chosen", "online")],
    ),
    ("and more with early's ({} against {})", lambda: [operations("confident", "early", 0.999), operations("chosen", "early")]),
    ("*until the state rests* {}", lambda: [resting()]),
    (
        "as full depth and takes {:.1f} iterations with online's weights, {:.1f} with early's",
        lambda: [rung("oracle", decider)["depth"] for decider in ("online", "early")],
    ),
    ("with online's weights it still costs {} of full depth", lambda: [operations("oracle", "online")]),
    (
        "Every policy spends at least {} of full depth",
        lambda: [written(min(rungs(decider)["flops_share"].min() for decider in ("early", "online")), 3, bare=True)],
    ),
    (
        "exact match falls to {} with online's weights and {} with early's",
        lambda: [exact("need, alone", decider) for decider in ("online", "early")],
    ),
    (
        "early's weights hardly anything changes: exact match goes from {} to {}",
        lambda: [exact(policy, "early") for policy in ("chosen", "shuffled, same edges and place")],
    ),
    (
        "With online's, it falls from {} to {}, and it falls in {} seeds",
        lambda: [
            *(exact(policy, "online") for policy in ("chosen", "shuffled, same edges and place")),
            each_loses("chosen", "shuffled, same edges and place", "online"),
        ],
    ),
    (
        "The fall, {} points [{}, {}], is {}, and nor is hybrid's, {} points [{}, {}]",
        lambda: [
            *in_points(online := difference("chosen", "shuffled, same edges and place", "online")),
            called(online, hybrid := difference("chosen", "shuffled, same edges and place", "hybrid")),
            *in_points(hybrid),
        ],
    ),
    (
        "is still only 10 to 25 %, the prediction is already final in {:.0f} % of cases for early and in {:.0f} % for online",
        lambda: [100 * final(decider).loc[0.1, "estimate"] for decider in ("early", "online")],
    ),
    (
        "there the prediction is final in more than {:.0f} %",
        lambda: [np.floor(100 * (needed("online")["depth"] >= needed("online")["settled"]).mean())],
    ),
    (
        "online's models are right on {:.0f} % of answer tokens, hybrid's on {:.0f} %, role's on {:.0f} %, early's on {:.0f} %, and those of fixed depth on {:.0f} %",
        lambda: [right_after_one(decider) for decider in ("online", "hybrid", "role", "early", "fixed")],
    ),
    ("After one iteration it reads the right token from {:.0f} % of online's states", lambda: [right_after_one("online")]),
    ("a token needs {:.1f} iterations on average", lambda: [needed("fixed")["need"].mean()]),
    ("the prediction changes in at most {:.0f} % of cases in any iteration after the third", changed_after_three),
    (
        "one online model is right on {} of graphs of eight nodes with {:.2f} iterations, and three early models on {} with {:.2f}",
        lambda: [value for decider in ("online", "early") for value in (written(constant(decider, "exact_match"), 3, bare=True), constant(decider, "depth"))],
    ),
    ("{} is first, with {} at {:.2f} iterations", first_that_knows_nothing),
    ("with the depths as chosen? ({} of 20.)", lambda: [broken_by_two_less()]),
    ("Over all sizes together, online is {} points ahead of one number", lambda: in_points(ahead("online"))[:1]),
    (
        "For online the mean difference is {:.3f} at three nodes and {:.3f} at eight ({} points)",
        lambda: [ahead("online", size=3)["estimate"], ahead("online", size=8)["estimate"], in_points(ahead("online", size=8))[0]],
    ),
    ("The policies *{}* and *{}* come first, within {:.3f} of each other", first_in_operations),
]

QUOTED = {
    "Points below 0.9 are drawn at 0.9": "where the chart's axis begins",
    "All intervals of this chapter are 95 % intervals": "what intervals hold, everywhere",
    "suffice for exact match .97": "what the exercise asks for",
    "that reach .97 with": "the same",
}
