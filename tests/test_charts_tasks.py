"""Figures of the tasks name difficulties in words, and draw the numbers that they are given."""

import numpy as np
import pytest

from anira import charts
from anira.analysis.words import FEATURES, feature
from anira.drawing.instances import arrows
from anira.tasks import Brevo, Clrs, Depo, Lano, Mano
from anira.tasks.suite import feature_shares, token_features

FEW = ["frontier_size", "dfs_depth"]


@pytest.mark.parametrize("task", [Brevo(), Clrs(), Depo(), Mano(), Lano()], ids=lambda task: task.name)
def test_every_difficulty_of_the_suite_has_words_of_its_own(task):
    assert [name for name in task.features if name not in FEATURES] == []
    assert len({feature(name) for name in task.features}) == len(task.features)


def test_the_distribution_shows_every_share_and_its_title_follows_the_menu():
    shares = feature_shares(token_features(Brevo(), [3, 4], 20), FEW)
    chart = charts.distribution_by_size(shares, FEW).to_dict()
    (rows,) = chart["datasets"].values()
    assert [row["share"] for row in rows] == shares["share"].tolist()
    (menu,) = chart["params"]
    assert menu["bind"]["options"] == FEW and menu["bind"]["labels"] == [feature(name) for name in FEW]
    assert all(feature(name) in chart["title"]["text"]["expr"] for name in FEW)


def test_the_search_offers_its_difficulties_in_words():
    task = Brevo()
    nodes, edges = arrows(task.sample(5, np.random.default_rng(0)), task)
    menu = next(param for param in charts.search_steps(nodes, edges, FEW).to_dict()["params"] if param["name"] == "feature")
    assert menu["bind"]["labels"] == [feature(name) for name in FEW]
