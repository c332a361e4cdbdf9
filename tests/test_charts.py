"""How charts leave the kernel: a specification without colours of its own for background, text or axes."""

import re

import altair as alt
import pandas as pd
import pytest

from anira import charts
from anira.charts.style import by_decider


def simple_chart() -> alt.Chart:
    return alt.Chart(pd.DataFrame({"x": [1, 2]}), description="Two bars.").mark_bar().encode(x="x:O")


def test_a_chart_leaves_the_kernel_as_a_specification_with_its_description_as_text():
    bundle = simple_chart()._repr_mimebundle_()[0]
    assert set(bundle) == {charts.MIME_TYPE, "text/plain"}
    assert bundle["text/plain"] == "Two bars."


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
    frame = pd.DataFrame({"decider": "early", "schedule": "constant", "run_seed": 0, "size": [2, 3], "depth": [2.0, 3.0], "exact_match": [1.0, 0.5]})
    picture = vl_convert.vegalite_to_svg(charts.depth_at_the_end(frame, max_depth=4).to_dict())
    points = re.findall(r'<path aria-label="[^"]*" role="graphics-symbol"[^>]*>', picture)
    assert sorted('fill-opacity="0"' in point for point in points if "point" in point) == [False, True]
