"""Accuracy and depth where a model was not trained: sizes between and beyond, other graphs, more iterations than D.

`generalize` runs a model and gives one row for each graph family, largest depth and size. `anira.analysis.generalization`
reads such rows of several models, with two more columns, decider and run_seed, as `anira evaluate` writes them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, cast

import pandas as pd

from anira.evaluation.evaluate import evaluate
from anira.evaluation.reading import check_asked
from anira.model.anira import Anira
from anira.tasks.graphs import FAMILIES
from anira.tasks.task import Split, Task


def allow_depth(model: Anira, max_depth: int) -> Anira:
    """The same weights with another largest depth D, for deciders whose weights do not depend on it: the model itself, or `Anira.with_depth`."""
    return model if max_depth == model.config.max_depth else model.with_depth(max_depth)


def family_name(task: Task) -> str:
    """The name of the graph family that a task draws from; "none" for a task without graphs.

    >>> from anira.tasks import Brevo
    >>> family_name(Brevo())
    'physics'
    """
    return type(task.graphs).__name__.lower() if hasattr(task, "graphs") else "none"


def with_family(task: Task, name: str) -> Task:
    """The task on the graphs of another family, with that family's default knobs; `ValueError` for an unknown name."""
    known = {family.__name__.lower(): family for family in FAMILIES}
    if name not in known:
        raise ValueError(f"No graph family {name!r}. Known: {', '.join(known)}.")
    if not hasattr(task, "graphs"):
        raise ValueError(f"The task {task.name!r} has no graphs, so it has no graph families.")
    smallest = known[name]().smallest
    return replace(cast(Any, task), graphs=known[name](), sizes=tuple(size for size in task.sizes if size >= smallest) or (smallest,))


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
    *,
    split: Split = "held_out",
) -> pd.DataFrame:
    """One row for each family, largest depth and size; the columns family, max_depth, own and place, then those of `evaluate`.

    `own` says of a row that its family and its largest depth are those that the model was trained with.

    Args:
        sizes: by default the task's own. Sizes that another family cannot make are left out for it.
        families: graph families besides the task's own, at the model's own D.
        max_depths: largest depths besides the model's own, on the task's own family, where the decider permits
            them (see `Anira.with_depth`); elsewhere they are left out.
        split: which problems are drawn; "held_out" are those that no training sees.

    Raises:
        ValueError: an unknown family, a model of another vocabulary, no instances, no sizes, or a size that the task
            itself cannot make.
    """
    sizes = check_asked(model, task, n, sizes)
    own, depth = family_name(task), model.config.max_depth
    cases = [(own, depth, task, model)]
    cases += [(name, depth, with_family(task, name), model) for name in families if name != own]
    if model.any_depth:
        cases += [(own, other, task, allow_depth(model, other)) for other in max_depths if other != depth]
    frames = []
    for family, max_depth, shifted, deeper in cases:
        possible = sizes if shifted is task else [size for size in sizes if size >= cast(Any, shifted).graphs.smallest]
        if not possible:
            continue
        frame = evaluate(deeper, shifted, n, seed, possible, split=split)
        places = [place(size, task.sizes) for size in frame["size"]]
        frames.append(frame.assign(family=family, max_depth=max_depth, own=(family, max_depth) == (own, depth), place=places))
    table = pd.concat(frames, ignore_index=True)
    first = ["family", "max_depth", "own", "place"]
    return table[[*first, *(name for name in table.columns if name not in first)]]
