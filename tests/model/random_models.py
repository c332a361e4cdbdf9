"""Small float64 models with random weights, for tests that compare two ways to compute the same."""

import torch

from anira.model.anira import Anira, Config
from anira.model.deciders import DECIDERS


def random_model(generator: torch.Generator, decider: str | None = None) -> Anira:
    """A small float64 model whose weights are large enough for every depth to occur."""
    heads, head_width, hidden, max_depth = (int(torch.randint(low, high, (1,), generator=generator)) for low, high in ((1, 4), (1, 4), (3, 20), (1, 8)))
    decider = decider or list(DECIDERS)[int(torch.randint(0, 3, (1,), generator=generator))]
    config = Config(vocabulary=7, decider=decider, max_depth=max_depth, width=2 * heads * head_width, hidden=hidden, heads=heads, decider_hidden=9)
    model = Anira(config).initialize(generator).double()
    for parameter in model.parameters():
        parameter.data += 0.4 * torch.randn(parameter.shape, generator=generator, dtype=torch.double)
    model.decider.deepen(float(torch.rand(1, generator=generator)))
    return model
