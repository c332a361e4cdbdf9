"""The regressions of a frame of models are those of statsmodels, seed by seed, on the answers that all models solve."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from anira.analysis.regressions import regressions
from tests.analysis.synthetic import planted


@pytest.fixture(scope="module")
def traces():
    """Three seeds of two deciders, which read a token with half the depth; one of them fails at instance 0."""
    frames = []
    for decider, slope in (("early", 0.5), ("online", 0.1)):
        for seed in range(3):
            frame = planted(np.random.default_rng(5), instances=80, coefficients=(slope + 0.01 * seed, -0.3))
            frames.append(frame.assign(decider=decider, run_seed=seed, own_expected_depth=frame["expected_depth"] / 2, instance_correct=True))
    table = pd.concat(frames, ignore_index=True)
    wrong = (table["instance"] == 0) & (table["decider"] == "online") & (table["run_seed"] == 2)
    return table.assign(correct=~wrong, instance_correct=~wrong)


@pytest.fixture(scope="module")
def found(traces):
    return regressions(traces, ["a", "b"]).set_index(["decider", "reading", "size", "term", "quantity"]).sort_index()


@pytest.fixture(scope="module")
def fits(traces):
    """Of early, predicted: with the size as categories, as a number, and each without b."""
    solved = [part for _, part in traces[(traces["decider"] == "early") & (traces["instance"] != 0)].groupby("run_seed")]
    formulas = {"categories": "a + b + C(size)", "a number": "a + b + size", "without b": "a + C(size)", "b alone": "b", "size alone": "C(size)"}
    return {name: [smf.ols(f"expected_depth ~ {formula}", part).fit() for part in solved] for name, formula in formulas.items()}


def mean(values) -> float:
    return pytest.approx(float(np.mean(list(values))))


@pytest.mark.parametrize("size", ["categories", "a number"])
def test_coefficients_and_fit_are_means_over_seeds(found, fits, size):
    row = found.loc["early", "predicted", size]
    assert row.loc[("b", "coefficient"), "estimate"] == mean(fit.params["b"] for fit in fits[size])
    assert row.loc[("", "R²"), "estimate"] == mean(fit.rsquared for fit in fits[size])
    assert row.loc[("b", "coefficient"), "clusters"] == 3


def test_the_three_measures_of_importance(found, fits):
    row = found.loc["early", "predicted", "categories"]["estimate"]
    whole = [fit.rsquared for fit in fits["categories"]]
    assert row["b", "left out"] == mean(full - fit.rsquared for full, fit in zip(whole, fits["without b"], strict=True))
    assert row["b", "alone"] == mean(fit.rsquared for fit in fits["b alone"])
    assert row["size", "alone"] == mean(fit.rsquared for fit in fits["size alone"])
    assert row.xs("share", level="quantity").sum() == pytest.approx(row["", "R²"])
    assert row["", "R² added by categories"] == mean(full - line.rsquared for full, line in zip(whole, fits["a number"], strict=True))


def test_where_a_token_is_read_its_own_depth_counts(found):
    coefficients = found.xs("coefficient", level="quantity")["estimate"]
    for key, value in coefficients.xs("read", level="reading").items():
        assert value == pytest.approx(coefficients[(key[0], "predicted", *key[1:])] / 2)
