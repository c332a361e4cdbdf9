"""Small trained models that ship with the package, each with the command that made it.

`anira.load("brevo-online-tiny")` needs no network. A path to a model file of your own works as well.
"""

from pathlib import Path
from typing import NamedTuple

from anira.model.anira import Anira
from anira.tasks import from_json
from anira.tasks.task import Task
from anira.training.checkpoint import CheckpointError, load_model

FOLDER = Path(__file__).parent


class Loaded(NamedTuple):
    """A trained model, the task it was trained on, and its header (command, step, seed, metrics …)."""

    model: Anira
    task: Task
    header: dict


def names() -> list[str]:
    """Names of the models that ship with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.safetensors"))


def load(name: str | Path) -> Loaded:
    """A shipped model by its name, or a model file of your own by its path, ready for evaluation.

    Raises:
        CheckpointError: unknown name (the message lists the known ones), damaged or foreign file.

    >>> model, task, header = load("brevo-online-tiny")
    >>> task.name, model.config.decider
    ('brevo', 'online')
    """
    shipped = FOLDER / f"{name}.safetensors"
    path = shipped if shipped.is_file() else Path(name)
    if not path.is_file():
        raise CheckpointError(f"No model named {str(name)!r}, and no such file. Shipped models: {', '.join(names())}.")
    model, header = load_model(path)
    try:
        return Loaded(model, from_json(header["task"]), header)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} does not say which task it was trained on: {error}") from error
