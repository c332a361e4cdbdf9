"""Several processes give the curve of one; Ctrl-C, missing devices and wrong numbers end in one line."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from anira.training.checkpoint import read, read_header
from anira.training.loop import Run, train
from anira.training.processes import local_device
from tests.training.test_training import SHORT

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.getcwd()}

SCRIPT = """
import sys, pathlib
from anira.training.processes import joined
from tests.training.test_processes import curves
with joined("cpu"):
    curves(pathlib.Path(sys.argv[1]))
"""


def curves(folder):
    """Five steps with 1, 2 and 4 buckets, each in a folder of its own."""
    for buckets in (1, 2, 4):
        recipe = replace(SHORT, buckets=buckets, steps=5, trunk_steps=2, trunk_decay_steps=1, decay_steps=2, evaluate_every=2)
        train(Run.start(recipe, "online", 0), folder / str(buckets))


def test_one_two_and_three_processes_give_the_same_curve_with_any_number_of_buckets(tmp_path):
    (tmp_path / "run.py").write_text(SCRIPT)
    curves(tmp_path / "1")
    for processes in (2, 3):
        launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
        subprocess.run([*launch, str(tmp_path / "run.py"), str(tmp_path / str(processes))], env=ENVIRONMENT, check=True, capture_output=True)
    for buckets in ("1", "2", "4"):
        one = tmp_path / "1" / buckets
        for processes in ("2", "3"):
            several = tmp_path / processes / buckets
            ours, theirs = (read(folder / "model.safetensors")[0] for folder in (several, one))
            for name, value in theirs.items():
                torch.testing.assert_close(ours[name], value, rtol=1e-3, atol=1e-5)
            tables = [pd.read_csv(folder / "metrics.csv") for folder in (several, one)]
            for column in ("cross_entropy", "divergence", "expected_depth"):
                np.testing.assert_allclose(*(table[column] for table in tables), rtol=1e-3, atol=2e-5)


def anira(*arguments: str, **keywords) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "anira", *arguments], capture_output=True, text=True, env={**ENVIRONMENT, **keywords})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--device", "tpu"], "received 'tpu'"),
        (["--until", "600"], "A run of 450 steps that is at step 0 cannot be trained until step 600"),
        (["--until", "0"], "at least 1, received '0'"),
        (["--threads", "0"], "at least 1, received '0'"),
        (["--seed", "-1"], "at least 0, received '-1'"),
        pytest.param(["--device", "cuda"], "no cuda", marks=pytest.mark.skipif(torch.cuda.is_available(), reason="has one")),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_cannot_be_is_one_line(tmp_path, arguments, message):
    done = anira("train", "brevo", "--preset", "minute", "--out", str(tmp_path / "run"), *arguments)
    assert done.returncode not in (0, None) and message in done.stderr and "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1 and not (tmp_path / "run").exists(), "nothing was begun"


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
def test_ctrl_c_saves_and_the_same_command_goes_on_to_the_same_bits(tmp_path):
    command = [sys.executable, "-m", "anira", "train", "brevo", "--preset", "minute"]
    folder = tmp_path / "stopped"
    process = subprocess.Popen([*command, "--out", str(folder)], env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    said = ""
    while "exact match" not in said:  # the bar after the first evaluation; files are written by the clock, on a fast machine only at the end
        said += process.stderr.read(1)
    process.send_signal(signal.SIGINT)
    said += process.communicate()[1]
    step = read_header(folder / "state.safetensors")[0]["step"]
    assert process.returncode == 130 and f"Stopped at step {step}. The same command goes on from there." in said and "Traceback" not in said
    assert 25 <= step < 450, "stopped before its end"
    until = str(step + 10)
    done = anira("train", "brevo", "--preset", "minute", "--out", str(folder), "--until", until)
    assert done.returncode == 0 and f"At step {until} of 450" in done.stdout
    anira("train", "brevo", "--preset", "minute", "--out", str(tmp_path / "whole"), "--until", until)
    broken, whole = (read(run / "state.safetensors")[0] for run in (folder, tmp_path / "whole"))
    assert broken.keys() == whole.keys() and all(map(torch.equal, broken.values(), whole.values()))


def test_a_finished_run_says_where_its_model_is_and_help_how_long_a_recipe_takes(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from dataclasses import replace\nfrom anira.training.presets import preset\nquick = replace(preset('mano', 'minute'), steps=3)\n"
    )
    for _ in range(2):  # when it ends, and when it is asked once more
        done = subprocess.run([sys.executable, "-m", "anira", "train", "mine:quick"], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
        assert done.returncode == 0 and "Finished: runs/mano-online-quick-0/model.safetensors" in done.stdout and "anira evaluate runs/mano" in done.stdout
    said = anira("train", "--help").stdout
    assert "brevo  minute" in said and "MODULE:NAME" in said
