"""Chapter 03-brevo."""

from tests.book.numbers.tables import millions, online

HELD = [
    ("have {} million parameters", lambda: [millions()]),
    ("answers {:.0f} % [{:.0f} %, {:.0f} %] of graphs with eight", lambda: 100 * online(8)[["exact_match", "exact_low", "exact_high"]]),
]

QUOTED = {"95 % intervals": "what intervals hold, everywhere"}
