"""The command line: `anira train`, and the commands that make tables of trained models."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch

from anira.analysis.question import depth_on_operators, operator_effects
from anira.bench.contenders import Shape
from anira.bench.profile import where_time_goes
from anira.bench.suite import LENGTH, WIDTHS, WORKS, bench, summary
from anira.charts.cost import speed_ups_at
from anira.evaluation.generalize import family_name, generalize
from anira.evaluation.interventions import intervene
from anira.evaluation.probes import GIVEN, probe
from anira.evaluation.question import question_trace
from anira.evaluation.stopping import frontier
from anira.evaluation.trace import trace
from anira.results.make import identity, label, make, put
from anira.tasks.graphs import FAMILIES
from anira.training.checkpoint import write_atomically
from anira.training.commands import add_commands
from anira.zoo import Loaded, load


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(prog="anira", description=__doc__)
    commands = parser.add_subparsers(required=True)

    add_commands(commands)

    command = commands.add_parser(
        "evaluate", help="exact match and depth for each size", description="Evaluate models on fresh instances of each size; prints a CSV table."
    )
    _takes_models(command, instances=1000)
    command.add_argument("--families", nargs="+", default=[], metavar="FAMILY", help="graph families besides the one trained on, or: all")
    command.add_argument(
        "--max-depths", nargs="+", default=[], type=int, metavar="D", help="largest depths besides the one trained with, where a decider permits"
    )
    command.set_defaults(call=_table, rows=_evaluation)

    for name, (rows, instances, help, description) in TABLES.items():
        command = commands.add_parser(name, help=help, description=f"{description}; prints a CSV table.")
        _takes_models(command, instances)
        command.set_defaults(call=_table, rows=rows)

    command = commands.add_parser(
        "probe",
        help="how much of a token's difficulty its state shows, before the first iteration and after each",
        description="Train probes of the decider's form to tell features of answer tokens from a model's states, with all sizes mixed; prints a CSV table.",
    )
    _takes_models(command, instances=1000)
    command.add_argument("--given", nargs="*", choices=GIVEN, default=GIVEN, help="what the probe is told besides the state (default: size place)")
    command.set_defaults(call=_table, rows=_probe)

    command = commands.add_parser(
        "tables",
        help="make the tables that the book reads",
        description="Make the stored tables from the models and learning curves at hand, as anira/results/tables.toml says; rows of other models stay.",
    )
    command.add_argument("tables", nargs="*", metavar="TABLE", help="kinds, or tables as KIND/NAME (default: all for which there is something at hand)")
    command.add_argument("--models", nargs="+", type=Path, default=[Path("runs"), Path("book/models")], metavar="FOLDER", help="where models and curves are")
    command.add_argument("--out", type=Path, default=Path("anira/results"), help="folder of the tables (default: %(default)s)")
    command.set_defaults(call=_tables)

    command = commands.add_parser(
        "bench",
        help="time and memory of sparse execution beside other ways",
        description="Measure sparse execution beside other ways to do the same work; writes bench.csv, a row for each repetition, bench.svg, and profile.csv.",
    )
    command.add_argument("works", nargs="*", metavar="work", help=f"{', '.join(WORKS)} (default: all)")
    command.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    command.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of the CPU (default: %(default)s)")
    command.add_argument("--repetitions", type=int, default=5, help="of each contender, interleaved (default: %(default)s)")
    command.add_argument("--out", type=Path, default=Path("runs/bench"), help="folder for table and chart (default: %(default)s)")
    command.set_defaults(call=_bench)
    return parser


def _takes_models(command: argparse.ArgumentParser, instances: int) -> None:
    command.add_argument("models", nargs="+", help="names of shipped models, or paths of model files")
    command.add_argument("--sizes", help="such as 3-12 (default: the sizes the model was trained on)")
    command.add_argument("--instances", type=int, default=instances, help="of each size (default: %(default)s)")
    command.add_argument("--seed", type=int, default=2026)
    command.add_argument(
        "--out", type=Path, help="put the rows into this table instead, in place of what it says of these models; compressed if its name ends in .xz"
    )


def _sizes(text: str | None) -> range | None:
    if not text:
        return None
    first, _, last = text.partition("-")
    if not (first.isdigit() and (last or first).isdigit()):
        raise ValueError(f"--sizes is a number or a range such as 3-12, received {text!r}.")
    return range(int(first), int(last or first) + 1)


def _table(arguments: argparse.Namespace) -> None:
    """Print the rows that each model gives, with columns that say which model it is, or put them into a table."""
    tables = []
    for name in arguments.models:
        loaded = load(name)
        table = arguments.rows(loaded, arguments)
        columns = {**identity(loaded.header, label(name)), "weights": loaded.header.get("checksum", "unknown")[:12]}
        for place, (column, value) in enumerate(columns.items()):
            table.insert(place, column, value)
        tables.append(table)
    table = pd.concat(tables).sort_values("model", kind="stable")
    if arguments.out:
        put(table, arguments.out)
    else:
        print(table.to_csv(index=False), end="")


def _tables(arguments: argparse.Namespace) -> None:
    """Make the stored tables again."""

    def run(argv: list[str]) -> None:
        print("anira", *argv, file=sys.stderr)
        asked = parser().parse_args(argv)
        asked.call(asked)

    for table, runs in make(run, arguments.out, arguments.models, arguments.tables):
        print(f"{table}: {runs} runs", file=sys.stderr)


def _evaluation(loaded: Loaded, arguments: argparse.Namespace) -> pd.DataFrame:
    names = [family.__name__.lower() for family in FAMILIES] if arguments.families == ["all"] else arguments.families
    families = names if family_name(loaded.task) != "none" else []
    sizes, depths = _sizes(arguments.sizes), arguments.max_depths
    return generalize(loaded.model, loaded.task, arguments.instances, arguments.seed, sizes=sizes, families=families, max_depths=depths)


def _question(loaded: Loaded, arguments: argparse.Namespace) -> pd.DataFrame:
    traced = question_trace(*_sample(loaded, arguments))
    return depth_on_operators(traced).assign(**operator_effects(traced))


def _probe(loaded: Loaded, arguments: argparse.Namespace) -> pd.DataFrame:
    model, task, sizes, instances, seed = _sample(loaded, arguments)
    return probe(model, replace(task, sizes=tuple(sizes)), instances * len(sizes), seed, given=arguments.given).round(5)


def _sample(loaded: Loaded, arguments: argparse.Namespace) -> tuple:
    """What is asked about: the model, its task, sizes, instances of each, seed."""
    return loaded.model, loaded.task, _sizes(arguments.sizes) or loaded.task.sizes, arguments.instances, arguments.seed


# Tables with a row for each of many things, and no options but the common ones: rows, instances of each size, help, description.
TABLES = {
    "stopping": (
        lambda loaded, arguments: frontier(loaded.model, loaded.task, arguments.instances, arguments.seed, sizes=_sizes(arguments.sizes)),
        300,
        "accuracy and cost of each stopping rule",
        "Run models under each stopping rule and at each uniform depth",
    ),
    "question": (
        _question,
        500,
        "depth on MANO's operators",
        "Mean depth of operators by slots left and subtree completed, for each model",
    ),
    "trace": (
        lambda loaded, arguments: trace(*_sample(loaded, arguments)).round(4),
        300,
        "the depth of every answer token beside its difficulty",
        "Trace models on the same instances, one row per answer token",
    ),
    "intervene": (
        lambda loaded, arguments: intervene(*_sample(loaded, arguments)),
        100,
        "accuracy when tokens get another depth than they chose",
        "Run models with shifted, fixed and shuffled depths on the same instances, one row per instance and intervention",
    ),
}


def _bench(arguments: argparse.Namespace) -> None:
    torch.set_num_threads(arguments.threads)
    table = bench(arguments.works or list(WORKS), torch.device(arguments.device), arguments.repetitions)
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_atomically(arguments.out / "bench.csv", table.to_csv(index=False, float_format="%.6g").encode())
    speed_ups_at(summary(table)).save(arguments.out / "bench.svg")
    profiles = pd.concat([where_time_goes(Shape(width, 64, LENGTH), torch.device(arguments.device)) for width in WIDTHS])
    write_atomically(arguments.out / "profile.csv", profiles.to_csv(index=False, float_format="%.4g").encode())


def main() -> None:
    """Entry point; a wrong argument ends with one line on stderr and exit status 1 or 2, Ctrl-C with status 130."""
    arguments = parser().parse_args()
    try:
        arguments.call(arguments)
    except (ValueError, OSError) as error:
        sys.exit(f"anira: {error}")
    except KeyboardInterrupt as interrupt:
        print(f"anira: {interrupt or 'Interrupted.'}", file=sys.stderr)
        sys.exit(130)
