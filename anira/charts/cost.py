"""Figures of what adaptive depth costs and saves: the ideal, and what was measured."""

import altair as alt
import pandas as pd

from anira.charts.figure import figure
from anira.charts.style import decider_scale, panel_title

#: One colour for each contender of `anira.bench`; the first two as the sparse and the fixed model have it elsewhere.
CONTENDER_COLORS = {
    "sparse": "#0072B2",
    "fixed": "#009E73",
    "dense": "#C07F00",
    "lock-step": "#2F97D6",
    "llama-loop": "#D55E00",
    "x-transformers": "#CC79A7",
    "recompute": "#8C7A6B",
}
IDEAL = alt.Tooltip("ideal_fixed:Q", format=".2f", title="ideal")


def _contenders(frame: pd.DataFrame) -> alt.Scale:
    names = [name for name in CONTENDER_COLORS if name in set(frame["contender"])]
    return alt.Scale(domain=names, range=[CONTENDER_COLORS[name] for name in names])


@figure
def speed_ups(frame: pd.DataFrame) -> alt.LayerChart:
    """How much faster than fixed full depth each contender reads a batch, over mean depth; width, batch and decider are chosen by the reader.

    frame: `anira.bench.suite.summary` of prefill at one length. Bars are quartiles, the dashed line is the ideal.
    """
    frame = frame[frame["work"] == "prefill"]
    frame = frame[frame.groupby("batch")["mean_depth"].transform("nunique") > 1]
    widths, batches, deciders = (sorted(frame[name].unique().tolist()) for name in ("width", "batch", "decider"))
    frame = frame.assign(batch_tokens=frame["batch"] * frame["length"])
    params = [
        alt.param(name="cost_decider", value=deciders[-1], bind=alt.binding_radio(options=deciders, name="decider ")),
        alt.param(name="cost_width", value=widths[0], bind=alt.binding_radio(options=widths, name="width ")),
        alt.param(name="cost_batch", value=batches[-1], bind=alt.binding_select(options=batches, name="sequences in the batch ")),
    ]
    chosen = "datum.decider == cost_decider && datum.width == cost_width && datum.batch == cost_batch"
    base = alt.Chart(frame).transform_filter(chosen)
    x = alt.X("depth:Q", title="mean depth of a token, of 6", scale=alt.Scale(domain=[1, 6]), axis=alt.Axis(tickMinStep=1))
    y = alt.Y("speed_up:Q", title="times as fast as fixed depth", scale=alt.Scale(domain=[0, 3], clamp=True))
    color = alt.Color("contender:N", scale=_contenders(frame), title=None, legend=alt.Legend(orient="bottom", columns=3))
    tooltip = [
        "contender:N",
        alt.Tooltip("depth:Q", format=".2f"),
        *(alt.Tooltip(f"{name}:Q", format=".2f") for name in ("speed_up", "low", "high")),
        IDEAL,
    ]
    line = base.mark_line().encode(x=x, y=y, color=color)
    points = base.mark_point().encode(x=x, y=y, color=color, tooltip=tooltip)
    spread = base.mark_rule(clip=True).encode(x=x, y=alt.Y("low:Q", title="times as fast as fixed depth"), y2="high:Q", color=color)
    ideal = base.transform_filter("datum.contender == 'sparse'").mark_line(strokeDash=[5, 4], strokeWidth=1.5, color="#888888").encode(x=x, y="ideal_fixed:Q")
    even = alt.Chart(pd.DataFrame({"one": [1]})).mark_rule(strokeDash=[2, 3], color="#888888").encode(y="one:Q")
    description = (
        "Speed-up over fixed depth against mean depth for each way of running the model, measured; dashed grey: the ideal; below one, adaptive depth is slower."
    )
    return alt.LayerChart(layer=[even, ideal, spread, line, points]).add_params(*params).properties(description=description)


