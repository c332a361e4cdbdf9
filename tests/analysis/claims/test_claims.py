"""Claims: verdicts follow from intervals, planted results are found in stored tables, and what is missing is an error."""

import numpy as np
import pandas as pd
import pytest

from anira.analysis.claims import (
    CLAIMS,
    VERDICTS,
    Claim,
    Criterion,
    Tables,
    above,
    below,
    by_id,
    measure,
    near,
    paper,
    verdicts,
)
from anira.analysis.intervals import Estimate
from anira.analysis.timing import decision_timing
from anira.results import UnknownTable
from tests.results.stored import store

DECIDERS = ("early", "online", "fixed", "untied")


@pytest.mark.parametrize(
    ("criterion", "low", "high", "verdict"),
    [
        (above(0), 0.1, 0.3, "agrees"),
        (above(0), -0.3, -0.1, "differs"),
        (above(0), -0.1, 0.3, "undecided"),
        (above(0, smallest=0.05), -0.01, 0.03, "no effect"),
        (above(0, smallest=0.05), 0.01, 0.03, "no effect"),
        (above(0, smallest=0.05), 0.01, 0.3, "agrees"),
        (above(0, smallest=0.05), -0.01, 0.3, "undecided"),
        (below(0.5), 0.1, 0.3, "agrees"),
        (below(0.5, smallest=0.1), 0.45, 0.55, "no effect"),
        (near(0.7, 0.1), 0.62, 0.78, "agrees"),
        (near(0.7, 0.1), 0.5, 0.78, "undecided"),
        (near(0.7, 0.1), 0.85, 0.9, "differs"),
    ],
)
def test_a_verdict_follows_from_the_interval(criterion, low, high, verdict):
    assert criterion.verdict(Estimate((low + high) / 2, low, high, 3)) == verdict


def claim(values, holds=None, id="something", bounds=(-np.inf, np.inf)):
    @measure(bounds=bounds)
    def given(tables):
        return pd.Series(values, dtype=float)

    return Claim(id, "Something.", given(), holds or above(0), "something else", "brevo", ("tiny",))


@pytest.mark.parametrize(
    ("values", "verdict", "reason"),
    [
        ([0.5, 0.6, 0.7], "agrees", ""),
        ([-0.5, -0.6, -0.7], "differs", ""),
        ([-0.5, 0.6, 0.7], "undecided", ""),
        ([0.5, 0.6], "not tested", "2 of 3 seeds"),
        ([0.5], "not tested", "a single seed"),
        ([], "not tested", "no seeds"),
        ([0.5, np.nan, 0.7], "not tested", "undefined for a seed"),
    ],
)
def test_fewer_than_three_seeds_or_an_undefined_number_give_no_verdict(values, verdict, reason):
    row = verdicts([claim(values)]).iloc[0]
    assert (row["verdict"], row["reason"], row["clusters"]) == (verdict, reason, len(values))
    assert np.isnan(row["p"]) == (verdict == "not tested")


def test_a_null_is_rarely_called_an_effect():
    rng = np.random.default_rng(0)
    table = verdicts([claim(rng.normal(size=3), id=f"null-{i}") for i in range(200)])
    assert (table["verdict"] == "undecided").mean() > 0.9  # the rest, about 5 %, falls to either side
    assert (table["holm"] < 0.05).sum() <= 1


BOUNDS = {"none": (-np.inf, np.inf), "share": (0, 1), "correlation": (-1, 1), "ratio": (0, np.inf)}


@pytest.mark.parametrize("bounds", BOUNDS.values(), ids=list(BOUNDS))
def test_p_is_below_five_per_cent_just_where_there_is_a_decision(bounds):
    rng = np.random.default_rng(0)
    criteria = (above(0.5), below(0.5), near(0.5, 0.1), above(0.5, smallest=0.1), below(0.4, smallest=0.2))
    drawn = [rng.normal(rng.uniform(0.3, 0.7), rng.uniform(0.01, 0.05), 3).clip(0.01, 0.99) for _ in range(200)]
    table = verdicts(claim(values, criteria[i % 5], id=f"claim-{i}", bounds=bounds) for i, values in enumerate(drawn))
    assert table["p"].between(0, 1).all() and len(set(table["verdict"])) == 4
    assert ((table["p"] < 0.05) == (table["verdict"] != "undecided")).all()


