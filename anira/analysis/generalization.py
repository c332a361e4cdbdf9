"""What models keep where they were not trained: sizes between and beyond, other graphs, more iterations than D.

Works on rows of `anira.evaluation.generalize` of several models, with two more columns, decider and run_seed, as
`anira evaluate` writes them.
"""

import numpy as np
import pandas as pd

from anira.analysis.frames import check_table
from anira.analysis.intervals import COLUMNS, over_seeds


def own_conditions(table: pd.DataFrame) -> pd.DataFrame:
    """The rows on the graphs and with the largest depth that each model was trained with, as the column `own` says."""
    return check_table(table, ["own"])[table["own"]]


def beyond(table: pd.DataFrame, where: str = "beyond") -> pd.DataFrame:
    """What each model keeps at the sizes of one place, "beyond" or "between" the trained ones.

    `table`: rows as `own_conditions` gives. One row a model: decider, run_seed and

    - exact_trained, depth_trained: at the largest trained size, or for "between" the mean over trained sizes
      next to those left out
    - exact, depth: mean over the sizes of that place
    - retained: exact / exact_trained, NaN if nothing was right to begin with
    - drop: exact_trained - exact
    - growth: depth - depth_trained, in iterations
    - slope: least-squares slope of depth on size over the sizes of that place and the largest trained one, in
      iterations per unit of size, NaN with a single one

    A model without sizes in that place has no row.
    """
    check_table(table, ["decider", "run_seed", "size", "place", "exact_match", "depth"])
    rows = []
    for (decider, run_seed), frame in table.groupby(["decider", "run_seed"], sort=False):
        there, trained = frame[frame["place"] == where], frame[frame["place"] == "trained"]
        if there.empty or trained.empty:
            continue
        if where == "between":
            distance = np.abs(trained["size"].to_numpy()[:, None] - there["size"].to_numpy()).min(1)
            reference = trained[distance == 1] if (distance == 1).any() else trained
        else:
            reference = trained[trained["size"] == trained["size"].max()]
        exact_trained, depth_trained = reference["exact_match"].mean(), reference["depth"].mean()
        exact, depth = there["exact_match"].mean(), there["depth"].mean()
        line = pd.concat([reference, there])
        rows.append(
            {
                "decider": decider,
                "run_seed": run_seed,
                "exact_trained": exact_trained,
                "depth_trained": depth_trained,
                "exact": exact,
                "depth": depth,
                "retained": exact / exact_trained if exact_trained else np.nan,
                "drop": exact_trained - exact,
                "growth": depth - depth_trained,
                "slope": np.polyfit(line["size"], line["depth"], 1)[0] if line["size"].nunique() > 1 else np.nan,
            }
        )
    return pd.DataFrame(rows, columns=["decider", "run_seed", "exact_trained", "depth_trained", "exact", "depth", "retained", "drop", "growth", "slope"])


def slopes(table: pd.DataFrame) -> pd.DataFrame:
    """How depth changes over the trained sizes: one row a model, decider, run_seed, slope per unit of size and range (last minus first)."""
    check_table(table, ["decider", "run_seed", "size", "place", "depth"])
    rows = []
    for (decider, run_seed), frame in table[table["place"] == "trained"].groupby(["decider", "run_seed"], sort=False):
        frame = frame.sort_values("size")
        slope = np.polyfit(frame["size"], frame["depth"], 1)[0] if len(frame) > 1 else np.nan
        change = frame["depth"].iloc[-1] - frame["depth"].iloc[0] if len(frame) > 1 else np.nan
        rows.append({"decider": decider, "run_seed": run_seed, "slope": slope, "range": change})
    return pd.DataFrame(rows, columns=["decider", "run_seed", "slope", "range"])


def paired(table: pd.DataFrame, value: str, one: str, other: str) -> pd.DataFrame:
    """`one` minus `other`, seed by seed, for the seeds that both deciders have; columns run_seed and difference.

    A seed gives both the same trunk to start from and the same instances, so the difference is the decider's.
    """
    check_table(table, ["decider", "run_seed"])
    wide = table.pivot_table(index="run_seed", columns="decider", values=value, aggfunc="mean", dropna=False)
    if one not in wide or other not in wide:
        return pd.DataFrame({"run_seed": [], "difference": []})
    return (wide[one] - wide[other]).dropna().rename("difference").reset_index()


def left_out(whole: pd.DataFrame, without: pd.DataFrame) -> pd.DataFrame:
    """What it costs to leave a size out of training: exact match at that size with it, without it, and the difference, seed by seed.

    whole, without: rows as `own_conditions` gives, of one recipe with and without the sizes whose place in `without` is
    "between". Columns: decider, trained ("with the size", "without it", "lost"), and those of an estimate over seeds.
    """
    gap = without[without["place"] == "between"]
    rows = []
    for decider, ours in gap.groupby("decider", sort=False):
        theirs = whole[(whole["decider"] == decider) & whole["size"].isin(ours["size"])]
        both = pd.DataFrame({"with the size": theirs.groupby("run_seed")["exact_match"].mean(), "without it": ours.groupby("run_seed")["exact_match"].mean()})
        both = both.dropna().assign(lost=lambda seeds: seeds["with the size"] - seeds["without it"])
        for name, values in both.items():
            rows.append({"decider": decider, "trained": name, **over_seeds(values, bounds=(-1, 1) if name == "lost" else (0, 1))})
    return pd.DataFrame(rows, columns=["decider", "trained", *COLUMNS])
