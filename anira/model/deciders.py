"""Who decides how many iterations a token gets: the only part in which ANIRA's variants differ.

A decider turns states into an exit distribution q over the depths 1..D:

    early       reads the prelude's state, once
    online      reads the state after every iteration
    hybrid      both: early's distribution, corrected after every iteration by what the state shows
    role        goes by whether a token belongs to the prompt or to the answer, and by nothing else
    fixed       does not decide: every token gets D iterations
    confident   learns nothing: halts when the answer that the model would give now is probable enough
    resting     learns nothing: halts when an iteration has changed the state little enough

Everything that others need to know of a decider stands on it (`Decider`), and nobody asks its name: a decider of your
own is registered and used like these,

    @register
    class Patient(Online):
        name = "patient"

How a depth is taken from q is the `Select`: a stopping rule, or a sample with a straight-through gradient.

Shapes: B batch, T tokens, E width, D maximum depth. A run takes states in any arrangement (…, E): (B, T, E)
in the dense pass, (N, E) in the sparse one.
"""

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Protocol, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from anira.model.layers import at_least_float32, layer_operations, pair_operations

if TYPE_CHECKING:
    from anira.model.anira import Config

RULES = ("mode", "median", "mean")
NEVER = 1.0  # the threshold on F(d) at which no token halts before it is sure: any rule will do where depths are given

Rule = str | float  # a stopping rule: one of `RULES`, or a threshold on F(d)


def check_rule(rule: object) -> Rule:
    """The rule itself, or a `ValueError`: "mode", "median", "mean", or a number in (0, 1], which comes back as a float."""
    if isinstance(rule, Tensor) and rule.ndim == 0:
        rule = rule.item()
    if isinstance(rule, str) and rule in RULES:
        return rule
    if isinstance(rule, Real) and not isinstance(rule, bool) and 0 < float(rule) <= 1:
        return float(rule)
    raise ValueError(f"A stopping rule is one of {', '.join(RULES)} or a threshold in (0, 1] on F(d), received {rule!r}.")


def check_depths(depths: Tensor, max_depth: int, min_depth: int = 1) -> Tensor:
    """The depths as int64, or a `ValueError`: integers `min_depth` to `max_depth`."""
    whole = not (depths.is_floating_point() or depths.is_complex() or depths.dtype == torch.bool)
    if not whole or (depths.numel() and not min_depth <= depths.min() <= depths.max() <= max_depth):
        extent = f" from {depths.min()} to {depths.max()}" if whole else ""
        raise ValueError(f"Given depths are integers {min_depth} to {max_depth}, received {depths.dtype}{extent}.")
    return depths.long()


def depth_by_rule(exit_probs: Tensor, rule: Rule) -> Tensor:
    """The depth in 1..D that a stopping rule takes from exit distributions (…, D).

    "mode": the most probable depth. "mean": E[d], rounded. A threshold t: the smallest d with
    F(d) ≥ t; "median" is t = 0.5. F(D) counts as 1 whatever rounding says.
    """
    depth_count = exit_probs.shape[-1]
    if rule == "mode":
        return exit_probs.argmax(-1) + 1
    if rule == "mean":
        return expected_depth(exit_probs).round().long().clamp(1, depth_count)
    return 1 + (exit_probs.cumsum(-1)[..., :-1] < threshold(rule)).sum(-1)


def threshold(rule: Rule) -> float:
    """The threshold on F(d) that a rule other than mode and mean stands for."""
    return 0.5 if isinstance(rule, str) else rule


def expected_depth(exit_probs: Tensor) -> Tensor:
    """E[d] of exit distributions (…, D), in iterations."""
    return exit_probs @ torch.arange(1, exit_probs.shape[-1] + 1, dtype=exit_probs.dtype, device=exit_probs.device)


def straight_through(hard: Tensor, soft: Tensor) -> Tensor:
    """The value of `hard` (bool) with the gradient of `soft`."""
    return hard + (soft - soft.detach())


@dataclass(frozen=True)
class Sample:
    """Draw the depth from q and let gradients through (training).

    generator: the source of the noise.
    temperature: of the Gumbel-softmax, for `Early`.
    """

    generator: torch.Generator
    temperature: float = 1.0


Select = Sample | Rule  # how a depth is taken from q: a sample, or a stopping rule


