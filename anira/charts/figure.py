"""How the figures of this library look and show themselves, whatever the reader does with their own charts.

A figure carries the theme of `anira.charts.style`, and no background, text or axis colour: each place it is shown in
chooses them. Theme and renderer of other charts are left alone. The kernel hands out the figure's specification and, where
vl-convert is installed, a picture. JupyterLab, VS Code and the built page draw the specification, with what they ship;
GitHub and `nbconvert --to html` show the picture. Colab takes HTML, and Vega from its network.
"""

import base64
import sys
from collections.abc import Callable, Hashable
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
        """The specification, with the theme in it."""
        with alt.theme.enable("anira"):
            return super().to_dict(*args, **kwargs)  # type: ignore[misc]  # of the chart's class

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
