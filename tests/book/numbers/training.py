"""Chapter 10-training."""

from functools import cache

import pandas as pd

import anira
from anira.analysis.dynamics import last_records, milestones, outcomes, rise_and_fall
from anira.analysis.intervals import UNBOUNDED, Estimate, over_seeds
from anira.training.presets import DURATIONS, preset
from tests.book.numbers.tables import IN_WORDS, a_node, ends, interval, lost_by_constant, minute, peaks, trained, written

DECIDERS = ("early", "online")


@cache
def curves(variation: str) -> pd.DataFrame:
    """The learning curves of BREVO `tiny` under a schedule."""
    return anira.results("training", "brevo-tiny").query("variation == @variation")


def end(decider: str, variation: str, value: str, size: int = 8) -> pd.Series:
    """How its runs end on graphs of a size, by seed."""
    return last_records(curves(variation)).query("decider == @decider and size == @size").set_index("run_seed")[value]


def lost_since_the_trunk(decider: str, variation: str = "none") -> Estimate:
    """Exact match on graphs of eight nodes that is lost from the end of the trunk to the end, seed by seed."""
    runs = curves(variation).query("decider == @decider and size == 8").pivot(index="run_seed", columns="step", values="exact_match")
    return over_seeds(runs[13_000] - runs[runs.columns.max()], bounds=UNBOUNDED)


def later_with_a_decider() -> list[str]:
    """The smallest size from which on every run with γ constant learns later than all that have no decider."""
    whole = milestones(curves("none").query("decider in ['fixed', 'untied']")).groupby("size")["step"].max()
    later = milestones(curves("constant")).groupby("size")["step"].min() > whole
    return [IN_WORDS[later.index[later[::-1].cummin()[::-1]].min()]]


def at_eight(variation: str, value: str, decider: str = "early") -> Estimate:
    """What a decider does on graphs of eight nodes at the end of training, over seeds."""
    return over_seeds(end(decider, variation, value), bounds=(0, 1) if value == "exact_match" else UNBOUNDED)


def how_many(variation: str, decider: str) -> str:
    """How many of its runs there are, in words."""
    return IN_WORDS[len(end(decider, variation, "depth"))]


def online_against_six() -> list[str]:
    """Iterations of online with γ constant and of how many with the trunk first they are fewer; its exact match, and the best of those."""
    depth, six = end("online", "constant", "depth").item(), end("online", "none", "depth")
    exact = [end("online", variation, "exact_match").max() for variation in ("constant", "none")]
    return [f"{depth:.2f}", IN_WORDS[len(six)] if depth < six.min() else "none", *(written(share, 3) for share in exact)]


def gained_by_longer(decider: str) -> Estimate:
    """Exact match on graphs of eight nodes that twice the steps after the trunk bring, seed by seed."""
    return over_seeds((end(decider, "longer", "exact_match") - end(decider, "none", "exact_match")).dropna(), bounds=UNBOUNDED)


def small_against_large(variation: str) -> float:
    """Early's iterations on graphs of three nodes as a share of those on graphs of eight, of means over seeds."""
    return end("early", variation, "depth", 3).mean() / end("early", variation, "depth", 8).mean()


def schedules_that_rise() -> list[str]:
    """Under how many schedules online spends more on the largest graphs than on the smallest in every run of both presets."""
    found = last_records(anira.results("training", "brevo-*").query("decider == 'online' and preset in ['minute', 'tiny']"))
    runs = found.groupby(["preset", "variation", "run_seed"])[["size", "depth"]].apply(lambda run: run["depth"].iloc[-1] > run["depth"].iloc[0])
    return [IN_WORDS[int(runs.groupby("variation").all().sum())]]


def tiny_peak(decider: str) -> float:
    """The greatest depth in training with γ constant, in percent of the largest possible."""
    return 100 * rise_and_fall(curves("constant").query("decider == @decider"), "depth")["peak"].mean() / 6


def near_four() -> list[str]:
    """Of how many runs with γ constant how many come within half an iteration of four."""
    highest = pd.concat([peaks(decider) for decider in DECIDERS])
    return [IN_WORDS[len(highest)], IN_WORDS[(highest > 3.5 / 4).sum()]]


def overlap() -> list[str]:
    """What the intervals of early's and online's exact match at the largest size do, in all presets with several seeds."""
    runs = anira.results("training", "*").query("variation == 'none' and decider in @DECIDERS and task != 'lano'")
    found = outcomes(runs).query("quantity == 'exact match, largest size'").dropna(subset="low")
    found[["preset", "decider"]] = found["run"].str.rsplit(", ", n=1, expand=True)
    low, high = (found.pivot(index="preset", columns="decider", values=bound) for bound in ("low", "high"))
    return ["overlap" if (low.max(axis=1) <= high.min(axis=1)).all() else "lie apart"]


