"""The paper's way, as a contender: Llama layers of the `transformers` package in a masked loop.

Every token is computed at every iteration and the update of halted ones is masked out. It takes over the weights
of an `Anira`, so that both give the same output and only time differs. Needs the extra `bench`.
"""

import torch
from torch import Tensor, nn
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaDecoderLayer, LlamaRMSNorm, LlamaRotaryEmbedding

from anira.model.anira import Anira, Output
from anira.model.deciders import Select
from anira.model.layers import Layer


class LlamaLoop(nn.Module):
    """The model with prelude, core and coda from `transformers`; the decider is a copy of the model's own."""

    def __init__(self, model: Anira):
        super().__init__()
        config = model.config
        llama = LlamaConfig(
            vocab_size=config.vocabulary,
            hidden_size=config.width,
            intermediate_size=config.hidden,
            num_attention_heads=config.heads,
            num_key_value_heads=config.heads,
            max_position_embeddings=config.max_length,
            rms_norm_eps=1e-5,
            attn_implementation="sdpa",  # type: ignore[call-arg]  # one of the keywords of every configuration
        )
        self.max_depth, self.default_rule = config.max_depth, model.decider.default_rule
        self.rotary = LlamaRotaryEmbedding(llama)
        self.embedding = nn.Embedding(config.vocabulary, config.width)
        self.prelude, self.core, self.coda = (_take_over(LlamaDecoderLayer(llama, i), layer) for i, layer in enumerate((model.prelude, model.core, model.coda)))
        self.norm = LlamaRMSNorm(config.width, eps=1e-5)
        self.unembedding = nn.Linear(config.width, config.vocabulary, bias=False)
        self.decider = type(model.decider).of(config)
        for name in ("embedding", "norm", "unembedding", "decider"):
            getattr(self, name).load_state_dict(getattr(model, name).state_dict())
        self.to(model.unembedding.weight)

    def forward(self, tokens: Tensor, select: Select | None = None) -> Output:
        """Run on tokens (B, T) int64, without padding; `select` as in `Anira.forward`."""
        h = self.embedding(tokens)  # (B, T, E)
        positions = self.rotary(h, torch.arange(tokens.shape[1], device=tokens.device)[None])
        h = self.prelude(h, position_embeddings=positions)
        run = self.decider.start(h, self.default_rule if select is None else select)
        for d in range(1, self.max_depth + 1):
            h = h + run.active(d)[..., None] * (self.core(h, position_embeddings=positions) - h)
            run.observe(d, h)
        h = self.coda(h, position_embeddings=positions)
        return Output(self.unembedding(self.norm(h)), run.depths, run.exit_probs)


def _take_over(target: LlamaDecoderLayer, source: Layer) -> LlamaDecoderLayer:
    """The target with the source's weights."""
    q, k, v = source.attention.qkv.weight.chunk(3)
    gate, up = source.feed_forward.gate_up.weight.chunk(2)
    target.load_state_dict(
        {
            "self_attn.q_proj.weight": q,
            "self_attn.k_proj.weight": k,
            "self_attn.v_proj.weight": v,
            "self_attn.o_proj.weight": source.attention.out.weight,
            "mlp.gate_proj.weight": gate,
            "mlp.up_proj.weight": up,
            "mlp.down_proj.weight": source.feed_forward.down.weight,
            "input_layernorm.weight": source.attention_norm.weight,
            "post_attention_layernorm.weight": source.feed_forward_norm.weight,
        }
    )
    return target
