"""`anira tables`: what is at hand goes into its table, and nothing else changes."""

import json
import lzma
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

import anira
from anira.results import all_declared, declared
from anira.results.make import identity, make, put

STORED = Path(anira.__file__).with_name("results")


def file(path, **header):
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"x": torch.zeros(1)}, path, {"anira": json.dumps(header)})


def curve(path, exact):
    columns = anira.results("training", "mano-tiny").drop(columns=["model", "task", "decider", "preset", "run_seed", "variation"])
    columns[:2].assign(exact_match=exact).to_csv(path, index=False)


@pytest.fixture
def runs(tmp_path):
    """Three runs of MANO tiny: two that choose depth, one of a varied schedule; and one of another task."""
    for decider, seed, more in (("early", 11, {}), ("fixed", 0, {}), ("online", 0, {"variation": "constant"})):
        run = {"task": "mano", "preset": "tiny", "decider": decider, "seed": seed, **more}
        folder = tmp_path / "runs" / f"mano-{decider}-tiny-{seed}"
        file(folder / "model.safetensors", kind="model", run=run, task={"kind": "Mano"})
        file(folder / "state.safetensors", kind="state", run=run)
        curve(folder / "metrics.csv", seed / 100)
    file(tmp_path / "models/brevo-online-tiny-4.safetensors", kind="model", run={"task": "brevo", "preset": "tiny", "decider": "online", "seed": 4})
    for schedule in ("constant", "longer"):
        run = {"task": "brevo", "preset": "tiny", "decider": "early", "seed": 0, "variation": schedule}
        file(tmp_path / f"models/brevo-early-tiny-0-{schedule}.safetensors", kind="model", run=run)
    (tmp_path / "models/notes.safetensors").write_bytes(b"not a checkpoint")
    return tmp_path


def test_each_table_is_asked_of_the_models_that_belong_to_it(runs):
    asked = []
    made = dict(make(asked.append, runs / "out", [runs / "runs", runs / "models"], ["generalization", "traces", "probes/brevo-tiny", "question"]))
    lines = {tuple(line[-1].rsplit("/", 2)[1:]): line for line in asked}
    traces = lines["traces", "mano-tiny.csv.xz"]
    assert traces[0] == "trace" and traces[2:4] == ["--instances", "500"] and "mano-early-tiny-11" in traces[1]  # neither fixed nor varied
    for schedule in ("constant", "longer"):
        assert [Path(name).stem for name in lines["traces", f"brevo-tiny-{schedule}.csv.xz"][1:-4]] == [f"brevo-early-tiny-0-{schedule}"]
    assert [Path(name).stem for name in lines["traces", "brevo-tiny.csv.xz"][1:-4]] == ["brevo-online-tiny-4"]
    assert [name.split("/")[-2] for name in lines["generalization", "mano-tiny.csv"][1:3]] == ["mano-early-tiny-11", "mano-fixed-tiny-0"]
    assert lines["generalization", "brevo-tiny.csv"][1].endswith("brevo-online-tiny-4.safetensors")
    assert lines["probes", "brevo-tiny.csv"][:3] == ["probe", "brevo-early-tiny", "brevo-online-tiny"]  # says itself of which models
    traced = {"traces/mano-tiny", "traces/brevo-tiny", "traces/brevo-tiny-constant", "traces/brevo-tiny-longer"}
    assert set(made) == traced | {"generalization/brevo-tiny", "generalization/mano-tiny", "probes/brevo-tiny", "question/mano-tiny"}


def test_curves_are_collected_in_place_of_what_the_table_says_of_these_runs(runs):
    out = runs / "out"
    for _ in range(2):
        assert dict(make(lambda line: None, out, [runs / "runs"], ["training"])) == {"training/mano-tiny": 3}
    table = anira.results("training", "mano-tiny", folder=out)
    assert len(table) == 6 and set(table["variation"]) == {"none", "constant"} and set(table["run_seed"]) == {0, 11}
    assert table.query("run_seed == 11")["exact_match"].tolist() == [0.11, 0.11]


def test_a_table_that_nobody_declared_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no tables traces/brevo-huge"):
        list(make(print, tmp_path, [], ["traces/brevo-huge"]))


def test_a_header_without_a_run_still_says_which_model_it_is():
    told = identity({"config": {"decider": "early"}}, "mine")
    assert told == {"model": "mine", "task": "unknown", "decider": "early", "preset": "none", "run_seed": 0, "variation": "none"}
    assert identity({"config": {"decider": "fixed", "untied": True}}, "mine")["decider"] == "untied"


def test_another_file_or_other_columns_are_not_overwritten(tmp_path):
    path, rows = tmp_path / "table.csv", pd.DataFrame({"model": ["a"], "depth": [np.float64(1)]})
    for text, message in (
        ("fruit,price\napple,3\n", "no table of models"),
        ("model,price\napple,3\n", r"other columns: \['depth', 'price'\]"),
        ("", "cannot be read as a table"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            put(rows, path)
        assert path.read_text() == text
    for damaged in (b"", b"no xz", lzma.compress(b"model,depth\na,1\n")[:-9]):
        compressed = tmp_path / "table.csv.xz"
        compressed.write_bytes(damaged)
        with pytest.raises(ValueError, match="cannot be read as a table"):
            put(rows, compressed)
        assert compressed.read_bytes() == damaged


def test_a_table_is_made_where_the_stored_one_lies(runs):
    """Not beside it, compressed or not."""
    made = {f"{kind}/{name}" for kind, name in all_declared() if declared(kind, name).made == "models"}
    asked = []
    list(make(asked.append, runs / "out", [runs / "runs", runs / "models"], made))
    paths = [Path(line[-1]) for line in asked]
    assert len(paths) > 10
    assert [path.name for path in paths if not (STORED / path.parent.name / path.name).is_file()] == []
