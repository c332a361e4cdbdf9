"""`anira tables`: the stored tables, made again from what is at hand."""

import argparse
import sys
from pathlib import Path

from anira.cli.arguments import folder
from anira.results.make import make


def declare(name: str, command: argparse.ArgumentParser) -> None:
    """The arguments of `anira tables`."""
    command.description = "Make the stored tables from the models and learning curves at hand, as anira/results/tables.toml says; rows of other models stay."
    command.add_argument("tables", nargs="*", metavar="table", help="kinds, or tables as KIND/NAME (default: all for which there is something at hand)")
    command.add_argument(
        "--models",
        nargs="+",
        type=Path,
        default=[Path("runs"), Path("book/models")],
        metavar="FOLDER",
        help="where models and curves are (default: runs book/models)",
    )
    command.add_argument("--out", type=folder, default=Path("anira/results"), help="folder of the tables (default: %(default)s)")
    command.set_defaults(call=_tables)


def _tables(arguments: argparse.Namespace) -> None:
    from anira.cli import parse

    def run(line: list[str]) -> None:
        print("anira", *line, file=sys.stderr)
        asked = parse(line)
        asked.call(asked)

    made = list(make(run, arguments.out, arguments.models, arguments.tables))
    print(f"{len(made)} tables made in {arguments.out}.", file=sys.stderr)
