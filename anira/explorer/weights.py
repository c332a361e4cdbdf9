"""A trained model as a script for the page: weights in base64, and what it takes to use them (see `model.mjs`)."""

import base64
import json
from dataclasses import asdict

import numpy as np

from anira.model.anira import Anira
from anira.tasks import to_json
from anira.tasks.task import Task

FORMATS = {"float16": np.float16, "float32": np.float32}


def pack(name: str, model: Anira, task: Task, formats="float32") -> dict:
    """What `loadModel` of `model.mjs` takes, in JSON's types."""
    table, data = [], bytearray()
    for key, tensor in model.state_dict().items():
        table.append([key, list(tensor.shape), formats, len(data)])
        data += tensor.detach().cpu().float().numpy().astype(FORMATS[formats]).tobytes()
    return {
        "name": name,
        "config": asdict(model.config),
        "task": to_json(task),
        "names": list(task.vocabulary.names),
        "end_token": task.end_token,
        "answer_length": None if task.end_token is not None else 1,
        "rule": model.decider.default_rule,
        "tensors": table,
        "data": base64.b64encode(data).decode(),
    }


def script(packed: dict) -> str:
    """A classic script that puts a packed model on the page, as `anira_models[name]`."""
    text = json.dumps(packed, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    return f"(globalThis.anira_models ??= {{}})[{json.dumps(packed['name'])}] = {text};\n"
