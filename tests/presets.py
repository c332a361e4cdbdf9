"""The recipes, for tests that run over all of them: those of CLRS draw only where the official generator is installed."""

import importlib.util

import pytest

from anira.training.presets import PRESETS

OFFICIAL = importlib.util.find_spec("clrs") is not None
live = pytest.mark.skipif(not OFFICIAL, reason='needs the official generator: pip install "anira[clrs]"')
EACH = [pytest.param(task, name, marks=[live] if task == "clrs" else []) for task, name in PRESETS]
