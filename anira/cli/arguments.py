"""Kinds of arguments, each with the line that says what is wrong with one."""

import argparse
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path

MOST_SIZES = 1000


def whole(least: int) -> Callable[[str], int]:
    """Whole numbers from `least` on."""

    def number(text: str) -> int:
        if not (text.removeprefix("-").isdecimal() and int(text) >= least):
            raise ArgumentTypeError(f"expected a whole number of at least {least}, received {text!r}")
        return int(text)

    return number


def positive(text: str) -> float:
    """A number above 0."""
    try:
        if 0 < float(text) < float("inf"):
            return float(text)
    except ValueError:
        pass
    raise ArgumentTypeError(f"expected a number above 0, received {text!r}")


def sizes(text: str) -> range:
    """A size, or a range of them such as 3-12."""
    first, dash, last = text.partition("-")
    if not (first.isdecimal() and (last.isdecimal() if dash else True)):
        raise ArgumentTypeError(f"expected a number or a range such as 3-12, received {text!r}")
    found = range(int(first), int(last or first) + 1)
    if not found:
        raise ArgumentTypeError(f"the range {text} is empty: the smaller size comes first")
    if len(found) > MOST_SIZES:
        raise ArgumentTypeError(f"{text} are {len(found):,} sizes, more than {MOST_SIZES:,}")
    return found


def device(text: str) -> str:
    """A device of PyTorch's that this machine has."""
    import torch

    try:
        kind = torch.device(text).type
    except RuntimeError as error:
        raise ArgumentTypeError(f"expected cpu, cuda, cuda:1 … or mps, received {text!r}") from error
    if kind not in ("cpu", "cuda", "mps"):
        raise ArgumentTypeError(f"expected cpu, cuda, cuda:1 … or mps, received {text!r}")
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}[kind]
    if not there or (kind == "cuda" and (torch.device(text).index or 0) >= torch.cuda.device_count()):
        raise ArgumentTypeError(f"this machine has no {text} that PyTorch can use; cpu it has")
    return text


def file(text: str) -> Path:
    """A file to write."""
    path = Path(text)
    if path.is_dir():
        raise ArgumentTypeError(f"{text} is a folder, and a file is to be written")
    return path


def folder(text: str) -> Path:
    """A folder to write into."""
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise ArgumentTypeError(f"{text} is a file, and a folder is needed")
    return path


def takes_machine(command: argparse.ArgumentParser, threads: int = 1) -> None:
    """The arguments --device and --threads; models this small are faster with one thread, on a busy machine ten times."""
    import torch

    command.add_argument(
        "--device", type=device, default="cuda" if torch.cuda.is_available() else "cpu", help="cpu, cuda, cuda:1 … or mps (default: %(default)s)"
    )
    command.add_argument("--threads", type=whole(1), default=threads, metavar="N", help="of the CPU (default: %(default)s)")
