"""The commands that make tables."""

import sys

import pandas as pd
import pytest

from anira import cli


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


def test_another_file_is_not_taken_for_a_table(tmp_path, monkeypatch):
    path = tmp_path / "prices.csv"
    path.write_text("fruit,price\napple,3\n")
    with pytest.raises(SystemExit, match=r"prices\.csv is no table of models"):
        evaluated(monkeypatch, "mano-early-tiny", "--sizes", "1", "--out", path)
    assert path.read_text() == "fruit,price\napple,3\n"
