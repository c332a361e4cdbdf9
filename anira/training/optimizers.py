"""Which optimizer updates which parameter.

- *adamw* (paper): AdamW for everything; norm gains and biases are not decayed, which would keep attention from
  becoming sharp.
- *muon*: Muon for the matrices inside the layers, AdamW for embedding, unembedding, norm gains and biases. Muon
  orthogonalizes each update; scaled to the size of an AdamW update it takes the same learning rate.
"""

from torch import Tensor, nn
from torch.optim import AdamW, Muon, Optimizer

NAMES = ("adamw", "muon")


def build(model: nn.Module, name: str, learning_rate: float, weight_decay: float) -> list[Optimizer]:
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
        optimizers.append(Muon(inner, lr=learning_rate, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"))
    return optimizers


def moments(optimizers: list[Optimizer], parameter: Tensor) -> dict[str, Tensor]:
    """What the optimizers remember of a parameter, to read or to fill."""
    owner = next(optimizer for optimizer in optimizers if any(parameter is p for group in optimizer.param_groups for p in group["params"]))
    return owner.state[parameter]
