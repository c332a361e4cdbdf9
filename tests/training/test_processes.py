"""Several processes give the curve of one; Ctrl-C and missing devices end in one line."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

from anira.cli import main
from anira.training.checkpoint import read, read_header
from anira.training.loop import Run, train
from anira.training.processes import local_device, parts
from tests.training.test_training import SHORT

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.getcwd()}

SCRIPT = """
import sys, pathlib
from anira.training.processes import joined
from tests.training.test_processes import curves
with joined("cpu"):
    curves(pathlib.Path(sys.argv[1]))
"""


BUCKETS = (1, 2, 3, 4)  # fewer than processes, as many, more


def curves(folder):
    """Five steps with each number of buckets, in a folder of its own."""
    for buckets in BUCKETS:
        recipe = replace(SHORT, buckets=buckets, steps=5, trunk_steps=2, trunk_decay_steps=1, decay_steps=2, evaluate_every=2)
        train(Run.start(recipe, "online", 0), folder / str(buckets))


@pytest.mark.parametrize("processes", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_several_processes_give_the_curve_of_one_with_any_number_of_buckets(tmp_path, processes):
    (tmp_path / "run.py").write_text(SCRIPT)
    curves(tmp_path / "one")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    subprocess.run([*launch, str(tmp_path / "run.py"), str(tmp_path / "several")], env=ENVIRONMENT, check=True, capture_output=True)
    for buckets in BUCKETS:
        folders = [tmp_path / name / str(buckets) for name in ("several", "one")]
        ours, theirs = (read(folder / "model.safetensors")[0] for folder in folders)
        for name, value in theirs.items():
            torch.testing.assert_close(ours[name], value, rtol=1e-3, atol=1e-5)
        tables = [pd.read_csv(folder / "metrics.csv") for folder in folders]
        for column in ("cross_entropy", "divergence", "expected_depth"):
            np.testing.assert_allclose(*(table[column] for table in tables), rtol=1e-3, atol=2e-5)


def test_fewer_gpus_than_processes_is_one_sentence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    taken = []
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    monkeypatch.setattr(torch.distributed, "is_torchelastic_launched", lambda: True)
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert local_device("cuda") == "cuda:1" and taken == [1] and local_device("cpu") == "cpu"
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    with pytest.raises(ValueError, match="3 processes were started and there are 2 GPUs"):
        local_device("cuda")


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_saves_and_the_same_command_goes_on_to_the_same_bits(tmp_path, capsys):
    command = [sys.executable, "-m", "anira", "train", "brevo", "--preset", "minute"]
    folder = tmp_path / "stopped"
    heeds = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # what runs in the background ignores Ctrl-C, and so would what it starts
    process = subprocess.Popen([*command, "--out", str(folder)], env=ENVIRONMENT, stderr=subprocess.PIPE, text=True, preexec_fn=heeds)
    said = ""
    while "exact match" not in said:  # the bar after the first evaluation; files are written by the clock, on a fast machine only at the end
        said += process.stderr.read(1)
    process.send_signal(signal.SIGINT)
    said += process.communicate()[1]
    step = read_header(folder / "state.safetensors")[0]["step"]
    assert process.returncode == 130 and f"Stopped at step {step}. The same command goes on from there." in said and "Traceback" not in said
    assert 25 <= step < 450, "stopped before its end"
    until = str(step + 10)
    for run in ("stopped", "whole"):
        main(["train", "brevo", "--preset", "minute", "--out", str(tmp_path / run), "--until", until])
        assert f"At step {until} of 450" in capsys.readouterr().out
    broken, whole = (read(tmp_path / run / "state.safetensors")[0] for run in ("stopped", "whole"))
    assert broken.keys() == whole.keys() and all(map(torch.equal, broken.values(), whole.values()))


def test_a_finished_run_says_where_its_model_is_and_help_how_long_a_recipe_takes(tmp_path, monkeypatch, capsys):
    (tmp_path / "mine.py").write_text(
        "from dataclasses import replace\nfrom anira.training.presets import preset\nquick = replace(preset('mano', 'minute'), steps=3)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())  # the command adds the folder that it is given in
    for _ in range(2):  # when it ends, and when it is asked once more
        main(["train", "mine:quick"])
        said = capsys.readouterr().out
        assert "Finished: runs/mano-online-quick-0/model.safetensors" in said and "anira evaluate runs/mano" in said
    del sys.modules["mine"]
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    said = capsys.readouterr().out
    assert "brevo  minute" in said and "MODULE:NAME" in said


def test_a_batch_is_cut_as_its_recipe_says_but_on_a_gpu_by_itself():
    assert [parts(6, torch.device(kind)) for kind in ("cpu", "cuda")] == [6, 1]
