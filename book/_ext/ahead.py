"""The chapters that a build reads are run before it, side by side, and Jupyter Book takes from its cache what they said.

The cache is emptied first: a page shows nothing of an earlier build. A chapter that fails is not in it; Jupyter Book runs it
again, and stops where it fails.
"""

import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import download
import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import single_nb_execution


def run(timeout: int, path: Path, note: Path) -> nbformat.NotebookNode | None:
    """The notebook with its outputs, or nothing if it fails. A cell may take `timeout` seconds; opened tables go to `note`."""
    os.environ[download.NOTE] = str(note)
    result = single_nb_execution(nbformat.read(path, 4), cwd=str(path.parent), timeout=timeout, allow_errors=False)
    return None if result.err else result.nb


def _run_all(app, env, docnames) -> None:
    settings = env.mystnb_config
    names = [name for name in docnames if Path(app.srcdir, f"{name}.ipynb").is_file()]
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
    app.connect("env-before-read-docs", _run_all)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
