"""Chapter 11-tasks."""

from tests.book.numbers.tables import row

HELD = [
    ("gives {:.2f} [{:.2f}, {:.2f}] iterations more for each operator", lambda: row("mano-early-depth-rises")[["estimate", "low", "high"]]),
    ("online {:.2f} [{:.2f}, {:.2f}]. On DEPO", lambda: row("mano-online-depth-rises")[["estimate", "low", "high"]]),
]
