"""Stopping rules: what accuracy each buys, and for how much computation.

A model that was trained once can be stopped in many ways. Each way is a point, computation against accuracy, and
the points of one model are its frontier. Computation is counted in iterations and in operations
(`anira.model.flops`): the least that the pass needs, prelude, coda and decider included.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import torch

from anira.evaluation.evaluate import summarize
from anira.evaluation.reading import Reading, check_asked, read
from anira.model.anira import Anira
from anira.model.deciders import check_rule
from anira.model.flops import token_cost
from anira.tasks.task import Split, Task

THRESHOLDS = (0.1, 0.3, 0.7, 0.9)  # on F(d); the median is 0.5


def frontier(
    model: Anira,
    task: Task,
    n: int,
    seed: int,
    rules: Iterable[str | float | int] | None = None,
    sizes: Iterable[int] | None = None,
    *,
    split: Split = "held_out",
) -> pd.DataFrame:
    """One row for each rule and size, on the same `n` instances a size.

    Args:
        rules: stopping rules, and integers d for "every token gets d iterations". By default mode, median, mean,
            `THRESHOLDS` and every d in 1..D; only D for a model without a choice.
        sizes: by default the task's own.
        split: which problems are drawn; "held_out" are those that no training sees.

    Returns:
        The columns

        - rule; kind: "decider" or "uniform"; threshold on F(d), NaN where the rule is none
        - size, instances and the other columns of `anira.evaluation.evaluate.evaluate`
        - passes: an online decider asked for the mode or the mean has to run twice, once to D
        - flops: operations a token of prompt and answer, all passes together
        - flops_share: of one pass at full depth D, decider left out

    Raises:
        ValueError: an unknown rule, a depth outside 1..D, a rule for a model that decides nothing, a model of another
            vocabulary, no instances, no sizes, or a size that the task cannot make.
    """
    config = model.config
    decides = model.decider.decides
    if rules is None:
        rules = ["mode", "median", "mean", *THRESHOLDS, *range(1, config.max_depth + 1)] if decides else [config.max_depth]
    rows = []
    for size in check_asked(model, task, n, sizes):
        batch = task.batch(n, np.random.default_rng([seed, size]), size=size, split=split)
        for rule in rules:
            uniform = isinstance(rule, int)
            if not uniform and not decides:
                raise ValueError(f"A {config.variant} model decides nothing, so the rule {rule!r} has nothing to stop.")
            reading = read(model, batch, **({"depths": rule} if uniform else {"select": check_rule(rule)}))
            passes = 2 if rule in model.decider.late_rules else 1
            spent, full = _operations(model, reading, passes=passes, uniform=uniform)
            rows.append(
                {
                    "rule": str(rule),
                    "kind": "uniform" if uniform else "decider",
                    "threshold": 0.5 if rule == "median" else rule if isinstance(rule, float) else np.nan,
                    "size": size,
                    "instances": n,
                    **summarize(reading),
                    "passes": passes,
                    "flops": spent,
                    "flops_share": spent / full,
                }
            )
    return pd.DataFrame(rows).round(5)


def _operations(model: Anira, reading: Reading, *, passes: int, uniform: bool) -> tuple[float, float]:
    """Operations a predicted token: spent on it, and for one pass at full depth without a decider."""
    depths = torch.from_numpy(reading.depth[reading.predicted])
    contexts = torch.from_numpy(np.nonzero(reading.predicted)[1])  # tokens that its prediction sees: all before it
    deepest = torch.full_like(contexts, model.config.max_depth)
    chosen, whole = (token_cost(model.config, d, contexts).summed() for d in (depths, deepest))
    full = whole.total - whole.decider
    # the second of two passes is given its depths, so only the first asks the decider
    spent = chosen.total - chosen.decider if uniform or passes == 2 else chosen.total
    return (spent + whole.total * (passes == 2)) / len(contexts), full / len(contexts)
