"""The command line: `anira train` and `anira evaluate`."""

import argparse
import sys
from pathlib import Path

import pandas as pd
import torch
import torch.distributed as dist

from anira.analysis.evaluation import evaluate
from anira.training.checkpoint import write_atomically
from anira.training.loop import Run, train
from anira.training.presets import PRESETS, preset
from anira.zoo import load


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(prog="anira", description=__doc__)
    commands = parser.add_subparsers(required=True)

    command = commands.add_parser(
        "train",
        help="train a model, or resume its training",
        description="Train a model. Called again with the same arguments it resumes where the last call stopped. Under torchrun, processes share each batch.",
    )
    command.add_argument("task", help=f"one of: {', '.join(sorted({task for task, _ in PRESETS}))}")
    command.add_argument("--decider", default="online", help="early, online, fixed or untied (default: %(default)s)")
    command.add_argument("--preset", default="tiny", help="recipe, see anira.training.presets (default: %(default)s)")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--out", type=Path, help="folder for checkpoints and metrics (default: runs/TASK-DECIDER-PRESET-SEED)")
    command.add_argument("--until", type=int, metavar="STEP", help="stop after this step instead of at the preset's end")
    command.add_argument(
        "--trunk", type=Path, metavar="STATE", help="take the trunk phase over from another run's state.safetensors with the same preset and seed"
    )
    command.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    command.set_defaults(call=_train)

    command = commands.add_parser(
        "evaluate", help="exact match and depth for each size", description="Evaluate models on fresh instances of each size; prints a CSV table."
    )
    command.add_argument("models", nargs="+", help="names of shipped models, or paths of model files")
    command.add_argument("--sizes", help="such as 3-12 (default: the sizes the model was trained on)")
    command.add_argument("--instances", type=int, default=1000, help="of each size (default: %(default)s)")
    command.add_argument("--seed", type=int, default=2026)
    command.add_argument("--out", type=Path, help="write the table here instead")
    command.set_defaults(call=_evaluate)
    return parser


def _evaluate(arguments: argparse.Namespace) -> None:
    sizes = None
    if arguments.sizes:
        first, _, last = arguments.sizes.partition("-")
        if not (first.isdigit() and (last or first).isdigit()):
            raise ValueError(f"--sizes is a number or a range such as 3-12, received {arguments.sizes!r}.")
        sizes = range(int(first), int(last or first) + 1)
    tables = []
    for name in arguments.models:
        model, task, header = load(name)
        table = evaluate(model, task, n=arguments.instances, seed=arguments.seed, sizes=sizes)
        tables.append(table.assign(model=name, decider=model.config.decider, trained=table["size"].isin(task.sizes)))
    text = pd.concat(tables).to_csv(index=False)
    if arguments.out:
        write_atomically(arguments.out, text.encode())
    else:
        print(text, end="")


def _train(arguments: argparse.Namespace) -> None:
    recipe = preset(arguments.task, arguments.preset)
    run = Run.start(recipe, arguments.decider, arguments.seed, {"task": arguments.task, "preset": arguments.preset}, arguments.device)
    folder = arguments.out or Path("runs") / f"{arguments.task}-{arguments.decider}-{arguments.preset}-{arguments.seed}"
    if (folder / "state.safetensors").exists():
        run.restore(folder / "state.safetensors")
    elif arguments.trunk:
        run.restore(arguments.trunk, trunk_only=True)
    train(run, folder, until=arguments.until)


def main() -> None:
    """Entry point; a wrong argument ends with one line on stderr and exit status 2."""
    arguments = parser().parse_args()
    if dist.is_torchelastic_launched():
        dist.init_process_group("nccl" if arguments.device.startswith("cuda") else "gloo")
    try:
        arguments.call(arguments)
    except (ValueError, OSError) as error:
        sys.exit(f"anira: {error}")
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()
