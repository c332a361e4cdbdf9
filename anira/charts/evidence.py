"""Figures of what trained models do: depth against difficulty, and accuracy against depth."""

import json
from typing import Any

import altair as alt
import pandas as pd

from anira.analysis.words import feature, in_order
from anira.charts.figure import figure
from anira.charts.style import by_decider, hollow_unless


def _by_size(frame: pd.DataFrame, value: str, low: str, high: str, title: str, domain: tuple[float, float], description: str) -> alt.LayerChart:
    """Lines over sizes with an interval band, one colour a decider; trained sizes are drawn as filled points."""
    color, shape = by_decider(frame)
    base = alt.Chart(frame).encode(x=alt.X("size:O", title="size of the instance", axis=alt.Axis(labelAngle=0)), color=color)
    y = alt.Y(f"{value}:Q", title=title, scale=alt.Scale(domain=domain))
    tooltip = ["decider:N", "size:O", *(alt.Tooltip(f"{name}:Q", format=".3f") for name in (value, low, high)), "instances:Q"]
    points = base.mark_point(size=70, filled=False, strokeWidth=2).encode(y=y, tooltip=tooltip, shape=shape, **hollow_unless("datum.place == 'trained'", color))
    band = base.mark_area(opacity=0.2).encode(y=alt.Y(f"{low}:Q", scale=alt.Scale(domain=domain)), y2=f"{high}:Q")
    return alt.LayerChart(layer=[band, base.mark_line().encode(y=y), points]).properties(width=420, description=description)


@figure
def depth_by_size(frame: pd.DataFrame, max_depth: int) -> alt.LayerChart:
    """Mean depth on answer tokens over sizes, with its interval.

    `frame`: rows of `anira.evaluation.evaluate.evaluate` with two more columns: decider, and place ("trained" or another).
    """
    text = "Mean number of iterations on answer tokens for each size of the instance, by decider, with 95 % intervals."
    return _by_size(frame, "depth", "depth_low", "depth_high", "iterations per answer token", (1, max_depth), text)


@figure
def exact_match_by_size(frame: pd.DataFrame) -> alt.LayerChart:
    """Share of wholly right answers over sizes, with its interval; `frame` as for `depth_by_size`."""
    text = "Share of instances whose whole answer is right, for each size, by decider, with 95 % intervals."
    return _by_size(frame, "exact_match", "exact_low", "exact_high", "exact match", (0, 1), text)


def _menus(choices: dict[str, str], frame: pd.DataFrame) -> tuple[list[alt.Parameter], str]:
    """A menu for each column in `choices` (column → its label) in which there is a choice, and the filter that they make together."""
    params, filters = [], []
    for column, label in choices.items():
        if frame[column].nunique() == 1:
            continue
        options = list(frame[column].unique())
        params.append(alt.param(name=f"chosen_{column}", value=options[0], bind=alt.binding_select(options=options, name=f"{label} ")))
        filters.append(f"datum.{column} === chosen_{column}")
    return params, " && ".join(filters) or "true"


