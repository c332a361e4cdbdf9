"""To look on while a model computes: each iteration as it happens, and what the model would answer after it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from anira.model.layers import Layer

if TYPE_CHECKING:
    from anira.model.anira import Anira
    from anira.model.deciders import Rule


@dataclass(frozen=True)
class Iteration:
    """What `Anira.forward` tells `on_iteration` after iteration d. At padding that `lengths` names nothing is meant by it.

    d: 1..D.
    active (B, T) bool: the tokens that this iteration has computed; the others have halted before.
    state (B, T, E): h(d), of halted tokens their final one.
    exit_probs (B, T, d): q(1)..q(d).
    before (B, T, E): h(d-1).
    layer, rotation: what computed it, at which positions.
    """

    d: int
    active: Tensor
    state: Tensor
    exit_probs: Tensor
    before: Tensor
    layer: Layer
    rotation: Tensor

    @property
    def halting(self) -> Tensor:
        """(B, T): the halting probability α(d) = q(d) / (1 - F(d-1)), of those that have not halted before; 0 where there are none."""
        going = 1 - self.exit_probs[..., :-1].sum(-1)
        return torch.where(going > 0, self.exit_probs[..., -1] / going, 0).clamp(0, 1)

    def keys_values(self) -> tuple[Tensor, Tensor]:
        """The keys and values, each (B, T, H, d), that the iteration's queries have seen: those of h(d-1)."""
        shape = self.before.shape[:-1]
        keys, values = self.layer.attention.keys_values(self.layer.attention_norm(self.before).flatten(0, 1), self.rotation.repeat(shape[0], 1))
        return keys.unflatten(0, shape), values.unflatten(0, shape)


@torch.no_grad()
def answers_over_depth(
    model: "Anira", tokens: Tensor, depths: int | Tensor | None = None, select: "Rule | None" = None, *, lengths: Tensor | None = None
) -> Tensor:
    """What the model would say if it were stopped after iteration d, for every d: logits (D, B, T, V).

    Entry d - 1 is what a pass gives in which each token has its own depth or d, whichever is less. Own depths are the decider's;
    with `depths=D` no token halts before. Other arguments as in `Anira.forward`.

    >>> from anira.model.anira import Anira, Config
    >>> answers_over_depth(Anira(Config(vocabulary=20)), torch.tensor([[1, 5, 6]])).shape
    torch.Size([6, 1, 3, 20])
    """
    states: list[Tensor] = []
    model(tokens, depths, select, lengths=lengths, on_iteration=lambda iteration: states.append(iteration.state))
    rotation = model.rotation(tokens.shape[1])
    logits = torch.stack([model.readout(state, rotation) for state in states])
    if lengths is None:
        return logits
    return logits * (torch.arange(tokens.shape[1], device=tokens.device) < lengths[:, None])[..., None]
