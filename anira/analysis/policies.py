"""The ladder of policies and the distractors over seeds: tables in, tables out.

`anira.evaluation.policies.ladder` and `anira.evaluation.distractors.distract` make the rows.
"""

import numpy as np
import pandas as pd

from anira.analysis.frames import by_model, check_table
from anira.analysis.intervals import COLUMNS, UNBOUNDED, clustered_mean, over_seeds

COSTS = ["depth", "all_depth", "looks", "flops", "flops_share"]


def by_policy(table: pd.DataFrame) -> pd.DataFrame:
    """Each decider's policies over seeds, for each size and, as size "all", their mean over sizes.

    `table`: rows of `anira ladder`. Returns one row per size (a string), decider, policy and setting: exact_match, low, high, seeds (interval
    over seeds, NaN for one) and depth, all_depth, looks, flops, flops_share (means over seeds).
    """
    keys = ["decider", "policy", "setting"]
    check_table(table, ["decider", "run_seed", "policy", "size", "exact_match", *COSTS])
    whole = table.groupby([*keys, "run_seed"], sort=False, dropna=False)[["exact_match", *COSTS]].mean().reset_index().assign(size="all")
    every = pd.concat([whole, table.assign(size=table["size"].astype(str))], ignore_index=True)
    rows = []
    for key, part in every.groupby(["size", *keys], sort=False, dropna=False):
        exact = over_seeds(part["exact_match"], bounds=(0, 1))
        rows.append([*key, exact["estimate"], exact["low"], exact["high"], exact["clusters"], *part[COSTS].mean()])
    return pd.DataFrame(rows, columns=["size", *keys, "exact_match", "low", "high", "seeds", *COSTS])


def advantage(table: pd.DataFrame, policy: str, over: str, *, size: int | None = None, setting: float | None = None) -> pd.DataFrame:
    """Exact match of one policy less that of another, model by model: decider, run_seed and difference, the mean over sizes or at one size.

    setting: of `over`, where it has several, such as 4 for "answer".
    """
    check_table(table, ["decider", "run_seed", "policy", "size", "exact_match"])
    rows = table if size is None else table[table["size"] == size]
    other = rows[rows["policy"] == over]
    if setting is not None:
        other = other[other["setting"] == setting]
    keys = ["decider", "run_seed"]
    one, other = (part.groupby(keys, sort=False)["exact_match"].mean() for part in (rows[rows["policy"] == policy], other))
    if one.empty or other.empty:
        raise ValueError(f"The table has no rows of {policy if one.empty else over!r}.")
    return (one - other).dropna().rename("difference").reset_index()


def matched_uniform(table: pd.DataFrame, policy: str = "chosen", among: str = "answer", *, weights: str | None = None) -> pd.DataFrame:
    """A policy beside a line through `among` at the same iterations an answer token: decider, run_seed, depth, exact_match, matched, difference.

    matched: exact match, mean over sizes, of the policies `among` (one a number of iterations) at the depth that the policy spends, on a straight
    line between the two settings next to it.

    weights: the decider whose model of the same seed runs them, such as "role"; by default each model itself. Seeds that it lacks are left out.
    """
    keys = ["decider", "run_seed"]
    means = table.groupby([*keys, "policy", "setting"], sort=False, dropna=False)[["exact_match", "depth"]].mean().reset_index()
    rows = []
    lines = {key: part.sort_values("depth") for key, part in means[means["policy"] == among].groupby(keys, sort=False)}
    for key, part in means.groupby(keys, sort=False):
        line = lines.get((weights or key[0], key[1]))
        if line is None:
            continue
        own = part[part["policy"] == policy].iloc[0]
        matched = np.interp(own["depth"], line["depth"], line["exact_match"])
        rows.append([*key, own["depth"], own["exact_match"], matched, own["exact_match"] - matched])
    return pd.DataFrame(rows, columns=[*keys, "depth", "exact_match", "matched", "difference"])


