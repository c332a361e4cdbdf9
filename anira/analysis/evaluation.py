"""Exact match and depth for each size on fresh instances, with 95 % intervals."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import torch
from statsmodels.stats.proportion import proportion_confint

from anira.model.anira import Anira
from anira.tasks.task import Task


@torch.no_grad()
def evaluate(model: Anira, task: Task, n: int, seed: int, sizes: Iterable[int] | None = None, **forward) -> pd.DataFrame:
    """One row per size: accuracy and mean depth over `n` instances drawn from `seed`.

    `sizes` defaults to the task's own; `forward` goes to the model's call (`depths`, `select`). Columns:

    - size, instances
    - exact_match: share of instances whose whole answer is right, each token being the most probable one
      given the right tokens before it, as it is in greedy decoding; exact_low and exact_high (Wilson)
    - token_accuracy: the same for single answer tokens
    - depth: mean iterations spent on an answer token (at the position that predicts it); depth_low and
      depth_high (normal, clustered by instance)
    - expected_depth: mean of E[d] over the same positions
    - prompt_depth: mean iterations spent on all other positions
    """
    device = next(model.parameters()).device
    rows = []
    for size in task.sizes if sizes is None else sizes:
        batch = task.batch(n, np.random.default_rng([seed, size]), size=size).to(device)
        output = model(batch.tokens[:, :-1], **forward)
        answer, token = batch.answer_mask[:, 1:], batch.token_mask[:, 1:]
        right = (output.logits.argmax(-1) == batch.tokens[:, 1:]) | ~answer
        exact = int(right.all(1).sum())
        exact_low, exact_high = proportion_confint(exact, n, method="wilson")
        depth, error = _clustered_mean(output.depths, answer)
        rows.append(
            {
                "size": size,
                "instances": n,
                "exact_match": exact / n,
                "exact_low": exact_low,
                "exact_high": exact_high,
                "token_accuracy": right[answer].double().mean().item(),
                "depth": depth,
                "depth_low": depth - 1.96 * error,
                "depth_high": depth + 1.96 * error,
                "expected_depth": output.expected_depths[answer].double().mean().item(),
                "prompt_depth": output.depths[token & ~answer].double().mean().item(),
            }
        )
    return pd.DataFrame(rows).round(5)


def _clustered_mean(values: torch.Tensor, mask: torch.Tensor) -> tuple[float, float]:
    """Mean of the masked entries of (B, T), and its standard error with rows as clusters."""
    counts = mask.sum(1).double()
    mean = (values * mask).sum() / counts.sum()
    residuals = (values * mask).sum(1) - mean * counts
    error = (residuals.square().sum() * len(counts) / max(len(counts) - 1, 1)).sqrt() / counts.sum()
    return mean.item(), error.item()
