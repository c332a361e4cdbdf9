"""Figures of what models do where they were not trained, and of what each stopping rule buys."""

import math
from typing import Any

import altair as alt
import pandas as pd

from anira.charts.figure import figure
from anira.charts.style import SPARE_COLORS, by_dash, by_decider, hollow_unless, in_order

MEASURES = {"exact_match": "exact match", "token_accuracy": "share of answer tokens that are right", "depth": "iterations per answer token"}

FAMILY_WORDS = {
    "physics": "as in training",
    "chains": "chains",
    "tree": "trees",
    "layered": "layers",
    "sparse": "few arrows",
    "dense": "many arrows",
    "hubs": "hubs",
}


@figure
def unseen_sizes(frame: pd.DataFrame, measure: str, knob: str, guess: float | None = None, dashed: str | None = None) -> alt.LayerChart:
    """A measure over sizes, by decider: a point for each seed, filled where the size was trained, and a line through the means.

    `frame`: decider, run_seed, size, place and the measure, one of `MEASURES`. `knob`: what size is, in words. `guess`: what a
    guess would get, drawn as a dashed line. `dashed`: a column by which models differ besides; lines are solid for the value
    that comes first and dashed for the other.
    """
    color, shape = by_decider(frame)
    others = [dashed] if dashed else []
    order, title = in_order(frame["decider"]), MEASURES[measure]
    shares = alt.Scale(domain=[0, 1]) if measure != "depth" else alt.Scale(zero=False)
    y = alt.Y(f"{measure}:Q", title=title, scale=shares)
    base = alt.Chart(frame[["decider", "run_seed", "size", "place", *others, measure]].round(4)).encode(
        x=alt.X("size:O", title=knob, axis=alt.Axis(labelAngle=0)), xOffset=alt.XOffset("decider:N", sort=order, scale=alt.Scale(paddingOuter=1)), color=color
    )
    points = base.mark_point(size=45, filled=False, strokeWidth=1.5).encode(
        y=y,
        shape=shape,
        **hollow_unless("datum.place == 'trained'", color),
        tooltip=["decider:N", "run_seed:N", *(f"{name}:N" for name in others), "size:O", "place:N", alt.Tooltip(f"{measure}:Q", format=".2f")],
    )
    means = base.mark_line(strokeWidth=1.5).encode(y=alt.Y(f"mean({measure}):Q", title=title, scale=shares))
    if dashed:
        means = means.encode(strokeDash=by_dash(dashed, list(frame[dashed].unique()), title=dashed, columns=1))
    layers = [means, points]
    if guess is not None:
        layers.insert(0, alt.Chart(pd.DataFrame({"guess": [guess]})).mark_rule(strokeDash=[5, 4], color="#8a8f98").encode(y="guess:Q"))
    description = f"{title.capitalize()} over sizes, by decider: a point for each training seed, filled for trained sizes, and a line through the means."
    return alt.LayerChart(layer=[*layers]).properties(width=540, height=260, description=description)


@figure
def families(frame: pd.DataFrame, trained: str) -> alt.VConcatChart:
    """Exact match on each family of graphs, and below it the depth, by decider, a point for each seed; a slider chooses the size.

    `frame`: family, decider, run_seed, size, exact_match, depth. `trained`: the family trained on, which stands first. Depth is
    drawn of those who decide.
    """
    sizes = sorted(int(size) for size in frame["size"].unique())
    slider = alt.param(name="family_size", value=8, bind=alt.binding_range(min=sizes[0], max=sizes[-1], step=1, name="nodes "))
    names = [trained, *(name for name in FAMILY_WORDS if name != trained and name in set(frame["family"]))]
    frame = frame.assign(graphs=frame["family"].map(FAMILY_WORDS))[["graphs", "decider", "run_seed", "size", "exact_match", "depth"]].round(4)
    deciding = frame[frame.groupby("decider")["depth"].transform("nunique") > 1]
    color, shape = by_decider(frame)

    def panel(rows: pd.DataFrame, value: str, scale: alt.Scale) -> alt.Chart:
        x = alt.X(f"{value}:Q", title=MEASURES[value], scale=scale)
        y = alt.Y("graphs:N", sort=[FAMILY_WORDS[name] for name in names], title=None)
        tooltip = ["graphs:N", "decider:N", "run_seed:N", "size:O", alt.Tooltip(f"{value}:Q", format=".2f")]
        points = alt.Chart(rows).transform_filter("datum.size == family_size").mark_point(size=50)
        offset = alt.YOffset("decider:N", sort=in_order(rows["decider"]))
        return points.encode(x=x, y=y, yOffset=offset, color=color, shape=shape, tooltip=tooltip).properties(width=480, height=alt.Step(9))

    depths = alt.Scale(domain=[float(deciding["depth"].min()), float(deciding["depth"].max())], nice=True)
    description = (
        "Exact match on each family of graphs, and iterations per answer token, by decider, for the chosen number of nodes: a point for each training seed."
    )
    both = alt.vconcat(panel(frame, "exact_match", alt.Scale(domain=[0, 1])), panel(deciding, "depth", depths), description=description)
    return both.add_params(slider)


