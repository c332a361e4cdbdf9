"""Figures of the model: exit distributions and the prior over depths."""

import altair as alt
import pandas as pd

from anira.charts.figure import figure
from anira.charts.style import GREY, depth_scale, in_order, panel_title


@figure
def token_depths(frame: pd.DataFrame, max_depth: int) -> alt.Chart:
    """Iterations at each position of one instance, as bars in the order of the tokens.

    `frame`: what `anira.evaluation.trace.exits` returns.
    """
    rows = frame.drop_duplicates("position").assign(label=lambda rows: rows["position"].astype(str) + " " + rows["token"])
    return (
        alt.Chart(rows[["label", "token", "predicts", "depth", "expected_depth"]])
        .mark_bar()
        .encode(
            x=alt.X("label:O", sort=list(rows["label"]), title="token that is read", axis=alt.Axis(labelExpr="split(datum.label, ' ')[1]", labelAngle=-90)),
            y=alt.Y("depth:Q", title="iterations", scale=alt.Scale(domain=[0, max_depth]), axis=alt.Axis(tickMinStep=1)),
            color=alt.Color("depth:Q", scale=depth_scale(max_depth), legend=None),
            tooltip=["token:N", "predicts:N", "depth:Q", alt.Tooltip("expected_depth:Q", format=".2f", title="E[d]")],
        )
        .properties(width=560, height=150, description="Iterations that each token of a prompt and its answer gets, as bars in the order of the tokens.")
    )


@figure
def exit_distributions(frame: pd.DataFrame, max_depth: int) -> alt.VConcatChart:
    """Exit distributions of the tokens of an answer as columns of cells, the more probable the fuller their colour, one panel a decider.

    Rings mark the depth of each token: by the model's own rule, or by a threshold on F(d) that a slider sets.

    `frame`: what `anira.evaluation.trace.exits` returns, of one or several models after a column decider.
    """
    own = alt.param(name="own_rule", value=True, bind=alt.binding_checkbox(name="each model's own rule "))
    slider = alt.param(name="threshold", value=0.5, bind=alt.binding_range(min=0.05, max=0.95, step=0.05, name="else, the threshold on F(d) "))
    rows = frame[frame["part"] == "answer"]
    label = (rows["position"] - rows["position"].min() + 1).astype(str) + " " + rows["predicts"]
    rows = rows.assign(label=label)[["decider", "label", "d", "q", "cumulative", "depth"]].round(4)
    base = alt.Chart(rows).encode(
        x=alt.X("label:O", sort=list(dict.fromkeys(label)), title="token that is predicted", axis=alt.Axis(labelAngle=0)),
        y=alt.Y("d:O", sort="descending", title="depth d"),
    )
    shares = alt.Scale(type="sqrt", domain=[0, 1], range=[0, 1])
    cells = base.mark_rect().encode(
        color=alt.Color("d:Q", scale=depth_scale(max_depth), legend=None),
        opacity=alt.Opacity("q:Q", title="q(d)", scale=shares, legend=alt.Legend(values=[0.1, 0.3, 0.6, 1], symbolType="square", symbolFillColor=GREY)),
        tooltip=["label:N", "d:O", alt.Tooltip("q:Q", format=".3f", title="q(d)"), alt.Tooltip("cumulative:Q", format=".3f", title="F(d)"), "decider:N"],
    )
    first = f"(datum.cumulative >= threshold || datum.d == {max_depth}) && datum.cumulative - datum.q < threshold"
    halts = base.transform_filter(f"own_rule ? datum.d == datum.depth : {first}").transform_calculate(ring="'halts here'")
    halts = halts.encode(tooltip=["label:N", "d:O", "decider:N", "ring:N"])
    rings = [halts.mark_point(shape="circle", size=120, filled=False, strokeWidth=width, color=color) for width, color in ((6, "white"), (2.5, "#1b1e23"))]
    description = "Exit distributions of the tokens of an answer over depths, one panel a decider; rings mark the depth at which each token halts."
    layers = alt.LayerChart(layer=[cells, *rings]).properties(width=540, height=150)
    panels = [layers.transform_filter(alt.datum.decider == name).properties(title=panel_title(name)) for name in in_order(rows["decider"])]
    return alt.vconcat(*panels, description=description).add_params(own, slider)


@figure
def prior_shape(max_depth: int) -> alt.Chart:
    """The prior over depths p(d) ∝ b^-d; a slider moves b."""
    slider = alt.param(name="base", value=2.0, bind=alt.binding_range(min=1, max=3, step=0.05, name="b "))
    return (
        alt.Chart(alt.sequence(1, max_depth + 1, as_="d"))
        .add_params(slider)
        .transform_calculate(weight="pow(base, -datum.d)")
        .transform_joinaggregate(total="sum(weight)")
        .transform_calculate(p="datum.weight / datum.total")
        .mark_bar()
        .encode(
            x=alt.X("d:O", title="depth d", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("p:Q", title="p(d)", scale=alt.Scale(domain=[0, 0.7])),
            color=alt.Color("d:Q", scale=depth_scale(max_depth), legend=None),
            tooltip=["d:O", alt.Tooltip("p:Q", format=".3f")],
        )
        .properties(width=420, height=200, description="The prior over depths for the chosen base b: the larger b, the more an iteration costs.")
    )
