"""The numbers that the chapters' sentences say, each with what it is: a module for each chapter, named as the chapter is.

A module has

- `HELD`: rows (words, numbers): the words around the numbers as they stand in the chapter, with `{}` where the numbers
  are, and a function that computes them;
- `QUOTED`, where there are any: numbers that are not ours to compute, with the words around them, and a word on each: the
  paper's, a recipe's.
"""

import json
import re
from importlib import import_module
from pathlib import Path

BOOK = Path(__file__).parents[3] / "book"
CHAPTERS = {path.stem: import_module(f"tests.book.numbers.{path.stem.partition('-')[2]}") for path in sorted(BOOK.glob("[0-9]*.ipynb"))}


def cells(chapter: str) -> list[str]:
    """The texts of a chapter."""
    notebook = json.loads((BOOK / f"{chapter}.ipynb").read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]


def plain(text: str) -> str:
    """Text in one line, without what its links lead to, formulas, code, and the numbers of figures and tables."""
    text = re.sub(r"```.*?```|\$\$.*?\$\$", "", text, flags=re.DOTALL)
    text = re.sub(r"\[((?:[^\[\]]|\[[^\[\]]*\])+)\]\(([^()]*)\)", lambda link: "" if link[2].startswith("http") else link[1], text)
    text = re.sub(r"<[^>]*>|`[^`]*`|\$[^$\n]*\$|\b(Figure|Table) [A-Z\d]+\.\d+|^> ?", "", text, flags=re.MULTILINE)
    return " ".join(text.split())


def box(chapter: str) -> str:
    """The box at the top of a chapter: its first blockquote, empty where there is none."""
    return plain("\n".join(line for line in cells(chapter)[0].splitlines() if line.startswith(">")))


def prose(chapter: str) -> str:
    """All text of a chapter, its box first."""
    return plain("\n\n".join(cells(chapter)))
