"""Figures of training: what is learned when, and what becomes of depth."""

import altair as alt
import pandas as pd

from anira.charts.figure import figure
from anira.charts.style import by_decider, hollow_unless

SCHEDULE_COLORS = ["#6D69CF", "#56B4D3", "#8A6D3B"]  # none that stands for a decider


@figure
def learning_curves(frame: pd.DataFrame) -> alt.Chart:
    """Exact match over training steps, one line a size; columns step, size, exact_match and run (one panel each)."""
    return (
        alt.Chart(frame)
        .mark_line()
        .encode(
            x=alt.X("step:Q", title="optimizer step"),
            y=alt.Y("exact_match:Q", title="exact match", scale=alt.Scale(domain=[0, 1])),
            color=alt.Color("size:O", title="size"),
            column=alt.Column("run:N", title=None),
            tooltip=["run:N", "step:Q", "size:O", alt.Tooltip("exact_match:Q", format=".2f")],
        )
        .properties(width=260, height=220, description="Exact match over training steps for each size, one panel a run.")
    )


@figure
def right_and_deep(frame: pd.DataFrame, max_depth: int, steps: int, phases: dict[str, int]) -> alt.VConcatChart:
    """One run: exact match above, depth below, over the same steps, one line a size.

    `frame`: step, size, exact_match, depth. `steps`: of the whole run. `phases`: names and first steps, drawn as rules.
    """
    step = alt.X("step:Q", title="optimizer step", scale=alt.Scale(domain=[0, steps]))
    marks = alt.Chart(pd.DataFrame({"step": phases.values(), "phase": phases.keys()}))
    rules = marks.mark_rule(strokeDash=[4, 4], color="#8a8f98").encode(x="step:Q")
    names = marks.mark_text(align="left", dx=4, baseline="top", color="#8a8f98").encode(x="step:Q", y=alt.value(2), text="phase:N")

    def panel(value: str, title: str, domain: list[float]) -> alt.LayerChart:
        lines = (
            alt.Chart(frame)
            .mark_line(point=alt.OverlayMarkDef(size=25))
            .encode(
                x=step,
                y=alt.Y(f"{value}:Q", title=title, scale=alt.Scale(domain=domain)),
                color=alt.Color("size:O", title="size"),
                tooltip=["step:Q", "size:O", alt.Tooltip("exact_match:Q", format=".2f"), alt.Tooltip("depth:Q", format=".2f")],
            )
        )
        return alt.layer(rules, lines, names).properties(height=170)

    description = "One training run: exact match above and iterations per answer token below, over training steps, one line a size."
    return alt.vconcat(panel("exact_match", "exact match", [0, 1]), panel("depth", "iterations", [1, max_depth]), description=description)


@figure
def depth_over_training(frame: pd.DataFrame, max_depth: int) -> alt.LayerChart:
    """Depth over training steps, one thin line a run, a thick one for their mean; a menu chooses the size.

    `frame`: decider, run_seed, step, size, depth, exact_match.
    """
    sizes = sorted(int(size) for size in frame["size"].unique())
    menu = alt.param(name="shown", value=sizes[-1], bind=alt.binding_select(options=sizes, name="size "))
    base = alt.Chart(frame).transform_filter("datum.size == shown")
    color, _ = by_decider(frame)
    depth = alt.Scale(domain=[1, max_depth])
    runs = base.mark_line(strokeWidth=1, opacity=0.55).encode(
        x=alt.X("step:Q", title="optimizer step"),
        y=alt.Y("depth:Q", title="iterations per answer token", scale=depth),
        color=color,
        detail="run_seed:N",
        tooltip=["decider:N", "run_seed:N", "step:Q", alt.Tooltip("depth:Q", format=".2f"), alt.Tooltip("exact_match:Q", format=".2f")],
    )
    mean = base.mark_line().encode(x="step:Q", y=alt.Y("mean(depth):Q", title="iterations per answer token", scale=depth), color=color)
    description = "Mean iterations on answer tokens over training steps, by decider: a thin line for each training seed, a thick one for their mean."
    return alt.layer(runs, mean).add_params(menu).properties(description=description)


@figure
def depth_at_the_end(frame: pd.DataFrame, max_depth: int) -> alt.Chart:
    """Depth of trained models for each size, one point a run, hollow where fewer than 90 % of the answers are right, a line through the means of each schedule.

    `frame`: decider (one panel each), schedule, run_seed, size, depth, exact_match.
    """
    schedules = list(frame["schedule"].unique())
    color = alt.Color("schedule:N", scale=alt.Scale(domain=schedules, range=SCHEDULE_COLORS), title=None, legend=alt.Legend(orient="top"))
    size = alt.X("size:O", title="size of the instance", axis=alt.Axis(labelAngle=0))
    scale = alt.Scale(domain=[1, max_depth])
    lines = alt.Chart().mark_line().encode(x=size, y=alt.Y("mean(depth):Q", scale=scale), color=color)
    points = (
        alt.Chart()
        .mark_point(size=50, filled=False, strokeWidth=2)
        .encode(
            x=size,
            y=alt.Y("depth:Q", title="iterations per answer token", scale=scale),
            color=color,
            **hollow_unless("datum.exact_match >= 0.9", color),
            tooltip=["schedule:N", "run_seed:N", "size:O", alt.Tooltip("depth:Q", format=".2f"), alt.Tooltip("exact_match:Q", format=".2f")],
        )
    )
    description = (
        "Mean iterations on answer tokens at the end of training for each size, one panel a decider, a colour for each schedule, a point for each seed."
    )
    layers = alt.layer(lines, points, data=frame).properties(width=220, height=220)
    return layers.facet(column=alt.Column("decider:N", title=None)).properties(description=description)


@figure
def order_of_learning(frame: pd.DataFrame) -> alt.LayerChart:
    """The step at which each size got there, one point a run, a line through their means; columns decider, run_seed, size, step."""
    color, shape = by_decider(frame)
    base = alt.Chart(frame.dropna(subset=["step"])).encode(x=alt.X("size:O", title="size of the instance", axis=alt.Axis(labelAngle=0)), color=color)
    points = base.mark_point(size=60, opacity=0.7).encode(
        y=alt.Y("step:Q", title="optimizer step"), shape=shape, tooltip=["decider:N", "run_seed:N", "size:O", "step:Q"]
    )
    description = "The first recorded training step at which each size is solved, by decider; one point a training seed, lines through the means."
    return alt.layer(base.mark_line().encode(y="mean(step):Q"), points).properties(width=320, description=description)
