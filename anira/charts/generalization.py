"""Figures of what models do where they were not trained, and of what each stopping rule buys."""

import altair as alt
import pandas as pd

from anira.charts.figure import figure
from anira.charts.style import by_decider, depth_scale, hollow_unless


@figure
def unseen_sizes(means: pd.DataFrame, runs: pd.DataFrame) -> alt.LayerChart:
    """A measure over sizes, by decider: mean over seeds with its interval, and each seed; a menu chooses the measure.

    `means`: decider, size, place, measure, estimate, low, high, clusters (seeds). `runs`: decider, run_seed, size,
    measure, value. Trained sizes are drawn as filled points.
    """
    measures = list(dict.fromkeys(means["measure"]))
    menu = alt.param(name="measure_shown", value=measures[0], bind=alt.binding_select(options=measures, name="show "))
    color, shape = by_decider(means)
    x = alt.X("size:O", title="size of the instance", axis=alt.Axis(labelAngle=0))
    base = alt.Chart(means).transform_filter("datum.measure == measure_shown").encode(x=x, color=color)
    y = alt.Y("estimate:Q", title=None)
    tooltip = ["decider:N", "size:O", "place:N", *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("estimate", "low", "high")), "clusters:Q"]
    band = base.mark_area(opacity=0.15, clip=True).encode(y=alt.Y("low:Q", title=None), y2="high:Q")
    points = base.mark_point(size=70, filled=False, strokeWidth=2).encode(y=y, tooltip=tooltip, shape=shape, **hollow_unless("datum.place == 'trained'", color))
    each = (
        alt.Chart(runs)
        .transform_filter("datum.measure == measure_shown")
        .mark_line(strokeWidth=1, opacity=0.4)
        .encode(x=x, y=alt.Y("value:Q", title=None), color=color, detail="run_seed:N")
    )
    description = "A measure of the models over sizes, by decider: mean over training seeds with its 95 % interval, thin lines for each seed, filled points for trained sizes."
    return alt.layer(band, each, base.mark_line().encode(y=y), points).add_params(menu).properties(width=420, description=description)


@figure
def families(frame: pd.DataFrame, trained: str) -> alt.LayerChart:
    """Exact match on each graph family, by decider, with intervals over seeds; a slider chooses the size.

    `frame`: family, decider, size, estimate, low, high. `trained`: the family trained on, which stands first.
    """
    sizes = sorted(int(size) for size in frame["size"].unique())
    slider = alt.param(name="family_size", value=sizes[len(sizes) // 2], bind=alt.binding_range(min=sizes[0], max=sizes[-1], step=1, name="nodes "))
    order = [trained, *sorted(set(frame["family"]) - {trained})]
    color, shape = by_decider(frame)
    base = alt.Chart(frame).transform_filter("datum.size == family_size").encode(y=alt.Y("family:N", sort=order, title=None), yOffset="decider:N", color=color)
    x = alt.X("estimate:Q", title="exact match", scale=alt.Scale(domain=[0, 1]))
    tooltip = ["family:N", "decider:N", "size:O", *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("estimate", "low", "high"))]
    bars = base.mark_rule(strokeWidth=2, clip=True).encode(x=alt.X("low:Q", scale=alt.Scale(domain=[0, 1]), title="exact match"), x2="high:Q")
    points = base.mark_point(size=70).encode(x=x, tooltip=tooltip, shape=shape)
    description = "Exact match on each family of graphs, by decider, for the chosen number of nodes, with 95 % intervals over training seeds."
    return alt.layer(bars, points).add_params(slider).properties(width=340, height=alt.Step(14), description=description)


@figure
def more_iterations(frame: pd.DataFrame) -> alt.LayerChart:
    """Exact match against the largest depth allowed, by decider; a slider chooses the size.

    `frame`: decider, max_depth, size, estimate, low, high, depth (mean iterations spent).
    """
    sizes = sorted(int(size) for size in frame["size"].unique())
    slider = alt.param(name="allowed_size", value=sizes[-1], bind=alt.binding_range(min=sizes[0], max=sizes[-1], step=1, name="size "))
    color, shape = by_decider(frame)
    base = alt.Chart(frame).transform_filter("datum.size == allowed_size").encode(
        x=alt.X("max_depth:Q", title="largest depth allowed", axis=alt.Axis(tickMinStep=1)), color=color
    )  # fmt: skip
    scale = alt.Scale(domain=[0, 1])
    tooltip = ["decider:N", "size:O", "max_depth:Q", *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("estimate", "low", "high", "depth"))]
    band = base.mark_area(opacity=0.15, clip=True).encode(y=alt.Y("low:Q", title="exact match", scale=scale), y2="high:Q")
    points = base.mark_point(size=70).encode(y=alt.Y("estimate:Q", scale=scale), tooltip=tooltip, shape=shape)
    description = "Exact match against the largest number of iterations allowed, at most or beyond that of training, by decider, for the chosen size."
    return alt.layer(band, base.mark_line().encode(y="estimate:Q"), points).add_params(slider).properties(height=220, description=description)


