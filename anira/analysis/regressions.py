"""The paper's regression of every model, in all its readings, over seeds: tables for charts.

`anira.analysis.timing` fits one model in one reading. A reading is where depth is taken (a token is *predicted* at the position before it, and
*read* at its own), and whether the size enters as categories or as a number.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from anira.analysis.frames import READINGS, by_model, check_trace, group_by
from anira.analysis.intervals import COLUMNS, UNBOUNDED, over_seeds
from anira.analysis.surface import PAPER, with_dependents
from anira.analysis.timing import common_correct, decision_timing

SIZES = {"categorical": "categories", "linear": "a number"}
BOUNDS = {"coefficient": UNBOUNDED, "standardized": UNBOUNDED}  # all others are shares of the variance


def regressions(traces: pd.DataFrame, features: Sequence[str] = PAPER) -> pd.DataFrame:
    """The regressions of E[d] on features and size, on the answers that all models of the frame solve.

    Returns:
        One row per decider, reading ("predicted" or "read"), size ("categories" or "a number"), term and quantity, with the columns of
        `anira.analysis.intervals` over seeds. quantity of a term: "coefficient", in iterations for one more; "standardized"; and three measures of its
        importance: "alone", R² of it by itself, "share", its mean gain over all orders (LMG), "left out", what R² loses without it. With term "":
        "R²", and in size "categories" what they add to it over a number, "R² added by categories".
    """
    solved = common_correct(with_dependents(traces) if "dependents" in features else traces)
    rows = []
    for reading, target in READINGS.items():
        for size, words in SIZES.items():
            each = by_model(solved, _of_model, features, target, size)
            for (decider, term, quantity), part in group_by(each, ["decider", "term", "quantity"]):
                estimate = over_seeds(part["estimate"], bounds=BOUNDS.get(quantity, (0, 1)))
                rows.append({"decider": decider, "reading": reading, "size": words, "term": term, "quantity": quantity, **estimate})
    return pd.DataFrame(rows, columns=["decider", "reading", "size", "term", "quantity", *COLUMNS])


def _of_model(frame: pd.DataFrame, features: Sequence[str], target: str, size: str) -> pd.DataFrame:
    """term, quantity and estimate of one model's regression."""
    fit = decision_timing(frame, features, target, size=size, draws=0)
    known = check_trace(frame, [*features, target]).dropna(subset=list(features))
    rows = []
    for row in fit.coefficients.itertuples():
        values = known[row.term].astype(float)
        by = known.groupby("size")[target].transform("mean") if row.term == "size" and size == "categorical" else values
        alone = np.corrcoef(known[target], by)[0, 1] ** 2
        found = {"coefficient": row.coefficient, "standardized": row.standardized, "alone": alone, "share": row.share, "left out": row.gain}
        rows += [(row.term, quantity, value) for quantity, value in found.items() if not np.isnan(value)]
    rows.append(("", "R²", fit.r_squared))
    if size == "categorical":
        rows.append(("", "R² added by categories", max(fit.r_squared - fit.linear_r_squared, 0)))
    return pd.DataFrame(rows, columns=["term", "quantity", "estimate"])
