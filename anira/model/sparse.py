"""Sparse execution: each iteration computes the tokens that are still active, and only those.

Equal to the dense reference: the same depths, the same values up to rounding. The tokens that are not padding
lie packed, one row each, (N, E). Iteration d then

1. computes keys and values of the tokens whose state changed in iteration d-1: what the others see of a token
   is h(min(d-1, d*)), so a halted token's final state is projected once and then stays;
2. drops the tokens that have halted;
3. computes queries, attention, feed-forward and the decider for the rest.

Where the depths are planned (early decider, given depths) tokens are sorted once, by depth, and step 2 cuts
a prefix. Where they are found on the way, step 2 gathers the tokens that go on.

Symbols: B batch, T tokens, N tokens without padding, n tokens of one step, E width, H heads, d = E / H.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from anira.model.deciders import Run
from anira.model.layers import Layer


class Memory(Protocol):
    """Keys and values of one layer, and how queries read them. `rows` None stands for all rows, in order.

    lasting: whether it is read again after the pass that fills it.
    """

    lasting: bool

    def write(self, d: int, rows: Tensor | None, keys: Tensor, values: Tensor) -> None:
        """Take in the keys and values (n, H, d) that the rows (n,) have from iteration d on."""
        ...

    def read(self, d: int, rows: Tensor | None, queries: Tensor) -> Tensor:
        """What the queries (n, H, d) of the rows (n,) attend to in iteration d, (n, E)."""
        ...


class Grid:
    """The memory of a whole batch: rows are the cells of a (B, T) grid, attention is causal within a line.

    cells (N,) int64: the places b·T + t of the rows, in rising order; None when every place is taken.
    """

    lasting = False
    _keys: Tensor  # (B·T, H, d), once written
    _values: Tensor

    def __init__(self, shape: tuple[int, int], cells: Tensor | None):
        self._shape, self._cells = shape, cells
        self._mask: Tensor | None = None

    def write(self, d: int, rows: Tensor | None, keys: Tensor, values: Tensor) -> None:
        if rows is None:
            self._keys, self._values = self._spread(keys), self._spread(values)
        else:
            places = self._places(rows)
            self._keys, self._values = _put(self._keys, places, keys), _put(self._values, places, values)

    def read(self, d: int, rows: Tensor | None, queries: Tensor) -> Tensor:
        keys, values = (self._heads(x) for x in (self._keys, self._values))
        if rows is None:
            y = F.scaled_dot_product_attention(self._heads(self._spread(queries)), keys, values, is_causal=True)
            y = y.transpose(1, 2).flatten(0, 1).flatten(1)  # (B·T, E)
            return y if self._cells is None else y.index_select(0, self._cells)
        slots, sources, positions = self._arrange(self._places(rows))
        mask = self._visible(queries).index_select(0, positions).view(self._shape[0], 1, -1, self._shape[1])  # (B, 1, w, T)
        q = queries.index_select(0, sources).unflatten(0, (self._shape[0], -1)).transpose(1, 2)  # (B, H, w, d)
        y = F.scaled_dot_product_attention(q, keys, values, attn_mask=mask)
        return y.transpose(1, 2).flatten(0, 1).flatten(1).index_select(0, slots)

    def _arrange(self, places: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries side by side, as many to a line of the batch as the line with most queries has (w).

        Returns for each query its slot in (B, w), and for each slot a query to fill it with and that query's position.
        """
        B, T = self._shape
        line, position = places // T, places % T
        present = torch.zeros(B * T, dtype=torch.long, device=places.device).index_fill_(0, places, 1).view(B, T)
        rank = present.cumsum(1)
        width = int(rank[:, -1].max())
        slots = line * width + rank.view(-1).index_select(0, places) - 1
        order = torch.arange(len(places), device=places.device)
        sources = torch.zeros(B * width, dtype=torch.long, device=places.device).index_copy_(0, slots, order)
        return slots, sources, position.index_select(0, sources)

    def _visible(self, like: Tensor) -> Tensor:
        """(T, T): 0 where a position is seen from another, -∞ elsewhere."""
        if self._mask is None:
            self._mask = like.new_full((self._shape[1], self._shape[1]), -torch.inf).triu(1)
        return self._mask

    def _places(self, rows: Tensor) -> Tensor:
        return rows if self._cells is None else self._cells.index_select(0, rows)

    def _spread(self, x: Tensor) -> Tensor:
        """(N, H, d) → (B·T, H, d), zero at padding."""
        if self._cells is None:
            return x
        return x.new_zeros(self._shape[0] * self._shape[1], *x.shape[1:]).index_copy(0, self._cells, x)

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(0, self._shape).transpose(1, 2)  # (B, H, T, d)


