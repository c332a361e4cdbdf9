"""The claims that chapters make: Markdown links to a row of the findings page, in notebooks and pages."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PAGE = "02-findings"
LINK = re.compile(r"\[(?P<sentence>(?:[^\[\]]|\[[^\[\]]*\])+)\]\((?P<page>[^()\s#]*)#(?P<id>[^()\s]+)\)")


class Link(NamedTuple):
    """Where a sentence is claimed, and by which id."""

    chapter: str
    id: str
    sentence: str


def text(path: Path) -> str:
    """The Markdown of a chapter: of a notebook that of its cells."""
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def links(book: Path) -> Iterator[Link]:
    """Every link of a book's chapters to a row of the findings page, on that page itself too."""
    for path in sorted([*book.glob("*.ipynb"), *book.glob("*.md")]):
        for found in LINK.finditer(text(path)):
            page = Path(found["page"] or path.name)
            if page.stem == PAGE and (found["page"] or path.stem == PAGE):
                yield Link(path.name, found["id"], " ".join(found["sentence"].split()))


def complaints(found: list[Link], verdicts: dict[str, list[str]], headings: frozenset[str] = frozenset()) -> list[str]:
    """What is wrong with the claims that chapters make; verdicts: of the rows of each claim; headings: other anchors of the page."""
    wrong = []
    for link in found:
        if link.id in headings:
            continue
        if link.id not in verdicts:
            wrong.append(f"{link.chapter} claims {link.id!r} ({link.sentence!r}), which is no claim.")
        elif set(verdicts[link.id]) != {"agrees"}:
            said = ", ".join(verdicts[link.id])
            wrong.append(f"{link.chapter} claims {link.id!r} ({link.sentence!r}), which the tables no longer support: {said}.")
    return wrong