class Run(Protocol):
    """One pass under way: which tokens still compute, and what has been decided.

    planned: whether `depths` holds every token's depth before the first iteration.
    depths (…) int64: the depths, 1..D; of a run that is not planned they are complete after iteration D.
    exit_probs (…, D): q, in float32 at least. Its first d columns are final after iteration d, all after D; more need not be
        there before.
    """

    @property
    def planned(self) -> bool: ...

    @property
    def depths(self) -> Tensor: ...

    @property
    def exit_probs(self) -> Tensor: ...

    def active(self, d: int) -> Tensor:
        """(…): which tokens compute iteration d, bool, or a number of that value that carries a gradient.

        Asked before iteration d = 1..D, after `observe` of the one before. A token that has halted stays so.
        """
        ...

    def observe(self, d: int, h: Tensor, rows: Tensor | None = None) -> None:
        """Take in the states after iteration d, for every d in 1..D.

        h: the states of all tokens, (…, E), those of halted tokens as they were; or, in sparse execution, (n, E) those
        of the tokens `rows` (n,) int64. All others have kept the state they had, and what follows from a state that
        has not changed must not change either: q is then the same in both executions. Later iterations may write into
        h: what is to be kept is copied.
        """
        ...


class Looking(Run, Protocol):
    """A run of a decider that reads the answer."""

    def look(self, logits: Tensor) -> None:
        """Take in what the model would answer now, (B, T, V)."""
        ...


class Decider(nn.Module):
    """What is true of a decider, beside its weights. Derive from it, or from one of the deciders below.

    name: by which a `Config` asks for it; not "untied", which stands for layers that no decider chooses between.
    default_rule: the stopping rule of evaluation, if none is asked for.
    late_rules: the rules that need all of q where q is known only after D iterations; the model then runs twice.
    decides: whether there is anything to decide. Where not, training leaves it idle and every token gets D.
    planned: whether depths are known before the first iteration, from the prelude's state.
    any_depth: whether the weights do not depend on D, so that a trained model may be given another.
    learns: whether it has weights that training moves. One that has none is put on a trained model, see `Anira.with_decider`.
    reads_answer: whether its runs have a method `look(logits)`, which is shown, before `observe` and after each iteration
        but the last, what the model would answer now: (B, T, V). The coda must then see all tokens after every
        iteration, so there is no sparse execution and no decoding with a cache.
    """

    name: str
    default_rule: Rule = "median"
    late_rules: tuple[str, ...] = ()
    decides: bool = True
    planned: bool = False
    any_depth: bool = False
    learns: bool = True
    reads_answer: bool = False

    def __init__(self, width: int, hidden: int, max_depth: int):
        super().__init__()
        self.max_depth = max_depth

    @classmethod
    def of(cls, config: "Config") -> "Decider":
        """The decider of a model with this configuration."""
        return cls(config.width, config.decider_hidden, config.max_depth)

    def context(self, tokens: Tensor) -> Tensor | None:
        """What it goes by besides states, if anything: (B, T, …), where column t follows from the tokens 0..t of (B, T).

        `start` then gets it as a third argument, arranged as the states are.
        """
        return None

    def start(self, h: Tensor, select: Select) -> Run:
        """A run over tokens whose prelude's states are h (…, E). A late rule is never asked for."""
        raise NotImplementedError

    def neutral(self) -> None:
        """Begin without an opinion, after all weights of `nn.Linear` layers have been drawn: the last layer of each `head` at zero."""
        for module in self.children():
            if isinstance(module, nn.Sequential):
                nn.init.zeros_(last(module).weight)
                nn.init.zeros_(last(module).bias)

    def deepen(self, deep_start: float) -> None:
        """Begin deep: depth D as probable as where each further iteration is e^deep_start times as probable as the one before."""

    @classmethod
    def operations(cls, config: "Config", depths: Tensor, contexts: Tensor) -> Tensor:
        """Operations of all decisions about tokens of these depths (int64; 0, at padding, costs nothing), each attending to `contexts` tokens."""
        raise NotImplementedError(
            f"The decider {cls.name!r} does not say what it costs. Give its class a method `operations`; see anira.model.deciders.Decider."
        )


DECIDERS: dict[str, type[Decider]] = {}
UNTIED = "untied"  # the variant without a decider and without a core that is iterated, see `Config.variant`


