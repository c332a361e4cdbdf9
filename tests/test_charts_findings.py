"""The figures of findings: each draws what its analysis returns, with deciders of any name, and says in words what its axes are."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from anira import charts

ESTIMATE = {"low": 0.4, "high": 0.6, "clusters": 3, "reason": ""}


def crossed(**columns) -> pd.DataFrame:
    """Every combination of the given values, with an estimate each."""
    frame = pd.MultiIndex.from_product(columns.values(), names=columns.keys()).to_frame(index=False)
    return frame.assign(estimate=np.linspace(0.3, 0.9, len(frame)), **ESTIMATE)


def policies() -> pd.DataFrame:
    frame = crossed(decider=["early", "mine"], size=["all", "3"], policy=["answer", "chosen", "a rule of my own"], setting=[1.0, 2.0])
    return frame.rename(columns={"estimate": "exact_match"}).assign(depth=2.0, all_depth=1.5, looks=0.0, flops=10, flops_share=frame.index / 20)


DECIDERS = ["early", "mine"]


def regressed() -> pd.DataFrame:
    """What `regressions` returns."""
    quantities = ["coefficient", "standardized", "alone", "share", "left out", "R²"]
    return crossed(decider=DECIDERS, reading=["predicted", "read"], size=["categories", "a number"], term=["dfs_depth", "size"], quantity=quantities)


CHARTS = {
    "surface_and_content": lambda: charts.surface_and_content(
        crossed(decider=[*DECIDERS, "online − early"], quantity=["surface", "content", "coefficient"], term=[""], seed=["0", "1", "all"])
    ),
    "distractors": lambda: charts.distractors(
        crossed(decider=DECIDERS, size=["all", "3", "4"], added=["1", "2"], graph=["dead ends", "apart", "larger"], quantity=["rise", "share"])
    ),
    "one_cell": lambda: charts.one_cell(
        crossed(decider=DECIDERS, dfs_depth=[1.0, 2.0, np.nan], part=["answer"]).assign(expected_depth=lambda f: f["estimate"] * 4)
    ),
    "need_and_spending": lambda: charts.need_and_spending(
        crossed(decider=DECIDERS, quantity=["spent", "needed", "more"], definition=["alone", "together"], size=["all", "3", "4"])
    ),
    "ladder": lambda: charts.ladder(policies(), "mine"),
    "calibration": lambda: charts.calibration(
        crossed(decider=DECIDERS, quantity=["final", "right"], **{"from": [0.0, 0.1]}).assign(to=lambda f: f["from"] + 0.1)
    ),
    "answer_over_depth": lambda: charts.answer_over_depth(
        crossed(decider=DECIDERS, iteration=[1, 2], quantity=["right", "final", "changed", "running"], size=["all", "3"])
    ),
    "alignment_by_feature": lambda: charts.alignment_by_feature(
        crossed(decider=DECIDERS, task=["BREVO", "MANO"], feature=["dfs_depth", "of_my_own"], held=["raw", "size held"], reading=["predicted", "read"])
    ),
    "timing_coefficients": lambda: charts.timing_coefficients(regressed()),
    "variance_shares": lambda: charts.variance_shares(regressed()),
    "depth_by_difficulty": lambda: charts.depth_by_difficulty(crossed(decider=DECIDERS, feature=["dfs_depth", "of_my_own"], value=[1.0, 2.0]), max_depth=6),
    "told_by_state": lambda: charts.told_by_state(crossed(decider=DECIDERS, feature=["expected_depth", "dfs_depth"], iteration=[0, 1])),
    "depth_histogram": lambda: charts.depth_histogram(crossed(decider=DECIDERS, size=["all", "3"], depth=[1, 2], seed=["0", "1", "all"])),
    "shuffled_by_size": lambda: charts.shuffled_by_size(
        crossed(
            decider=DECIDERS,
            intervention=["chosen", "shuffled in the instance", "shuffled among instances", "shuffled in the instance − chosen"],
            size=[3, 4],
            seed=["0", "1", "all"],
        )
    ),
}


def texts(chart) -> str:
    vl_convert = pytest.importorskip("vl_convert")
    return " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", vl_convert.vegalite_to_svg(chart.to_dict())))


@pytest.mark.parametrize("name", CHARTS)
def test_a_figure_is_drawn_with_a_decider_of_any_name_and_speaks_in_words(name):
    chart = CHARTS[name]()
    seen = texts(chart)
    assert "mine" in seen
    assert not re.search(r"\b\w+_\w+\b", seen)  # no name of a column
    assert chart.to_dict()["description"].endswith(".")


def test_the_surface_chart_draws_two_quantities_of_the_deciders_and_no_difference():
    specification = json.dumps(CHARTS["surface_and_content"]().to_dict())
    assert "coefficient" not in specification
    assert "−" not in specification


def menus(chart) -> dict[str, list]:
    """The menus of a chart: label → options, the chosen one first."""
    return {param["bind"]["name"].strip(): [param["value"], *param["bind"]["options"]] for param in chart.to_dict()["params"] if "bind" in param}


def test_menus_offer_what_there_is_to_choose_and_the_papers_reading_first():
    assert menus(CHARTS["timing_coefficients"]())["depth"] == ["where the token is read"] * 2 + ["where the token is predicted"]
    assert menus(CHARTS["timing_coefficients"]())["size N as"][0] == "categories"
    assert set(menus(CHARTS["variance_shares"]())) == {"counted", "depth"}
    raw = crossed(decider=DECIDERS, feature=["dfs_depth"], held=["raw"], reading=["predicted", "read"])
    assert set(menus(charts.alignment_by_feature(raw))) == {"depth"}


def test_the_ladder_shows_policies_that_it_has_never_heard_of():
    assert "a rule of my own" in texts(CHARTS["ladder"]())
