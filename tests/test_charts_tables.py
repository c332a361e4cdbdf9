"""Tables for readers say what the frame says, in words."""

import re

import numpy as np
import pandas as pd
import pytest

from anira.analysis.intervals import over_seeds
from anira.charts import table


def test_an_estimate_is_one_column_and_formats_as_it_does_by_itself():
    mean = over_seeds([0.2, 0.3, 0.7], bounds=(0, 1))
    frame = pd.DataFrame([{"decider": "early", **mean}])
    assert table(frame).texts.to_dict("records") == [{"decider": "early", "estimate": f"{mean:.2f}"}]
    assert table(frame, digits=3).texts["estimate"].tolist() == [f"{mean:.3f}"]


def test_nothing_of_python_stands_in_print():
    frame = pd.DataFrame(
        {"a": [True, False], "b": np.array([True, False]), "c": [np.nan, 1.5], "d": [None, "x"], "e": [-0.001, -2.0], "f": [1, 159978000], "g": [[1, 2], ()]}
    )
    rows = table(frame).texts.to_numpy().tolist()
    assert rows == [["yes", "yes", "–", "–", "0.00", "1", "1, 2"], ["no", "no", "1.50", "x", "−2.00", "159,978,000", ""]]


def test_words_name_and_order_the_columns_and_leave_the_others_out():
    frame = pd.DataFrame({"exact_match": [0.5], "depth": [2.0], "n": [3]})
    shown = table(frame, {"depth": "iterations", "exact_match": "right"}, digits={"depth": 1}).texts
    assert list(shown) == ["iterations", "right"] and shown.iloc[0].tolist() == ["2.0", "0.50"]
    with pytest.raises(ValueError, match=r"no columns \['none'\]"):
        table(frame, {"none": "nothing"})


def test_a_named_index_and_levels_of_columns_are_kept():
    frame = pd.DataFrame({"size": [3, 3], "decider": ["early", "online"], "depth": [1.0, 2.0]}).pivot(index="size", columns="decider", values=["depth"])
    assert list(table(frame).texts) == ["size", "depth, early", "depth, online"]


def test_html_is_escaped_and_has_a_heading_for_every_column():
    text = table(pd.DataFrame({"a<b": ["1 < 2"], "c": ["d"]}))._repr_html_()
    assert ">1 &lt; 2</td>" in text and re.findall(r"<th scope='col'[^>]*>([^/]+)</th>", text) == ["a&lt;b", "c"]


def test_an_interval_is_not_broken_over_two_lines():
    assert ">0.50 [0.10,\u00a00.90]</td>" in table(pd.DataFrame({"a": ["0.50 [0.10, 0.90]"]}))._repr_html_()
