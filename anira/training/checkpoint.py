"""Checkpoints: safetensors with a JSON header, written atomically, loaded without running any code that is in them.

A *model* file holds the weights and what is needed to use them. A *state* file, kept while a run lasts, holds
besides the optimizer's moments, the step and the metrics so far: everything that a killed run needs in order
to arrive where an unbroken one would.

The header of both (format 2):

- kind: "model" or "state";
- run: task, preset, decider, seed and variation, by which tables and folders call the run;
- recipe: all that determines it, see `anira.training.job.recipe_of`; "model" and "task" in it make both again;
- version, commit: of the library that wrote the file, the commit where it ran from a checkout of its repository;
- checksum: SHA-256 of the tensors;
- step, seconds, metrics: how far the run was, how long it took, and what was measured, at the last step or at all.
"""

import errno
import hashlib
import json
import os
import secrets
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from anira import __version__
from anira.model.anira import Anira, Config

FORMAT = 2
DEEPEST = 1000  # iterations; a header that asks for more is damaged
NOT_OFFERED = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EPERM, errno.EACCES}  # what file systems without fsync say, network drives among them


class CheckpointError(ValueError):
    """A checkpoint file is missing, damaged, not one of ours, of another run, or cannot be written."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a crash at any moment, sees the old file or the new one, whole.

    `CheckpointError` if that fails, with a full disk or in a closed folder; the old file is then still there.
    """
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            try:
                os.fsync(file.fileno())
            except OSError as error:
                if error.errno not in NOT_OFFERED:
                    raise
        os.replace(temporary, path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        before = "What it held before is unchanged." if path.is_file() else "It did not exist before."
        raise CheckpointError(
            f"{path} could not be written: {error.strerror or error}. {before} Make room or choose another folder, then give the same command again."
        ) from error


@cache
def commit() -> str | None:
    """The commit of the repository that this library runs from, with "-dirty" where files differ from it; None for an installed one."""
    package = Path(__file__).parents[1]
    git = ["git", "-C", str(package)]
    try:
        top = subprocess.run([*git, "rev-parse", "--show-toplevel"], capture_output=True, text=True, check=True).stdout.strip()
        if Path(top).resolve() != package.parent.resolve():
            return None
        return subprocess.run(
            [*git, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def checksum(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and values of tensors on the CPU, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def write(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> None:
    """Write tensors and a JSON header as one file, atomically; format, version, commit and checksum are added."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    signed = {"format": FORMAT, "version": __version__, "commit": commit(), **header, "checksum": checksum(tensors)}
    write_atomically(Path(path), save(tensors, {"anira": json.dumps(signed)}))


def read_header(path: Path) -> tuple[dict[str, Any], dict[str, tuple[int, ...]]]:
    """Header of a file written by `write`, and the shape of each tensor in it, without reading these.

    Raises:
        CheckpointError: there is no such file, it is damaged or foreign, or of a format that this version does not read.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"There is no checkpoint at {path}.")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})["anira"])
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}
    except (SafetensorError, OSError, LookupError, ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{path} is damaged or was not written by anira ({type(error).__name__}: {error}). Train it again, or fetch a fresh copy."
        ) from error
    if not isinstance(header, dict):
        raise CheckpointError(f"{path} is damaged or was not written by anira: its header is no table of names. Train it again, or fetch a fresh copy.")
    if header.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} has checkpoint format {header.get('format')!r:.40}, this version reads format {FORMAT}. Use the version of anira that wrote it."
        )
    return header, shapes


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and header of a file written by `write`; `CheckpointError` as `read_header`, and if a tensor has changed since."""
    header, _ = read_header(path)
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is damaged ({type(error).__name__}: {error}). Train it again, or fetch a fresh copy.") from error
    if header.get("checksum") != checksum(tensors):
        raise CheckpointError(f"{path} is damaged: its weights are not those that were written. Train it again, or fetch a fresh copy.")
    return tensors, header


def load_model(path: Path) -> tuple[Anira, dict[str, Any]]:
    """The model of a model file, in evaluation mode, with its header.

    What the header says is compared with the shapes in the file before memory is taken for it.

    Raises:
        CheckpointError: as `read`, or the file does not hold a model that this version can make.
    """
    header, shapes = read_header(path)
    try:
        config = Config(**header["recipe"]["model"])
        if config.max_depth > min(DEEPEST, len(shapes) if config.untied else DEEPEST):
            raise ValueError(f"a maximum depth of {config.max_depth}")
        with torch.device("meta"):
            expected = {name: tuple(tensor.shape) for name, tensor in Anira(config).state_dict().items()}
        wrong = sorted(name for name in expected.keys() | shapes.keys() if expected.get(name) != shapes.get(name))
        if wrong:
            raise ValueError(f"{wrong[0]} has shape {shapes.get(wrong[0])}, its configuration asks for {expected.get(wrong[0])}")
    except Exception as error:  # a header may say anything, and so everything may go wrong
        raise CheckpointError(f"{path} does not hold a model of this version of anira ({type(error).__name__}: {str(error):.300}).") from error
    model = Anira(config)
    model.load_state_dict(read(path)[0])
    return model.eval(), header
