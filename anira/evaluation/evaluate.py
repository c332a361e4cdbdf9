"""Exact match and depth for each size on fresh instances, with 95 % intervals."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from anira.analysis.intervals import clustered_mean
from anira.evaluation.reading import Reading, check_asked, read
from anira.model.anira import Anira
from anira.tasks.task import Split, Task


def evaluate(model: Anira, task: Task, n: int, seed: int, sizes: Iterable[int] | None = None, *, split: Split = "held_out", **forward) -> pd.DataFrame:
    """One row per size: accuracy and mean depth over `n` instances drawn from `seed`.

    Args:
        sizes: by default the task's own.
        split: which problems are drawn; "held_out" are those that no training sees.
        forward: goes to the model's call (`depths`, `select`, `execution`).

    Returns:
        The columns

        - size, instances
        - exact_match: share of instances whose whole answer is right, each token being the most probable one
          given the right tokens before it, as it is in greedy decoding; exact_low and exact_high (Wilson)
        - token_accuracy: the same for single answer tokens; token_low and token_high (Student's t on the
          logit's scale, clustered by instance)
        - depth: mean iterations spent on an answer token (where it is predicted); depth_low and
          depth_high (Student's t, clustered by instance)
        - expected_depth: mean of E[d] over the same positions
        - prompt_depth: mean iterations spent on all other positions

        An interval that takes two instances at least is NaN for one.

    Raises:
        ValueError: a model of another vocabulary, no instances, no sizes, or a size that the task cannot make.
    """
    rows = []
    for size in check_asked(model, task, n, sizes):
        batch = task.batch(n, np.random.default_rng([seed, size]), size=size, split=split)
        rows.append({"size": size, "instances": n, **summarize(read(model, batch, **forward))})
    return pd.DataFrame(rows).round(5)


def summarize(reading: Reading) -> dict[str, float]:
    """One row of `evaluate` from what a model said of the instances of one size."""
    exact, answer = int(reading.solved.sum()), reading.answer
    exact_low, exact_high = proportion_confint(exact, len(answer), method="wilson")
    instance, prompt = np.nonzero(answer)[0], reading.prompt & reading.predicted
    accuracy, depth = clustered_mean(reading.right[answer], instance, bounds=(0, 1)), clustered_mean(reading.depth[answer], instance)
    return {
        "exact_match": exact / len(answer),
        "exact_low": exact_low,
        "exact_high": exact_high,
        "token_accuracy": accuracy.value,
        "token_low": accuracy.low,
        "token_high": accuracy.high,
        "depth": depth.value,
        "depth_low": depth.low,
        "depth_high": depth.high,
        "expected_depth": reading.expected_depth[answer].mean(),
        "prompt_depth": reading.depth[prompt].mean() if prompt.any() else np.nan,
    }
