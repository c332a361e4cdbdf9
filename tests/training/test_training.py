"""Training: exact resumption, shared trunks, processes that add up, atomic checkpoints, clear errors."""

import multiprocessing
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from anira.model.anira import Anira
from anira.model.deciders import DECIDERS, UNTIED
from anira.training import checkpoint
from anira.training.checkpoint import CheckpointError, load_model, read, write, write_atomically
from anira.training.loop import Run, train
from anira.training.loss import divergence_sum, prior
from anira.training.presets import PRESETS, preset
from anira.training.processes import share
from anira.zoo import load

HEADER = {"task": "brevo", "preset": "short"}
MODEL = dict(max_depth=3, width=16, hidden=24, heads=2, decider_hidden=16, max_length=64)
SHORT = replace(preset("brevo", "tiny"), model=MODEL, steps=16, trunk_steps=5, ramp_steps=4, decay_steps=6, evaluate_every=4, evaluation_size=5, batch_size=8)


def weights(run: Run) -> list[torch.Tensor]:
    return list(run.model.state_dict().values())


def same(left: Run, right: Run) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(left), weights(right), strict=True))


@pytest.mark.parametrize("decider", [*(name for name, decider in DECIDERS.items() if decider.learns), UNTIED])
def test_a_run_stopped_in_each_phase_resumes_to_the_same_bits(tmp_path, decider):
    unbroken = train(Run.start(SHORT, decider, 7, HEADER), tmp_path / "unbroken")
    train(Run.start(SHORT, decider, 7, HEADER), tmp_path / "broken", until=4)
    for stop, until in ((4, 12), (12, None)):
        resumed = Run.start(SHORT, decider, 7, HEADER)
        resumed.restore(tmp_path / "broken" / "state.safetensors")
        assert resumed.step == stop
        train(resumed, tmp_path / "broken", until=until)
    assert same(resumed, unbroken)
    loaded = load(tmp_path / "broken" / "model.safetensors")
    assert loaded.model.config.variant == decider and all(map(torch.equal, loaded.model.state_dict().values(), weights(unbroken)))
    one, two = (pd.read_csv(tmp_path / name / "metrics.csv").drop(columns="seconds") for name in ("unbroken", "broken"))
    pd.testing.assert_frame_equal(one, two)


def train_on(folder: Path, steps: int) -> None:
    """What the same command does, given again and again: go on from what there is."""
    run = Run.start(replace(SHORT, steps=steps, evaluate_every=2), "online", 3, HEADER)
    if (folder / "state.safetensors").exists():
        run.restore(folder / "state.safetensors")
    train(run, folder, save_every_seconds=0)


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_a_run_killed_at_any_moment_resumes_to_the_same_bits(tmp_path, kills):
    """SIGKILL at a random moment, again and again, while writing too; then the run is simply started again."""
    processes = multiprocessing.get_context("forkserver")  # one process imports torch, and the others are copies of it
    processes.set_forkserver_preload([__name__])
    steps, moments = 20 * kills, np.random.default_rng(0)
    train_on(tmp_path / "unbroken", steps)
    state = tmp_path / "killed" / "state.safetensors"
    reached = []
    for _ in range(kills):
        before = state.stat().st_mtime_ns if state.exists() else None
        process = processes.Process(target=train_on, args=(tmp_path / "killed", steps))
        process.start()
        while process.is_alive() and (not state.exists() or state.stat().st_mtime_ns == before):
            time.sleep(0.005)
        time.sleep(moments.uniform(0, 0.1))
        process.kill()
        process.join()
        reached.append(read(state)[1]["step"])
    assert reached[0] < steps, "the first run must be killed before its end for this test to say anything"
    train_on(tmp_path / "killed", steps)
    one, two = (read(tmp_path / name / "model.safetensors")[0] for name in ("unbroken", "killed"))
    assert one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def test_a_trunk_taken_over_equals_a_trunk_trained(tmp_path):
    train(Run.start(SHORT, "online", 7, HEADER), tmp_path / "online", until=4)
    with pytest.raises(CheckpointError, match="untied layers"):
        Run.start(SHORT, "untied", 7, HEADER).restore(tmp_path / "online" / "state.safetensors", trunk_only=True)
    early = Run.start(SHORT, "early", 7, HEADER)
    early.restore(tmp_path / "online" / "state.safetensors", trunk_only=True)
    assert same(train(early, tmp_path / "taken"), train(Run.start(SHORT, "early", 7, HEADER), tmp_path / "whole"))