def register(decider: type[Decider]) -> type[Decider]:
    """Make a decider known by its `name`, in this process: usable as a decorator. Returns it.

    A class defined once more, as a notebook's cell is that is run again, replaces its former self.

    Raises:
        ValueError: no `Decider`, no name of its own, or a name that another one has.
    """
    if not (isinstance(decider, type) and issubclass(decider, Decider)):
        raise ValueError(f"A decider is a class derived from anira.model.deciders.Decider, received {decider!r}.")
    name = vars(decider).get("name")
    if not isinstance(name, str) or not name or name == UNTIED:
        raise ValueError(f'{decider.__name__} needs a name of its own: a class attribute, a text other than "{UNTIED}". Received {name!r}.')
    known = DECIDERS.get(name)
    if known is not None and (known.__module__, known.__qualname__) != (decider.__module__, decider.__qualname__):
        raise ValueError(f"The name {name!r} belongs to {known.__module__}.{known.__qualname__}. Choose another.")
    if "default_rule" in vars(decider):
        check_rule(decider.default_rule)
    DECIDERS[name] = decider
    return decider


def variants() -> list[str]:
    """What a model can be: the name of a decider, or "untied"."""
    return [*DECIDERS, UNTIED]


def head(width: int, hidden: int, outputs: int) -> nn.Sequential:
    """LayerNorm → Linear without bias → SiLU → Linear with bias (paper, appendix A.4)."""
    return nn.Sequential(nn.LayerNorm(width), nn.Linear(width, hidden, bias=False), nn.SiLU(), nn.Linear(hidden, outputs))


def last(head: nn.Sequential) -> nn.Linear:
    """The last layer of a `head`."""
    return cast(nn.Linear, head[-1])


def head_operations(config: "Config", outputs: int) -> int:
    """Operations of a `head` about one token."""
    return 2 * config.decider_hidden * (config.width + outputs)


@register
class Early(Decider):
    """ANIRA-E: D logits from the prelude's state decide before the first iteration.

    Logits are centred before the softmax.
    """

    name = "early"
    default_rule = "mode"
    planned = True

    def __init__(self, width: int, hidden: int, max_depth: int):
        super().__init__(width, hidden, max_depth)
        self.head = head(width, hidden, max_depth)

    def deepen(self, deep_start: float) -> None:
        """Start with each further iteration e^deep_start times as probable as the one before."""
        with torch.no_grad():
            last(self.head).bias.copy_(deep_start * torch.arange(self.max_depth))

    def start(self, h: Tensor, select: Select) -> "PlannedRun":
        return PlannedRun.choose(at_least_float32(self.head(h)), select)

    @classmethod
    def operations(cls, config: "Config", depths: Tensor, contexts: Tensor) -> Tensor:
        """One decision about each token."""
        return head_operations(config, config.max_depth) * (depths > 0)


class PlannedRun:
    """Depths known in advance. `continuation` (B, T, D), if given, carries the straight-through gradient."""

    planned = True

    def __init__(self, exit_probs: Tensor, depths: Tensor, continuation: Tensor | None = None):
        self.exit_probs, self.depths, self._continuation = exit_probs, depths, continuation

    @classmethod
    def choose(cls, logits: Tensor, select: Select) -> "PlannedRun":
        """The run that takes its depths from q = softmax of logits (…, D)."""
        logits = logits - logits.mean(-1, keepdim=True)
        exit_probs = logits.softmax(-1)
        if not isinstance(select, Sample):
            return cls(exit_probs, depth_by_rule(exit_probs, select))
        noise = torch.empty_like(logits).exponential_(generator=select.generator)
        soft = ((logits - noise.log()) / select.temperature).softmax(-1)
        depths = soft.argmax(-1) + 1
        return cls(exit_probs, depths, soft.flip(-1).cumsum(-1).flip(-1))  # Σ_{j≥d} soft_j

    def active(self, d: int) -> Tensor:
        hard = self.depths >= d
        return hard if self._continuation is None else straight_through(hard, self._continuation[..., d - 1])

    def observe(self, d: int, h: Tensor, rows: Tensor | None = None) -> None:
        """Nothing to learn: the decision is made."""


