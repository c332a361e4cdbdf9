"""`x-transformers` with its looped option, as a contender of equal shape. Needs the extra `bench`.

It loops one layer as many times as our model has layers at full depth: D iterations, prelude and coda. Weights
cannot be shared, since its looped option asks for a second norm in each block. While it generates it takes one sequence
at a time, and its cache is approximate: from the second token on it need not write what its full pass says.
"""

import torch
from torch import nn
from x_transformers import Decoder, TransformerWrapper

from anira.model.anira import Config


def looped(config: Config) -> nn.Module:
    """A looped Transformer of this shape; call it as `net(tokens, looped_steps=passes(config))`."""
    layer = Decoder(
        dim=config.width,
        depth=1,
        heads=config.heads,
        attn_dim_head=config.width // config.heads,
        attn_flash=True,
        rotary_pos_emb=True,
        rotary_emb_dim=config.width // config.heads,
        use_rmsnorm=True,
        pre_and_post_norm=True,
        ff_glu=True,
        ff_swish=True,
        ff_no_bias=True,
        ff_mult=config.hidden / config.width,
    )
    return TransformerWrapper(
        num_tokens=config.vocabulary, max_seq_len=config.max_length, use_abs_pos_emb=False, attn_layers=layer, looped=True, max_looped_steps=passes(config)
    )


def passes(config: Config) -> int:
    """Layers that a token of full depth passes through."""
    return config.max_depth + 2


@torch.no_grad()
def generate(net: nn.Module, config: Config, prompt: torch.Tensor, new_tokens: int) -> torch.Tensor:
    """Continue one prompt (1, T) greedily with its own cache; returns (1, T + new_tokens)."""
    common = {"looped_inference": True, "looped_steps": passes(config), "return_intermediates": True}
    logits, cache = net(prompt, **common)
    prompt = torch.cat((prompt, logits[:, -1:].argmax(-1)), 1)
    for _ in range(new_tokens - 1):
        logits, cache = net(prompt, cache=cache, **common)
        prompt = torch.cat((prompt, logits[:, -1:].argmax(-1)), 1)
    return prompt