HELD = [
    (
        "early ends with {:.2f} on an answer token and online with {:.2f}, and at least {:.0f} % of the answers",
        lambda: [
            *(trained(decider, "depth") for decider in DECIDERS),
            100 * min(trained(decider, "exact_match").value for decider in DECIDERS),
        ],
    ),
    (
        "These curves come from {0} *seeds* of each decider, that is, {0} runs",
        lambda: [" or ".join(dict.fromkeys(IN_WORDS[len(end(decider, "none", "depth"))] for decider in DECIDERS))],
    ),
    ("early ends {:.2f} below its trunk and online {:.2f}.", lambda: [lost_since_the_trunk(decider) for decider in DECIDERS]),
    (
        "there are {} seeds, which end {:.2f} below theirs",
        lambda: [IN_WORDS[(lost := lost_since_the_trunk("fixed")).clusters], lost],
    ),
    (
        "{:,} instead of {:,}, {} models of early end {:.2f} below their trunks and {} of online {:.2f}",
        lambda: [
            *((recipe := preset("brevo", "tiny").varied(schedule=schedule)).steps - recipe.trunk_steps for schedule in ("longer", "preset")),
            *(value for decider in DECIDERS for value in (how_many("longer", decider), lost_since_the_trunk(decider, "longer"))),
        ],
    ),
    ("From {} nodes on, the runs with γ constant come later", later_with_a_decider),
    (
        "over {} seeds, early loses {} of exact match {}",
        lambda: [IN_WORDS[(lost := lost_by_constant("early")).clusters], written(lost.value), interval(lost.low, lost.high)],
    ),
    ("and online {:.2f}, which may be chance", lambda: [lost_by_constant("online")]),
    (
        "early takes {:.2f} iterations with γ constant and {:.2f} with the trunk first, and it is right on {:.2f} and {:.2f}",
        lambda: [at_eight(variation, value) for value in ("depth", "exact_match") for variation in ("constant", "none")],
    ),
    (
        "The one online model takes {} iterations, fewer than all {} that had the trunk first, and it is right on {} of these graphs, the best of the six on {}",
        online_against_six,
    ),
    (
        "its depth on graphs of three nodes is {:.2f} of that on graphs of eight, with twice the steps after the trunk {:.2f}, and with γ constant {:.2f}",
        lambda: [small_against_large(variation) for variation in ("none", "longer", "constant")],
    ),
    (
        "Their learning rate falls from step {:,} to the end",
        lambda: [(recipe := preset("brevo", "tiny").varied(schedule="constant")).steps - recipe.decay_steps],
    ),
    (
        "early is then right on {:.3f} of the answers, with {:.2f} iterations; online is right on {:.3f}, with {:.2f}",
        lambda: [at_eight("longer", value, decider) for decider in DECIDERS for value in ("exact_match", "depth")],
    ),
    ("Seed by seed early gains {:.2f} of exact match and online {:.2f}", lambda: [gained_by_longer(decider) for decider in DECIDERS]),
    ("early's depth rises by {:.2f} iterations with each node, and with the preset by {:.2f}", lambda: [a_node("early", v) for v in ("longer", "none")]),
    ("Online's rises by {:.2f} and {:.2f}", lambda: [a_node("online", variation) for variation in ("longer", "none")]),
    ("online spends more on larger graphs under all {} schedules", schedules_that_rise),
    ("of {} runs {} comes near four", near_four),
    ("At the peak is {:.0f} % of the maximum with early and {:.0f} % with online", lambda: [100 * peaks(decider).mean() for decider in DECIDERS]),
    ("it is {:.0f} % with early, three seeds, and {:.0f} % with online, one", lambda: [tiny_peak(decider) for decider in DECIDERS]),
    ("intervals of early's and online's exact match {};", overlap),
    ("the {:,} steps of take {}", lambda: [preset("brevo", "tiny").steps, DURATIONS["brevo", "tiny"]]),
    (
        "In {} stored runs of each decider early takes {:.2f} iterations and online {:.2f}",
        lambda: [
            IN_WORDS[minute("none").query("decider == 'online'")["run_seed"].nunique()],
            *(ends(decider, "none", "depth").mean() for decider in DECIDERS),
        ],
    ),
    ("it is the other way round: {:.2f} and {:.2f}", lambda: [end(decider, "none", "depth", 4).mean() for decider in DECIDERS]),
]

MEASURED = "measured once on one NVIDIA H100, of which no table is stored"

QUOTED = {
    "95 % intervals": "what intervals hold, everywhere",
    "at which 90 % of the graphs": "the level that the code above asks for",
    "and 90 % is a choice": "the same",
    "0.32 seconds instead of 0.58": "one measurement, of which no table is stored",
    "1.1 iterations, and graphs of four nodes": "one run, which is not stored",
    "60 steps of the trunk a second": MEASURED,
    "224 steps a second": MEASURED,
    "about 520 steps a second": MEASURED,
    "20 minutes for more than 300,000 steps": MEASURED,
    "71 ms a step": MEASURED,
    "31 ms a step": MEASURED,
    "28 ms a step, about 2 hours for its 250,000 steps": MEASURED,
}
