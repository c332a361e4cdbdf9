"""What models keep where they were not trained: sizes between and beyond, other graphs, more iterations than D.

Works on rows of `anira.evaluation.generalize` of several models, with two more columns, decider and run_seed, as
`anira evaluate` writes them.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from anira.analysis.frames import check_table
from anira.analysis.intervals import summarize_seeds


def own_conditions(table: pd.DataFrame) -> pd.DataFrame:
    """The rows on the graphs and with the largest depth that each model was trained with, as the column `own` says."""
    return check_table(table, ["own"])[table["own"]]


def by_size(table: pd.DataFrame, value: str, by: Sequence[str] = ("decider",)) -> pd.DataFrame:
    """Mean of a column over seeds for each group and size, with Student's interval over seeds (NaN for one seed).

    Columns: `by`, size, place, and those of `anira.analysis.intervals`.
    """
    check_table(table, [*by, "size", "place", "run_seed", value])
    return summarize_seeds(table, [*by, "size", "place"], value)


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
