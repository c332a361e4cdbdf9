"""Chapter 05-alignment."""

from tests.book.numbers.tables import depth_rises_early, row

HELD = [
    ("gives an answer token more iterations, {:.2f} [{:.2f}, {:.2f}]", lambda: row("brevo-online-depth-rises")[["estimate", "low", "high"]]),
    ("and early about {} as many", lambda: [{True: "half"}[0.45 < depth_rises_early() < 0.55]]),
    ("{:.0f} % with early", lambda: [100 * row("early-more-than-needed")["estimate"]]),
    ("{:.0f} % with online", lambda: [100 * row("online-more-than-needed")["estimate"]]),
]
