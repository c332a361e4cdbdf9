"""A reading is about tokens: column t says what the position before predicted and what its own position spent."""

import numpy as np
import pytest
import torch

from anira.evaluation import reading
from anira.evaluation.evaluate import evaluate
from anira.evaluation.generalize import generalize
from anira.evaluation.interventions import intervene
from anira.evaluation.policies import ladder
from anira.evaluation.probes import probe
from anira.evaluation.reading import read
from anira.evaluation.readout import readouts
from anira.evaluation.stopping import frontier
from anira.evaluation.trace import trace
from anira.model.anira import Anira, Config
from anira.tasks import Brevo, Mano
from tests.precision import NoDoubles

TASK = Brevo(sizes=range(3, 6), node_names=8)


@pytest.fixture(scope="module")
def model():
    config = Config(vocabulary=len(TASK.vocabulary), width=16, hidden=24, heads=2, decider_hidden=16, max_depth=4)
    model = Anira(config).initialize(torch.Generator().manual_seed(0)).eval()
    torch.nn.init.normal_(model.decider.head[-1].weight, generator=torch.Generator().manual_seed(1))
    return model


@pytest.fixture
def batch():
    return TASK.batch(30, np.random.default_rng(0))


@torch.no_grad()
def test_every_column_is_what_the_model_says_of_that_token(model, batch, monkeypatch):
    monkeypatch.setattr(reading, "ROWS", 7)  # in several passes, whose rows find their way back
    found = read(model, batch)
    for row, (tokens, length) in enumerate(zip(batch.tokens, batch.lengths, strict=True)):
        output = model(tokens[None, :length])
        said, depths, expected = output.logits[0].argmax(-1), output.depths[0].numpy(), output.expected_depths[0].numpy()
        for token in range(int(length)):
            assert found.own_depth[row, token] == depths[token]
            assert found.own_expected_depth[row, token] == pytest.approx(expected[token], abs=1e-5)
            before = token - 1
            assert found.right[row, token] == (token > 0 and said[before].item() == tokens[token].item())
            assert found.depth[row, token] == (depths[before] if token else 0)
            assert found.expected_depth[row, token] == pytest.approx(expected[before] if token else 0, abs=1e-5)
    assert len(set(found.depth[found.answer])) > 1 and (found.answer == batch.answer_mask.numpy()).all()


def test_padding_belongs_to_no_part_and_holds_zero(model, batch):
    found = read(model, batch)
    padding = ~(found.answer | found.prompt)
    assert padding.any() and not (found.answer & found.prompt).any() and (padding == ~batch.token_mask.numpy()).all()
    for name in ("right", "depth", "own_depth", "expected_depth", "own_expected_depth"):
        assert (getattr(found, name)[padding] == 0).all()


def test_an_answer_token_gets_the_depth_that_it_is_given_and_no_other_token_does(model, batch):
    chosen = read(model, batch)
    asked = np.random.default_rng(1).integers(1, 5, chosen.depth.shape)
    found = read(model, batch, depths=chosen.with_depth(asked))
    assert (found.depth[found.answer] == asked[found.answer]).all()
    prompt = found.prompt & found.predicted
    assert (found.depth[prompt] == chosen.depth[prompt]).all()


def test_a_model_without_room_for_the_last_token_can_be_asked(model, batch):
    longest = batch.tokens.shape[1]
    tight = Anira(Config(**{**vars(model.config), "max_length": longest - 1})).eval()
    tight.load_state_dict(model.state_dict())
    found, whole = read(tight, batch), read(model, batch)
    assert (found.right == whole.right).all() and (found.depth == whole.depth).all()
    assert (found.own_depth[:, -1] == 0).all() and (found.own_depth[:, :-1] == whole.own_depth[:, :-1]).all()


ASKING = {
    "evaluate": lambda model, task, n, sizes: evaluate(model, task, n, 0, sizes),
    "trace": lambda model, task, n, sizes: trace(model, task, sizes, n, 0),
    "prompt": lambda model, task, n, sizes: trace(model, task, sizes, n, 0, part="prompt"),
    "intervene": lambda model, task, n, sizes: intervene(model, task, sizes, n, 0),
    "frontier": lambda model, task, n, sizes: frontier(model, task, n, 0, sizes=sizes),
    "generalize": lambda model, task, n, sizes: generalize(model, task, n, 0, sizes),
}


@pytest.mark.parametrize("ask", ASKING.values(), ids=list(ASKING))
@pytest.mark.parametrize(
    ("task", "n", "sizes", "message"),
    [
        (Mano(), 2, [3], "knows 21 tokens and the task 'mano' has 29"),
        (TASK, 0, [3], "at least one instance of each size, received n = 0"),
        (TASK, -1, [3], "received n = -1"),
        (TASK, 2, range(5, 3), "at least one size, received range"),
        (TASK, 2, [], "at least one size, received"),
        (TASK, 2, range(0, 4), "'brevo' makes sizes . to 8, received range"),
        (TASK, 2, range(3, 10**11), "'brevo' makes sizes . to 8, received range"),
        (TASK, 2, [3, 9], r"makes sizes . to 8, received \[3, 9\]"),
    ],
)
def test_what_cannot_be_asked_is_one_clear_error_wherever_it_is_asked(model, ask, task, n, sizes, message):
    with pytest.raises(ValueError, match=message):
        ask(model, task, n, sizes)


MORE = {
    "readouts": lambda model, task, n, sizes: readouts(model, task, sizes, n, 0),
    "ladder": lambda model, task, n, sizes: ladder(model, task, n, 0, sizes),
}


@pytest.mark.parametrize("ask", [*ASKING.values(), *MORE.values()], ids=[*ASKING, *MORE])
def test_no_question_is_computed_in_double_precision_on_the_device(model, ask):
    model.rotation(1)  # angles are computed on the CPU, whatever the device, and kept
    with NoDoubles():
        ask(model, TASK, 3, [3, 4])


def test_a_probe_of_a_model_on_another_vocabulary_is_refused(model):
    with pytest.raises(ValueError, match="tokens and the task 'mano' has"):
        probe(model, Mano(), 100, 0)


@pytest.mark.parametrize("ask", ["evaluate", "trace", "prompt", "frontier", "intervene"])
def test_only_problems_that_no_training_sees_are_asked(model, ask, monkeypatch):
    splits = []
    for method in ("sample", "batch"):
        drawn = getattr(Brevo, method)
        monkeypatch.setattr(
            Brevo,
            method,
            lambda self, *arguments, _drawn=drawn, split="any", **options: splits.append(split) or _drawn(self, *arguments, split=split, **options),
        )
    ASKING[ask](model, TASK, 2, [3])
    assert splits and set(splits) == {"held_out"}
