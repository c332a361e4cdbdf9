"""The trace and the evaluation agree with a model asked one instance at a time."""

import numpy as np
import pandas as pd
import pytest
import torch
from statsmodels.regression.linear_model import OLS

from anira.evaluation.evaluate import evaluate
from anira.evaluation.trace import difficulty, draw, exits, trace
from anira.model.anira import Anira, Config
from anira.results import read as read_table
from anira.tasks import Brevo, Mano
from anira.zoo import load


@pytest.fixture(scope="module", params=[Brevo(sizes=range(3, 6)), Mano(sizes=range(2, 5), modulus=5)], ids=lambda task: task.name)
def case(request):
    task = request.param
    model = Anira(Config(vocabulary=len(task.vocabulary), width=16, hidden=24, heads=2, decider_hidden=16)).initialize(torch.Generator().manual_seed(0))
    torch.nn.init.normal_(model.decider.head[-1].weight)
    return model.eval(), task


def test_every_row_is_what_the_model_says_of_that_token(case):
    model, task = case
    instances = draw(task, task.sizes, 3, seed=5, split="held_out")
    frame = trace(model, task, task.sizes, 3, seed=5)
    rows = []
    for number, instance in enumerate(instances):
        output = model(torch.tensor([instance.tokens]))
        for position in range(len(instance.prompt), len(instance.tokens)):
            said = output.logits[0, position - 1].argmax().item()
            rows.append((number, instance.size, position, said == instance.tokens[position], output.depths[0, position - 1].item()))
    columns = ["instance", "size", "position", "correct", "depth"]
    pd.testing.assert_frame_equal(frame[columns], pd.DataFrame(rows, columns=columns), check_dtype=False)
    whole = frame.groupby("instance")["correct"].all()
    assert (frame["instance_correct"] == frame["instance"].map(whole)).all()
    assert set(task.features) <= set(frame.columns)


def test_more_instances_than_one_pass_holds_keep_their_rows(case):
    model, task = case
    frame = trace(model, task, task.sizes[:1], 503, seed=1)
    alone = trace(model, task, task.sizes[:1], 2, seed=1)
    pd.testing.assert_frame_equal(frame[frame["instance"] < 2].reset_index(drop=True), alone)
    assert frame["instance"].nunique() == 503 and frame["depth"].between(1, 6).all()


def test_features_stand_beside_their_tokens(case):
    _, task = case
    frame = difficulty(task, draw(task, task.sizes, 2, seed=0))
    for name, feature in task.features.items():
        assert (frame.loc[frame[name].notna(), "part"] == feature.where).all()


def test_depth_intervals_are_those_of_a_clustered_regression(case):
    """The mean's standard error equals that of an intercept-only OLS clustered by instance."""
    model, task = case
    row = evaluate(model, task, n=200, seed=3, sizes=[4]).iloc[0]
    batch = task.batch(200, np.random.default_rng([3, 4]), size=4, split="held_out")
    depths, mask = model(batch.tokens[:, :-1]).depths, batch.answer_mask[:, 1:]
    groups = torch.arange(200)[:, None].expand_as(mask)[mask].numpy()
    values = depths[mask].double().numpy()
    fit = OLS(values, np.ones(len(values))).fit(cov_type="cluster", cov_kwds={"groups": groups})
    correction = np.sqrt((len(values) - 1) / len(values))  # statsmodels' small-sample factor also counts tokens
    assert row["depth"] == pytest.approx(values.mean(), abs=1e-5)
    assert row["depth_high"] - row["depth"] == pytest.approx(1.96 * fit.bse[0] * correction, rel=0.01, abs=2e-5)


def test_own_depth_is_that_of_the_position_that_reads_the_token(case):
    model, task = case
    instances = draw(task, task.sizes, 3, seed=5, split="held_out")
    frame = trace(model, task, task.sizes, 3, seed=5)
    for number, instance in enumerate(instances):
        output, rows = model(torch.tensor([instance.tokens])), frame[frame["instance"] == number]
        where = rows["position"].to_numpy()
        assert (rows["own_depth"].to_numpy() == output.depths[0].numpy()[where]).all()
        np.testing.assert_allclose(rows["own_expected_depth"], output.expected_depths[0].detach().numpy()[where], atol=1e-5)
        np.testing.assert_allclose(rows["expected_depth"], output.expected_depths[0].detach().numpy()[where - 1], atol=1e-5)


def test_prompt_tokens_have_the_depth_at_their_own_position(case):
    model, task = case
    frame, rows = trace(model, task, task.sizes, 3, seed=5, part="prompt"), []
    for number, instance in enumerate(draw(task, task.sizes, 3, seed=5, split="held_out")):
        output, start = model(torch.tensor([instance.tokens])), len(instance.prompt)
        solved = output.logits[0, start - 1 : -1].argmax(-1).tolist() == list(instance.answer)
        rows += [(number, position, depth, solved) for position, depth in enumerate(output.depths[0, :start].tolist())]
    columns = ["instance", "position", "own_depth", "instance_correct"]
    pd.testing.assert_frame_equal(frame[columns], pd.DataFrame(rows, columns=columns))
    with pytest.raises(ValueError, match="answer, prompt, received 'both'"):
        trace(model, task, task.sizes, 3, seed=5, part="both")


def test_the_stored_trace_is_what_the_shipped_model_says():
    """300 instances of each size were drawn, 0 to 4 here."""
    model, task, _ = load("brevo-online-tiny")
    stored = read_table("traces", "brevo-tiny").query("decider == 'online' and run_seed == 0")
    stored = stored[stored["instance"] % 300 < 5]
    frame = trace(model, task, task.sizes, 5, seed=2026).round(4)
    stored = stored.assign(instance=frame["instance"].to_numpy())[frame.columns].reset_index(drop=True)
    pd.testing.assert_frame_equal(frame, stored, check_dtype=False, rtol=0, atol=1.01e-4)
    assert (frame["depth"] == stored["depth"]).all() and np.isclose(frame["expected_depth"], stored["expected_depth"], rtol=0, atol=1e-9).mean() > 0.99


def test_exits_are_what_the_model_says_at_each_position_and_agree_with_the_trace():
    model, task, _ = load("brevo-early-tiny")
    instance = task.sample(6, np.random.default_rng([0, 6, 0]), split="held_out")
    rows = exits(model, task, instance)
    with torch.no_grad():
        output = model(torch.tensor([instance.tokens]))
    assert rows["q"].to_numpy().reshape(-1, 6) == pytest.approx(output.exit_probs[0, :-1].numpy(), abs=1e-6)
    at_most = rows.pivot(index="position", columns="d", values="cumulative")
    assert at_most[6].to_numpy() == pytest.approx(1) and (at_most.diff(axis=1).min().dropna() >= 0).all()
    answer = rows[rows["part"] == "answer"].drop_duplicates("position")
    same = trace(model, task, sizes=[6], n=1, seed=0)
    assert answer[["predicts", "depth"]].values.tolist() == same[["token", "depth"]].values.tolist()
    assert answer["expected_depth"].to_numpy() == pytest.approx(same["expected_depth"].to_numpy(), abs=1e-5)
    assert answer["token"].iloc[0] == "<answer>"
