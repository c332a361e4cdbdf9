"""The suite in tables, read off the tasks themselves."""

from collections.abc import Iterable
from dataclasses import fields

import pandas as pd

from anira.tasks.graphs import FAMILIES
from anira.tasks.task import Task


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
        graphs = (family.__doc__ or "").splitlines()[0]
        knobs = [(field.name, field.default, "{} to {}".format(*family.limits[field.name])) for field in fields(family)]
        rows += [(family.__name__, *knob, graphs) for knob in knobs or [("none", "", "")]]
    return pd.DataFrame(rows, columns=["family", "knob", "default", "range", "graphs"]).set_index("family")
