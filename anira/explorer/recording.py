"""Explorer scenes recorded in advance, for pages without a kernel.

    python -m anira.explorer.recording [OUT]

runs the shipped models on the same graphs at every recorded threshold and writes one compact JSON file. It is
to be made again whenever the models change; it carries the checksums of the models that it was made from.

Format. `instances[size][graph]` holds what depends on the graph alone. `runs[decider][size][graph][threshold]`
is `[answer, depths, probs]`, the indices being those of the lists `sizes` and `thresholds`, and graph number
1 standing at index 0. `answer` is token names joined by spaces. `depths` has one base-36 digit per position, position i being the one that
predicts token i + 1. `probs` has D numbers per position, each a multiple of 1 / 4095 written as two
characters of `ALPHABET`. `explorer.mjs` turns this back into the scene of `anira.explorer.scene`.
"""

import hashlib
import json
import sys
from itertools import product
from pathlib import Path

import numpy as np

from anira.explorer.scene import describe, solve
from anira.tasks.brevo import Brevo
from anira.tasks.task import Instance
from anira.zoo import FOLDER, load

MODELS = {"early": "brevo-early-tiny", "online": "brevo-online-tiny"}
GRAPHS = 8  # per size
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
RECORDING = Path(__file__).with_name("recording.json")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
LEVELS = 4095  # the largest number that two characters of the alphabet can write


def instance_of(task: Brevo, nodes: int, graph: int) -> Instance:
    """Graph number `graph` (1, 2 …) of a size: the same one in the widget, in the recording and on any machine."""
    return task.sample(nodes, np.random.default_rng([nodes, graph]))


def record(path: str | Path = RECORDING) -> None:
    """Run the shipped models on the recorded graphs and write the recording to `path`."""
    path = Path(path)
    path.write_text(json.dumps(make(), ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def make() -> dict:
    """The recording as plain data, see the module's docstring."""
    recording = {"format": 1, "command": "python -m anira.explorer.recording", "models": {}, "runs": {}}
    for decider, name in MODELS.items():
        model, task, header = load(name)
        sizes = task.sizes
        instances = [instance_of(task, size, graph) for size, graph in product(sizes, range(1, GRAPHS + 1))]
        columns = []  # one per threshold: a run per instance
        for threshold in THRESHOLDS:
            scenes = [describe(model, task, *pair) for pair in zip(instances, solve(model, task, instances, threshold), strict=True)]
            columns.append([_pack(scene) for scene in scenes])
        recording["models"][decider] = {"name": name, "sha256": checksum(name), "step": header["step"]}
        recording["runs"][decider] = _by_size([list(runs) for runs in zip(*columns, strict=True)])
        recording |= {"sizes": sizes, "thresholds": THRESHOLDS, "graphs": GRAPHS, "max_depth": model.config.max_depth}
        # The graphs are the same for every decider, so those of the last one are everyone's.
        recording["instances"] = _by_size([_instance(scene) for scene in scenes])
    return recording


def checksum(name: str) -> str:
    """SHA-256 of a shipped model file."""
    return hashlib.sha256((FOLDER / f"{name}.safetensors").read_bytes()).hexdigest()


def _by_size(rows: list) -> list[list]:
    return [rows[start : start + GRAPHS] for start in range(0, len(rows), GRAPHS)]


def _instance(scene: dict) -> dict:
    return {
        "size": scene["size"],
        "nodes": [[node["name"], node["x"], node["y"]] for node in scene["nodes"]],
        "prompt": " ".join(token["name"] for token in scene["prompt"]),
        "expected": " ".join(scene["expected"]),
    }


def _pack(scene: dict) -> list[str]:
    positions = scene["prompt"] + scene["answer"][1:]
    return [
        " ".join(token["name"] for token in scene["answer"]),
        "".join(np.base_repr(token["depth"], 36).lower() for token in positions),
        "".join(_two_characters(prob) for token in positions for prob in token["exit_probs"]),
    ]


def _two_characters(probability: float) -> str:
    level = round(probability * LEVELS)
    return ALPHABET[level // 64] + ALPHABET[level % 64]


if __name__ == "__main__":
    record(*sys.argv[1:2])
