"""Exact match and depth for each size on fresh instances, with 95 % intervals."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import torch
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from anira.model.anira import Anira
from anira.tasks.task import Batch, Task

TOGETHER = 250  # instances in one pass


def evaluate(model: Anira, task: Task, n: int, seed: int, sizes: Iterable[int] | None = None, **forward) -> pd.DataFrame:
    """One row per size: accuracy and mean depth over `n` instances drawn from `seed`.

    `sizes` defaults to the task's own; `forward` goes to the model's call (`depths`, `select`, `execution`).
    Columns:

    - size, instances
    - exact_match: share of instances whose whole answer is right, each token being the most probable one
      given the right tokens before it, as it is in greedy decoding; exact_low and exact_high (Wilson)
    - token_accuracy: the same for single answer tokens; token_low and token_high (Student's t, clustered by
      instance, cut to 0..1)
    - depth: mean iterations spent on an answer token (at the position that predicts it); depth_low and
      depth_high (Student's t, clustered by instance)
    - expected_depth: mean of E[d] over the same positions
    - prompt_depth: mean iterations spent on all other positions

    An interval that takes two instances at least is NaN for one.

    Raises:
        ValueError: no instances, no sizes, or a size that the task cannot make.
    """
    sizes = list(task.sizes if sizes is None else sizes)
    if n < 1 or not sizes:
        raise ValueError(f"An evaluation takes at least one instance and one size, received n={n} and sizes={sizes}.")
    device = next(model.parameters()).device
    rows = []
    for size in sizes:
        batch = task.batch(n, np.random.default_rng([seed, size]), size=size)
        row = summarize(*measure(model, batch.to(device), **forward))
        rows.append({"size": size, "instances": n, **row})
    return pd.DataFrame(rows).round(5)


@torch.no_grad()
def measure(model: Anira, batch: Batch, **forward) -> tuple[np.ndarray, ...]:
    """What the model says at every position that predicts a token, for a batch (B, T) that may be large.

    Returns (B, T-1) each: answer and prompt, bool, which tokens are predicted there · right, bool · depths
    and expected_depths, 0 at padding.
    """
    parts = []
    longest = batch.tokens.shape[1] - 1
    for rows in torch.arange(len(batch)).split(TOGETHER):
        part = batch.select(rows.to(batch.tokens.device))
        output = model(part.tokens[:, :-1], **forward)
        answer, token = part.answer_mask[:, 1:], part.token_mask[:, 1:]
        right = output.logits.argmax(-1) == part.tokens[:, 1:]
        columns = (answer, token & ~answer, right & answer, output.depths * token, output.expected_depths * token)
        parts.append([torch.nn.functional.pad(column, (0, longest - column.shape[1])).cpu().numpy() for column in columns])
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def summarize(answer: np.ndarray, prompt: np.ndarray, right: np.ndarray, depths: np.ndarray, expected_depths: np.ndarray) -> dict[str, float]:
    """One row of `evaluate` from what `measure` returns."""
    exact, n = int((right | ~answer).all(1).sum()), len(answer)
    exact_low, exact_high = proportion_confint(exact, n, method="wilson")
    accuracy, accuracy_error = _clustered_mean(right, answer)
    depth, depth_error = _clustered_mean(depths, answer)
    reach = stats.t.ppf(0.975, n - 1) if n > 1 else np.nan
    return {
        "exact_match": exact / n,
        "exact_low": exact_low,
        "exact_high": exact_high,
        "token_accuracy": accuracy,
        "token_low": np.maximum(accuracy - reach * accuracy_error, 0),
        "token_high": np.minimum(accuracy + reach * accuracy_error, 1),
        "depth": depth,
        "depth_low": depth - reach * depth_error,
        "depth_high": depth + reach * depth_error,
        "expected_depth": expected_depths[answer].mean(dtype=float),
        "prompt_depth": depths[prompt].mean(dtype=float) if prompt.any() else np.nan,
    }


def _clustered_mean(values: np.ndarray, mask: np.ndarray) -> tuple[float, float]:
    """Mean of the masked entries of (B, T), and its standard error with rows as clusters, NaN for one row."""
    counts = mask.sum(1)
    mean = (values * mask).sum(dtype=float) / counts.sum()
    if len(counts) < 2:
        return mean, np.nan
    residuals = (values * mask).sum(1) - mean * counts
    return mean, np.sqrt(np.square(residuals).sum() * len(counts) / (len(counts) - 1)) / counts.sum()
