"""A run by what determines it: a recipe, a decider, a seed. `anira train` makes one, `anira grid` many."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anira.training.checkpoint import read_header
from anira.training.loop import Run, flat, train
from anira.training.presets import Preset, preset


@dataclass(frozen=True)
class Job:
    """What determines a run.

    task: name of a task, or MODULE:NAME of a `Preset` of your own in a module that can be imported.
    decider: name of a decider, or "untied".
    preset: name of the recipe; of no meaning for one of your own.
    penalty, schedule: vary the recipe, see `Preset.varied`.

    >>> Job("brevo", "early", penalty=0.05).name
    'brevo-early-tiny-0-penalty0.05'
    """

    task: str
    decider: str = "online"
    preset: str = "tiny"
    seed: int = 0
    penalty: float | None = None
    schedule: str = "preset"

    def __post_init__(self):
        self.recipe.config(self.decider)
        if not isinstance(self.seed, int) or self.seed < 0:
            raise ValueError(f"A seed is a whole number of at least 0, received {self.seed!r}.")

    @property
    def recipe(self) -> Preset:
        """The recipe as varied."""
        recipe = recipe_from(self.task) if ":" in self.task else preset(self.task, self.preset)
        return recipe.varied(self.penalty, self.schedule)

    @property
    def variation(self) -> str:
        """What is not as the recipe has it, "none" if nothing."""
        penalty = [] if self.penalty is None else [f"penalty{self.penalty:g}"]
        return "-".join(penalty + ([] if self.schedule == "preset" else [self.schedule])) or "none"

    @property
    def header(self) -> dict[str, Any]:
        """By what tables and folders call the run, besides decider and seed."""
        own = ":" in self.task
        return {"task": self.recipe.task.name, "preset": self.task.split(":")[1] if own else self.preset, "variation": self.variation}

    @property
    def name(self) -> str:
        """The name of the run, and of its folder."""
        called = self.header
        variation = [] if self.variation == "none" else [self.variation]
        return "-".join([called["task"], self.decider, called["preset"], str(self.seed), *variation])

    def finished(self, folder: Path) -> bool:
        """Whether the folder holds the model of this run, trained to its end."""
        path = folder / "model.safetensors"
        if not path.is_file():
            return False
        header, recipe = read_header(path)[0], self.recipe
        same = flat(header.get("recipe", {})) == flat(recipe.recipe(self.decider)) and header.get("run", {}).get("seed") == self.seed
        return same and header["step"] >= recipe.steps

    def run(self, folder: Path, *, until: int | None = None, trunk: Path | None = None, device: str = "cpu", compiled: bool = False, workers: int = 0) -> Run:
        """Train in a folder, or go on with what it holds; `trunk`: a state file whose trunk phase is taken over."""
        run = Run.start(self.recipe, self.decider, self.seed, self.header, device, compiled=compiled)
        state = Path(folder) / "state.safetensors"
        if state.exists():
            run.restore(state)
        elif trunk is not None:
            run.restore(trunk, trunk_only=True)
        return train(run, folder, until=until, workers=workers)


def recipe_from(address: str) -> Preset:
    """The `Preset` at MODULE:NAME, a module being imported as Python does, the current folder first.

    Only what a person has typed comes here, never what stands in a file.
    """
    module, _, name = address.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"No recipe at {address}: {error}. It is MODULE:NAME, the name of a Preset in a module that Python finds from here.") from error
    if not isinstance(found, Preset):
        raise ValueError(f"{address} is a {type(found).__name__}, not an anira.training.presets.Preset.")
    return found