@figure
def more_iterations(frame: pd.DataFrame) -> alt.LayerChart:
    """Exact match against the largest depth allowed, by decider, with intervals over seeds; a slider chooses the size.

    `frame`: decider, max_depth, size, estimate, low, high.
    """
    sizes = sorted(int(size) for size in frame["size"].unique())
    slider = alt.param(name="allowed_size", value=sizes[-1], bind=alt.binding_range(min=sizes[0], max=sizes[-1], step=1, name="nodes "))
    color, shape = by_decider(frame)
    x = alt.X("max_depth:O", title="largest depth allowed", axis=alt.Axis(labelAngle=0))
    base = alt.Chart(frame).transform_filter("datum.size == allowed_size").encode(x=x, color=color)
    scale = alt.Scale(domain=[0, 1])
    tooltip = ["decider:N", "size:O", "max_depth:Q", *(alt.Tooltip(f"{name}:Q", format=".2f") for name in ("estimate", "low", "high"))]
    bars = base.mark_rule(strokeWidth=2).encode(y=alt.Y("low:Q", title="exact match", scale=scale), y2="high:Q")
    points = base.mark_point(size=70).encode(y=alt.Y("estimate:Q", title="exact match", scale=scale), tooltip=tooltip, shape=shape)
    description = "Exact match against the largest number of iterations allowed, fewer or more than in training, by decider, for the chosen number of nodes."
    return (
        alt.LayerChart(layer=[bars, base.mark_line().encode(y="estimate:Q"), points])
        .add_params(slider)
        .properties(width=540, height=220, description=description)
    )


@figure
def frontier(frame: pd.DataFrame) -> alt.LayerChart:
    """Exact match against operations for each stopping rule, by decider; a menu chooses the size.

    `frame`: decider, rule, kind ("decider" or "uniform"), size (a number or "all"), flops_share, depth, exact_match, low,
    high, efficient (bool). Uniform depths are joined by a dashed line, rules of the decider by a solid one.
    """
    sizes = list(dict.fromkeys(frame["size"]))
    menu = alt.param(name="rule_size", value=sizes[0], bind=alt.binding_select(options=sizes, name="size "))
    color, _ = by_decider(frame)
    kinds: dict[str, Any] = {"scale": alt.Scale(domain=["decider", "uniform"]), "title": "depth by", "legend": alt.Legend(orient="top")}
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
    return alt.LayerChart(layer=[lines, points]).add_params(menu).properties(description=description)


@figure
def operators(frame: pd.DataFrame) -> alt.LayerChart:
    """Depth on MANO's operators over the size of the subtree just completed, one colour for each number of slots left.

    `frame`: model, decider, run_seed, slots_left, completed_size, estimate, low, high, tokens; a menu chooses the model.
    """
    models = frame.drop_duplicates("model")
    words = [f"{decider}, seed {seed}" for decider, seed in zip(models["decider"], models["run_seed"], strict=True)]
    menu = alt.param(name="operators_of", value=models["model"].iloc[0], bind=alt.binding_select(options=list(models["model"]), labels=words, name="model "))
    base = alt.Chart(frame).transform_filter("datum.model == operators_of").encode(
        x=alt.X("completed_size:O", title="tokens of the part just completed", axis=alt.Axis(labelAngle=0)),
        color=alt.Color("slots_left:N", title="slots left", scale=alt.Scale(domain=[0, 1, 2], range=list(SPARE_COLORS[:3]))),
    )  # fmt: skip
    lowest, highest = math.floor(2 * frame["low"].min()) / 2, math.ceil(2 * frame["high"].max()) / 2
    scale = alt.Scale(domain=[lowest, max(highest, lowest + 0.5)], nice=False)  # half an iteration at least: a difference of hundredths looks like one
    tooltip = ["slots_left:O", "completed_size:O", "tokens:Q", *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("estimate", "low", "high"))]
    rules = base.mark_rule(strokeWidth=2).encode(y=alt.Y("low:Q", title="expected iterations, E[d]", scale=scale), y2="high:Q")
    points = base.mark_point(size=80).encode(
        y=alt.Y("estimate:Q", title="expected iterations, E[d]", scale=scale),
        tooltip=tooltip,
        shape=alt.Shape("slots_left:N", title="slots left", scale=alt.Scale(domain=[0, 1, 2])),
    )
    description = "Mean expected depth on the operators of MANO's question, by operand slots left and size of the subtree just completed, with 95 % intervals."
    return alt.LayerChart(layer=[rules, points]).add_params(menu).properties(width=320, height=220, description=description)
