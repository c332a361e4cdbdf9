"""The trace: one row per token with its depth, its difficulty, and whether the model got it right.

Everything after the model starts from this frame; `anira.analysis.frames` says what it must hold.
"""

from collections.abc import Iterable
from typing import Literal

import numpy as np
import pandas as pd
import torch

from anira.evaluation.reading import check_asked, read
from anira.model.anira import Anira
from anira.tasks.task import Instance, Split, Task, collate

PARTS = {"answer": ("correct", "depth", "own_depth", "expected_depth", "own_expected_depth"), "prompt": ("own_depth", "own_expected_depth")}


def draw(task: Task, sizes: Iterable[int], n: int, seed: int, *, split: Split = "any") -> list[Instance]:
    """`n` instances of each size. Instance i of a size is the same whatever else is drawn from the same split."""
    return [task.sample(size, np.random.default_rng([seed, size, i]), split=split) for size in sizes for i in range(n)]


def difficulty(task: Task, instances: Iterable[Instance]) -> pd.DataFrame:
    """One row per token of each instance: what the task knows before any model has seen it.

    Columns:

    - instance, size
    - position: 0 is the first prompt token
    - token: its name
    - part: "prompt" or "answer"
    - one per feature of the task, NaN where the feature says nothing about the token
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


def trace(
    model: Anira, task: Task, sizes: Iterable[int], n: int, seed: int, *, part: Literal["answer", "prompt"] = "answer", split: Split = "held_out", **forward
) -> pd.DataFrame:
    """The tokens of one part of `n` instances of each size, with what the model spent on them.

    Args:
        part: "answer" for the tokens that the model predicts, "prompt" for those that it only reads.
        split: which problems are drawn; "held_out" are those that no training sees.
        forward: goes to the model's call (`depths`, `select`, `execution`).

    Returns:
        The columns of `difficulty`, and

        - correct: the token is the most probable one, given the right tokens before it
        - depth, expected_depth: iterations spent, and E[d], where the token is predicted, one position before it
        - own_depth, own_expected_depth: the same at the token's own position, which reads it and predicts the next
        - instance_correct: all answer tokens of the instance are right

        Prompt tokens have the columns own_depth, own_expected_depth and instance_correct alone.

    Raises:
        ValueError: an unknown part, a model of another vocabulary, no instances, no sizes, a size that the task cannot make.

    >>> from anira import load
    >>> model, task, _ = load("brevo-online-tiny")
    >>> trace(model, task, sizes=[3], n=2, seed=0, split="any")[["instance", "size", "position", "token", "part"]].head(2)
       instance  size  position token    part
    0         0     3        10     f  answer
    1         0     3        11     j  answer
    """
    if part not in PARTS:
        raise ValueError(f"A part is one of {', '.join(PARTS)}, received {part!r}.")
    instances = draw(task, check_asked(model, task, n, sizes), n, seed, split=split)
    reading = read(model, collate(instances), **forward)
    name = {"correct": "right"}
    columns = {column: getattr(reading, name.get(column, column))[getattr(reading, part)] for column in PARTS[part]}
    table = difficulty(task, instances)
    table = table[table["part"] == part].reset_index(drop=True).assign(**columns)
    return table.assign(instance_correct=reading.solved[table["instance"]])


@torch.no_grad()
def exits(model: Anira, task: Task, instance: Instance, **forward) -> pd.DataFrame:
    """What a model says of halting at each token of one instance: a row for each position that predicts a token, and each depth.

    Args:
        forward: goes to the model's call (`depths`, `select`, `execution`).

    Returns:
        The columns

        - position, token: of what is read there, from 0
        - predicts: the token after it, and part, "prompt" or "answer", to which that belongs
        - d, q, cumulative: the depth, its probability q(d), and F(d), that of at most d
        - depth, expected_depth: iterations spent at the position, and E[d]

    >>> from anira import load
    >>> model, task, _ = load("brevo-online-tiny")
    >>> rows = exits(model, task, task.sample(4, np.random.default_rng(0)))
    >>> rows.groupby("position")["q"].sum().round(3).unique().tolist()
    [1.0]
    """
    output = model(torch.tensor([instance.tokens], device=next(model.parameters()).device), **forward)
    names, last, D = task.vocabulary.decode(instance.tokens), len(instance.tokens) - 1, model.config.max_depth
    q = output.exit_probs[0, :last].cpu().double().numpy()  # (T - 1, D)
    position = np.repeat(np.arange(last), D)
    return pd.DataFrame(
        {
            "position": position,
            "token": np.array(names[:-1], dtype=object)[position],
            "predicts": np.array(names[1:], dtype=object)[position],
            "part": np.where(position + 1 < len(instance.prompt), "prompt", "answer"),
            "d": np.tile(np.arange(1, D + 1), last),
            "q": q.ravel(),
            "cumulative": q.cumsum(1).ravel(),
            "depth": output.depths[0, :last].cpu().numpy()[position],
            "expected_depth": output.expected_depths[0, :last].cpu().double().numpy()[position],
        }
    )
