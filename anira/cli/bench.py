"""`anira bench`: what depth costs and saves, measured on this machine."""

import argparse
from pathlib import Path

import pandas as pd
import torch

from anira.bench.contenders import Shape
from anira.bench.profile import where_time_goes
from anira.bench.suite import LENGTH, USUAL, WIDTHS, WORKS, bench, summary
from anira.cli.arguments import folder, takes_machine, whole
from anira.training.checkpoint import write_atomically


def declare(name: str, command: argparse.ArgumentParser) -> None:
    """The arguments of `anira bench`."""
    command.description = (
        "Measure sparse execution beside other ways to do the same work; writes bench.csv, a row for each repetition, bench.svg, and profile.csv. "
        "Half an hour for all but `large`, which is for a GPU, on two cores."
    )
    command.add_argument("works", nargs="*", metavar="work", type=_work, default=list(USUAL), help=f"{', '.join(WORKS)} (default: all but large)")
    takes_machine(command, threads=torch.get_num_threads())
    command.add_argument("--repetitions", type=whole(1), default=5, metavar="N", help="of each contender, interleaved (default: %(default)s)")
    command.add_argument("--out", type=folder, default=Path("runs/bench"), help="folder for table and chart (default: %(default)s)")
    command.set_defaults(call=_bench)


def _work(text: str) -> str:
    if text not in WORKS:
        raise argparse.ArgumentTypeError(f"expected {', '.join(WORKS)}, received {text!r}")
    return text


def _bench(arguments: argparse.Namespace) -> None:
    from anira.charts.cost import speed_ups_at

    torch.set_num_threads(arguments.threads)
    table = bench(arguments.works, torch.device(arguments.device), arguments.repetitions)
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_atomically(arguments.out / "bench.csv", table.to_csv(index=False, float_format="%.6g").encode())
    speed_ups_at(summary(table)).save(arguments.out / "bench.svg")
    profiles = pd.concat([where_time_goes(Shape(width, 64, LENGTH), torch.device(arguments.device)) for width in WIDTHS])
    write_atomically(arguments.out / "profile.csv", profiles.to_csv(index=False, float_format="%.4g").encode())
