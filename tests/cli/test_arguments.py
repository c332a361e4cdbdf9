"""Whatever is wrong with a command ends in one line that says what, and in the right exit status."""

import re
import subprocess
import sys

import pytest
import torch

from anira.cli import main, parse
from anira.tasks import clrs

ASK = ["evaluate", "mano-online-tiny"]
TRAIN = ["train", "mano", "--preset", "minute"]
NO_CUDA = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")

WRONG = [  # understood at once: exit status 2
    ([], "the following arguments are required: COMMAND"),
    (["evalute"], "invalid choice: 'evalute'"),
    (["--verion"], "unrecognized arguments|required"),
    (["evaluate"], "required: model"),
    ([*ASK, "--sizes", "0-"], "expected a number or a range such as 3-12, received '0-'"),
    ([*ASK, "--sizes", "3..5"], "such as 3-12, received '3..5'"),
    ([*ASK, "--sizes", "-3"], "expected one argument|such as 3-12"),
    ([*ASK, "--sizes", "5-3"], "the range 5-3 is empty"),
    ([*ASK, "--sizes", "4-2"], "the range 4-2 is empty"),
    ([*ASK, "--sizes", "1-99999999999"], "are 99,999,999,999 sizes, more than 1,000"),
    ([*ASK, "--instances", "0"], "--instances: expected a whole number of at least 1, received '0'"),
    ([*ASK, "--instances", "many"], "whole number of at least 1, received 'many'"),
    ([*ASK, "--instances", "2.5"], "received '2.5'"),
    ([*ASK, "--seed", "-1"], "--seed: expected a whole number of at least 0, received '-1'"),
    ([*ASK, "--seed", "x"], "received 'x'"),
    ([*ASK, "--max-depths", "0"], "--max-depths: expected a whole number of at least 1, received '0'"),
    ([*ASK, "--families", "rings"], "invalid choice: 'rings'"),
    ([*ASK, "--out", "."], "--out: . is a folder"),
    ([*ASK, "--device", "gpu"], "expected cpu, cuda, cuda:1 … or mps, received 'gpu'"),
    ([*ASK, "--device", "meta"], "received 'meta'"),
    pytest.param([*ASK, "--device", "cuda"], "this machine has no cuda that PyTorch can use", marks=NO_CUDA),
    pytest.param([*ASK, "--device", "cuda:3"], "this machine has no cuda:3", marks=NO_CUDA),
    ([*ASK, "--threads", "0"], "--threads: expected a whole number of at least 1"),
    ([*ASK, "--size", "3", "--given", "place"], "unrecognized arguments: --given place"),
    (["trace", "mano-online-tiny", "--instances", "0"], "whole number of at least 1"),
    (["trace", "mano-online-tiny", "--sizes", "5-3"], "the range 5-3 is empty"),
    (["trace", "mano-online-tiny", "--families", "all"], "unrecognized arguments: --families all"),
    (["probe", "mano-online-tiny", "--given", "colour"], "invalid choice: 'colour'"),
    (["stopping", "mano-online-tiny", "--seed", "1.5"], "received '1.5'"),
    (["train"], "required: task"),
    ([*TRAIN, "--until", "0"], "--until: expected a whole number of at least 1, received '0'"),
    ([*TRAIN, "--until", "-5"], "received '-5'"),
    ([*TRAIN, "--seed", "-1"], "received '-1'"),
    ([*TRAIN, "--seed", "one"], "received 'one'"),
    ([*TRAIN, "--penalty", "much"], "received 'much'"),
    ([*TRAIN, "--schedule", "steep"], "invalid choice: 'steep'"),
    ([*TRAIN, "--workers", "-1"], "whole number of at least 0"),
    ([*TRAIN, "--threads", "none"], "received 'none'"),
    pytest.param([*TRAIN, "--device", "cuda"], "this machine has no cuda", marks=NO_CUDA),
    ([*TRAIN, "--device", "gpu"], "received 'gpu'"),
    pytest.param([*TRAIN, "--device", "mps"], "this machine has no mps", marks=pytest.mark.skipif(torch.backends.mps.is_available(), reason="a Mac")),
    ([*TRAIN, "--out", __file__], "is a file, and a folder is needed"),
    (["grid"], "required: file"),
    (["bench", "sorting"], "expected prefill, .*received 'sorting'"),
    (["bench", "prefill", "--threads", "0"], "whole number of at least 1"),
    (["bench", "prefill", "--repetitions", "0"], "whole number of at least 1"),
    (["bench", "--out", __file__], "is a file, and a folder is needed"),
    (["tables", "--out", __file__], "is a file, and a folder is needed"),
]

