"""Need and spending: how many iterations an answer token needs, beside how many it gets.

The *need* of a token is the least depth from which on the model's own prediction of it stays right, up to D. It has two definitions, which differ
because later tokens read the states of earlier ones: the depth of this token *alone* is changed, all others being as chosen; or that of all
answer tokens at once, *together*. Everything here reads what `anira.evaluation.readout.readouts` makes: one row per answer token and iteration.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from anira.analysis.alignment import alignment
from anira.analysis.frames import by_model, check_table
from anira.analysis.intervals import COLUMNS, clustered_mean, over_seeds

TOKEN = ["instance", "size", "position", "place", "depth", "expected_depth"]
DEFINITIONS = {"alone": "right", "together": "right_together"}
BOUNDS = {"spent": (1, np.inf), "needed": (1, np.inf), "size": (-1, 1), "need": (-1, 1), "need beyond": (-1, 1)}  # all others are shares
BINS = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0)


def check_readouts(table: pd.DataFrame) -> pd.DataFrame:
    """The readouts of one model, in order, or a `ValueError` that says what they lack."""
    check_table(table, [*TOKEN, "iteration", *DEFINITIONS.values(), "said", "passed"])
    table = table.sort_values(["instance", "position", "iteration"], ignore_index=True)
    counts = table.groupby(["instance", "position"])["iteration"].agg(["size", "nunique", "max"])
    if (counts["size"] != counts["nunique"]).any():
        raise ValueError("Some iterations of a token are there twice: take the models of a larger frame one by one (`by_model`).")
    if (counts["size"] != table["iteration"].max()).any() or (counts["max"] != counts["size"]).any():
        raise ValueError(f"Every token has one row for each iteration 1 to {table['iteration'].max()}, but some iterations are missing.")
    return table


def needs(readouts: pd.DataFrame) -> pd.DataFrame:
    """One row per answer token of one model.

    Columns: those of the token in `readouts`, and

    - need, need_together: least depth from which on its prediction stays right up to D, when it alone, or when all answer tokens, get that
      depth; NaN if it is wrong with D
    - settled: least depth from which on its prediction, right or wrong, stays the same up to D
    - changes: how often the prediction changes from one iteration to the next
    - lost: it is right after some iteration and wrong with D
    - correct: it is right with the depth it chose
    """
    table = check_readouts(readouts)
    depth = int(table["iteration"].max())
    tokens = table[table["iteration"] == 1].drop(columns=["iteration", "right", "right_together", "said", "confidence", "change", "passed"], errors="ignore")

    def wide(name: str) -> np.ndarray:
        return table[name].to_numpy().reshape(-1, depth)

    def least(holds: np.ndarray) -> np.ndarray:
        """The least depth from which on all hold; D + 1 if the last does not."""
        return depth + 1 - np.flip(np.logical_and.accumulate(np.flip(holds, 1), 1), 1).sum(1)

    columns = {}
    for definition, name in DEFINITIONS.items():
        found = least(wide(name).astype(bool))
        columns["need" if definition == "alone" else "need_together"] = np.where(found > depth, np.nan, found)
    right, said = wide("right").astype(bool), wide("said")
    chosen = tokens["depth"].to_numpy() - 1
    return tokens.assign(
        **columns,
        settled=least(said == said[:, -1:]),
        changes=(said[:, 1:] != said[:, :-1]).sum(1),
        lost=right.any(1) & ~right[:, -1],
        correct=right[np.arange(len(tokens)), chosen],
    ).reset_index(drop=True)


def spending(readouts: pd.DataFrame, *, draws: int = 200, seed: int = 0) -> pd.DataFrame:
    """What one model spends on its answer tokens, and what they need, on the tokens that are right with D.

    Returns:
        Rows with the columns quantity, definition ("alone" or "together"), size ("all" or one) and those of `anira.analysis.intervals`, clustered
        by instance. quantity "spent", "needed": mean iterations; "more": share of tokens that are given more than they need; "size", "need",
        "need beyond": Spearman's correlation of E[d] with the size, with the need, and with the need once size and place are held fixed (size "all" only).
    """
    tokens = needs(readouts)
    rows = []
    for definition, name in (("alone", "need"), ("together", "need_together")):
        known = tokens.dropna(subset=[name])
        if known.empty:
            raise ValueError("No answer token is right with D iterations, so no need is known.")
        parts = [("all", known), *((str(size), part) for size, part in known.groupby("size"))]
        for size, part in parts:
            for quantity, values in (("spent", part["depth"]), ("needed", part[name]), ("more", (part["depth"] > part[name]).astype(float))):
                rows.append(
                    {
                        "quantity": quantity,
                        "definition": definition,
                        "size": size,
                        **clustered_mean(values, part["instance"], bounds=BOUNDS.get(quantity, (0, 1))),
                    }
                )
        asked = {"size": ("size", ()), "need": (name, ()), "need beyond": (name, ("size", "place"))}
        for quantity, (feature, held) in asked.items():
            found = alignment(known, [feature], depth="expected_depth", held=held, draws=draws, seed=seed).query("method == 'spearman'").iloc[0]
            rows.append({"quantity": quantity, "definition": definition, "size": "all", **found[list(COLUMNS)]})
    return pd.DataFrame(rows, columns=["quantity", "definition", "size", *COLUMNS])


def calibration(readouts: pd.DataFrame, bins: Sequence[float] = BINS) -> pd.DataFrame:
    """How often what a model says is already final, by F(d), the probability that its decider has halted by then.

    Final: no later iteration changes it. The last iteration, after which nothing can change, is left out.

    Returns:
        One row per bin of F(d) that has tokens: from (excluded, but for 0), to (included), quantity ("final", or "right"), readouts: how many,
        and the columns of `anira.analysis.intervals`, clustered by instance.
    """
    table = check_readouts(readouts)
    settled = needs(table)[["instance", "position", "settled"]]
    table = table.merge(settled, on=["instance", "position"])
    table = table[table["iteration"] < table["iteration"].max()]
    table = table.assign(final=table["iteration"] >= table["settled"], bin=pd.cut(table["passed"].clip(0, 1), list(bins), include_lowest=True, labels=False))
    rows = []
    for place, part in table.groupby("bin"):
        for quantity in ("final", "right"):
            mean = clustered_mean(part[quantity].astype(float), part["instance"], bounds=(0, 1))
            rows.append({"from": bins[int(place)], "to": bins[int(place) + 1], "quantity": quantity, "readouts": len(part), **mean})
    return pd.DataFrame(rows, columns=["from", "to", "quantity", "readouts", *COLUMNS])


def answers_over_depth(readouts: pd.DataFrame) -> pd.DataFrame:
    """What a model would say after each iteration.

    Returns:
        Rows with the columns iteration, quantity, size ("all" or one) and those of `anira.analysis.intervals`, clustered by instance.
        quantity "right": the correct token; "final": what no later iteration changes; "changed": something else than after the iteration before
        (from the second on); "running": the token has not halted before this iteration.
    """
    table = check_readouts(readouts)
    before = table.groupby(["instance", "position"])["said"].shift()
    settled = table.merge(needs(table)[["instance", "position", "settled"]], on=["instance", "position"])["settled"]
    table = table.assign(
        final=table["iteration"] >= settled, changed=(table["said"] != before).where(before.notna()), running=table["depth"] >= table["iteration"]
    )
    rows = []
    for size, part in [("all", table), *((str(size), part) for size, part in table.groupby("size"))]:
        for iteration, frame in part.groupby("iteration"):
            for quantity in ("right", "final", "changed", "running"):
                if iteration > 1 or quantity != "changed":
                    rows.append(
                        {"iteration": iteration, "quantity": quantity, "size": size, **clustered_mean(frame[quantity].astype(float), frame["instance"])}
                    )
    return pd.DataFrame(rows, columns=["iteration", "quantity", "size", *COLUMNS])


def over_models(readouts: pd.DataFrame, analysis, **options) -> pd.DataFrame:
    """`spending`, `calibration` or `answers_over_depth` of each decider: with one seed its interval over instances, with several that over seeds.

    `readouts` has the columns decider and run_seed. Returns the analysis' rows after the column decider; the column over says what the interval is
    over, "instances" or "seeds".
    """
    each = by_model(readouts, analysis, **options)
    keys = ["decider", *(name for name in each if name not in ("model", "decider", "run_seed", "readouts", *COLUMNS))]
    rows = []
    for key, part in each.groupby(keys, sort=False):
        single, head = len(part) == 1, dict(zip(keys, key, strict=True))
        found = part.iloc[0][list(COLUMNS)] if single else over_seeds(part["estimate"], bounds=BOUNDS.get(head["quantity"], (0, 1)))
        rows.append({**head, **found, "over": "instances" if single else "seeds"})
    return pd.DataFrame(rows, columns=[*keys, *COLUMNS, "over"])
