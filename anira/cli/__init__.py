"""The command line. One line on stderr ends whatever goes wrong: exit status 2 for a wrong argument, 1 for what fails later, 130 for Ctrl-C.

Each command's module declares its arguments, and is imported only when that command is given: `anira --help` needs no torch.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from anira import __version__

#: Command → the module that declares it, and what it is for.
COMMANDS = {
    "train": ("train", "train a model, or resume its training"),
    "grid": ("train", "train a grid of models"),
    "evaluate": ("ask", "exact match and depth for each size"),
    "trace": ("ask", "the depth of every answer token beside its difficulty"),
    "stopping": ("ask", "accuracy and cost of each stopping rule"),
    "intervene": ("ask", "accuracy when tokens get another depth than they chose"),
    "readouts": ("ask", "what is said of every answer token after each iteration"),
    "ladder": ("ask", "accuracy and cost of policies from one depth for all to an oracle"),
    "distract": ("ask", "depth when nodes are added to a graph that the query does not depend on"),
    "probe": ("ask", "how much of a token's difficulty its state shows, before the first iteration and after each"),
    "question": ("ask", "depth on MANO's operators"),
    "tables": ("tables", "make the tables that the book reads"),
    "bench": ("bench", "time and memory of sparse execution beside other ways"),
}


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}. See {self.prog} --help.\n")


def parse(line: Sequence[str]) -> argparse.Namespace:
    """The arguments of a command line, with `call`, what carries it out."""
    parser = Parser(prog="anira", description="Adaptive depth in recurrent Transformers: train models, and make tables of trained ones.")
    parser.add_argument("--version", action="version", version=f"anira {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands", description="anira COMMAND --help says more of each.")
    for name, (module, help) in COMMANDS.items():
        command = commands.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.", formatter_class=argparse.RawDescriptionHelpFormatter)
        if name in line[:1]:
            import_module(f"anira.cli.{module}").declare(name, command)
    return parser.parse_args(line)


def main(line: Sequence[str] | None = None) -> None:
    """Entry point."""
    arguments = parse(sys.argv[1:] if line is None else line)
    try:
        arguments.call(arguments)
    except BrokenPipeError:  # such as `anira trace … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ValueError, OSError, ImportError) as error:  # such as an extra that is not installed
        sys.exit(f"anira: {error}")
    except KeyboardInterrupt as interrupt:
        print(f"anira: {str(interrupt) or 'Interrupted.'}", file=sys.stderr)
        sys.exit(130)
