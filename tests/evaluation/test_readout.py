"""What is read off with a cache, one answer token at a time, is what full passes with given depths say."""

import numpy as np
import pytest
import torch

from anira.evaluation.interventions import intervene
from anira.evaluation.readout import Answers, readouts
from anira.evaluation.trace import draw, trace
from anira.model.anira import Anira, Config
from anira.tasks import Brevo
from anira.tasks.brevo import ANSWER
from anira.tasks.task import collate

TASK = Brevo(sizes=(3, 5))


def random_model(decider: str, **options) -> Anira:
    """Weights large enough for several depths and many predictions to occur."""
    generator = torch.Generator().manual_seed(1)
    config = Config(
        vocabulary=len(TASK.vocabulary),
        decider=decider,
        max_depth=4,
        width=16,
        hidden=24,
        heads=2,
        decider_hidden=9,
        max_length=64,
        answer_token=ANSWER,
        **options,
    )
    model = Anira(config).initialize(generator).double()
    for parameter in model.parameters():
        parameter.data += 0.4 * torch.randn(parameter.shape, generator=generator, dtype=torch.double)
    return model


@pytest.mark.parametrize("decider", ["early", "online", "hybrid", "role", "fixed"])
def test_a_view_is_the_full_pass_with_that_token_at_every_depth(decider):
    model, batch = random_model(decider), collate(draw(TASK, [3, 5], 6, seed=0))
    tokens = batch.tokens
    with torch.no_grad():
        chosen = model(tokens, lengths=batch.lengths).depths
        answers, seen = Answers(model, batch), 0
        for view in answers.views():
            for d in range(1, 5):
                given = chosen.clamp(min=1)
                given[view.rows, view.positions] = d
                states = []
                with model.coda.register_forward_pre_hook(lambda layer, inputs, states=states: states.append(inputs[0])):
                    output = model(tokens, depths=given)
                at = (view.rows, view.positions)
                assert torch.allclose(view.logits[:, d - 1], output.logits[at])
                assert torch.allclose(view.states[:, d - 1], states[0][at])
                if d == 4:
                    assert torch.allclose(view.passed, output.exit_probs[at].cumsum(-1))
            assert torch.equal(view.targets, tokens[view.rows, view.positions + 1])
            answers.settle(view)
            seen += len(view.rows)
    assert seen == int(batch.answer_mask.sum())
    predicts = torch.arange(tokens.shape[1]) < batch.lengths[:, None] - 1
    assert (torch.from_numpy(answers.spent())[predicts] == chosen[predicts]).all()


def test_tokens_settled_otherwise_are_what_later_ones_see():
    model, batch = random_model("online"), collate(draw(TASK, [5], 5, seed=3))
    answers = Answers(model, batch, prompt_depths=2)
    for view in answers.views():
        with torch.no_grad():
            given = torch.from_numpy(answers.spent())
            given[view.rows, view.positions] = 3
            assert torch.allclose(view.logits[:, 2], model(batch.tokens, depths=given).logits[view.rows, view.positions])
        answers.settle(view, torch.full_like(view.positions, 1))
    answer = batch.answer_mask.roll(-1, 1)
    answer[:, -1] = False
    assert (answers.spent()[answer.numpy()] == 1).all()


def test_readouts_agree_with_trace_and_interventions():
    model = random_model("early")
    table = readouts(model, TASK, TASK.sizes, 8, seed=5)
    traced = trace(model, TASK, TASK.sizes, 8, seed=5)
    chosen = table[table["iteration"] == table["depth"]].reset_index(drop=True)
    for name, other in (("instance", "instance"), ("position", "position"), ("token", "token"), ("depth", "depth"), ("right", "correct")):
        assert chosen[name].tolist() == traced[other].tolist()
    assert np.allclose(chosen["expected_depth"], traced["expected_depth"])
    fixed = intervene(model, TASK, TASK.sizes, 8, seed=5).query("intervention == 'fixed'").set_index(["instance", "amount"])["right"].sort_index()
    together = table.groupby(["instance", "iteration"])["right_together"].sum()
    assert together.tolist() == fixed.tolist()
    assert (table["right"] == (table["said"] == table["token"])).all()


def test_untied_layers_have_nothing_to_show():
    with pytest.raises(ValueError, match="Untied"):
        Answers(random_model("fixed", untied=True), collate(draw(TASK, [3], 2, seed=0)))
