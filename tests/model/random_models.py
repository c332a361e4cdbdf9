"""Small float64 models with random weights, for tests that compare two ways to compute the same."""

import torch

from anira.model.anira import Anira, Config
from anira.model.deciders import DECIDERS

SPARSE = [name for name, decider in DECIDERS.items() if not decider.reads_answer]  # those that every execution takes
ANSWER = 2  # the token with which an answer begins


def random_model(generator: torch.Generator, decider: str | None = None, max_depth: int | None = None) -> Anira:
    """A small float64 model whose weights are large enough for every depth to occur."""
    heads, head_width, hidden, drawn_depth = (int(torch.randint(low, high, (1,), generator=generator)) for low, high in ((1, 4), (1, 4), (3, 20), (1, 8)))
    max_depth = max_depth or drawn_depth
    decider = decider or SPARSE[int(torch.randint(0, len(SPARSE), (1,), generator=generator))]
    width = 2 * heads * head_width
    config = Config(vocabulary=7, decider=decider, max_depth=max_depth, width=width, hidden=hidden, heads=heads, decider_hidden=9, answer_token=ANSWER)
    model = Anira(config).initialize(generator).double()
    model.decider.deepen(float(torch.rand(1, generator=generator)))
    for parameter in model.parameters():
        parameter.data += 0.4 * torch.randn(parameter.shape, generator=generator, dtype=torch.double)
    return model
