"""What a forward pass costs: operations and cache bytes, counted exactly, component by component.

Counted are the products of matrices, a multiplication and an addition as two operations, as
`torch.utils.flop_counter` does; norms, rotations and activations are left out. Three counts:

- `token_cost`: the least that one token of a given depth needs. Depth/D is no speed-up: prelude, coda,
  decider and unembedding are paid at any depth, and a halted token's final state is projected once more.
- `dense_cost`, `sparse_cost`: what the two executions compute, masked pairs and filled-up slots included.

Symbols: E width, F hidden width of the feed-forward block, D maximum depth, V vocabulary, B batch, T tokens.
"""

from dataclasses import dataclass, fields
from typing import Generic, TypeVar

import torch
from torch import Tensor

from anira.model.anira import Config
from anira.model.deciders import DECIDERS
from anira.model.layers import layer_operations, pair_operations

Count = TypeVar("Count", int, Tensor)  # a number, or one for each of several tokens (int64)


@dataclass(frozen=True)
class Cost(Generic[Count]):
    """Operations by component.

    prelude, core, coda: products with the layer's weights · attention: products of queries with keys and of
    weights with values, in all three layers · decider: all its decisions, and what it looks at for them · unembedding.
    """

    prelude: Count
    core: Count
    attention: Count
    coda: Count
    decider: Count
    unembedding: Count

    @property
    def total(self) -> Count:
        """All components together."""
        return sum(getattr(self, field.name) for field in fields(self))

    def summed(self) -> "Cost[int]":
        """The sum over tokens, as plain numbers."""
        return Cost(**{field.name: int(torch.as_tensor(getattr(self, field.name)).sum()) for field in fields(self)})


@dataclass(frozen=True)
class CacheBytes(Generic[Count]):
    """Bytes of keys and values for one token: prelude, core, coda.

    core: the entries that differ, one for each state 0..min(d*, D-1) · core_held: those that the cache of
    `anira.model.decoding` holds, one for each iteration.
    """

    prelude: int
    core: Count
    core_held: int
    coda: int


def cache_bytes(config: Config, depths: Count, bytes_per_number: int = 4) -> CacheBytes[Count]:
    """Cache bytes of tokens of the given depths, 1..D; 4 bytes a number in float32."""
    entry = 2 * config.width * bytes_per_number
    return CacheBytes(entry, entry * _entries(config, depths), entry * config.max_depth, entry)


def token_cost(config: Config, depths: Tensor, contexts: Tensor, entries: Tensor | None = None) -> Cost[Tensor]:
    """The least operations for tokens of the given depths (1..D), each alone.

    contexts: tokens that each attends to, itself included. entries: states of each whose keys and values are
    needed; by default all that a cache must keep, min(d*+1, D). All int64 of one shape; so are the counts.
    """
    check_counted(config)
    once, state, iteration = layer_operations(config.width, config.hidden)
    entries = _entries(config, depths) if entries is None else entries
    everywhere = torch.ones_like(depths)
    return Cost(
        prelude=once * everywhere,
        core=state * entries + iteration * depths,
        attention=pair_operations(config.width) * contexts * (depths + 2),
        coda=once * everywhere,
        decider=DECIDERS[config.decider].operations(config, depths, contexts),
        unembedding=2 * config.width * config.vocabulary * everywhere,
    )


def dense_cost(config: Config, batch: int, length: int) -> Cost[int]:
    """What dense execution computes for (batch, length) tokens, padding included: every pair, at every depth."""
    check_counted(config)
    tokens, pairs, D = batch * length, batch * length * length, config.max_depth
    once = layer_operations(config.width, config.hidden)[0] * tokens
    decider = int(DECIDERS[config.decider].operations(config, torch.tensor([D]), torch.tensor([length])).sum()) * tokens
    unembedding = 2 * config.width * config.vocabulary * tokens
    return Cost(once, once * D, pair_operations(config.width) * pairs * (D + 2), once, decider, unembedding)


def sparse_cost(config: Config, depths: Tensor) -> Cost[int]:
    """What sparse execution computes for tokens (B, T) of the given depths, 0 at padding that `lengths` names."""
    check_counted(config)
    (B, T), (once, state, iteration) = depths.shape, layer_operations(config.width, config.hidden)
    tokens, deepest = int((depths > 0).sum()), int(depths.max()) if depths.numel() else 0
    contexts = torch.arange(1, T + 1, device=depths.device).expand(B, T)
    active = [int((depths >= d).sum()) for d in range(1, deepest + 1)]
    widest = [int((depths >= d).sum(1).max()) for d in range(1, deepest + 1)]  # queries in the line that has most
    pairs = sum(B * T * (T if count == tokens else width) for count, width in zip(active, widest, strict=True))
    return Cost(
        prelude=once * tokens,
        core=sum(state * before + iteration * count for before, count in zip([tokens, *active], active, strict=False)),
        attention=pair_operations(config.width) * (2 * B * T * T + pairs),
        coda=once * tokens,
        decider=int(DECIDERS[config.decider].operations(config, depths, contexts).sum()),
        unembedding=2 * config.width * config.vocabulary * tokens,
    )


def ideal_speed_up(config: Config, depths: Tensor) -> float:
    """How much faster a pass over tokens (B, T) of these depths (0 at padding) is than one at full depth, if time were operations.

    Both sides are the least possible: no pair beyond the causal ones, a final state projected only where a
    later token of the line still iterates to see it.
    """
    B, T = depths.shape
    contexts = torch.arange(1, T + 1, device=depths.device).expand(B, T)
    deepest_to_come = depths.flip(1).cummax(1).values.flip(1)
    entries = torch.minimum(depths + 1, deepest_to_come)
    inside = depths > 0
    full = torch.full_like(depths, config.max_depth)[inside]
    spent = token_cost(config, depths[inside], contexts[inside], entries[inside]).summed().total
    return token_cost(config, full, contexts[inside]).summed().total / spent


def check_counted(config: Config) -> None:
    """`ValueError` for layers whose operations are not known here."""
    if not config.counted:
        raise ValueError("The operations of a pretrained model's layers are not counted. Count iterations instead.")


def _entries(config: Config, depths: Count) -> Count:
    return (depths + 1).clamp(max=config.max_depth) if isinstance(depths, Tensor) else min(depths + 1, config.max_depth)
