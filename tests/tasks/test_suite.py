"""Tables of the suite count what the tasks say of their tokens."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from anira.tasks import Brevo
from anira.tasks.suite import feature_shares, token_features


def test_shares_are_counts_of_the_values_of_a_size():
    tokens = token_features(Brevo(), [4, 6], 50)
    shares = feature_shares(tokens, ["frontier_size", "emitted"])
    for size in (4, 6):
        values = [value for value in tokens.loc[tokens["size"] == size, "frontier_size"] if value == value]
        counted = {value: round(count / len(values), 4) for value, count in Counter(values).items()}
        rows = shares[(shares["feature"] == "frontier_size") & (shares["size"] == size)]
        assert dict(zip(rows["value"], rows["share"], strict=True)) == counted
    assert list(dict.fromkeys(shares["feature"])) == ["frontier_size", "emitted"]


def test_token_features_are_those_of_the_instances_that_a_size_draws():
    task = Brevo()
    _, drawn = task.batch_with_features(3, np.random.default_rng([1, 5]), 5)
    emitted = list(task.features).index("emitted")
    assert token_features(task, [5], 3)["emitted"].dropna().tolist() == [value for value in drawn[..., emitted].ravel() if value == value]


def test_many_values_share_bins_of_one_digit_that_hold_them_all():
    values = np.random.default_rng(0).uniform(0, 37, 1000)
    shares = feature_shares(pd.DataFrame({"size": 1, "entropy": values}), ["entropy"])
    assert np.diff(shares["value"]).round(6).tolist() == [3.0] * (len(shares) - 1)
    assert shares["share"].sum() == pytest.approx(1, abs=1e-3) and shares["value"].max() <= values.max() < shares["value"].max() + 3
