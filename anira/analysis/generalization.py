"""Accuracy and depth where a model was not trained: sizes between and beyond, other graphs, more iterations than D.

`generalize` runs a model and gives one row for each graph family, largest depth and size. Everything below it works
on such rows of several models, with two more columns, decider and run_seed, as `anira evaluate` writes them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from anira.analysis.evaluation import evaluate
from anira.analysis.intervals import summarize_seeds
from anira.model.anira import Anira
from anira.tasks.graphs import FAMILIES
from anira.tasks.task import Task

PLACES = ("below", "trained", "between", "beyond")


def allow_depth(model: Anira, max_depth: int) -> Anira:
    """The same weights with another largest depth D, for deciders whose weights do not depend on it.

    An online decider asks the same question after every iteration, and a fixed one asks none, so both can go
    on past the D they were trained with. A copy is returned.

    Raises:
        ValueError: an early decider, which has a logit for each depth, or untied layers, which are D.
    """
    if max_depth == model.config.max_depth:
        return model
    if model.config.decider not in ("online", "fixed"):
        raise ValueError(f"A model with decider {model.config.decider!r} is made for {model.config.max_depth} iterations, {max_depth} asked.")
    other = Anira(replace(model.config, max_depth=max_depth)).to(next(model.parameters()))
    other.load_state_dict(model.state_dict())
    return other.train(model.training)


def family_name(task: Task) -> str:
    """The name of the graph family that a task draws from; empty for a task without graphs.

    >>> from anira.tasks import Brevo
    >>> family_name(Brevo())
    'physics'
    """
    return type(task.graphs).__name__.lower() if hasattr(task, "graphs") else ""


def with_family(task: Task, name: str) -> Task:
    """The task on the graphs of another family, with that family's default knobs; `ValueError` for an unknown name."""
    known = {family.__name__.lower(): family for family in FAMILIES}
    if name not in known:
        raise ValueError(f"No graph family {name!r}. Known: {', '.join(known)}.")
    if not hasattr(task, "graphs"):
        raise ValueError(f"The task {task.name!r} has no graphs, so it has no graph families.")
    smallest = known[name]().smallest
    return replace(task, graphs=known[name](), sizes=tuple(size for size in task.sizes if size >= smallest) or (smallest,))


def place(size: int, trained: Sequence[int]) -> str:
    """Where a size lies: "trained", "between" trained ones, "below" or "beyond" them.

    >>> [place(size, [3, 5]) for size in (2, 3, 4, 6)]
    ['below', 'trained', 'between', 'beyond']
    """
    if size in trained:
        return "trained"
    return "below" if size < min(trained) else "beyond" if size > max(trained) else "between"


def generalize(
    model: Anira,
    task: Task,
    n: int,
    seed: int,
    sizes: Iterable[int] | None = None,
    families: Iterable[str] = (),
    max_depths: Iterable[int] = (),
) -> pd.DataFrame:
    """One row for each family, largest depth and size; the columns family, max_depth and place, then those of `evaluate`.

    Args:
        sizes: by default the task's own. Sizes that another family cannot make are left out for it.
        families: graph families besides the task's own, at the model's own D.
        max_depths: largest depths besides the model's own, on the task's own family, where the decider permits
            them (see `allow_depth`); elsewhere they are left out.
    """
    sizes = list(task.sizes if sizes is None else sizes)
    own, depth = family_name(task), model.config.max_depth
    cases = [(own, depth, task, model)]
    cases += [(name, depth, with_family(task, name), model) for name in families if name != own]
    if model.config.decider in ("online", "fixed"):
        cases += [(own, other, task, allow_depth(model, other)) for other in max_depths if other != depth]
    frames = []
    for family, max_depth, shifted, deeper in cases:
        smallest = shifted.graphs.smallest if hasattr(shifted, "graphs") else 0
        frame = evaluate(deeper, shifted, n, seed, [size for size in sizes if size >= smallest])
        frames.append(frame.assign(family=family, max_depth=max_depth, place=[place(size, task.sizes) for size in frame["size"]]))
    table = pd.concat(frames, ignore_index=True)
    return table[["family", "max_depth", "place", *(name for name in table.columns if name not in ("family", "max_depth", "place"))]]