def test_buckets_are_dealt_to_all_processes(monkeypatch):
    monkeypatch.setattr("torch.distributed.is_initialized", lambda: True)
    monkeypatch.setattr("torch.distributed.get_world_size", lambda: 2)
    assert [share(bucket) for bucket in range(6)] == [0, 1, 1, 0, 0, 1]


def test_bucketed_gradients_equal_those_of_the_whole_batch():
    runs = [Run.start(replace(SHORT, buckets=buckets), "fixed", 1, HEADER) for buckets in (1, 3)]
    for run in runs:
        run.advance()
    for one, three in zip(*(run.model.parameters() for run in runs), strict=True):
        torch.testing.assert_close(one, three, rtol=1e-3, atol=1e-5)


def test_the_divergence_is_zero_at_the_prior_and_matches_its_formula():
    log_prior = prior(4, 2.0)
    torch.testing.assert_close(log_prior.exp(), torch.tensor([8.0, 4, 2, 1]) / 15)
    exit_probs = torch.stack([log_prior.exp(), torch.tensor([0.0, 0, 0, 1])])[None]  # (1, 2, D)
    output = type("Output", (), {"exit_probs": exit_probs})
    at = [float(divergence_sum(output, torch.tensor([[i == 0, i == 1]]), 2.0)) for i in range(2)]
    assert at == pytest.approx([0.0, torch.tensor(15.0).log().item()], abs=1e-6)


def test_schedules():
    one_phase = dict(decider_rate=None, trunk_decay_steps=0)
    recipe = replace(SHORT, learning_rate=1.0, warmup_steps=4, steps=20, decay_steps=10, trunk_steps=6, ramp_steps=4, penalty=1.0, **one_phase)
    assert [recipe.learning_rate_at(step) for step in (0, 3, 9, 15, 19)] == pytest.approx([0.25, 1, 1, 0.5, 0.1])
    assert [recipe.penalty_at(step) for step in (0, 5, 8, 10, 19)] == pytest.approx([0, 0, 0.5, 1, 1])
    annealed = replace(recipe, trunk_steps=10, trunk_decay_steps=5, decider_rate=0.4, decay_steps=4)
    assert [annealed.learning_rate_at(step) for step in (0, 4, 5, 7, 9)] == pytest.approx([0.25, 1, 1, 0.6, 0.2])
    assert [annealed.learning_rate_at(step) for step in (10, 13, 16, 18, 19)] == pytest.approx([0.1, 0.4, 0.4, 0.2, 0.1])
    paper = preset("brevo", "paper")
    assert {paper.penalty_at(0), paper.penalty_at(200_000)} == {0.1} and paper.learning_rate_at(249_999) == 1e-3


