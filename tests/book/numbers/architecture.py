"""Chapter 04-architecture."""

from tests.book.numbers.tables import taken

HELD = [
    ("take {} iterations together, where six for every token would be {}", lambda: taken(7, seed=2)),
]
