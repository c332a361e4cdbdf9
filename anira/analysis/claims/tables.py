"""The stored tables of one task and preset, as measures ask for them."""

from collections.abc import Callable
from functools import cached_property, wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import pandas as pd

from anira.analysis.claims.claim import Missing
from anira.analysis.generalization import own_conditions
from anira.analysis.timing import Timing, common_correct, decision_timing
from anira.results import read

STATED = ("hub_out_degree", "dfs_depth", "frontier_size", "newly_enabled")  # the features of the paper's last regression
SYMBOLS = {"brevo": "N", "mano": "L", "depo": "k"}

P = ParamSpec("P")
R = TypeVar("R")


def once(make: Callable[Concatenate["Tables", P], R]) -> Callable[Concatenate["Tables", P], R]:
    """A function of tables, and of arguments that can be keys, whose result is kept with them: several claims ask for it."""

    @wraps(make)
    def asked(tables: "Tables", *arguments: P.args, **options: P.kwargs) -> R:
        key = (make, arguments, tuple(options.items()))
        if key not in tables.kept:
            tables.kept[key] = make(tables, *arguments, **options)
        return tables.kept[key]

    return asked


class Tables:
    """The tables of one task and preset, each read when it is asked for.

    folder: of tables other than the package's, see `anira.results`. A table that is not there is an error
    (`anira.results.UnknownTable`).
    """

    def __init__(self, task: str, preset: str, folder: str | Path | None = None):
        self.task, self.preset, self.folder = task, preset, folder
        self.kept: dict[tuple, Any] = {}  # by what was asked, see `once`

    @once
    def read(self, kind: str) -> pd.DataFrame:
        """The table of a kind, as `anira.results` gives it."""
        return read(kind, f"{self.task}-{self.preset}", folder=self.folder)

    @cached_property
    def evaluation(self) -> pd.DataFrame:
        """Rows of `anira evaluate` under each model's own conditions."""
        return own_conditions(self.read("generalization"))

    @cached_property
    def question(self) -> pd.DataFrame:
        """Rows of `anira question`."""
        return self.read("question")

    @cached_property
    def traces(self) -> pd.DataFrame:
        """Rows of `anira trace`."""
        return self.read("traces")

    @cached_property
    def solved(self) -> pd.DataFrame:
        """Rows of `anira trace`, of the instances that every model solves."""
        return common_correct(self.traces)

    @cached_property
    def training(self) -> pd.DataFrame:
        """Learning curves, of finished and unfinished runs."""
        return self.read("training")

    def curves(self, variation: str = "none") -> pd.DataFrame:
        """Learning curves of the preset ("none"), or of a variation of it, such as "constant"."""
        frame = self.training[self.training["variation"] == variation]
        if frame.empty:
            raise Missing(f"no learning curves with variation {variation!r}")
        return frame

    @once
    def timing(self, decider: str) -> dict[int, Timing]:
        """The regression with the paper's features for each seed, on the instances that all models solve."""
        parts = self.solved[self.solved["decider"] == decider].groupby("run_seed")
        fits = {seed: decision_timing(part.drop(columns=["model", "decider", "run_seed"], errors="ignore"), STATED, draws=2) for seed, part in parts}
        if not fits:
            raise Missing(f"no {decider} model")
        return fits

    @cached_property
    def max_depth(self) -> int:
        """The largest depth D that the models were trained with."""
        return int(self.evaluation["max_depth"].max())

    @cached_property
    def scale(self) -> str:
        """Task, preset and trained sizes, in words."""
        sizes = sorted(self.training["size"].unique().tolist())
        dense = sizes == list(range(sizes[0], sizes[-1] + 1))
        return f"{self.task.upper()} {self.preset}, {SYMBOLS.get(self.task, 'size')} = {f'{sizes[0]}–{sizes[-1]}' if dense else ', '.join(map(str, sizes))}"
