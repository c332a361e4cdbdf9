"""Chapter 06-timing."""

from tests.book.numbers.tables import online_distracted, row

HELD = [
    ("a good part of the rest, {:.0f} % [{:.0f}, {:.0f}]", lambda: 100 * row("online-content")[["estimate", "low", "high"]]),
    ("bring early {:.2f} of the rise", lambda: [row("early-distracted")["estimate"]]),
    ("and online {:.2f}", lambda: [online_distracted()]),
]
