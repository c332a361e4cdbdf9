"""On a built page a cell's output and the caption below it are one figure, and links find it and the rows of tables."""

import json
import re

import pytest

sphinx = pytest.importorskip("sphinx.application")
pytest.importorskip("myst_nb")

CELL = {"cell_type": "code", "id": "rows", "metadata": {}, "execution_count": 1, "source": "rows"}
OUTPUT = {
    "output_type": "display_data",
    "metadata": {},
    "data": {"text/html": "<table><tr id='a-claim'><td>claimed, as <a href='two.ipynb'>there</a></td></tr></table>"},
}


def notebook(*cells) -> str:
    """Of Markdown, and of cells as they are."""
    made = [{"cell_type": "markdown", "id": f"m{i}", "metadata": {}, "source": cell} if isinstance(cell, str) else cell for i, cell in enumerate(cells)]
    return json.dumps({"cells": made, "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}}, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    caption = '<a id="tab-rows"></a>**Table 1.1.** The rows. *To see:* one.'
    first = ["# One\n\nSee [Table 1.1](#tab-rows) and [a place](#here).", {**CELL, "outputs": [OUTPUT]}, caption, 'Text <a id="here"></a>goes on.']
    second = ["# Two\n\n[It is claimed](one.ipynb#a-claim), in [Table 1.1](one.ipynb#tab-rows), [never](one.ipynb#no-claim), [nowhere](#nowhere)."]
    (folder / "one.ipynb").write_text(notebook(*first))
    (folder / "two.ipynb").write_text(notebook(*second))
    said = folder / "warnings.txt"
    config = {"extensions": ["myst_nb", "captions"], "nb_execution_mode": "off", "root_doc": "one", "html_theme": "basic"}
    with said.open("w") as warnings:
        sphinx.Sphinx(folder, None, folder / "out", folder / "trees", "html", config, status=None, warning=warnings).build()
    return {name: (folder / "out" / f"{name}.html").read_text() for name in ("one", "two")}, said.read_text()


def test_an_output_and_the_caption_below_it_are_one_figure(built):
    pages, _ = built
    figure = re.search(r'<figure id="tab-rows">(.+?)</figure>', pages["one"], re.DOTALL)[1]
    shown, caption = figure.split("<figcaption>")
    assert "<tr id='a-claim'>" in shown and "<strong>Table 1.1.</strong>" in caption and 'id="tab-rows"' not in caption
    assert pages["one"].count("tab-rows") == 2  # the figure, and the link to it


def test_links_lead_to_figures_places_and_rows_from_every_page(built):
    pages, _ = built
    assert re.findall(r'href="(#(?:tab|here)[^"]*)"', pages["one"]) == ["#tab-rows", "#here"]
    assert re.findall(r'href="(one\.html#(?:tab-rows|a-claim))"', pages["two"]) == ["one.html#a-claim", "one.html#tab-rows"]


def test_what_a_cell_shows_links_to_the_page_of_a_notebook(built):
    pages, _ = built
    assert "<a href='two.html'>there</a>" in pages["one"]


def test_a_link_to_nothing_is_still_a_warning(built):
    _, warnings = built
    warned = [line for line in warnings.splitlines() if "xref_missing" in line]
    assert len(warned) == 2 and "no-claim" in warned[0] + warned[1] and "nowhere" in warned[0] + warned[1]
