"""Different ways to do the same work, as calls without arguments: whole sequences, training steps, decoding.

    sparse        computes the tokens that are still active, and only those
    dense         computes every token at every iteration and masks
    recompute     decodes without a cache: the whole sequence again for each token, sparse
    lock-step     stops when all tokens of the batch have stopped
    fixed         no decider, every token at full depth: what adaptive depth has to beat
    llama-loop    Llama layers of the `transformers` package in a masked loop, the paper's way
    x-transformers   its looped option, as many passes as full depth

All but the last have the weights of one model; all but the last two groups of layers, its code too. The last two
take part where the extra `bench` is installed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from anira.model.anira import Anira, Config, Output
from anira.model.deciders import Early, Online, Sample, last
from anira.model.decoding import generate_batch
from anira.training.loss import cross_entropy_sum, divergence_sum

Calls = dict[str, Callable[[], object]]


@dataclass(frozen=True)
class Shape:
    """A model and a batch. mean_depth: iterations a token that the decider is set to spend, 1..D."""

    width: int
    batch: int
    length: int
    mean_depth: float = 2.0
    decider: str = "early"
    max_depth: int = 6

    @property
    def config(self) -> Config:
        """Hidden width 8/3 of the width, heads of 24 or 32, as the tiny preset and the paper have them."""
        return Config(
            vocabulary=64,
            decider=self.decider,
            max_depth=self.max_depth,
            width=self.width,
            hidden=-(-8 * self.width // 3 // 32) * 32,
            heads=self.width // (24 if self.width % 32 or self.width < 128 else 32),
            decider_hidden=4 * self.width,
            max_length=1024,
        )

    def tokens(self, device: torch.device) -> Tensor:
        """Random tokens (batch, length)."""
        return torch.randint(0, self.config.vocabulary, (self.batch, self.length), generator=torch.Generator().manual_seed(1)).to(device)


def model_of(shape: Shape, device: torch.device) -> Anira:
    """A model with random weights whose own decisions on the shape's first sequences have the shape's mean depth.

    The decider's last layer is scaled so that its outputs differ between tokens by about one, and the tilt of its
    biases is then found by bisection.
    """
    model = Anira(shape.config).initialize(torch.Generator().manual_seed(0)).eval().to(device)
    if not model.decider.decides:
        return model
    tokens, head = shape.tokens(device)[:16], cast(Early | Online, model.decider).head
    outputs = last(head)
    with torch.no_grad():
        outputs.weight.copy_(torch.randn(outputs.weight.shape, generator=torch.Generator().manual_seed(2)))
        inner = head[:-1](model.embedding(tokens))
        outputs.weight.div_((inner @ outputs.weight.T).std())
        low, high = -10.0, 10.0
        for _ in range(14):
            model.decider.deepen(middle := (low + high) / 2)
            deeper = model(tokens, execution="sparse").depths.double().mean() > shape.mean_depth
            low, high = (low, middle) if deeper else (middle, high)
    return model


def fixed_of(model: Anira) -> Anira:
    """The same weights without a decider."""
    fixed = Anira(replace(model.config, decider="fixed")).to(model.unembedding.weight.device).eval()
    fixed.load_state_dict({name: value for name, value in model.state_dict().items() if not name.startswith("decider.")})
    return fixed


@torch.no_grad()
def lock_step(model: Anira, tokens: Tensor) -> Tensor:
    """Logits of dense execution that ends when every token of the batch has halted."""
    rotation = model.rotation(tokens.shape[1])
    h = model.prelude(model.embedding(tokens), rotation)
    run = model.decider.start(h, model.decider.default_rule)
    for d, layer in enumerate(model.iterations, start=1):
        active = run.active(d)
        if not active.any():
            break
        h = h + active[..., None] * (layer(h, rotation) - h)
        run.observe(d, h)
    return model.readout(h, rotation)


def others_installed() -> bool:
    """Whether the extra `bench` is at hand."""
    return all(map(find_spec, ("transformers", "x_transformers")))


def prefill(shape: Shape, device: torch.device) -> tuple[Calls, Tensor]:
    """One pass over whole sequences without gradients; with the depths (batch, length) that the model spends."""
    model, tokens = model_of(shape, device), shape.tokens(device)
    fixed = fixed_of(model)
    calls: Calls = {
        "sparse": lambda: model(tokens, execution="sparse"),
        "dense": lambda: model(tokens),
        "lock-step": lambda: lock_step(model, tokens),
        "fixed": lambda: fixed(tokens),
    }
    if others_installed():
        from anira.bench.llama import LlamaLoop
        from anira.bench.looped import looped, passes

        llama, net = LlamaLoop(model).eval(), looped(shape.config).eval().to(device)
        calls |= {"llama-loop": lambda: llama(tokens), "x-transformers": lambda: net(tokens, looped_steps=passes(shape.config))}
    calls = {name: torch.no_grad()(call) for name, call in calls.items()}
    return calls, cast(Output, calls["dense"]()).depths


def training(shape: Shape, device: torch.device) -> tuple[Calls, Tensor]:
    """A training step: sampled depths, loss on the second half of each sequence, backward pass, AdamW.

    The straight-through gradient reaches halted tokens, so the step is dense. "sparse" trains with the depths
    given from outside, as one would with the decider frozen.
    """
    model, tokens = model_of(shape, device), shape.tokens(device)
    with torch.no_grad():
        depths = model(tokens).depths
    answers = torch.arange(shape.length - 1, device=device).expand(shape.batch, -1) >= shape.length // 2
    everywhere = torch.ones_like(answers)

    def sample(net: nn.Module) -> Callable[[Tensor], Output]:
        return lambda read: net(read, select=Sample(torch.Generator(device).manual_seed(3)))

    def step(net: nn.Module, forward: Callable[[Tensor], Output | Tensor]) -> Callable[[], None]:
        net.train()
        optimizer = torch.optim.AdamW(net.parameters(), lr=1e-5)

        def call() -> None:
            output = forward(tokens[:, :-1])
            if isinstance(output, Tensor):
                loss = F.cross_entropy(output[answers], tokens[:, 1:][answers])
            else:
                loss = (
                    cross_entropy_sum(output.logits, tokens[:, 1:], answers) / answers.sum() + 0.1 * divergence_sum(output, everywhere, 2.0) / everywhere.sum()
                )
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()

        return call

    given, dense, fixed = model_of(shape, device), model_of(shape, device), fixed_of(model)
    calls: Calls = {
        "sparse": step(given, lambda read: given(read, depths=depths[:, :-1], execution="sparse")),
        "dense": step(dense, sample(dense)),
        "fixed": step(fixed, fixed),
    }
    if others_installed():
        from anira.bench.llama import LlamaLoop
        from anira.bench.looped import looped, passes

        llama, net = LlamaLoop(model), looped(shape.config).to(device)
        calls["llama-loop"] = step(llama, sample(llama))
        calls["x-transformers"] = step(net, lambda read: net(read, looped_steps=passes(shape.config), looped_pred_all_logits=False))
    return calls, depths


def decoding(shape: Shape, device: torch.device, new_tokens: int) -> tuple[Calls, Tensor]:
    """Greedy continuation of `batch` prompts of `length` tokens; with the depths spent, (batch, length + new_tokens - 1).

    "lock-step" reads each token as deep as the deepest of the batch at that place. "x-transformers" decodes one
    sequence at a time when it loops: it gets a single prompt.
    """
    model, tokens = model_of(shape, device), shape.tokens(device)
    fixed, prompts = fixed_of(model), list(tokens)
    common: dict[str, Any] = {"end_token": None, "max_new_tokens": new_tokens}
    depths = torch.cat([continued.output.depths for continued in generate_batch(model, prompts, **common)])
    deepest = depths.amax(0, keepdim=True).expand_as(depths)

    def recompute() -> None:
        read = tokens
        for _ in range(new_tokens):
            read = torch.cat((read, model(read, execution="sparse").logits[:, -1:].argmax(-1)), 1)

    calls: Calls = {
        "sparse": lambda: generate_batch(model, prompts, **common),
        "lock-step": lambda: generate_batch(model, prompts, depths=deepest, **common),
        "fixed": lambda: generate_batch(fixed, prompts, **common),
        "recompute": recompute,
    }
    if others_installed():
        from anira.bench.looped import generate, looped

        net = looped(shape.config).eval().to(device)
        calls["x-transformers"] = lambda: generate(net, shape.config, tokens[:1], new_tokens)
    return {name: torch.no_grad()(call) for name, call in calls.items()}, depths
