"""Chapter 07-generalization."""

import pandas as pd

from anira.analysis.intervals import Estimate, over_seeds
from tests.book.numbers.tables import IN_WORDS, by_size, exact_on, generalization, listed, lost_by_leaving_out, over, trace_of_chains, written

ADAPTIVE = ("early", "online")
RECURRENT = (*ADAPTIVE, "fixed")
LARGEST = {"tiny": 8, "small": 12}  # nodes of the largest graphs in training


def at(decider: str, size: int, preset: str = "tiny") -> Estimate:
    """Exact match on graphs of a size, over seeds."""
    return over(by_size(decider, "exact_match", preset)[size])


def lead(other: str, size: int) -> Estimate:
    """By how much online's exact match is above another's, over the seeds that both have."""
    return over_seeds((exact_on("online", size) - exact_on(other, size)).dropna())


def added(decider: str, preset: str) -> Estimate:
    """Iterations that a decider adds on graphs of four nodes more than the largest in training, over seeds."""
    depths = by_size(decider, "depth", preset)
    return over_seeds(depths[LARGEST[preset] + 4] - depths[LARGEST[preset]])


def ahead_at_twelve() -> pd.Series:
    """Iterations that online spends more than early on graphs of twelve nodes, by seed."""
    return (by_size("online", "depth") - by_size("early", "depth"))[12]


def lost(decider: str, preset: str) -> Estimate:
    """Exact match that is lost by leaving sizes out."""
    return Estimate.of(lost_by_leaving_out(preset).loc[decider])


def lost_in_a_hundred(preset: str) -> str:
    """The same of both deciders together, in answers of a hundred."""
    return IN_WORDS[round(100 * lost_by_leaving_out(preset)["estimate"].mean())]


def more_on_chains(decider: str) -> pd.Series:
    """Iterations that a decider gives chains of eight nodes more than trees, by seed."""
    rows = generalization().query("decider == @decider and size == 8 and max_depth == 6")
    depths = rows.pivot(index="run_seed", columns="family", values="depth")
    return depths["chains"] - depths["tree"]


def counted(models: pd.Series) -> str:
    """How many models, in words."""
    return IN_WORDS[len(models)]


def contain_zero(preset: str) -> str:
    """How many intervals of what is lost contain zero."""
    return {0: "no", 1: "one", 2: "both"}[sum(lost(decider, preset).low < 0 < lost(decider, preset).high for decider in ADAPTIVE)]


HELD = [
    (
        "is {:.2f} for early, {:.2f} for online and {:.2f} for a model of fixed depth (means of {}, {} and {} models",
        lambda: [*(at(decider, 12) for decider in RECURRENT), *(counted(exact_on(decider, 12)) for decider in RECURRENT)],
    ),
    (
        "early and online get {:.2f} and {:.2f} at twelve, and {:.2f} and {:.2f} at sixteen",
        lambda: [at(decider, size, "small") for size in (12, 16) for decider in ADAPTIVE],
    ),
    ("is lower by {:.2f} for early and by {:.2f} for online", lambda: [lost(decider, "tiny") for decider in ADAPTIVE]),
    (
        "online's lead over fixed is {:.2f}. Its lead over early is {:.2f}, over {} seeds; at eight nodes it is {:.2f} already",
        lambda: [lead("fixed", 12), lead("early", 12), counted(exact_on("early", 12)), lead("early", 8)],
    ),
    ("At twelve nodes they get {:.2f} and {:.2f}", lambda: [at(decider, 12) for decider in ("role", "hybrid")]),
    (
        "early gets {:.2f} after training to eight and {:.2f} after training to twelve; online gets {:.2f} and {:.2f}",
        lambda: [at(decider, size * 5 // 4, preset).value for decider in ADAPTIVE for preset, size in LARGEST.items()],
    ),
    (
        "it adds {:.2f} iterations from eight to twelve, and after training to twelve {:.2f} from twelve to sixteen. Early's depth changes by {:.2f} and {:.2f}.",
        lambda: [added(decider, preset) for decider in ("online", "early") for preset in LARGEST],
    ),
    (
        "online spends more than early with {} of the {} seeds. The mean difference is {:.2f} there",
        lambda: [IN_WORDS[(ahead_at_twelve() > 0).sum()], counted(ahead_at_twelve()), over_seeds(ahead_at_twelve())],
    ),
    (
        "Of those of seven early answers {:.2f} right and online {:.2f}; of those of nine {:.2f} and {:.2f}.",
        lambda: [at(decider, size, "tiny-gap").value for size in (7, 9) for decider in ADAPTIVE],
    ),
    ("the models of lose {} on average, those of {}", lambda: [lost_in_a_hundred(preset) for preset in ("tiny", "minute")]),
    (
        "that anything is lost: {} intervals contain zero, and they rest on {} seeds",
        lambda: [contain_zero("tiny"), IN_WORDS[lost("online", "tiny").clusters]],
    ),
    (
        "which has {} seeds, online loses {:.2f}. Early loses as much, but its seeds differ more: {:.2f}",
        lambda: [IN_WORDS[lost("online", "minute").clusters], lost("online", "minute"), lost("early", "minute")],
    ),
    ("it gives chains {:.2f} iterations fewer than trees", lambda: [over_seeds(-more_on_chains("early"))]),
    (
        "Online gives chains {:.2f} more, and more with each of its {} seeds",
        lambda: [over_seeds(more_on_chains("online")), IN_WORDS[(more_on_chains("online") > 0).sum()]],
    ),
    (
        "on chains of eight nodes than early, {:.2f} against {:.2f}; seed by seed its lead is {:.2f}",
        lambda: [
            *(over(exact_on(decider, 8, "chains")) for decider in ("online", "early")),
            over_seeds(exact_on("online", 8, "chains") - exact_on("early", 8, "chains")),
        ],
    ),
    ("on these chains is higher: {} with", lambda: [listed(map(written, sorted(exact_on("untied", 8, "chains"))))]),
    (
        "recurrent models ({} early, {} online, {} fixed) has {:.2f}",
        lambda: [
            *(counted(exact_on(decider, 8, "chains")) for decider in RECURRENT),
            max(exact_on(decider, 8, "chains").max() for decider in RECURRENT),
        ],
    ),
    ("Check: {:.2f} at the first place and {:.2f} at the last", lambda: trace_of_chains("online").iloc[[0, -1]]),
    ("Load early instead of online. Check: {:.2f} and {:.2f}", lambda: trace_of_chains("early").iloc[[0, -1]]),
    ("online's exact match is {:.2f}, and fixed's is {:.2f}", lambda: [exact_on(decider, 8).mean() for decider in ("online", "fixed")]),
    ("with at most four? Check: {:.2f} and {:.2f}", lambda: [exact_on(decider, 8, allowed=4).mean() for decider in ("online", "fixed")]),
]

QUOTED = {"95 % intervals": "what intervals hold, everywhere"}
