"""What a folded solution says can be done, done."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

import anira
from anira.training.presets import preset

PAGE = Path(__file__).parents[2] / "book/own-decider.ipynb"


@pytest.fixture
def solved(registries):
    """The decider of exercise 1, made of the page's own code."""
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    imports, paced = (next(cell for cell in code if words in cell) for words in ("OnlineRun, register", "class Paced("))
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    solution = re.search(r"One solution to exercise 1</summary>\s*```python\n(.*?)```", text, re.DOTALL)
    names: dict = {}
    exec("\n".join([imports, paced, solution[1]]), names)
    return names["PacedByPart"]


def test_a_pace_for_the_prompt_alone_stops_the_prompt_alone(solved):
    recipe = preset("brevo", "minute")
    model = anira.Anira(recipe.config(solved.name)).initialize(torch.Generator().manual_seed(0)).eval()
    batch = recipe.task.batch(20, np.random.default_rng(0))
    with torch.no_grad():
        model.decider.pace[0], model.decider.pace[1] = 20.0, -1.0
        output = model(batch.tokens, lengths=batch.lengths)
    inside, answer = output.depths > 0, model.decider.context(batch.tokens).bool()
    assert (output.depths[inside & ~answer] == 1).all() and (output.depths[inside & answer] > 1).all()
