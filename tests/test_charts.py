"""How charts leave the kernel: a specification without colours of its own for background, text or axes."""

import base64
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import typing

import altair as alt
import pandas as pd
import pytest

from anira import charts
from anira.charts.style import by_decider


@charts.figure
def simple_chart() -> alt.Chart:
    return alt.Chart(pd.DataFrame({"x": [1, 2]}), description="Two bars.").mark_bar().encode(x="x:O")


def test_a_figure_leaves_the_kernel_as_a_specification_a_picture_and_its_description_as_text():
    pytest.importorskip("vl_convert")
    bundle = simple_chart()._repr_mimebundle_()[0]
    assert set(bundle) == {charts.MIME_TYPE, "image/png", "text/plain"}
    assert bundle["text/plain"] == "Two bars." and base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert bundle[charts.MIME_TYPE]["config"]["point"]["filled"] is True


def test_without_the_converter_a_figure_has_no_picture(monkeypatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    assert set(simple_chart()._repr_mimebundle_()[0]) == {charts.MIME_TYPE, "text/plain"}


def test_colab_gets_html(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", type(sys)("google.colab"))
    bundle = simple_chart()._repr_mimebundle_()[0]
    assert "vegaEmbed" in bundle["text/html"] and "Okabe" not in bundle["text/html"]


def test_the_readers_own_charts_keep_their_theme_and_renderer():
    code = """
import altair as alt
before = alt.theme.active, alt.renderers.active, alt.Chart().mark_bar().to_dict()["config"]
from anira import charts
charts.prior_shape(6)._repr_mimebundle_()
assert (alt.theme.active, alt.renderers.active, alt.Chart().mark_bar().to_dict()["config"]) == before
assert not isinstance(alt.Chart(), charts.Figure)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def return_type(function) -> type:
    found = typing.get_type_hints(function).get("return")
    return found if isinstance(found, type) else object


def test_every_chart_function_draws_a_figure():
    modules = [importlib.import_module(f"anira.charts.{module.name}") for module in pkgutil.iter_modules(charts.__path__)]
    for module in modules:
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_") and issubclass(return_type(function), alt.TopLevelMixin):
                assert hasattr(function, "__wrapped__"), f"{module.__name__}.{name} lacks @figure"


def test_figures_can_be_put_together():
    both = simple_chart() | simple_chart()
    assert len(both.to_dict()["hconcat"]) == 2


def test_the_same_chart_has_the_same_output_twice():
    assert simple_chart()._repr_mimebundle_() == simple_chart()._repr_mimebundle_()


def test_the_theme_leaves_background_text_and_axes_to_the_page():
    config = charts.style.theme()["config"]
    assert "background" not in config
    assert not [key for part in ("axis", "legend", "header", "title") for key in config[part] if key.endswith("olor")]


def test_colour_and_shape_share_one_legend():
    vl_convert = pytest.importorskip("vl_convert")
    depths = {"depth": [2.0, 3.0], "depth_low": [1.0, 2.0], "depth_high": [3.0, 4.0]}
    frame = pd.DataFrame({"decider": ["online", "early"], "size": 3, "instances": 9, "place": ["trained", "beyond"], **depths})
    picture = vl_convert.vegalite_to_svg(charts.depth_by_size(frame, max_depth=6).to_dict())
    assert re.findall(r">(early|online)</text>", picture) == ["early", "online"]  # whatever the order of the rows


def test_a_decider_keeps_its_shape_in_whatever_company():
    alone, among = (by_decider(pd.DataFrame({"decider": deciders}))[1]["scale"] for deciders in (["online"], ["untied", "online", "early"]))
    assert among.domain == ["early", "online", "untied"] and among.range[1] == alone.range[0]


def test_a_decider_of_ones_own_gets_a_colour_and_a_shape_that_nobody_has():
    color, shape = by_decider(pd.DataFrame({"decider": ["yours", "online", "mine", "early"]}))
    assert color["scale"].domain == shape["scale"].domain == ["early", "online", "mine", "yours"]
    for scale, known in ((color["scale"], charts.style.DECIDER_COLORS), (shape["scale"], charts.style.DECIDER_SHAPES)):
        assert scale.range[:2] == [known["early"], known["online"]]
        assert not set(scale.range[2:]) & set(known.values())
        assert len(set(scale.range)) == 4


def test_points_are_outlines_where_the_condition_does_not_hold():
    vl_convert = pytest.importorskip("vl_convert")
    frame = pd.DataFrame({"decider": "early", "run_seed": 0, "size": [3, 4], "place": ["trained", "beyond"], "exact_match": [0.9, 0.5]})
    picture = vl_convert.vegalite_to_svg(charts.unseen_sizes(frame, "exact_match", "nodes, N").to_dict())
    points = re.findall(r'<path aria-label="[^"]*" role="graphics-symbol"[^>]*>', picture)
    assert sorted('fill-opacity="0"' in point for point in points if "point" in point) == [False, True]


def test_marks_stand_out_from_a_white_and_from_a_dark_page():
    """By 3 : 1, as graphics must (WCAG 1.4.11); the dark page is the theme's."""
    style, cost, findings, claims, training = (importlib.import_module(f"anira.charts.{name}") for name in ("style", "cost", "findings", "claims", "training"))
    colors = {style.GREY, *style.DECIDER_COLORS.values(), *style.SPARE_COLORS, *style.DEPTH_COLORS, *findings.POLICY_COLORS}
    colors |= {*cost.CONTENDER_COLORS.values(), *claims.VERDICT_COLORS.values(), *training.SCHEDULE_COLORS}
    assert [(color, page) for color in colors for page in ("#ffffff", "#14181e") if contrast(color, page) < 3] == []


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG: of the relative luminances, the lighter by the darker."""
    channels = [[int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)] for color in (one, other)]
    linear = [[c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in color] for color in channels]
    dark, light = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in linear)
    return (light + 0.05) / (dark + 0.05)
