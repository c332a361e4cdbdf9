"""A chapter to take away: its notebook, the tables that it reads, as CSV, and how to run it, in one file beside the page.

Which tables a chapter reads is seen, not guessed: while it runs, its kernel notes each file that it opens below
`anira/results`. So a table that a claim or an analysis asks for is in it too.
"""

import lzma
import os
import subprocess
import tempfile
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import address
import pandas as pd

from anira import __version__, results

NOTE = "ANIRA_BOOK_OPENED"  # for the kernel: the file in which it notes what it opens

#: Run by every kernel of the build before its first cell.
STARTUP = f"""
import os, sys
def _note(event, arguments, folder={str(results.FOLDER)!r}, note=os.environ.get("{NOTE}")):
    if note and event == "open" and isinstance(arguments[0], str) and arguments[0].startswith(folder) and arguments[0].endswith({results.ENDINGS!r}):
        with open(note, "a", encoding="utf-8") as file:
            file.write(arguments[0] + "\\n")
sys.addaudithook(_note)
"""

README = """\
{title}
A chapter of "{book}", version {version}{commit}.

To run it, with Python 3.11 or newer:

    pip install "anira[lab] @ git+{repository}{at}"
    jupyter lab {name}.ipynb

The notebook reads its tables from the installed package. The same tables lie in the folder tables, as CSV, for other
programs; which columns they have is said in {repository}/blob/{branch}/anira/results/tables.toml.

Published under the MIT licence. How to cite it: {repository}/blob/{branch}/CITATION.cff
"""


def commit() -> str:
    """The commit that is built; empty where there is no repository."""
    try:
        return subprocess.run(["git", "rev-parse", "HEAD"], cwd=address.ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def as_csv(path: Path) -> tuple[str, str]:
    """A stored table's place in the download and its text."""
    kind, (name, *_) = path.parent.name, path.name.split(".")
    if path.suffix == ".jsonl":
        text = pd.read_json(path, lines=True, dtype=False).to_csv(index=False)
    else:
        with (lzma.open if path.suffix == ".xz" else open)(path, "rt", encoding="utf-8") as file:
            text = file.read()
    return f"tables/{kind}/{name}.csv", text


def pack(target: Path, notebook: Path, tables: list[Path], title: str, book: str) -> None:
    """Writes the file."""
    at = commit()
    said = {"title": title, "book": book, "version": __version__, "commit": f", commit {at}" if at else "", "at": f"@{at}" if at else ""}
    text = README.format(**said, repository=address.repository(), branch=address.BRANCH, name=notebook.stem)
    target.parent.mkdir(parents=True, exist_ok=True)
    with ZipFile(target, "w", ZIP_DEFLATED) as file:
        file.write(notebook, f"{notebook.stem}/{notebook.name}")
        file.writestr(f"{notebook.stem}/README.txt", text)
        for name, table in map(as_csv, tables):
            file.writestr(f"{notebook.stem}/{name}", table)


def _start_notes(app) -> None:
    folder = app.anira_notes = tempfile.TemporaryDirectory()
    startup = Path(folder.name, "profile_default/startup/note.py")
    startup.parent.mkdir(parents=True)
    startup.write_text(STARTUP, encoding="utf-8")
    os.environ["IPYTHONDIR"] = folder.name


def note_of(app, docname: str) -> Path:
    """Where the kernel of a page notes what it opens."""
    return Path(app.anira_notes.name, docname.replace("/", "-"))


def _new_note(app, docname, source) -> None:
    os.environ[NOTE] = str(note_of(app, docname))


def _keep_note(app, doctree) -> None:
    note = note_of(app, app.env.docname)
    opened = note.read_text(encoding="utf-8").split("\n") if note.exists() else []
    app.env.metadata[app.env.docname]["tables"] = sorted(set(filter(None, opened)))


def _offer(app, pagename, templatename, context, doctree) -> None:
    source = Path(app.srcdir, f"{pagename}.ipynb")
    if app.builder.format != "html" or doctree is None or not source.is_file():
        return
    tables = [Path(path) for path in app.env.metadata[pagename].get("tables", [])]
    name = f"_downloads/{source.stem}.zip"
    pack(Path(app.outdir, name), source, tables, context["title"], app.config.html_title)
    buttons = next(group["buttons"] for group in context["header_buttons"] if group.get("label") == "download-buttons")
    url, tooltip = context["pathto"](name, resource=True), "Download the notebook with its tables"
    buttons.append({"type": "link", "url": url, "text": ".zip", "icon": "fas fa-table", "tooltip": tooltip, "label": "download-zip-button"})


def setup(app) -> dict:
    """Called by Sphinx."""
    app.connect("builder-inited", _start_notes)
    app.connect("source-read", _new_note)
    app.connect("doctree-read", _keep_note)
    app.connect("html-page-context", _offer, priority=900)  # after the theme's buttons
    return {"parallel_read_safe": True, "parallel_write_safe": True}
