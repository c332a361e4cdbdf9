"""Analysis reads frames: it knows no model and loads no torch."""

import subprocess
import sys
from pathlib import Path

import anira.analysis

FOLDER = Path(anira.analysis.__file__).parent
PROGRAM = """
import importlib, sys, types
anira = types.ModuleType("anira")  # the package without its public face
anira.__path__ = [sys.argv[1]]
sys.modules["anira"] = anira
for name in sys.argv[2:]:
    importlib.import_module(f"anira.analysis.{name}")
print(*sorted(name for name in sys.modules if name == "torch" or name.startswith(("anira.evaluation", "anira.model", "anira.training"))))
"""


def test_analysis_imports_neither_torch_nor_what_asks_a_model():
    names = [
        ".".join(path.relative_to(FOLDER).with_suffix("").parts).removesuffix(".__init__") for path in FOLDER.rglob("*.py") if path != FOLDER / "__init__.py"
    ]
    found = subprocess.run([sys.executable, "-c", PROGRAM, str(FOLDER.parent), *names], capture_output=True, text=True, check=True)
    assert len(names) > 5 and found.stdout.split() == []
