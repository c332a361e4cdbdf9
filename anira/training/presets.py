"""Named recipes: `minute` to look on, `tiny` for a laptop, `paper` for the table in the paper's appendix A.5.

A preset says everything about a run but its decider and its seed. Four named schedules of depth:

- *constant* (paper): the decider decides from the first step and the penalty γ never changes;
- *trunk first* (all presets but the paper's): `trunk_steps` at fixed depth D, so that the core is of use before
  depth has a price; then the decider takes over from a deep start with γ at its full height, and the learning
  rate falls linearly to zero over the last `decay_steps`. With a `decider_rate` the two phases are annealed one after
  the other: the rate falls to zero over the last `trunk_decay_steps` of the first, rises anew to `decider_rate`, and
  falls again;
- *ramped*: trunk first, but γ rises linearly from zero when the decider takes over. It looks gentler, and is not:
  while γ is small, an early decider can become so sure of depth D that the softmax passes no gradient any more,
  and no later penalty moves it;
- *longer*: trunk first, with twice as many steps after the trunk.

`Preset.varied` puts a preset on another schedule than its own, or gives it another γ, and leaves all else as it is.
Where there is nothing to decide, with the fixed and the untied model, all schedules are plain training.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import pandas as pd

from anira.model.anira import Config
from anira.model.deciders import DECIDERS
from anira.tasks import Brevo, Clrs, Depo, Lano, Mano, to_json
from anira.tasks.task import Task

SCHEDULES = ("preset", "ramped", "longer", "constant")

# Fields of a recipe that say nothing about its first phase: trunks are shared between recipes that differ in these alone.
AFTER_THE_TRUNK = {"steps", "penalty", "prior_base", "ramp_steps", "decay_steps", "decider_rate", "deep_start", "temperature"}


@dataclass(frozen=True)
class Preset:
    """A recipe. Steps are optimizer steps; `model` holds `Config` fields, the vocabulary and decider aside."""

    task: Task
    model: dict = field(hash=False)
    steps: int
    batch_size: int
    learning_rate: float
    penalty: float  # γ at its full height
    prior_base: float  # b of the prior p(d) ∝ b^-d
    trunk_steps: int = 0
    ramp_steps: int = 0
    decay_steps: int = 0
    decider_rate: float | None = None  # the learning rate of the second phase, where it is annealed by itself
    trunk_decay_steps: int = 0
    warmup_steps: int = 1000
    deep_start: float = 0.0  # see the deciders' `deepen`
    temperature: float = 1.0
    optimizer: str = "adamw"  # see anira.training.optimizers
    weight_decay: float = 0.1  # of matrices; norm gains and biases are not decayed
    max_gradient_norm: float = 10.0
    buckets: int = 4  # parts of one length each into which a batch is cut
    evaluate_every: int = 500
    evaluation_size: int = 200  # instances of each size

    def config(self, decider: str) -> Config:
        """The model's configuration as a variant: under the given decider, or "untied"; `ValueError` for one that learns nothing."""
        names = self.task.vocabulary.names
        answer_token = names.index("<answer>") if "<answer>" in names else None
        config = Config.of_variant(decider, vocabulary=len(names), answer_token=answer_token, **self.model)
        if not DECIDERS[config.decider].learns:
            raise ValueError(f"The decider {decider!r} learns nothing. Train another one, and put it on the trained model: model.with_decider({decider!r}).")
        return config

    def recipe(self, decider: str) -> dict[str, Any]:
        """All that determines a run but its seed, in JSON's types: this preset's fields, the task and the model in full."""
        described = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**described, "task": to_json(self.task), "model": asdict(self.config(decider)), "split": "train"}

    def varied(self, penalty: float | None = None, schedule: str = "preset") -> "Preset":
        """This recipe with another full height of γ, or on one of the other `SCHEDULES` instead of its own, "preset"."""
        if schedule not in SCHEDULES:
            raise ValueError(f"Unknown schedule {schedule!r}. Known: {', '.join(SCHEDULES)}.")
        if penalty is not None and not 0 <= penalty < float("inf"):
            raise ValueError(f"The penalty is a number of at least 0, received {penalty}.")
        second = self.steps - self.trunk_steps
        changes: dict[str, dict[str, Any]] = {
            "preset": {},
            "ramped": {"ramp_steps": second // 4},
            "longer": {"steps": self.steps + second, "decay_steps": self.decay_steps + second if self.decay_steps else 0},
            "constant": {"trunk_steps": 0, "deep_start": 0.0},
        }
        if self.decider_rate is not None:  # one phase, whose rate begins to fall where that of the trunk did
            changes["constant"] |= {"decider_rate": None, "trunk_decay_steps": 0, "decay_steps": second + self.trunk_decay_steps}
        return replace(self, penalty=self.penalty if penalty is None else penalty, **changes[schedule])

    def learning_rate_at(self, step: int) -> float:
        """Linear warm-up, then constant, then a linear fall that ends at zero; with a `decider_rate` so in each phase."""
        first, last, rate, decay = 0, self.steps, self.learning_rate, self.decay_steps
        if self.decider_rate is not None and step < self.trunk_steps:
            last, decay = self.trunk_steps, self.trunk_decay_steps
        elif self.decider_rate is not None:
            first, rate = self.trunk_steps, self.decider_rate
        warm = min(1.0, (step - first + 1) / self.warmup_steps)
        fall = min(1.0, (last - step) / decay) if decay else 1.0
        return rate * warm * fall

    def penalty_at(self, step: int) -> float:
        """γ at this step: zero in the trunk phase, then its full height, at once or after a linear rise."""
        if step < self.trunk_steps:
            return 0.0
        return self.penalty * (min(1.0, (step - self.trunk_steps) / self.ramp_steps) if self.ramp_steps else 1.0)


SMALL: dict[str, Any] = {"deep_start": 1.0, "optimizer": "muon", "weight_decay": 0.01}  # what all recipes but the paper's share

PRESETS: dict[tuple[str, str], Preset] = {
    ("brevo", "tiny"): Preset(
        task=Brevo(sizes=range(3, 9), node_names=16),
        model=dict(max_depth=6, width=96, hidden=256, heads=4, decider_hidden=384, max_length=256),
        steps=16_000,
        batch_size=64,
        learning_rate=3e-3,
        penalty=0.1,
        prior_base=2,
        trunk_steps=13_000,
        trunk_decay_steps=10_000,
        decider_rate=1.5e-3,
        decay_steps=2_700,
        warmup_steps=200,
        **SMALL,
        buckets=6,
    ),
    ("brevo", "minute"): Preset(
        task=Brevo(sizes=range(2, 5), node_names=8),
        model=dict(max_depth=4, width=32, hidden=64, heads=4, decider_hidden=64, max_length=64),
        steps=450,
        batch_size=32,
        learning_rate=5e-3,
        penalty=0.05,
        prior_base=2,
        trunk_steps=250,
        decay_steps=150,
        warmup_steps=50,
        **SMALL,
        buckets=1,
        evaluate_every=25,
    ),
    ("brevo", "paper"): Preset(
        task=Brevo(sizes=range(3, 31), node_names=30),
        model=dict(max_depth=6, width=512, hidden=2048, heads=8, decider_hidden=2048, max_length=256),
        steps=250_000,
        batch_size=64,
        learning_rate=1e-3,
        penalty=0.1,
        prior_base=2,
        buckets=1,
    ),
    ("mano", "tiny"): Preset(
        task=Mano(sizes=range(1, 4), modulus=5),
        model=dict(max_depth=6, width=64, hidden=192, heads=4, decider_hidden=256, max_length=64),
        steps=5_000,
        batch_size=256,
        learning_rate=4e-3,
        penalty=0.1,
        prior_base=1.25,
        trunk_steps=3_000,
        decay_steps=2_000,
        warmup_steps=200,
        **SMALL,
        buckets=2,
    ),
    ("mano", "minute"): Preset(
        task=Mano(sizes=range(1, 4), modulus=3),
        model=dict(max_depth=5, width=32, hidden=96, heads=4, decider_hidden=96, max_length=64),
        steps=2_600,
        batch_size=64,
        learning_rate=5e-3,
        penalty=0.05,
        prior_base=1.25,
        trunk_steps=1_600,
        decay_steps=1_000,
        warmup_steps=50,
        **SMALL,
        buckets=1,
        evaluate_every=100,
    ),
    ("mano", "paper"): Preset(
        task=Mano(sizes=range(3, 17)),
        model=dict(max_depth=14, width=256, hidden=1664, heads=8, decider_hidden=1664, max_length=64),
        steps=250_000,
        batch_size=512,
        learning_rate=1e-4,
        penalty=0.1,
        prior_base=1.25,
        buckets=1,
    ),
    ("depo", "tiny"): Preset(
        task=Depo(sizes=range(1, 5), nodes=range(5, 11), node_names=10),
        model=dict(max_depth=6, width=96, hidden=256, heads=4, decider_hidden=384, max_length=64),
        steps=10_500,
        batch_size=128,
        learning_rate=3e-3,
        penalty=0.1,
        prior_base=2,
        trunk_steps=6_000,
        decay_steps=4_000,
        warmup_steps=200,
        **SMALL,
        buckets=2,
    ),
    ("depo", "minute"): Preset(
        task=Depo(sizes=range(1, 4), nodes=range(4, 7), node_names=6),
        model=dict(max_depth=5, width=48, hidden=96, heads=4, decider_hidden=96, max_length=64),
        steps=2_800,
        batch_size=64,
        learning_rate=5e-3,
        penalty=0.05,
        prior_base=2,
        trunk_steps=1_800,
        decay_steps=1_000,
        warmup_steps=50,
        **SMALL,
        buckets=1,
        evaluate_every=100,
    ),
    ("depo", "paper"): Preset(
        task=Depo(sizes=range(1, 9), nodes=range(9, 76), node_names=75),  # the paper does not say how long its cycles are
        model=dict(max_depth=6, width=512, hidden=2048, heads=8, decider_hidden=2048, max_length=256),
        steps=250_000,
        batch_size=64,
        learning_rate=3e-4,
        penalty=0.1,
        prior_base=2,
        buckets=1,
    ),
    ("lano", "tiny"): Preset(
        task=Lano(sizes=(2, 3, 4)),
        model=dict(max_depth=6, width=96, hidden=256, heads=4, decider_hidden=384, max_length=96),
        steps=6_000,
        batch_size=64,
        learning_rate=2e-3,
        penalty=0.01,
        prior_base=1,
        trunk_steps=3_000,
        decay_steps=2_500,
        warmup_steps=200,
        **SMALL,
    ),
    ("lano", "minute"): Preset(
        task=Lano(sizes=(2, 3)),
        model=dict(max_depth=4, width=32, hidden=64, heads=4, decider_hidden=64, max_length=64),
        steps=900,
        batch_size=32,
        learning_rate=5e-3,
        penalty=0.01,
        prior_base=1,
        trunk_steps=450,
        decay_steps=300,
        warmup_steps=50,
        **SMALL,
        buckets=2,
        evaluate_every=150,
    ),
    ("lano", "paper"): Preset(
        task=Lano(),
        model=dict(max_depth=6, width=512, hidden=2048, heads=8, decider_hidden=2048, max_length=512),
        steps=250_000,
        batch_size=64,
        learning_rate=1e-4,
        penalty=0.01,
        prior_base=1,
        buckets=1,
    ),
    ("clrs", "short"): Preset(  # the problems with the shortest texts, at sizes of the official training set
        task=Clrs(questions=("minimum", "sorting", "binary_search", "string_matching"), sizes=(4, 5, 10, 11, 12)),
        model=dict(max_depth=6, width=96, hidden=256, heads=4, decider_hidden=384, max_length=160),
        steps=3_600,
        batch_size=32,
        learning_rate=3e-3,
        penalty=0.01,
        prior_base=2,
        trunk_steps=3_000,
        trunk_decay_steps=2_200,
        decider_rate=1.5e-3,
        decay_steps=500,
        warmup_steps=100,
        **SMALL,
    ),
}
PRESETS["brevo", "minute-gap"] = replace(PRESETS["brevo", "minute"], task=Brevo(sizes=(2, 4), node_names=8))
PRESETS["brevo", "tiny-gap"] = replace(PRESETS["brevo", "tiny"], task=Brevo(sizes=(3, 4, 6, 8), node_names=16))
PRESETS["brevo", "small"] = replace(  # graphs half as large again, for which the same model takes more steps
    PRESETS["brevo", "tiny"],
    task=Brevo(sizes=range(3, 13), node_names=16),
    steps=16_000,
    trunk_steps=12_000,
    trunk_decay_steps=9_000,
    decay_steps=3_600,
)
PRESETS["lano", "long"] = replace(  # strings of 35 to 186 tokens, where a place in the string is not yet a place in the tree
    PRESETS["lano", "tiny"], task=Lano(sizes=(4, 5)), model={**PRESETS["lano", "tiny"].model, "max_length": 224}, batch_size=16
)
PRESETS["depo", "minute-one"] = replace(  # k in plain sight, but a quarter of the answers to learn from
    PRESETS["depo", "minute"], task=Depo(sizes=range(1, 4), nodes=range(4, 7), node_names=6, queries=1), steps=4_600, trunk_steps=3_600
)


# How long a recipe takes on one thread, from seconds a step (a step of each phase, AMD EPYC at 2.4 GHz with AVX2, uncompiled) while
# others kept the machine busy; an idle one takes about half. Of --compile about a fifth is saved. BREVO `paper` was timed on a GPU:
# 28 ms a step, compiled and with torch.set_float32_matmul_precision("high"), which is 31 ms uncompiled and 71 ms in full float32.
DURATIONS = {
    ("brevo", "tiny"): "2.5 hours",
    ("brevo", "minute"): "30 seconds",
    ("brevo", "minute-gap"): "30 seconds",
    ("brevo", "tiny-gap"): "2.5 hours",
    ("mano", "tiny"): "35 minutes",
    ("mano", "minute"): "3 minutes",
    ("depo", "tiny"): "3 hours",
    ("depo", "minute"): "7 minutes",
    ("lano", "tiny"): "80 minutes",
    ("lano", "minute"): "1 minute",
    ("clrs", "short"): "35 minutes",
    ("brevo", "paper"): "for a GPU: 2 hours on an H100, compiled and with TF32",
    **{(task, "paper"): "for a GPU" for task in ("mano", "depo", "lano")},
}


def preset(task: str, name: str) -> Preset:
    """The recipe `name` of a task; `ValueError` that lists the known ones for any other."""
    if (task, name) not in PRESETS:
        known = ", ".join(f"{task} {name}" for task, name in PRESETS)
        raise ValueError(f"No preset {name!r} for task {task!r}. Known: {known}.")
    return PRESETS[task, name]


def in_words(names: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Recipes side by side, to be read: a column for each (task, preset)."""
    columns = {}
    for task, name in names:
        recipe = preset(task, name)
        columns[f"{task.upper()} {name}"] = {
            "sizes": f"{min(recipe.task.sizes)} to {max(recipe.task.sizes)}",
            "largest depth D": f"{recipe.model['max_depth']}",
            "width": f"{recipe.model['width']}",
            "steps": f"{recipe.steps:,}",
            "of these at fixed depth": f"{recipe.trunk_steps:,}",
            "instances a step": f"{recipe.batch_size}",
            "learning rate": f"{recipe.learning_rate}" if recipe.decider_rate is None else f"{recipe.learning_rate}, then {recipe.decider_rate}",
            "price of depth γ": f"{recipe.penalty}",
            "base b of the prior": f"{recipe.prior_base}",
            "optimizer": {"adamw": "AdamW", "muon": "Muon"}[recipe.optimizer],
        }
    return pd.DataFrame(columns).rename_axis("recipe")
