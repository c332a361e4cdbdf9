"""How the figures of this library look and show themselves, whatever the reader does with their own charts.

A figure carries the theme of `anira.charts.style`, and no background, text or axis colour: each place it is shown in
chooses them. Theme and renderer of other charts are left alone. The kernel hands out the figure's specification and, where
vl-convert is installed, a picture. JupyterLab, VS Code and the built page draw the specification, with what they ship;
GitHub and `nbconvert --to html` show the picture. Colab takes HTML, and Vega from its network.

What a chart says of the row under the pointer is also the row of the table that a built page makes of it (`book/_ext/charts.js`).
So it bears the words that the chart has for its columns: those of the axis or legend that shows a column.
"""

import base64
import sys
from collections.abc import Callable, Hashable, Iterator
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar, cast

import altair as alt

from anira.charts.style import MIME_TYPE

P = ParamSpec("P")
C = TypeVar("C", bound=alt.TopLevelMixin)


def figure(draw: Callable[P, C]) -> Callable[P, C]:
    """Decorates a function that draws a chart: what it returns is the same chart, of a class that is a `Figure` too."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> C:
        chart = draw(*args, **kwargs)
        object.__setattr__(chart, "__class__", _with_figure(cast(Hashable, type(chart))))  # Altair takes plain setting for a part of the specification
        return chart

    return drawn


@cache
def _with_figure(chart: Any) -> Any:
    return chart if issubclass(chart, Figure) else type(chart.__name__, (Figure, chart), {})


class Figure:
    """What a figure has besides being a chart of Altair's."""

    def to_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The specification, with the theme in it, and a title for each entry of a tooltip."""
        with alt.theme.enable("anira"):
            spec: dict[str, Any] = super().to_dict(*args, **kwargs)  # type: ignore[misc]  # of the chart's class
        _title_tooltips(spec)
        return spec

    def _repr_mimebundle_(self, *args: Any, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        spec = self.to_dict()
        if "google.colab" in sys.modules:
            with alt.renderers.enable("colab"):
                render: Any = alt.renderers.get()
                return render(spec), {}
        schema = "https://vega.github.io/schema/vega-lite/v5.json"  # else JupyterLab warns of a version it has not, then draws it all the same
        return {MIME_TYPE: {**spec, "$schema": schema}, **_picture(spec), "text/plain": spec.get("description", "A chart.")}, {}


def _picture(spec: dict[str, Any]) -> dict[str, str]:
    """The figure on white, where vl-convert is installed."""
    try:
        import vl_convert
    except ImportError:
        return {}
    config = {**spec.get("config", {}), "background": "white"}
    return {"image/png": base64.b64encode(vl_convert.vegalite_to_png({**spec, "config": config}, scale=1.5)).decode()}


def _encodings(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The encoding of every plot of a specification."""
    yield spec.get("encoding", {})
    parts = [part for kind in ("layer", "hconcat", "vconcat", "concat") for part in spec.get(kind, [])]
    for part in [*parts, *([spec["spec"]] if "spec" in spec else [])]:
        yield from _encodings(part)


def _title_tooltips(spec: dict[str, Any]) -> None:
    """An entry without a title gets that of the axis or legend of its column; the ends of an interval are "from" and "to"."""
    words = {"run_seed": "training seed"}
    for encoding in _encodings(spec):
        for channel, shown in encoding.items():
            if channel != "tooltip" and isinstance(shown, dict) and "field" in shown and isinstance(shown.get("title"), str):
                words.setdefault(shown["field"], shown["title"])
    for encoding in _encodings(spec):
        for start, end in (("x", "x2"), ("y", "y2")):
            if "field" in encoding.get(end, {}) and encoding[start].get("axis", True):
                words |= {encoding[start]["field"]: "from", encoding[end]["field"]: "to"}
    for encoding in _encodings(spec):
        told = encoding.get("tooltip", [])
        for entry in told if isinstance(told, list) else [told]:
            if "field" in entry:
                entry.setdefault("title", words.get(entry["field"], entry["field"].replace("_", " ")))
