"""The recording says what the models say, and the player carries it in one piece of safe HTML."""

import json
import random
import re

import pytest

from anira.explorer.player import player
from anira.explorer.recording import ALPHABET, MODELS, RECORDING, checksum, instance_of
from anira.explorer.scene import scene
from anira.zoo import load


@pytest.fixture(scope="module")
def recording():
    return json.loads(RECORDING.read_text(encoding="utf-8"))


def test_it_was_made_from_the_models_that_ship(recording):
    made_from = {decider: model["sha256"] for decider, model in recording["models"].items()}
    shipped = {decider: checksum(name) for decider, name in MODELS.items()}
    assert made_from == shipped, "The shipped models changed. Record them again: python -m anira.explorer.recording"


@pytest.mark.parametrize("decider", MODELS)
def test_it_decodes_to_the_scene_within_its_quantisation(recording, decider):
    model, task, _ = load(MODELS[decider])
    cases = [(size, graph, t) for size in range(len(recording["sizes"])) for graph in range(recording["graphs"]) for t in range(len(recording["thresholds"]))]
    for size, graph, t in random.Random(0).sample(cases, 12):
        answer, depths, probs = recording["runs"][decider][size][graph][t]
        shown = scene(model, task, instance_of(task, recording["sizes"][size], graph + 1), recording["thresholds"][t])
        positions = shown["prompt"] + shown["answer"][1:]
        assert answer.split() == [token["name"] for token in shown["answer"]]
        assert [int(digit, 36) for digit in depths] == [token["depth"] for token in positions]
        digits = [ALPHABET.index(character) for character in probs]
        decoded = [(64 * high + low) / 4095 for high, low in zip(digits[::2], digits[1::2], strict=True)]
        expected = [prob for token in positions for prob in token["exit_probs"]]
        assert decoded == pytest.approx(expected, abs=0.5 / 4095 + 1e-5)
        instance = recording["instances"][size][graph]
        assert instance["prompt"].split() == [token["name"] for token in shown["prompt"]]
        assert instance["expected"].split() == shown["expected"]


def test_it_has_at_least_six_graphs_of_every_trained_size(recording):
    assert recording["graphs"] >= 6
    assert recording["sizes"] == list(load(MODELS["online"]).task.sizes)


def test_the_player_is_small_self_contained_and_cannot_be_closed_from_within():
    html = player(6, 1, "online", 0.5)
    assert len(html.encode()) < 700_000
    assert not re.search(r"""(src|href)\s*=|@import|url\(|https?://(?!www\.w3\.org/)""", html)
    assert html.count("<script") == html.count("</script") == 3
    assert "<!--" not in html