@register
class Online(Decider):
    """ANIRA-O: after each iteration a halting probability α(d) from the current state.

    Stick breaking makes it a distribution: q(d) = α(d) Π_{j<d} (1-α(j)), and the remainder falls on D.
    In training "continue past d" is F(d) < u forward and 1 - F(d) backward, with u uniform in (0, 1).
    """

    name = "online"
    late_rules = ("mode", "mean")
    any_depth = True

    def __init__(self, width: int, hidden: int, max_depth: int):
        super().__init__(width, hidden, max_depth)
        self.head = head(width, hidden, 1)

    def deepen(self, deep_start: float) -> None:
        """Start with one halting probability for all, such that depth D is as probable as for `Early`."""
        deepest = (deep_start * torch.arange(self.max_depth)).softmax(0)[-1]
        halt = 1 - deepest ** (1 / max(self.max_depth - 1, 1))
        with torch.no_grad():
            last(self.head).bias.copy_(halt.logit())

    def start(self, h: Tensor, select: Select) -> "OnlineRun":
        return OnlineRun(self.head, self.max_depth, h, select)

    @classmethod
    def operations(cls, config: "Config", depths: Tensor, contexts: Tensor) -> Tensor:
        """One decision after each iteration but the last possible."""
        return head_operations(config, 1) * depths.clamp(max=config.max_depth - 1)


class OnlineRun:
    """Depths found on the way: a token halts at the first d with F(d) ≥ its threshold, one for all, or drawn for each in training.

    head: gives the logit of α(d) from the state after iteration d, (…, E) → (…, 1).
    h: the prelude's states (…, E).
    prior (…, D-1): added to these logits, if given.
    """

    planned = False

    def __init__(self, head: nn.Module, max_depth: int, h: Tensor, select: Select, prior: Tensor | None = None):
        self._head, self._max_depth, self._gradient, self._prior = head, max_depth, isinstance(select, Sample), prior
        dtype = torch.float64 if h.dtype == torch.float64 else torch.float32
        if isinstance(select, Sample):
            self._threshold = torch.rand(h.shape[:-1], dtype=dtype, device=h.device, generator=select.generator)
        else:
            self._threshold = torch.full(h.shape[:-1], threshold(select), dtype=dtype, device=h.device)
        self._survival = torch.ones_like(self._threshold)  # 1 - F(d)
        self._halted_mass = torch.zeros_like(self._threshold)  # F(d)
        self._logit = self._halted_mass  # what the head says of each token's latest state
        self._probs: list[Tensor] = []
        self._running = torch.ones_like(self._threshold, dtype=torch.bool)
        self.depths = torch.zeros_like(self._threshold, dtype=torch.long)

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
        logit = at_least_float32(self._head(h).squeeze(-1))  # (B, T)
        if rows is not None:
            logit = self._logit.index_copy(0, rows, logit)
        self._logit = logit
        halt = (logit if self._prior is None else logit + self._prior[..., d - 1]).sigmoid()  # α(d)
        self._probs.append(self._survival * halt)
        self._halted_mass = self._halted_mass + self._probs[-1]
        self._survival = self._survival * (1 - halt)
        self._running = self._running & (self._halted_mass.detach() < self._threshold)


@register
class Hybrid(Decider):
    """A prior over depths from the prelude's state, corrected by evidence from each iteration.

    The prior p is Early's distribution, the evidence e(d) Online's logit of the state after iteration d. With p's halting
    probability λ(d) = p(d) / Σ_{j≥d} p(j),

        logit α(d) = logit λ(d) + e(d),        logit λ(d) = log p(d) - log Σ_{j>d} p(j)

    and stick breaking as for `Online`. Without evidence, e = 0, q is p; with a prior that halves at each iteration, λ = ½, q
    is Online's. In training and in stopping it is Online.
    """

    name = "hybrid"
    late_rules = ("mode", "mean")

    def __init__(self, width: int, hidden: int, max_depth: int):
        super().__init__(width, hidden, max_depth)
        self.prior = head(width, hidden, max_depth)
        self.evidence = head(width, hidden, 1)

    def deepen(self, deep_start: float) -> None:
        """Start with a prior that has each further iteration e^deep_start times as probable as the one before."""
        with torch.no_grad():
            last(self.prior).bias.copy_(deep_start * torch.arange(self.max_depth))

    def start(self, h: Tensor, select: Select) -> OnlineRun:
        logits = at_least_float32(self.prior(h))  # (B, T, D)
        later = [logits[..., d:].logsumexp(-1) for d in range(1, self.max_depth)]
        prior = logits[..., :-1] - torch.stack(later, -1) if later else logits[..., :-1]  # logit λ, (B, T, D-1)
        return OnlineRun(self.evidence, self.max_depth, h, select, prior)

    @classmethod
    def operations(cls, config: "Config", depths: Tensor, contexts: Tensor) -> Tensor:
        """One prior for each token, and evidence after each iteration but the last possible."""
        return head_operations(config, config.max_depth) * (depths > 0) + head_operations(config, 1) * depths.clamp(max=config.max_depth - 1)


