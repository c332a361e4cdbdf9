"""Chapter 02-findings."""

from tests.book.numbers.tables import IN_WORDS, by_surface, explained, explained_in_larger, parameters, seen

ENDS = ["estimate", "low", "high"]

HELD = [
    ("explain {:.0f} % of the variance of early's depth and {:.0f} % of online's", lambda: [100 * by_surface(decider) for decider in ("early", "online")]),
    (
        "the graph and its search explain {:.0f} % [{:.0f} %, {:.0f} %] for early and {:.0f} % [{:.0f} %, {:.0f} %] for online",
        lambda: [100 * explained(decider, "content")[end] for decider in ("early", "online") for end in ENDS],
    ),
    (
        "explain {:.0f} % [{:.0f} %, {:.0f} %] of the rest for early and {:.0f} % [{:.0f} %, {:.0f} %] for online",
        lambda: [100 * explained_in_larger(decider, "content")[end] for decider in ("early", "online") for end in ENDS],
    ),
    ("have at most {:.2f} million parameters", lambda: [max(parameters(f"brevo-{decider}-tiny") for decider in ("early", "online", "fixed")) / 1e6]),
    ("we see {} whole and {} in part", lambda: [IN_WORDS[seen(what)] for what in ("found", "found in part")]),
]
