"""Figures of the tasks: instances, and the difficulty that they produce."""

import altair as alt
import pandas as pd


def search_steps(nodes: pd.DataFrame, edges: pd.DataFrame, steps: int) -> alt.LayerChart:
    """A graph whose nodes fill as the search emits them; a slider moves through the steps.

    `nodes`: name, x, y in 0..1 with y pointing down, emitted (the step of its emission, NaN if never), query (bool).
    `edges`: x, y, x2, y2 of each arrow, angle in degrees clockwise from pointing right, and xm, ym, where its head is drawn.
    """
    slider = alt.param(name="step", value=0, bind=alt.binding_range(min=0, max=steps, step=1, name="nodes emitted "))
    x, y = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-0.08, 1.08])), alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[1.1, -0.1]))
    lines = alt.Chart(edges).mark_rule(color="#8a8f98", strokeWidth=1.5).encode(x=x, y=y, x2="x2:Q", y2="y2:Q")
    heads = (
        alt.Chart(edges)
        .mark_point(shape="triangle-right", size=90, color="#8a8f98", opacity=1)
        .encode(x=alt.X("xm:Q", axis=None), y=alt.Y("ym:Q", axis=None), angle=alt.Angle("angle:Q", scale=None))
    )
    state = "datum.query ? 'query' : isValid(datum.emitted) && datum.emitted < step ? 'emitted' : isValid(datum.emitted) && datum.emitted == step ? 'next' : isValid(datum.emitted) ? 'needed' : 'not needed'"
    states = {"query": "#E69F00", "emitted": "#0072B2", "next": "#D55E00", "needed": "#9CC9E8", "not needed": "#c9ccd1"}
    marks = alt.Chart(nodes).transform_calculate(state=state).encode(x=x, y=y)
    color = alt.Color("state:N", title="node", scale=alt.Scale(domain=list(states), range=list(states.values())))
    circles = marks.mark_circle(size=900, opacity=1).encode(color=color, tooltip=["name:N", "state:N"])
    names = marks.mark_text(fontSize=15, fontWeight="bold").encode(
        text="name:N", color=alt.condition("datum.state == 'emitted' || datum.state == 'next'", alt.value("white"), alt.value("#1b1e23"))
    )
    description = "A dependency graph; the nodes that the query depends on are filled in the order in which the answer lists them."
    return alt.layer(lines, heads, circles, names).add_params(slider).properties(width=520, height=300, description=description)


def distribution_by_size(frame: pd.DataFrame, features: dict[str, str]) -> alt.Chart:
    """How a feature's values are distributed at each size, as a heat map; a menu chooses the feature.

    `frame`: long form with columns feature, size, value and share (of the size's tokens). `features`: name → meaning.
    """
    menu = alt.param(name="feature", value=next(iter(features)), bind=alt.binding_select(options=list(features), name="feature "))
    return (
        alt.Chart(frame)
        .add_params(menu)
        .transform_filter("datum.feature == feature")
        .mark_rect()
        .encode(
            x=alt.X("size:O", title="size of the instance", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("value:O", title="value", sort="descending"),
            color=alt.Color("share:Q", title="share of tokens"),
            tooltip=["feature:N", "size:O", "value:O", alt.Tooltip("share:Q", format=".3f")],
        )
        .properties(description="Distribution of a difficulty feature over its values, for each size of the instance.")
    )
