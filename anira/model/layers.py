"""The Llama-2 layer: rotary positions, pre-RMSNorm, SwiGLU, no biases.

Prelude, core and coda are this same layer. Shapes: B batch, T tokens, E width, H heads, d = E / H.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def rotary(positions: Tensor, head_width: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the rotary angles, each (T, d), base 10 000; angles are computed in float64."""
    frequencies = 10_000.0 ** (-torch.arange(0, head_width, 2, device=positions.device, dtype=torch.float64) / head_width)
    angles = (positions[:, None] * frequencies).repeat(1, 2)  # (T, d)
    return angles.cos().to(dtype), angles.sin().to(dtype)


def rotate(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Turn each pair (i, i + d/2) of x (…, T, d) by its position's angle."""
    cos, sin = rotation
    left, right = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-right, left), dim=-1) * sin


class Attention(nn.Module):
    """Causal multi-head self-attention with rotary positions."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        B, T, E = x.shape
        q, k, v = self.qkv(x).view(B, T, 3, self.heads, E // self.heads).permute(2, 0, 3, 1, 4)  # each (B, H, T, d)
        y = F.scaled_dot_product_attention(rotate(q, rotation), rotate(k, rotation), v, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(B, T, E))

    def queries(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        """Rotated queries (n, H, d) of the tokens x (n, E), without their keys and values."""
        q = F.linear(x, self.qkv.weight[: x.shape[-1]])
        return rotate(q.unflatten(-1, (self.heads, -1)), rotation)

    def keys_values(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Rotated keys and values, each (n, H, d), of the tokens x (n, E)."""
        k, v = F.linear(x, self.qkv.weight[x.shape[-1] :]).unflatten(-1, (2, self.heads, -1)).unbind(1)
        return rotate(k, rotation), v


class SwiGLU(nn.Module):
    """Feed-forward block down(silu(gate(x)) · up(x)); gate and up are one matrix."""

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.gate_up = nn.Linear(width, 2 * hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.gate_up(x).chunk(2, dim=-1)
        return self.down(F.silu(gate) * up)


class Layer(nn.Module):
    """One Llama-2 layer, x (B, T, E) → (B, T, E)."""

    def __init__(self, width: int, hidden: int, heads: int):
        super().__init__()
        self.attention_norm = nn.RMSNorm(width, eps=1e-5)
        self.attention = Attention(width, heads)
        self.feed_forward_norm = nn.RMSNorm(width, eps=1e-5)
        self.feed_forward = SwiGLU(width, hidden)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        x = x + self.attention(self.attention_norm(x), rotation)
        return x + self.feed_forward(self.feed_forward_norm(x))

    def finish(self, x: Tensor, attended: Tensor) -> Tensor:
        """The layer's output (n, E) for the tokens x (n, E), given what their heads have read, (n, E)."""
        x = x + self.attention.out(attended)
        return x + self.feed_forward(self.feed_forward_norm(x))
