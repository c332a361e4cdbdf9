"""The tasks by name, and their way in and out of JSON."""

from dataclasses import fields, is_dataclass

from anira.tasks import graphs
from anira.tasks.brevo import Brevo
from anira.tasks.clrs import Clrs
from anira.tasks.depo import Depo
from anira.tasks.grammar import Grammar
from anira.tasks.lano import Lano
from anira.tasks.mano import Mano
from anira.tasks.task import Task

TASKS = {"brevo": Brevo, "clrs": Clrs, "depo": Depo, "lano": Lano, "mano": Mano}


def to_json(task: Task) -> dict:
    """What it takes to make the same task again, in JSON's types.

    >>> from_json(to_json(Brevo(sizes=(3, 4), graphs=graphs.Chains()))).graphs
    Chains(chains=1)
    """
    values = ((field.name, getattr(task, field.name)) for field in fields(task))
    return {"kind": type(task).__name__, **{name: to_json(value) if is_dataclass(value) else value for name, value in values}}


def from_json(description: dict) -> Task:
    """The task that `to_json` described; `ValueError` for a kind that this version does not know."""
    kinds = {kind.__name__: kind for kind in (*TASKS.values(), *graphs.FAMILIES, Grammar)}
    values = {name: from_json(value) if isinstance(value, dict) else value for name, value in description.items() if name != "kind"}
    if description.get("kind") not in kinds:
        raise ValueError(f"Unknown kind of task {description.get('kind')!r}. Known: {', '.join(kinds)}.")
    return kinds[description["kind"]](**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})