def once(layer: Layer, h: Tensor, rotation: Tensor, memory: Memory) -> Tensor:
    """One pass of a layer over all rows, h (N, E) → (N, E): prelude and coda."""
    queries, keys, values = layer.attention.queries_keys_values(layer.attention_norm(h), rotation)
    memory.write(1, None, keys, values)
    return layer.finish(h, memory.read(1, None, queries))


def iterate(layers: Sequence[Layer], h: Tensor, rotation: Tensor, run: Run, memory: Memory, tell: Callable[..., None] | None = None) -> Tensor:
    """The layer of each iteration, which is the core unless layers are untied, on every row as often as the run says: h(0) → h(d*), both (N, E).

    When the last row halts, its final keys and values are still written if the memory outlasts this pass. Without
    gradients the states are updated in place, h(0) among them.

    tell: called after each iteration with d, which rows it has computed (N,), all states h(d) (N, E), exit_probs (N, d), and all h(d-1).
    """
    queue = Queue(run, len(layers))
    states = h  # the latest of every row
    rows: Tensor | None = None  # the rows that `h` and `rotation` are about: those active in the iteration before; None for all, in order
    for d, core in enumerate(layers, start=1):
        if tell is not None:
            before, active = states.clone(), run.active(d)
        going, count = queue.next(d, rows, len(h))
        if count == len(h) > 0:
            queries, keys, values = core.attention.queries_keys_values(core.attention_norm(h), rotation)
            memory.write(d, rows, keys, values)
        elif len(h):
            if count or memory.lasting:
                x = core.attention_norm(h)
                memory.write(d, rows, *core.attention.keys_values(x, rotation))
            rows = cast(Tensor, going) if rows is None else _at(rows, going)
            h, rotation = _at(h, going), _at(rotation, going)
            if count:
                queries = core.attention.queries(_at(x, going), rotation)
        if count:
            h = core.finish(h, memory.read(d, rows, queries))
            states = h if rows is None else _put(states, rows, h)
        run.observe(d, h, rows)
        if tell is not None:
            tell(d, active, states, run.exit_probs[..., :d], before)
    return states


class Queue:
    """Which of the rows at hand go on: their places, a slice where they come first, and their number."""

    def __init__(self, run: Run, max_depth: int):
        self._run, self._sorted = run, False
        if run.planned:
            self._counts = run.depths.bincount(minlength=max_depth + 1).flip(0).cumsum(0).flip(0).tolist()  # that reach depth 0, 1, …, D

    def next(self, d: int, rows: Tensor | None, size: int) -> tuple[Tensor | slice, int]:
        """For iteration d, given the rows (size,) of the iteration before."""
        if not self._run.planned:
            going = _at(self._run.active(d), rows).nonzero().squeeze(1)
            return going, len(going)
        count = self._counts[d]
        if count == size or self._sorted:
            return slice(count), count
        self._sorted = True  # nothing has halted until now, so the rows are all rows, in order
        return self._run.depths.argsort(descending=True, stable=True)[:count], count


def _at(x: Tensor, places: Tensor | slice | None) -> Tensor:
    """The given rows of a tensor, None for all."""
    if places is None:
        return x
    return x[places] if isinstance(places, slice) else x.index_select(0, places)


def _put(x: Tensor, rows: Tensor, values: Tensor) -> Tensor:
    """The tensor with these values in the given rows, in place unless a backward pass needs what was there."""
    return x.index_copy(0, rows, values) if torch.is_grad_enabled() else x.index_copy_(0, rows, values)
