"""The trace: one row per token with its depth, its difficulty, and whether the model got it right.

Everything after the model starts from this frame, so a trace of any other model with per-token depths can be
handed to the same analyses.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import torch

from anira.model.anira import Anira
from anira.tasks.task import Instance, Task, collate


def draw(task: Task, sizes: Iterable[int], n: int, seed: int) -> list[Instance]:
    """`n` instances of each size. Instance i of a size is the same whatever else is drawn."""
    return [task.sample(size, np.random.default_rng([seed, size, i])) for size in sizes for i in range(n)]


def difficulty(task: Task, instances: Iterable[Instance]) -> pd.DataFrame:
    """One row per token of each instance: what the task knows before any model has seen it.

    Columns: instance, size · position (0 is the first prompt token) · token, its name · part, "prompt" or
    "answer" · one column per feature of the task, NaN where the feature says nothing about the token.
    """
    frames = []
    for number, instance in enumerate(instances):
        length = len(instance.tokens)
        frames.append(
            pd.DataFrame(
                {
                    "instance": number,
                    "size": instance.size,
                    "position": np.arange(length),
                    "token": task.vocabulary.decode(instance.tokens),
                    "part": np.where(np.arange(length) < len(instance.prompt), "prompt", "answer"),
                    **instance.features,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


@torch.no_grad()
def trace(model: Anira, task: Task, sizes: Iterable[int], n: int, seed: int, **forward) -> pd.DataFrame:
    """The answer tokens of `n` instances of each size, as the model predicts them.

    Columns: those of `difficulty`, and · correct: the token is the most probable one, given the right tokens
    before it · instance_correct: all answer tokens are · depth, expected_depth: iterations spent, and E[d],
    at position - 1, which predicts the token. `forward` goes to the model's call (`depths`, `select`).
    """
    instances = draw(task, sizes, n, seed)
    table = difficulty(task, instances)
    device = next(model.parameters()).device
    columns = {name: np.full(len(table), np.nan) for name in ("correct", "depth", "expected_depth")}
    ends = np.cumsum([len(instance.tokens) for instance in instances])
    for first in range(0, len(instances), 500):
        batch = collate(instances[first : first + 500]).to(device)
        output = model(batch.tokens[:, :-1], **forward)
        right = output.logits.argmax(-1) == batch.tokens[:, 1:]
        keep = batch.token_mask[:, 1:].cpu().numpy()
        begin = 0 if first == 0 else ends[first - 1]
        rows = np.setdiff1d(np.arange(begin, ends[min(first + 500, len(instances)) - 1]), np.concatenate([[begin], ends[first : first + 499]]))
        for name, values in (("correct", right), ("depth", output.depths), ("expected_depth", output.expected_depths)):
            columns[name][rows] = values.cpu().numpy()[keep]
    table = table.assign(**columns)[table["part"] == "answer"].reset_index(drop=True)
    table = table.astype({"correct": bool, "depth": int})
    return table.assign(instance_correct=table.groupby("instance")["correct"].transform("all"))