@register
class Role(Decider):
    """One learned distribution for all tokens of the prompt, one for all of the answer: what depth by role alone can do.

    A token belongs to the answer from the configuration's `answer_token` on, which ends the prompt and predicts the answer's first token.
    Logits are `SCALE` times the parameters: an optimizer moves each of these by its rate at most, where a network moves its output by many weights at once.
    """

    name = "role"
    default_rule = "mode"
    planned = True
    SCALE = 10.0

    def __init__(self, width: int, hidden: int, max_depth: int, answer_token: int):
        super().__init__(width, hidden, max_depth)
        self.answer_token = answer_token
        self.prompt, self.answer = (nn.Parameter(torch.zeros(max_depth)) for _ in range(2))

    @classmethod
    def of(cls, config: "Config") -> "Role":
        if config.answer_token is None:
            raise ValueError('The decider "role" must know with which token an answer begins. Give Config(answer_token=…), its id.')
        return cls(config.width, config.decider_hidden, config.max_depth, config.answer_token)

    def context(self, tokens: Tensor) -> Tensor:
        """(B, T) bool: whether the answer has begun."""
        return (tokens == self.answer_token).cumsum(1) > 0

    def neutral(self) -> None:
        """Begin with all depths equally probable."""
        for logits in (self.prompt, self.answer):
            nn.init.zeros_(logits)

    def deepen(self, deep_start: float) -> None:
        """Start with each further iteration e^deep_start times as probable as the one before."""
        with torch.no_grad():
            for logits in (self.prompt, self.answer):
                logits.copy_(deep_start / self.SCALE * torch.arange(self.max_depth))

    def start(self, h: Tensor, select: Select, context: Tensor) -> PlannedRun:  # type: ignore[override]  # it has a context
        return PlannedRun.choose(self.SCALE * at_least_float32(torch.where(context[..., None], self.answer, self.prompt)), select)

    @classmethod
    def operations(cls, config: "Config", depths: Tensor, contexts: Tensor) -> Tensor:
        """None: the distributions are looked up."""
        return torch.zeros_like(depths)


@register
class Confident(Decider):
    """Halts when the most probable answer is probable enough; learns nothing (Popescu et al., arXiv 2607.20519).

    F(d) is the largest probability that the readout has given to a token after any of the iterations 1..d, so the rule is
    the threshold on it. Each look pays a coda and an unembedding.
    """

    name = "confident"
    default_rule = 0.99
    late_rules = ("mode", "mean")
    any_depth = True
    learns = False
    reads_answer = True

    def start(self, h: Tensor, select: Select) -> "ConfidentRun":
        return ConfidentRun(self, h, select)

    @classmethod
    def operations(cls, config: "Config", depths: Tensor, contexts: Tensor) -> Tensor:
        """A coda, with its attention, and an unembedding after each iteration but the last possible."""
        look = layer_operations(config.width, config.hidden)[0] + pair_operations(config.width) * contexts + 2 * config.width * config.vocabulary
        return look * depths.clamp(max=config.max_depth - 1)


@register
class Resting(Decider):
    """Halts when an iteration has changed the state little enough; learns nothing (Logan, arXiv 2607.14427).

    An iteration's rest is 1 - ‖h(d) - h(d-1)‖ / ‖h(d-1)‖, at least 0, and F(d) the largest of the iterations 1..d: the
    threshold 0.9 halts at the first relative change of at most a tenth. A token that has halted is at rest.
    """

    name = "resting"
    default_rule = 0.9
    late_rules = ("mode", "mean")
    any_depth = True
    learns = False

    def start(self, h: Tensor, select: Select) -> "RestingRun":
        return RestingRun(self, h, select)

    @classmethod
    def operations(cls, config: "Config", depths: Tensor, contexts: Tensor) -> Tensor:
        """None: no product of matrices."""
        return torch.zeros_like(depths)


