"""Files: what is damaged, foreign or untrue is refused in one sentence, before it costs anything; what can be written is written."""

import json
import os
import tracemalloc
from dataclasses import asdict

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from anira.model.anira import Anira, Config
from anira.tasks import Brevo, Lano, to_json
from anira.training import checkpoint
from anira.training.checkpoint import CheckpointError, checksum, load_model, read, read_header, write, write_atomically
from anira.zoo import load, names

TASK = Brevo(sizes=(3, 4), node_names=8)
CONFIG = Config(len(TASK.vocabulary), width=16, hidden=24, heads=2, decider_hidden=16, max_depth=3, max_length=64)
HEADER = {"kind": "model", "run": {}, "recipe": {"task": to_json(TASK), "model": asdict(CONFIG)}, "step": 1, "seconds": 1.0, "metrics": []}


@pytest.fixture
def model():
    return Anira(CONFIG).initialize(torch.Generator().manual_seed(0))


def test_a_model_comes_back_with_its_header(model, tmp_path):
    path = tmp_path / "model.safetensors"
    write(path, model.state_dict(), HEADER)
    loaded = load(path)
    assert loaded.task == TASK and loaded.model.config == CONFIG and not loaded.model.training
    assert all(map(torch.equal, loaded.model.state_dict().values(), model.state_dict().values()))
    assert {"version", "commit", "checksum"} <= loaded.header.keys() and loaded.header["step"] == 1
    assert load(tmp_path).header == loaded.header, "the folder of a run is as good as its model"


def test_a_folder_without_a_model_is_told_from_one_that_is_missing(tmp_path):
    with pytest.raises(CheckpointError, match="a run writes it when it ends"):
        load(tmp_path)
    with pytest.raises(CheckpointError, match="No model named"):
        load(tmp_path / "absent")


def test_weights_in_half_precision_are_a_model_too(model, tmp_path):
    path = tmp_path / "half.safetensors"
    write(path, {name: tensor.half() for name, tensor in model.state_dict().items()}, HEADER)
    loaded = load(path).model
    assert all(torch.equal(value, model.state_dict()[name].half().float()) for name, value in loaded.state_dict().items())


def test_one_flipped_bit_is_noticed_wherever_it_is(model, tmp_path):
    path = tmp_path / "model.safetensors"
    write(path, model.state_dict(), HEADER)
    content, rng = path.read_bytes(), np.random.default_rng(0)
    weights = len(content) - 4 * sum(tensor.numel() for tensor in model.state_dict().values())
    for place in rng.integers(weights, len(content), 60):
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match="not those that were written"):
            load_model(path)


NESTED = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '"x"',
        "3",
        "null",
        "{",
        NESTED,
        '{"format": 2}',
        '{"format": [2]}',
        '{"format": 1}',
        '{"format": 2, "recipe": []}',
        '{"format": 2, "recipe": {"model": 3}}',
    ],
)
def test_a_header_that_is_nonsense_is_one_sentence(model, tmp_path, text):
    path = tmp_path / "model.safetensors"
    save_file(dict(model.state_dict()), path, {"anira": text})
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("task", "brevo"),
        ("task", None),
        ("task", []),
        ("task", {"kind": "Physics"}),
        ("task", {"kind": "Brevo", "graphs": 5}),
        ("task", {"kind": "Brevo", "sizes": [2.5]}),
        ("task", to_json(Lano())),
        ("model", {**asdict(CONFIG), "heads": 0}),
        ("model", {**asdict(CONFIG), "max_depth": 10**9}),
        ("model", {**asdict(CONFIG), "decider": "fixed", "untied": True, "max_depth": 10**9}),
        ("model", {**asdict(CONFIG), "vocabulary": 10_000_000}),
        ("model", {**asdict(CONFIG), "decider": "nobody's"}),
        ("model", {**asdict(CONFIG), "sort": "large"}),
    ],
    ids=str,
)
def test_a_recipe_that_is_not_the_weights_is_refused_before_memory_is_taken(model, tmp_path, place, value):
    path = tmp_path / "model.safetensors"
    write(path, model.state_dict(), {**HEADER, "recipe": {**HEADER["recipe"], place: value}})
    tracemalloc.start()
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()
    assert "\n" not in str(caught.value)


def test_a_model_whose_vocabulary_is_not_its_tasks_is_refused(model, tmp_path):
    path = tmp_path / "model.safetensors"
    write(path, model.state_dict(), {**HEADER, "recipe": {**HEADER["recipe"], "task": to_json(Lano())}})
    with pytest.raises(CheckpointError, match=f"{CONFIG.vocabulary} tokens, and the task that it names has {len(Lano().vocabulary)}"):
        load(path)


def test_a_drive_that_has_no_permissions_and_no_fsync_is_written_to(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(checkpoint.os, "chmod", refuse)
    monkeypatch.setattr(checkpoint.os, "fsync", refuse)
    write_atomically(tmp_path / "file", b"content")
    assert (tmp_path / "file").read_bytes() == b"content" and os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_file_has_the_permissions_that_the_user_asks_for(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "file", b"content")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


def test_the_checksum_depends_on_names_types_shapes_and_values_and_on_no_order():
    one = {"a": torch.arange(4.0), "b": torch.ones(2)}
    assert checksum(one) == checksum(dict(reversed(one.items())))
    others = [{"c": one["a"], "b": one["b"]}, {**one, "a": one["a"].double()}, {**one, "a": one["a"].view(2, 2)}, {**one, "b": torch.zeros(2)}]
    assert len({checksum(tensors) for tensors in (one, *others)}) == 5


@pytest.mark.parametrize("name", names())
def test_a_shipped_file_says_all_of_its_recipe(name):
    _, _, header = load(name)
    recipe = header["recipe"]
    assert {"steps", "penalty", "learning_rate", "split", "task", "model", "optimizer"} <= recipe.keys()
    assert header["step"] == recipe["steps"] and recipe["model"]["vocabulary"] and header["run"]["variation"] == "none"
    assert recipe["split"] == "train" or "before problems were held out" in header["note"]


def test_a_header_is_read_without_the_tensors(model, tmp_path):
    path = tmp_path / "model.safetensors"
    write(path, model.state_dict(), HEADER)
    header, shapes = read_header(path)
    assert shapes == {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    with safe_open(path, framework="pt") as file:
        assert header == json.loads(file.metadata()["anira"]) == read(path)[1]