def test_a_varied_preset_changes_what_it_is_told_to_and_nothing_else():
    recipe = preset("brevo", "tiny")
    assert recipe.varied() == recipe and recipe.varied(penalty=0.3) == replace(recipe, penalty=0.3)
    constant = recipe.varied(schedule="constant")
    assert {constant.penalty_at(step) for step in (0, recipe.steps - 1)} == {recipe.penalty}
    falls = recipe.trunk_steps - recipe.trunk_decay_steps  # where the trunk's rate begins to fall, that of a single phase does
    assert [constant.learning_rate_at(step) for step in (0, falls)] == [recipe.learning_rate_at(step) for step in (0, falls)]
    assert constant.learning_rate_at((falls + recipe.steps) // 2) == pytest.approx(recipe.learning_rate / 2)
    assert [recipe.penalty_at(step) for step in (recipe.trunk_steps - 1, recipe.trunk_steps)] == [0, recipe.penalty]
    ramped = recipe.varied(schedule="ramped")
    quarter = (recipe.steps - recipe.trunk_steps) // 4
    assert [ramped.penalty_at(recipe.trunk_steps + step) for step in (0, quarter // 2, quarter, quarter + 500)] == pytest.approx(
        [0, recipe.penalty / 2, recipe.penalty, recipe.penalty]
    )
    longer = recipe.varied(schedule="longer")
    assert longer == replace(recipe, steps=recipe.steps + 3_000, decay_steps=recipe.decay_steps + 3_000) and longer.trunk_steps == recipe.steps - 3_000
    assert preset("brevo", "paper").varied(schedule="longer").learning_rate_at(499_999) == 1e-3  # where the rate never falls, it does not here
    for call, message in ((lambda: recipe.varied(schedule="steep"), "preset, ramped, longer, constant"), (lambda: recipe.varied(penalty=-1.0), "at least 0")):
        with pytest.raises(ValueError, match=message):
            call()


def test_every_preset_takes_its_tasks_longest_instance():
    for (task, name), recipe in PRESETS.items():
        assert max(recipe.task.max_length(size) for size in recipe.task.sizes) <= recipe.model["max_length"], (task, name)


def test_the_paper_presets_have_the_papers_parameter_count():
    counts = {task: sum(p.numel() for p in Anira(PRESETS[task, "paper"].config("early")).parameters()) for task, name in PRESETS if name == "paper"}
    published = {"brevo": 13.7e6, "depo": 13.7e6, "lano": 13.7e6, "mano": 5.1e6}
    for task, count in counts.items():
        assert count == pytest.approx(published[task], rel=0.01), task


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"good")

    def full_disk(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint.os, "fsync", full_disk)
    with pytest.raises(CheckpointError, match="No space left on device. What it held before is unchanged"):
        write_atomically(path, b"half")
    assert path.read_bytes() == b"good" and os.listdir(tmp_path) == ["file"]


def test_a_disk_that_fills_up_ends_a_run_with_one_error_and_its_last_state(tmp_path):
    """The operating system refuses to write more than a few bytes from step 6 on; the run then resumes to the same bits."""
    script = tmp_path / "run.py"
    script.write_text(
        "import sys, pathlib, resource; sys.path[:0] = " + repr(sys.path) + "\n"
        "from tests.training.test_training import SHORT, HEADER\nfrom anira.training.loop import Run, train\n"
        "folder = pathlib.Path(sys.argv[1]); run = Run.start(SHORT, 'online', 3, HEADER)\n"
        "try:\n"
        "    train(run, folder, until=8, save_every_seconds=0)\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "    train(run, folder, save_every_seconds=0)\n"
        "except ValueError as error:\n    sys.exit(str(error))\n"
    )
    done = subprocess.run([sys.executable, str(script), str(tmp_path / "full")], env={**os.environ, "PYTHONPATH": os.getcwd()}, capture_output=True, text=True)
    assert done.returncode == 1 and "could not be written: File too large. What it held before is unchanged" in done.stderr and "Traceback" not in done.stderr
    assert sorted(os.listdir(tmp_path / "full")) == ["metrics.csv", "state.safetensors"]
    resumed = Run.start(SHORT, "online", 3, HEADER)
    resumed.restore(tmp_path / "full" / "state.safetensors")
    assert resumed.step == 8
    assert same(train(resumed, tmp_path / "full"), train(Run.start(SHORT, "online", 3, HEADER), tmp_path / "unbroken"))


def test_a_folder_that_cannot_be_written_is_named_before_the_first_step(tmp_path):
    (tmp_path / "taken").write_text("a file, not a folder")
    run = Run.start(SHORT, "online", 3, HEADER)
    with pytest.raises(CheckpointError, match="taken/state.safetensors could not be written"):
        train(run, tmp_path / "taken")
    assert run.step == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_do_not_change_the_run(tmp_path, workers):
    alone = train(Run.start(SHORT, "online", 3, HEADER), tmp_path / "alone", until=6)
    assert same(train(Run.start(SHORT, "online", 3, HEADER), tmp_path / "helped", until=6, workers=workers), alone)


def test_the_trunk_is_the_model_at_full_depth():
    run = Run.start(SHORT, "online", 3, HEADER)
    tokens = run.preset.task.batch(4, np.random.default_rng(0)).tokens
    torch.testing.assert_close(run.model.trunk(tokens), run.model(tokens, depths=3).logits, rtol=1e-4, atol=1e-5)


def test_damaged_and_foreign_files_are_named(tmp_path):
    good = tmp_path / "good.safetensors"
    write(good, {"a": torch.zeros(3)}, {"kind": "model"})
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(good.read_bytes()[:-5])
    foreign = tmp_path / "foreign.safetensors"
    foreign.write_bytes(b"not a checkpoint at all")
    from safetensors.torch import save_file

    other = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(3)}, other)
    for path in (damaged, foreign, other):
        with pytest.raises(CheckpointError, match="damaged or was not written by anira"):
            read(path)
    with pytest.raises(CheckpointError, match="does not hold a model"):
        load_model(good)
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        read(tmp_path / "absent")


def test_a_state_of_another_run_is_refused(tmp_path):
    train(Run.start(SHORT, "online", 7, HEADER), tmp_path, until=12)
    state = tmp_path / "state.safetensors"
    before = state.read_bytes()
    with pytest.raises(CheckpointError, match="another run"):
        Run.start(SHORT, "online", 8, HEADER).restore(state)
    with pytest.raises(CheckpointError, match="passed the trunk phase"):
        Run.start(SHORT, "early", 7, HEADER).restore(state, trunk_only=True)
    assert state.read_bytes() == before
