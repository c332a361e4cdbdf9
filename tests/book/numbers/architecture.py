"""Chapter 04-architecture."""

from functools import cache

import pandas as pd

import anira
from tests.book.numbers.tables import millions, taken, written


@cache
def asked(**forward) -> pd.Series:
    """What the shipped online model does on the exercises' 200 graphs of six nodes."""
    model, task, _ = anira.load("brevo-online-tiny")
    return anira.evaluate(model, task, n=200, seed=0, sizes=[6], **forward).iloc[0]


def in_no_hurry() -> list[str]:
    """Of how many answers the threshold of exercise 3 is right, and by how many iterations it takes more, in words."""
    late, more = asked(select=0.9), asked(select=0.9)["depth"] - asked()["depth"]
    every = "every answer is" if late["exact_match"] == 1 else f"{100 * late['exact_match']:.1f} % of answers are"
    return [every, "one and a half" if 1.4 < more < 1.6 else written(more)]


HELD = [
    ("take {} iterations together, where six for every token would be {}", lambda: taken(7, seed=2)),
    ("{} million parameters, where", lambda: [millions()]),
    ("Check: {:.0f} % are right", lambda: [100 * asked(depths=1)["exact_match"]]),
    ("Check: {} right, and a token of the answer takes {} iterations more", in_no_hurry),
]

QUOTED = {
    "the paper has 13.7 million": "the paper's",
    "Set the threshold to 0.9": "what the exercise asks for",
}
