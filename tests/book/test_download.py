"""A chapter's download: the notebook, the tables that it opened, and how to run it. What is on the site needs `make book`."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import download
import pandas as pd
import pytest

from anira import results
from tests.book.test_site import ROOT, SITE

NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))


def test_a_kernel_notes_the_stored_tables_that_it_opens_and_nothing_else(tmp_path):
    note, table = tmp_path / "opened", results.FOLDER / "shipped/brevo-tiny.csv"
    opens = "\n".join(f"open({str(path)!r}).close()" for path in (table, results.FOLDER / "tables.toml", ROOT / "README.md"))
    subprocess.run([sys.executable, "-c", download.STARTUP + opens], env={download.NOTE: str(note)}, check=True)
    assert note.read_text(encoding="utf-8").split() == [str(table)]


def test_a_download_says_how_to_run_it_and_holds_the_tables_in_full(tmp_path):
    notebook, target = ROOT / "book/07-generalization.ipynb", tmp_path / "deep/a.zip"
    stored = {("generalization", "mano-tiny"): ".csv", ("traces", "mano-tiny"): ".csv.xz", ("texts", "clrs"): ".jsonl"}
    download.pack(target, notebook, [results.FOLDER / kind / f"{name}{ending}" for (kind, name), ending in stored.items()], "A title", "A book")
    with ZipFile(target) as file:
        assert json.loads(file.read("07-generalization/07-generalization.ipynb"))["cells"]
        text = file.read("07-generalization/README.txt").decode()
        for kind, name in stored:
            table = pd.read_csv(io.BytesIO(file.read(f"07-generalization/tables/{kind}/{name}.csv")), nrows=None)
            assert len(table) == len(results.read(kind, name)) and set(results.declared(kind, name).columns) <= set(table)
    assert f'pip install "anira[lab] @ git+{download.address.repository()}' in text and "jupyter lab 07-generalization.ipynb" in text
    assert text.startswith('A title\nA chapter of "A book", version ')


@pytest.mark.skipif(not SITE.exists(), reason="there is no built site: make book")
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_page_of_a_chapter_offers_it_with_the_tables_it_names(notebook):
    page = (SITE / f"book/{notebook.stem}.html").read_text(encoding="utf-8")
    address = re.search(r'href="([^"]+/_downloads/[^"]+\.zip)"', page)[1]
    with ZipFile((SITE / "book" / address).resolve()) as file:
        held = {str(Path(name).relative_to(f"{notebook.stem}/tables").with_suffix("")) for name in file.namelist() if "/tables/" in name}
    code = "\n".join("".join(cell["source"]) for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code")
    for kind, name in re.findall(r'anira\.results\("(\w+)", "([\w*-]+)"\)', code):
        assert any(Path(one).match(f"{kind}/{name}") for one in held), f"{kind}/{name} is read, but not in {sorted(held)}"
