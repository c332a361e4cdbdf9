"""The repository's public address: read from `pyproject.toml`, its only source, and handed to whatever shows it.

As a Sphinx extension it gives the address to the theme, whose Colab and repository buttons are made from it. What is
read where there is no repository (the README, CITATION.cff, a notebook on Colab) carries a copy: after a change of
`[project.urls] Repository`, `make address` renews the copies, and a test tells when that was forgotten.
"""

import json
import re
import sys
import tomllib
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[2]
BRANCH = "main"

#: The first code cell of every chapter. pip leaves the torch, numpy and pandas that Colab has, since they satisfy the package's floors.
INSTALL = """\
import sys

if "google.colab" in sys.modules:  # elsewhere `make lab` installs it
    %pip install --quiet --upgrade-strategy only-if-needed "anira @ git+{repository}"
"""

#: Where copies of the address stand: file, and the patterns around them.
COPIES = {
    "README.md": [r"(?<=git clone )https://github\.com/\S+", r"(?<=colab\.research\.google\.com/github)/[^/\s]+/[^/\s]+(?=/blob)"],
    "CITATION.cff": [r"(?<=repository-code: \")https://github\.com/[^\s\"]+"],
    "book/cite.md": [r"https://github\.com/[^/\s]+/[^/\s})]+"],
}


def repository() -> str:
    """The address, such as `https://github.com/owner/name`."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Repository"]


def renew_text(name: str, text: str) -> str:
    """The text of a file of `COPIES` with every copy renewed."""
    path = repository().removeprefix("https://github.com")
    for pattern in COPIES[name]:
        text = re.sub(pattern, path if "/blob" in pattern else repository(), text)
    return text


def renew_notebook(notebook: dict) -> dict:
    """The notebook with the install cell as its first code cell, put before that when it has none."""
    source = INSTALL.format(repository=repository()).rstrip().splitlines(keepends=True)
    cells = list(notebook["cells"])
    tags = [cell["metadata"].get("tags", []) for cell in cells]
    places = [index for index, tag in enumerate(tags) if "colab" in tag]
    if places:
        cells[places[0]] = {**cells[places[0]], "source": source}
    else:
        first = next((index for index, cell in enumerate(cells) if cell["cell_type"] == "code"), len(cells))
        cell = {"cell_type": "code", "execution_count": None, "id": "colab", "metadata": {"tags": ["colab", "remove-cell"]}, "outputs": [], "source": source}
        cells.insert(first, cell)
    return {**notebook, "cells": cells}


def renew() -> list[str]:
    """Renew every copy; the names of the files that changed."""
    changed = []
    for name in COPIES:
        old = (ROOT / name).read_text(encoding="utf-8")
        if (new := renew_text(name, old)) != old:
            (ROOT / name).write_text(new, encoding="utf-8")
            changed.append(name)
    for path in sorted((ROOT / "book").glob("*.ipynb")):
        old = json.loads(path.read_text(encoding="utf-8"))
        if (new := renew_notebook(old)) != old:
            path.write_text(json.dumps(new, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            changed.append(f"book/{path.name}")
    return changed


def _give_to_theme(app, config) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = re.search(r'__version__ = "(.+)"', (ROOT / "anira/__init__.py").read_text(encoding="utf-8"))[1]
    foot = (
        f'Version {version} of {date.today():%-d %B %Y} · <a href="{repository()}/blob/{BRANCH}/LICENSE">{project["license"]} licence</a> · '
        f'<a href="{repository()}">Source</a> · <a href="{repository()}/issues">Report an error</a>'
    )
    config.html_theme_options |= {"repository_url": repository(), "repository_branch": BRANCH, "extra_footer": f"<p>{foot}</p>"}


def setup(app) -> dict:
    """Called by Sphinx."""
    app.connect("config-inited", _give_to_theme)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    print("\n".join(renew()) or "Every copy is up to date.", file=sys.stderr)
