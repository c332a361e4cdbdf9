"""The evaluation says what a model asked one instance at a time says, and marks what it cannot know."""

import numpy as np
import pandas as pd
import pytest
import torch
from statsmodels.stats.proportion import proportion_confint

from anira.analysis.intervals import clustered_mean
from anira.evaluation import reading
from anira.evaluation.evaluate import evaluate
from anira.model.anira import Anira, Config
from anira.results import read as read_table
from anira.tasks import Brevo, Lano
from anira.zoo import load

TASK = Brevo(sizes=range(3, 6), node_names=8)


@pytest.fixture(scope="module")
def model():
    config = Config(vocabulary=len(TASK.vocabulary), width=16, hidden=24, heads=2, decider_hidden=16, max_depth=4)
    model = Anira(config).initialize(torch.Generator().manual_seed(0)).eval()
    torch.nn.init.normal_(model.decider.head[-1].weight, generator=torch.Generator().manual_seed(1))
    return model


@torch.no_grad()
def test_a_row_is_the_mean_over_instances_asked_one_by_one(model, monkeypatch):
    monkeypatch.setattr(reading, "ROWS", 7)
    row = evaluate(model, TASK, n=20, seed=4, sizes=[5]).iloc[0]
    batch = TASK.batch(20, np.random.default_rng([4, 5]), size=5, split="held_out")
    exact, right, depths, prompt = [], [], [], []
    for tokens, answer, length in zip(batch.tokens, batch.answer_mask, batch.lengths, strict=True):
        output = model(tokens[None, : length - 1])
        correct = (output.logits[0].argmax(-1) == tokens[1:length])[answer[1:length]]
        exact.append(bool(correct.all()))
        right.append(correct.tolist())
        depths.append(output.depths[0][answer[1:length]].tolist())
        prompt += output.depths[0][~answer[1:length]].tolist()
    instances = np.repeat(np.arange(20), [len(x) for x in depths])
    token, depth = clustered_mean(np.concatenate(right), instances, bounds=(0, 1)), clustered_mean(np.concatenate(depths), instances)
    assert row["exact_match"] == pytest.approx(np.mean(exact), abs=1e-5)
    assert (row["exact_low"], row["exact_high"]) == pytest.approx(proportion_confint(sum(exact), 20, method="wilson"), abs=1e-5)
    assert row[["token_accuracy", "token_low", "token_high"]].tolist() == pytest.approx([token.value, token.low, token.high], abs=2e-5)
    assert row[["depth", "depth_low", "depth_high"]].tolist() == pytest.approx([depth.value, depth.low, depth.high], abs=2e-5)
    assert row["prompt_depth"] == pytest.approx(np.mean(prompt), abs=1e-5)


def test_one_instance_has_no_clustered_interval(model):
    row = evaluate(model, TASK, n=1, seed=0, sizes=[3]).iloc[0]
    assert row[["depth_low", "depth_high", "token_low", "token_high"]].isna().all()
    assert 0 <= row["exact_low"] < row["exact_high"] <= 1


def test_constant_depth_has_an_interval_of_no_width(model):
    row = evaluate(model, TASK, n=10, seed=0, sizes=[4], depths=3).iloc[0]
    assert (row[["depth", "depth_low", "depth_high", "prompt_depth"]] == 3).all()


@pytest.mark.parametrize(("n", "sizes", "message"), [(0, [3], "at least one instance"), (5, [], "one size"), (5, [9], "makes sizes 2 to 8")])
def test_nothing_to_evaluate_is_an_error(model, n, sizes, message):
    with pytest.raises(ValueError, match=message):
        evaluate(model, TASK, n=n, seed=0, sizes=sizes)


def test_a_task_without_a_prompt_has_no_prompt_depth(recwarn):
    task = Lano(sizes=(2,))
    config = Config(vocabulary=len(task.vocabulary), width=16, hidden=24, heads=2, decider_hidden=16, max_depth=4)
    row = evaluate(Anira(config), task, n=3, seed=0).iloc[0]
    assert np.isnan(row["prompt_depth"]) and row["depth"] >= 1 and not len(recwarn)


@pytest.mark.parametrize("decider", ["early", "online"])
def test_the_stored_evaluation_is_what_the_shipped_model_says(decider):
    stored = read_table("shipped", "brevo-tiny").query("decider == @decider and size == 3")
    model, task, _ = load(f"brevo-{decider}-tiny")
    row = evaluate(model, task, n=1000, seed=2026, sizes=[3])
    pd.testing.assert_frame_equal(row, stored[row.columns].reset_index(drop=True), check_dtype=False, rtol=0, atol=1e-9)
