"""Depth on the tokens of the question: what a model spends while it only reads.

In MANO the answer is one token, so the work is in the question. The paper looks at operators: those that arrive
when the operator on top of the stack has one operand slot left, just after a subtree was completed.
"""

import numpy as np
import pandas as pd

from anira.analysis.frames import check_table
from anira.analysis.intervals import clustered_mean

OPERATORS = ("+", "-", "×")
VALUE = "own_expected_depth"


def depth_on_operators(trace: pd.DataFrame) -> pd.DataFrame:
    """Mean depth of MANO's operators for each number of slots left and size of the subtree just completed.

    One row a combination: slots_left, completed_size, tokens, and the columns of `anira.analysis.intervals`, clustered
    by instance (the root operator, which finds an empty stack, has slots_left 0).
    """
    operators = _operators(trace)
    rows = []
    for (slots, completed), frame in operators.groupby(["slots_left", "completed_size"]):
        rows.append({"slots_left": int(slots), "completed_size": int(completed), "tokens": len(frame), **clustered_mean(frame[VALUE], frame["instance"])})
    return pd.DataFrame(rows)


def operator_effects(trace: pd.DataFrame) -> pd.Series:
    """The paper's two observations as numbers, in iterations.

    one_slot: mean depth of operators with one slot left, minus that of operators with two · growth: least-squares
    slope of depth on the size of the subtree just completed, among operators with one slot left, per token of the
    subtree. NaN where there is nothing to compare.
    """
    operators = _operators(trace)
    mean = operators.groupby("slots_left")[VALUE].mean()
    one = operators[operators["slots_left"] == 1]
    slope = np.polyfit(one["completed_size"], one[VALUE], 1)[0] if one["completed_size"].nunique() > 1 else np.nan
    return pd.Series({"one_slot": mean.get(1, np.nan) - mean.get(2, np.nan), "growth": slope})


def _operators(trace: pd.DataFrame) -> pd.DataFrame:
    check_table(trace, ["instance", "token"])
    operators = trace[trace["token"].isin(OPERATORS)]
    return check_table(operators, [VALUE, "slots_left", "completed_size"])
