"""What all figures share: one theme, one colour and one shape for the same thing."""

from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt
import pandas as pd

#: One colour for each way of deciding depth, the same in every chapter: Okabe and Ito's palette, safe for colour-blind readers,
#: with its light colours darkened. All colours of marks stand out from a white and from a dark page by 3 : 1.
DECIDER_COLORS = {"early": "#D55E00", "online": "#0072B2", "fixed": "#009E73", "untied": "#CC79A7", "hybrid": "#C07F00"}
#: And one shape.
DECIDER_SHAPES = {"early": "circle", "online": "square", "fixed": "diamond", "untied": "cross", "hybrid": "triangle-up"}

#: Of lines and outlines that stand for nothing by their colour.
GREY = "#8a8f98"

#: Depth from shallow to deep. Lightness falls steadily, and every step stands out from a white and from a dark page by 3 : 1.
DEPTH_COLORS = ["#17A690", "#0498BB", "#4E80E0", "#8567D7", "#A44BB2", "#B52C77"]

#: What JupyterLab 4 and VS Code draw by themselves. They do so with Vega-Lite 5, which reads what Altair 6 writes for the chart types of this book.
MIME_TYPE = "application/vnd.vegalite.v5+json"


@alt.theme.register("anira", enable=False)
def theme() -> alt.theme.ThemeConfig:
    """Sizes, fonts and data colours; no background, text or axis colour (see `anira.charts.figure`)."""
    font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"
    labels: Any = {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}
    return {
        "config": {
            "font": font,
            "view": {"continuousWidth": 460, "continuousHeight": 280, "stroke": None},
            "axis": {**labels, "gridOpacity": 0.35, "domain": False, "tickSize": 4, "titlePadding": 8},
            "axisX": {"labelFlush": False, "labelOverlap": "greedy", "labelSeparation": 4},
            "legend": {**labels, "symbolSize": 90, "symbolStrokeWidth": 2.5, "symbolOpacity": 1},
            "header": {**labels, "labelFontSize": 13},
            "title": {"anchor": "start", "fontSize": 14, "fontWeight": 600, "subtitleFontSize": 12, "offset": 12},
            "line": {"strokeWidth": 2.5},
            "point": {"filled": True, "size": 60, "opacity": 1},
            "rule": {"strokeWidth": 1.5},
            "range": {
                "category": [*DECIDER_COLORS.values(), SPARE_COLORS[0]],
                "ordinal": DEPTH_COLORS,
                "ramp": DEPTH_COLORS,
                "heatmap": DEPTH_COLORS,
            },
        }
    }


#: What deciders of one's own get, in this order; after the last the first comes again.
SPARE_COLORS = ("#2F97D6", "#8C6D31", "#8A8A8A", "#7B61C9", "#A6761D", "#17A096")
SPARE_SHAPES = ("triangle-down", "triangle-right", "triangle-left", "stroke", "wedge", "arrow")


def in_order(deciders: Iterable[str]) -> list[str]:
    """The library's deciders in their order, then all others by name."""
    own, known = set(deciders), list(DECIDER_COLORS)
    return [name for name in known if name in own] + sorted(own - set(known))


def _looks(deciders: Iterable[str], known: dict[str, str], spare: Sequence[str]) -> list[str]:
    """The colour or shape of each decider: its own, or the next one that is free."""
    others = [name for name in in_order(deciders) if name not in known]
    return [known[name] if name in known else spare[others.index(name) % len(spare)] for name in deciders]


def decider_scale(deciders: list[str]) -> alt.Scale:
    """The colour scale for an encoding by decider, for those that a chart shows, in its order. A decider of another name gets the next free colour.

    >>> decider_scale(["online", "early"]).range
    ['#0072B2', '#D55E00']
    >>> decider_scale(["online", "mine"]).range
    ['#0072B2', '#2F97D6']
    """
    return alt.Scale(domain=deciders, range=_looks(deciders, DECIDER_COLORS, SPARE_COLORS))


def by_decider(frame: pd.DataFrame) -> tuple[alt.Color, alt.Shape]:
    """Colour and shape by decider, the same in every chart. They agree in everything that a legend shows, so that a chart with both has one legend."""
    deciders, legend = in_order(frame["decider"]), alt.Legend(orient="top")
    shapes = alt.Scale(domain=deciders, range=_looks(deciders, DECIDER_SHAPES, SPARE_SHAPES))
    color = alt.Color("decider:N", scale=decider_scale(deciders), title=None, legend=legend)
    return color, alt.Shape("decider:N", scale=shapes, title=None, legend=legend)


def panel_title(title: str) -> alt.TitleParams:
    """The title of one of several plots below each other. Put together by `alt.vconcat`, they shrink with the page; panels of a facet do not."""
    return alt.TitleParams(title, fontSize=13, fontWeight="normal", offset=4)


def by_dash(field: str, names: Sequence[str], title: str | None = None, columns: int = 2) -> alt.StrokeDash:
    """Lines by a column with two or three names: solid for the first, dashed for the last, dotted for one between."""
    dashes = [[1, 0], [2, 2], [7, 4]] if len(names) == 3 else [[1, 0], [7, 4]]
    legend = alt.Legend(orient="top", columns=columns, symbolSize=700)  # long enough to see the dashes
    return alt.StrokeDash(f"{field}:N", title=title, scale=alt.Scale(domain=list(names), range=dashes), legend=legend)


def hollow_unless(test: str, color: alt.Color) -> dict[str, Any]:
    """Encodings by which points of this colour (`filled=False`) are filled where `test` holds of a row, and outlines elsewhere."""
    fill = alt.Fill(
        color["shorthand"], scale=color["scale"], title=color["title"], legend=color["legend"]
    )  # what differs from the colour's legend, Vega warns of
    return {"fill": fill, "fillOpacity": alt.condition(test, alt.value(1), alt.value(0))}


def depth_scale(max_depth: int) -> alt.Scale:
    """The colour scale for an encoding by depth, 1..`max_depth`: the same colour for the same share of the maximum.

    >>> depth_scale(6).domain
    [1, 6]
    """
    return alt.Scale(domain=[1, max_depth], range=DEPTH_COLORS, interpolate="lab")