def _forest(frame: pd.DataFrame, label: str, title: str, choices: dict[str, str], description: str, tooltip: list[str]) -> alt.LayerChart:
    """A row per label, in it a point with its interval for each decider; a rule at zero; menus choose among the numbers."""
    deciders, order = list(frame["decider"].unique()), list(dict.fromkeys(frame[label]))
    params, chosen = _menus(choices, frame)
    base = alt.Chart(frame).transform_filter(chosen)
    y = alt.Y(f"{label}:N", sort=order, title=None, axis=alt.Axis(labelLimit=260))
    offset = alt.YOffset("decider:N", sort=deciders, scale=alt.Scale(paddingOuter=0.4))
    color, shape = by_decider(frame)
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(strokeDash=[4, 4]).encode(x="zero:Q")
    axis = alt.Axis(tickCount=alt.ExprRef("ceil(width / 60)"))  # as many as can bear a label, on a phone too
    intervals = base.mark_bar(height=2).encode(x=alt.X("low:Q", title=title, axis=axis), x2="high:Q", y=y, yOffset=offset, color=color)
    points = base.mark_point(size=70, opacity=1).encode(
        x=alt.X("estimate:Q", title=title),
        y=y,
        yOffset=offset,
        color=color,
        shape=shape,
        tooltip=[
            alt.Tooltip(f"{label}:N", title="difficulty"),
            "decider:N",
            *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("estimate", "low", "high")),
            *tooltip,
        ],
    )
    layers = alt.LayerChart(layer=[zero, intervals, points])
    return layers.add_params(*params).properties(height=alt.Step(max(11, 24 // len(deciders))), description=description)


READINGS = {"predicted": "where the token is predicted", "read": "where the token is read"}


@figure
def alignment_by_feature(frame: pd.DataFrame) -> alt.LayerChart:
    """Rank correlation of depth with each feature, one point a decider; menus for the task, where there are several, for what is held and for where depth is taken.

    `frame`: what `anira.analysis.alignment.alignment_over_seeds` returns; with a column task in words, if it holds several. What is undefined is left out.
    """
    rows = frame.dropna(subset="estimate").assign(reading=frame["reading"].map(READINGS)).rename(columns={"clusters": "seeds"})
    order, several = in_order(rows["feature"]), "task" in rows
    tasks = list(rows["task"].unique()) if several else []
    rows = rows.sort_values("feature", key=lambda names: names.map(order.index), kind="stable")
    rows = rows.sort_values("task", key=lambda names: names.map(tasks.index), kind="stable") if several else rows
    rows = rows.assign(feature=rows["feature"].map(feature)).drop(columns="reason").round(3)
    text = "Rank correlation of expected depth with each difficulty, by decider, means over training seeds with 95 % intervals."
    choices = {"task": "task", "held": "correlation", "reading": "depth"}
    chart = _forest(rows, "feature", "Spearman correlation", {name: words for name, words in choices.items() if name in rows}, text, ["seeds:Q"])
    return chart.properties(title="Does depth go with difficulty?")


@figure
def timing_coefficients(frame: pd.DataFrame) -> alt.LayerChart:
    """Coefficients of the regression of depth, one point a decider; menus for their unit, for where depth is taken and for how the size enters.

    `frame`: what `anira.analysis.regressions.regressions` returns; its measures of importance are left out.
    """
    units = {"coefficient": "iterations for one more", "standardized": "standard deviations"}
    rows = _terms(frame[frame["quantity"].isin(units)], units)
    text = "Coefficients of a regression of expected depth on difficulties and size, by decider, means over training seeds with 95 % intervals."
    choices = {"unit": "in", "reading": "depth", "size": "size N as"}
    chart = _forest(rows, "term", "coefficient, others held fixed", choices, text, ["seeds:Q"])
    return chart.properties(title="What one more of each brings")


@figure
def variance_shares(frame: pd.DataFrame) -> alt.LayerChart:
    """How important each predictor of depth is; menus for three ways of counting and for where depth is taken.

    `frame`: what `anira.analysis.regressions.regressions` returns; the size enters as categories, and coefficients are left out.
    """
    units = {"share": "in all orders (LMG)", "left out": "when left out (ΔR²)", "alone": "by itself (R²)"}
    rows = _terms(frame[frame["quantity"].isin(units) & (frame["size"] == "categories")], units)
    text = "Share of the variance of expected depth that each predictor explains, by decider, means over training seeds with 95 % intervals."
    chart = _forest(rows, "term", "share of the variance of E[d]", {"unit": "counted", "reading": "depth"}, text, ["seeds:Q"])
    return chart.properties(title="How important each is")


def _terms(rows: pd.DataFrame, units: dict[str, str]) -> pd.DataFrame:
    """Rows of regressions in words: the paper's reading first, terms in the order of the features, units in that of `units`."""
    known, terms = list(units), in_order(rows["term"])
    place = {"quantity": known.index, "size": ["categories", "a number"].index, "reading": ["read", "predicted"].index, "term": terms.index}
    rows = rows.sort_values(["quantity", "size", "reading", "term"], key=lambda names: names.map(place[names.name]), kind="stable")
    rows = rows.assign(unit=rows["quantity"].map(units), reading=rows["reading"].map(READINGS), term=rows["term"].map(feature))
    return rows.drop(columns=["reason", "quantity"]).rename(columns={"clusters": "seeds"}).round(4)


def _line(frame: pd.DataFrame, x: alt.X, y: alt.Y, choices: dict[str, str], description: str, tooltip: list[str | alt.Tooltip]) -> alt.LayerChart:
    """A line with its interval band for each decider; menus choose among the numbers."""
    params, chosen = _menus(choices, frame)
    base = alt.Chart(frame).transform_filter(chosen)
    color, shape = by_decider(frame)
    band = base.mark_area(opacity=0.2).encode(x=x, y=alt.Y("low:Q", scale=y["scale"]), y2="high:Q", color=color)
    line = base.mark_line().encode(x=x, y=y, color=color)
    points = base.mark_point(size=60, opacity=1).encode(x=x, y=y, color=color, shape=shape, tooltip=["decider:N", x["shorthand"], *tooltip])
    return alt.LayerChart(layer=[band, line, points]).add_params(*params).properties(width=420, description=description)


def _numbers(*names: str, format: str = ".3f") -> list[str | alt.Tooltip]:
    return [alt.Tooltip(f"{name}:Q", format=format) for name in names]


@figure
def depth_by_difficulty(frame: pd.DataFrame, max_depth: int) -> alt.LayerChart:
    """Mean depth over the values of a difficulty, one line a decider; a menu chooses the difficulty.

    `frame`: feature, value, decider, and the columns of `anira.analysis.intervals` over seeds.
    """
    order = in_order(frame["feature"])
    rows = frame.sort_values("feature", key=lambda names: names.map(order.index), kind="stable")
    rows = rows.assign(feature=rows["feature"].map(feature)).drop(columns="reason").rename(columns={"clusters": "seeds"}).round(3)
    x = alt.X("value:Q", title=None, axis=alt.Axis(tickMinStep=1, format="d"))
    y = alt.Y("estimate:Q", title="iterations for an answer token", scale=alt.Scale(domain=[1, max_depth], clamp=True))
    text = "Mean iterations of answer tokens over the values of a difficulty, by decider, with 95 % intervals over training seeds."
    chart = _line(rows, x, y, {"feature": "difficulty"}, text, [*_numbers("estimate", "low", "high", format=".2f"), "seeds:Q"])
    menu = "chosen_feature" if len(order) > 1 else json.dumps(feature(order[0]))
    axis: Any = {"orient": "bottom", "anchor": "middle", "fontSize": 12, "fontWeight": "normal", "offset": 4}
    return chart.properties(title=alt.TitleParams(alt.expr(menu), **axis))  # the title of an axis cannot follow a menu, that of a chart can


@figure
def told_by_state(frame: pd.DataFrame) -> alt.LayerChart:
    """What a probe can tell from the state after each iteration, one line a decider; a menu for what it tells.

    `frame`: R² of probes, as `anira probe` writes them: feature, iteration (0..D), decider, estimate, low, high. What is undefined is left out.
    """
    rows = frame.dropna(subset="estimate")
    order = in_order(rows["feature"])
    rows = rows.sort_values("feature", key=lambda names: names.map(order.index), kind="stable")
    rows = rows.assign(told=rows["feature"].map(feature))[["told", "iteration", "decider", "estimate", "low", "high"]].round(3)
    x = alt.X("iteration:O", title="iterations behind the state (0: before the first)", axis=alt.Axis(labelAngle=0))
    y = alt.Y("estimate:Q", title="R² of the probe, beyond size and place", scale=alt.Scale(domain=[0, 1], clamp=True))
    text = "Share of what size and place leave unexplained that a probe can tell from the state after each iteration, by decider, with 95 % intervals."
    return _line(rows, x, y, {"told": "the probe tells"}, text, _numbers("estimate", "low", "high"))
