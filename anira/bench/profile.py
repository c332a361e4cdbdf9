"""Where the time of a pass goes, by PyTorch's profiler."""

import pandas as pd
import torch
from torch.profiler import profile

from anira.bench.contenders import Shape, prefill

PARTS = {
    "products of matrices": ("aten::mm", "aten::addmm", "aten::bmm"),
    "attention": ("scaled_dot_product",),
    "choosing and moving tokens": (
        "aten::index",
        "aten::sort",
        "aten::argsort",
        "aten::where",
        "aten::le",
        "aten::cumsum",
        "aten::item",
        "aten::_local_scalar",
    ),
}
OTHER = "norms, rotations, activations, sums"


def where_time_goes(shape: Shape, device: torch.device, passes: int = 5) -> pd.DataFrame:
    """Milliseconds of a dense, a sparse and a masked Llama pass (where `transformers` is installed), by part.

    Returns decider, width, contender, part, milliseconds: time inside PyTorch's operators by the host's clock, on a
    GPU the device's. What Python does between them is in no part.
    """
    calls, _ = prefill(shape, device)
    rows = []
    for contender in ("dense", "sparse", "llama-loop"):
        if contender in calls:
            calls[contender]()
            with profile() as profiler:
                for _ in range(passes):
                    calls[contender]()
            times = dict.fromkeys([*PARTS, OTHER], 0.0)
            for event in profiler.key_averages():
                spent = event.self_device_time_total if device.type == "cuda" else event.self_cpu_time_total
                times[_part(event.key)] += spent / passes / 1000
            rows += [(shape.decider, shape.width, contender, part, spent) for part, spent in times.items()]
    return pd.DataFrame(rows, columns=["decider", "width", "contender", "part", "milliseconds"])


def _part(operator: str) -> str:
    return next((part for part, names in PARTS.items() if any(name in operator for name in names)), OTHER)
