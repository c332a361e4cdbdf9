"""Depth on MANO's question tokens: planted effects are found."""

import numpy as np
import pandas as pd
import pytest

from anira.analysis.question import depth_on_operators, operator_effects
from anira.evaluation.trace import difficulty, draw
from anira.tasks import Mano

TASK = Mano(sizes=range(2, 5), modulus=5)


def planted(seed, one_slot=0.5, growth=0.1, noise=0.3):
    """Real expressions with made-up depths: two slots left 2, one slot left more, and more for larger subtrees, shared noise in an instance."""
    rng = np.random.default_rng(seed)
    table = difficulty(TASK, draw(TASK, [6], 60, seed)).query("part == 'prompt'").reset_index(drop=True)
    depth = 2 + one_slot * (table["slots_left"] == 1) + growth * (table["slots_left"] == 1) * (table["completed_size"] - 3)
    shared = rng.normal(0, noise, 60)[table["instance"]]
    return table.assign(own_expected_depth=depth + shared + rng.normal(0, noise, len(table)))


def test_planted_effects_are_found_and_a_null_is_none():
    found = pd.DataFrame([operator_effects(planted(seed)) for seed in range(40)])
    assert found["growth"].mean() == pytest.approx(0.1, abs=4 * found["growth"].sem())
    null = pd.DataFrame([operator_effects(planted(seed, one_slot=0, growth=0)) for seed in range(40)])
    assert (null.mean().abs() < 4 * null.sem()).all() and (found["one_slot"].mean() > 20 * null["one_slot"].sem())


def test_cells_cover_the_planted_mean():
    inside = []
    for seed in range(60):
        cells = depth_on_operators(planted(seed)).query("clusters >= 5")
        expected = 2 + (cells["slots_left"] == 1) * (0.5 + 0.1 * (cells["completed_size"] - 3))
        inside += cells["estimate"].notna().tolist() and ((cells["low"] <= expected) & (expected <= cells["high"])).tolist()
    assert 0.92 < np.mean(inside) < 0.98


def test_a_cell_of_one_instance_has_no_interval():
    cells = depth_on_operators(planted(0).query("instance == 0"))
    assert cells["low"].isna().all() and (cells["reason"] == "a single instance").all()


def test_nothing_to_compare_is_undefined_and_damage_is_refused():
    frame = planted(0)
    assert operator_effects(frame.query("slots_left != 1")).isna().all()
    for damaged in (frame[:0], frame.drop(columns="slots_left"), frame.assign(own_expected_depth=np.nan), frame.query("token == '1'")):
        with pytest.raises(ValueError, match="empty|lacks|NaN"):
            depth_on_operators(damaged)
