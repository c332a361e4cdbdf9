"""Small trained models that ship with the package, each with the recipe that made it.

`anira.load("brevo-online-tiny")` needs no network. A model file of your own, or the folder of a run, works as well.
"""

from pathlib import Path
from typing import Any, NamedTuple

from anira.model.anira import Anira
from anira.tasks import TASKS, from_json
from anira.tasks.task import Task
from anira.training.checkpoint import CheckpointError, load_model

FOLDER = Path(__file__).parent


class Loaded(NamedTuple):
    """A trained model, the task it was trained on, and the header of its file, see `anira.training.checkpoint`."""

    model: Anira
    task: Task
    header: dict[str, Any]


def names() -> list[str]:
    """Names of the models that ship with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.safetensors"))


def load(name: str | Path) -> Loaded:
    """A shipped model by its name, or a model file or the folder of a run by its path, ready for evaluation.

    Raises:
        CheckpointError: unknown name (the message lists the known ones), a run that has not ended, a damaged or
            foreign file, a task that is not known here, or one whose vocabulary is not the model's.

    >>> model, task, header = load("brevo-online-tiny")
    >>> task.name, model.config.decider
    ('brevo', 'online')
    """
    shipped = FOLDER / f"{name}.safetensors"
    path = shipped if shipped.is_file() else Path(name)
    if path.is_dir():
        path /= "model.safetensors"
        if not path.is_file():
            raise CheckpointError(f"The folder {name} holds no model.safetensors: a run writes it when it ends. Give the command that began it once more.")
    if not path.is_file():
        raise CheckpointError(f"No model named {str(name)!r}, and no such file. Shipped models: {', '.join(names())}.")
    model, header = load_model(path)
    return Loaded(model, _task(path, model, header), header)


def _task(path: Path, model: Anira, header: dict[str, Any]) -> Task:
    try:
        task = from_json(header["recipe"]["task"])
        if not isinstance(task, tuple(TASKS.values())):
            raise ValueError(f"{type(task).__name__} is no task.")
    except Exception as error:  # a header may say anything, and so everything may go wrong
        raise CheckpointError(
            f"{path} does not say which task it was trained on, or that task is not known here ({type(error).__name__}: {str(error):.300}). "
            "A task of your own must be registered before its models are loaded."
        ) from error
    if len(task.vocabulary) != model.config.vocabulary:
        raise CheckpointError(f"{path} holds a model of {model.config.vocabulary} tokens, and the task that it names has {len(task.vocabulary)}.")
    return task
