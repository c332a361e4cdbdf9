"""The book's figures: a data frame in, an Altair chart out. No statistic is computed here.

Importing this module sets one theme and one way of showing charts, for notebooks and pages alike:

* A chart carries no background, text or axis colour, so that each place it is shown in can choose them: JupyterLab by
  its own theme, the built page by the reader's (`anira.sphinx`). Data colours are legible on both.
* The kernel hands out the chart's specification, and the place it is shown in draws it: JupyterLab and VS Code from
  what they ship, the built page from files next to it. Only Colab, which ships nothing, takes Vega from its network.
"""

import sys

import altair as alt
import pandas as pd

#: One colour for each way of deciding depth, the same in every chapter (Okabe and Ito's palette, safe for colour-blind readers).
DECIDER_COLORS = {"early": "#D55E00", "online": "#0072B2", "fixed": "#009E73", "untied": "#CC79A7", "hybrid": "#E69F00"}

#: Depth from shallow to deep. Lightness falls steadily, and no step vanishes on a white or a dark page.
DEPTH_COLORS = ["#7FD1C7", "#56B4D3", "#4F8FD6", "#6D69CF", "#9447B4", "#A3277F"]

#: What JupyterLab 4 and VS Code draw by themselves. They do so with Vega-Lite 5, which reads what Altair 6 writes for the chart types of this book.
MIME_TYPE = "application/vnd.vegalite.v5+json"


@alt.theme.register("anira", enable=True)
def theme() -> alt.theme.ThemeConfig:
    """Sizes, fonts and data colours; no background, text or axis colour (see the module's docstring)."""
    font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"
    labels = {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}
    return {
        "config": {
            "font": font,
            "view": {"continuousWidth": 460, "continuousHeight": 280, "stroke": None},
            "axis": {**labels, "gridOpacity": 0.35, "domain": False, "tickSize": 4, "titlePadding": 8},
            "legend": {**labels, "symbolSize": 90, "symbolStrokeWidth": 2.5},
            "header": {**labels, "labelFontSize": 13},
            "title": {"anchor": "start", "fontSize": 14, "fontWeight": 600, "subtitleFontSize": 12, "offset": 12},
            "line": {"strokeWidth": 2.5},
            "point": {"filled": True, "size": 60},
            "rule": {"strokeWidth": 1.5},
            "range": {
                "category": [*DECIDER_COLORS.values(), "#56B4E9"],
                "ordinal": DEPTH_COLORS,
                "ramp": DEPTH_COLORS,
                "heatmap": DEPTH_COLORS,
            },
        }
    }


def decider_scale(deciders: list[str]) -> alt.Scale:
    """The colour scale for an encoding by decider, for those that a chart shows, in its order.

    >>> decider_scale(["online", "early"]).range
    ['#0072B2', '#D55E00']
    """
    return alt.Scale(domain=deciders, range=[DECIDER_COLORS[decider] for decider in deciders])


def depth_scale(max_depth: int) -> alt.Scale:
    """The colour scale for an encoding by depth, 1..`max_depth`: the same colour for the same share of the maximum.

    >>> depth_scale(6).domain
    [1, 6]
    """
    return alt.Scale(domain=[1, max_depth], range=DEPTH_COLORS, interpolate="lab")


def _render(spec: dict, **options) -> tuple[dict, dict]:
    """The Altair renderer `anira`: the specification itself, for the frontend to draw."""
    schema = "https://vega.github.io/schema/vega-lite/v5.json"  # else JupyterLab warns of a version it has not, then draws it all the same
    bundle = {MIME_TYPE: {**spec, "$schema": schema}, "text/plain": spec.get("description", "A chart.")}
    return bundle, {MIME_TYPE: options} if options else {}


alt.renderers.register("anira", _render)
alt.renderers.enable("colab" if "google.colab" in sys.modules else "anira")


def _by_size(frame: pd.DataFrame, value: str, low: str, high: str, title: str, domain: tuple[float, float], description: str) -> alt.LayerChart:
    """Lines over sizes with an interval band, one colour a decider; trained sizes are drawn as filled points."""
    deciders = list(frame["decider"].unique())
    base = alt.Chart(frame).encode(
        x=alt.X("size:O", title="size of the instance", axis=alt.Axis(labelAngle=0)),
        color=alt.Color("decider:N", scale=decider_scale(deciders), title="decider"),
    )
    y = alt.Y(f"{value}:Q", title=title, scale=alt.Scale(domain=domain))
    tooltip = ["decider:N", "size:O", *(alt.Tooltip(f"{name}:Q", format=".3f") for name in (value, low, high)), "instances:Q"]
    points = base.mark_point(size=70).encode(y=y, tooltip=tooltip, fillOpacity=alt.condition("datum.trained", alt.value(1), alt.value(0)), shape=alt.Shape("decider:N", title="decider"))
    band = base.mark_area(opacity=0.2).encode(y=alt.Y(f"{low}:Q", scale=alt.Scale(domain=domain)), y2=f"{high}:Q")
    return alt.layer(band, base.mark_line().encode(y=y), points).properties(description=description)


