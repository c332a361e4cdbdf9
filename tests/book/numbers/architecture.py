"""Chapter 04-architecture."""

from functools import cache

import numpy as np
import pandas as pd
import torch

import anira
from tests.book.numbers.tables import IN_WORDS, millions, taken


@cache
def asked(**forward) -> pd.Series:
    """What the shipped online model does on the exercises' 200 graphs of six nodes."""
    model, task, _ = anira.load("brevo-online-tiny")
    return anira.evaluate(model, task, n=200, seed=0, sizes=[6], **forward).iloc[0]


def in_no_hurry() -> list[float]:
    """Of how many answers the threshold of exercise 3 is right, of how many the model's own, and how many iterations it takes more."""
    late, own = asked(select=0.9), asked()
    return [100 * late["exact_match"], 100 * own["exact_match"], late["depth"] - own["depth"]]


def of_the_answer() -> list[str]:
    """The least and the most iterations on a token that predicts the answer, in the example."""
    model, task, _ = anira.load("brevo-online-tiny")
    instance = task.sample(7, np.random.default_rng(2))
    depths = model(torch.tensor([instance.tokens])).depths[0, len(instance.prompt) - 1 : -1]
    return [IN_WORDS[int(depths.min())], IN_WORDS[int(depths.max())]]


HELD = [
    ("take {} iterations together, where six for every token would be {}", lambda: taken(7, seed=2)),
    ("{} million parameters, where", lambda: [millions()]),
    ("Check: {:.0f} % are right", lambda: [100 * asked(depths=1)["exact_match"]]),
    ("Check: no, {:.0f} % are right and {:.0f} % at its own depths; a token of the answer takes {:.1f} iterations more", in_no_hurry),
    ("the tokens that predict the answer get {} to {}.", of_the_answer),
]

QUOTED = {
    "the paper has 13.7 million": "the paper's",
    "Set the threshold to 0.9": "what the exercise asks for",
}