@figure
def where_it_pays(frame: pd.DataFrame) -> alt.LayerChart:
    """Sparse execution over fixed full depth for each batch and mean depth; width and decider are chosen by the reader.

    frame: as for `speed_ups`.
    """
    frame = frame[(frame["work"] == "prefill") & (frame["contender"] == "sparse")]
    widths, deciders = (sorted(frame[name].unique().tolist()) for name in ("width", "decider"))
    params = [
        alt.param(name="pays_decider", value=deciders[-1], bind=alt.binding_radio(options=deciders, name="decider ")),
        alt.param(name="pays_width", value=widths[0], bind=alt.binding_radio(options=widths, name="width ")),
    ]
    scale = alt.Scale(type="threshold", domain=[0.8, 1, 1.25], range=["#AD4600", "#A5673A", "#4D7696", "#006BAB"])
    base = (
        alt.Chart(frame)
        .transform_filter("datum.decider == pays_decider && datum.width == pays_width")
        .encode(
            x=alt.X("mean_depth:O", title="mean depth of a token, of 6", axis=alt.Axis(labelAngle=0, format="d")),
            y=alt.Y("batch:O", title="sequences in the batch", sort="descending"),
        )
    )
    names = {"depth": "mean depth as it came out", "speed_up": "times as fast", "low": "from", "high": "to"}
    numbers = [alt.Tooltip(f"{name}:Q", format=".2f", title=title) for name, title in names.items()]
    tooltip = ["decider:N", "width:N", "batch:N", "mean_depth:O", *numbers, IDEAL]
    cells = base.mark_rect().encode(
        color=alt.Color("speed_up:Q", scale=scale, title="times as fast", legend=alt.Legend(orient="bottom", format=".2f")), tooltip=tooltip
    )
    written = base.mark_text(fontSize=13).encode(text=alt.Text("speed_up:Q", format=".2f"), color=alt.value("white"))
    description = "Table of the measured speed-up of sparse execution over fixed depth, by batch and mean depth; orange where adaptive depth is slower, blue where it is faster."
    return alt.LayerChart(layer=[cells, written]).add_params(*params).properties(height=alt.Step(40), width=560, description=description)


@figure
def cost_shares(frame: pd.DataFrame) -> alt.LayerChart:
    """Operations of a token by depth and component, as a share of what fixed full depth costs; the reader moves width, context and decider.

    frame: `anira.bench.formula.cost_shares`.
    """
    widths, contexts, deciders = (sorted(frame[name].unique().tolist()) for name in ("width", "context", "decider"))
    params = [
        alt.param(name="share_decider", value=deciders[-1], bind=alt.binding_radio(options=deciders, name="decider ")),
        alt.param(name="share_width", value=widths[0], bind=alt.binding_select(options=widths, name="width ")),
        alt.param(name="share_context", value=contexts[0], bind=alt.binding_select(options=contexts, name="tokens attended to ")),
    ]
    order = list(dict.fromkeys(frame["component"]))
    highest = float(frame.groupby(["width", "context", "decider", "depth"])["share"].sum().max())
    palette = ["#8C7A6B", "#0072B2", "#2F97D6", "#009E73", "#C07F00", "#CC79A7"]
    bars = (
        alt.Chart(frame.assign(rank=frame["component"].map(order.index)))
        .transform_filter("datum.decider == share_decider && datum.width == share_width && datum.context == share_context")
        .mark_bar()
        .encode(
            x=alt.X("depth:O", title="depth of the token", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("share:Q", title="operations, fixed full depth = 1", scale=alt.Scale(domain=[0, highest], nice=True)),
            color=alt.Color("component:N", scale=alt.Scale(domain=order, range=palette), sort=order, title=None, legend=alt.Legend(orient="bottom", columns=3)),
            order="rank:Q",
            tooltip=["component:N", "depth:O", alt.Tooltip("share:Q", format=".3f")],
        )
    )
    full = alt.Chart(pd.DataFrame({"one": [1]})).mark_rule(strokeDash=[5, 4], color="#888888").encode(y="one:Q")
    description = (
        "Operations that a token of each depth needs, stacked by component, as a share of a model without decider at full depth, which is the dashed line."
    )
    return alt.LayerChart(layer=[bars, full]).add_params(*params).properties(width=480, description=description)


@figure
def efficiency(frame: pd.DataFrame) -> alt.LayerChart:
    """Measured speed-up over dense execution, as a share of the ideal, against tokens in the batch.

    frame: `anira.bench.suite.efficiency` at one length.
    """
    deciders = sorted(frame["decider"].unique())
    base = alt.Chart(frame).encode(
        x=alt.X("tokens:Q", title="tokens in the batch", scale=alt.Scale(type="log", base=2)), color=alt.Color("decider:N", scale=decider_scale(deciders))
    )
    y = alt.Y("share:Q", title="share of the ideal speed-up", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1.1]))
    dash = alt.StrokeDash("width:N", title="width", legend=alt.Legend(symbolSize=700))
    tooltip = ["decider:N", "width:N", "tokens:Q", alt.Tooltip("share:Q", format=".2f")]
    spread = base.mark_rule(clip=True).encode(y=alt.Y("share_low:Q", title="share of the ideal speed-up"), y2="share_high:Q")
    description = (
        "Measured speed-up of sparse over dense execution divided by the ideal speed-up, against the number of tokens in a batch, by decider and width."
    )
    return alt.LayerChart(layer=[spread, base.mark_line().encode(y=y, strokeDash=dash), base.mark_point().encode(y=y, tooltip=tooltip)]).properties(
        description=description
    )


