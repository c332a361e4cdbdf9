"""Chapter 07-generalization."""

from tests.book.numbers.tables import at_twelve

HELD = [
    (
        "is {:.2f} for early, {:.2f} for online and {:.2f} for a model of fixed depth (means",
        lambda: [at_twelve(decider) for decider in ("early", "online", "fixed")],
    ),
]
