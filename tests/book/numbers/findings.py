"""Chapter 02-findings."""

from tests.book.numbers.tables import IN_WORDS, by_surface, explained, explained_in_larger, parameters, seen

ENDS = ["estimate", "low", "high"]

HELD = [
    (
        "explain {:.0f} % of early's depth, and the graph and its search {:.0f} % [{:.0f} %, {:.0f} %] of what is left",
        lambda: [100 * by_surface("early"), *(100 * explained("early", "content")[end] for end in ENDS)],
    ),
    (
        "explain {:.0f} % of online's, and graph and search {:.0f} % [{:.0f} %, {:.0f} %] of what is left",
        lambda: [100 * by_surface("online"), *(100 * explained("online", "content")[end] for end in ENDS)],
    ),
    (
        "explain {:.0f} % [{:.0f} %, {:.0f} %] of the rest for early and {:.0f} % [{:.0f} %, {:.0f} %] for online",
        lambda: [100 * explained_in_larger(decider, "content")[end] for decider in ("early", "online") for end in ENDS],
    ),
    ("Our models have {:.2f} million parameters", lambda: [parameters("brevo-online-tiny") / 1e6]),
    ("we see {} whole and {} in part", lambda: [IN_WORDS[seen(what)] for what in ("found", "found in part")]),
]
