"""Formulas without a network: MathJax from the package sphinx-mathjax-offline, one file, drawn as SVG so that no font has to load."""

from importlib.util import find_spec
from pathlib import Path

SCRIPT = "tex-svg-full.js"


def _bundle(app, config) -> None:
    package = find_spec("sphinx-mathjax-offline")
    config.html_static_path.append(str(Path(package.submodule_search_locations[0], "static", "mathjax", SCRIPT)))
    config.mathjax_path = SCRIPT


def setup(app) -> dict:
    """Called by Sphinx."""
    app.connect("config-inited", _bundle)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
