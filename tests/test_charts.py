"""How charts leave the kernel: a specification without colours of its own for background, text or axes."""

import altair as alt
import pandas as pd

from anira import charts


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
