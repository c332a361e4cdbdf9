"""Depth on the tokens of the question: what a model spends while it only reads."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import torch

from anira.evaluation.evaluate import TOGETHER
from anira.evaluation.trace import difficulty, draw
from anira.model.anira import Anira
from anira.tasks.task import Task, collate


@torch.no_grad()
def question_trace(model: Anira, task: Task, sizes: Iterable[int], n: int, seed: int, **forward) -> pd.DataFrame:
    """The prompt tokens of `n` instances of each size, with the depth spent at each token's own position.

    Columns: instance, size, position, token, depth, expected_depth, correct (the whole answer is) and the task's
    features of prompt tokens. `forward` goes to the model's call (`depths`, `select`).
    """
    instances = draw(task, sizes, n, seed)
    device = next(model.parameters()).device
    columns = {name: [] for name in ("depth", "expected_depth", "correct")}
    for first in range(0, len(instances), TOGETHER):
        batch = collate(instances[first : first + TOGETHER]).to(device)
        output = model(batch.tokens[:, :-1], **forward)
        answer = batch.answer_mask[:, 1:]
        right = ((output.logits.argmax(-1) == batch.tokens[:, 1:]) | ~answer).all(1)
        prompt = (batch.token_mask & ~batch.answer_mask)[:, :-1]
        values = (output.depths, output.expected_depths, right[:, None].expand_as(prompt))
        for name, value in zip(columns, values, strict=True):
            columns[name].append(value[prompt].cpu().numpy())
    features = [name for name, feature in task.features.items() if feature.where == "prompt"]
    table = difficulty(task, instances).query("part == 'prompt'").reset_index(drop=True)
    table = table[["instance", "size", "position", "token", *features]]
    return table.assign(**{name: np.concatenate(value) for name, value in columns.items()})
