"""Docstrings on the API page: lists and examples may follow a line of text directly, as in Markdown; reStructuredText wants a blank line there."""

STARTS = ("- ", ">>> ")


def _separate(app, what, name, obj, options, lines: list[str]) -> None:
    separated = []
    inside = False  # a list or an example: it lasts until the next blank line
    for line in lines:
        starts = line.lstrip().startswith(STARTS)
        if starts and not inside and separated and separated[-1].strip():
            separated.append("")
        inside = bool(line.strip()) and (inside or starts)
        separated.append(line)
    lines[:] = separated


def _drop_aliases(app, what, name, obj, options, lines: list[str]) -> None:
    if lines and lines[0].startswith("Alias for field number"):  # what Python says of a named tuple's fields
        lines.clear()


def setup(app) -> dict:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _separate, priority=400)  # before napoleon
    app.connect("autodoc-process-docstring", _drop_aliases)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
