"""Which optimizer updates which parameter.

- *adamw* (paper): AdamW for everything; norm gains and biases are not decayed, which would keep attention from
  becoming sharp.
- *muon*: Muon for the matrices inside the layers, AdamW for embedding, unembedding, norm gains and biases. Muon
  orthogonalizes each update; scaled to the size of an AdamW update it takes the same learning rate.
"""

from collections import defaultdict

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from anira.model.anira import Anira

NAMES = ("adamw", "muon")


def orthogonalized(matrices: Tensor) -> Tensor:
    """Matrices (n, rows, columns) with all singular values brought near 1, in their own precision.

    Five steps of the quintic Newton–Schulz iteration of Jordan et al. (Muon, 2024); singular values end in about 0.7..1.2.
    """
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / torch.linalg.matrix_norm(x, keepdim=True).clamp(min=1e-7)  # so that no singular value is above 1
    for _ in range(5):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
    return x.mT if tall else x


class Muon(Optimizer):
    """Muon with Nesterov momentum, each update as large as AdamW's (its root mean square is 0.2 times the rate).

    What `torch.optim.Muon(…, adjust_lr_fn="match_rms_adamw")` computes, with two differences. It orthogonalizes in the
    precision of the parameters: torch's does so in bfloat16, for which most processors have no instructions (half of a
    training step then goes there), and which rounds differently where they have. And it takes all matrices of one shape
    together.
    """

    def __init__(self, matrices: list[nn.Parameter], lr: float, weight_decay: float, momentum: float = 0.95):
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]  # no closure
        """One update of every matrix that has a gradient."""
        for group in self.param_groups:
            alike = defaultdict(list)  # by shape
            for matrix in group["params"]:
                if matrix.grad is not None:
                    alike[matrix.shape].append(matrix)
            for (rows, columns), matrices in alike.items():
                gradients = [matrix.grad for matrix in matrices]
                buffers = [self.state[matrix].setdefault("momentum_buffer", torch.zeros_like(matrix)) for matrix in matrices]
                torch._foreach_lerp_(buffers, gradients, 1 - group["momentum"])
                updates = orthogonalized(torch.stack(torch._foreach_lerp(gradients, buffers, group["momentum"])))
                torch._foreach_mul_(matrices, 1 - group["lr"] * group["weight_decay"])
                torch._foreach_add_(matrices, list(updates.unbind()), alpha=-0.2 * group["lr"] * max(rows, columns) ** 0.5)


def build(model: Anira, name: str, learning_rate: float, weight_decay: float) -> list[Optimizer]:
    """The optimizers of a model, each parameter in exactly one; `ValueError` for an unknown name."""
    if name not in NAMES:
        raise ValueError(f"Unknown optimizer {name!r}. Known: {', '.join(NAMES)}.")
    tables = {id(module.weight) for module in (model.embedding, model.unembedding)}
    matrices = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    inner = [parameter for parameter in matrices if name == "muon" and id(parameter) not in tables]
    others = [parameter for parameter in matrices if name == "adamw" or id(parameter) in tables]
    gains = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    groups = [{"params": others, "weight_decay": weight_decay}, {"params": gains, "weight_decay": 0.0}]
    optimizers: list[Optimizer] = [AdamW(groups, lr=learning_rate, betas=(0.9, 0.999), fused=True)]
    if inner:
        optimizers.append(Muon(inner, lr=learning_rate, weight_decay=weight_decay))
    return optimizers


def moments(optimizers: list[Optimizer], parameter: Tensor) -> dict[str, Tensor]:
    """What the optimizers remember of a parameter, to read or to fill."""
    owner = next(optimizer for optimizer in optimizers if any(parameter is p for group in optimizer.param_groups for p in group["params"]))
    return owner.state[parameter]
