"""Who decides how many iterations a token gets: the only part in which ANIRA's variants differ.

A decider turns states into an exit distribution q over the depths 1..D. `Early` reads the prelude's state
once; `Online` reads the state after every iteration; `Fixed` always spends D, and so does `Untied`, whose
iterations are layers of their own. Each has one method,

    decider.start(h, select) -> Run        run.active(d), run.observe(d, h), run.depths, run.exit_probs

and the model's loop asks the run which tokens still compute and shows it each new state. How a depth is
taken from q is the `Select`: a stopping rule, a sample with a straight-through gradient, or given depths.
A run is `planned` when its depths are known before the first iteration.

Shapes: B batch, T tokens, E width, D maximum depth. A run takes states in any arrangement (…, E): (B, T, E)
in the dense pass, (N, E) in the sparse one, where `observe(d, h, rows)` gets the states of some rows only.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

RULES = ("mode", "median", "mean")


def check_rule(rule: str | float) -> str | float:
    """The rule itself, or a `ValueError`: "mode", "median", "mean", or a threshold in (0, 1]."""
    if rule in RULES or (isinstance(rule, float) and 0 < rule <= 1):
        return rule
    raise ValueError(f"A stopping rule is one of {', '.join(RULES)} or a threshold in (0, 1] on F(d), received {rule!r}.")


def check_depths(depths: Tensor, max_depth: int, min_depth: int = 1) -> Tensor:
    """The depths themselves, or a `ValueError`: integers `min_depth` to `max_depth`."""
    if depths.is_floating_point() or (depths.numel() and not min_depth <= depths.min() <= depths.max() <= max_depth):
        raise ValueError(f"Given depths are integers {min_depth} to {max_depth}, received {depths.dtype} from {depths.min()} to {depths.max()}.")
    return depths


def depth_by_rule(exit_probs: Tensor, rule: str | float) -> Tensor:
    """The depth in 1..D that a stopping rule takes from exit distributions (…, D).

    "mode": the most probable depth. "mean": E[d], rounded. A threshold t: the smallest d with
    F(d) ≥ t; "median" is t = 0.5. F(D) counts as 1 whatever rounding says.
    """
    depth_count = exit_probs.shape[-1]
    if rule == "mode":
        return exit_probs.argmax(-1) + 1
    if rule == "mean":
        return expected_depth(exit_probs).round().long().clamp(1, depth_count)
    threshold = 0.5 if rule == "median" else rule
    return 1 + (exit_probs.cumsum(-1)[..., :-1] < threshold).sum(-1)


def expected_depth(exit_probs: Tensor) -> Tensor:
    """E[d] of exit distributions (…, D), in iterations."""
    return exit_probs @ torch.arange(1, exit_probs.shape[-1] + 1, dtype=exit_probs.dtype, device=exit_probs.device)


def straight_through(hard: Tensor, soft: Tensor) -> Tensor:
    """The value of `hard` (bool) with the gradient of `soft`."""
    return hard + (soft - soft.detach())


@dataclass(frozen=True)
class Sample:
    """Draw the depth from q and let gradients through (training).

    generator: the source of the noise. temperature: of the Gumbel-softmax, for `Early`.
    """

    generator: torch.Generator
    temperature: float = 1.0


Select = Sample | str | float  # how a depth is taken from q: a sample, or a stopping rule


def head(width: int, hidden: int, outputs: int) -> nn.Sequential:
    """LayerNorm → Linear without bias → SiLU → Linear with bias (paper, appendix A.4)."""
    return nn.Sequential(nn.LayerNorm(width), nn.Linear(width, hidden, bias=False), nn.SiLU(), nn.Linear(hidden, outputs))


class Early(nn.Module):
    """ANIRA-E: D logits from the prelude's state decide before the first iteration.

    Logits are centred before the softmax.
    """

    name = "early"
    default_rule = "mode"

    def __init__(self, width: int, hidden: int, max_depth: int):
        super().__init__()
        self.max_depth = max_depth
        self.head = head(width, hidden, max_depth)

    def deepen(self, deep_start: float) -> None:
        """Start with each further iteration e^deep_start times as probable as the one before."""
        with torch.no_grad():
            self.head[-1].bias.copy_(deep_start * torch.arange(self.max_depth))

    def start(self, h: Tensor, select: Select) -> "EarlyRun":
        logits = self.head(h)  # (B, T, D)
        logits = logits - logits.mean(-1, keepdim=True)
        exit_probs = logits.softmax(-1)
        if not isinstance(select, Sample):
            return EarlyRun(exit_probs, depth_by_rule(exit_probs, select))
        noise = torch.empty_like(logits).exponential_(generator=select.generator)
        soft = ((logits - noise.log()) / select.temperature).softmax(-1)
        depths = soft.argmax(-1) + 1
        return EarlyRun(exit_probs, depths, soft.flip(-1).cumsum(-1).flip(-1))  # Σ_{j≥d} soft_j


class EarlyRun:
    """Depths known in advance. `continuation` (B, T, D), if given, carries the straight-through gradient."""

    planned = True

    def __init__(self, exit_probs: Tensor, depths: Tensor, continuation: Tensor | None = None):
        self.exit_probs, self.depths, self._continuation = exit_probs, depths, continuation

    def active(self, d: int) -> Tensor:
        hard = self.depths >= d
        return hard if self._continuation is None else straight_through(hard, self._continuation[..., d - 1])

    def observe(self, d: int, h: Tensor, rows: Tensor | None = None) -> None:
        """Nothing to learn: the decision is made."""


class Online(nn.Module):
    """ANIRA-O: after each iteration a halting probability α(d) from the current state.

    Stick breaking makes it a distribution: q(d) = α(d) Π_{j<d} (1-α(j)), and the remainder falls on D.
    In training "continue past d" is F(d) < u forward and 1 - F(d) backward, with u uniform in (0, 1).
    """

    name = "online"
    default_rule = "median"

    def __init__(self, width: int, hidden: int, max_depth: int):
        super().__init__()
        self.max_depth = max_depth
        self.head = head(width, hidden, 1)

    def deepen(self, deep_start: float) -> None:
        """Start with one halting probability for all, such that depth D is as probable as for `Early`."""
        last = (deep_start * torch.arange(self.max_depth)).softmax(0)[-1]
        halt = 1 - last ** (1 / max(self.max_depth - 1, 1))
        with torch.no_grad():
            self.head[-1].bias.copy_(halt.logit())

    def start(self, h: Tensor, select: Select) -> "OnlineRun":
        if isinstance(select, Sample):
            threshold = torch.rand(h.shape[:-1], dtype=h.dtype, device=h.device, generator=select.generator)
        else:
            threshold = torch.full(h.shape[:-1], 0.5 if select == "median" else select, dtype=h.dtype, device=h.device)
        return OnlineRun(self.head, self.max_depth, threshold, gradient=isinstance(select, Sample))


class OnlineRun:
    """Depths found on the way: a token halts at the first d with F(d) ≥ its threshold (B, T)."""

    planned = False

    def __init__(self, head: nn.Module, max_depth: int, threshold: Tensor, *, gradient: bool):
        self._head, self._max_depth, self._threshold, self._gradient = head, max_depth, threshold, gradient
        self._survival = torch.ones_like(threshold)  # 1 - F(d)
        self._halted_mass = torch.zeros_like(threshold)  # F(d)
        self._halt = self._halted_mass  # α of each token's latest state
        self._probs: list[Tensor] = []
        self._running = torch.ones_like(threshold, dtype=torch.bool)
        self.depths = torch.zeros_like(threshold, dtype=torch.long)

    @property
    def exit_probs(self) -> Tensor:
        return torch.stack(self._probs, dim=-1)

    def active(self, d: int) -> Tensor:
        return straight_through(self._running, self._survival) if self._gradient else self._running

    def observe(self, d: int, h: Tensor, rows: Tensor | None = None) -> None:
        """Take in the states after iteration d: of all tokens, or of the tokens `rows` (n,), the rest unchanged."""
        self.depths += self._running
        if d == self._max_depth:
            self._probs.append(self._survival)
            return
        halt = self._head(h).squeeze(-1).sigmoid()  # α(d), (B, T)
        if rows is not None:
            halt = self._halt.index_copy(0, rows, halt)
        self._halt = halt
        self._probs.append(self._survival * halt)
        self._halted_mass = self._halted_mass + self._probs[-1]
        self._survival = self._survival * (1 - halt)
        self._running = self._running & (self._halted_mass.detach() < self._threshold)


class Fixed(nn.Module):
    """No decision: every token gets D iterations. The non-adaptive baseline."""

    name = "fixed"
    default_rule = "mode"

    def __init__(self, width: int, hidden: int, max_depth: int):
        super().__init__()
        self.max_depth = max_depth

    def deepen(self, deep_start: float) -> None:
        """Nothing to deepen."""

    def start(self, h: Tensor, select: Select) -> EarlyRun:
        depths = torch.full(h.shape[:-1], self.max_depth, device=h.device)
        return EarlyRun(F.one_hot(depths - 1, self.max_depth).to(h.dtype), depths)


class Untied(Fixed):
    """No decision, and no recurrence: each iteration has a layer of its own. The ordinary Transformer."""

    name = "untied"


class GivenRun:
    """A run whose depths come from outside; the decider is still asked for its exit distribution."""

    planned = True

    def __init__(self, run: EarlyRun | OnlineRun, depths: Tensor):
        self._run, self.depths = run, depths

    @property
    def exit_probs(self) -> Tensor:
        return self._run.exit_probs

    def active(self, d: int) -> Tensor:
        return self.depths >= d

    def observe(self, d: int, h: Tensor, rows: Tensor | None = None) -> None:
        self._run.observe(d, h, rows)


DECIDERS = {decider.name: decider for decider in (Early, Online, Fixed, Untied)}
