"""Figures of the model: exit distributions and the prior over depths."""

import altair as alt
import pandas as pd

from anira.charts.figure import figure
from anira.charts.style import depth_scale


@figure
def exit_distributions(frame: pd.DataFrame, max_depth: int) -> alt.LayerChart:
    """Each token's exit distribution as a row of cells; a slider moves the threshold on F(d), the depth follows.

    `frame`: label (in order), d, q and cumulative (F), one row per token and depth.
    """
    slider = alt.param(name="threshold", value=0.5, bind=alt.binding_range(min=0.05, max=0.95, step=0.05, name="threshold on F(d) "))
    order = list(dict.fromkeys(frame["label"]))
    base = alt.Chart(frame).encode(
        x=alt.X("label:O", sort=order, title=None, axis=alt.Axis(labelAngle=0)), y=alt.Y("d:O", sort="descending", title="iteration d")
    )
    cells = base.mark_rect().encode(
        color=alt.Color("q:Q", title="q(d)", scale=alt.Scale(domain=[0, 1])),
        tooltip=["label:N", "d:O", alt.Tooltip("q:Q", format=".3f"), alt.Tooltip("cumulative:Q", format=".3f", title="F(d)")],
    )
    halts = (
        base.transform_filter(f"(datum.cumulative >= threshold || datum.d == {max_depth}) && datum.cumulative - datum.q < threshold")
        .mark_point(shape="circle", size=120, filled=False, strokeWidth=3, opacity=1)
        .encode(color=alt.value("#E69F00"))
    )
    description = "Exit distributions of tokens over depths; rings mark the depth at which each token halts under the chosen threshold."
    return alt.layer(cells, halts).add_params(slider).properties(width=alt.Step(60), description=description)


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
        .properties(width=alt.Step(50), height=200, description="The prior over depths for the chosen base b: the larger b, the more an iteration costs.")
    )
