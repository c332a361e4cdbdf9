"""Frames as tables for readers: words instead of names, intervals as text, nothing undefined in print."""

import html
import re
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

import pandas as pd

from anira.analysis.intervals import COLUMNS, Estimate, estimates, in_print

START = "text-align: start"  # notebooks put what stands in a cell at its end, words too


class Table:
    """A table that shows itself: HTML where there is HTML, else text. `texts` is the frame of what it says."""

    def __init__(self, texts: pd.DataFrame) -> None:
        self.texts = texts

    def _repr_html_(self) -> str:
        head = "".join(f"<th scope='col' style='{START}'>{html.escape(name)}</th>" for name in self.texts)
        rows = ("".join(f"<td style='{START}'>{_unbroken(html.escape(text))}</td>" for text in row) for row in self.texts.itertuples(index=False, name=None))
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        name = html.escape("Table of " + ", ".join(self.texts), quote=True)
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f"<div tabindex='0' role='region' aria-label='{name}' style='overflow-x:auto'>{table}</div>"

    def __repr__(self) -> str:
        return self.texts.to_string(index=False)


def table(frame: pd.DataFrame, words: Mapping[str, str] | None = None, *, digits: int | Mapping[str, int] = 2) -> Table:
    """A frame as a table for readers.

    A named index counts as columns. The columns of an estimate become one, "0.61 [0.55, 0.67]"; columns in levels get the
    names of all levels. Yes and no stand for true and false, a dash for what is undefined.

    Args:
        words: headings by column, in the order of the table; columns that are not named are left out. Without it all
            columns, with spaces for underscores.
        digits: after the point, of all numbers that are not whole, or by column.

    Raises:
        ValueError: `words` names a column that the frame has not.

    >>> frame = pd.DataFrame({"decider": ["early"], "estimate": [0.61], "low": [0.55], "high": [0.67], "clusters": [3], "reason": [""]})
    >>> table(frame, {"decider": "who decides", "estimate": "exact match"})
    who decides       exact match
          early 0.61 [0.55, 0.67]
    """
    shown = frame.reset_index() if any(name is not None for name in frame.index.names) else frame.copy()
    if shown.columns.nlevels > 1:
        shown.columns = [", ".join(str(level) for level in name if level != "") for name in shown.columns]
    shown.columns = [str(name) for name in shown.columns]
    if set(COLUMNS) <= set(shown):
        shown = shown.assign(estimate=estimates(shown)).drop(columns=list(COLUMNS[1:]))
    names = dict(words) if words is not None else {name: name.replace("_", " ") for name in shown}
    missing = [name for name in names if name not in shown]
    if missing:
        raise ValueError(f"There are no columns {missing}; the frame has {list(shown)}.")
    places = {name: digits if isinstance(digits, int) else digits.get(name, 2) for name in names}
    return Table(pd.DataFrame({names[name]: [_text(value, places[name]) for value in shown[name]] for name in names}, dtype=object))


def _unbroken(text: str) -> str:
    """No new line within the brackets of an interval."""
    return re.sub(r"\[[^\]]*\]", lambda interval: interval[0].replace(" ", "\u00a0"), text)


def _text(value: Any, digits: int) -> str:
    if isinstance(value, Estimate):
        return f"{value:.{digits}f}"
    if isinstance(value, bool) or type(value).__name__ == "bool_":
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(part, digits) for part in value)
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, Real) and value != value):
        return "–"
    if isinstance(value, Real) and not isinstance(value, Integral):
        return in_print(f"{value:.{digits}f}")
    if isinstance(value, Integral):
        return in_print(f"{value:,}" if abs(int(value)) >= 10_000 else str(value))
    return str(value)
