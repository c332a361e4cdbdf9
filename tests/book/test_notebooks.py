"""A chapter's code is short, visible, and writes no prose: `python book/_ext/bounds.py` prints the counts."""

import json
import re
from pathlib import Path

import bounds
import pytest

BOOK = Path(__file__).parents[2] / "book"

NOTEBOOKS = sorted(BOOK.glob("*.ipynb"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_is_short_and_visible_and_writes_no_prose(notebook):
    assert bounds.complaints(notebook) == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_cell_hides_its_value_by_a_semicolon_which_nbval_does_not_heed(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    assert [cell["id"] for cell in cells if cell["cell_type"] == "code" and "".join(cell["source"]).rstrip().endswith(";")] == []


def test_the_code_of_all_notebooks_is_within_bounds():
    every, visible = map(sum, zip(*map(bounds.lines, NOTEBOOKS), strict=True))
    assert every <= bounds.LINES and visible >= bounds.VISIBLE * every


@pytest.mark.parametrize("kind, prefix", [("Figure", "fig"), ("Table", "tab")])
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_captions_are_numbered_in_order_and_referred_to_by_their_numbers(notebook, kind, prefix):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    captions = re.findall(rf'<a id="{prefix}-([\w-]+)"></a>\*\*{kind} (\w+)\.(\d+)\.\*\*', text)
    assert [int(number) for *_, number in captions] == list(range(1, len(captions) + 1))
    assert len({chapter for _, chapter, _ in captions}) <= 1
    named = {name: f"{chapter}.{number}" for name, chapter, number in captions}
    for number, name in re.findall(rf"\[{kind} ([\w.]+)\]\(#{prefix}-([\w-]+)\)", text):
        assert named[name] == number


def compared(cell: dict) -> bool:
    return "nbval-check-output" in cell["metadata"].get("tags", [])


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_outputs_but_those_that_are_compared(notebook):
    stored = json.loads(notebook.read_text(encoding="utf-8"))
    assert stored["metadata"]["kernelspec"]["name"] == "python3"
    cells = [cell for cell in stored["cells"] if cell["cell_type"] == "code"]
    assert [cell["id"] for cell in cells if (cell["outputs"] or cell["execution_count"] is not None) and not compared(cell)] == []


@pytest.mark.parametrize(
    "source",
    [
        "Markdown(text)",
        "display(HTML(f'<b>{x}</b>'))",
        "print(f'the mean depth is {x:.2f}')",
        "'{} of {} models are right'.format(1, 2)",
        "if table.empty:\n    x = 1",
    ],
)
def test_prose_by_code_is_found(source):
    assert bounds.prose(source)


@pytest.mark.parametrize("source", ["charts.table(frame, {'depth': 'mean iterations of an answer token'})", "f'{name}-{preset}'", "%pip install x\nx = 1"])
def test_words_for_a_table_and_names_are_not_prose(source):
    assert bounds.prose(source) == ""


def test_hidden_and_long_cells_are_found(tmp_path):
    def cell(source, *tags):
        return {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": source}

    notebook = tmp_path / "x.ipynb"
    long = "\n".join("x = 1" for _ in range(bounds.LONGEST + 1))
    notebook.write_text(json.dumps({"cells": [cell("import sys", "colab", "remove-cell"), cell("y = 1\n\n", "hide-input"), cell(long)]}))
    assert bounds.lines(notebook) == (bounds.LONGEST + 3, bounds.LONGEST + 1)
    assert [line.split(": ")[1].split(" (")[0] for line in bounds.complaints(notebook)] == ["hidden code", "a cell of 13 lines, 12 at most"]
