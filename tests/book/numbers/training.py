"""Chapter 10-training."""

import pandas as pd

from tests.book.numbers.tables import IN_WORDS, ends, interval, lost_by_constant, minute, peaks, trained, written

DECIDERS = ("early", "online")


def near_four() -> list[str]:
    """Of how many runs with γ constant how many come within half an iteration of four."""
    highest = pd.concat([peaks(decider) for decider in DECIDERS])
    return [IN_WORDS[len(highest)], IN_WORDS[(highest > 3.5 / 4).sum()]]


HELD = [
    (
        "early ends with {:.2f} on an answer token and online with {:.2f}, and {:.0f} % of the answers",
        lambda: [
            *(trained(decider, "depth") for decider in DECIDERS),
            100 * min(trained(decider, "exact_match").value for decider in DECIDERS),
        ],
    ),
    (
        "over {} seeds, early loses {} of exact match {}",
        lambda: [IN_WORDS[(lost := lost_by_constant("early")).clusters], written(lost.value), interval(lost.low, lost.high)],
    ),
    ("and online {:.2f}, which may be chance", lambda: [lost_by_constant("online")]),
    ("of {} runs {} comes near four", near_four),
    ("Here the peak is {:.0f} % of the maximum with early and {:.0f} % with online", lambda: [100 * peaks(decider).mean() for decider in DECIDERS]),
    (
        "In {} stored runs of each decider early takes {:.2f} iterations and online {:.2f}",
        lambda: [
            IN_WORDS[minute("none").query("decider == 'online'")["run_seed"].nunique()],
            *(ends(decider, "none", "depth").mean() for decider in DECIDERS),
        ],
    ),
]

QUOTED = {
    "95 % intervals": "what intervals hold, everywhere",
    "at which 90 % of the graphs": "the level that the code above asks for",
    "and 90 % is a choice": "the same",
    "0.32 seconds instead of 0.58": "one measurement, of which no table is stored",
    "1.1 iterations, and graphs of four nodes": "one run, which is not stored",
}
