"""The training objective (paper, section 3): answers right, depth paid for.

Cross-entropy on answer tokens only, plus γ times the mean over all tokens of KL(q ‖ p), where q is the
decider's exit distribution and p(d) ∝ b^-d the prior. One sampled exit, one cross-entropy.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from anira.model.anira import Output


def prior(max_depth: int, base: float) -> Tensor:
    """log p(d) for p(d) ∝ base^-d on d = 1..D, shape (D,)."""
    return (-math.log(base) * torch.arange(1, max_depth + 1)).log_softmax(0)


def cross_entropy_sum(output: Output, targets: Tensor, mask: Tensor) -> Tensor:
    """Sum over the masked positions of -log p(target), in nats; targets and mask are (B, T)."""
    return F.cross_entropy(output.logits[mask].float(), targets[mask], reduction="sum")


def divergence_sum(output: Output, mask: Tensor, prior_base: float) -> Tensor:
    """Sum over the masked positions of KL(q ‖ p), in nats; mask is (B, T)."""
    exit_probs = output.exit_probs[mask]
    log_prior = prior(exit_probs.shape[-1], prior_base).to(exit_probs)
    return (torch.xlogy(exit_probs, exit_probs) - exit_probs * log_prior).sum()
