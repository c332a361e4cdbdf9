"""Figures of what trained models do: depth against difficulty, and accuracy against depth."""

import altair as alt
import pandas as pd

from anira.charts.figure import figure
from anira.charts.style import by_decider, hollow_unless
from anira.charts.words import feature, in_order


def _by_size(frame: pd.DataFrame, value: str, low: str, high: str, title: str, domain: tuple[float, float], description: str) -> alt.LayerChart:
    """Lines over sizes with an interval band, one colour a decider; trained sizes are drawn as filled points."""
    color, shape = by_decider(frame)
    base = alt.Chart(frame).encode(x=alt.X("size:O", title="size of the instance", axis=alt.Axis(labelAngle=0)), color=color)
    y = alt.Y(f"{value}:Q", title=title, scale=alt.Scale(domain=domain))
    tooltip = ["decider:N", "size:O", *(alt.Tooltip(f"{name}:Q", format=".3f") for name in (value, low, high)), "instances:Q"]
    points = base.mark_point(size=70, filled=False, strokeWidth=2).encode(y=y, tooltip=tooltip, shape=shape, **hollow_unless("datum.place == 'trained'", color))
    band = base.mark_area(opacity=0.2).encode(y=alt.Y(f"{low}:Q", scale=alt.Scale(domain=domain)), y2=f"{high}:Q")
    return alt.layer(band, base.mark_line().encode(y=y), points).properties(width=420, description=description)


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
    """A menu for each column in `choices` (column → its label), and the filter that they make together."""
    params, filters = [], []
    for column, label in choices.items():
        options = list(frame[column].unique())
        params.append(alt.param(name=f"chosen_{column}", value=options[0], bind=alt.binding_select(options=options, name=f"{label} ")))
        filters.append(f"datum.{column} === chosen_{column}")
    return params, " && ".join(filters) or "true"


def _forest(frame: pd.DataFrame, label: str, title: str, choices: dict[str, str], description: str, tooltip: list[str]) -> alt.LayerChart:
    """A row per label, in it a point with its interval for each decider; a rule at zero; menus choose among the numbers."""
    deciders, order = list(frame["decider"].unique()), list(dict.fromkeys(frame[label]))
    params, chosen = _menus(choices, frame)
    base = alt.Chart(frame).transform_filter(chosen)
    y = alt.Y(f"{label}:N", sort=order, title=None, axis=alt.Axis(labelLimit=150))
    offset = alt.YOffset("decider:N", sort=deciders, scale=alt.Scale(paddingOuter=0.4))
    color, shape = by_decider(frame)
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(strokeDash=[4, 4]).encode(x="zero:Q")
    intervals = base.mark_bar(height=3, opacity=0.6).encode(x=alt.X("low:Q", title=title), x2="high:Q", y=y, yOffset=offset, color=color)
    points = base.mark_point(size=70, opacity=1).encode(
        x=alt.X("estimate:Q", title=title),
        y=y,
        yOffset=offset,
        color=color,
        shape=shape,
        tooltip=[f"{label}:N", "decider:N", *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("estimate", "low", "high")), *tooltip],
    )
    layers = alt.layer(zero, intervals, points)
    return layers.add_params(*params).properties(height=alt.Step(max(11, 24 // len(deciders))), description=description)


@figure
def alignment_by_feature(frame: pd.DataFrame) -> alt.LayerChart:
    """Rank correlation of depth with each feature, one point a decider; menus for method, unit, what is held, and the alignment.

    `frame`: feature, decider, estimate, low, high, seeds · method, unit, held, where: what the menus choose from, in words.
    """
    text = "Rank correlation of depth with each feature of difficulty, by decider, with 95 % intervals."
    choices = {"held": "correlation", "method": "method", "unit": "per", "where": "depth"}
    return _forest(frame, "feature", "correlation with depth", choices, text, ["seeds:Q"])


@figure
def timing_coefficients(frame: pd.DataFrame) -> alt.LayerChart:
    """Regression coefficients, one point a decider; menus for scale, population, size and alignment.

    `frame`: term, decider, estimate, low, high, seeds · scale, population, size, where: what the menus choose from, in words.
    """
    text = "Coefficients of a regression of depth on features of difficulty, by decider, with 95 % intervals."
    choices = {"scale": "coefficients", "population": "instances", "size": "size N", "where": "depth"}
    return _forest(frame, "term", "coefficient", choices, text, ["seeds:Q"])


@figure
def variance_shares(frame: pd.DataFrame) -> alt.LayerChart:
    """What part of the variance of depth each predictor explains; a menu for the two ways of counting.

    `frame`: term, decider, estimate, low, high, seeds · measure, in words.
    """
    text = "Share of the variance of depth that each predictor explains, by decider, with 95 % intervals."
    return _forest(frame, "term", "share of the variance of depth", {"measure": "counted as"}, text, ["seeds:Q"])


def _line(frame: pd.DataFrame, x: alt.X, y: alt.Y, choices: dict[str, str], description: str, tooltip: list[str | alt.Tooltip]) -> alt.LayerChart:
    """A line with its interval band for each decider; menus choose among the numbers."""
    params, chosen = _menus(choices, frame)
    base = alt.Chart(frame).transform_filter(chosen)
    color, shape = by_decider(frame)
    band = base.mark_area(opacity=0.2).encode(x=x, y=alt.Y("low:Q", scale=y["scale"]), y2="high:Q", color=color)
    line = base.mark_line().encode(x=x, y=y, color=color)
    points = base.mark_point(size=60, opacity=1).encode(x=x, y=y, color=color, shape=shape, tooltip=["decider:N", x["shorthand"], *tooltip])
    return alt.layer(band, line, points).add_params(*params).properties(width=420, description=description)


def _numbers(*names: str, format: str = ".3f") -> list[alt.Tooltip]:
    return [alt.Tooltip(f"{name}:Q", format=format) for name in names]


@figure
def depth_by_difficulty(frame: pd.DataFrame, max_depth: int) -> alt.LayerChart:
    """Mean depth over the values of a feature, one line a decider; a menu chooses the feature.

    `frame`: feature, value, decider, estimate, low, high, seeds.
    """
    x = alt.X("value:Q", title="value of the feature", axis=alt.Axis(tickMinStep=1, format="d"))
    y = alt.Y("estimate:Q", title="iterations per answer token", scale=alt.Scale(domain=[1, max_depth], clamp=True))
    text = "Mean iterations on answer tokens over the values of a feature of difficulty, by decider, with 95 % intervals."
    return _line(frame, x, y, {"feature": "feature"}, text, [*_numbers("estimate", "low", "high", format=".2f"), "seeds:Q"])


@figure
def forced_depths(frame: pd.DataFrame) -> alt.LayerChart:
    """Accuracy when answer tokens get another depth than they chose, one line a decider; a menu for which.

    `frame`: change (what the menu chooses from, in words), amount (-2..2 or 1..D), decider, estimate, low, high, depth, seeds.
    """
    x = alt.X("amount:O", title="iterations", axis=alt.Axis(labelAngle=0))
    y = alt.Y("estimate:Q", title="answer tokens right", scale=alt.Scale(domain=[0, 1], clamp=True))
    text = "Share of answer tokens that are right when each gets more or fewer iterations than it chose, by decider, with 95 % intervals."
    return _line(frame, x, y, {"change": "every answer token gets"}, text, [*_numbers("estimate", "low", "high", "depth"), "seeds:Q"])


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
    chart = _line(rows, x, y, {"told": "the probe tells"}, text, _numbers("estimate", "low", "high"))
    return chart.properties(title="What the state shows, iteration by iteration")
