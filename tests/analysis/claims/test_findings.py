"""What our own claims measure, on tables in which the answer is planted; and that the paper's six findings can be looked up."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from anira.analysis.claims import CLAIMS, counted, further
from anira.analysis.claims.claim import Missing
from anira.analysis.claims.findings import FINDINGS
from anira.analysis.claims.paper import COEFFICIENTS
from anira.analysis.words import FEATURES
from tests.analysis.synthetic import skeleton


def tables(**frames: pd.DataFrame) -> SimpleNamespace:
    """Stands in for `Tables`: frames by the name by which a measure asks for them."""
    return SimpleNamespace(read=lambda kind: frames[kind], kept={}, **frames)


def evaluation(exact: dict[tuple[str, int], float], trained: int, decider_depth: dict[str, float] | None = None) -> pd.DataFrame:
    rows = [
        {
            "decider": decider,
            "run_seed": seed,
            "size": size,
            "place": "trained" if size <= trained else "beyond",
            "exact_match": value + 0.01 * seed,
            "depth": (decider_depth or {}).get(decider, 0) * size,
        }
        for seed in range(3)
        for (decider, size), value in exact.items()
    ]
    return pd.DataFrame(rows)


def test_what_is_kept_beyond_is_counted_above_guessing():
    table = evaluation({("early", 4): 0.9, ("early", 6): 0.1, ("early", 5): 0.0}, trained=4)
    one_of_ten = pd.DataFrame({"instance": range(50), "position": 9, "token": [str(i % 10) for i in range(50)]})
    kept = further.kept_above_guessing("early", one_token=True)(tables(evaluation=table, traces=one_of_ten))
    assert kept.tolist() == pytest.approx([0, 0.01 / 0.81, 0.02 / 0.82])
    assert further.kept_above_guessing("early", one_token=False)(tables(evaluation=table)).tolist() == pytest.approx([0.1 / 0.9, 0.11 / 0.91, 0.12 / 0.92])


def test_a_ratio_at_which_nothing_was_asked_is_missing():
    with pytest.raises(Missing, match="size 12"):
        further.ahead_beyond_of("early")(tables(evaluation=evaluation({("online", 8): 0.9, ("online", 9): 0.5}, trained=8)))


def test_growth_with_size_is_compared_seed_by_seed():
    exact = {(decider, size): 1.0 for decider in ("early", "online") for size in (3, 4, 5)}
    table = evaluation(exact, trained=5, decider_depth={"early": 0.2, "online": 0.35})
    assert further.growth_with_size_difference()(tables(evaluation=table)).tolist() == pytest.approx([0.15] * 3)
    assert further.depth_difference_at_the_end()(tables(evaluation=table)).tolist() == pytest.approx([0.75] * 3)


def interventions(lost: dict[tuple[str, int], float]) -> pd.DataFrame:
    rows = []
    for (decider, seed), share in lost.items():
        for name, amount, wrong in (("chosen", 0, 0), ("shuffled in the instance", 0, share), ("shuffled among instances", 0, 0), ("fixed", 4, share / 2)):
            right = np.where(np.arange(100) < 100 * wrong, 2, 3)
            rows.append(pd.DataFrame({"instance": range(100), "intervention": name, "amount": amount, "right": right}).assign(decider=decider, run_seed=seed))
    return pd.concat(rows).assign(size=8, tokens=3)


def test_what_is_lost_by_shuffling_is_positive_where_it_hurts():
    table = tables(interventions=interventions({("early", 0): 0.1, ("early", 1): 0.0, ("online", 0): 0.3, ("online", 1): 0.1}))
    assert further.lost_by_shuffling("online", 8)(table).tolist() == pytest.approx([0.3, 0.1])
    assert further.lost_by_shuffling_difference(8)(table).tolist() == pytest.approx([0.2, 0.1])
    assert further.ahead_of_one_number("online", 4)(table).tolist() == pytest.approx([0.15, 0.05])


def readouts(need_of_size, spent) -> pd.DataFrame:
    """One token an instance, of sizes 3 to 6, right from `need_of_size` on; the decider spends `spent(size, need)`."""
    rng, rows = np.random.default_rng(0), []
    for seed in range(3):
        for instance in range(200):
            size = int(rng.integers(3, 7))
            need = need_of_size(size, rng)
            for iteration in range(1, 7):
                right = iteration >= need
                row = {
                    "iteration": iteration,
                    "right": right,
                    "right_together": right,
                    "said": "c" if right else "x",
                    "passed": 0.07 if iteration == 2 else 0.5,
                }
                rows.append(
                    {
                        "run_seed": seed,
                        "instance": instance,
                        "size": size,
                        "position": 9,
                        "place": instance % 2,
                        "expected_depth": spent(size, need),
                        "depth": 4,
                        **row,
                    }
                )
    return pd.DataFrame(rows).assign(decider="online")


def test_spending_by_size_and_spending_by_need_are_told_apart():
    def random_need(size: int, rng: np.random.Generator) -> int:
        return int(rng.integers(1, 6))

    by_size, by_need = (readouts(random_need, spent) for spent in (lambda size, need: size / 2, lambda size, need: float(need)))
    assert (further.size_beyond_need("online")(tables(readouts=by_size)) > 0.8).all()
    assert (further.size_beyond_need("online")(tables(readouts=by_need)) < -0.8).all()
    assert (further.need_beyond_surface("online")(tables(readouts=by_need)) > 0.95).all()
    assert (further.share_given_more("online")(tables(readouts=by_need)) - 0.6).abs().max() < 0.1  # needs 1, 2, 3 of five


def test_final_counts_only_readouts_within_the_bounds():
    table = readouts(lambda size, rng: 2 if size < 5 else 3, lambda size, need: 3.0)
    share = (table[table["iteration"] == 1].groupby("run_seed")["size"].apply(lambda sizes: (sizes < 5).mean())).tolist()
    assert further.final_early("online", 0.05, 0.1)(tables(readouts=table)).tolist() == pytest.approx(share)


def test_confidence_is_compared_with_what_the_decider_spends():
    rows = [
        {"decider": "early", "run_seed": seed, "policy": policy, "setting": setting, "size": size, "depth": depth, "exact_match": exact}
        for seed in range(3)
        for size in (3, 4)
        for policy, setting, depth, exact in (("chosen", np.nan, 4.0, 0.98), ("confident", 0.9, 2.0, 0.9), ("confident", 0.999, 3.0, 0.97))
    ]
    table = tables(policies=pd.DataFrame(rows))
    assert further.iterations_when_confident("early", 0.999)(table).tolist() == pytest.approx([0.75] * 3)
    assert further.confident_less_chosen("early", 0.999)(table).tolist() == pytest.approx([-0.01] * 3)


def test_predictors_that_change_with_size_are_told_from_those_that_do_not():
    rng = np.random.default_rng(0)
    names = ["dependents", "dfs_depth", "frontier_size", "newly_enabled"]
    frames = []
    for seed in range(3):
        frame = skeleton(rng, 400, sizes=range(3, 9))
        frame = frame.assign(**dict(zip(names, rng.normal(size=(4, len(frame))), strict=True)), instance_correct=True)
        small = frame["size"] < 6
        turning = frame["dfs_depth"].where(small, frame["frontier_size"])
        for decider, depth in (("early", turning), ("online", frame["dfs_depth"])):
            noise = 0.1 * rng.normal(size=len(frame))
            frames.append(frame.assign(decider=decider, run_seed=seed, expected_depth=10 + depth, own_expected_depth=10 + depth + noise))
    moved = further.importances_moved_difference()(tables(solved=pd.concat(frames)))
    assert len(moved) == 3 and (moved < -0.8).all()


def test_every_finding_of_the_paper_has_claims_that_are_measured_and_say_how_they_could_fail():
    assert list(FINDINGS) == list("abcdef")
    for finding in FINDINGS.values():
        assert finding.decides in finding.claims
        for name in finding.claims:
            assert CLAIMS[name].otherwise and CLAIMS[name].measure


def test_claims_call_a_difficulty_what_charts_call_it():
    sentences = " ".join(claim.sentence for claim in CLAIMS.values())
    assert all(f"coefficient of {FEATURES[name]}" in sentences for name in (*COEFFICIENTS, "dependents"))
    assert not re.search(r"dfs|out degree|frontier size|newly enabled", sentences)


def test_a_claim_that_was_asked_again_does_not_count():
    names = {claim.id for claim in counted()}
    assert "brevo-early-hub-out-degree" not in names
    assert {"brevo-early-dependents-read", "brevo-early-depth-rises", "early-surface"} <= names
