"""The suite in tables, read off the tasks themselves."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, cast

import numpy as np
import pandas as pd

from anira.tasks.graphs import FAMILIES
from anira.tasks.task import Task

DISTINCT = 25  # values of a feature that are shown one by one


def feature_table(tasks: Iterable[Task]) -> pd.DataFrame:
    """One row per task and feature: what makes the task's tokens hard, and where the task is from.

    Index: task · knob, what a size counts · range of sizes that the task, as it is set, can make · source. Columns: feature, its per-token
    difficulty · kind, structure or state · tokens, of the prompt or of the answer · meaning.

    >>> from anira.tasks import Mano
    >>> feature_table([Mano()])[["feature", "kind"]].iloc[3].tolist()
    ['slots_left', 'state']
    """
    rows = [
        (task.name.upper(), task.knob, "{} to {}".format(*task.size_limits), task.source, name, feature.kind, feature.where, feature.meaning)
        for task in tasks
        for name, feature in task.features.items()
    ]
    columns = ["task", "knob", "range", "source", "feature", "kind", "tokens", "meaning"]
    return pd.DataFrame(rows, columns=columns).set_index(columns[:4])


def family_table() -> pd.DataFrame:
    """One row per knob of each family of graphs, or one for a family without knobs.

    Index: family. Columns: knob · default · range · graphs, the first line of the family's docstring.
    """
    rows = []
    for family in FAMILIES:
        graphs = (family.__doc__ or "").splitlines()[0].replace("`", "")
        knobs = [(field.name, field.default, "{} to {}".format(*family.limits[field.name])) for field in fields(family)]
        rows += [(family.__name__, *knob, graphs) for knob in knobs or [("none", "", "")]]
    return pd.DataFrame(rows, columns=["family", "knob", "default", "range", "graphs"]).set_index("family")


def token_features(task: Task, sizes: Iterable[int], n: int, seed: int = 1) -> pd.DataFrame:
    """The features of all tokens of `n` instances of each size, one column a feature, after the column size."""
    parts = []
    for size in sizes:
        _, values = cast(Any, task).batch_with_features(n, np.random.default_rng([seed, size]), size)
        parts.append(pd.DataFrame(values.reshape(-1, len(task.features)), columns=list(task.features)).assign(size=size))
    return pd.concat(parts, ignore_index=True)


def feature_shares(tokens: pd.DataFrame, features: Sequence[str]) -> pd.DataFrame:
    """How often each value of a feature occurs among the tokens of a size that have one.

    Args:
        tokens: one row a token, with a column size, such as from `token_features` or `anira.evaluation.trace.difficulty`.
        features: the columns that are counted.

    Returns:
        feature, size, value, share. Whole numbers are counted one by one up to 25 of them; others lie in bins, and value is the lowest
        of its bin.

    >>> tokens = pd.DataFrame({"size": [3, 3, 3, 4], "frontier_size": [1, 1, 2, np.nan]})
    >>> feature_shares(tokens, ["frontier_size"])[["size", "value", "share"]].round(2).values.tolist()
    [[3.0, 1.0, 0.67], [3.0, 2.0, 0.33]]
    """
    parts = []
    for feature in features:
        known = tokens[["size", feature]].dropna().rename(columns={feature: "value"})
        width = _bin(known["value"])
        known["value"] = (np.floor(known["value"] / width) * width).round(6)
        share = known.groupby("size")["value"].value_counts(normalize=True).rename("share").reset_index()
        parts.append(share.sort_values(["size", "value"]).assign(feature=feature, share=share["share"].round(4)))
    return pd.concat(parts, ignore_index=True)[["feature", "size", "value", "share"]]


def _bin(values: pd.Series) -> float:
    """1 for few whole numbers, else a width of one digit that makes about fifteen bins."""
    if not len(values) or (values.nunique() <= DISTINCT and (values % 1 == 0).all()):
        return 1.0
    width = (values.max() - values.min()) / 15
    power = 10 ** np.floor(np.log10(width))
    return float(power * np.ceil(width / power))