def depth_by_size(frame: pd.DataFrame, max_depth: int) -> alt.LayerChart:
    """Mean depth on answer tokens over sizes, with its interval.

    `frame`: rows of `anira.analysis.evaluation.evaluate` with two more columns: decider, and trained (bool).
    """
    text = "Mean number of iterations on answer tokens for each size of the instance, by decider, with 95 % intervals."
    return _by_size(frame, "depth", "depth_low", "depth_high", "iterations per answer token", (1, max_depth), text)


def exact_match_by_size(frame: pd.DataFrame) -> alt.LayerChart:
    """Share of wholly right answers over sizes, with its interval; `frame` as for `depth_by_size`."""
    text = "Share of instances whose whole answer is right, for each size, by decider, with 95 % intervals."
    return _by_size(frame, "exact_match", "exact_low", "exact_high", "exact match", (0, 1), text)


def search_steps(nodes: pd.DataFrame, edges: pd.DataFrame, steps: int) -> alt.LayerChart:
    """A graph whose nodes fill as the search emits them; a slider moves through the steps.

    `nodes`: name, x, y in 0..1 with y pointing down, emitted (the step of its emission, NaN if never), query (bool).
    `edges`: x, y, x2, y2 of each arrow, angle in degrees clockwise from pointing right, and xm, ym, where its head is drawn.
    """
    slider = alt.param(name="step", value=0, bind=alt.binding_range(min=0, max=steps, step=1, name="nodes emitted "))
    x, y = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-0.08, 1.08])), alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[1.1, -0.1]))
    lines = alt.Chart(edges).mark_rule(color="#8a8f98", strokeWidth=1.5).encode(x=x, y=y, x2="x2:Q", y2="y2:Q")
    heads = alt.Chart(edges).mark_point(shape="triangle-right", size=90, color="#8a8f98", opacity=1).encode(x=alt.X("xm:Q", axis=None), y=alt.Y("ym:Q", axis=None), angle=alt.Angle("angle:Q", scale=None))
    state = "datum.query ? 'query' : isValid(datum.emitted) && datum.emitted < step ? 'emitted' : isValid(datum.emitted) && datum.emitted == step ? 'next' : isValid(datum.emitted) ? 'needed' : 'not needed'"
    states = {"query": "#E69F00", "emitted": "#0072B2", "next": "#D55E00", "needed": "#9CC9E8", "not needed": "#c9ccd1"}
    marks = alt.Chart(nodes).transform_calculate(state=state).encode(x=x, y=y)
    color = alt.Color("state:N", title="node", scale=alt.Scale(domain=list(states), range=list(states.values())))
    circles = marks.mark_circle(size=900, opacity=1).encode(color=color, tooltip=["name:N", "state:N"])
    names = marks.mark_text(fontSize=15, fontWeight="bold").encode(text="name:N", color=alt.condition("datum.state == 'emitted' || datum.state == 'next'", alt.value("white"), alt.value("#1b1e23")))
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


def exit_distributions(frame: pd.DataFrame, max_depth: int) -> alt.LayerChart:
    """Each token's exit distribution as a row of cells; a slider moves the threshold on F(d), the depth follows.

    `frame`: label (in order), d, q and cumulative (F), one row per token and depth.
    """
    slider = alt.param(name="threshold", value=0.5, bind=alt.binding_range(min=0.05, max=0.95, step=0.05, name="threshold on F(d) "))
    order = list(dict.fromkeys(frame["label"]))
    base = alt.Chart(frame).encode(x=alt.X("label:O", sort=order, title=None, axis=alt.Axis(labelAngle=0)), y=alt.Y("d:O", sort="descending", title="iteration d"))
    cells = base.mark_rect().encode(color=alt.Color("q:Q", title="q(d)"), tooltip=["label:N", "d:O", alt.Tooltip("q:Q", format=".3f"), alt.Tooltip("cumulative:Q", format=".3f", title="F(d)")])
    halts = (
        base.transform_filter(f"(datum.cumulative >= threshold || datum.d == {max_depth}) && datum.cumulative - datum.q < threshold")
        .mark_point(shape="circle", size=120, filled=False, strokeWidth=3, opacity=1)
        .encode(color=alt.value("#E69F00"))
    )
    description = "Exit distributions of tokens over depths; rings mark the depth at which each token halts under the chosen threshold."
    return alt.layer(cells, halts).add_params(slider).properties(width=alt.Step(34), description=description)


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
        .properties(height=200, description="The prior over depths for the chosen base b: the larger b, the more an iteration costs.")
    )


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
