"""The repository's address has one source; the copies that must exist outside it say the same."""

import json
import re
from pathlib import Path

import address
import pytest

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))


@pytest.mark.parametrize("name", address.COPIES)
def test_copies_agree_with_pyproject(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert all(re.search(pattern, text) for pattern in address.COPIES[name])
    assert address.renew_text(name, text) == text, "run `make address`"


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_each_chapter_installs_the_package_in_colab_before_anything_else(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert address.renew_notebook(notebook) == notebook, "run `make address`"
    first = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    assert address.repository() in "".join(first["source"])


def test_a_new_address_reaches_every_copy(monkeypatch):
    monkeypatch.setattr(address, "repository", lambda: "https://github.com/someone/elsewhere")
    for name in address.COPIES:
        text = address.renew_text(name, (ROOT / name).read_text(encoding="utf-8"))
        assert "anira-book/anira" not in text
        assert "someone/elsewhere" in text
    notebook = address.renew_notebook({"cells": [{"cell_type": "code", "source": ["1"], "metadata": {}}]})
    assert "git+https://github.com/someone/elsewhere" in "".join(notebook["cells"][0]["source"])
    assert address.renew_notebook(notebook) == notebook
