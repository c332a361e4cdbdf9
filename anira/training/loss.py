"""The training objective (paper, section 3): answers right, depth paid for.

Cross-entropy on answer tokens only, plus γ times the mean over all tokens of KL(q ‖ p), where q is the
decider's exit distribution and p(d) ∝ b^-d the prior. One sampled exit, one cross-entropy.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from anira.model.anira import Output

# Masked sums rather than sums over the masked: picking rows by a mask waits for the device to count them.


def prior(max_depth: int, base: float) -> Tensor:
    """log p(d) for p(d) ∝ base^-d on d = 1..D, shape (D,)."""
    return (-math.log(base) * torch.arange(1, max_depth + 1)).log_softmax(0)


def cross_entropy_sum(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Sum over the masked positions of -log p(target), in nats; logits are (B, T, V), targets and mask (B, T)."""
    return F.cross_entropy(logits.flatten(0, 1).float(), targets.masked_fill(~mask, -100).flatten(), ignore_index=-100, reduction="sum")


def divergence_sum(output: Output, mask: Tensor, prior_base: float) -> Tensor:
    """Sum over the masked positions of KL(q ‖ p), in nats; mask is (B, T)."""
    exit_probs = output.exit_probs  # (B, T, D)
    log_prior = prior(exit_probs.shape[-1], prior_base).to(exit_probs, non_blocking=True)
    divergence = (torch.xlogy(exit_probs, exit_probs) - exit_probs * log_prior).sum(-1)
    return divergence.masked_fill(~mask, 0.0).sum()
