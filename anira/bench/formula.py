"""What adaptive depth costs and saves by the exact count of operations, for shapes that no one has measured."""

from collections.abc import Iterable
from dataclasses import fields

import pandas as pd
import torch

from anira.bench.contenders import Shape
from anira.model.flops import Cost, token_cost


def cost_shares(widths: Iterable[int], contexts: Iterable[int], deciders: Iterable[str] = ("early", "online")) -> pd.DataFrame:
    """Operations of one token at each depth 1..6, as shares of those of fixed full depth without a decider.

    contexts: tokens attended to, itself included. Returns decider, width, context, depth, component, operations, share.

    >>> frame = cost_shares([96], [64], ["early"])
    >>> float(frame[frame["depth"] == 6]["share"].sum()) > 1  # at full depth the decider costs, and saves nothing
    True
    """
    contexts, rows = list(contexts), []
    for decider in deciders:
        for width in widths:
            config, fixed = (Shape(width, 1, 1, decider=name).config for name in (decider, "fixed"))
            for context in contexts:
                depths = torch.arange(1, config.max_depth + 1)
                every = torch.full_like(depths, context)
                whole = token_cost(fixed, depths, every).total[-1].item()
                cost = token_cost(config, depths, every)
                for part in fields(Cost):
                    for depth, operations in zip(depths.tolist(), getattr(cost, part.name).tolist(), strict=True):
                        rows.append((decider, width, context, depth, part.name, operations, operations / whole))
    return pd.DataFrame(rows, columns=["decider", "width", "context", "depth", "component", "operations", "share"])