@figure
def frontier(frame: pd.DataFrame) -> alt.LayerChart:
    """Exact match against operations for each stopping rule, by decider; a menu chooses the size.

    `frame`: decider, rule, kind ("decider" or "uniform"), size (a number or "all"), flops_share, depth, exact_match, low,
    high, efficient (bool). Uniform depths are joined by a dashed line, rules of the decider by a solid one.
    """
    sizes = list(dict.fromkeys(frame["size"]))
    menu = alt.param(name="rule_size", value=sizes[0], bind=alt.binding_select(options=sizes, name="size "))
    color, _ = by_decider(frame)
    kinds = {"scale": alt.Scale(domain=["decider", "uniform"]), "title": "depth by", "legend": alt.Legend(orient="top")}
    base = alt.Chart(frame).transform_filter("datum.size == rule_size").encode(color=color)
    x = alt.X("flops_share:Q", title="operations, share of a pass at full depth", axis=alt.Axis(format="%"), scale=alt.Scale(zero=False))
    y = alt.Y("exact_match:Q", title="exact match", scale=alt.Scale(zero=False))
    lines = base.transform_filter("!isValid(datum.passes) || datum.passes == 1").mark_line(opacity=0.6)
    lines = lines.encode(x=x, y=y, order="flops_share:Q", strokeDash=alt.StrokeDash("kind:N", **kinds))
    tooltip = ["decider:N", "rule:N", *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("exact_match", "low", "high", "depth", "flops_share"))]
    points = base.mark_point(size=80, filled=False, strokeWidth=2).encode(
        x=x, y=y, tooltip=tooltip, shape=alt.Shape("kind:N", **kinds), **hollow_unless("datum.efficient", color)
    )
    description = "Exact match against operations for each stopping rule, by decider; filled points are those that no other rule of the same decider beats."
    return alt.layer(lines, points).add_params(menu).properties(description=description)


@figure
def operators(frame: pd.DataFrame) -> alt.LayerChart:
    """Depth on MANO's operators over the size of the subtree just completed, one colour for each number of slots left.

    `frame`: slots_left, completed_size, estimate, low, high, tokens; the model is a column `model`, chosen by a menu.
    """
    models = list(dict.fromkeys(frame["model"]))
    menu = alt.param(name="operators_of", value=models[0], bind=alt.binding_select(options=models, name="model "))
    base = alt.Chart(frame).transform_filter("datum.model == operators_of").encode(
        x=alt.X("completed_size:O", title="tokens of the subtree just completed", axis=alt.Axis(labelAngle=0)),
        color=alt.Color("slots_left:N", title="slots left", scale=alt.Scale(domain=[0, 1, 2], range=depth_scale(6).range[::2])),
    )  # fmt: skip
    tooltip = ["slots_left:O", "completed_size:O", "tokens:Q", *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("estimate", "low", "high"))]
    rules = base.mark_rule(strokeWidth=2).encode(y=alt.Y("low:Q", title="expected depth", scale=alt.Scale(zero=False)), y2="high:Q")
    points = base.mark_point(size=80).encode(
        y="estimate:Q", tooltip=tooltip, shape=alt.Shape("slots_left:N", title="slots left", scale=alt.Scale(domain=[0, 1, 2]))
    )
    description = "Mean expected depth on the operators of MANO's question, by operand slots left and size of the subtree just completed, with 95 % intervals."
    return alt.layer(rules, points).add_params(menu).properties(width=320, height=220, description=description)
