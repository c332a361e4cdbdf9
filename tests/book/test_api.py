"""The API pages name every module of the library, each once."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ELSEWHERE = ("anira.cli", "anira.__main__")  # `anira --help` says what the command line does


def test_every_module_stands_on_one_api_page():
    paths = [path.relative_to(ROOT).with_suffix("") for path in (ROOT / "anira").rglob("*.py") if path.read_text(encoding="utf-8").strip()]
    modules = {".".join(path.parts).removesuffix(".__init__") for path in paths}
    wanted = {name for name in modules if not name.startswith(ELSEWHERE)} - {"anira", "anira.threads"}  # both on the first API page, by name
    named = [name for page in (ROOT / "book/api").glob("*.md") for name in re.findall(r"automodule:: (\S+)", page.read_text(encoding="utf-8"))]
    assert sorted(named) == sorted(wanted)
