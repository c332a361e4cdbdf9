"""Figures of the model draw what it said."""

import numpy as np
import pandas as pd
import pytest

from anira import charts
from anira.evaluation.trace import exits
from anira.zoo import load


@pytest.fixture(scope="module")
def frame():
    model, task, _ = load("brevo-online-tiny")
    return exits(model, task, task.sample(5, np.random.default_rng(0))).assign(decider="online")


def values(chart):
    (rows,) = chart.to_dict()["datasets"].values()
    return pd.DataFrame(rows)


def test_there_is_one_bar_for_each_token_in_their_order(frame):
    bars = values(charts.token_depths(frame, 6))
    assert bars["token"].tolist() == frame.drop_duplicates("position")["token"].tolist()
    assert bars["depth"].tolist() == frame.groupby("position")["depth"].first().tolist()


def test_cells_of_an_answer_token_are_a_distribution_and_its_depth_is_among_them(frame):
    cells = values(charts.exit_distributions(frame, 6))
    answer = frame[frame["part"] == "answer"]
    assert list(dict.fromkeys(cells["label"])) == [f"{i} {name}" for i, name in enumerate(answer.drop_duplicates("position")["predicts"], start=1)]
    assert cells.groupby("label")["q"].sum().to_numpy() == pytest.approx(1, abs=1e-3)
    ringed = cells[cells["d"] == cells["depth"]]  # online halts at the first depth with F(d) of a half or more
    assert len(ringed) == cells["label"].nunique() and (ringed["cumulative"] >= 0.5).all() and (ringed["cumulative"] - ringed["q"] < 0.5).all()