@figure
def speed_ups_at(frame: pd.DataFrame, mean_depth: float = 2.0) -> alt.VConcatChart:
    """How much faster than fixed depth each contender is, for every case at one mean depth; bars are medians, lines quartiles.

    A case's title has work, decider, width, sequences × tokens of each.

    frame: `anira.bench.suite.summary`.
    """
    frame = frame[frame["mean_depth"] == mean_depth].sort_values(["work", "decider", "width"])
    shape = frame["batch"].astype(str) + " × " + frame["length"].astype(str) + " tokens"
    case = frame["work"].str.cat([frame["decider"], "width " + frame["width"].astype(str), shape], sep=", ")
    frame = frame.assign(case=case)
    scale = alt.Scale(domain=[0, float(frame["high"].max())], nice=True)
    tooltip = [
        "case:N",
        "contender:N",
        *(alt.Tooltip(f"{name}:Q", format=".2f") for name in ("speed_up", "low", "high")),
        alt.Tooltip("seconds:Q", format=".4f"),
    ]
    color = alt.Color("contender:N", scale=_contenders(frame), legend=None)
    panels, last = [], frame["case"].iloc[-1]
    for name, rows in frame.groupby("case", sort=False):
        x = alt.X("speed_up:Q", title="times as fast as fixed depth" if name == last else None, scale=scale)
        base = alt.Chart(rows).encode(y=alt.Y("contender:N", title=None, sort=list(CONTENDER_COLORS)))
        spread = base.mark_rule(color="#888888").encode(x=alt.X("low:Q", title=x["title"]), x2="high:Q")
        layers = alt.LayerChart(layer=[base.mark_bar().encode(x=x, color=color, tooltip=tooltip), spread])
        panels.append(layers.properties(title=panel_title(str(name)), height=alt.Step(16), width=540))
    description = "Speed-up over fixed depth of each way of doing the same work, for each case, with quartiles."
    return alt.vconcat(*panels, description=description)


PARTS = ["products of matrices", "attention", "choosing and moving tokens", "norms, rotations, activations, sums"]


@figure
def where_time_goes(frame: pd.DataFrame, work: str) -> alt.VConcatChart:
    """Milliseconds of one pass, or of one step of decoding, by part and contender, one panel a width.

    frame: rows of `anira.bench.profile`: work, width, contender, part, milliseconds. `work`: which of them to draw.
    """
    parts = alt.Scale(domain=PARTS, range=["#0072B2", "#2F97D6", "#C07F00", "#8C7A6B"])
    description = f"Milliseconds of {work} by part of the computation, for each contender, one panel a width."
    frame = frame[frame["work"] == work].assign(rank=lambda rows: rows["part"].map(PARTS.index))
    panels = [
        alt.Chart(rows)
        .mark_bar()
        .encode(
            x=alt.X("sum(milliseconds):Q", title="milliseconds"),
            y=alt.Y("contender:N", title=None, sort=list(CONTENDER_COLORS)),
            color=alt.Color("part:N", scale=parts, sort=PARTS, title=None, legend=alt.Legend(orient="bottom", columns=1, labelLimit=260)),
            order="rank:Q",
            tooltip=["width:N", "contender:N", "part:N", alt.Tooltip("milliseconds:Q", format=".2f")],
        )
        .properties(title=panel_title(f"width {width}"), height=alt.Step(22), width=560)
        for width, rows in frame.groupby("width")
    ]
    return alt.vconcat(*panels, description=description)
