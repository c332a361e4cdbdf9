"""Chapter 10-training."""

from tests.book.numbers.tables import trained

HELD = [
    (
        "early ends with {:.2f} on an answer token and online with {:.2f}, and {:.0f} % of the answers",
        lambda: [
            *(trained(decider, "depth") for decider in ("early", "online")),
            100 * min(trained(decider, "exact_match").value for decider in ("early", "online")),
        ],
    ),
]