FAILS = [  # found when it is carried out: exit status 1
    (["evaluate", "brevo-late-tiny"], "No model named 'brevo-late-tiny'.*Shipped models: brevo-early-tiny"),
    (["evaluate", "mano-online-tiny", "mano-online-tiny"], "mano-online-tiny is given twice"),
    (["evaluate", __file__], "damaged or was not written by anira"),
    ([*ASK, "--sizes", "0-3"], "mano-online-tiny: MANO has no instances below size 1, asked for sizes 0 to 3"),
    (["evaluate", "brevo-online-tiny", "--sizes", "0-3"], "BREVO has no instances below size"),
    (["question", "brevo-online-tiny"], "brevo-online-tiny: the question is about the operators of MANO, and it is a model of BREVO"),
    (["intervene", "brevo-untied-tiny"], "brevo-untied-tiny: there is nothing to intervene on"),
    (["grid", "nowhere.toml"], "nowhere.toml"),
    (["tables", "traces/brevo-huge"], "no tables traces/brevo-huge"),
    (["train", "chess"], "chess.*Known: brevo"),
    (["train", "mano", "--preset", "huge"], "huge.*brevo tiny"),
    (["train", "mano", "--decider", "late"], "late.*early, online, hybrid"),
    (["train", "mano", "--decider", "resting"], "resting.*with_decider"),
    (["train", "brevo", "--preset", "minute", "--until", "600"], "A run of 450 steps that is at step 0 cannot be trained until step 600"),
]


def said(capsys, line, status) -> str:
    with pytest.raises(SystemExit) as ended:
        main(line)
    text = capsys.readouterr().err if isinstance(ended.value.code, int) else f"{ended.value.code}\n"
    assert (ended.value.code if isinstance(ended.value.code, int) else 1) == status
    assert text.count("\n") == 1 and "Traceback" not in text
    return text


@pytest.mark.parametrize(("line", "message"), WRONG, ids=lambda value: " ".join(value)[-60:] if isinstance(value, list) else "")
def test_a_wrong_argument_is_one_line_and_status_2(capsys, line, message):
    text = said(capsys, line, 2)
    assert re.search(message, text), text
    assert text.startswith("anira")


@pytest.mark.parametrize(("line", "message"), FAILS, ids=lambda value: " ".join(value)[-60:] if isinstance(value, list) else "")
def test_what_cannot_be_done_is_one_line_and_status_1(capsys, monkeypatch, tmp_path, line, message):
    monkeypatch.chdir(tmp_path)
    text = said(capsys, line, 1)
    assert re.search(message, text), text
    assert not list(tmp_path.iterdir()), "nothing was begun"


def test_a_task_whose_generator_is_not_installed_says_in_one_line_how_to_get_it(capsys, monkeypatch, tmp_path):
    clrs.official.cache_clear()
    monkeypatch.setitem(sys.modules, "clrs._src", None)
    assert 'pip install "anira[clrs]"' in said(capsys, ["train", "clrs", "--preset", "short", "--until", "1", "--out", str(tmp_path)], 1)


def test_the_process_ends_with_that_status_and_the_version_is_told():
    run = [sys.executable, "-m", "anira"]
    assert subprocess.run([*run, "--version"], capture_output=True, text=True, check=True).stdout.startswith("anira ")
    assert subprocess.run([*run, "evalute"], capture_output=True, check=False).returncode == 2


@pytest.mark.parametrize("line", [TRAIN, ASK])
def test_one_thread_is_taken_unless_more_are_asked_for(line):
    """More only wait for each other in models this small: on a busy machine a minute became eighteen."""
    assert parse(line).threads == 1
    assert parse([*line, "--threads", "2"]).threads == 2
