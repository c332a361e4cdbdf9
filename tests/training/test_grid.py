"""Grids: what a file stands for, what is wrong with it, and that runs are skipped, resumed, and fail alone."""

import sys
from dataclasses import replace

import pytest

from anira.training import presets
from anira.training.grid import read_grid, run_grid
from anira.training.job import Job
from anira.training.loop import Run
from tests.training.test_training import SHORT


def test_a_table_stands_for_all_combinations_and_each_run_is_made_once(tmp_path):
    path = tmp_path / "grid.toml"
    path.write_text('[[grid]]\ntask = "brevo"\nseed = [0, 1]\npenalty = [0.1, 0.3]\n[[grid]]\ntask = ["brevo", "mano"]\npenalty = 0.1\nschedule = "constant"\n')
    names = [job.name for job in read_grid(path)]
    assert names == [
        "brevo-online-tiny-0-penalty0.1",
        "brevo-online-tiny-0-penalty0.3",
        "brevo-online-tiny-1-penalty0.1",
        "brevo-online-tiny-1-penalty0.3",
        "brevo-online-tiny-0-penalty0.1-constant",
        "mano-online-tiny-0-penalty0.1-constant",
    ]
    path.write_text(path.read_text() * 2)
    assert [job.name for job in read_grid(path)] == names


def test_a_plain_job_is_what_train_makes():
    assert Job("brevo").name == "brevo-online-tiny-0" and Job("brevo").header == {"task": "brevo", "preset": "tiny", "variation": "none"}
    assert Job("brevo", penalty=0.3).recipe.penalty == 0.3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("grid = ", "not TOML"),
        ('task = "brevo"', "must consist of"),
        ("", "must consist of"),
        ("[[grid]]\nseed = 1", "must name a task"),
        ('[[grid]]\ntask = "brevo"\nsteps = 5', "may have decider, preset, seed, penalty, schedule"),
        ('[[grid]]\ntask = "chess"', "Known: brevo"),
        ('[[grid]]\ntask = "brevo"\ndecider = ["online", "late"]', "Known: early"),
        ('[[grid]]\ntask = "brevo"\nseed = "one"', "whole number"),
        ('[[grid]]\ntask = "brevo"\nschedule = "steep"', "Known: preset, ramped, longer, constant"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path, text, message):
    path = tmp_path / "grid.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_grid(path)


def test_a_finished_run_is_known_by_its_model(tmp_path, monkeypatch):
    monkeypatch.setitem(presets.PRESETS, ("brevo", "short"), replace(SHORT, steps=4, trunk_steps=2, evaluate_every=2))
    job = Job("brevo", preset="short")
    folder = tmp_path / job.name
    assert not job.finished(folder)
    job.run(folder, until=2)
    assert not job.finished(folder)
    job.run(folder)
    assert job.finished(folder) and not Job("brevo", preset="short", seed=1).finished(folder)
    monkeypatch.setitem(sys.modules, "ray", None)  # as if it were not installed
    assert run_grid([job], tmp_path) == {}, "nothing to do, and no Ray to do it"
    with pytest.raises(ValueError, match="needs Ray"):
        run_grid([Job("brevo", preset="short", seed=1)], tmp_path)


@pytest.mark.slow
def test_ray_resumes_what_is_stopped_skips_what_is_finished_and_goes_on_after_a_failure(tmp_path):
    pytest.importorskip("ray", reason='Ray is not installed: pip install "anira[grid]"')
    finished, stopped, broken = jobs = [Job("mano", "fixed", seed=seed) for seed in range(3)]
    folders = [tmp_path / job.name for job in jobs]
    for job, folder in zip(jobs, folders, strict=True):
        run = Run.start(job.recipe, "fixed", job.seed, job.header)
        run.step = job.recipe.steps - 1
        run.save(folder / "state.safetensors")
        if job is finished:
            run.save_model(folder / "model.safetensors")
    (folders[2] / "state.safetensors").write_bytes(b"not a checkpoint")
    before = (folders[0] / "model.safetensors").read_bytes()
    failures = run_grid(jobs, tmp_path)
    assert list(failures) == [broken.name] and "damaged" in failures[broken.name]
    assert (folders[0] / "model.safetensors").read_bytes() == before and not (folders[0] / "metrics.csv").exists()
    assert stopped.finished(folders[1])
