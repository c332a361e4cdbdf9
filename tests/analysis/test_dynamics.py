"""What is planted in a learning curve is found in it: the order of learning, the climb and the fall."""

import numpy as np
import pandas as pd
import pytest

from anira.analysis.dynamics import full_depth_until, last_records, milestones, order_of_learning, outcomes, rise_and_fall
from anira.analysis.intervals import over_seeds


def curves(reach, seeds=1, depth=lambda step: 3.0):
    """Curves that step from 0 to 1 exact match at the given step of each size (None: never), recorded every 100 steps."""
    rows = [
        ("brevo", "online", "tiny", seed, "none", step, size, float(when is not None and step >= when), depth(step))
        for seed in range(seeds)
        for step in range(100, 1001, 100)
        for size, when in reach.items()
    ]
    return pd.DataFrame(rows, columns=["task", "decider", "preset", "run_seed", "variation", "step", "size", "exact_match", "expected_depth"])


def test_a_milestone_is_the_first_step_at_or_above_the_level():
    reached = milestones(curves({3: 200, 4: 450, 5: None}))
    assert reached["step"].tolist()[:2] == [200, 500] and np.isnan(reached["step"].iloc[2])
    assert reached["last_step"].tolist() == [1000] * 3 and reached["best"].tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("reach", "tau"),
    [({3: 100, 4: 300, 5: 700}, 1), ({3: 700, 4: 300, 5: 100}, -1), ({3: 100, 4: 300, 5: None}, 1), ({3: 300, 4: 100, 5: 500}, 1 / 3)],
)
def test_order_of_learning_is_kendalls_tau(reach, tau):
    row = order_of_learning(milestones(curves(reach))).iloc[0]
    assert row["tau"] == pytest.approx(tau) and row["reason"] == ""


@pytest.mark.parametrize(
    ("reach", "reason"),
    [({3: 100}, "a single size"), ({3: 100, 4: 100}, "all sizes at one step, or none"), ({3: None, 4: None}, "all sizes at one step, or none")],
)
def test_nothing_to_order_is_undefined(reach, reason):
    row = order_of_learning(milestones(curves(reach))).iloc[0]
    assert np.isnan(row["tau"]) and row["reason"] == reason


def test_a_random_order_is_reported_as_none():
    rng = np.random.default_rng(0)
    taus = [order_of_learning(milestones(curves(dict(zip(range(3, 9), rng.permutation(10)[:6] * 100 + 100, strict=True)))))["tau"].item() for _ in range(200)]
    assert abs(np.mean(taus)) < 3 * np.std(taus) / np.sqrt(200)


def test_climb_and_fall_are_measured_from_when_the_decider_is_in_charge():
    path = {100: 6.0, 200: 6.0, 300: 2.0, 400: 3.0, 500: 4.0}  # the first two at a depth that was set
    frame = curves({3: 400, 4: 1000}, depth=lambda step: path.get(step, 2.5))
    row = rise_and_fall(frame, since=300).iloc[0]
    assert (row["first"], row["peak"], row["peak_step"], row["last"], row["climb"], row["fall"]) == (2, 4, 500, 2.5, 2, 1.5)
    assert (row["exact_peak"], row["exact_last"], row["gain"]) == (0.5, 1, 0.5)
    assert rise_and_fall(frame, since=1000)["reason"].item() == "fewer than two recorded steps from 1000 on"


def test_constant_depth_neither_climbs_nor_falls():
    row = rise_and_fall(curves({3: 100})).iloc[0]
    assert row["climb"] == row["fall"] == 0


@pytest.mark.parametrize("damage", [lambda f: f[:0], lambda f: f.drop(columns="size"), lambda f: f.assign(exact_match=np.nan)])
def test_damaged_curves_are_refused(damage):
    for function in (milestones, rise_and_fall):
        with pytest.raises(ValueError, match="empty|lacks|NaN"):
            function(damage(curves({3: 100, 4: 200})))


def test_the_last_record_is_that_of_each_run():
    longer = curves({3: 100, 4: 200}).assign(run_seed=1, step=lambda f: f["step"] * 2)
    ends = last_records(pd.concat([curves({3: 100, 4: 200}), longer]))
    assert ends[["run_seed", "step", "size"]].to_numpy().tolist() == [[0, 1000, 3], [0, 1000, 4], [1, 2000, 3], [1, 2000, 4]]


def test_full_depth_ends_with_the_first_token_of_any_run_that_stops_earlier():
    frame = curves({3: 100, 4: 200}, seeds=2).assign(depth=6.0)
    assert full_depth_until(frame, 6) == 1000
    early = (frame["run_seed"] == 1) & (frame["size"] == 4) & (frame["step"] >= 400)
    assert full_depth_until(frame.assign(depth=frame["depth"].mask(early, 5.9)), 6) == 300
    assert full_depth_until(frame, 7) == 0


def test_outcomes_are_estimates_over_seeds_at_the_ends_of_the_sizes():
    frame = curves({3: 100, 4: 200, 6: None}, seeds=3).assign(depth=lambda f: f["size"] + 0.1 * f["run_seed"])
    found = outcomes(frame).set_index("quantity")
    assert set(found["run"]) == {"BREVO tiny, online"}
    assert found.loc["exact match, largest size", "estimate"] == 0
    for quantity, size in (("depth, smallest size", 3), ("depth, largest size", 6)):
        wanted = over_seeds([size, size + 0.1, size + 0.2], bounds=(1, 6.2))
        assert 1 <= wanted.low and wanted.high <= 6.2
        assert found.loc[quantity, ["estimate", "low", "high"]].to_numpy() == pytest.approx([wanted.value, wanted.low, wanted.high])
