"""Chapter 08-cost."""

from tests.book.numbers.tables import range_of

HELD = [
    ("should be {:.1f} to {:.1f} times as fast as at fixed depth", lambda: range_of("ideal_fixed", lambda batch: batch > 0)),
    ("reading 16 to 128 sequences at a time, we reach {:.1f} to {:.1f} times;", lambda: range_of("speed_up", lambda batch: batch >= 16)),
    ("with a single sequence {:.1f} to {:.1f}, so", lambda: range_of("speed_up", lambda batch: batch == 1)),
]
