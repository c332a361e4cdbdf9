"""What a frame must hold to be analysed: traces, and tables of results.

Everything after the model is a frame. A trace of any other model with per-token depths can be handed to the same
analyses; `check_trace` says what it must hold, and what is wrong with one that does not.
"""

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

#: What every trace has: whose token it is, what it cost, and whether it is right.
REQUIRED = ("instance", "size", "position", "depth", "correct")
DEPTHS = ("depth", "own_depth")  # integers, at least 1
EXPECTED = ("expected_depth", "own_expected_depth")  # real numbers, at least 1
READINGS = {"predicted": "expected_depth", "read": "own_expected_depth"}  # where a token's E[d] is taken
MODEL = ("model", "decider", "run_seed")  # which model a row is from, where a frame holds several


def check_trace(frame: pd.DataFrame, columns: Iterable[str] = ()) -> pd.DataFrame:
    """The trace of one model, fit for analysis, or a `ValueError` that says what is wrong with it and where.

    A trace has one row per answer token and at least the columns instance, size, position, depth (integers, 1 or
    more) and correct; further `columns` are those that an analysis needs, features as a rule. Only features may be
    NaN: where they say nothing about a token. `instance_correct` is added where it is missing.

    >>> check_trace(pd.DataFrame({"instance": [0], "size": [3], "position": [9], "depth": [0], "correct": [True]}))
    Traceback (most recent call last):
    ValueError: Column 'depth' must hold integers from 1, but row 0 has 0.
    """
    if not isinstance(frame, pd.DataFrame):
        raise ValueError(f"A trace is a pandas DataFrame, received {type(frame).__name__}.")
    missing = [name for name in dict.fromkeys([*REQUIRED, *columns]) if name not in frame]
    if missing:
        raise ValueError(f"The trace lacks {', '.join(missing)}; it has {', '.join(map(str, frame.columns))}.")
    if frame.empty:
        raise ValueError("The trace is empty: there is nothing to analyse.")
    frame = frame.reset_index(drop=True)
    for name in [name for name in (*REQUIRED, *DEPTHS, *EXPECTED, "instance_correct") if name in frame]:
        _refuse(frame[name].isna(), frame[name], name, "no missing values")
    for name in dict.fromkeys([*columns, *DEPTHS, *EXPECTED, "size", "position"]):
        if name in frame:
            if not pd.api.types.is_numeric_dtype(frame[name]):
                raise ValueError(f"Column {name!r} must hold numbers, received dtype {frame[name].dtype}.")
            _refuse(np.isinf(frame[name].astype(float)), frame[name], name, "finite numbers")
    for name in [name for name in DEPTHS if name in frame]:
        _refuse((frame[name] < 1) | (frame[name] % 1 != 0), frame[name], name, "integers from 1")
    for name in [name for name in EXPECTED if name in frame]:
        _refuse(frame[name] < 1 - 1e-4, frame[name], name, "expected depths from 1")
    for name in [name for name in ("correct", "instance_correct") if name in frame]:
        _refuse(~frame[name].isin([0, 1]), frame[name], name, "True or False")
    twice = frame.duplicated(["instance", "position"])
    if twice.any():
        row = frame[twice].iloc[0]
        raise ValueError(
            f"{twice.sum()} rows are there twice, the first of them instance {row['instance']}, position {row['position']}. "
            "A trace holds one row per token of one model: take the models of a larger frame one by one (`by_model`)."
        )
    if (frame.groupby("instance")["size"].nunique() > 1).any():
        raise ValueError("An instance has one size, but some have several: instance numbers must differ between sizes.")
    whole = frame["correct"].astype(bool).groupby(frame["instance"]).transform("all")
    if "instance_correct" in frame and (whole != frame["instance_correct"].astype(bool)).any():
        raise ValueError(
            "Column 'instance_correct' contradicts 'correct': an instance is correct when all its answer tokens are. Leave it out to have it made."
        )
    return frame.astype({"correct": bool}).assign(instance_correct=whole)


def by_model(traces: pd.DataFrame, analysis: Callable[..., pd.DataFrame], *arguments, **options) -> pd.DataFrame:
    """An analysis of each model of a frame that holds several: its rows, after the columns that name the model.

    Models are told apart by those of the columns model, decider and run_seed that the frame has. The analysis is called
    with the rows of one model, then `arguments` and `options`.
    """
    keys = [name for name in MODEL if name in traces]
    if not keys:
        raise ValueError(f"The frame says nowhere which model a row is from; it needs one of {', '.join(MODEL)}.")
    frames = []
    for values, part in group_by(traces, keys):
        table = analysis(part.drop(columns=keys), *arguments, **options)
        frames.append(pd.concat([pd.DataFrame([values] * len(table), columns=keys), table.reset_index(drop=True)], axis=1))
    if not frames:
        raise ValueError("The frame is empty: it holds no model.")
    return pd.concat(frames, ignore_index=True)


def group_by(frame: pd.DataFrame, by: Iterable[str]) -> pd.api.typing.DataFrameGroupBy:
    """The frame grouped by some columns, in the order they come, no row of it lost.

    Raises:
        ValueError: a column that is missing, or rows that would vanish because they have no value (NaN) in one of them.
    """
    by = list(by)
    absent = [name for name in by if name not in frame]
    if absent:
        raise ValueError(f"The table lacks the columns {absent}; it has {list(frame.columns)}.")
    for name in by:
        if (holes := frame[name].isna()).any():
            raise ValueError(
                f"Column {name!r} is missing (NaN) in {holes.sum()} of {len(frame)} rows, so nobody can say to which group they belong. Fill it in."
            )
    return frame.groupby(by, sort=False)


def check_table(table: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """The table itself, or a `ValueError` that says what a table of results lacks: rows, columns, or values (NaN)."""
    columns = list(columns)
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise ValueError(f"The table lacks the columns {missing}; it has {list(table.columns)}.")
    if table.empty:
        raise ValueError("The table is empty.")
    holes = [name for name in columns if table[name].isna().any()]
    if holes:
        raise ValueError(f"The table has missing values (NaN) in {holes}.")
    return table


def _refuse(wrong: pd.Series, values: pd.Series, name: str, expected: str) -> None:
    if wrong.any():
        row = wrong.idxmax()
        raise ValueError(f"Column {name!r} must hold {expected}, but row {row} has {values[row]}.")
