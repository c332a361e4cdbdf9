"""A looped Transformer that is not ours goes through the three analyses: the code of the page that shows it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from anira.analysis.alignment import alignment
from anira.analysis.frames import check_trace
from anira.analysis.timing import decision_timing
from tests.analysis.synthetic import planted

PAGE = Path(__file__).parents[2] / "book/own-model.ipynb"


@pytest.fixture(scope="module")
def page():
    pytest.importorskip("x_transformers", reason="x-transformers is not installed: pip install -e .[book]")
    cells = [cell for cell in json.loads(PAGE.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    source = "\n".join("".join(cell["source"]) for cell in cells if "colab" not in cell["metadata"].get("tags", []))
    names, threads = {}, torch.get_num_threads()
    exec(source, names)
    torch.set_num_threads(threads)  # the page takes one, and results of other tests are rounded by how many there are
    return names


def test_the_other_model_learns_and_its_trace_passes(page):
    frame = page["frame"]
    assert frame["correct"].mean() > 2 / len(page["task"].vocabulary)  # twice as often right as a guess
    assert frame["depth"].between(1, page["rounds"]).all() and frame["instance"].nunique() == 450
    pd.testing.assert_frame_equal(check_trace(frame), frame)


def test_each_question_gets_an_answer_or_a_reason(page):
    for table in (page["found"], page["regression"].coefficients.rename(columns={"coefficient": "estimate"})):
        undefined = table["estimate"].isna()
        assert (table.loc[undefined, "reason"] != "").all() and not undefined.all()
    assert page["frame"]["size"].unique().tolist() == [3, 4, 5]
    assert page["regression"].tokens == len(page["frame"].dropna(subset=page["features"]))


def test_the_least_that_a_trace_must_have_is_enough(tmp_path):
    """Five columns and a feature, written and read again, as somebody else's program would leave them."""
    whole = planted(np.random.default_rng(0))
    least = whole.assign(depth=whole["expected_depth"].round().astype(int))[["instance", "size", "position", "depth", "correct", "a"]]
    least.to_csv(tmp_path / "trace.csv", index=False)
    read = pd.read_csv(tmp_path / "trace.csv")
    assert (alignment(read, ["a"], draws=50)["low"] > 0).all()
    assert decision_timing(read, ["a"], target="depth", draws=50).coefficients["low"][0] > 0
