"""What happens when tokens get another depth than they chose: is depth needed *where* it is spent?

The weights stay as they are; only the depths are given from outside, and the prompt keeps what it chose.

- *offset k*: every answer token gets k iterations more (or fewer) than it chose, within 1..D
- *fixed d*: every answer token gets d iterations
- *shuffled in the instance*, *shuffled among instances*: the chosen depths are dealt out anew among the answer
  tokens of one instance, or of all instances of one size. The budget is matched to the iteration; only its places change.

An answer token's depth is the one at the position before it, which predicts it.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from anira.evaluation.reading import Reading, check_asked, read
from anira.evaluation.trace import draw
from anira.model.anira import Anira
from anira.tasks.task import Instance, Split, Task, collate

OFFSETS = (-2, -1, 1, 2)
IN_INSTANCE, AMONG_INSTANCES = "shuffled in the instance", "shuffled among instances"


def intervene(model: Anira, task: Task, sizes: Iterable[int], n: int, seed: int, *, split: Split = "held_out") -> pd.DataFrame:
    """`n` instances of each size under every intervention, on CPU or wherever the model is.

    Returns one row per instance and intervention:

    - instance, size
    - intervention: "chosen", "offset", "fixed" or one of the two shuffles; amount: k or d, else 0
    - tokens: answer tokens; right: how many of them are predicted right, given the right tokens before
    - depth: mean iterations per answer token
    - moved: share of answer tokens whose depth differs from the chosen one

    Raises:
        ValueError: untied layers, a model of another vocabulary, no instances, no sizes, a size that the task cannot make.
    """
    max_depth = model.config.max_depth
    if model.config.untied:
        raise ValueError(f"Untied layers run all {max_depth} for every token: there is nothing to intervene on. Take a model with one core.")
    rows, first = [], 0
    for size in check_asked(model, task, n, sizes):
        instances = draw(task, [size], n, seed, split=split)
        order = sorted(range(n), key=lambda row: len(instances[row].tokens))
        batch = collate([instances[row] for row in order])
        chosen = read(model, batch)
        answer = chosen.answer
        for intervention, amount, depth in _plans(chosen, max_depth, np.random.default_rng([seed, size])):
            right = read(model, batch, depths=chosen.with_depth(depth)).right & answer
            count = answer.sum(1)
            columns = {
                "instance": first + np.array(order),
                "size": size,
                "intervention": intervention,
                "amount": amount,
                "tokens": count,
                "right": right.sum(1),
                "depth": ((depth * answer).sum(1) / count).round(5),
                "moved": (((depth != chosen.depth) & answer).sum(1) / count).round(5),
            }
            rows.append(pd.DataFrame(columns))
        first += n
    return pd.concat(rows, ignore_index=True)


def exchanged(model: Anira, task: Task, instance: Instance, one: int, other: int) -> pd.DataFrame:
    """The answer to one instance with the depths that the model chose, and with those of two of its tokens exchanged.

    Args:
        one, other: their places in the answer, from 0.

    Returns:
        A row per answer token: place; token, its name; depth, right: as chosen; depth_exchanged, right_exchanged: with the two exchanged.

    Raises:
        ValueError: a place that the answer does not have, or untied layers.
    """
    batch = collate([instance])
    chosen = read(model, batch)
    columns = np.flatnonzero(chosen.answer[0])
    if not (0 <= one < len(columns) and 0 <= other < len(columns)):
        raise ValueError(f"The answer has the places 0 to {len(columns) - 1}, received {one} and {other}.")
    depth = chosen.depth.copy()
    depth[0, columns[[one, other]]] = depth[0, columns[[other, one]]]
    after = read(model, batch, depths=chosen.with_depth(depth))
    return pd.DataFrame(
        {
            "place": np.arange(len(columns)),
            "token": task.vocabulary.decode([instance.tokens[column] for column in columns]),
            "depth": chosen.depth[0, columns],
            "right": chosen.right[0, columns],
            "depth_exchanged": after.depth[0, columns],
            "right_exchanged": after.right[0, columns],
        }
    )


def _plans(chosen: Reading, max_depth: int, rng: np.random.Generator) -> Iterator[tuple[str, int, np.ndarray]]:
    """(intervention, amount, depth at which each token is predicted (B, T)) for every intervention."""
    depth, answer = chosen.depth, chosen.answer
    yield "chosen", 0, depth
    for offset in OFFSETS:
        yield "offset", offset, (depth + offset).clip(1, max_depth)
    for fixed in range(1, max_depth + 1):
        yield "fixed", fixed, np.full_like(depth, fixed)
    dealt = depth.copy()
    for row, mask in zip(dealt, answer, strict=True):
        row[mask] = rng.permutation(row[mask])
    yield IN_INSTANCE, 0, dealt
    dealt = depth.copy()
    dealt[answer] = rng.permutation(depth[answer])
    yield AMONG_INSTANCES, 0, dealt
