"""Checkpoints: safetensors with a JSON header, written atomically, loaded without running pickled code.

A *model* file holds the weights and what is needed to use them. A *state* file, kept while a run lasts, holds
besides the optimizer's moments, the step and the metrics so far: everything that a killed run needs in order
to arrive where an unbroken one would.
"""

import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from anira.model.anira import Anira, Config

FORMAT = 1


class CheckpointError(ValueError):
    """A checkpoint file is missing, damaged, not one of ours, or cannot be written."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a crash at any moment, sees the old file or the new one, whole.

    `CheckpointError` if that fails, with a full disk or in a closed folder; the old file is then still there.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        before = "What it held before is unchanged." if path.is_file() else "It did not exist before."
        raise CheckpointError(
            f"{path} could not be written: {error.strerror or error}. {before} Make room or choose another folder, then give the same command again."
        ) from error


def write(path: Path, tensors: dict[str, torch.Tensor], header: dict) -> None:
    """Write tensors and a JSON header as one file, atomically."""
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_atomically(Path(path), save(contiguous, {"anira": json.dumps({"format": FORMAT, **header})}))


def read(path: Path) -> tuple[dict[str, torch.Tensor], dict]:
    """Tensors and header of a file written by `write`; `CheckpointError` if it is not one, or damaged."""
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"There is no checkpoint at {path}.")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})["anira"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise CheckpointError(
            f"{path} is damaged or was not written by anira ({type(error).__name__}: {error}). Train it again, or fetch a fresh copy."
        ) from error
    if header.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} has checkpoint format {header.get('format')}, this version reads format {FORMAT}. Use the version of anira that wrote it."
        )
    return tensors, header


def save_model(path: Path, model: Anira, header: dict) -> None:
    """Write a model's weights with its configuration and `header` (task, preset, step, seed, metrics …)."""
    write(path, model.state_dict(), {**header, "config": asdict(model.config)})


def load_model(path: Path) -> tuple[Anira, dict]:
    """The model of a file written by `save_model`, in evaluation mode, with its header."""
    tensors, header = read(path)
    try:
        model = Anira(Config(**header["config"]))
        model.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path} does not hold a model of this version of anira: {error}") from error
    return model.eval(), header
