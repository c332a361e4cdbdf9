"""A run is its recipe: what differs is named, what would fail later is refused at the start, and nothing is overwritten."""

import sys
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

from anira.tasks import TASKS, Brevo, Mano
from anira.training.checkpoint import CheckpointError, read_header
from anira.training.job import Job, recipe_from
from anira.training.loop import Diverged, Run, train
from anira.training.presets import in_words, preset
from anira.zoo import load
from tests.precision import NoDoubles
from tests.training.test_training import HEADER, MODEL, SHORT

WIDER = {**MODEL, "width": 32}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"learning_rate": 0.5}, "learning_rate is 0.003 there and 0.5 here"),
        ({"batch_size": 4}, "batch_size is 8 there and 4 here"),
        ({"penalty": 0.2}, "penalty is 0.1 there and 0.2 here"),
        ({"model": {**MODEL, "max_depth": 5}}, "model.max_depth is 3 there and 5 here"),
        ({"model": WIDER}, "model.width is 16 there and 32 here"),
        ({"task": Brevo(sizes=(3, 4), node_names=16)}, r"task.sizes is \[3, 4, 5, 6, 7, 8\] there and \[3, 4\] here"),
        ({"decay_steps": 5}, "decay_steps is 6 there and 5 here"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_state_of_another_recipe_is_refused_and_the_field_named(tmp_path, change, named):
    state = tmp_path / "state.safetensors"
    train(Run.start(SHORT, "online", 7, HEADER), tmp_path, until=2)
    before = state.read_bytes()
    other = Run.start(replace(SHORT, **change), "online", 7, HEADER)
    weights = [value.clone() for value in other.model.state_dict().values()]
    with pytest.raises(CheckpointError, match=named):
        other.restore(state)
    with pytest.raises(CheckpointError, match=named):
        train(other, tmp_path)
    assert state.read_bytes() == before and other.step == 0
    assert all(map(torch.equal, weights, other.model.state_dict().values())), "half restored"


@pytest.mark.parametrize(("decider", "seed", "named"), [("early", 7, "model.decider"), ("online", 8, "run.seed is 7 there and 8 here")])
def test_the_folder_of_another_run_is_left_alone(tmp_path, decider, seed, named):
    train(Run.start(SHORT, "online", 7, HEADER), tmp_path, until=2)
    before = (tmp_path / "state.safetensors").read_bytes()
    with pytest.raises(CheckpointError, match=named):
        train(Run.start(SHORT, decider, seed, HEADER), tmp_path)
    with pytest.raises(CheckpointError, match="at step 2, past 0. Restore it first"):
        train(Run.start(SHORT, "online", 7, HEADER), tmp_path)
    assert (tmp_path / "state.safetensors").read_bytes() == before


def test_a_trunk_is_shared_by_recipes_that_differ_after_it_alone(tmp_path):
    train(Run.start(SHORT, "online", 7, HEADER), tmp_path, until=4)
    state = tmp_path / "state.safetensors"
    later = Run.start(replace(SHORT, penalty=0.3, steps=20, decider_rate=1e-3, decay_steps=3), "early", 7, {"variation": "penalty0.3"})
    later.restore(state, trunk_only=True)
    assert later.step == 4
    for change, named in (({"learning_rate": 0.1}, "learning_rate"), ({"trunk_decay_steps": 1}, "trunk_decay_steps"), ({"model": WIDER}, "model.width")):
        with pytest.raises(CheckpointError, match=named):
            Run.start(replace(SHORT, **change), "early", 7, HEADER).restore(state, trunk_only=True)
    single = replace(SHORT, decider_rate=None, trunk_decay_steps=0)  # its rate may fall in the trunk phase already
    train(Run.start(single, "online", 7, HEADER), tmp_path / "single", until=2)
    with pytest.raises(CheckpointError, match="steps is 16 there and 10 here"):
        Run.start(replace(single, steps=10), "early", 7, HEADER).restore(tmp_path / "single" / "state.safetensors", trunk_only=True)


class Plain:
    """A task that is no dataclass."""

    name, sizes, vocabulary = "plain", (3,), Brevo().vocabulary


@dataclass(frozen=True)
class Unknown(Brevo):
    """A task that nobody registered."""


@dataclass(frozen=True)
class Ranged(Brevo):
    """A task whose sizes are not what JSON knows."""

    name = "ranged"

    def __post_init__(self):
        object.__setattr__(self, "sizes", range(3, 5))


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (Plain(), "Plain cannot be written into a model file"),
        (Unknown(), "Unknown cannot be written into a model file.*register"),
        (Ranged(), "Ranged cannot be written into a model file.*range"),
        (Mano(sizes=(1, 40)), "an instance of mano may have [0-9]+ tokens, the model takes 64"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_would_fail_at_the_end_is_refused_before_the_first_step(monkeypatch, task, message):
    monkeypatch.setitem(TASKS, "ranged", Ranged)
    with pytest.raises(ValueError, match=f"(?i){message}"):
        Run.start(replace(SHORT, task=task), "online", 0)


def test_sizes_from_numpy_are_trained_and_written(tmp_path):
    recipe = replace(SHORT, task=Brevo(sizes=np.arange(3, 5)), steps=2, trunk_steps=1, trunk_decay_steps=0, decay_steps=0)
    train(Run.start(recipe, "online", 0), tmp_path)
    assert load(tmp_path).task == Brevo(sizes=(3, 4))


@pytest.mark.parametrize("until", [0, -5, 17, 600, 3])
def test_a_step_that_the_run_cannot_stop_at_is_an_error_and_touches_nothing(tmp_path, until):
    run = train(Run.start(SHORT, "online", 7, HEADER), tmp_path, until=4)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match=f"of 16 steps that is at step 4 cannot be trained until step {until}"):
        train(run, tmp_path, until=until)
    assert run.step == 4 and before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


@pytest.mark.parametrize("begin", [2, 7], ids=["trunk", "decider"])
def test_a_run_with_nan_ends_with_its_step_and_keeps_the_last_good_state(tmp_path, begin):
    run = train(Run.start(SHORT, "online", 7, HEADER), tmp_path, until=begin)
    before = (tmp_path / "state.safetensors").read_bytes()
    with torch.no_grad():
        run.model.core.attention.qkv.weight[0, 0] = torch.nan
    with pytest.raises(Diverged, match=f"cross entropy of step {begin} is nan"):
        train(run, tmp_path)
    assert (tmp_path / "state.safetensors").read_bytes() == before and not (tmp_path / "model.safetensors").exists()


def test_a_gradient_that_is_not_finite_ends_the_run_even_where_the_loss_is(tmp_path):
    run = train(Run.start(SHORT, "online", 7, HEADER), tmp_path, until=2)
    run.model.core.attention.out.weight.register_hook(lambda gradient: gradient * torch.inf)
    with pytest.raises(Diverged, match="gradient norm of step 2 is"):
        train(run, tmp_path)


def test_metrics_say_which_run_they_are_of(tmp_path):
    Job("brevo", "early", "minute", seed=3, penalty=0.2).run(tmp_path, until=1)
    identity = ["task", "decider", "preset", "run_seed", "variation"]
    table = pd.read_csv(tmp_path / "metrics.csv", keep_default_na=False)
    assert table[identity].drop_duplicates().values.tolist() == [["brevo", "early", "minute", 3, "penalty0.2"]]
    header = read_header(tmp_path / "state.safetensors")[0]
    assert header["run"] == {"task": "brevo", "preset": "minute", "variation": "penalty0.2", "decider": "early", "seed": 3}
    assert header["recipe"]["penalty"] == 0.2 and header["recipe"]["split"] == "train" and header["recipe"]["model"]["decider"] == "early"


def test_what_was_measured_since_the_last_record_survives_a_stop(tmp_path):
    recipe = replace(SHORT, evaluate_every=100, steps=8)
    whole = train(Run.start(recipe, "online", 7, HEADER), tmp_path / "whole")
    run = Run.start(recipe, "online", 7, HEADER)
    for _ in range(3):
        run.advance()
    run.save(tmp_path / "state.safetensors")
    resumed = Run.start(recipe, "online", 7, HEADER)
    resumed.restore(tmp_path / "state.safetensors")
    train(resumed, tmp_path / "resumed")
    assert [row["cross_entropy"] for row in resumed.metrics] == [row["cross_entropy"] for row in whole.metrics]


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("decider", ["early", "online", "hybrid"])
def test_nothing_in_a_step_is_in_float64_on_the_device(decider, optimizer):
    run = Run.start(replace(SHORT, trunk_steps=0, trunk_decay_steps=0, optimizer=optimizer), decider, 0)
    batch = next(run.batches())
    run.model.rotation(1)  # angles are computed on the CPU, whatever the device, and kept
    with NoDoubles():
        measures = run.advance(batch)
    assert {value.dtype for name, value in measures.items() if name != "tokens"} == {torch.float32}


def test_a_recipe_of_ones_own_is_trained_from_its_address_and_comes_back(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(
        "from dataclasses import dataclass, replace\nfrom anira.tasks import TASKS, Mano\nfrom anira.training.presets import preset\n"
        "@dataclass(frozen=True)\nclass Sums(Mano):\n    name = 'sums'\nTASKS['sums'] = Sums\n"
        "quick = replace(preset('mano', 'minute'), task=Sums(sizes=(1, 2), modulus=3), steps=3, trunk_steps=1, decay_steps=1)\nother = 3\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("anira.tasks.TASKS", TASKS)
    job = Job("mine:quick")
    assert job.name == "sums-online-quick-0" and not job.finished(tmp_path / "run")
    job.run(tmp_path / "run")
    assert job.finished(tmp_path / "run") and load(tmp_path / "run").task == job.recipe.task
    assert load(tmp_path / "run").header["run"]["preset"] == "quick"
    del TASKS["sums"], sys.modules["mine"]
    with pytest.raises(CheckpointError, match="must be registered before its models are loaded"):
        load(tmp_path / "run")
    for address, message in (("mine:absent", "No recipe at mine:absent"), ("absent:x", "No recipe at absent:x"), ("mine:other", "is a int, not")):
        with pytest.raises(ValueError, match=message):
            recipe_from(address)
    TASKS.pop("sums", None)


def test_a_run_that_is_its_own_recipe_needs_no_header(tmp_path):
    recipe = replace(SHORT, steps=2, trunk_steps=1, trunk_decay_steps=0, decay_steps=0)
    run = partial(Run.start, recipe, "online", 5)
    train(run(), tmp_path)
    assert load(tmp_path).header["run"] == {"task": "brevo", "preset": "own", "variation": "none", "decider": "online", "seed": 5}
    assert run({"task": "sums"}).header["preset"] == "own"


def test_recipes_in_words_say_what_they_do():
    table = in_words([("brevo", "tiny"), ("brevo", "paper")])
    wanted = [preset("brevo", name) for name in ("tiny", "paper")]
    assert table.loc["steps"].str.replace(",", "").astype(int).tolist() == [recipe.steps for recipe in wanted]
    assert table.loc["of these at fixed depth"].str.replace(",", "").astype(int).tolist() == [recipe.trunk_steps for recipe in wanted]
    assert table.loc["sizes"].tolist() == ["3 to 8", "3 to 30"] and table.columns.tolist() == ["BREVO tiny", "BREVO paper"]
