"""Figures of what trained models do: depth and accuracy against difficulty."""

import altair as alt
import pandas as pd

from anira.charts.style import decider_scale


def _by_size(frame: pd.DataFrame, value: str, low: str, high: str, title: str, domain: tuple[float, float], description: str) -> alt.LayerChart:
    """Lines over sizes with an interval band, one colour a decider; trained sizes are drawn as filled points."""
    deciders = list(frame["decider"].unique())
    base = alt.Chart(frame).encode(
        x=alt.X("size:O", title="size of the instance", axis=alt.Axis(labelAngle=0)),
        color=alt.Color("decider:N", scale=decider_scale(deciders), title="decider"),
    )
    y = alt.Y(f"{value}:Q", title=title, scale=alt.Scale(domain=domain))
    tooltip = ["decider:N", "size:O", *(alt.Tooltip(f"{name}:Q", format=".3f") for name in (value, low, high)), "instances:Q"]
    points = base.mark_point(size=70).encode(
        y=y, tooltip=tooltip, fillOpacity=alt.condition("datum.trained", alt.value(1), alt.value(0)), shape=alt.Shape("decider:N", title="decider")
    )
    band = base.mark_area(opacity=0.2).encode(y=alt.Y(f"{low}:Q", scale=alt.Scale(domain=domain)), y2=f"{high}:Q")
    return alt.layer(band, base.mark_line().encode(y=y), points).properties(description=description)


def depth_by_size(frame: pd.DataFrame, max_depth: int) -> alt.LayerChart:
    """Mean depth on answer tokens over sizes, with its interval.

    `frame`: rows of `anira.analysis.evaluation.evaluate` with two more columns: decider, and trained (bool).
    """
    text = "Mean number of iterations on answer tokens for each size of the instance, by decider, with 95 % intervals."
    return _by_size(frame, "depth", "depth_low", "depth_high", "iterations per answer token", (1, max_depth), text)


def exact_match_by_size(frame: pd.DataFrame) -> alt.LayerChart:
    """Share of wholly right answers over sizes, with its interval; `frame` as for `depth_by_size`."""
    text = "Share of instances whose whole answer is right, for each size, by decider, with 95 % intervals."
    return _by_size(frame, "exact_match", "exact_low", "exact_high", "exact match", (0, 1), text)
