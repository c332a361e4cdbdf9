"""What a chapter claims is a claim that the stored tables support; a failure names claim and chapter."""

import json
import re
from pathlib import Path

import pytest

import anira
from anira.charts.claims import twice
from tests.analysis.claims.links import Link, complaints, links

BOOK = Path(__file__).parents[3] / "book"


def headings() -> frozenset[str]:
    """Anchors of the findings page that are no claims: its headings, as MyST names them, and its figures and tables."""
    page = BOOK / "02-findings.ipynb"
    if not page.is_file():
        return frozenset()
    cells = json.loads(page.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    lines = text.splitlines()
    names = [line.lstrip("#").strip().lower() for line in lines if line.startswith("#")]
    named = {"".join(c for c in name.replace(" ", "-") if c.isalnum() or c == "-") for name in names}
    return frozenset(named | set(re.findall(r'<a id="([^"]+)"></a>', text)))


def test_every_claim_of_a_chapter_is_one_that_the_tables_support(judged):
    rows = {id: part["verdict"].tolist() for id, part in judged.groupby("id")}
    assert complaints(list(links(BOOK)), rows, headings()) == []


@pytest.fixture
def book(tmp_path):
    cells = [
        {"cell_type": "markdown", "source": ["See [Early goes by\n", "length $[1]$](02-findings.ipynb#early-surface), and\n"]},
        {"cell_type": "markdown", "source": ["[elsewhere](05-alignment.ipynb#need), [the page](02-findings.ipynb)"]},
        {"cell_type": "code", "source": ["'[not text](02-findings.ipynb#code)'"]},
    ]
    (tmp_path / "06-timing.ipynb").write_text(json.dumps({"cells": cells}))
    (tmp_path / "02-findings.ipynb").write_text(json.dumps({"cells": [{"cell_type": "markdown", "source": ["[below](#own-row)"]}]}))
    (tmp_path / "notes.md").write_text("[Online too](02-findings.ipynb#online-surface) and [here](#need)")
    return tmp_path


def test_links_to_rows_are_found_in_notebooks_and_pages_and_nothing_else_is(book):
    assert list(links(book)) == [
        Link("02-findings.ipynb", "own-row", "below"),
        Link("06-timing.ipynb", "early-surface", "Early goes by length $[1]$"),
        Link("notes.md", "online-surface", "Online too"),
    ]


def test_an_unknown_claim_and_one_without_support_are_named_with_their_chapter(book):
    found = complaints(list(links(book)), {"early-surface": ["agrees", "undecided"], "online-surface": ["agrees"]})
    assert len(found) == 2
    assert "02-findings.ipynb" in found[0] and "'own-row'" in found[0] and "no claim" in found[0]
    assert "06-timing.ipynb" in found[1] and "'early-surface'" in found[1] and "agrees, undecided" in found[1]
    assert complaints(list(links(book)), {"early-surface": ["agrees"], "online-surface": ["agrees"]}, frozenset({"own-row"})) == []


def test_no_claim_turned_when_the_models_were_trained_again(judged):
    turned = twice(anira.results("claims", "first"), judged)
    assert turned.loc["agrees", "differs"] == turned.loc["differs", "agrees"] == 0
    undecided = turned.loc["undecided"]
    assert 0.4 < 1 - undecided["undecided"] / undecided.sum() < 0.5  # "almost half are decided"


@pytest.mark.parametrize("decider", ["early", "online"])
@pytest.mark.parametrize("claim", ["brevo-{}-depth-climbs", "lano-{}-convergence-read"])
def test_what_the_reproduction_finds_otherwise_differs_wherever_it_was_asked(judged, decider, claim):
    verdicts = judged.loc[judged["id"] == claim.format(decider), "verdict"]
    assert len(verdicts) and set(verdicts) == {"differs"}
