"""Docstrings on the API pages, from how they read in the code to what reStructuredText wants.

- Lists and examples may follow a line of text directly, as in Markdown.
- A paragraph of lines `name: what it is`, longer ones continued by an indentation, is a list of fields; not the first one, which
  says what the thing is and may have a colon.
- What is indented after a blank line, below text that is not, is shown as it stands.
"""

import re

STARTS = ("- ", ">>> ")
FIELD = re.compile(r"([A-Za-z_][\w ,()…]*): (\S.*)")


def _paragraphs(lines: list[str]) -> list[list[str]]:
    """The lines, cut at blank ones, which are left out."""
    paragraphs: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            paragraphs[-1].append(line)
        elif paragraphs[-1]:
            paragraphs.append([])
    return [paragraph for paragraph in paragraphs if paragraph]


def _fields(paragraph: list[str]) -> list[str]:
    heads = [line for line in paragraph if not line.startswith(" ")]
    if heads and all(map(FIELD.fullmatch, heads)):
        return [FIELD.sub(r":\1: \2", line) if line in heads else line for line in paragraph]
    return paragraph


def _separate(app, what, name, obj, options, lines: list[str]) -> None:
    shaped: list[str] = []
    flush = False  # whether the paragraph before ended without an indentation
    paragraphs = _paragraphs(lines)
    for paragraph in (*paragraphs[:1], *map(_fields, paragraphs[1:])):
        literal = flush and all(line.startswith("    ") for line in paragraph) and not paragraph[0].lstrip().startswith(STARTS)
        shaped += ["::", ""] if literal else []
        inside = False  # a list or an example: it lasts until the paragraph ends
        for line in paragraph:
            starts = line.lstrip().startswith(STARTS)
            shaped += [""] if starts and not inside and line is not paragraph[0] else []
            inside = inside or starts
            shaped.append(line)
        shaped.append("")
        flush = not paragraph[-1].startswith(" ")
    lines[:] = shaped


def _drop_aliases(app, what, name, obj, options, lines: list[str]) -> None:
    if lines and lines[0].startswith("Alias for field number"):  # what Python says of a named tuple's fields
        lines.clear()


def setup(app) -> dict:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _separate, priority=400)  # before napoleon
    app.connect("autodoc-process-docstring", _drop_aliases)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
