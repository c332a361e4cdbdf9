"""Figures of training: what is learned when, and what becomes of depth."""

import altair as alt
import pandas as pd

from anira.charts.figure import figure
from anira.charts.style import GREY, by_decider, in_order

SCHEDULE_COLORS = ["#7B61C9", "#1F9BBF", "#8C6D31"]  # none that stands for a decider


@figure
def right_and_deep(frame: pd.DataFrame, max_depth: int, steps: int, phases: dict[str, int]) -> alt.VConcatChart:
    """Exact match above, depth below, over the same training steps: one line a size, thin ones for the seeds if there are several.

    `frame`: decider, run_seed, step, size, exact_match, depth; a menu chooses among several deciders. `steps`: of the whole run.
    `phases`: names and first steps, drawn as rules; all but the last are shaded.
    """
    frame = frame[["decider", "run_seed", "step", "size", "exact_match", "depth"]].round(3)
    deciders = in_order(frame["decider"])
    menu = alt.param(name="trained_with", value=deciders[-1], bind=alt.binding_radio(options=deciders, name="decider "))
    step = alt.X("step:Q", title="training step", axis=alt.Axis(tickCount=5), scale=alt.Scale(domain=[0, steps]))
    starts = list(phases.values())
    marks = alt.Chart(pd.DataFrame({"since": starts, "until": [*starts[1:], None], "phase": phases.keys()}))
    shade = marks.transform_filter("isValid(datum.until)").mark_rect(color=GREY, opacity=0.15).encode(x="since:Q", x2="until:Q")
    rules = marks.mark_rule(strokeDash=[4, 4], color=GREY).encode(x="since:Q")
    early, late = marks.transform_filter(alt.datum.since < steps / 2), marks.transform_filter(alt.datum.since >= steps / 2)
    at_start, at_end = early.mark_text(align="left", baseline="bottom"), late.transform_calculate(since=str(steps)).mark_text(align="right", baseline="bottom")
    names = [text.encode(x="since:Q", y=alt.value(-6), text="phase:N") for text in (at_start, at_end)]
    base = alt.Chart(frame).transform_filter("datum.decider == trained_with") if len(deciders) > 1 else alt.Chart(frame)
    color = alt.Color("size:O", title="size", legend=alt.Legend(orient="bottom"))
    tooltip = ["run_seed:N", "step:Q", "size:O", alt.Tooltip("exact_match:Q", format=".2f"), alt.Tooltip("depth:Q", format=".2f")]

    def panel(value: str, title: str, domain: list[float]) -> alt.LayerChart:
        scale = alt.Scale(domain=domain)
        mean = base.mark_line().encode(x=step, y=alt.Y(f"mean({value}):Q", title=title, scale=scale), color=color)
        each = base.mark_line(strokeWidth=1, point=alt.OverlayMarkDef(size=12))
        each = each.encode(x=step, y=alt.Y(f"{value}:Q", title=title, scale=scale), color=color, detail="run_seed:N", tooltip=tooltip)
        return alt.LayerChart(layer=[shade, rules, mean, each, *names]).properties(width=540, height=170)

    description = "Exact match above and mean iterations on answer tokens below, over training steps, one line a size and training seed."
    chart = alt.vconcat(panel("exact_match", "exact match", [0, 1]), panel("depth", "iterations per answer token", [1, max_depth]), description=description)
    return chart.add_params(menu) if len(deciders) > 1 else chart


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
    runs = base.mark_line(strokeWidth=1).encode(
        x=alt.X("step:Q", title="training step", axis=alt.Axis(tickCount=5)),
        y=alt.Y("depth:Q", title="iterations per answer token", scale=depth),
        color=color,
        detail="run_seed:N",
        tooltip=["decider:N", "run_seed:N", "step:Q", alt.Tooltip("depth:Q", format=".2f"), alt.Tooltip("exact_match:Q", format=".2f")],
    )
    mean = base.mark_line().encode(x="step:Q", y=alt.Y("mean(depth):Q", title="iterations per answer token", scale=depth), color=color)
    description = "Mean iterations on answer tokens over training steps, by decider: a thin line for each training seed, a thick one for their mean."
    return alt.LayerChart(layer=[runs, mean]).add_params(menu).properties(width=540, description=description)


@figure
def right_against_depth(frame: pd.DataFrame) -> alt.Chart:
    """Exact match of trained models against the depth that they spend, one point a run: a colour for each schedule, a shape for each decider.

    `frame`: decider, schedule, run_seed, depth, exact_match.
    """
    _, shape = by_decider(frame)
    shape = shape.legend(orient="top", symbolFillColor=GREY, symbolStrokeColor=GREY)  # a colour stands for a schedule
    schedules = alt.Scale(domain=sorted(frame["schedule"].unique()), range=SCHEDULE_COLORS)
    description = "Exact match of trained models against their mean iterations on answer tokens, one point a training seed, a colour for each schedule."
    return (
        alt.Chart(frame)
        .mark_point(size=90)
        .encode(
            x=alt.X("depth:Q", title="iterations per answer token", scale=alt.Scale(zero=False, padding=12), axis=alt.Axis(tickCount=8)),
            y=alt.Y("exact_match:Q", title="exact match", scale=alt.Scale(domain=[0.5, 1], clamp=True)),
            color=alt.Color("schedule:N", scale=schedules, title=None, legend=alt.Legend(orient="bottom", columns=2)),
            shape=shape,
            tooltip=["decider:N", "schedule:N", "run_seed:N", alt.Tooltip("depth:Q", format=".2f"), alt.Tooltip("exact_match:Q", format=".2f")],
        )
        .properties(width=540, height=220, description=description)
    )


@figure
def order_of_learning(frame: pd.DataFrame) -> alt.LayerChart:
    """The step at which each size got there, one point a run, a line through their means; columns decider, run_seed, size, step."""
    color, shape = by_decider(frame)
    x = alt.X("size:O", title="size of the instance", axis=alt.Axis(labelAngle=0))
    offset = alt.XOffset("decider:N", sort=in_order(frame["decider"]), scale=alt.Scale(paddingOuter=1))
    base = alt.Chart(frame.dropna(subset=["step"])[["decider", "run_seed", "size", "step"]]).encode(x=x, xOffset=offset, color=color)
    points = base.mark_point(size=45).encode(y=alt.Y("step:Q", title="training step"), shape=shape, tooltip=["decider:N", "run_seed:N", "size:O", "step:Q"])
    description = "The first recorded training step at which each size is solved, by decider; one point a training seed, lines through the means."
    return alt.LayerChart(layer=[base.mark_line(strokeWidth=1.5).encode(y="mean(step):Q"), points]).properties(width=540, description=description)
