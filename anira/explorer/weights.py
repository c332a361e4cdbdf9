"""A trained model for the page: weights as text, and what it takes to use them (`model.mjs`).

A weight is a whole number of 24 bits, times the step of its tensor, which is as near as float32's own rounding: no depth
is another (tests/explorer/test_weights.py). With the two bytes of float16 one depth in 4000 is. As base64 text a BREVO model
of the preset `tiny` has 1.5 MB, which a server that compresses sends as 1.1 MB.
"""

import base64
from dataclasses import asdict

import numpy as np
import torch

from anira.model.anira import Anira
from anira.model.deciders import Early, Fixed, Hybrid, Online
from anira.tasks.task import Task

LARGEST = 2**23 - 1
MOST = 2_000_000  # parameters of a model that a page carries: 8 MB of text


def pack(name: str, model: Anira, task: Task) -> dict:
    """What `loadModel` of `model.mjs` takes, in JSON's types.

    name: by which the page knows the model.
    model, task: as `anira.load` returns them.

    Raises:
        ValueError: a decider that decides in another way than Early, Online, Hybrid or Fixed, or a model of more parameters than a page should carry.
    """
    kind, parameters = decides(model), sum(tensor.numel() for tensor in model.state_dict().values())
    if kind is None:
        raise ValueError(f"the model in a page decides as early, online, hybrid or fixed, received {model.config.decider!r}")
    if parameters > MOST:
        raise ValueError(f"the model in a page has at most {MOST:,} parameters, received one of {parameters:,}")
    table, data = [], bytearray()
    for key, tensor in model.state_dict().items():
        step, numbers = to_bytes(tensor.detach().float().cpu().numpy())
        table.append([key, list(tensor.shape), step, len(data)])
        data += numbers
    return {
        "name": name,
        "config": asdict(model.config),
        "decides": kind,
        "names": list(task.vocabulary.names),
        "end_token": task.end_token,
        "answer_length": 1 if task.end_token is None else None,
        "rule": model.decider.default_rule,
        "tensors": table,
        "data": base64.b64encode(data).decode(),
    }


def decides(model: Anira) -> str | None:
    """The name of the decider as which the page can run this model; None where it decides in a way that the page does not know."""
    return next((kind.name for kind in (Early, Online, Hybrid, Fixed) if type(model.decider).start is kind.start), None)


def to_bytes(values: np.ndarray) -> tuple[float, bytes]:
    """The step of a tensor, and its values in steps: signed whole numbers of three bytes, the lowest byte first."""
    step = float(np.abs(values).max() / LARGEST) or 1.0
    numbers = np.round(values.astype(np.float64).reshape(-1) / step).astype("<i4")
    return step, numbers.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


def unpack(packed: dict) -> dict[str, torch.Tensor]:
    """The tensors of a packed model, as the page has them."""
    data, tensors = base64.b64decode(packed["data"]), {}
    for name, shape, step, offset in packed["tensors"]:
        bits = np.zeros((int(np.prod(shape)), 4), np.uint8)
        bits[:, 1:] = np.frombuffer(data, np.uint8, 3 * len(bits), offset).reshape(-1, 3)
        numbers = bits.view("<i4").reshape(shape) >> 8  # the sign comes down with the shift
        tensors[name] = torch.from_numpy((numbers * step).astype(np.float32))
    return tensors
