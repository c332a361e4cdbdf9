"""The Llama-2 layer: rotary positions, pre-RMSNorm, SwiGLU, no biases.

Prelude, core and coda are this same layer. Shapes: B batch, T tokens, E width, H heads, d = E / H.
"""

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def at_least_float32(x: Tensor) -> Tensor:
    """The tensor, in float32 where it has half precision: what is summed up or exponentiated needs more."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def layer_operations(width: int, hidden: int) -> tuple[int, int, int]:
    """Operations for one token in a layer's weights: in all, for keys and values, for everything else."""
    keys_values, others = 2 * width * 2 * width, 2 * width * 2 * width + 2 * width * 3 * hidden
    return keys_values + others, keys_values, others


def pair_operations(width: int) -> int:
    """Operations for one query and one key, over all heads: their product, and the weight's with the value."""
    return 4 * width


@lru_cache(maxsize=16)
def rotary(length: int, head_width: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """e^(i·angle) of the rotary angles at the positions 0..length-1, base 10 000, for a model of this type on this device.

    Complex (length, d/2), complex64 but for a model in float64. Angles are computed in float64 on the CPU, once, and then
    moved: not every device has float64. Not to be written to, it is handed out again.
    """
    with torch.inference_mode(False):
        frequencies = 10_000.0 ** (-torch.arange(0, head_width, 2, dtype=torch.float64, device="cpu") / head_width)
        angles = torch.arange(length, device="cpu")[:, None] * frequencies  # (T, d/2)
        turned = torch.polar(torch.ones_like(angles), angles)
        return turned.to(torch.complex128 if dtype == torch.float64 else torch.complex64).to(device)


def rotate(x: Tensor, rotation: Tensor) -> Tensor:
    """Turn each pair (i, i + d/2) of x (…, d) by its position's angle, rotation (…, d/2) complex.

    The result has the two of a pair side by side: one product of complex numbers is several times faster than its
    parts, and scores do not mind the order, as queries and keys share it. Half precision is turned in float32: it has
    no complex numbers.
    """
    left, right = at_least_float32(x).chunk(2, dim=-1)
    if torch.compiler.is_compiling():  # the compiler fuses the parts, and cannot generate code for complex numbers
        cos, sin = torch.view_as_real(rotation).unbind(-1)
        return torch.stack((left * cos - right * sin, left * sin + right * cos), dim=-1).flatten(-2).to(x.dtype)
    return torch.view_as_real(torch.complex(left, right) * rotation).flatten(-2).to(x.dtype)


class Attention(nn.Module):
    """Causal multi-head self-attention with rotary positions; `rotation` (T, d/2) is `rotary` at their positions."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, rotation: Tensor) -> Tensor:
        q, k, v = self.queries_keys_values(x, rotation)  # each (B, T, H, d)
        y = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), is_causal=True)
        return self.out(y.transpose(1, 2).flatten(2))

    def queries_keys_values(self, x: Tensor, rotation: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Rotated queries and keys, and values, each (…, H, d), of the tokens x (…, E)."""
        qkv = self.qkv(x).unflatten(-1, (3, self.heads, -1))  # (…, 3, H, d)
        qk, v = qkv.split((2, 1), dim=-3)
        q, k = rotate(qk, rotation[:, None, None]).unbind(-3)
        return q, k, v.squeeze(-3)

    def queries(self, x: Tensor, rotation: Tensor) -> Tensor:
        """Rotated queries (n, H, d) of the tokens x (n, E), without their keys and values."""
        q = F.linear(x, self.qkv.weight[: x.shape[-1]])
        return rotate(q.unflatten(-1, (self.heads, -1)), rotation[:, None])

    def keys_values(self, x: Tensor, rotation: Tensor) -> tuple[Tensor, Tensor]:
        """Rotated keys and values, each (n, H, d), of the tokens x (n, E)."""
        k, v = F.linear(x, self.qkv.weight[x.shape[-1] :]).unflatten(-1, (2, self.heads, -1)).unbind(1)
        return rotate(k, rotation[:, None]), v


class SwiGLU(nn.Module):
    """Feed-forward block down(silu(gate(x)) · up(x)); gate and up are one matrix."""

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.gate_up = nn.Linear(width, 2 * hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.gate_up(x).chunk(2, dim=-1)
        if torch.is_grad_enabled():
            return self.down(F.silu(gate) * up)
        return self.down(F.silu(gate, inplace=True).mul_(up))  # large batches wait for fresh memory


class Layer(nn.Module):
    """One Llama-2 layer, x (B, T, E) → (B, T, E)."""

    def __init__(self, width: int, hidden: int, heads: int):
        super().__init__()
        self.attention_norm = nn.RMSNorm(width, eps=1e-5)
        self.attention = Attention(width, heads)
        self.feed_forward_norm = nn.RMSNorm(width, eps=1e-5)
        self.feed_forward = SwiGLU(width, hidden)

    def forward(self, x: Tensor, rotation: Tensor) -> Tensor:
        x = x + self.attention(self.attention_norm(x), rotation)
        return x + self.feed_forward(self.feed_forward_norm(x))

    def finish(self, x: Tensor, attended: Tensor) -> Tensor:
        """The layer's output (n, E) for the tokens x (n, E), given what their heads have read, (n, E)."""
        x = x + self.attention.out(attended)
        return x + self.feed_forward(self.feed_forward_norm(x))
