"""Chapter 07-generalization."""

import pandas as pd

from anira.analysis.intervals import Estimate, over_seeds
from tests.book.numbers.tables import IN_WORDS, depths, exact_on, listed, lost_by_leaving_out, over, trace_of_chains, written

RECURRENT = ("early", "online", "fixed")


def added(decider: str):
    """Iterations that a decider adds from eight to twelve nodes, over seeds."""
    return over_seeds(depths(decider)[12] - depths(decider)[8])


def spends_more_from() -> list[str]:
    """For each seed the number of nodes from which on online always spends more than early, fewest first."""
    more = (depths("online") > depths("early")).iloc[:, ::-1].cummin(axis=1)
    firsts = [seed.index[seed].min() for _, seed in more.iterrows()]
    one, other, third = sorted(firsts, key=lambda first: (pd.isna(first), first))
    return ["no" if pd.isna(first) else IN_WORDS[first] for first in (one, other, third)]


HELD = [
    (
        "is {:.2f} for early, {:.2f} for online and {:.2f} for a model of fixed depth (means",
        lambda: [over(exact_on(decider, 12)) for decider in RECURRENT],
    ),
    ("online adds {:.2f} iterations and early {:.2f}", lambda: [added("online"), added("early")]),
    ("online spends more than early from {} nodes on, with another from {}, and with the third at {} size", spends_more_from),
    ("give, on average, {} more wrong answers in a hundred", lambda: [IN_WORDS[round(100 * lost_by_leaving_out()["estimate"].mean())]]),
    ("its exact match on graphs of three nodes is lower by {:.2f}", lambda: [Estimate.of(lost_by_leaving_out().loc["online"])]),
    ("Early's is lower by as much, but its seeds differ more: {:.2f}", lambda: [Estimate.of(lost_by_leaving_out().loc["early"])]),
    ("online's exact match is still only {:.2f}", lambda: [over(exact_on("online", 8, "chains"))]),
    ("Early's is {:.2f}; with such", lambda: [over(exact_on("early", 8, "chains"))]),
    ("on these chains is higher: {} with", lambda: [listed(map(written, sorted(exact_on("untied", 8, "chains"))))]),
    (
        "the best of the nine recurrent models (three kinds, three seeds each) has {:.2f}",
        lambda: [max(exact_on(decider, 8, "chains").max() for decider in RECURRENT)],
    ),
    ("Check: {:.2f} at the first place and {:.2f} at the last", lambda: trace_of_chains("online").iloc[[0, -1]]),
    ("Load early instead of online. Check: {:.2f} and {:.2f}", lambda: trace_of_chains("early").iloc[[0, -1]]),
    ("online's exact match is {:.2f}, and fixed's is {:.2f}", lambda: [exact_on(decider, 8).mean() for decider in ("online", "fixed")]),
    ("with at most four? Check: {:.2f} and {:.2f}", lambda: [exact_on(decider, 8, allowed=4).mean() for decider in ("online", "fixed")]),
]

QUOTED = {"95 % intervals": "what intervals hold, everywhere"}