def test_a_claim_counts_once_whatever_the_number_of_its_rows():
    """Two claims, one of them with three rows: Bonferroni's factor for the smaller p is two, and a claim is as sure as its weakest row."""
    by_preset = {"tiny": [0.5, 0.6, 0.7], "minute": [0.5, 0.9, 1.6], "minute-gap": [0.5, 0.55, 0.6]}

    @measure()
    def given(tables):
        return pd.Series(by_preset[tables.preset])

    many = Claim("many", "Many.", given(), above(0), "none", "brevo", tuple(by_preset))
    one = claim([0.5, 0.51, 0.52], id="one")
    table = verdicts([many, one])
    assert len(table) == 4 and table[table["id"] == "many"]["p"].nunique() == 1
    alone = [verdicts([Claim("one", "One.", given(), above(0), "none", "brevo", (preset,))]).iloc[0]["p"] for preset in by_preset]
    p = table.drop_duplicates("id").set_index("id")
    assert p.loc["many", "p"] == max(alone)
    assert p.loc["one", "holm"] == pytest.approx(2 * p.loc["one", "p"]) and p.loc["many", "holm"] == pytest.approx(p.loc["many", "p"])
    assert p.loc["one", "fdr"] == pytest.approx(2 * p.loc["one", "p"])


def test_a_missing_folder_or_table_is_an_error_that_names_the_claim(tmp_path):
    asked = [CLAIMS["brevo-early-depth-rises"]]
    with pytest.raises(FileNotFoundError, match="no folder"):
        verdicts(asked, folder=tmp_path / "results")
    with pytest.raises(UnknownTable, match="Claim 'brevo-early-depth-rises' cannot be judged. There is no table 'brevo-tiny' of the kind"):
        verdicts(asked, folder=tmp_path)


def test_a_claim_says_what_it_needs():
    given = claim([1, 2, 3])
    with pytest.raises(ValueError, match="words of a-z"):
        Claim("Early surface", "…", untestable="no")
    with pytest.raises(ValueError, match="needs a measure"):
        Claim("early", "…", given.measure, above(0), task="brevo", presets=("tiny",))  # how could it come out otherwise?
    with pytest.raises(ValueError, match="needs a measure"):
        Claim("early", "…", given.measure, above(0), "otherwise", "brevo", ("tiny",), untestable="but it is")
    with pytest.raises(ValueError, match="says why .amended. and instead of which"):
        Claim("early", "…", untestable="no", amended="the wrong measure")
    with pytest.raises(ValueError, match="Two claims have the id 'something'"):
        by_id([given, given])
    with pytest.raises(ValueError, match="instead of 'gone', which there is not"):
        by_id([Claim("early", "…", untestable="no", amended="the wrong measure", instead_of="gone")])


def test_an_amended_claim_stands_beside_the_one_first_declared():
    first = claim([2.0, 2.1, 2.2], id="first")
    second = Claim("second", "Better.", first.measure, above(0), "none", "brevo", ("tiny",), amended="the first asked something else", instead_of="first")
    table = verdicts([first, second]).set_index("id")
    assert table["amended_by"].to_dict() == {"first": "second", "second": ""}
    assert table.loc["second", "amended"] == "the first asked something else" and table.loc["first", "verdict"] == "agrees"


def test_every_claim_has_a_part_and_a_sentence_and_the_paper_s_come_first():
    declared = [claim.id for claims in paper.PARTS.values() for claim in claims]
    assert list(CLAIMS)[: len(declared)] == declared and len(declared) == 66
    assert all(claim.part and len(claim.sentence) > 10 for claim in CLAIMS.values())
    assert all(CLAIMS[id].paper and not CLAIMS[id].amended for id in declared)


