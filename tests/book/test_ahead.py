"""Chapters are run side by side before their pages are built: none is taken from an earlier build, and none that fails."""

from types import SimpleNamespace

import nbformat
import pytest

jupyter_cache = pytest.importorskip("jupyter_cache")
ahead = pytest.importorskip("ahead")


def notebook(code: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)], metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})


def test_the_cache_holds_what_has_just_been_run_and_nothing_else(tmp_path):
    right = "import os; from IPython.display import display; shown = display(1, display_id=True); shown.update(2); print(os.path.basename(os.environ['ANIRA_BOOK_OPENED']))"
    sources = {"right": right, "wrong": "1 / 0", "before": "2"}
    for name, code in sources.items():
        nbformat.write(notebook(code), tmp_path / f"{name}.ipynb")
    cache = jupyter_cache.get_cache(tmp_path / "cache")
    for code in ("1 / 0", "2"):
        cache.cache_notebook_bundle(jupyter_cache.base.CacheBundleIn(notebook(code), "before"), check_validity=False)
    settings = SimpleNamespace(execution_cache_path=str(tmp_path / "cache"), execution_timeout=60)
    app = SimpleNamespace(srcdir=tmp_path, anira_notes=SimpleNamespace(name=str(tmp_path)))
    ahead._run_all(app, SimpleNamespace(mystnb_config=settings), ["right", "wrong", "no notebook"])
    cache = jupyter_cache.get_cache(tmp_path / "cache")
    (record,) = cache.list_cache_records()
    (cell,) = cache.get_cache_bundle(record.pk).nb.cells
    assert [output.get("text") or output.data["text/plain"] for output in cell.outputs] == ["2", "right\n"] and cell.execution_count == 1
