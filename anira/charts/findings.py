"""Figures of what decides depth and what it is worth: surface and content, distractors, need, policies, calibration, answers over depth."""

import json

import altair as alt
import pandas as pd

from anira.analysis.words import feature as in_words
from anira.charts.figure import figure
from anira.charts.style import by_dash, by_decider

SHARE = alt.Scale(domain=[0, 1], clamp=True)


def _panel(rows: pd.DataFrame) -> int:
    """How wide the panel of a decider is, so that those of all stand side by side in a page's text."""
    panels = rows["decider"].nunique()
    return (625 - 20 * (panels - 1)) // panels


def _interval(*names: str, format: str = ".3f") -> list[alt.Tooltip]:
    return [alt.Tooltip(f"{name}:Q", format=format) for name in ("estimate", "low", "high", *names)]


@figure
def surface_and_content(frame: pd.DataFrame) -> alt.LayerChart:
    """What share of depth is explained by the surface of the prompt, and of the rest by content: a dot for each seed, the mean with its interval.

    `frame`: what `anira.analysis.surface.surface_by_decider` returns; its differences and coefficients are left out.
    """
    lines = {"surface": ["length of the prompt and", "place in the answer"], "content": ["of the rest:", "the graph and the search"]}
    words = {name: " ".join(text) for name, text in lines.items()}
    rows = frame[frame["quantity"].isin(words) & ~frame["decider"].str.contains("−")]
    rows = rows.assign(quantity=rows["quantity"].map(words))
    color, shape = by_decider(rows)
    expression = f"{json.dumps({words[name]: lines[name] for name in words})}[datum.value]"
    y = alt.Y("quantity:N", sort=list(words.values()), title=None, axis=alt.Axis(labelExpr=expression, labelLimit=220, labelLineHeight=15))
    base = alt.Chart(rows).encode(y=y, yOffset=alt.YOffset("decider:N", sort=color["scale"]["domain"], scale=alt.Scale(paddingOuter=0.35)), color=color)
    x = alt.X("estimate:Q", title="share explained (R²)", scale=SHARE)
    mean, single = base.transform_filter("datum.seed === 'all'"), base.transform_filter("datum.seed !== 'all'")
    intervals = mean.mark_bar(height=2, clip=True).encode(x=alt.X("low:Q", scale=SHARE, title="share explained (R²)"), x2="high:Q")
    explained = alt.Tooltip("quantity:N", title="explained by")
    points = mean.mark_point(size=90, opacity=1).encode(
        x=x, shape=shape, tooltip=[explained, "decider:N", *_interval(), alt.Tooltip("clusters:Q", title="seeds")]
    )
    seeds = single.mark_tick(thickness=2, size=14).encode(x=x, tooltip=[explained, "decider:N", "seed:N", alt.Tooltip("estimate:Q", format=".3f")])
    text = "Share of the variance of depth that prompt length and place explain, and share of the rest that features of graph and search explain, by decider: a tick for each training seed, mean and 95 % interval."
    title = "What explains depth"
    return alt.LayerChart(layer=[intervals, seeds, points]).properties(title=title, width=420, height=alt.Step(26), description=text)


@figure
def one_cell(frame: pd.DataFrame, feature: str = "dfs_depth") -> alt.FacetChart:
    """Depth against a feature among the tokens of one cell, one panel a decider: a dot for each token, a line through the means.

    `frame`: rows of a trace whose tokens have the same surface, say `traces.query("edges == 12 and emitted == 2")`: decider, expected_depth and the feature.
    """
    rows = frame[["decider", feature, "expected_depth"]].rename(columns={feature: "value"}).dropna().round(3)
    color = by_decider(rows)[0].legend(None)  # each panel bears its decider's name
    name = in_words(feature)
    x = alt.X("value:O", title=name, axis=alt.Axis(labelAngle=0, format="d"))
    scale = alt.Scale(zero=False, padding=12)
    y = alt.Y("expected_depth:Q", title="expected iterations, E[d]", scale=scale)
    base = alt.Chart(rows).encode(x=x, color=color)
    dots = base.mark_point(size=45, filled=False, strokeWidth=1.2).encode(y=y, tooltip=["decider:N", "value:O", alt.Tooltip("expected_depth:Q", format=".2f")])
    means = base.mark_line(strokeWidth=2.5).encode(y=alt.Y("mean(expected_depth):Q", scale=scale, title="expected iterations, E[d]"))
    text = f"Expected iterations of answer tokens that have the same prompt length and place, by {name}: a dot for each token, a line through the means, one panel a decider."
    header = alt.Column("decider:N", title=None, sort=color["scale"]["domain"])
    chart = alt.LayerChart(layer=[means, dots]).properties(width=_panel(rows), height=220).facet(column=header)
    return chart.properties(description=text)


