"""The model in the page gives the depths, answers and exit probabilities of the model in PyTorch."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

import anira
from anira.explorer.weights import pack
from anira.model.decoding import generate

FOLDER = Path(anira.__file__).parent / "explorer"
SELECTS = ("mode", "median", "mean", 0.2, 0.35, 0.65, 0.9)
LONGEST = 17  # tokens of an answer at most: 15 ancestors and the end
RUN = """
import { readFileSync } from "node:fs";
import { loadModel } from %s;
const { packed, cases } = JSON.parse(readFileSync(0));
const model = loadModel(packed);
const plain = ({ depths, exitProbs, logits, answer }) => ({ depths, exitProbs: [...exitProbs], logits: [...logits], answer });
console.log(JSON.stringify(cases.map(({ tokens, prompt, select, most }) => [
  plain(model.run(tokens, { rule: select })), plain(model.answer(tokens.slice(0, prompt), { rule: select, maxTokens: most })),
])));
"""


def run_node(code: str, data) -> object:
    """What a script of Node prints as JSON, given data on its input; the test is skipped where there is no Node."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node on this machine")
    done = subprocess.run([node, "--input-type=module", "-e", code], input=json.dumps(data), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ["brevo-early-tiny", "brevo-online-tiny", "brevo-fixed-tiny", "brevo-untied-tiny", "mano-early-tiny", "mano-online-tiny"])
@torch.no_grad()
def test_depths_answers_and_exit_probabilities_are_those_of_pytorch(name, one_thread):
    model, task, _ = anira.load(name)
    rng = np.random.default_rng(7)
    sizes = range(3, 17) if task.name == "brevo" else (1, 2, 3)
    cases, expected = [], []
    for size in sizes:
        for select in SELECTS:
            batch = task.batch(1, rng, size)
            tokens, prompt = batch.tokens[:, : int(batch.lengths[0])], int(batch.answer_mask[0].int().argmax())
            most = LONGEST if task.end_token is not None else 1
            cases.append({"tokens": tokens[0].tolist(), "prompt": prompt, "select": select, "most": most})
            expected.append((model(tokens, select=select), generate(model, tokens[0, :prompt], end_token=task.end_token, max_new_tokens=most, select=select)))
    found = run_node(RUN % json.dumps((FOLDER / "model.mjs").as_uri()), {"packed": pack(name, model, task), "cases": cases})
    for (run, answered), (output, (answer, decoded, _)) in zip(found, expected, strict=True):
        assert answered["answer"] == answer.tolist()
        for got, wanted in ((run, output), (answered, decoded)):
            assert got["depths"] == wanted.depths[0].tolist()
            assert np.allclose(got["exitProbs"], wanted.exit_probs[0].flatten(), rtol=0, atol=1e-4)
            assert np.allclose(got["logits"], wanted.logits[0].flatten(), rtol=0, atol=1e-3)
