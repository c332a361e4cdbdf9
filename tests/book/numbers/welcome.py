"""Chapter 01-welcome."""

from tests.book.numbers.tables import online

HELD = [
    ("takes {:.2f} iterations for a token of the answer on graphs of three nodes", lambda: [online(3)["depth"]]),
    ("and {:.2f} [{:.2f}, {:.2f}] on graphs of eight", lambda: online(8)[["depth", "depth_low", "depth_high"]]),
]