class ScoreRun:
    """Depths found on the way, where F(d) is the largest of the scores (…) in 0..1 of the iterations 1..d, and F(D) is 1.

    A subclass hands its scores to `take`.
    """

    planned = False

    def __init__(self, decider: Decider, h: Tensor, select: Select):
        if isinstance(select, Sample):
            raise ValueError(
                f"The decider {decider.name!r} has nothing to learn, so it draws no sample. Train another one, then ask for model.with_decider({decider.name!r})."
            )
        self._max_depth, self._threshold = decider.max_depth, threshold(select)
        dtype = torch.float64 if h.dtype == torch.float64 else torch.float32
        self._halted_mass = [torch.zeros(h.shape[:-1], dtype=dtype, device=h.device)]  # F(0), F(1), …
        self.depths = torch.zeros(h.shape[:-1], dtype=torch.long, device=h.device)

    @property
    def exit_probs(self) -> Tensor:
        return torch.stack(self._halted_mass, -1).diff(dim=-1)

    def active(self, d: int) -> Tensor:
        return self._halted_mass[-1] < self._threshold

    def take(self, d: int, score: Tensor | None) -> None:
        """Go on to F(d), given the score of iteration d; that of the last does not matter."""
        self.depths += self.active(d)
        before = self._halted_mass[-1]
        if d == self._max_depth:
            self._halted_mass.append(torch.ones_like(before))
        else:
            assert score is not None
            self._halted_mass.append(torch.maximum(before, score.to(before.dtype).clamp(max=1)))


class ConfidentRun(ScoreRun):
    """Scores are the probabilities of the most probable answers."""

    _score: Tensor | None = None

    def look(self, logits: Tensor) -> None:
        """Take in what the model would answer now, (B, T, V)."""
        self._score = at_least_float32(logits).softmax(-1).amax(-1)

    def observe(self, d: int, h: Tensor, rows: Tensor | None = None) -> None:
        self.take(d, self._score)


class RestingRun(ScoreRun):
    """Scores say how little the state has changed."""

    def __init__(self, decider: Decider, h: Tensor, select: Select):
        super().__init__(decider, h, select)
        self._state = h.detach().clone()

    def observe(self, d: int, h: Tensor, rows: Tensor | None = None) -> None:
        before = self._state if rows is None else self._state.index_select(0, rows)
        change, size = (at_least_float32(x).norm(dim=-1) for x in (h - before, before))
        rest = 1 - change / size.clamp(min=torch.finfo(size.dtype).tiny)
        if rows is None:
            self._state = h.detach().clone()
        else:
            self._state.index_copy_(0, rows, h.detach())
            rest = torch.ones_like(self._halted_mass[-1]).index_copy(0, rows, rest.to(self._halted_mass[-1].dtype))
        self.take(d, rest)


@register
class Fixed(Decider):
    """No decision: every token gets D iterations. The non-adaptive baseline."""

    name = "fixed"
    default_rule = "mode"
    decides = False
    planned = True
    any_depth = True

    def start(self, h: Tensor, select: Select) -> PlannedRun:
        depths = torch.full(h.shape[:-1], self.max_depth, device=h.device)
        return PlannedRun(at_least_float32(F.one_hot(depths - 1, self.max_depth).to(h.dtype)), depths)

    @classmethod
    def operations(cls, config: "Config", depths: Tensor, contexts: Tensor) -> Tensor:
        """None."""
        return torch.zeros_like(depths)


class GivenRun:
    """A run whose depths come from outside; the decider is still asked for its exit distribution."""

    planned = True

    def __init__(self, run: Run, depths: Tensor):
        self._run, self.depths = run, depths

    @property
    def exit_probs(self) -> Tensor:
        return self._run.exit_probs

    def active(self, d: int) -> Tensor:
        return self.depths >= d

    def look(self, logits: Tensor) -> None:
        cast(Looking, self._run).look(logits)

    def observe(self, d: int, h: Tensor, rows: Tensor | None = None) -> None:
        self._run.observe(d, h, rows)
