"""Weights as the page has them decide as the model's own."""

import numpy as np
import pytest
import torch

import anira
from anira.explorer.weights import pack, unpack
from anira.model.anira import Anira
from anira.model.deciders import Online


@pytest.mark.parametrize("name", ["brevo-early-tiny", "brevo-online-tiny", "mano-early-tiny", "mano-online-tiny"])
@torch.no_grad()
def test_every_depth_and_prediction_stays_the_same(name):
    model, task, _ = anira.load(name)
    copy = Anira(model.config)
    copy.load_state_dict(unpack(pack(name, model, task)))
    for size in (4, 8, 12) if task.name == "brevo" else (1, 2, 3):
        batch = task.batch(60, np.random.default_rng(size), size)
        for rule in (model.decider.default_rule, 0.35):
            before, after = (each(batch.tokens, select=rule, lengths=batch.lengths) for each in (model, copy.eval()))
            assert torch.equal(before.depths, after.depths)
            assert torch.equal(before.logits.argmax(-1), after.logits.argmax(-1))
            assert (before.exit_probs - after.exit_probs).abs().max() < 1e-5


def test_a_tensor_of_zeros_and_one_of_extremes_come_back():
    model, task, _ = anira.load("mano-online-tiny")
    with torch.no_grad():
        model.norm.weight.zero_()
        model.embedding.weight[0, :4] = torch.tensor([-8.0, 8.0, 1e-9, -0.5])
    tensors = unpack(pack("mine", model, task))
    assert not tensors["norm.weight"].any()
    assert torch.allclose(tensors["embedding.weight"], model.embedding.weight, rtol=0, atol=8 / 2**23)


def test_a_decider_that_decides_in_a_way_of_its_own_is_refused_and_one_that_only_has_another_name_is_not():
    model, task, _ = anira.load("brevo-online-tiny")
    with pytest.raises(ValueError, match="confident"):
        pack("mine", model.with_decider("confident"), task)

    class Patient(Online):
        name = "patient"

    model.decider.__class__ = Patient
    assert pack("mine", model, task)["decides"] == "online"
