"""What the book adds to its own build stays out of other people's, and shapes what it should."""

import tomllib
from pathlib import Path

import docstrings

ROOT = Path(__file__).parents[2]


def test_the_package_registers_nothing_that_other_builds_load():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "entry-points" not in project and set(project["scripts"]) == {"anira"}


def test_fields_of_a_docstring_are_a_list_and_its_first_line_never_is():
    lines = ["Continue one prompt: that of a single sequence.", "", "prompt: its tokens", "end: the mark", "", "Text: and more,", "that goes on."]
    docstrings._separate(None, "function", "f", None, None, lines)
    assert lines == ["Continue one prompt: that of a single sequence.", "", ":prompt: its tokens", ":end: the mark", "", "Text: and more,", "that goes on.", ""]
