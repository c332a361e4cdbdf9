"""A short stored training curve for each preset, with a small model: a change that should not touch numerics is caught.

The curves are in golden.csv; `python -m tests.training.test_golden` makes them again, when numerics are meant to
change. They are computed in float64, so that other kernels on other machines differ far less than the tolerance:
what is left is the loss, which is taken in float32.
"""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch

from anira.training.loop import Run
from anira.training.presets import PRESETS
from tests.presets import EACH, OFFICIAL

PATH = Path(__file__).with_name("golden.csv")
SMALL = dict(max_depth=3, width=16, hidden=24, heads=2, decider_hidden=16)
TOLERANCE = 1e-5  # relative
MEASURES = ["cross_entropy", "divergence"]


def curve(task: str, name: str, dtype: torch.dtype = torch.double, **changes) -> pd.DataFrame:
    """Three steps of the trunk phase, or none where the preset has none, then three with the decider."""
    recipe = PRESETS[task, name]
    recipe = replace(recipe, model={**recipe.model, **SMALL}, batch_size=8, trunk_steps=min(recipe.trunk_steps, 3))
    recipe = replace(recipe, warmup_steps=2, **changes)
    run = Run.start(recipe, "online", 0, {})
    run.model.to(dtype).train()
    rows = []
    for step in range(6):
        measures = run.advance()
        rows.append({"task": task, "preset": name, "step": step, "tokens": int(measures["tokens"]), **{key: float(measures[key]) for key in MEASURES}})
    return pd.DataFrame(rows)


def differences(one: pd.DataFrame, two: pd.DataFrame) -> float:
    """The largest relative difference of two curves; they must be idle in the same steps."""
    one, two = (frame.reset_index(drop=True)[MEASURES] for frame in (one, two))
    assert (one.isna() == two.isna()).all(axis=None)
    return float(((one - two).abs() / two.abs()).max(axis=None))


def stored(task: str, name: str) -> pd.DataFrame:
    frame = pd.read_csv(PATH)
    return frame[(frame["task"] == task) & (frame["preset"] == name)]


@pytest.mark.parametrize(("task", "name"), EACH)
def test_the_curve_is_the_stored_one(task, name):
    now, before = curve(task, name), stored(task, name)
    assert now["tokens"].tolist() == before["tokens"].tolist(), "other data"
    assert differences(now, before) < TOLERANCE


@pytest.mark.parametrize(
    ("task", "name", "change"),
    [
        ("brevo", "paper", {"learning_rate": 1.02e-3}),
        ("brevo", "paper", {"penalty": 0.2}),
        ("brevo", "tiny", {"decider_rate": 1.6e-3}),
        ("brevo", "tiny", {"optimizer": "adamw"}),
    ],
)
def test_a_small_change_is_seen(task, name, change):
    assert differences(curve(task, name, **change), stored(task, name)) > 3 * TOLERANCE


if __name__ == "__main__":
    curves = [curve(task, name) if OFFICIAL or task != "clrs" else stored(task, name) for task, name in PRESETS]
    pd.concat(curves).to_csv(PATH, index=False)
