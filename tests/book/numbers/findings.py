"""Chapter 02-findings."""

from tests.book.numbers.tables import IN_WORDS, by_surface, parameters, row, seen

HELD = [
    (
        "explain {:.0f} % of the early decider's depth and {:.0f} % of the online decider's",
        lambda: [100 * by_surface(decider) for decider in ("early", "online")],
    ),
    ("and {:.0f} % [{:.0f} %, {:.0f} %] for online", lambda: 100 * row("online-content")[["estimate", "low", "high"]]),
    ("explain {:.0f} % [{:.0f} %, {:.0f} %] for early", lambda: 100 * row("early-surface")[["estimate", "low", "high"]]),
    ("in models of {:.2f} million parameters", lambda: [parameters("brevo-online-tiny") / 1e6]),
    ("we see {}, {} in part, and {} not", lambda: [IN_WORDS[seen(what)] for what in ("found", "found in part", "not found")]),
]
