"""The commands that make tables."""

import shutil
import sys

import pandas as pd
import pytest

from anira import cli
from anira.zoo import FOLDER


def evaluated(monkeypatch, *arguments) -> None:
    monkeypatch.setattr(sys, "argv", ["anira", "evaluate", "--instances", "3", *map(str, arguments)])
    cli.main()


def test_a_table_keeps_the_rows_of_other_models_to_the_letter(tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    evaluated(monkeypatch, "mano-online-tiny", "mano-early-tiny", "--out", path)
    both = path.read_text().replace(",1.0,", ",1.000,").splitlines()  # a number as no program writes it
    path.write_text("\n".join(both) + "\n")
    evaluated(monkeypatch, "mano-online-tiny", "--sizes", "1", "--out", path)
    early, online = ([line for line in path.read_text().splitlines() if line.startswith(f"mano-{decider}-")] for decider in ("early", "online"))
    assert early == [line for line in both if line.startswith("mano-early-")]
    assert len(online) == 1 < len(early) and "1.000" not in online[0]  # made anew


def test_a_compressed_table_grows_as_well(tmp_path, monkeypatch):
    path = tmp_path / "table.csv.xz"
    for name in ("mano-early-tiny", "mano-online-tiny"):
        evaluated(monkeypatch, name, "--sizes", "1", "--out", path)
    assert list(pd.read_csv(path)["model"]) == ["mano-early-tiny", "mano-online-tiny"]


def test_a_model_file_in_the_current_folder_is_called_as_that_folder_is(tmp_path, monkeypatch):
    folder = tmp_path / "mano-early-tiny-5"
    folder.mkdir()
    shutil.copy(FOLDER / "mano-early-tiny.safetensors", folder / "model.safetensors")
    monkeypatch.chdir(folder)
    evaluated(monkeypatch, "model.safetensors", "--sizes", "1", "--out", tmp_path / "table.csv")
    row = pd.read_csv(tmp_path / "table.csv").iloc[0]
    assert (row["model"], row["task"], row["decider"], row["preset"], row["run_seed"], row["variation"]) == (
        "mano-early-tiny-5",
        "mano",
        "early",
        "tiny",
        0,
        "none",
    )


def test_another_file_is_not_taken_for_a_table(tmp_path, monkeypatch):
    path = tmp_path / "prices.csv"
    path.write_text("fruit,price\napple,3\n")
    with pytest.raises(SystemExit, match=r"prices\.csv is no table of models"):
        evaluated(monkeypatch, "mano-early-tiny", "--sizes", "1", "--out", path)
    assert path.read_text() == "fruit,price\napple,3\n"
