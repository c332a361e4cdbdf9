"""Generation, greedy or sampled, with a cache indexed by depth.

A token shows iteration d its state h(min(d-1, d*)), so its keys and values in the core differ from one
iteration to the next until it halts. The cache holds one level for each iteration; a halted token's final
entry is written into every later level at once, so that iteration d reads level d and nothing needs to be
looked up. It thus holds D entries for a token, as many as fixed full depth does, of which d* + 1 differ at most.

Each new token runs to its own depth. Sequences that have ended leave the batch: the last live one moves to
their place, so the live ones are always the first. Equal to a full forward pass over the same tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from anira.model.anira import LAYERS, Anira, Output
from anira.model.deciders import NEVER, Rule, check_depths, check_rule, depth_by_rule
from anira.model.sparse import Grid, Memory


@dataclass(frozen=True)
class Sampling:
    """Draw each token from what the model says, instead of taking the most probable one.

    generator: the source of the draws, of the model's device or of the CPU. One number a live sequence and step is taken
        from it, in the order of the prompts.
    temperature: above 0; the logits are divided by it.
    top_k: only the k most probable tokens are drawn; all if None.
    """

    generator: torch.Generator
    temperature: float = 1.0
    top_k: int | None = None

    def __post_init__(self):
        if not self.temperature > 0:
            raise ValueError(f"The temperature is above 0, received {self.temperature}. For the most probable token leave sampling out.")
        if self.top_k is not None and self.top_k < 1:
            raise ValueError(f"top_k is at least 1, received {self.top_k}.")

    def draw(self, logits: Tensor) -> Tensor:
        """One token (n,) for each row of logits (n, V)."""
        logits = logits.float() / self.temperature
        if self.top_k is not None and self.top_k < logits.shape[-1]:
            order = logits.argsort(dim=-1, descending=True, stable=True)
            logits = logits.scatter(-1, order[:, self.top_k :], -torch.inf)
        limits = torch.rand(len(logits), 1, generator=self.generator, device=self.generator.device).to(logits.device)
        reached = logits.softmax(-1).cumsum(-1)
        return (reached <= limits * reached[:, -1:]).sum(-1).clamp(max=logits.shape[-1] - 1)


class Generated(NamedTuple):
    """A prompt's continuation.

    tokens (G,): what was generated, `end_token` included when it was reached.
    output: of one row over prompt and answer but for its last token: position i predicts token i + 1.
    cut: whether it ended because the model takes no longer sequences.
    """

    tokens: Tensor
    output: Output
    cut: bool


def generate(
    model: Anira,
    prompt: Tensor,
    *,
    end_token: int | None,
    max_new_tokens: int,
    depths: int | Tensor | None = None,
    select: Rule | None = None,
    sampling: Sampling | None = None,
) -> Generated:
    """Continue one prompt (T,) int64: `generate_batch` for a single prompt; depths may be (T',)."""
    if isinstance(depths, Tensor) and depths.ndim:
        depths = depths[None]
    return generate_batch(model, [prompt], end_token=end_token, max_new_tokens=max_new_tokens, depths=depths, select=select, sampling=sampling)[0]


@torch.no_grad()
def generate_batch(
    model: Anira,
    prompts: Sequence[Tensor],
    *,
    end_token: int | None,
    max_new_tokens: int,
    depths: int | Tensor | None = None,
    select: Rule | None = None,
    sampling: Sampling | None = None,
) -> list[Generated]:
    """Continue prompts of any lengths, all at once.

    Args:
        prompts: one (T,) int64 each, not empty.
        end_token: stop a sequence after this token; None to generate exactly `max_new_tokens`.
        max_new_tokens: upper bound on the tokens generated for each prompt, at least 1.
        depths: iterations to spend instead of the decider's choice: one number for all, or (prompts, T')
            int64 for every position that the model will read, prompt and answer.
        select: a stopping rule, as in `Anira.forward`.
        sampling: how tokens are drawn; by default each is the most probable one.

    Returns:
        What each prompt is continued by. A sequence that has filled the model's `max_length` ends there, and says so.

    Raises:
        ValueError: an empty prompt or none, one that is too long, tokens outside the vocabulary, depths outside
            1..D, an unknown rule, or a decider that reads the answer (see `Decider`).
    """
    writer = Writer(model, prompts, max_new_tokens, depths, model.decider.default_rule if select is None else check_rule(select), sampling)
    answers: list[list[int]] = [[] for _ in prompts]
    cut = [False] * len(prompts)
    live = list(range(len(prompts)))  # the prompt in each slot of the cache
    following = writer.read_prompts()
    while True:
        for slot in reversed(range(len(live))):
            answer = answers[live[slot]]
            answer.append(following[slot])
            full = len(prompts[live[slot]]) + len(answer) > model.config.max_length  # the newest token cannot be read
            if answer[-1] == end_token or len(answer) == max_new_tokens or full:
                cut[live[slot]] = full and answer[-1] != end_token and len(answer) < max_new_tokens
                writer.leave(slot, len(live) - 1)
                following[slot], live[slot] = following[-1], live[-1]
                following.pop()
                live.pop()
        if not live:
            break
        following = writer.read_next(following, live)
    return [
        Generated(torch.tensor(answer, device=writer.device), writer.output(i, len(prompts[i]) + len(answer) - 1), cut[i]) for i, answer in enumerate(answers)
    ]


class Writer:
    """A batch of sequences under way: what has been read of each, and what the model said to it."""

    def __init__(
        self,
        model: Anira,
        prompts: Sequence[Tensor],
        max_new_tokens: int,
        depths: int | Tensor | None,
        select: Rule,
        sampling: Sampling | None,
    ):
        if not len(prompts) or min(len(prompt) for prompt in prompts) < 1 or max_new_tokens < 1:
            raise ValueError("Generation takes at least one prompt, none of them empty, and max_new_tokens of at least 1.")
        config, self.device = model.config, model.unembedding.weight.device
        model.check_sparse()
        self._model, self._select, self._sampling = model, select, sampling
        self._lengths = torch.tensor([len(prompt) for prompt in prompts], device=self.device)  # tokens read, per slot
        self._longest = int(self._lengths.max())
        self._tokens = torch.nn.utils.rnn.pad_sequence([prompt.to(self.device) for prompt in prompts], batch_first=True)
        model.check_tokens(self._tokens, self._lengths)
        self._capacity = min(self._longest + max_new_tokens - 1, config.max_length)
        self._depths = None if depths is None else self._given(torch.as_tensor(depths, device=self.device))
        # where the whole distribution is known only after D iterations, a second cache holds the pass that finds it
        late = depths is None and select in model.decider.late_rules
        self._probe = Cache(model, len(prompts), self._capacity) if late else None
        self._running_rule = NEVER if late or depths is not None else select
        self._cache = Cache(model, len(prompts), self._capacity)
        self._rotation = model.rotation(self._capacity)
        self._read_so_far = F.pad(self._tokens, (0, self._capacity - self._longest))  # (prompts, capacity), in the order of the prompts
        shape, dtype = (len(prompts), self._capacity), computing_type(model)
        self._logits = torch.zeros(*shape, config.vocabulary, dtype=dtype, device=self.device)
        self._spent = torch.zeros(shape, dtype=torch.long, device=self.device)
        self._exit_probs = torch.zeros(*shape, config.max_depth, dtype=torch.promote_types(dtype, torch.float32), device=self.device)

    def _given(self, depths: Tensor) -> Tensor:
        shape = (len(self._lengths), self._capacity)
        if depths.ndim and (depths.ndim != 2 or depths.shape[0] != shape[0] or depths.shape[1] < shape[1]):
            raise ValueError(
                f"Given depths are one number, or one for each of {shape[0]} sequences and {shape[1]} positions, received shape {tuple(depths.shape)}."
            )
        config = self._model.config
        return check_depths(depths if depths.ndim else depths.expand(shape), config.max_depth, config.min_depth)

    def read_prompts(self) -> list[int]:
        """Read all prompts; returns the token that follows each."""
        positions = torch.arange(self._longest, device=self.device).expand(self._tokens.shape)
        lines, columns = (positions < self._lengths[:, None]).nonzero(as_tuple=True)
        cells = lines * self._longest + columns
        self._read(self._tokens[lines, columns], lines, columns, lambda cache: cache.prompts(self._tokens.shape, cells))
        return self._choose(self._logits[torch.arange(len(self._lengths), device=self.device), self._lengths - 1], range(len(self._lengths)))

    def read_next(self, tokens: list[int], live: list[int]) -> list[int]:
        """Read one more token of each live sequence; returns the token that follows each."""
        positions, self._longest = self._lengths[: len(live)], int(self._lengths[: len(live)].max()) + 1
        visible = torch.arange(self._longest, device=self.device) <= positions[:, None]
        mask = torch.zeros(visible.shape, dtype=self._logits.dtype, device=self.device).masked_fill(~visible, -torch.inf)
        lines, read = torch.tensor(live, device=self.device), torch.tensor(tokens, device=self.device)
        self._read_so_far[lines, positions] = read
        logits = self._read(read, lines, positions, lambda cache: cache.newest(positions, mask))
        self._lengths[: len(live)] += 1
        return self._choose(logits, live)

    def _choose(self, logits: Tensor, lines: Sequence[int]) -> list[int]:
        """The token that follows in each slot, given what the model says there (n, V) and the prompts there."""
        if self._sampling is None:
            return logits.argmax(-1).tolist()
        order = torch.tensor(lines, device=self.device).argsort()
        drawn = torch.empty_like(order)
        drawn[order] = self._sampling.draw(logits[order])
        return drawn.tolist()

    def _read(self, tokens: Tensor, lines: Tensor, positions: Tensor, memories) -> Tensor:
        rotation = self._rotation.index_select(0, positions)
        depths, exit_probs = None if self._depths is None else self._depths[lines, positions], None
        context = self._model.decider.context(self._read_so_far[:, : self._longest])
        if context is not None:
            context = context[lines, positions]
        if self._probe is not None:
            deepest = torch.full_like(tokens, self._model.config.max_depth)
            exit_probs = self._model.packed(tokens, rotation, deepest, self._running_rule, memories(self._probe), context).exit_probs
            depths = depth_by_rule(exit_probs, self._select)
        output = self._model.packed(tokens, rotation, depths, self._running_rule, memories(self._cache), context)
        self._logits[lines, positions], self._spent[lines, positions] = output.logits, output.depths
        self._exit_probs[lines, positions] = output.exit_probs if exit_probs is None else exit_probs
        return output.logits

    def leave(self, slot: int, last: int) -> None:
        """Give up a slot: the sequence in the slot `last` moves there."""
        self._lengths[slot] = self._lengths[last]
        for cache in (self._cache, self._probe):
            if cache is not None and slot != last:
                cache.move(last, slot, int(self._lengths[slot]))

    def output(self, prompt: int, length: int) -> Output:
        """What the model said while it read the first `length` tokens of a prompt's sequence, as a batch of one."""
        return Output(*(x[prompt : prompt + 1, :length] for x in (self._logits, self._spent, self._exit_probs)))


def computing_type(model: Anira) -> torch.dtype:
    """The type of what the model's matrices give: autocast's where it is on, else the weights'."""
    weight = model.unembedding.weight
    return torch.get_autocast_dtype(weight.device.type) if torch.is_autocast_enabled(weight.device.type) else weight.dtype


class Cache:
    """Keys and values of all layers for a number of slots, each with room for `capacity` tokens.

    Levels: 0 is the prelude's, d = 1..D the core's at iteration d, D + 1 the coda's.
    """

    def __init__(self, model: Anira, slots: int, capacity: int):
        config, weight = model.config, model.unembedding.weight
        shape = (config.max_depth + 2, slots, capacity, config.heads, config.width // config.heads)
        self._keys, self._values = (torch.zeros(shape, dtype=computing_type(model), device=weight.device) for _ in range(2))
        self._ranges = dict(zip(LAYERS, ((0, 0), (1, config.max_depth), (config.max_depth + 1, config.max_depth + 1)), strict=True))

    @property
    def nbytes(self) -> int:
        """Bytes of memory held, whether or not a slot is in use."""
        return self._keys.nbytes + self._values.nbytes

    def write(self, levels: slice, slots: Tensor, positions: Tensor, keys: Tensor, values: Tensor) -> None:
        """Put keys and values (n, H, d) at the given slots and positions (n,), the same on each level."""
        self._keys[levels, slots, positions], self._values[levels, slots, positions] = keys, values

    def level(self, level: int, slots: int, length: int) -> tuple[Tensor, Tensor]:
        """Keys and values of the first slots and positions on one level, each (slots, length, H, d)."""
        return self._keys[level, :slots, :length], self._values[level, :slots, :length]

    def move(self, source: int, target: int, length: int) -> None:
        """Copy the first `length` tokens of a slot to another."""
        for x in (self._keys, self._values):
            x[:, target, :length] = x[:, source, :length]

    def prompts(self, shape: tuple[int, int], cells: Tensor) -> dict[str, Memory]:
        """The layers' memories while whole prompts, packed from a grid (B, T), are read."""
        return {layer: Recorded(shape, cells, self, levels) for layer, levels in self._ranges.items()}

    def newest(self, positions: Tensor, mask: Tensor) -> dict[str, Memory]:
        """The layers' memories while each of the first slots reads one token at its position (n,).

        mask (n, T): 0 where that token sees a position, -∞ elsewhere.
        """
        slots = torch.arange(len(positions), device=positions.device)
        return {layer: Newest(self, levels, slots, positions, mask) for layer, levels in self._ranges.items()}


def _levels(levels: tuple[int, int], d: int) -> slice:
    """The levels that read what a layer with these first and last levels writes in iteration d.

    From the second iteration on that is its own level and all later ones: the token may have halted.
    In the first no token has, and the second writes them all again.
    """
    first, last = levels
    return slice(first + d - 1, first + 1 if d == 1 else last + 1)


class Recorded(Grid):
    """The memory of a grid that also fills a cache, slot b for line b."""

    lasting = True

    def __init__(self, shape: tuple[int, int], cells: Tensor, cache: Cache, levels: tuple[int, int]):
        super().__init__(shape, cells)
        self._cache, self._levels, self._slots, self._positions = cache, levels, cells // shape[1], cells % shape[1]

    def write(self, d: int, rows: Tensor | None, keys: Tensor, values: Tensor) -> None:
        super().write(d, rows, keys, values)
        slots, positions = (x if rows is None else x[rows] for x in (self._slots, self._positions))
        self._cache.write(_levels(self._levels, d), slots, positions, keys, values)


class Newest:
    """The memory of one new token in each of the first slots."""

    lasting = True

    def __init__(self, cache: Cache, levels: tuple[int, int], slots: Tensor, positions: Tensor, mask: Tensor):
        self._cache, self._levels, self._slots, self._positions, self._mask = cache, levels, slots, positions, mask

    def write(self, d: int, rows: Tensor | None, keys: Tensor, values: Tensor) -> None:
        slots, positions = (self._slots, self._positions) if rows is None else (rows, self._positions[rows])
        self._cache.write(_levels(self._levels, d), slots, positions, keys, values)

    def read(self, d: int, rows: Tensor | None, queries: Tensor) -> Tensor:
        keys, values = self._cache.level(self._levels[0] + d - 1, *self._mask.shape)
        mask = self._mask
        if rows is not None:
            keys, values, mask = (x.index_select(0, rows) for x in (keys, values, mask))
        y = F.scaled_dot_product_attention(queries[:, :, None], keys.transpose(1, 2), values.transpose(1, 2), attn_mask=mask[:, None, None])
        return y.flatten(1)  # (n, H, 1, d) → (n, E)
