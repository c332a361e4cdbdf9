"""What a model said and spent for every token of a batch.

A position reads one token and predicts the next. That shift by one stands here and nowhere else: in a `Reading`
column t is about token t, and everything that asks a model (evaluation, traces, interventions, probes, stopping
rules) is a selection of it. On the model's device nothing is float64.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from anira.model.anira import Anira
from anira.tasks.task import Batch, Task

ROWS = 64  # instances in one pass of the model: more would not be faster, fewer would


@dataclass(frozen=True)
class Reading:
    """Arrays (B, T); column t is about token t, and holds 0 at padding.

    answer, prompt: bool, which part the token belongs to; neither at padding.
    right: bool, the token is the most probable one given the right tokens before it, as it is in greedy decoding.
    depth, expected_depth: iterations spent (int64), and E[d] (float64), where the token is predicted. Nothing
        predicts the first token: its column is 0 and not right.
    own_depth, own_expected_depth: the same where the token is read. 0 for a last token that the model has no room for.
    """

    answer: np.ndarray
    prompt: np.ndarray
    right: np.ndarray
    depth: np.ndarray
    own_depth: np.ndarray
    expected_depth: np.ndarray
    own_expected_depth: np.ndarray

    @property
    def solved(self) -> np.ndarray:
        """(B,) bool, the whole answer is right."""
        return (self.right | ~self.answer).all(1)

    @property
    def predicted(self) -> np.ndarray:
        """(B, T) bool, tokens that a position predicts: all but the first and padding."""
        inside = self.answer | self.prompt
        inside[:, 0] = False
        return inside

    def with_depth(self, depth: np.ndarray) -> np.ndarray:
        """What to give `read` as `depths` so that answer token t is predicted after depth[:, t] iterations and all else stays: (B, T)."""
        depths = self.own_depth.copy()
        depths[:, :-1] = np.where(self.answer[:, 1:], depth[:, 1:], depths[:, :-1])
        return depths


@torch.no_grad()
def read(model: Anira, batch: Batch, *, depths: int | np.ndarray | None = None, **forward) -> Reading:
    """What the model says of a batch of any size, on whatever device the model is.

    Args:
        depths: iterations to spend instead of the model's choice: one number, or (B, T) where column t is the position
            that reads token t (see `Reading.with_depth`); what stands at padding is ignored.
        forward: goes to the model's call (`select`, `execution`).

    Raises:
        ValueError: what the model's call raises: tokens outside its vocabulary, too long a sequence, depths outside 1..D.
    """
    device, (B, T) = next(model.parameters()).device, batch.tokens.shape
    right, own_depth, own_expected_depth = np.zeros((B, T), bool), np.zeros((B, T), np.int64), np.zeros((B, T))
    for rows in batch.lengths.argsort(stable=True).split(ROWS):  # neighbours are of one length: hardly any padding
        part = batch.select(rows)
        visible = min(part.tokens.shape[1], max(model.config.max_length, part.tokens.shape[1] - 1))  # the last token need not be read
        given: dict[str, Any] = {}
        if isinstance(depths, int):
            given = {"depths": depths}
        elif depths is not None:
            chosen = torch.as_tensor(depths)[rows, :visible].where(part.token_mask[:, :visible], model.config.max_depth)
            given = {"depths": chosen.to(device)}
        output = model(part.tokens[:, :visible].to(device), **given, **forward)
        said, mask, at = output.logits.argmax(-1).cpu(), part.token_mask[:, :visible], rows.numpy()
        longest = part.tokens.shape[1]
        right[at, 1:longest] = (said[:, : longest - 1] == part.tokens[:, 1:]) & part.token_mask[:, 1:]
        expected = output.expected_depths
        own_depth[at, :visible] = output.depths.cpu() * mask
        own_expected_depth[at, :visible] = expected.to("cpu", torch.promote_types(expected.dtype, torch.float32)) * mask
    inside, answer = batch.token_mask.cpu().numpy(), batch.answer_mask.cpu().numpy()

    def where_predicted(own: np.ndarray) -> np.ndarray:
        return np.where(inside, np.concatenate([np.zeros_like(own[:, :1]), own[:, :-1]], axis=1), 0)

    return Reading(
        answer=answer,
        prompt=inside & ~answer,
        right=right,
        depth=where_predicted(own_depth),
        own_depth=own_depth,
        expected_depth=where_predicted(own_expected_depth),
        own_expected_depth=own_expected_depth,
    )


def check_asked(model: Anira, task: Task, n: int, sizes: Iterable[int] | None = None) -> tuple[int, ...]:
    """The sizes that are asked for, by default the task's own, if the model can be asked for `n` instances of each.

    Raises:
        ValueError: a model of another vocabulary, no instances, no sizes, or a size that the task cannot make.
    """
    if len(task.vocabulary) != model.config.vocabulary:
        raise ValueError(
            f"This model knows {model.config.vocabulary} tokens and the task {task.name!r} has {len(task.vocabulary)}: it was trained on another one. "
            "Take the model's own task, which `anira.load` returns with it."
        )
    if n < 1:
        raise ValueError(f"A model is asked for at least one instance of each size, received n = {n}.")
    sizes = task.sizes if sizes is None else sizes
    sizes = sizes if isinstance(sizes, range) else tuple(sizes)
    if not len(sizes):
        raise ValueError(f"A model is asked for at least one size, received {sizes}. A range ends before its second number: range(3, 6) is 3, 4, 5.")
    smallest, largest = task.size_limits
    ends = (sizes[0], sizes[-1]) if isinstance(sizes, range) else sizes
    if min(ends) < smallest or max(ends) > largest:
        raise ValueError(f"The task {task.name!r} makes sizes {smallest} to {largest}, received {sizes if isinstance(sizes, range) else list(sizes)}.")
    return tuple(int(size) for size in sizes)
