"""ANIRA: prelude → one weight-shared core layer, iterated per token → coda → logits.

What is special about this model (paper, section 3):
- the core is one Llama-2 layer applied at most D times, h(d) = core(h(d-1)), starting at the prelude's state;
- every token, prompt tokens too, gets its own depth d* in 1..D, and the coda reads h(d*);
- a token that has halted passes through unchanged, h(d) = h(d-1), and stays visible to the others with the
  keys and values of its final state;
- the decider is the only thing that differs between the variants.

The dense execution, below, is the reference: it computes every token at every iteration and masks the update.
The sparse one (`anira.model.sparse`) computes active tokens only, and is equal to it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from anira.model.deciders import (
    DECIDERS,
    NEVER,
    UNTIED,
    GivenRun,
    Looking,
    Run,
    Sample,
    Select,
    check_depths,
    check_rule,
    depth_by_rule,
    expected_depth,
    variants,
)
from anira.model.layers import Layer, rotary
from anira.model.sparse import Grid, Memory, iterate, once
from anira.model.watching import Iteration


@dataclass(frozen=True)
class Config:
    """Everything that determines the model's shape.

    vocabulary: token count V.
    decider: name of a registered decider, "early", "online" or "fixed" among others.
    max_depth: D.
    width, hidden, heads: of the Llama-2 layers.
    decider_hidden: inner width of the decider, 4·width in the paper (6.5 for MANO).
    max_length: longest sequence accepted, in tokens.
    untied: whether the iterations are D layers of their own instead of one core that is iterated. There is then nothing
        to decide: the decider is "fixed".
    answer_token: id of the token with which an answer begins, for deciders that go by it.
    """

    vocabulary: int
    decider: str = "online"
    max_depth: int = 6
    width: int = 96
    hidden: int = 256
    heads: int = 4
    decider_hidden: int = 384
    max_length: int = 256
    untied: bool = False
    answer_token: int | None = None

    def __post_init__(self):
        if self.decider not in DECIDERS:
            raise ValueError(
                f"Unknown decider {self.decider!r}. Known: {', '.join(variants())}. One of your own is made known by anira.model.deciders.register."
            )
        if self.untied and DECIDERS[self.decider].decides:
            raise ValueError(f'Untied layers leave nothing to decide, so their decider is "fixed", received {self.decider!r}.')
        if self.width % (2 * self.heads):
            raise ValueError(f"width must be a multiple of 2·heads for rotary positions, received {self.width} and {self.heads} heads.")
        sizes = (self.vocabulary, self.max_depth, self.width, self.hidden, self.heads, self.decider_hidden, self.max_length)
        if min(sizes) < 1:
            raise ValueError(f"Every size must be at least 1, received {self}.")
        if self.answer_token is not None and not 0 <= self.answer_token < self.vocabulary:
            raise ValueError(f"answer_token is a token id in 0..{self.vocabulary - 1}, received {self.answer_token}.")

    @classmethod
    def of_variant(cls, variant: str, **fields) -> "Config":
        """The configuration of a variant, with the other fields as given.

        >>> Config.of_variant("untied", vocabulary=20) == Config(vocabulary=20, decider="fixed", untied=True)
        True
        """
        return cls(**fields, **({"decider": "fixed", "untied": True} if variant == UNTIED else {"decider": variant}))

    @property
    def variant(self) -> str:
        """What the model is called in tables and legends: the name of its decider, or "untied"."""
        return UNTIED if self.untied else self.decider

    @property
    def counted(self) -> bool:
        """Whether `anira.model.flops` knows what the layers cost."""
        return True

    @property
    def min_depth(self) -> int:
        """The least depth a token can be given: 1, and D where the layers are untied."""
        return self.max_depth if self.untied else 1


@dataclass(frozen=True)
class Output:
    """What a forward pass returns, in training and in evaluation.

    logits (B, T, V).
    depths (B, T) int64: iterations spent on each token, 1..D.
    exit_probs (B, T, D): the decider's distribution q over depths, in float32 at least.
    """

    logits: Tensor
    depths: Tensor
    exit_probs: Tensor

    @property
    def expected_depths(self) -> Tensor:
        """(B, T): the mean of each token's exit distribution, in iterations."""
        return expected_depth(self.exit_probs)


EXECUTIONS = ("dense", "sparse")
LAYERS = ("prelude", "core", "coda")


