"""What the book adds to its own build stays out of other people's."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_package_registers_nothing_that_other_builds_load():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "entry-points" not in project and set(project["scripts"]) == {"anira"}