@figure
def distractors(frame: pd.DataFrame) -> alt.FacetChart:
    """How far depth rises with nodes that do not matter, as dead ends and apart, and with really larger graphs, one panel a decider; a slider chooses the size.

    `frame`: what `anira.analysis.policies.rises_over_seeds` returns, or `rise_with_distractors` after the column decider.
    """
    rows = frame[(frame["quantity"] == "rise") & (frame["size"] != "all")]
    sizes = sorted(int(size) for size in rows["size"].unique())
    slider = alt.param(
        name="distracted_size", value=sizes[len(sizes) // 2], bind=alt.binding_range(min=sizes[0], max=sizes[-1], step=1, name="nodes to begin with ")
    )
    kinds = {"dead ends": "dead ends", "apart": "a graph apart", "larger": "a larger graph"}
    rows = rows.assign(graph=rows["graph"].map(kinds))
    color = by_decider(rows)[0].legend(None)  # each panel bears its decider's name
    base = alt.Chart(rows).transform_filter("datum.size == distracted_size")
    x = alt.X("added:O", title="nodes added", axis=alt.Axis(labelAngle=0))
    y = alt.Y("estimate:Q", title="iterations more, E[d]", scale=alt.Scale(zero=True))
    dash = by_dash("graph", list(kinds.values()), title="nodes added as")
    lines = base.mark_line().encode(x=x, y=y, color=color, strokeDash=dash)
    bars = base.mark_rule(strokeWidth=2).encode(x=x, y=alt.Y("low:Q", title="iterations more, E[d]"), y2="high:Q", color=color)
    points = base.mark_point(size=60).encode(x=x, y=y, color=color, tooltip=["decider:N", "graph:N", "size:Q", "added:Q", *_interval()])
    zero = alt.Chart(rows).mark_rule(strokeDash=[2, 3], color="#888", aria=False).encode(y=alt.datum(0))
    text = "How many iterations more an answer token gets when nodes are added that the query does not depend on, as dead ends or as a graph apart, and in really larger graphs, by decider, with 95 % intervals."
    header = alt.Column("decider:N", title=None, sort=color["scale"]["domain"])
    chart = alt.LayerChart(layer=[zero, lines, bars, points]).properties(width=_panel(rows), height=220).facet(column=header).add_params(slider)
    return chart.properties(description=text)


@figure
def need_and_spending(frame: pd.DataFrame) -> alt.FacetChart:
    """Iterations spent and iterations needed over sizes, one panel a decider; a menu chooses how need is found.

    `frame`: what `anira.analysis.need.spending` returns, after the column decider.
    """
    rows = frame[frame["quantity"].isin(["spent", "needed"]) & (frame["size"] != "all")]
    rows = rows.assign(definition=rows["definition"].map({"alone": "this token alone", "together": "all answer tokens"}))
    options = list(dict.fromkeys(rows["definition"]))
    menu = alt.param(name="need_definition", value=options[0], bind=alt.binding_select(options=options, name="need, changing the depth of "))
    color = by_decider(rows)[0].legend(None)  # each panel bears its decider's name
    base = alt.Chart(rows).transform_filter("datum.definition === need_definition")
    x = alt.X("size:O", title="size", axis=alt.Axis(labelAngle=0))
    scale = alt.Scale(domain=[0, float(rows["estimate"].max().round() + 1)], nice=False)
    y = alt.Y("estimate:Q", title="iterations an answer token", scale=scale)
    dash = by_dash("quantity", ["spent", "needed"])
    band = base.mark_area(opacity=0.2).encode(
        x=x, y=alt.Y("low:Q", scale=scale, title="iterations an answer token"), y2="high:Q", color=color, detail="quantity:N"
    )
    lines = base.mark_line().encode(x=x, y=y, color=color, strokeDash=dash)
    points = base.mark_point(size=50).encode(
        x=x, y=y, color=color, tooltip=["decider:N", alt.Tooltip("quantity:N", title="iterations"), "size:O", *_interval(format=".2f")]
    )
    text = "Mean iterations that answer tokens get, and the least that their prediction needs to stay right, over sizes, by decider, with 95 % intervals."
    header = alt.Column("decider:N", title=None, sort=color["scale"]["domain"])
    chart = alt.LayerChart(layer=[band, lines, points]).properties(width=_panel(rows), height=230).facet(column=header).add_params(menu)
    return chart.properties(description=text)


#: The policies of `anira.evaluation.policies.ladder` in words.
POLICIES = {
    "uniform": "one depth for all tokens",
    "answer": "prompt 1, answers d",
    "mean of size and place": "mean of size and place",
    "shuffled, same size and place": "chosen, shuffled: same size and place",
    "shuffled, same edges and place": "chosen, shuffled: same edges and place",
    "chosen": "as the decider chose",
    "confident": "until the readout is confident",
    "rests": "until the state rests",
    "need, alone": "what each token needs, alone",
    "need, together": "what each token needs, together",
    "oracle": "oracle",
}
COSTS = {"depth": "iterations per answer token", "flops_share": "operations, as a share of full depth"}
POLICY_COLORS = ("#8A8A8A", "#2F97D6", "#009E73", "#CC79A7", "#7B61C9", "#D55E00", "#0072B2", "#C07F00", "#8C6D31", "#17A096", "#D81B60")
POLICY_SHAPES = ("circle", "square", "diamond", "cross", "triangle-up", "circle", "triangle-down", "triangle-right", "square", "square", "triangle-left")


@figure
def ladder(frame: pd.DataFrame, decider: str, *, lowest: float = 0.9) -> alt.HConcatChart:
    """Exact match of every policy against the iterations and against the operations that it takes; a click in the legend picks out a policy.

    `frame`: what `anira.analysis.policies.by_policy` returns. decider: whose policies. lowest: where the axis of exact match begins; policies
    below it lie on its edge.
    """
    rows = frame[(frame["decider"] == decider) & (frame["size"] == "all")]
    rows = rows.assign(kind=rows["policy"].map(POLICIES).fillna(rows["policy"]), below=rows["exact_match"] < lowest)
    known = [name for name in POLICIES.values() if name in set(rows["kind"])]
    order = known + sorted(set(rows["kind"]) - set(known))
    places = [list(POLICIES.values()).index(name) if name in known else i for i, name in enumerate(order)]
    picked = alt.selection_point(fields=["kind"], bind="legend", name=f"picked_{decider}")
    legend = alt.Legend(title=None, orient="bottom", columns=2, labelLimit=280)
    color = alt.Color("kind:N", sort=order, scale=alt.Scale(domain=order, range=[POLICY_COLORS[i % len(POLICY_COLORS)] for i in places]), legend=legend)
    shape = alt.Shape("kind:N", sort=order, scale=alt.Scale(domain=order, range=[POLICY_SHAPES[i % len(POLICY_SHAPES)] for i in places]), legend=legend)
    y = alt.Y("exact_match:Q", title="exact match", scale=alt.Scale(domain=[lowest, 1], clamp=True))
    base = alt.Chart(rows).encode(color=color, opacity=alt.condition(picked, alt.value(1), alt.value(0.12)))
    panels: list[alt.LayerChart] = []
    for cost, title in COSTS.items():
        x = alt.X(f"{cost}:Q", title=title, scale=alt.Scale(zero=False))
        further = [
            alt.Tooltip("all_depth:Q", format=".3f", title="iterations a token"),
            alt.Tooltip("looks:Q", format=".3f", title="readouts before the one that counts"),
        ]
        costs = [alt.Tooltip(f"{name}:Q", format=".3f", title=title) for name, title in COSTS.items()]
        exact = [alt.Tooltip(f"{name}:Q", format=".3f") for name in ("exact_match", *(["low", "high"] if rows["low"].notna().any() else []))]
        tooltip = [alt.Tooltip("kind:N", title="policy"), "setting:Q", *exact, *costs, *further]
        lines = base.mark_line(strokeWidth=1.5).encode(x=x, y=y, detail="kind:N", order=alt.Order("setting:Q"))
        points = base.mark_point(size=80, filled=True).encode(x=x, y=y, shape=shape, tooltip=tooltip)
        points = points if panels else points.add_params(picked)
        panels.append(alt.LayerChart(layer=[lines, points]).properties(width=240, height=280))
    text = f"Exact match of ways to spend iterations with the weights of the {decider} model, against iterations per answer token and against operations per token."
    return alt.hconcat(*panels).properties(title=f"Policies with the weights of {decider}", description=text)


@figure
def calibration(frame: pd.DataFrame) -> alt.LayerChart:
    """How often an answer is already final, by how far the decider is with halting.

    `frame`: what `anira.analysis.need.calibration` returns, after the column decider.
    """
    rows = frame[frame["quantity"] == "final"].assign(middle=lambda part: (part["from"] + part["to"]) / 2)
    rows = rows.assign(bin=[f"{low:g}–{high:g}" for low, high in zip(rows["from"], rows["to"], strict=True)])
    color, shape = by_decider(rows)
    order = list(rows.sort_values("from")["bin"].unique())
    x = alt.X("bin:O", sort=order, title="probability F(d) of having halted by this iteration", axis=alt.Axis(labelAngle=-35, labelOverlap=False))
    scale = alt.Scale(domain=[float(min(0.5, rows["estimate"].min())), 1], clamp=True)
    y = alt.Y("estimate:Q", title="share of answers that no later iteration changes", scale=scale)
    base = alt.Chart(rows).encode(x=x, color=color)
    bars = base.mark_rule(strokeWidth=2, clip=True).encode(y=alt.Y("low:Q", scale=scale, title="share of answers that no later iteration changes"), y2="high:Q")
    points = base.mark_point(size=70).encode(
        y=y, shape=shape, tooltip=["decider:N", "bin:N", *_interval(), "readouts:Q"] if "readouts" in rows else ["decider:N", "bin:N", *_interval()]
    )
    text = "Share of answer tokens whose prediction is already final, by the probability with which the decider has halted by then, with 95 % intervals."
    return alt.LayerChart(layer=[bars, base.mark_line(strokeWidth=1.5).encode(y=y), points]).properties(width=420, description=text)


@figure
def answer_over_depth(frame: pd.DataFrame) -> alt.LayerChart:
    """What a model would say after each iteration, one line a decider; menus choose the question and the size.

    `frame`: what `anira.analysis.need.answers_over_depth` returns, after the column decider.
    """
    words = {"right": "right", "final": "final (no later iteration changes it)", "changed": "changed by this iteration", "running": "still iterating"}
    rows = frame.assign(quantity=frame["quantity"].map(words))
    asked = alt.param(name="said_what", value="right", bind=alt.binding_select(options=list(words.values()), name="the answer token is "))
    sizes = list(dict.fromkeys(rows["size"]))
    size = alt.param(name="said_size", value=sizes[0], bind=alt.binding_select(options=sizes, name="size "))
    color, shape = by_decider(rows)
    base = alt.Chart(rows).transform_filter("datum.quantity === said_what && datum.size === said_size")
    x = alt.X("iteration:O", title="iterations before it is read out", axis=alt.Axis(labelAngle=0))
    y = alt.Y("estimate:Q", title="share of answer tokens", scale=SHARE)
    band = base.mark_area(opacity=0.2).encode(x=x, y=alt.Y("low:Q", scale=SHARE, title="share of answer tokens"), y2="high:Q", color=color)
    points = base.mark_point(size=70).encode(x=x, y=y, color=color, shape=shape, tooltip=["decider:N", "iteration:O", *_interval()])
    text = "Share of answer tokens that the model would say right, or would no longer change, after each iteration, by decider, with 95 % intervals."
    chart = alt.LayerChart(layer=[band, base.mark_line().encode(x=x, y=y, color=color), points]).add_params(asked, size)
    return chart.properties(width=420, description=text)


@figure
def depth_histogram(frame: pd.DataFrame) -> alt.FacetChart:
    """What share of answer tokens gets each depth, one panel a decider: bars for the mean, a dot for each seed; a menu chooses the size.

    `frame`: what `anira.analysis.allocation.depth_shares` returns.
    """
    sizes = list(dict.fromkeys(frame["size"]))
    menu = alt.param(name="histogram_size", value=sizes[0], bind=alt.binding_select(options=sizes, name="size "))
    color = by_decider(frame)[0].legend(None)  # each panel bears its decider's name
    base = alt.Chart(frame).transform_filter("datum.size === histogram_size")
    x = alt.X("depth:O", title="iterations", axis=alt.Axis(labelAngle=0))
    scale = alt.Scale(domain=[0, 1])
    y = alt.Y("estimate:Q", title="share of answer tokens", scale=scale)
    bars = (
        base.transform_filter("datum.seed === 'all'")
        .mark_bar(fillOpacity=0.55, strokeWidth=1.5)
        .encode(
            x=x,
            y=y,
            color=color,
            stroke=alt.Stroke("decider:N", scale=color["scale"], legend=None),
            tooltip=["decider:N", "depth:O", alt.Tooltip("estimate:Q", format=".3f")],
        )
    )
    dots = (
        base.transform_filter("datum.seed !== 'all'")
        .mark_point(size=45)
        .encode(x=x, y=y, color=color, tooltip=["decider:N", "seed:N", "depth:O", alt.Tooltip("estimate:Q", format=".3f")])
    )
    text = "Share of answer tokens that get each number of iterations, by decider: bars are means over training seeds, dots are seeds."
    header = alt.Column("decider:N", title=None, sort=color["scale"]["domain"])
    chart = alt.LayerChart(layer=[bars, dots]).properties(width=_panel(frame), height=220).facet(column=header).add_params(menu)
    return chart.properties(description=text)


@figure
def shuffled_by_size(frame: pd.DataFrame) -> alt.FacetChart:
    """Exact match over sizes with depths as chosen and dealt out anew, one panel a decider: lines are means, dots are seeds; a menu chooses among whom.

    `frame`: what `anira.analysis.allocation.after_shuffling` returns; its differences are left out.
    """
    words = {"shuffled in the instance": "the tokens of one answer", "shuffled among instances": "all answers of a size"}
    rows = frame[~frame["intervention"].str.contains("−")]
    menu = alt.param(
        name="shuffled_among", value=next(iter(words)), bind=alt.binding_select(options=list(words), labels=list(words.values()), name="dealt out anew among ")
    )
    color = by_decider(rows)[0].legend(None)  # each panel bears its decider's name
    base = alt.Chart(rows).transform_filter("datum.intervention === 'chosen' || datum.intervention === shuffled_among")
    base = base.transform_calculate(depths="datum.intervention === 'chosen' ? 'as chosen' : 'dealt out anew'")
    x = alt.X("size:O", title="size", axis=alt.Axis(labelAngle=0))
    scale = alt.Scale(domain=[float(rows["estimate"].min().round(1) - 0.1), 1])
    y = alt.Y("estimate:Q", title="exact match", scale=scale)
    dash = by_dash("depths", ["as chosen", "dealt out anew"])
    fill = alt.FillOpacity("depths:O", scale=alt.Scale(domain=["as chosen", "dealt out anew"], range=[1, 0]), legend=None)
    lines = base.transform_filter("datum.seed === 'all'").mark_line().encode(x=x, y=y, color=color, strokeDash=dash)
    dots = base.transform_filter("datum.seed !== 'all'").mark_point(size=45, filled=False, strokeWidth=1.5)
    dots = dots.encode(
        x=x,
        y=y,
        color=color,
        fill=alt.Fill("decider:N", scale=color["scale"], legend=None),
        fillOpacity=fill,
        tooltip=["decider:N", "seed:N", "size:O", "depths:N", alt.Tooltip("estimate:Q", format=".3f")],
    )
    text = "Share of wholly right answers over sizes, with depths as chosen and with the same depths dealt out anew, by decider: lines are means over training seeds, dots are seeds."
    header = alt.Column("decider:N", title=None, sort=color["scale"]["domain"])
    chart = alt.LayerChart(layer=[lines, dots]).properties(width=_panel(rows), height=240).facet(column=header).add_params(menu)
    return chart.properties(description=text)
