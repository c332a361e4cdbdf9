"""The figures on cost show every case of the committed table, and say what they show."""

import re

import pandas as pd
import pytest

import anira
from anira.bench.formula import cost_shares
from anira.bench.suite import efficiency, summary
from anira.charts import cost


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return summary(anira.results("bench", "cpu"))


@pytest.mark.parametrize("draw", [cost.speed_ups, cost.where_it_pays, cost.speed_ups_at])
def test_figures_of_the_measured_table_describe_themselves(table, draw):
    assert len(draw(table).to_dict()["description"]) > 40


def test_cases_stand_from_narrow_to_wide_and_their_titles_fit_a_phone(table):
    vl_convert = pytest.importorskip("vl_convert")
    picture = vl_convert.vegalite_to_svg(cost.speed_ups_at(table[table["work"] == "decoding"]).to_dict())
    titles = re.findall(r">(decoding, [^<]+)</text>", picture)
    assert titles == [f"decoding, {decider}, width {width}, 32 × 32 tokens" for decider in ("early", "online") for width in (96, 256)]


def test_upright_axes_of_numbers_have_titles(table):
    vl_convert = pytest.importorskip("vl_convert")
    near = efficiency(anira.results("bench", "cpu"))
    pictures = [vl_convert.vegalite_to_svg(chart.to_dict()) for chart in (cost.speed_ups(table), cost.efficiency(near))]
    axes = [re.findall(r'aria-label="(Y-axis [^"]*)', picture) for picture in pictures]
    assert all(axes) and [label for found in axes for label in found if " titled " not in label] == []


def test_the_reader_chooses_only_what_was_measured_over_depth(table):
    binds = {param["name"]: param["bind"]["options"] for param in cost.speed_ups(table).to_dict()["params"] if "bind" in param}
    for batch in binds["cost_batch"]:
        assert table[(table["work"] == "prefill") & (table["batch"] == batch)]["mean_depth"].nunique() > 1
    assert binds["cost_width"] == [96, 256] and binds["cost_decider"] == ["early", "online"]


def test_shares_of_all_components_are_drawn():
    frame = cost_shares([96], [64])
    chart = cost.cost_shares(frame).to_dict()
    assert chart["layer"][0]["encoding"]["color"]["scale"]["domain"] == ["prelude", "core", "attention", "coda", "decider", "unembedding"]


@pytest.mark.parametrize(("work", "contenders"), [("prefill", ["sparse", "dense", "llama-loop"]), ("decoding", ["sparse", "fixed"])])
def test_time_is_drawn_for_every_part_of_every_contender(work, contenders):
    vl_convert = pytest.importorskip("vl_convert")
    profile = anira.results("bench", "profile")
    assert set(profile["part"]) == set(cost.PARTS)
    picture = vl_convert.vegalite_to_svg(cost.where_time_goes(profile, work).to_dict())
    assert all(picture.count(f">{name}</text>") == 2 for name in contenders)  # two widths
    assert len(re.findall(r'aria-roledescription="bar"', picture)) == 2 * len(contenders) * len(cost.PARTS)
