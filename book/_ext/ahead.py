"""The chapters that a build reads are run before it by nbval, side by side, and Jupyter Book takes from its cache what they said.

So each chapter is run once, and a page shows the very outputs that were tested. The cache is emptied first: a page shows nothing of
an earlier build. A chapter that fails is not in it; Jupyter Book runs it again, and stops where it fails. Reading and writing of pages
go on side by side, too.
"""

import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import address
import download
import nbformat
import pytest
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete

LONGEST = ["10-training", "own-task", "11-tasks", "own-decider", "01-welcome"]  # run first, so that no core waits for them in the end


class Recorder:
    """A plugin of pytest that keeps what the kernel says while nbval runs the cells of a notebook."""

    def __init__(self):
        self.said: list[list[dict]] = []  # one list of messages for each code cell

    def pytest_runtest_setup(self, item) -> None:
        messages: list[dict] = []
        self.said.append(messages)
        read = type(item.parent).get_kernel_message

        def get_kernel_message(*args, **kwargs) -> dict:
            messages.append(read(item.parent, *args, **kwargs))
            return messages[-1]

        item.parent.get_kernel_message = get_kernel_message

    def notebook(self, path: Path) -> nbformat.NotebookNode:
        """The notebook with its outputs, displays that were updated as they were in the end; no state of widgets, which no page can use."""
        notebook = nbformat.read(path, 4)
        client = NotebookClient(notebook, record_timing=False)
        client.reset_execution_trackers()
        code = [(index, cell) for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
        for (index, cell), messages in zip(code, self.said, strict=True):
            cell.outputs, client.clear_before_next_output = [], False
            for message in messages:
                if message["parent_header"].get("msg_id") != messages[-1]["parent_header"]["msg_id"]:
                    continue
                try:
                    client.process_message(message, cell, index)
                except CellExecutionComplete:
                    break
        return notebook


def run(timeout: int, path: Path, note: Path) -> nbformat.NotebookNode | None:
    """The notebook with its outputs, or nothing if it fails. A cell may take `timeout` seconds; opened tables go to `note`."""
    os.environ[download.NOTE] = str(note)
    recorder = Recorder()
    asked = ["-c", str(address.ROOT / "pyproject.toml"), f"--nbval-cell-timeout={timeout}", "--durations=3", "-p", "no:cacheprovider", str(path)]
    return recorder.notebook(path) if pytest.main(asked, plugins=[recorder]) == 0 else None


def _run_all(app, env, docnames) -> None:
    settings = env.mystnb_config
    names = [name for name in docnames if Path(app.srcdir, f"{name}.ipynb").is_file()]
    names.sort(key=lambda name: Path(name).name not in LONGEST)
    paths = [Path(app.srcdir, f"{name}.ipynb") for name in names]
    cache = get_cache(settings.execution_cache_path)
    cache.clear_cache()
    with ProcessPoolExecutor() as pool:
        notes = [download.note_of(app, name) for name in names]
        for path, notebook in zip(paths, pool.map(partial(run, settings.execution_timeout), paths, notes), strict=True):
            if notebook:
                cache.cache_notebook_bundle(CacheBundleIn(notebook, str(path)), check_validity=False)


def setup(app) -> dict:
    """Called by Sphinx."""
    app.parallel = os.cpu_count() or 1  # Jupyter Book has no option for it
    app.extensions["sphinx_multitoc_numbering"].parallel_read_safe = True  # it numbers sections once all are read, and says nothing of this
    app.connect("env-before-read-docs", _run_all)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
