"""How depth is dealt out: how many tokens get which, what it is worth where it is, and whose grows faster with size."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from anira.analysis.frames import check_table
from anira.analysis.intervals import COLUMNS, over_seeds

SHUFFLES = ("chosen", "shuffled in the instance", "shuffled among instances")


def depth_shares(traces: pd.DataFrame, depth: str = "depth") -> pd.DataFrame:
    """What share of the answer tokens gets each depth, for each decider and size, and for all sizes.

    `traces`: rows of `anira trace`, of several models. Returns one row per decider, size ("all" or one) and depth 1..D that any token of
    the frame has: decider, size, depth, seed (of one model, or "all" for the mean over seeds) and the columns of `anira.analysis.intervals`, over seeds.
    """
    check_table(traces, ["decider", "run_seed", "size", depth])
    depths = range(1, int(traces[depth].max()) + 1)
    rows = []
    for size, part in [("all", traces), *((str(size), part) for size, part in traces.groupby("size"))]:
        for decider, frame in part.groupby("decider", sort=False):
            shares = frame.groupby("run_seed")[depth].value_counts(normalize=True).unstack(fill_value=0.0).reindex(columns=depths, fill_value=0.0)
            for value in depths:
                head = {"decider": decider, "size": size, "depth": value}
                rows += [{**head, **row} for row in _seeds_and_mean(shares[value])]
    return pd.DataFrame(rows, columns=["decider", "size", "depth", "seed", *COLUMNS])


def after_shuffling(interventions: pd.DataFrame) -> pd.DataFrame:
    """Exact match of each size with depths as chosen, and dealt out anew within an answer or among answers, the budget unchanged.

    `interventions`: rows of `anira intervene`, of several models. Returns one row per decider, intervention, size and seed, and with seed "all"
    their mean over seeds: decider, intervention, size, seed and the columns of `anira.analysis.intervals`. Intervention "… − chosen" is the
    difference seed by seed.
    """
    check_table(interventions, ["decider", "run_seed", "size", "intervention", "tokens", "right"])
    kept = interventions[interventions["intervention"].isin(SHUFFLES)]
    exact = kept.assign(exact=kept["right"] == kept["tokens"]).groupby(["decider", "run_seed", "size", "intervention"], sort=False)["exact"].mean().unstack()
    missing = [name for name in SHUFFLES if name not in exact]
    if missing:
        raise ValueError(f"The table of interventions has no rows of {', '.join(missing)}.")
    for name in SHUFFLES[1:]:
        exact[f"{name} − chosen"] = exact[name] - exact["chosen"]
    rows = []
    for (decider, size), part in exact.groupby(["decider", "size"], sort=False):
        for intervention in exact:
            values = part[intervention].droplevel(["decider", "size"])
            rows += [
                {"decider": decider, "intervention": intervention, "size": size, **row}
                for row in _seeds_and_mean(values, (-1, 1) if "−" in intervention else (0, 1))
            ]
    return pd.DataFrame(rows, columns=["decider", "intervention", "size", "seed", *COLUMNS])


def crossing(evaluation: pd.DataFrame, one: str = "online", other: str = "early") -> pd.DataFrame:
    """The size at which the depth of `one` overtakes that of `other`, seed by seed, on a straight line between sizes.

    `evaluation`: rows of `anira evaluate` on one graph family. Returns the columns run_seed, size (NaN with a reason where they do not cross exactly
    once) and reason.
    """
    check_table(evaluation, ["decider", "run_seed", "size", "depth"])
    wide = evaluation.pivot_table(index=["run_seed", "size"], columns="decider", values="depth")
    rows = []
    for seed, part in (wide[one] - wide[other]).dropna().groupby("run_seed"):
        sizes, gap = part.index.get_level_values("size").to_numpy(float), part.to_numpy()
        up = np.flatnonzero((gap[:-1] < 0) & (gap[1:] >= 0))
        if len(up) == 1 and not ((gap[:-1] >= 0) & (gap[1:] < 0)).any():
            i = up[0]
            rows.append((seed, sizes[i] - gap[i] * (sizes[i + 1] - sizes[i]) / (gap[i + 1] - gap[i]), ""))
        else:
            reason = (
                f"{one} is {'deeper' if (gap > 0).all() else 'shallower'} at all sizes" if (gap > 0).all() or (gap < 0).all() else "they cross more than once"
            )
            rows.append((seed, np.nan, reason))
    return pd.DataFrame(rows, columns=["run_seed", "size", "reason"])


def _seeds_and_mean(values: pd.Series, bounds: tuple[float, float] = (0, 1)) -> Sequence[dict]:
    """One row for each seed of a series indexed by seed, and one for all."""
    single = [{"seed": str(seed), "estimate": value, "clusters": 1, "reason": "a single seed"} for seed, value in values.items()]
    return [*single, {"seed": "all", **over_seeds(values, bounds=bounds)}]
