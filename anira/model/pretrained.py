"""A decider on a Llama of others: some of its layers become the core that is iterated (paper, section 6.6).

    model = load_llama("folder", core=(10, 11), decider="online", max_depth=6, generator=torch.Generator().manual_seed(0))

Layers before the core are the prelude, layers behind it the coda. With one iteration for every token it is the Llama that
was loaded; with D for every token it is the Llama whose core is written D times. Weights of the Llama are frozen, only the
decider learns, unless you say `model.requires_grad_(True)`. Everything that a dense pass of `Anira` does works: stopping rules,
given depths, samples, precisions, `on_iteration`, `answers_over_depth`; so do traces of its tokens and their analyses.

Not supported, and refused: sparse execution and decoding with a cache (`CoreModel.check_sparse` says why), counted operations
(`anira.model.flops` counts Anira's layers), model files (keep `model.decider.state_dict()`), models that are not a
`LlamaForCausalLM`. Needs the `transformers` package.
"""

from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from anira.model.anira import Anira, Config
from anira.model.deciders import DECIDERS, Decider
from anira.model.layers import Layer

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM


def load_llama(
    folder: str | Path,
    *,
    core: tuple[int, int],
    decider: str = "online",
    max_depth: int = 6,
    decider_hidden: int | None = None,
    generator: torch.Generator | None = None,
    dtype: torch.dtype = torch.float32,
) -> "LoopedLlama":
    """A Llama from a local folder in the format of `transformers`, as a model with a decider. No network, no code of others.

    Args:
        core: the first layer of the core, counted from 0, and the one behind its last.
        decider: name of a registered decider.
        max_depth: D.
        decider_hidden: inner width of the decider, by default four times the model's.
        generator: draws the weights of a decider that learns.
        dtype: of the weights.

    Raises:
        ValueError: `transformers` is not installed, no such folder, another architecture, layers that it does not have.
    """
    try:
        from transformers import AutoModelForCausalLM
    except ImportError as error:
        raise ValueError('A pretrained Llama needs transformers: pip install "anira[bench]".') from error
    if not Path(folder).is_dir():
        raise ValueError(f"There is no folder {folder}. A model of the Hub must be there before, nothing is fetched from here.")
    llama = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, use_safetensors=True, dtype=dtype, attn_implementation="sdpa")
    return LoopedLlama(cast("LlamaForCausalLM", llama), core=core, decider=decider, max_depth=max_depth, decider_hidden=decider_hidden, generator=generator)


@dataclass(frozen=True)
class BlockConfig(Config):
    """A configuration whose core consists of the layers core[0]..core[1]-1 of somebody else's model."""

    core: tuple[int, int] = (0, 1)

    @property
    def counted(self) -> bool:
        """Operations of somebody else's layers are not counted."""
        return False


class Block(nn.Module):
    """Some of a Llama's layers, one after the other, h (B, T, E) → (B, T, E); `rotation` are cosines and sines of its positions."""

    def __init__(self, layers: list[nn.Module]):
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, h: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        for layer in self.layers:
            h = layer(h, position_embeddings=rotation)
        return h

    @property
    def attention(self) -> nn.Module:
        raise ValueError(
            f"This core is a block of {len(self.layers)} layers of a pretrained model: it has keys and values in each. Ask the layers themselves, `layers`."
        )


class LoopedLlama(Anira):
    """`Anira` with the layers of a Llama, `transformers`' own code; see the module's docstring, and `load_llama` for the arguments.

    llama: its layers become part of this model, and are frozen.
    """

    config: BlockConfig

    def __init__(
        self,
        llama: "LlamaForCausalLM",
        *,
        core: tuple[int, int],
        decider: str = "online",
        max_depth: int = 6,
        decider_hidden: int | None = None,
        generator: torch.Generator | None = None,
    ):
        from transformers import LlamaForCausalLM

        nn.Module.__init__(self)
        if not isinstance(llama, LlamaForCausalLM):
            raise ValueError(f"Only a LlamaForCausalLM can be looped, received {type(llama).__name__}: other models have other masks or other layers.")
        theirs, layers = llama.config, list(llama.model.layers)
        first, end = core
        if not 0 <= first < end <= len(layers):
            raise ValueError(f"The core is (first, end) with 0 ≤ first < end ≤ {len(layers)}, the number of layers; received {tuple(core)}.")
        self.config = BlockConfig(
            vocabulary=theirs.vocab_size,
            decider=decider,
            max_depth=max_depth,
            width=theirs.hidden_size,
            hidden=theirs.intermediate_size,
            heads=theirs.num_attention_heads,
            decider_hidden=decider_hidden or 4 * theirs.hidden_size,
            max_length=theirs.max_position_embeddings,
            core=(first, end),
        )
        self.embedding, self.norm, self.unembedding = llama.model.embed_tokens, llama.model.norm, llama.lm_head
        self.prelude, self.core, self.coda = (cast(Layer, Block(part)) for part in (layers[:first], layers[first:end], layers[end:]))  # stand where those do
        self.untied = nn.ModuleList()
        self.angles = llama.model.rotary_emb
        self.requires_grad_(False)
        self.decider = self._new_decider(generator)
        self.eval()

    def _new_decider(self, generator: torch.Generator | None) -> Decider:
        new = DECIDERS[self.config.decider].of(self.config)
        if new.learns and list(new.parameters()):
            if generator is None:
                raise ValueError(f"The decider {self.config.decider!r} has weights to learn, and thus to be drawn. Give a torch.Generator.")
            for part in new.modules():
                if isinstance(part, nn.Linear):
                    nn.init.uniform_(part.weight, -(part.in_features**-0.5), part.in_features**-0.5, generator=generator)
        new.neutral()
        return new.to(self.unembedding.weight)

    def rotation(self, length: int) -> tuple[Tensor, Tensor]:  # type: ignore[override]  # what a `Block` takes
        """Cosines and sines of the Llama's own rotary angles at the positions 0..length-1."""
        weight = self.unembedding.weight
        return self.angles(weight, torch.arange(length, device=weight.device)[None])

    def with_decider(self, decider: str, generator: torch.Generator | None = None) -> "LoopedLlama":
        """A copy with another decider, see `Anira.with_decider`."""
        return self._copy(replace(self.config, decider=decider), generator)

    def with_depth(self, max_depth: int) -> "LoopedLlama":
        """A copy with another largest depth, see `Anira.with_depth`."""
        self._check_depth(max_depth)
        other = self._copy(replace(self.config, max_depth=max_depth), torch.Generator())
        other.decider.load_state_dict(self.decider.state_dict())
        return other

    def _copy(self, config: BlockConfig, generator: torch.Generator | None) -> "LoopedLlama":
        other = deepcopy(self)
        other.config = config
        other.decider = other._new_decider(generator)
        return other

    def initialize(self, generator: torch.Generator) -> "LoopedLlama":
        """Not to be had."""
        raise ValueError("A pretrained model is not drawn afresh. For a decider without an opinion take `with_decider`.")

    def check_sparse(self) -> None:
        """`ValueError`, always."""
        raise ValueError(
            "A pretrained model runs densely, and without a cache: in a core of several layers the keys and values of a halted token go on changing from the "
            'second layer on, as what it attends to does, so nothing of it can be left out. Use execution="dense" on whole sequences.'
        )
