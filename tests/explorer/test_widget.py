"""The widget answers every change of a trait with the scene that belongs to it, and quickly."""

import statistics
import time

import pytest
import traitlets

from anira.explorer.recording import instance_of
from anira.explorer.scene import scene
from anira.explorer.widget import Explorer, explore
from anira.model.anira import Anira, Config
from anira.tasks.brevo import Brevo
from anira.zoo import Loaded, load


@pytest.fixture(scope="module")
def explorer():
    return Explorer()


@pytest.mark.parametrize(("trait", "value"), [("nodes", 4), ("graph", 7), ("decider", "early"), ("threshold", 0.15), ("nodes", 12)])
def test_a_changed_trait_gives_the_scene_of_the_new_choice(explorer, trait, value):
    setattr(explorer, trait, value)
    model, task, _ = load(f"brevo-{explorer.decider}-tiny")
    direct = scene(model, task, instance_of(task, explorer.nodes, explorer.graph), explorer.threshold)
    shown = dict(explorer.scene)
    choice = shown.pop("choice")
    assert choice[trait] == value
    for key in ("nodes", "edges", "expected", "correct", "size", "decider"):
        assert shown[key] == direct[key]
    assert [(token["name"], token["depth"]) for token in shown["prompt"] + shown["answer"]] == [
        (token["name"], token["depth"]) for token in direct["prompt"] + direct["answer"]
    ]


def test_a_move_takes_less_than_a_tenth_of_a_second(explorer):
    explorer.nodes = 8
    seconds = []  # of one thread's computing time, so that a busy machine does not fail the test
    for graph in range(101, 116):
        began = time.process_time()
        explorer.graph = graph
        seconds.append(time.process_time() - began)
    assert statistics.median(seconds) < 0.1


def test_traits_that_change_together_are_computed_once(explorer):
    scenes = []
    explorer.observe(scenes.append, "scene")
    with explorer.hold_trait_notifications():
        explorer.nodes, explorer.graph, explorer.threshold = 5, 3, 0.6
    explorer.unobserve(scenes.append, "scene")
    assert len(scenes) == 1


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"nodes": 99}, "one of 3, 4, 5"),
        ({"decider": "oracle"}, "one of early, online"),
        ({"graph": 0}, "counts from 1"),
        ({"threshold": 0.0}, "above 0 and at most 1"),
    ],
)
def test_a_choice_that_does_not_exist_is_refused_with_what_does(explorer, choice, message):
    before = explorer.scene
    with pytest.raises(traitlets.TraitError, match=message):
        explorer.set_trait(*next(iter(choice.items())))
    assert explorer.scene is before


def test_models_of_different_vocabularies_are_refused():
    small = Loaded(Anira(Config(vocabulary=13)).eval(), Brevo(sizes=(3,), node_names=8), {})
    with pytest.raises(ValueError, match="share their node names"):
        explore({"mine": small, "online": "brevo-online-tiny"})


def test_models_of_ones_own_are_offered_under_their_labels_and_without_a_recording_of_others():
    mine = explore({"mine": load("brevo-online-tiny")}, nodes=3)
    assert mine.decider == "mine"
    assert mine.options["deciders"] == ["mine"]
    assert "text/html" not in mine._repr_mimebundle_()[0]


def test_the_cell_output_has_a_widget_for_notebooks_and_a_player_for_pages(explorer):
    data, _ = explorer._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.model_id
    assert "data-anira-player" in data["text/html"]
