"""The commands that train: `anira train` and `anira grid`."""

import argparse
import os
import sys
from pathlib import Path

import torch

from anira.cli.arguments import folder, positive, takes_machine, whole
from anira.model.deciders import variants
from anira.training.grid import read_grid, run_grid
from anira.training.job import Job
from anira.training.presets import DURATIONS, PRESETS, SCHEDULES
from anira.training.processes import joined, rank


def declare(name: str, command: argparse.ArgumentParser) -> None:
    """The arguments of `anira train` or `anira grid`."""
    {"train": _declare_train, "grid": _declare_grid}[name](command)


def _declare_train(command: argparse.ArgumentParser) -> None:
    durations = "\n".join(f"  {task:6} {name:12} {DURATIONS.get((task, name), 'not measured')}" for task, name in PRESETS)
    command.description = (
        "Train a model. Called again with the same arguments it resumes where the last call stopped.\nUnder torchrun, processes share each batch."
    )
    command.epilog = f"recipes, and how long they take on one core of a busy machine (AVX2, 2.4 GHz; about half when it is idle):\n{durations}"
    tasks = ", ".join(sorted({task for task, _ in PRESETS}))
    command.add_argument("task", help=f"one of: {tasks}; or MODULE:NAME, a Preset of your own")
    command.add_argument("--decider", default="online", help=f"{', '.join(variants())}, or one that MODULE registers (default: %(default)s)")
    command.add_argument("--preset", default="tiny", help="recipe, see the list below (default: %(default)s)")
    command.add_argument("--seed", type=whole(0), default=0, help="of weights and instances (default: %(default)s)")
    command.add_argument("--out", type=folder, help="folder for checkpoints and metrics (default: runs/TASK-DECIDER-PRESET-SEED…)")
    command.add_argument("--until", type=whole(1), metavar="STEP", help="stop after this step instead of at the preset's end")
    command.add_argument("--trunk", type=Path, metavar="STATE", help="take the trunk phase over from the state.safetensors of another run that shares it")
    command.add_argument("--penalty", type=positive, help="γ at its full height, instead of the preset's")
    command.add_argument("--schedule", default="preset", choices=SCHEDULES, help="of depth, see anira.training.presets (default: %(default)s)")
    takes_machine(command)
    command.add_argument("--workers", type=whole(0), default=0, metavar="N", help="processes that make batches ahead (default: %(default)s)")
    command.add_argument("--compile", action="store_true", help="compile the layers: about a quarter faster after a minute, and rounded differently")
    command.set_defaults(call=_train)


def _declare_grid(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Train all the runs that a file stands for (see anira.training.grid), as many at a time as there are cores.\n"
        "Called again it skips what is finished and resumes what is not. Needs Ray: pip install anira[grid]."
    )
    command.add_argument("file", type=Path, help="TOML file of [[grid]] tables")
    command.add_argument(
        "--out", type=folder, default=Path("runs"), help="folder of the runs' folders; a cluster's machines must all see it (default: %(default)s)"
    )
    command.add_argument("--address", default="local", help="of a Ray cluster (default: this machine alone)")
    command.add_argument("--cpus", type=positive, default=1, help="cores for one run (default: %(default)s)")
    command.add_argument("--gpus", type=float, default=0, help="GPUs for one run, a fraction to share one (default: %(default)s)")
    command.add_argument("--compile", action="store_true", help="as for train")
    command.set_defaults(call=_grid)


def _train(arguments: argparse.Namespace) -> None:
    torch.set_num_threads(arguments.threads)
    if ":" in arguments.task:
        sys.path.insert(0, os.getcwd())  # the module may lie here
    job = Job(arguments.task, arguments.decider, arguments.preset, arguments.seed, arguments.penalty, arguments.schedule)
    folder = arguments.out or Path("runs") / job.name
    with joined(arguments.device) as device:
        run = job.run(folder, until=arguments.until, trunk=arguments.trunk, device=device, compiled=arguments.compile, workers=arguments.workers)
        first = rank() == 0
    if not first:
        return
    if run.step < run.preset.steps:
        print(f"At step {run.step} of {run.preset.steps}. The same command without --until goes on from there.")
    else:
        print(f"Finished: {folder / 'model.safetensors'}. What was measured on the way: {folder / 'metrics.csv'}.")
        print(f"Ask it: anira evaluate {folder}, or in Python: anira.load({str(folder)!r}).")


def _grid(arguments: argparse.Namespace) -> None:
    jobs = read_grid(arguments.file)
    failures = run_grid(jobs, arguments.out, address=arguments.address, cpus=arguments.cpus, gpus=arguments.gpus, compiled=arguments.compile)
    if failures:
        raise ValueError("\n".join([f"{len(failures)} of {len(jobs)} runs failed:", *(f"{name}: {message}" for name, message in failures.items())]))