@pytest.fixture
def folder(tmp_path):
    """Tables in which the paper's claims on alignment, dynamics and generalization hold, but one: depth falls with N for early."""
    rng = np.random.default_rng(0)
    rows = []
    for decider in DECIDERS:
        for seed in range(3):
            for size in (2, 3, 4, 5, 6):
                slope = {"early": -0.2, "online": 0.3}.get(decider, 0)
                exact = 0.98 if size <= 4 else 0.4 if decider == "online" else 0.1
                depth = {"early": 3.5, "online": 2}.get(decider, 4) + slope * (size - 4) + rng.normal(0, 0.01)
                rows.append((f"{decider}-{seed}", decider, seed, "physics", 4, True, "trained" if size <= 4 else "beyond", size, exact, depth))
    columns = ["model", "decider", "run_seed", "family", "max_depth", "own", "place", "size", "exact_match", "depth"]
    store(tmp_path, "generalization", "brevo-minute", pd.DataFrame(rows, columns=columns))
    curves = []
    for decider in ("early", "online"):
        for seed in range(3):
            for variation, path in (("none", {250: 3.8, 300: 2.5, 450: 2.0}), ("constant", {25: 1.5, 100: 1.2 + 0.01 * seed, 450: 1.3})):
                curve = [(step, size, float(step >= 100 * size), depth) for step, depth in path.items() for size in (2, 3, 4)]
                run = {"model": f"{decider}-{seed}-{variation}", "preset": "minute", "decider": decider, "run_seed": seed, "variation": variation}
                curves.append(pd.DataFrame(curve, columns=["step", "size", "exact_match", "depth"]).assign(**run))
    store(tmp_path, "training", "brevo-minute", pd.concat(curves))
    return tmp_path


def of_task(task, preset):
    return [Claim(**{**vars(claim), "presets": (preset,)}) for claim in CLAIMS.values() if claim.task == task and preset in claim.presets]


def test_planted_results_are_found_where_they_are_stored(folder):
    asked = [claim for claim in of_task("brevo", "minute") if claim.part in ("alignment", "dynamics", "generalization")]
    table = verdicts(asked, folder=folder).set_index("id")
    expected = {
        "brevo-early-depth-rises": "differs",
        "brevo-online-depth-rises": "agrees",
        "brevo-online-spends-fewer": "agrees",
        "brevo-equal-accuracy": "agrees",
        "brevo-early-easy-first": "agrees",
        "brevo-online-depth-climbs": "differs",
        "brevo-online-depth-falls": "agrees",
        "brevo-fixed-collapses": "agrees",
        "brevo-online-most-graceful": "agrees",
        "brevo-online-depth-grows-on": "agrees",
        "brevo-early-depth-grows-on": "differs",
    }
    assert table.loc[list(expected), "verdict"].to_dict() == expected
    slope = table.loc["brevo-online-depth-rises"]
    assert slope["estimate"] == pytest.approx(0.3, abs=0.02) and slope["low"] < 0.3 < slope["high"] and slope["clusters"] == 3
    assert set(table["verdict"]) <= set(VERDICTS) and set(table["scale"]) == {"BREVO minute, N = 2–4"}


def test_one_seed_has_an_estimate_and_no_verdict(folder):
    path = folder / "generalization/brevo-minute.csv"
    pd.read_csv(path).query("run_seed == 0").to_csv(path, index=False)
    asked = [claim for claim in of_task("brevo", "minute") if claim.id == "brevo-online-depth-rises"]
    row = verdicts(asked, folder=folder).iloc[0]
    assert row["verdict"] == "not tested" and row["reason"] == "a single seed" and np.isnan(row["low"]) and row["estimate"] == pytest.approx(0.3, abs=0.02)


