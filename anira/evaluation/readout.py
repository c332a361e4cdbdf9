"""What a model says of an answer token after each iteration, and what it would have said with more or fewer.

One answer token at a time is given every depth d in 1..D, the tokens before it being settled. Halting changes nothing about the
iterations before it, so this is what a reader of the state sees after iteration d, and the same as setting that token's depth to d.
The tokens before it are read once, into the cache of `anira.model.decoding`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from anira.evaluation.reading import check_asked, read
from anira.evaluation.trace import draw
from anira.model.anira import Anira, Output
from anira.model.deciders import NEVER
from anira.model.decoding import Cache
from anira.tasks.task import Batch, Instance, Split, Task, collate


@dataclass(frozen=True)
class View:
    """The tokens of one place in the answer, at every depth 1..D.

    rows (n,): whose tokens they are, rows of the batch.
    positions (n,): where they are predicted.
    targets (n,): the correct tokens.
    logits (n, D, V): the prediction with depth d.
    states (n, D, E): the state that the coda is shown.
    passed (n, D): F(d), the probability that the decider has halted by then, if the token goes on to D.
    """

    rows: Tensor
    positions: Tensor
    targets: Tensor
    logits: Tensor
    states: Tensor
    passed: Tensor

    @property
    def said(self) -> Tensor:
        """(n, D) int64: the most probable token."""
        return self.logits.argmax(-1)

    @property
    def right(self) -> Tensor:
        """(n, D) bool: the most probable token is the correct one."""
        return self.said == self.targets[:, None]

    @property
    def confidence(self) -> Tensor:
        """(n, D): the probability of the most probable token."""
        return self.logits.softmax(-1).amax(-1)

    @property
    def change(self) -> Tensor:
        """(n, D): how far iteration d moved the state, as a share of its length; infinite for the first, which has none before it."""
        steps = (self.states[:, 1:] - self.states[:, :-1]).norm(dim=-1) / self.states[:, 1:].norm(dim=-1)
        return torch.cat([torch.full_like(steps[:, :1], torch.inf), steps], 1)


class Answers:
    """A batch whose prompts have been read, and whose answers are read token by token.

    chosen: what the model does by itself.

    Args:
        prompt_depths: of the prompt's tokens, instead of what the model chooses.

    Raises:
        ValueError: a model with untied layers, whose tokens all need D iterations.
    """

    @torch.no_grad()
    def __init__(self, model: Anira, batch: Batch, prompt_depths: int | None = None):
        if model.config.min_depth > 1:
            raise ValueError("Untied layers give every token D iterations, so there is nothing to see after fewer. Take a model with one core.")
        self.model, self.device = model, next(model.parameters()).device
        self.chosen = read(model, batch)
        lengths = batch.answer_mask.sum(1)
        order = lengths.argsort(descending=True, stable=True)  # the cache serves its first slots: longest answers first
        self._order, self._lengths = order.to(self.device), lengths[order].to(self.device)
        self._tokens = batch.tokens[order, :-1].to(self.device)
        self._targets = batch.tokens[order, 1:].to(self.device)
        self._begin = batch.answer_mask[order].int().argmax(1).to(self.device) - 1  # the position that predicts the first answer token
        self._own = torch.from_numpy(self.chosen.own_depth)[order].to(self.device)
        self._depths = torch.zeros_like(self._own)
        self._context = model.decider.context(self._tokens)
        self._cache = Cache(model, *self._tokens.shape)
        self._rotation = model.rotation(self._tokens.shape[1])
        shape = (len(order), int(self._begin.max()))
        lines, columns = (torch.arange(shape[1], device=self.device) < self._begin[:, None]).nonzero(as_tuple=True)
        given = self._own[lines, columns] if prompt_depths is None else torch.full_like(lines, prompt_depths)
        self._packed(lines, columns, given, self._cache.prompts(shape, lines * shape[1] + columns))

    @torch.no_grad()
    def views(self) -> Iterator[View]:
        """One view for each place in the answer, the first place first. `settle` its tokens before the next is asked for."""
        for place in range(int(self._lengths.max())):
            count = int((self._lengths > place).sum())
            positions = self._begin[:count] + place
            logits, passed = [], []
            states: list[Tensor] = []
            with self.model.coda.attention_norm.register_forward_pre_hook(lambda layer, inputs, states=states: states.append(inputs[0].clone())):
                for depth in range(1, self.model.config.max_depth + 1):
                    output = self._newest(positions, torch.full_like(positions, depth))
                    logits.append(output.logits)
                    passed.append(output.exit_probs)
            targets = self._targets[torch.arange(count, device=self.device), positions]
            yield View(self._order[:count], positions, targets, torch.stack(logits, 1), torch.stack(states, 1), passed[-1].cumsum(-1))

    @torch.no_grad()
    def settle(self, view: View, depths: Tensor | None = None) -> None:
        """Give the view's tokens their depths (n,), by default what the model chooses by itself."""
        own = self._own[torch.arange(len(view.positions), device=self.device), view.positions]
        self._newest(view.positions, own if depths is None else depths)

    def spent(self) -> np.ndarray:
        """(B, T), column t being the position that reads token t, as `read` takes it: depths so far, 1 where there is none."""
        depths = torch.zeros_like(self._depths).index_copy_(0, self._order, self._depths)
        return depths.clamp(min=1).cpu().numpy()

    def _newest(self, positions: Tensor, depths: Tensor) -> Output:
        lines, longest = torch.arange(len(positions), device=self.device), int(positions.max()) + 1
        visible = torch.arange(longest, device=self.device) <= positions[:, None]
        mask = torch.zeros(visible.shape, dtype=self.model.unembedding.weight.dtype, device=self.device).masked_fill(~visible, -torch.inf)
        return self._packed(lines, positions, depths, self._cache.newest(positions, mask))

    def _packed(self, lines: Tensor, positions: Tensor, depths: Tensor, memories: dict) -> Output:
        self._depths[lines, positions] = depths
        context = None if self._context is None else self._context[lines, positions]
        return self.model.packed(self._tokens[lines, positions], self._rotation[positions], depths, NEVER, memories, context)


