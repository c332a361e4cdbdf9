"""What interventions on depth do to accuracy, paired by instance: reads what `anira.evaluation.interventions` writes."""

import pandas as pd

from anira.analysis.frames import group_by
from anira.analysis.intervals import COLUMNS, clustered_mean

KEYS = ("intervention", "amount")


def effects(table: pd.DataFrame) -> pd.DataFrame:
    """What each intervention does to accuracy, against the chosen depths on the same instances.

    `table`: what `intervene` returns, of one model. One row per intervention and amount: accuracy, the share of answer
    tokens that are right (mean over instances); exact_match · depth, moved: means over instances · and the change in
    accuracy as estimate, low, high, clusters, reason: paired by instance.
    """
    missing = [name for name in ("instance", *KEYS, "tokens", "right", "depth", "moved") if name not in table]
    if missing:
        raise ValueError(f"The table of interventions lacks {', '.join(missing)}.")
    if table.empty or "chosen" not in set(table["intervention"]):
        raise ValueError('There is nothing to compare with: the table has no rows with intervention "chosen".')
    table = table.assign(accuracy=table["right"] / table["tokens"], exact_match=(table["right"] == table["tokens"]).astype(float))
    if table.duplicated(["instance", *KEYS]).any():
        raise ValueError("Some instances are there twice under one intervention: take the models of a larger table one by one (`by_model`).")
    chosen = table[table["intervention"] == "chosen"].set_index("instance")["accuracy"]
    rows = []
    for key, part in group_by(table, KEYS):
        change = part["accuracy"].to_numpy() - chosen.reindex(part["instance"]).to_numpy()
        means = part[["accuracy", "exact_match", "depth", "moved"]].mean()
        rows.append({**dict(zip(KEYS, key, strict=True)), **means, **clustered_mean(change, part["instance"])})
    return pd.DataFrame(rows, columns=[*KEYS, "accuracy", "exact_match", "depth", "moved", *COLUMNS])
