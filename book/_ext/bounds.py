"""What the notebooks' code keeps to, so that a reader reads cells and skips none: counts, and what is out of bounds.

`python book/_ext/bounds.py` prints them, and ends with an error if something is out of bounds.
"""

import ast
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

BOOK = Path(__file__).parents[1]

LINES = 1000  # of code, in all notebooks
VISIBLE = 0.8  # share of them that nothing folds or leaves out
LONGEST = 12  # lines of a cell
WORDS = 3  # in a row, put together by code: a sentence

HIDDEN = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
WRITERS = {"Markdown", "HTML", "Latex", "display_markdown", "display_html"}
SENTENCE = re.compile(rf"(?:\b[A-Za-z]{{2,}}[,;:]?\s+){{{WORDS - 1},}}[A-Za-z]+")


@dataclass(frozen=True)
class Cell:
    """A code cell. Blank lines do not count."""

    source: str
    tags: frozenset[str]

    @property
    def lines(self) -> int:
        """How many lines of code."""
        return sum(bool(line.strip()) for line in self.source.splitlines())

    @property
    def visible(self) -> bool:
        """Whether a reader of the page sees its code without a click."""
        return not self.tags & HIDDEN

    @property
    def installs(self) -> bool:
        """Whether it is the cell that `address.py` keeps, for Colab."""
        return "colab" in self.tags


def cells(notebook: Path) -> list[Cell]:
    """The code cells of a notebook."""
    found = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [Cell("".join(cell["source"]), frozenset(cell["metadata"].get("tags", []))) for cell in found if cell["cell_type"] == "code"]


def prose(source: str) -> str:
    """What in a cell writes prose, or chooses it: a line of it, else nothing."""
    tree = ast.parse("\n".join(line for line in source.splitlines() if not line.lstrip().startswith("%")))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in WRITERS:
            return ast.unparse(node)[:60]
        if isinstance(node, ast.JoinedStr) and SENTENCE.search(" ".join(part.value for part in node.values if isinstance(part, ast.Constant))):
            return ast.unparse(node)[:60]
        formatted = isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "format" and isinstance(node.func.value, ast.Constant)
        if formatted and SENTENCE.search(str(node.func.value.value)):
            return ast.unparse(node)[:60]
    return next((ast.unparse(node.test)[:60] for node in tree.body if isinstance(node, ast.If)), "")


def complaints(notebook: Path) -> list[str]:
    """What is out of bounds in one notebook."""
    found = []
    for cell in cells(notebook):
        if cell.installs:
            continue
        first = cell.source.splitlines()[0] if cell.source else ""
        if not cell.visible:
            found.append(f"{notebook.name}: hidden code ({first})")
        if cell.lines > LONGEST:
            found.append(f"{notebook.name}: a cell of {cell.lines} lines, {LONGEST} at most ({first})")
        if line := prose(cell.source):
            found.append(f"{notebook.name}: a cell that writes prose or chooses it ({line})")
    return found


def lines(notebook: Path) -> tuple[int, int]:
    """Lines of code, and those that are visible."""
    counted = cells(notebook)
    return sum(cell.lines for cell in counted), sum(cell.lines for cell in counted if cell.visible)


def main() -> int:
    """Prints a line for each notebook, the sums, and what is out of bounds."""
    notebooks = sorted(BOOK.glob("*.ipynb"))
    total = [lines(notebook) for notebook in notebooks]
    for notebook, (every, visible) in zip(notebooks, total, strict=True):
        longest = max(cell.lines for cell in cells(notebook))
        print(f"{notebook.name:26}{every:5} lines, {visible / every:4.0%} visible, longest cell {longest:3}")
    every, visible = map(sum, zip(*total, strict=True))
    print(f"{'in all':26}{every:5} lines of {LINES} at most, {visible / every:4.0%} visible of {VISIBLE:.0%} at least")
    wrong = [line for notebook in notebooks for line in complaints(notebook)]
    print("\n".join(wrong))
    return int(bool(wrong) or every > LINES or visible < VISIBLE * every)


if __name__ == "__main__":
    sys.exit(main())
