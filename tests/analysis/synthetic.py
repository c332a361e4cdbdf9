"""Traces with known effects: what an analysis must give back."""

import numpy as np
import pandas as pd


def skeleton(rng: np.random.Generator, instances: int, sizes=range(3, 8), tokens=(3, 6)) -> pd.DataFrame:
    """Instances of random size and length, one row per answer token, all of them right."""
    lengths = rng.integers(*tokens, instances)
    instance = np.repeat(np.arange(instances), lengths)
    position = np.arange(len(instance)) - np.repeat(lengths.cumsum() - lengths, lengths) + 10
    size = rng.choice(list(sizes), instances)[instance]
    return pd.DataFrame({"instance": instance, "size": size, "position": position, "depth": 1, "correct": True})


def planted(rng: np.random.Generator, instances: int = 120, coefficients=(0.5, -0.3), per_size=0.2, between=0.5, noise=0.5, **kwargs) -> pd.DataFrame:
    """`expected_depth` linear in a, b and size, with noise that tokens of one instance share and noise of their own.

    a is the instance's own, so that taking tokens for independent must underrate its error; b differs by token, and is
    correlated with a.
    """
    frame = skeleton(rng, instances, **kwargs)
    a = rng.normal(size=instances)[frame["instance"]]
    b = 0.6 * a + 0.8 * rng.normal(size=len(frame))
    depth = 10 + coefficients[0] * a + coefficients[1] * b + per_size * (frame["size"] - 5)
    depth += between * rng.normal(size=instances)[frame["instance"]] + noise * rng.normal(size=len(frame))
    return frame.assign(a=a, b=b, expected_depth=depth)
