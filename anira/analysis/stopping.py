"""Which stopping rules are worth their cost: reads what `anira.evaluation.stopping` writes."""

from collections.abc import Iterable

import pandas as pd

from anira.analysis.frames import check_table
from anira.analysis.intervals import over_seeds


def over_sizes(table: pd.DataFrame, by: Iterable[str] = ("decider", "run_seed", "kind", "rule", "threshold")) -> pd.DataFrame:
    """The mean over sizes, each with the same weight, of exact_match, token_accuracy, depth, flops and flops_share: one row a rule and model."""
    values = ["exact_match", "token_accuracy", "depth", "flops", "flops_share"]
    by = list(by)
    check_table(table, [*(name for name in by if name != "threshold"), "size", *values])
    return table.groupby(by, sort=False, dropna=False)[values].mean().reset_index()


def efficient(table: pd.DataFrame, by: Iterable[str] = ("decider", "run_seed")) -> pd.Series:
    """Which rows are on their group's frontier: no other row of the group is at least as right for at most as much, and better in one.

    `table`: one row a rule, as `over_sizes` gives. Returns bool, with the table's index.
    """
    by = list(by)
    check_table(table, [*by, "flops_share", "exact_match"])
    best = pd.Series(False, index=table.index)
    for _, frame in table.groupby(by, sort=False):
        costs, values = frame["flops_share"].to_numpy(), frame["exact_match"].to_numpy()
        as_good = (costs[None] <= costs[:, None]) & (values[None] >= values[:, None])
        better = (costs[None] < costs[:, None]) | (values[None] > values[:, None])
        best[frame.index] = ~(as_good & better).any(1)
    return best


def by_rule(table: pd.DataFrame) -> pd.DataFrame:
    """Each decider's rules over seeds, for each size and, as size "all", their mean over sizes.

    One row a size, decider and rule: size (a string), decider, kind, rule, threshold, passes · exact_match, low, high,
    seeds (interval over seeds, within 0..1, NaN for one) · depth, flops, flops_share (means over seeds) · efficient, see there,
    among the rows of the same size and decider.
    """
    keys = ["decider", "kind", "rule", "threshold", "passes"]
    whole = over_sizes(table, [*keys, "run_seed"]).assign(size="all")
    every = pd.concat([whole, table.assign(size=table["size"].astype(str))], ignore_index=True)
    rows = []
    for key, frame in every.groupby(["size", *keys], sort=False, dropna=False):
        exact = over_seeds(frame["exact_match"], bounds=(0, 1))
        costs = frame[["depth", "flops", "flops_share"]].mean()
        rows.append([*key, exact.value, exact.low, exact.high, exact.clusters, *costs])
    summary = pd.DataFrame(rows, columns=["size", *keys, "exact_match", "low", "high", "seeds", "depth", "flops", "flops_share"])
    return summary.assign(efficient=efficient(summary, ["size", "decider"]))
