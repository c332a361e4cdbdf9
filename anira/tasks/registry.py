"""The tasks by name, those of others among them, and their way in and out of JSON.

A file names a task by its class and gives its fields. Reading one makes only what is registered: no import path is
ever followed out of a file. So a task of somebody's own is registered by its author's module, which must be imported first.
"""

import inspect
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, cast

from anira.tasks.brevo import Brevo
from anira.tasks.clrs import Clrs
from anira.tasks.depo import Depo
from anira.tasks.grammar import Grammar
from anira.tasks.graphs import FAMILIES
from anira.tasks.lano import Lano
from anira.tasks.mano import Mano
from anira.tasks.task import MEMBERS, Task

T = TypeVar("T", bound=Task)

TASKS: dict[str, type[Task]] = {task.name: task for task in (Brevo, Clrs, Depo, Lano, Mano)}
PARTS = {part.__name__: part for part in (*FAMILIES, Grammar)}  # what a field of a task can be, beside plain values
DEPTH = 20  # of lists in lists in a description


def register(task: type[T]) -> type[T]:
    """Make a task of your own known by its name, to files and to the command line; use as a decorator of its class.

    The class has the members of `Task`. It is a dataclass whose fields are plain values (numbers, strings, None, and tuples or
    dicts of them), a family of graphs or a `Grammar`; or it has a method `to_json()`, a dict of JSON's types, and a
    class method `from_json(values)` that makes an equal task from it.

    Raises:
        ValueError: a member is missing, `sample` or `batch` take no `split`, the class says of itself neither as a
            dataclass nor by the two methods, or another class has its name.
    """
    missing = [name for name in MEMBERS if not hasattr(task, name) and name not in getattr(task, "__dataclass_fields__", ())]
    if missing:
        raise ValueError(f"{task.__name__} lacks {', '.join(missing)}. A task has the members of anira.tasks.task.Task.")
    for name in ("sample", "batch"):
        if "split" not in inspect.signature(getattr(task, name)).parameters:
            raise ValueError(f"{task.__name__}.{name} takes no split, so nothing keeps held-out problems out of training: add *, split='any'. See `in_split`.")
    if not is_dataclass(task) and not (callable(getattr(task, "to_json", None)) and callable(getattr(task, "from_json", None))):
        raise ValueError(f"{task.__name__} cannot be written to a file: make it a dataclass, or give it to_json() and a class method from_json(values).")
    for other in TASKS.values():
        again = (other.__module__, other.__qualname__) == (task.__module__, task.__qualname__)  # a cell of a notebook run twice
        if not again and task.name == other.name or not again and task.__name__ == other.__name__ or task.__name__ in PARTS:
            raise ValueError(f"The name {task.name!r} or {task.__name__} is taken by {other.__module__}.{other.__qualname__}. Choose another.")
    TASKS[cast(str, task.name)] = task
    return task


def to_json(task: Task) -> dict[str, Any]:
    """What it takes to make the same task again, in JSON's types; `ValueError` for a task that could not be.

    >>> from anira.tasks.graphs import Chains
    >>> to_json(Brevo(sizes=(3, 4), graphs=Chains()))
    {'kind': 'Brevo', 'sizes': [3, 4], 'node_names': 16, 'graphs': {'kind': 'Chains', 'chains': 1}}
    """
    kind = type(task)
    if TASKS.get(getattr(kind, "name", "")) is not kind:
        raise ValueError(f"{kind.__name__} is no registered task, so no file can name it: add @anira.tasks.register to its class, in a module of its own.")
    values = cast(Any, task).to_json() if not is_dataclass(kind) else {field.name: getattr(task, field.name) for field in fields(kind)}
    if not isinstance(values, dict) or "kind" in values:
        raise ValueError(f"The values of a {kind.__name__} are a dict without the key 'kind', received {values!r}.")
    return {"kind": kind.__name__, **{name: _plain(value, f"{kind.__name__}.{name}") for name, value in values.items()}}


def from_json(description: Mapping[str, Any]) -> Task:
    """The task that `to_json` described; `ValueError` for whatever else it is given."""
    kind = description.get("kind") if isinstance(description, dict) else None
    kinds = {task.__name__: task for task in TASKS.values()}
    if not isinstance(kind, str) or kind not in kinds:
        what = f"of kind {kind!r:.100}" if kind is not None else f"of {type(description).__name__}"
        raise ValueError(f"No task can be made {what}. Known: {', '.join(kinds)}. Any other is registered by its author's module: import that first.")
    return _made(kinds[kind], description, 0)


def _plain(value, where, depth=0):
    if type(value) in PARTS.values():
        return {"kind": type(value).__name__, **{field.name: _plain(getattr(value, field.name), where) for field in fields(value)}}
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) in (tuple, list) and depth < DEPTH:
        return [_plain(item, where, depth + 1) for item in value]
    if type(value) is dict and depth < DEPTH and all(type(key) is str and key != "kind" for key in value):
        return {key: _plain(item, where, depth + 1) for key, item in value.items()}
    raise ValueError(
        f"{where} is {value!r:.200} of {type(value).__name__}, which no file can hold. Turn it into plain numbers, strings or tuples when the task is made."
    )


def _value(value, depth):
    if depth > DEPTH:
        raise ValueError(f"it is nested more than {DEPTH} deep")
    if isinstance(value, list):
        return tuple(_value(item, depth + 1) for item in value)
    if not isinstance(value, dict):
        return value
    if "kind" not in value:
        return {key: _value(item, depth + 1) for key, item in value.items()}
    if not isinstance(value["kind"], str) or value["kind"] not in PARTS:
        raise ValueError(f"{value['kind']!r:.100} is no part of a task; known: {', '.join(PARTS)}")
    return _made(PARTS[value["kind"]], value, depth + 1)


def _made(kind, description, depth):
    try:
        values = {name: _value(value, depth + 1) for name, value in description.items() if name != "kind"}
        return kind(**values) if is_dataclass(kind) else kind.from_json(values)
    except Exception as error:  # whatever a constructor makes of values that are not its own
        raise ValueError(f"No {kind.__name__} can be made as described: {error!s:.500}") from error
