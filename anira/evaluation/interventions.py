"""What happens when tokens get another depth than they chose: is depth needed *where* it is spent?

The weights stay as they are; only the depths are given from outside, and the prompt keeps what it chose.

- *offset k*: every answer token gets k iterations more (or fewer) than it chose, within 1..D
- *fixed d*: every answer token gets d iterations
- *shuffled in the instance*, *shuffled among instances*: the chosen depths are dealt out anew among the answer
  tokens of one instance, or of all instances of one size. The budget is matched to the iteration; only its places change.

An answer token's depth is the one at the position before it, which predicts it.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from anira.evaluation.trace import ROWS, draw
from anira.model.anira import Anira
from anira.tasks.task import Batch, Task, collate

OFFSETS = (-2, -1, 1, 2)
IN_INSTANCE, AMONG_INSTANCES = "shuffled in the instance", "shuffled among instances"


@torch.no_grad()
def intervene(model: Anira, task: Task, sizes: Iterable[int], n: int, seed: int, offsets: Iterable[int] = OFFSETS) -> pd.DataFrame:
    """`n` instances of each size under every intervention, on CPU or wherever the model is.

    Returns one row per instance and intervention: instance, size · intervention ("chosen", "offset", "fixed" or one of
    the two shuffles), amount (k or d, else 0) · tokens: answer tokens · right: how many of them are predicted right,
    given the right tokens before · depth: mean iterations per answer token · moved: share of answer tokens whose
    depth differs from the chosen one.
    """
    max_depth, device = model.config.max_depth, next(model.parameters()).device
    rows, first = [], 0
    for size in sizes:
        instances = draw(task, [size], n, seed)
        order = sorted(range(n), key=lambda row: len(instances[row].tokens))
        chunks = [order[begin : begin + ROWS] for begin in range(0, n, ROWS)]
        batches = [collate([instances[row] for row in chunk]).to(device) for chunk in chunks]
        chosen = [model(batch.tokens[:, :-1]).depths for batch in batches]
        rng = np.random.default_rng([seed, size])
        for intervention, amount, depths in _plans(batches, chosen, max_depth, offsets, rng):
            for chunk, batch, given, own in zip(chunks, batches, depths, chosen, strict=True):
                answer = batch.answer_mask[:, 1:]
                right = (model(batch.tokens[:, :-1], depths=given).logits.argmax(-1) == batch.tokens[:, 1:]) & answer
                count = answer.sum(1)
                columns = {
                    "instance": first + np.array(chunk),
                    "size": size,
                    "intervention": intervention,
                    "amount": amount,
                    "tokens": count.cpu().numpy(),
                    "right": right.sum(1).cpu().numpy(),
                    "depth": ((given * answer).sum(1) / count).cpu().numpy().round(5),
                    "moved": (((given != own) & answer).sum(1) / count).cpu().numpy().round(5),
                }
                rows.append(pd.DataFrame(columns))
        first += n
    return pd.concat(rows, ignore_index=True)


def _plans(
    batches: list[Batch], chosen: list[Tensor], max_depth: int, offsets: Iterable[int], rng: np.random.Generator
) -> Iterator[tuple[str, int, list[Tensor]]]:
    """(intervention, amount, depths of each batch) for every intervention."""
    answers = [batch.answer_mask[:, 1:] for batch in batches]

    def each(change: Callable[[Tensor], Tensor | int]) -> list[Tensor]:
        return [torch.where(answer, change(depths), depths) for answer, depths in zip(answers, chosen, strict=True)]

    yield "chosen", 0, chosen
    for offset in offsets:
        yield "offset", offset, each(lambda depths, offset=offset: (depths + offset).clamp(1, max_depth))
    for depth in range(1, max_depth + 1):
        yield "fixed", depth, each(lambda depths, depth=depth: torch.full_like(depths, depth))
    dealt = []
    for answer, depths in zip(answers, chosen, strict=True):
        depths = depths.clone()
        for row, mask in zip(depths, answer, strict=True):
            row[mask] = row[mask][torch.from_numpy(rng.permutation(int(mask.sum()))).to(row.device)]
        dealt.append(depths)
    yield IN_INSTANCE, 0, dealt
    pool = torch.cat([depths[answer] for answer, depths in zip(answers, chosen, strict=True)])
    pool = pool[torch.from_numpy(rng.permutation(len(pool))).to(pool.device)]
    pools = pool.split([int(answer.sum()) for answer in answers])
    yield AMONG_INSTANCES, 0, [depths.masked_scatter(answer, part) for answer, depths, part in zip(answers, chosen, pools, strict=True)]
