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

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from anira.model.deciders import DECIDERS, NEVER, UNTIED, GivenRun, Sample, Select, check_depths, check_rule, depth_by_rule, expected_depth, variants
from anira.model.layers import Layer, rotary
from anira.model.sparse import Grid, Memory, iterate, once


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

    def __post_init__(self):
        if self.decider not in DECIDERS:
            raise ValueError(
                f"Unknown decider {self.decider!r}. Known: {', '.join(variants())}. One of your own is made known by anira.model.deciders.register."
            )
        if self.untied and DECIDERS[self.decider].decides:
            raise ValueError(f'Untied layers leave nothing to decide, so their decider is "fixed", received {self.decider!r}.')
        if self.width % (2 * self.heads):
            raise ValueError(f"width must be a multiple of 2·heads for rotary positions, received {self.width} and {self.heads} heads.")
        if min(value for value in asdict(self).values() if isinstance(value, int) and not isinstance(value, bool)) < 1:
            raise ValueError(f"Every size must be at least 1, received {self}.")

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
    def min_depth(self) -> int:
        """The least depth a token can be given: 1, and D where the layers are untied."""
        return self.max_depth if self.untied else 1


@dataclass(frozen=True)
class Output:
    """What a forward pass returns, in training and in evaluation.

    logits (B, T, V) · depths (B, T) int64, iterations spent on each token, 1..D · exit_probs (B, T, D), the
    decider's distribution q over depths.
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
        self.decider = DECIDERS[config.decider](config.width, config.decider_hidden, config.max_depth)

    def initialize(self, generator: torch.Generator) -> "Anira":
        """Draw all weights afresh as PyTorch does by default, then have the decider begin without an opinion.

        Matrices are uniform in ±1/√inputs, embeddings standard normal. The trunk is drawn before the
        decider, so one seed gives the same trunk under every decider; untied layers are drawn after it.
        """
        for module in self.modules():
            if isinstance(module, nn.Linear):
                bound = module.in_features**-0.5
                nn.init.uniform_(module.weight, -bound, bound, generator=generator)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, generator=generator)
        self.decider.neutral()
        return self

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
                return the same; a `Sample` whose gradient reaches halted tokens needs the dense one.

        Raises:
            ValueError: tokens outside the vocabulary, too long a sequence, depths outside 1..D (other than D
                where layers are untied), lengths outside 0..T, unknown rule or execution, a `Sample` with
                sparse execution.
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
        if depths is not None:
            select = NEVER
        elif select in self.decider.late_rules:
            common = {"lengths": lengths, "execution": execution}
            whole = self.forward(tokens, depths=self.config.max_depth, **common).exit_probs
            chosen = self.forward(tokens, depths=depth_by_rule(whole, select), **common)
            return Output(chosen.logits, chosen.depths, whole)
        inside = None if lengths is None else torch.arange(tokens.shape[1], device=tokens.device) < lengths[:, None]  # (B, T)
        if depths is not None:
            depths = self._given(depths, tokens, inside)
        return (self._dense if execution == "dense" else self._sparse)(tokens, depths, select, inside)

    def trunk(self, tokens: Tensor) -> Tensor:
        """Logits (B, T, V) at full depth, without asking the decider and without checks: what training calls while nothing can halt."""
        h = self.prelude(self.embedding(tokens), rotation := self.rotation(torch.arange(tokens.shape[1], device=tokens.device)))
        for layer in self.iterations:
            h = layer(h, rotation)
        return self.unembedding(self.norm(self.coda(h, rotation)))

    def _dense(self, tokens: Tensor, depths: Tensor | None, select: Select, inside: Tensor | None) -> Output:
        h = self.prelude(self.embedding(tokens), rotation := self.rotation(torch.arange(tokens.shape[1], device=tokens.device)))  # (B, T, E)
        run = self.decider.start(h, select)
        if depths is not None:
            run = GivenRun(run, depths)
        for d, layer in enumerate(self.iterations, start=1):
            active = run.active(d)[..., None]
            h = h + active * (layer(h, rotation) - h)
            run.observe(d, h)
        output = Output(self.unembedding(self.norm(self.coda(h, rotation))), run.depths, run.exit_probs)
        if inside is None:
            return output
        return Output(output.logits * inside[..., None], output.depths * inside, output.exit_probs * inside[..., None])

    def _sparse(self, tokens: Tensor, depths: Tensor | None, select: Select, inside: Tensor | None) -> Output:
        shape = tokens.shape
        cells = None if inside is None or inside.all() else inside.flatten().nonzero().squeeze(1)  # (N,)

        def pack(x: Tensor) -> Tensor:  # (B, T, …) → (N, …)
            return x.flatten(0, 1) if cells is None else x.flatten(0, 1).index_select(0, cells)

        def unpack(x: Tensor) -> Tensor:  # (N, …) → (B, T, …), zero at padding
            return (x if cells is None else x.new_zeros(shape.numel(), *x.shape[1:]).index_copy(0, cells, x)).unflatten(0, shape)

        rotation = self.rotation(torch.arange(shape[1], device=tokens.device)).expand(*shape, -1)
        memories = {layer: Grid(shape, cells) for layer in LAYERS}
        output = self.packed(pack(tokens), pack(rotation), None if depths is None else pack(depths), select, memories)
        return Output(unpack(output.logits), unpack(output.depths), unpack(output.exit_probs))

    def packed(self, tokens: Tensor, rotation: Tensor, depths: Tensor | None, select: Select, memories: Mapping[str, Memory]) -> Output:
        """Sparse execution on tokens (N,) that lie packed; `rotation` (N, d/2) is that of their positions.

        depths: (N,), instead of the decider's choice. memories: what each of the layers "prelude", "core" and
        "coda" remembers of the tokens; it alone knows which of them see each other. Nothing is checked.
        Returns an `Output` with one row per token: logits (N, V), depths (N,), exit_probs (N, D).
        """
        h = once(self.prelude, self.embedding(tokens), rotation, memories["prelude"])  # (N, E)
        run = self.decider.start(h, select)
        if depths is not None:
            run = GivenRun(run, depths)
        h = iterate(self.iterations, h, rotation, run, memories["core"])
        h = once(self.coda, h, rotation, memories["coda"])
        return Output(self.unembedding(self.norm(h)), run.depths, run.exit_probs)

    def rotation(self, positions: Tensor) -> Tensor:
        """e^(i·angle) of the rotary angles at the given positions (T,), 0 being the first; complex (T, d/2)."""
        return rotary(positions, self.config.width // self.config.heads, self.unembedding.weight.dtype)

    def _given(self, depths: int | Tensor, tokens: Tensor, inside: Tensor | None) -> Tensor:
        depths = torch.as_tensor(depths, device=tokens.device).expand(tokens.shape)
        if inside is not None:
            depths = depths.where(inside, self.config.min_depth)
        return check_depths(depths, self.config.max_depth, self.config.min_depth)

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
        if lengths is not None and (lengths.shape != tokens.shape[:1] or lengths.min() < 0 or lengths.max() > tokens.shape[1]):
            raise ValueError(f"lengths must be (batch,) numbers of tokens in 0..{tokens.shape[1]}, received {lengths}.")
