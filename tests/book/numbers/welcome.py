"""Chapter 01-welcome."""

from functools import cache

import numpy as np
import torch

import anira
from anira.evaluation.reading import read
from anira.explorer.problems import instance_of
from anira.model.decoding import generate
from anira.tasks.task import collate
from tests.book.numbers.tables import IN_WORDS, listed, millions, online, written

THRESHOLDS = np.arange(95, 0, -5) / 100  # of the explorer's slider, falling


@cache
def answer(decider: str, threshold: float | None = None) -> tuple[list[str], list[str], list[int]]:
    """Graph 2 of eight nodes: its nodes in the right order, those that a shipped model answers, and the iterations of these."""
    model, task, _ = anira.load(f"brevo-{decider}-tiny")
    instance = instance_of(task, 8, 2)
    tokens, output, *_ = generate(model, torch.tensor(instance.prompt), end_token=task.end_token, max_new_tokens=8, select=threshold)
    depths = output.depths[0, len(instance.prompt) - 1 :].tolist()
    right, said = (task.vocabulary.decode(part[:-1]) for part in (instance.answer, tokens))
    return right, said, depths[: len(said)]


def most_and_fewest() -> list:
    """The nodes to which online gives most, and those to which it gives fewest, each with their iterations."""
    _, said, depths = answer("online")
    return [part for n in (max(depths), min(depths)) for part in (listed(node for node, depth in zip(said, depths, strict=True) if depth == n), n)]


@cache
def right_to(decider: str) -> float:
    """The threshold of the slider down to which the answer is right."""
    wrong = next((i for i, threshold in enumerate(THRESHOLDS) if answer(decider, threshold)[0] != answer(decider, threshold)[1]), len(THRESHOLDS))
    return THRESHOLDS[wrong - 1]


@cache
def first_wrong(decider: str) -> float:
    """The greatest threshold of the slider at which the answer is wrong."""
    return right_to(decider) - 0.05


def left_out(decider: str) -> list[str]:
    """The nodes that are missing there."""
    right, said, _ = answer(decider, first_wrong(decider))
    return [node for node in right if node not in said]


def right_of_sixteen() -> int:
    """How many of graphs 1 to 16 of twelve nodes online answers right."""
    model, task, _ = anira.load("brevo-online-tiny")
    return int(read(model, collate([instance_of(task, 12, number) for number in range(1, 17)])).solved.sum())


HELD = [
    ("takes {:.2f} iterations for a token of the answer on graphs of three nodes", lambda: [online(3)["depth"]]),
    ("and {:.2f} [{:.2f}, {:.2f}] on graphs of eight", lambda: online(8)[["depth", "depth_low", "depth_high"]]),
    ("online gives {} iterations to one token and {} to another", lambda: [max(answer("online")[2]), min(answer("online")[2])]),
    ("about {} million parameters", lambda: [millions()]),
    ("Check: most are {}, fewest {}.", lambda: [max(answer("online")[2]), min(answer("online")[2])]),
    ("it happens at {}, and {} node is missing", lambda: [written(first_wrong("online")), IN_WORDS[len(left_out("online"))]]),
    ("of a thousand others it answers {:.0f} %", lambda: [100 * online(12)["exact_match"]]),
    ("{} get {} iterations, {} get {}.", most_and_fewest),
    (
        "online at {}, which leaves out {}; early is right down to {}",
        lambda: [written(first_wrong("online")), listed(left_out("online")), written(right_to("early"))],
    ),
    ("{} of 16, counted by", lambda: [right_of_sixteen()]),
]

QUOTED = {
    "95 % intervals": "what intervals hold, everywhere",
    "Python 3.11": "what `pyproject.toml` asks for",
    "a probability of 5 %": "the threshold that the link sets",
}
