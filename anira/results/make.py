"""`anira tables`: make the stored tables from the models and learning curves at hand, as `tables.toml` declares them.

Rows of models that are not at hand, trained on another machine, stay as they are. A table TASK-PRESET asks the models of the
plain preset (variation "none"), TASK-PRESET-constant or TASK-PRESET-longer those on that schedule; learning curves are taken of all runs.
"""

import io
import json
import lzma
import shlex
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from safetensors import SafetensorError, safe_open

from anira.results import all_declared, declared
from anira.training.checkpoint import write_atomically
from anira.training.presets import SCHEDULES

LONG = ("traces", "interventions", "readouts", "distractors")  # kinds whose tables are compressed
IDENTITY = ("model", "task", "decider", "preset", "run_seed", "variation")


class Run(NamedTuple):
    """A run at hand: its model or state file, and the columns that say which run it is."""

    path: Path
    identity: dict


def identity(header: dict, label: str) -> dict:
    """The columns `IDENTITY` of what a file's header tells; where it does not tell: "unknown", of a preset "none", seed 0."""
    run, config = header.get("run", {}), header.get("config", {})
    values = (
        label,
        run.get("task", "unknown"),
        run.get("decider") or ("untied" if config.get("untied") else config.get("decider", "unknown")),
        run.get("preset", "none"),
        run.get("seed", 0),
        run.get("variation") or "none",
    )
    return dict(zip(IDENTITY, values, strict=True))


def label(path: str | Path) -> str:
    """A model's name in tables: of the folder that its run left it in, of its file, or as it ships.

    >>> label("runs/brevo-early-tiny-3/model.safetensors"), label("mine/patient.safetensors"), label("brevo-early-tiny")
    ('brevo-early-tiny-3', 'patient', 'brevo-early-tiny')
    """
    path = Path(path)
    if path.name == "model.safetensors":
        return path.resolve().parent.name
    return path.stem if path.suffix == ".safetensors" else path.resolve().name


def make(run: Callable[[list[str]], None], out: Path, folders: Iterable[Path], wanted: Iterable[str] = ()) -> Iterator[tuple[str, int]]:
    """Make the tables for which there is something at hand; yields the name of each, as KIND/NAME, and how many runs went into it.

    Args:
        run: runs a command line of `anira`.
        out: the tables' folder.
        folders: where models are looked for, and learning curves, at any depth.
        wanted: kinds, or tables as KIND/NAME; all if there are none.
    """
    files = sorted({path for folder in folders for path in Path(folder).rglob("*.safetensors")})
    found: dict[str, Run] = {}
    for path in files:
        header = _header(path)
        if header.get("kind") == "model":
            found.setdefault(label(path), Run(path, identity(header, label(path))))
    curves = [Run(path, identity(_header(path), path.parent.name)) for path in files if (path.parent / "metrics.csv").is_file()]
    curves = list({one.path.parent: one for one in curves}.values())
    wanted = set(wanted)
    known = {one for kind, name in all_declared() for one in (kind, f"{kind}/{name}")}
    if wanted - known:
        raise ValueError(f"There are no tables {', '.join(sorted(wanted - known))}. Known: {', '.join(sorted(known))}.")
    for kind, name in all_declared():
        table = declared(kind, name)
        if wanted and not wanted & {kind, f"{kind}/{name}"}:
            continue
        variation = schedule if (schedule := name.rpartition("-")[2]) in SCHEDULES else "none"
        task, _, preset = name.removesuffix(f"-{variation}").partition("-")
        runs = [one for one in (found.values() if table.made == "models" else curves) if (one.identity["task"], one.identity["preset"]) == (task, preset)]
        path = out / kind / f"{name}{'.csv.xz' if kind in LONG else '.csv'}"
        if table.made == "curves":
            if runs:
                _collect(runs, path)
                yield f"{kind}/{name}", len(runs)
        elif table.made == "models":
            command, *options = shlex.split(table.command)
            named = bool(options) and not options[0].startswith("-")
            models = [
                str(one.path)
                for one in runs
                if one.identity["variation"] == variation and one.identity["decider"] in (table.deciders or [one.identity["decider"]])
            ]
            if named or models:
                run([command, *([] if named else models), *options, "--out", str(path)])
                yield f"{kind}/{name}", len(models)


def _header(path: Path) -> dict:
    try:
        with safe_open(path, framework="pt") as file:
            return json.loads((file.metadata() or {}).get("anira", "{}"))
    except (SafetensorError, OSError, ValueError):
        return {}


def _collect(runs: list[Run], path: Path) -> None:
    """Put learning curves into their table, in place of what it says of these runs."""
    frames = []
    for one in runs:
        curve = pd.read_csv(one.path.parent / "metrics.csv", dtype=str, keep_default_na=False)
        curve = curve.drop(columns=[name for name in IDENTITY if name in curve])
        frames.append(pd.concat([pd.DataFrame(one.identity, index=curve.index).astype(str), curve], axis=1))
    put(pd.concat(frames), path)


def put(table: pd.DataFrame, path: Path) -> None:
    """Put rows of models into the table of a file, in place of what it says of these models; compressed if its name ends in .xz.

    `ValueError` if the file is something else, or has other columns. Rows of other models stay as they are, to the letter.
    """
    texts = table.to_csv(index=False).encode()
    if path.exists():
        try:
            others = pd.read_csv(path, dtype=str, keep_default_na=False)  # as text: numbers stay as they are written
        except (EOFError, lzma.LZMAError, ValueError) as error:
            raise ValueError(f"{path} cannot be read as a table ({error}). Choose another --out.") from error
        if "model" not in others:
            raise ValueError(f"{path} is no table of models: it has no column 'model'. Choose another --out.")
        if set(others) != set(table):
            raise ValueError(f"{path} has other columns: {sorted(set(others) ^ set(table))} are in one of the two. Choose another --out.")
        kept = others[~others["model"].isin(table["model"])]
        new = pd.read_csv(io.BytesIO(texts), dtype=str, keep_default_na=False)
        texts = pd.concat([kept, new[list(others)]]).sort_values("model", kind="stable").to_csv(index=False).encode()
    write_atomically(path, lzma.compress(texts) if path.suffix == ".xz" else texts)