def check_table(table: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """The table itself, or a `ValueError` that says what a table of results lacks: rows, columns, or values (NaN)."""
    columns = list(columns)
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise ValueError(f"The table lacks the columns {missing}; it has {list(table.columns)}.")
    if table.empty:
        raise ValueError("The table is empty.")
    holes = [name for name in columns if table[name].isna().any()]
    if holes:
        raise ValueError(f"The table has missing values (NaN) in {holes}.")
    return table


def own_conditions(table: pd.DataFrame) -> pd.DataFrame:
    """The rows on the graphs and with the largest depth that each model was trained with: those that stand first."""
    check_table(table, ["decider", "run_seed", "family", "max_depth"])
    first = table.groupby(["decider", "run_seed"], sort=False)[["family", "max_depth"]].transform("first")
    return table[(table["family"] == first["family"]) & (table["max_depth"] == first["max_depth"])]


def by_size(table: pd.DataFrame, value: str, by: Sequence[str] = ("decider",)) -> pd.DataFrame:
    """Mean of a column over seeds for each group and size, with Student's interval over seeds (NaN for one seed).

    Columns: `by`, size, place, and those of `anira.analysis.intervals`.
    """
    check_table(table, [*by, "size", "place", "run_seed", value])
    return summarize_seeds(table, [*by, "size", "place"], value)


def beyond(table: pd.DataFrame, where: str = "beyond") -> pd.DataFrame:
    """What each model keeps at the sizes of one place, "beyond" or "between" the trained ones.

    `table`: rows as `own_conditions` gives. One row a model: decider, run_seed and

    - exact_trained, depth_trained: at the largest trained size, or for "between" the mean over trained sizes
      next to those left out
    - exact, depth: mean over the sizes of that place
    - retained: exact / exact_trained, NaN if nothing was right to begin with
    - drop: exact_trained - exact
    - growth: depth - depth_trained, in iterations
    - slope: least-squares slope of depth on size over the sizes of that place and the largest trained one, in
      iterations per unit of size, NaN with a single one

    A model without sizes in that place has no row.
    """
    check_table(table, ["decider", "run_seed", "size", "place", "exact_match", "depth"])
    rows = []
    for (decider, run_seed), frame in table.groupby(["decider", "run_seed"], sort=False):
        there, trained = frame[frame["place"] == where], frame[frame["place"] == "trained"]
        if there.empty or trained.empty:
            continue
        if where == "between":
            distance = np.abs(trained["size"].to_numpy()[:, None] - there["size"].to_numpy()).min(1)
            reference = trained[distance == 1] if (distance == 1).any() else trained
        else:
            reference = trained[trained["size"] == trained["size"].max()]
        exact_trained, depth_trained = reference["exact_match"].mean(), reference["depth"].mean()
        exact, depth = there["exact_match"].mean(), there["depth"].mean()
        line = pd.concat([reference, there])
        rows.append(
            {
                "decider": decider,
                "run_seed": run_seed,
                "exact_trained": exact_trained,
                "depth_trained": depth_trained,
                "exact": exact,
                "depth": depth,
                "retained": exact / exact_trained if exact_trained else np.nan,
                "drop": exact_trained - exact,
                "growth": depth - depth_trained,
                "slope": np.polyfit(line["size"], line["depth"], 1)[0] if line["size"].nunique() > 1 else np.nan,
            }
        )
    return pd.DataFrame(rows, columns=["decider", "run_seed", "exact_trained", "depth_trained", "exact", "depth", "retained", "drop", "growth", "slope"])


def slopes(table: pd.DataFrame, value: str = "depth") -> pd.DataFrame:
    """How a column changes over the trained sizes: one row a model, decider, run_seed, slope per unit of size and range (last minus first)."""
    check_table(table, ["decider", "run_seed", "size", "place", value])
    rows = []
    for (decider, run_seed), frame in table[table["place"] == "trained"].groupby(["decider", "run_seed"], sort=False):
        frame = frame.sort_values("size")
        slope = np.polyfit(frame["size"], frame[value], 1)[0] if len(frame) > 1 else np.nan
        change = frame[value].iloc[-1] - frame[value].iloc[0] if len(frame) > 1 else np.nan
        rows.append({"decider": decider, "run_seed": run_seed, "slope": slope, "range": change})
    return pd.DataFrame(rows, columns=["decider", "run_seed", "slope", "range"])


def paired(table: pd.DataFrame, value: str, one: str, other: str) -> pd.DataFrame:
    """`one` minus `other`, seed by seed, for the seeds that both deciders have; columns run_seed and difference.

    A seed gives both the same trunk to start from and the same instances, so the difference is the decider's.
    """
    check_table(table, ["decider", "run_seed"])
    wide = table.pivot_table(index="run_seed", columns="decider", values=value, aggfunc="mean", dropna=False)
    if one not in wide or other not in wide:
        return pd.DataFrame({"run_seed": [], "difference": []})
    return (wide[one] - wide[other]).dropna().rename("difference").reset_index()
