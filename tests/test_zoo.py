"""The models that ship with the package."""

import pytest

from anira.evaluation.evaluate import evaluate
from anira.zoo import load, names

LEAST = {"lano": 0.5}  # of a string drawn at random no model can tell every token, least of all where few strings are short and one of five is held out


@pytest.mark.parametrize("name", names())
def test_a_shipped_model_knows_its_task_and_what_made_it(name):
    model, task, header = load(name)
    run = header["run"]
    assert name == "-".join((task.name, model.config.variant, run["preset"])) == "-".join((run["task"], run["decider"], run["preset"]))
    assert evaluate(model, task, n=100, seed=1)["token_accuracy"].iloc[0] > LEAST.get(task.name, 0.95)
