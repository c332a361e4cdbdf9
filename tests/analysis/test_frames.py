"""A trace that is damaged is refused, with what is wrong and where; models of one frame keep their names."""

import numpy as np
import pandas as pd
import pytest
import torch

from anira.analysis.frames import by_model, check_trace
from anira.analysis.timing import common_correct
from anira.evaluation.trace import trace
from anira.model.anira import Anira, Config
from anira.tasks import Brevo, Mano


@pytest.fixture(scope="module", params=[Brevo(sizes=range(3, 6)), Mano(sizes=range(2, 5), modulus=5)], ids=lambda task: task.name)
def case(request):
    task = request.param
    model = Anira(Config(vocabulary=len(task.vocabulary), width=16, hidden=24, heads=2, decider_hidden=16)).initialize(torch.Generator().manual_seed(0))
    torch.nn.init.normal_(model.decider.head[-1].weight)
    return model.eval(), task


@pytest.fixture(scope="module")
def frame(case):
    model, task = case
    return trace(model, task, task.sizes, 3, seed=5)


def test_a_trace_of_ours_passes_the_check(case, frame):
    checked = check_trace(frame)
    pd.testing.assert_frame_equal(checked, frame)
    pd.testing.assert_frame_equal(check_trace(frame.drop(columns="instance_correct"))[frame.columns], frame)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.to_dict("list"), "DataFrame, received dict"),
        (lambda frame: frame.drop(columns=["depth", "size"]), "lacks size, depth; it has instance"),
        (lambda frame: frame.iloc[:0], "is empty"),
        (lambda frame: frame.assign(depth=frame["depth"].where(frame.index != 1)), "'depth' must hold no missing values, but row 1"),
        (lambda frame: frame.assign(depth=frame["depth"] + 0.5), "'depth' must hold integers from 1"),
        (lambda frame: frame.assign(depth=frame["depth"] - frame["depth"].min()), "'depth' must hold integers from 1"),
        (lambda frame: frame.assign(depth="deep"), "'depth' must hold numbers"),
        (lambda frame: frame.assign(expected_depth=np.inf), "finite"),
        (lambda frame: frame.assign(expected_depth=0.5), "'expected_depth' must hold expected depths from 1"),
        (lambda frame: frame.assign(correct=2), "'correct' must hold True or False"),
        (lambda frame: frame.assign(correct=np.nan), "'correct' must hold no missing values"),
        (lambda frame: pd.concat([frame, frame.iloc[[2]]]), "1 rows are there twice, the first of them instance"),
        (lambda frame: frame.assign(instance=0, position=range(len(frame))), "has one size"),
        (lambda frame: frame.assign(instance_correct=~frame["instance_correct"]), "contradicts"),
    ],
)
def test_what_is_wrong_with_a_foreign_trace_is_said(frame, change, message):
    with pytest.raises(ValueError, match=message):
        check_trace(change(frame))


def test_by_model_keeps_the_names_of_the_models(frame):
    traces = pd.concat([frame.assign(decider=decider, run_seed=seed) for decider in ("early", "online") for seed in (0, 1)])
    table = by_model(traces, lambda part: check_trace(part).groupby("size", as_index=False)["depth"].mean())
    assert table.columns.tolist() == ["decider", "run_seed", "size", "depth"] and len(table) == 4 * frame["size"].nunique()
    with pytest.raises(ValueError, match="which model"):
        by_model(frame, check_trace)


def test_a_model_without_a_seed_beside_models_with_one_is_an_error_that_names_the_column(frame):
    both = pd.concat([frame.assign(decider="early", run_seed=0), frame.assign(decider="mine")])
    for analysis in (lambda: by_model(both, check_trace), lambda: common_correct(both)):
        with pytest.raises(ValueError, match=f"Column 'run_seed' is missing .NaN. in {len(frame)} of {2 * len(frame)} rows"):
            analysis()