def test_a_decider_without_models_is_not_tested_and_named(folder):
    path = folder / "generalization/brevo-minute.csv"
    pd.read_csv(path).query("decider != 'untied'").to_csv(path, index=False)
    asked = [claim for claim in of_task("brevo", "minute") if claim.id in ("brevo-untied-collapses", "brevo-online-most-graceful")]
    assert verdicts(asked, folder=folder)["reason"].tolist() == ["no untied model", "no model of: untied"]


def test_unfinished_runs_are_not_measured(folder):
    path = folder / "training/brevo-minute.csv"
    curves = pd.read_csv(path, keep_default_na=False)
    curves[(curves["step"] < 450) | (curves["run_seed"] > 0)].to_csv(path, index=False)
    assert CLAIMS["brevo-online-depth-falls"].measure(Tables("brevo", "minute", folder)).index.tolist() == [1, 2]


def test_depth_falls_from_the_end_of_the_trunk_phase_which_is_where_depth_is_no_longer_whole(folder):
    tables, curve = Tables("brevo", "minute", folder), {100: (4, 4, 0.1), 200: (4, 4, 0.5), 300: (4, 3, 0.6), 400: (3, 3, 0.7), 500: (2, 1, 0.9)}
    rows = [("online", seed, "none", step, 3, exact, depth, prompt) for seed in range(3) for step, (depth, prompt, exact) in curve.items()]
    tables.training = pd.DataFrame(rows, columns=["decider", "run_seed", "variation", "step", "size", "exact_match", "depth", "prompt_depth"]).assign(
        task="brevo", preset="minute"
    )
    assert (CLAIMS["brevo-online-depth-falls"].measure(tables) == 2).all()
    assert CLAIMS["brevo-online-accuracy-holds"].measure(tables).tolist() == pytest.approx([0.4] * 3)  # since step 200


def test_the_regression_rows_are_those_of_the_timing_analysis(folder):
    rng = np.random.default_rng(1)
    frames = []
    for decider in ("early", "online"):
        for seed in range(3):
            instance, size = np.repeat(np.arange(60), 3), np.repeat(rng.integers(3, 6, 60), 3)
            hub, dfs, frontier, new = rng.integers(1, 5, (4, 180))
            depth = 2 + 0.1 * hub + 0.3 * dfs + 0.2 * frontier - 0.2 * new + rng.normal(0, 0.05, 180) + 4
            features = {"hub_out_degree": hub, "dfs_depth": dfs, "frontier_size": frontier, "newly_enabled": new}
            frame = {"model": f"{decider}-{seed}", "decider": decider, "run_seed": seed, "instance": instance, "size": size, "position": np.tile([7, 8, 9], 60)}
            frames.append(pd.DataFrame({**frame, "correct": True, "instance_correct": True, "depth": 5, "expected_depth": depth, **features}))
    traces = pd.concat(frames)
    traces["size"] = traces.groupby("instance")["size"].transform("first")
    store(folder, "traces", "brevo-minute", traces)
    asked = [Claim(**{**vars(claim), "presets": ("minute",)}) for claim in paper.DECISION_TIMING]
    table = verdicts(asked, folder=folder).set_index("id")
    row = table.loc["brevo-online-dfs-depth"]
    fits = [decision_timing(traces.query(f"decider == 'online' and run_seed == {seed}"), ["hub_out_degree", "dfs_depth", "frontier_size", "newly_enabled"], draws=2)
            for seed in range(3)]  # fmt: skip
    mean = np.mean([fit.coefficients.set_index("term").loc["dfs_depth", "coefficient"] for fit in fits])
    assert row["estimate"] == pytest.approx(mean) and row["verdict"] == "agrees"
    assert table.loc["brevo-early-dfs-depth", "verdict"] == "differs"  # planted at 0.3, the paper has -0.005
    assert table.loc["brevo-early-newly-enabled", "verdict"] == "agrees"


def test_bounds_read_as_words():
    read = [above(0), below(0.5), near(0.7, 0.1), Criterion(0, 1), above(0, smallest=0.1)]
    assert [str(criterion) for criterion in read] == ["above 0", "below 0.5", "0.6 to 0.8", "0 to 1", "above 0, by 0.1 at least"]
