"""The trace: one row per token with its depth, its difficulty, and whether the model got it right.

Everything after the model starts from this frame; `anira.analysis.frames` says what it must hold.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import torch

from anira.analysis.frames import DEPTHS, EXPECTED
from anira.model.anira import Anira
from anira.tasks.task import Instance, Task, collate

ROWS = 64  # instances in one pass of the model: more would not be faster, fewer would


def draw(task: Task, sizes: Iterable[int], n: int, seed: int) -> list[Instance]:
    """`n` instances of each size. Instance i of a size is the same whatever else is drawn."""
    return [task.sample(size, np.random.default_rng([seed, size, i])) for size in sizes for i in range(n)]


def difficulty(task: Task, instances: Iterable[Instance]) -> pd.DataFrame:
    """One row per token of each instance: what the task knows before any model has seen it.

    Columns: instance, size · position (0 is the first prompt token) · token, its name · part, "prompt" or
    "answer" · one column per feature of the task, NaN where the feature says nothing about the token.
    """
    instances = list(instances)
    lengths = np.array([len(instance.tokens) for instance in instances], dtype=int)
    owner = np.repeat(np.arange(len(instances)), lengths)
    position = np.arange(lengths.sum()) - np.repeat(lengths.cumsum() - lengths, lengths)
    prompts = np.array([len(instance.prompt) for instance in instances], dtype=int)
    tokens = [token for instance in instances for token in instance.tokens]
    return pd.DataFrame(
        {
            "instance": owner,
            "size": np.array([instance.size for instance in instances], dtype=int)[owner],
            "position": position,
            "token": task.vocabulary.decode(tokens),
            "part": np.where(position < prompts[owner], "prompt", "answer"),
            **{name: np.concatenate([np.empty(0), *(instance.features[name] for instance in instances)]) for name in task.features},
        }
    )


@torch.no_grad()
def trace(model: Anira, task: Task, sizes: Iterable[int], n: int, seed: int, **forward) -> pd.DataFrame:
    """The answer tokens of `n` instances of each size, as the model predicts them.

    Columns: those of `difficulty`, and

    - correct: the token is the most probable one, given the right tokens before it; instance_correct: all answer
      tokens of the instance are
    - depth, expected_depth: iterations spent, and E[d], at position - 1, which predicts the token
    - own_depth, own_expected_depth: the same at the token's own position, which reads it and predicts the next

    `forward` goes to the model's call (`depths`, `select`, `execution`).

    >>> from anira import load
    >>> model, task, _ = load("brevo-online-tiny")
    >>> trace(model, task, sizes=[3], n=2, seed=0)[["instance", "size", "position", "token", "part"]].head(2)
       instance  size  position token    part
    0         0     3        10     f  answer
    1         0     3        11     j  answer
    """
    instances = draw(task, sizes, n, seed)
    table = difficulty(task, instances)
    device = next(model.parameters()).device
    lengths = np.array([len(instance.tokens) for instance in instances])
    starts = lengths.cumsum() - lengths
    columns = {name: np.zeros(len(table)) for name in ("correct", *DEPTHS, *EXPECTED)}
    order = lengths.argsort(kind="stable")  # neighbours are of one length: hardly any padding
    for rows in (order[first : first + ROWS] for first in range(0, len(order), ROWS)):
        batch = collate([instances[row] for row in rows]).to(device)
        output = model(batch.tokens, **forward)
        tokens, predicted, depth, expected = (
            values.cpu().numpy() for values in (batch.tokens, output.logits.argmax(-1), output.depths, output.expected_depths.double())
        )
        keep = batch.token_mask[:, 1:].cpu().numpy()
        at = (starts[rows, None] + 1 + np.arange(keep.shape[1]))[keep]  # the table's row of each token but the first
        columns["correct"][at] = (predicted[:, :-1] == tokens[:, 1:])[keep]
        for name, values in zip((*DEPTHS, *EXPECTED), (depth[:, :-1], depth[:, 1:], expected[:, :-1], expected[:, 1:]), strict=True):
            columns[name][at] = values[keep]
    table = table.assign(**columns)[table["part"] == "answer"].reset_index(drop=True)
    table = table.astype({"correct": bool, **dict.fromkeys(DEPTHS, int)})
    return table.assign(instance_correct=table.groupby("instance")["correct"].transform("all"))