class Anira(nn.Module):
    """The recurrent Transformer with a decider.

    >>> model = Anira(Config(vocabulary=20))
    >>> output = model(torch.tensor([[1, 5, 6, 2]]))
    >>> output.logits.shape, output.depths.shape, output.exit_probs.shape
    (torch.Size([1, 4, 20]), torch.Size([1, 4]), torch.Size([1, 4, 6]))
    """

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        layer = (config.width, config.hidden, config.heads)
        self.embedding = nn.Embedding(config.vocabulary, config.width)
        self.prelude, self.core, self.coda = Layer(*layer), Layer(*layer), Layer(*layer)
        self.norm = nn.RMSNorm(config.width, eps=1e-5)
        self.unembedding = nn.Linear(config.width, config.vocabulary, bias=False)
        self.untied = nn.ModuleList(Layer(*layer) for _ in range(config.max_depth - 1 if config.untied else 0))  # after the core
        self.decider = DECIDERS[config.decider].of(config)

    def initialize(self, generator: torch.Generator) -> "Anira":
        """Draw all weights afresh as PyTorch does by default, then have the decider begin without an opinion.

        Matrices are uniform in ±1/√inputs, embeddings standard normal. The trunk is drawn before the
        decider, so one seed gives the same trunk under every decider; untied layers are drawn after it.
        """
        _draw(self, generator)
        self.decider.neutral()
        return self

    def with_decider(self, decider: str, generator: torch.Generator | None = None) -> "Anira":
        """A copy with the same weights but another decider, by its name.

        >>> Anira(Config(vocabulary=20)).with_decider("confident").config.decider
        'confident'

        Args:
            generator: draws the weights of a decider that learns, as `initialize` does; one that does not needs none.

        Raises:
            ValueError: an unknown decider, one that learns without a generator, untied layers.
        """
        other = Anira(replace(self.config, decider=decider))
        if other.decider.learns:
            if generator is None:
                raise ValueError(f"The decider {decider!r} has weights to learn, and thus to be drawn. Give a torch.Generator.")
            _draw(other.decider, generator)
        other.decider.neutral()
        other.to(self.unembedding.weight).load_state_dict({name: x for name, x in self.state_dict().items() if not name.startswith("decider.")}, strict=False)
        return other.train(self.training)

    def with_depth(self, max_depth: int) -> "Anira":
        """A copy with the same weights and another largest depth D.

        Raises:
            ValueError: weights that depend on D: of an early decider, which has a logit for each depth, or of untied layers.
        """
        self._check_depth(max_depth)
        other = Anira(replace(self.config, max_depth=max_depth)).to(self.unembedding.weight)
        other.load_state_dict(self.state_dict())
        return other.train(self.training)

    @property
    def any_depth(self) -> bool:
        """Whether no weights depend on D."""
        return self.decider.any_depth and not self.config.untied

    def _check_depth(self, max_depth: int) -> None:
        if not self.any_depth and max_depth != self.config.max_depth:
            raise ValueError(f"A model of the variant {self.config.variant!r} is made for {self.config.max_depth} iterations, {max_depth} asked.")

    @property
    def iterations(self) -> list[Layer]:
        """The layer that computes each iteration 1..D: the core, again and again, unless the layers are untied."""
        return [self.core, *self.untied] if self.untied else [self.core] * self.config.max_depth

    def forward(
        self,
        tokens: Tensor,
        depths: int | Tensor | None = None,
        select: Sample | str | float | None = None,
        *,
        lengths: Tensor | None = None,
        execution: str = "dense",
        on_iteration: Callable[[Iteration], None] | None = None,
    ) -> Output:
        """Run the model on tokens (B, T) int64; padding goes on the right.

        Args:
            depths: iterations to spend instead of the decider's choice: one number for all, or (B, T) int64.
            select: how a depth is taken from the exit distribution: "mode", "median", "mean", a threshold
                on F(d) in (0, 1], or a `Sample` in training. By default the decider's own rule (mode for
                early, median for online). Its `late_rules` (mode and mean for online) need the whole
                distribution, which it knows only after D iterations: the model then runs twice, once to D
                and once to the depths found.
            lengths: tokens without padding (B,) int64. The output is then zero at padding, depths included,
                and sparse execution spends nothing on it. Without it padding is computed like any token.
            execution: "dense" computes every token at every iteration, "sparse" only the active ones. Both
                return the same; a `Sample` whose gradient reaches halted tokens needs the dense one, and so does
                a decider that reads the answer.
            on_iteration: called after each iteration 1..D with what happened in it, an `Iteration`, the same in
                both executions. Where the model runs twice (late rules) it is told of the second run alone.

        A `Sample` draws anew at each call. For activation checkpointing wrap the layers, or a function that makes the
        `Sample` from a seed: the gradients are then those without.

        Raises:
            ValueError: tokens outside the vocabulary, too long a sequence, depths outside 1..D (other than D
                where layers are untied), lengths outside 0..T, unknown rule or execution, a `Sample` or a decider
                that reads the answer with sparse execution.
        """
        self.check_tokens(tokens, lengths)
        if execution not in EXECUTIONS:
            raise ValueError(f"An execution is one of {', '.join(EXECUTIONS)}, received {execution!r}.")
        if select is None:
            select = self.decider.default_rule
        elif not isinstance(select, Sample):
            select = check_rule(select)
        elif execution == "sparse" and depths is None:
            raise ValueError('The straight-through gradient of a Sample needs the update of halted tokens too. Use execution="dense", or give the depths.')
        if execution == "sparse":
            self.check_sparse()
        if depths is not None:
            select = NEVER
        elif select in self.decider.late_rules:
            common: dict[str, Any] = {"lengths": lengths, "execution": execution}
            whole = self.forward(tokens, depths=self.config.max_depth, **common).exit_probs
            chosen = self.forward(tokens, depths=depth_by_rule(whole, select), on_iteration=on_iteration, **common)
            return Output(chosen.logits, chosen.depths, whole)
        inside = None if lengths is None else torch.arange(tokens.shape[1], device=tokens.device) < lengths[:, None]  # (B, T)
        if depths is not None:
            depths = self._given(depths, tokens, inside)
        return (self._dense if execution == "dense" else self._sparse)(tokens, depths, select, inside, on_iteration)

    def trunk(self, tokens: Tensor) -> Tensor:
        """Logits (B, T, V) at full depth, without asking the decider and without checks: what training calls while nothing can halt."""
        h = self.prelude(self.embedding(tokens), rotation := self.rotation(tokens.shape[1]))
        for layer in self.iterations:
            h = layer(h, rotation)
        return self.readout(h, rotation)

    def readout(self, h: Tensor, rotation: Tensor) -> Tensor:
        """Logits (B, T, V) that the coda gives for states (B, T, E)."""
        return self.unembedding(self.norm(self.coda(h, rotation)))

    def start(self, h: Tensor, depths: Tensor | None, select: Select, context: Tensor | None) -> Run:
        """The decider's run over tokens with these states of the prelude, or one with these depths."""
        run: Run = self.decider.start(h, select) if context is None else self.decider.start(h, select, context)  # type: ignore[call-arg]
        return run if depths is None else GivenRun(run, depths)

    def _dense(self, tokens: Tensor, depths: Tensor | None, select: Select, inside: Tensor | None, watch: Callable[[Iteration], None] | None) -> Output:
        h = self.prelude(self.embedding(tokens), rotation := self.rotation(tokens.shape[1]))  # (B, T, E)
        run = self.start(h, depths, select, self.decider.context(tokens))
        for d, layer in enumerate(self.iterations, start=1):
            before, active = h, run.active(d)
            h = h + active[..., None].to(h.dtype) * (layer(h, rotation) - h)
            if self.decider.reads_answer and d < self.config.max_depth:
                cast(Looking, run).look(self.readout(h, rotation))
            run.observe(d, h)
            if watch is not None:
                watch(Iteration(d, active.bool(), h, run.exit_probs[..., :d], before, layer, rotation))
        output = Output(self.readout(h, rotation), run.depths, run.exit_probs)
        if inside is None:
            return output
        return Output(output.logits * inside[..., None], output.depths * inside, output.exit_probs * inside[..., None])

    def _sparse(self, tokens: Tensor, depths: Tensor | None, select: Select, inside: Tensor | None, watch: Callable[[Iteration], None] | None) -> Output:
        shape = B, T = tokens.shape
        cells = None if inside is None or inside.all() else inside.flatten().nonzero().squeeze(1)  # (N,)

        def pack(x: Tensor) -> Tensor:  # (B, T, …) → (N, …)
            return x.flatten(0, 1) if cells is None else x.flatten(0, 1).index_select(0, cells)

        def unpack(x: Tensor) -> Tensor:  # (N, …) → (B, T, …), zero at padding
            return (x if cells is None else x.new_zeros(B * T, *x.shape[1:]).index_copy(0, cells, x)).unflatten(0, shape)

        def tell(d: int, active: Tensor, states: Tensor, exit_probs: Tensor, before: Tensor) -> None:
            assert watch is not None
            active, states, exit_probs, before = (unpack(x.clone()) for x in (active, states, exit_probs, before))
            watch(Iteration(d, active, states, exit_probs, before, self.iterations[d - 1], table))

        table = self.rotation(shape[1])
        memories = {layer: Grid((B, T), cells) for layer in LAYERS}
        given, context = (None if x is None else pack(x) for x in (depths, self.decider.context(tokens)))
        output = self.packed(pack(tokens), pack(table.expand(*shape, -1)), given, select, memories, context, None if watch is None else tell)
        return Output(unpack(output.logits), unpack(output.depths), unpack(output.exit_probs))

    def packed(
        self,
        tokens: Tensor,
        rotation: Tensor,
        depths: Tensor | None,
        select: Select,
        memories: Mapping[str, Memory],
        context: Tensor | None = None,
        tell: Callable[..., None] | None = None,
    ) -> Output:
        """Sparse execution on tokens (N,) that lie packed; `rotation` (N, d/2) is that of their positions.

        depths: (N,), instead of the decider's choice.
        memories: what each of the layers "prelude", "core" and "coda" remembers of the tokens; it alone knows which of them
            see each other.
        context: (N, …), what the decider's `context` says of the tokens.
        tell: see `anira.model.sparse.iterate`.

        Nothing is checked. Returns an `Output` with one row per token: logits (N, V), depths (N,), exit_probs (N, D).
        """
        h = once(self.prelude, self.embedding(tokens), rotation, memories["prelude"])  # (N, E)
        run = self.start(h, depths, select, context)
        h = iterate(self.iterations, h, rotation, run, memories["core"], tell)
        h = once(self.coda, h, rotation, memories["coda"])
        return Output(self.unembedding(self.norm(h)), run.depths, run.exit_probs)

    def rotation(self, length: int) -> Tensor:
        """e^(i·angle) of the rotary angles at the positions 0..length-1; complex (length, d/2)."""
        weight = self.unembedding.weight
        return rotary(self.config.max_length, self.config.width // self.config.heads, weight.dtype, weight.device)[:length]

    def _given(self, depths: int | Tensor, tokens: Tensor, inside: Tensor | None) -> Tensor:
        depths = torch.as_tensor(depths, device=tokens.device)
        if depths.ndim and depths.shape != tokens.shape:
            raise ValueError(f"Given depths are one number, or one for each token, {tuple(tokens.shape)}; received shape {tuple(depths.shape)}.")
        depths = depths.expand(tokens.shape)
        if inside is not None:
            depths = depths.where(inside, self.config.min_depth)
        return check_depths(depths, self.config.max_depth, self.config.min_depth)

    def check_sparse(self) -> None:
        """`ValueError` if the decider needs dense execution."""
        if self.decider.reads_answer:
            raise ValueError(
                f"The decider {self.config.decider!r} reads the answer that the model would give after each iteration, and for that the coda must see all "
                'tokens: there is neither sparse execution nor decoding with a cache. Use execution="dense" on whole sequences.'
            )

    def check_tokens(self, tokens: Tensor, lengths: Tensor | None = None) -> None:
        """`ValueError` unless these tokens (B, T) of these lengths (B,) are what the model takes."""
        if tokens.ndim != 2 or tokens.is_floating_point():
            raise ValueError(f"tokens must be integers of shape (batch, tokens), received {tokens.dtype} of shape {tuple(tokens.shape)}.")
        if tokens.shape[1] > self.config.max_length:
            raise ValueError(
                f"This model takes sequences of at most {self.config.max_length} tokens, received {tokens.shape[1]}. Train with a larger max_length, or shorten the input."
            )
        if tokens.numel() and not (0 <= tokens.min() and tokens.max() < self.config.vocabulary):
            raise ValueError(f"Token ids must lie in 0..{self.config.vocabulary - 1}, received {tokens.min()} to {tokens.max()}.")
        if lengths is None:
            return
        whole = isinstance(lengths, Tensor) and not (lengths.is_floating_point() or lengths.is_complex() or lengths.dtype == torch.bool)
        if not whole or lengths.shape != tokens.shape[:1] or (lengths.numel() and not 0 <= lengths.min() <= lengths.max() <= tokens.shape[1]):
            raise ValueError(f"lengths must be a tensor (batch,) of whole numbers of tokens in 0..{tokens.shape[1]}, received {lengths}.")


def _draw(module: nn.Module, generator: torch.Generator) -> None:
    for part in module.modules():
        if isinstance(part, nn.Linear):
            bound = part.in_features**-0.5
            nn.init.uniform_(part.weight, -bound, bound, generator=generator)
        elif isinstance(part, nn.Embedding):
            nn.init.normal_(part.weight, generator=generator)