def rise_with_distractors(table: pd.DataFrame, *, largest: int | None = None, depth: str = "expected_depth", draws: int = 300, seed: int = 0) -> pd.DataFrame:
    """How far depth rises with nodes that do not matter, beside really larger graphs. Of one model.

    `table`: what `distract` returns. The really larger graphs' tokens are weighted so that each place in the answer counts as often as in the
    graphs as they are: longer answers are no rise.

    Args:
        largest: the most nodes that a graph may have with those added, such as the most that the model was trained on; by default all that the table has.

    Returns:
        One row per size, nodes added and graph ("dead ends", "apart", "larger"), quantity "rise": mean depth less that of the graphs as they are;
        and of the first two, quantity "share": the rise as a share of that of larger graphs; "exact match". Size "all" and added "all" take
        everything together, each size and number with the same weight. Columns size, added, graph, quantity and those of
        `anira.analysis.intervals`: bootstrap of instances.
    """
    check_table(table, ["graph", "added", "size", "instance", "place", "correct", depth])
    table = table if largest is None else table[table["size"] + table["added"] <= largest]
    own = table[table["graph"] == "as it is"]
    rng = np.random.default_rng(seed)
    sums: dict[tuple, np.ndarray] = {}
    rises: dict[tuple, np.ndarray] = {}
    for size, part in table.groupby("size"):
        places = int(part["place"].max()) + 1
        count = own.loc[own["size"] == size, "instance"].nunique()
        taken = np.vstack([np.ones(count), rng.multinomial(count, np.full(count, 1 / count), size=draws)])  # (draws + 1, instances)
        again = np.vstack([np.ones(count), rng.multinomial(count, np.full(count, 1 / count), size=draws)])
        for key, frame in part.groupby(["graph", "added"]):
            code = frame["instance"].rank(method="dense").astype(int).to_numpy() - 1
            total, number = np.zeros((count, places)), np.zeros((count, places))
            np.add.at(total, (code, frame["place"].to_numpy()), frame[depth].to_numpy(float))
            np.add.at(number, (code, frame["place"].to_numpy()), 1.0)
            weights = again if key[0] == "larger" else taken
            sums[(size, *key)] = np.stack([weights @ total, weights @ number])  # (2, draws + 1, places)
        base = sums[size, "as it is", 0]
        share = base[1] / base[1].sum(1, keepdims=True)
        level = base[0].sum(1) / base[1].sum(1)
        for _, graph, added in [key for key in sums if key[0] == size and key[2]]:
            total, number = sums[size, graph, added]
            with np.errstate(invalid="ignore"):
                mean = np.where(number > 0, total / number, 0)
            weight = share * (number > 0)
            rises[size, added, graph] = (weight * mean).sum(1) / weight.sum(1) - level

    rows = []

    def add(size, added, graph: str, quantity: str, values: np.ndarray) -> None:
        low, high = np.nanquantile(values[1:], [0.025, 0.975])
        row = {"estimate": values[0], "low": low, "high": high, "clusters": own["instance"].nunique(), "reason": ""}
        rows.append({"size": str(size), "added": str(added), "graph": graph, "quantity": quantity, **row})

    cases = {key: [key] for key in rises} | {("all", "all", graph): [key for key in rises if key[2] == graph] for *_, graph in rises}
    for (size, added, graph), keys in cases.items():
        rise = np.mean([rises[key] for key in keys], 0)
        add(size, added, graph, "rise", rise)
        if graph != "larger":
            add(size, added, graph, "share", rise / np.mean([rises[size, added, "larger"] for size, added, _ in keys], 0))
    right = table[~table["graph"].isin(["as it is", "larger"])].groupby(["size", "added", "graph", "instance"])["correct"].all().reset_index()
    parts = [(("all", "all", graph), part) for graph, part in right.groupby("graph")]
    for (size, added, graph), part in [*parts, *right.groupby(["size", "added", "graph"])]:
        exact = clustered_mean(part["correct"].astype(float), part["instance"], bounds=(0, 1))
        rows.append({"size": str(size), "added": str(added), "graph": graph, "quantity": "exact match", **exact})
    return pd.DataFrame(rows, columns=["size", "added", "graph", "quantity", *COLUMNS])


def rises_over_seeds(table: pd.DataFrame, *, largest: int | None = None, depth: str = "expected_depth") -> pd.DataFrame:
    """`rise_with_distractors` of each decider: means over its models, with intervals over seeds.

    `table` has the columns decider and run_seed. Returns the columns decider, size, added, graph, quantity and those of `anira.analysis.intervals`.
    """
    each = by_model(table, rise_with_distractors, largest=largest, depth=depth, draws=2)
    keys = ["decider", "size", "added", "graph", "quantity"]
    rows = []
    for key, part in each.groupby(keys, sort=False):
        head = dict(zip(keys, key, strict=True))
        rows.append({**head, **over_seeds(part["estimate"], bounds=(0, 1) if head["quantity"] == "exact match" else UNBOUNDED)})
    return pd.DataFrame(rows, columns=[*keys, *COLUMNS])
