"""Where the time of a pass, and of a step of decoding, goes: by PyTorch's profiler."""

from collections.abc import Callable

import pandas as pd
import torch
from torch.profiler import profile

from anira.bench.contenders import Shape, decoding, prefill

PARTS = {
    "products of matrices": ("aten::mm", "aten::addmm", "aten::bmm"),
    "attention": ("scaled_dot_product",),
    "choosing and moving tokens": (
        "aten::index",
        "aten::sort",
        "aten::argsort",
        "aten::bincount",
        "aten::nonzero",
        "aten::where",
        "aten::triu",
        "aten::cumsum",
        "aten::item",
        "aten::_local_scalar",
    ),
}
OTHER = "norms, rotations, activations, sums"
STEPS = 50


def where_time_goes(shape: Shape, device: torch.device, passes: int = 5) -> pd.DataFrame:
    """Milliseconds of a dense, a sparse and a masked Llama pass (where `transformers` is installed), by part, and of a step of decoding.

    Returns decider, width, work, contender, part, milliseconds: time inside PyTorch's operators by the host's clock,
    on a GPU the device's. What Python does between them is in no part. Decoding is that of 32 prompts of 32 tokens by
    STEPS tokens each; a step's share of reading the prompts is in its time.
    """
    works = {
        "prefill": (prefill(shape, device)[0], ("dense", "sparse", "llama-loop"), passes, passes),
        "decoding": (decoding(Shape(shape.width, 32, 32, shape.mean_depth, shape.decider), device, STEPS)[0], ("fixed", "sparse"), 1, STEPS),
    }
    return pd.DataFrame(
        [
            (shape.decider, shape.width, work, contender, part, milliseconds / share)
            for work, (calls, contenders, repetitions, share) in works.items()
            for contender in contenders
            if contender in calls
            for part, milliseconds in by_part(calls[contender], repetitions, device).items()
        ],
        columns=["decider", "width", "work", "contender", "part", "milliseconds"],
    )


def by_part(call: Callable[[], object], repetitions: int, device: torch.device) -> dict[str, float]:
    """Milliseconds of several calls in all, after one to warm up, in each of `PARTS` and in OTHER."""
    call()
    with profile() as profiler:
        for _ in range(repetitions):
            call()
    times = dict.fromkeys([*PARTS, OTHER], 0.0)
    for event in profiler.key_averages():
        times[_part(event.key)] += (event.self_device_time_total if device.type == "cuda" else event.self_cpu_time_total) / 1000
    return times


def _part(operator: str) -> str:
    return next((part for part, names in PARTS.items() if any(name in operator for name in names)), OTHER)