def readouts(model: Anira, task: Task, sizes: Iterable[int], n: int, seed: int, *, split: Split = "held_out") -> pd.DataFrame:
    """One row per answer token of `n` instances of each size and iteration 1..D.

    Args:
        split: which problems are drawn; "held_out" are those that no training sees.

    Returns:
        Columns of the token, the same in all its rows:

        - instance, size, position, place (0 is the first answer token), token
        - depth, expected_depth: what the model chose, where the token is predicted

        and of the iteration:

        - iteration: d
        - right: the correct token is the most probable one if this token alone gets d iterations
        - right_together: the same if all answer tokens get d iterations
        - said: the most probable token, by name
        - confidence: its probability
        - change: how far the iteration moved the state, as a share of its length; NaN for the first
        - passed: F(d)
    """
    sizes, frames = check_asked(model, task, n, sizes), []
    for number, size in enumerate(sizes):
        table = _readouts(model, task, draw(task, [size], n, seed, split=split))
        frames.append(table.assign(instance=table["instance"] + number * n, size=size))
    table = pd.concat(frames, ignore_index=True).sort_values(["instance", "position", "iteration"], ignore_index=True)
    head = ["instance", "size", "position", "place", "token"]
    return table[[*head, *(name for name in table if name not in head)]]


def _readouts(model: Anira, task: Task, instances: list[Instance]) -> pd.DataFrame:
    batch, depth = collate(instances), model.config.max_depth
    answers, frames = Answers(model, batch), []
    chosen = answers.chosen
    together = np.stack([read(model, batch, depths=chosen.with_depth(np.full_like(chosen.depth, d))).right for d in range(1, depth + 1)], -1)
    for place, view in enumerate(answers.views()):
        answers.settle(view)
        rows, at = view.rows.cpu().numpy(), view.positions.cpu().numpy() + 1
        token = {
            "instance": rows,
            "position": at,
            "place": place,
            "token": task.vocabulary.decode(view.targets.tolist()),
            "depth": chosen.depth[rows, at],
            "expected_depth": chosen.expected_depth[rows, at],
        }
        seen = {
            "right": view.right.cpu().numpy(),
            "right_together": together[rows, at],
            "said": view.said.cpu().numpy(),
            "confidence": view.confidence.cpu().numpy(),
            "change": view.change.where(view.change.isfinite(), torch.nan).cpu().numpy(),
            "passed": view.passed.cpu().numpy(),
        }
        frames += [pd.DataFrame({**token, "iteration": d + 1, **{name: values[:, d] for name, values in seen.items()}}) for d in range(depth)]
    table = pd.concat(frames, ignore_index=True)
    return table.assign(said=task.vocabulary.decode(table["said"].tolist()))
