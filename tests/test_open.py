"""A task and a decider that the library has never seen, from `anira train` to the last chart."""

import inspect
import os
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

import anira
from anira import charts
from anira.analysis import alignment, allocation, dynamics, generalization, intervals, interventions, need, policies, regressions, stopping, surface, timing
from anira.analysis.frames import by_model
from anira.charts import cost
from anira.evaluation.generalize import generalize
from anira.evaluation.interventions import intervene
from anira.evaluation.policies import ladder
from anira.evaluation.precision import half_precision
from anira.evaluation.probes import probe
from anira.evaluation.readout import readouts
from anira.evaluation.stopping import frontier
from anira.evaluation.trace import exits
from anira.model.decoding import generate
from anira.training.checkpoint import CheckpointError
from tests.test_charts_findings import crossed

DECIDER = "paced outside"
FEATURES = ["called", "often", "ago"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.getcwd()}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a run that another process has trained."""
    folder = tmp_path_factory.mktemp("runs") / "mine"
    command = [sys.executable, "-m", "anira", "train", "tests.outside:recipe", "--decider", DECIDER, "--device", "cpu", "--out", str(folder)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0 and "Finished" in done.stdout, done.stderr
    return folder


@pytest.fixture(scope="module")
def loaded(trained, outside):
    """What this process, in which the author's module is imported, makes of the file."""
    return anira.load(trained)


@pytest.fixture(scope="module")
def asked(loaded):
    """Kind → rows about the model, as if two seeds had given them."""
    model, task, _ = loaded
    patch = pytest.MonkeyPatch()
    patch.setattr("anira.evaluation.probes.STEPS", 20)  # of a probe that need not be good
    tables = {
        "trace": anira.trace(model, task, task.sizes, 40, 0),
        "evaluation": generalize(model, task, 20, 0, sizes=(3, 4, 5, 6)),
        "frontier": frontier(model, task, 20, 0),
        "readouts": readouts(model, task, task.sizes, 15, 0),
        "interventions": intervene(model, task, task.sizes, 15, 0),
        "ladder": ladder(model, task, 15, 0),
        "probe": probe(model, task, 60, 0, draws=5),
    }
    patch.undo()
    return {kind: pd.concat([table.assign(decider=DECIDER, run_seed=seed) for seed in (0, 1)], ignore_index=True) for kind, table in tables.items()}


def one(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of one of the two."""
    return table[table["run_seed"] == 0].drop(columns=["decider", "run_seed"])


def test_a_file_of_it_is_refused_where_its_module_is_not_imported(trained):
    assert "tests.outside" not in sys.modules, "this process has not seen it yet"
    with pytest.raises(CheckpointError, match="Roll|paced outside") as refused:
        anira.load(trained)
    assert "register" in str(refused.value)


def test_another_process_loads_what_was_trained_and_it_answers_in_every_way(loaded, outside):
    model, task, header = loaded
    assert type(task) is outside.Roll and type(model.decider) is outside.Paced and header["run"]["decider"] == DECIDER
    batch = task.batch(8, np.random.default_rng(5))
    with torch.no_grad():
        dense, sparse = (model(batch.tokens, lengths=batch.lengths, execution=execution) for execution in ("dense", "sparse"))
    assert torch.equal(dense.depths, sparse.depths) and dense.depths.unique().numel() > 1
    torch.testing.assert_close(dense.logits[batch.token_mask], sparse.logits[batch.token_mask])
    instance = task.sample(4, np.random.default_rng(6))
    assert tuple(generate(model, torch.tensor(instance.prompt), end_token=task.end_token, max_new_tokens=5).tokens.tolist()) == instance.answer


def test_its_evaluation_costs_and_precision(loaded, asked):
    model, task, _ = loaded
    assert one(asked["evaluation"]).set_index("size").loc[[3, 4, 5], "exact_match"].eq(1).all()
    assert set(asked["evaluation"]["place"]) == {"trained", "beyond"}
    rules = one(asked["frontier"])
    assert set(rules["kind"]) == {"decider", "uniform"} and (rules["flops"] > 0).all()
    assert rules[rules["rule"] == "mean"]["passes"].eq(2).all(), "as it says of itself"
    full = rules[(rules["kind"] == "uniform") & (rules["rule"].astype(str) == "4")]["flops_share"]
    np.testing.assert_allclose(full, 1)
    deciding = rules[(rules["kind"] == "decider") & (rules["depth"] == 4)]["flops_share"]
    assert (deciding > 1).all(), "the decider's own operations are counted"
    halves = half_precision(model, task, 3, 0, precisions=["bfloat16"])
    assert set(halves["execution"]) == {"dense", "sparse", "decoding"} and (halves["tokens"] > 0).all()


def test_its_trace_of_answer_and_prompt(loaded, asked):
    model, task, _ = loaded
    trace, prompt = one(asked["trace"]), anira.trace(model, task, [3], 2, 0, part="prompt")
    assert len(trace) == 3 * 40 * len(task.sizes) and trace["correct"].all() and trace["depth"].nunique() > 1
    assert len(prompt) == 2 * 5 and set(FEATURES) <= set(prompt) & set(trace)


def test_every_analysis_takes_it(asked):
    trace, token = asked["trace"], one(asked["trace"])
    aligned = by_model(trace, alignment.alignment, FEATURES, depth="expected_depth", draws=20)
    assert set(aligned["decider"]) == {DECIDER} and set(aligned["feature"]) == set(FEATURES)
    assert set(alignment.depth_by_value(token, FEATURES, depth="expected_depth", fewest=2)["feature"]) == set(FEATURES)
    assert set(timing.select_features(token, FEATURES)["feature"]) >= {"often", "ago"}
    found = timing.decision_timing(token, ["often", "ago"], draws=20)
    assert np.isfinite(found.r_squared), found.reason
    assert len(timing.common_correct(trace)) == len(trace)
    cells = {"content": ["often", "ago"], "coefficients": ["often", "ago"], "cells": ["called"]}
    assert surface.surface_by_decider(trace, **cells)["estimate"].notna().all()
    assert surface.alignment_within_cells(token, ["often", "ago"], cells=["called"], draws=5)["estimate"].notna().all()
    assert surface.size_shares(token, ["often", "ago"])["share"].between(0, 1).all()
    shares = allocation.depth_shares(trace)
    assert abs(shares.query("size == 'all' and seed == 'all'")["estimate"].sum() - 1) < 1e-9
    tokens = need.needs(one(asked["readouts"]))
    assert tokens["need"].between(1, 4).all()
    for analysis in (need.spending, need.calibration, need.answers_over_depth):
        assert set(need.over_models(asked["readouts"], analysis)["decider"]) == {DECIDER}
    assert interventions.effects(one(asked["interventions"])).query("intervention == 'chosen'")["accuracy"].iloc[0] == 1
    assert "shuffled in the instance" in set(allocation.after_shuffling(asked["interventions"])["intervention"])
    assert policies.advantage(asked["ladder"], "chosen", "uniform", setting=1)["difference"].ge(0).all()
    assert set(policies.matched_uniform(asked["ladder"])["decider"]) == {DECIDER}
    assert (policies.by_policy(asked["ladder"])["decider"] == DECIDER).all()
    assert set(FEATURES) <= set(asked["probe"]["feature"])
    own = generalization.own_conditions(asked["evaluation"])
    assert (intervals.summarize_seeds(own, ["decider", "size"], "exact_match", bounds=(0, 1))["clusters"] == 2).all()
    assert len(generalization.beyond(own)) == len(generalization.slopes(own)) == 2
    assert stopping.by_rule(asked["frontier"].assign(decider=DECIDER))["efficient"].any()


def test_every_chart_by_decider_names_it(asked, trained, loaded):
    vl_convert = pytest.importorskip("vl_convert")
    model, task, _ = loaded
    own = generalization.own_conditions(asked["evaluation"])
    curves = pd.read_csv(trained / "metrics.csv")
    spread = {"decider": [DECIDER, "early"], "size": [3, 4]}
    bench = crossed(decider=[DECIDER], width=[8], batch=[1, 2], mean_depth=[1.0, 2.0], contender=["sparse", "fixed"], work=["prefill"])
    bench = bench.assign(length=16, depth=bench["mean_depth"], speed_up=1.1, ideal_fixed=1.2, seconds=0.1)
    both = pd.concat([curves, curves.assign(decider="early", depth=curves["depth"] / 2 + 1)])
    draw = {
        "depth_by_size": lambda f: f(own, 4),
        "depth_by_place": lambda f: f(crossed(decider=[DECIDER], problem=["first", "second"], size=[1, 2, 3], number=[1]).assign(depth=2.0)),
        "exact_match_by_size": lambda f: f(own),
        "alignment_by_feature": lambda f: f(alignment.alignment_over_seeds(asked["trace"], FEATURES, {"raw": ()})),
        "timing_coefficients": lambda f: f(regressions.regressions(asked["trace"], ["often", "ago"])),
        "variance_shares": lambda f: f(regressions.regressions(asked["trace"], ["often", "ago"])),
        "depth_by_difficulty": lambda f: f(by_model(asked["trace"], alignment.depth_by_value, FEATURES, depth="expected_depth", fewest=2), 4),
        "told_by_state": lambda f: f(asked["probe"]),
        "one_cell": lambda f: f(asked["trace"], "often"),
        "exit_distributions": lambda f: f(exits(model, task, task.sample(4, np.random.default_rng(0))).assign(decider=DECIDER), 4),
        "surface_and_content": lambda f: f(
            surface.surface_by_decider(asked["trace"], content=["often", "ago"], coefficients=["often", "ago"], cells=["called"])
        ),
        "distractors": lambda f: f(
            crossed(decider=[DECIDER], size=["3", "4"], added=["1", "2"], graph=["dead ends", "apart", "larger"], quantity=["rise", "share"])
        ),
        "need_and_spending": lambda f: f(need.over_models(asked["readouts"], need.spending)),
        "ladder": lambda f: f(policies.by_policy(asked["ladder"]), DECIDER),
        "calibration": lambda f: f(need.over_models(asked["readouts"], need.calibration)),
        "answer_over_depth": lambda f: f(need.over_models(asked["readouts"], need.answers_over_depth)),
        "depth_histogram": lambda f: f(allocation.depth_shares(asked["trace"])),
        "shuffled_by_size": lambda f: f(allocation.after_shuffling(asked["interventions"])),
        "unseen_sizes": lambda f: f(own, "depth", "letters"),
        "families": lambda f: f(
            crossed(family=["physics", "tree"], run_seed=[0, 1], size=[8], decider=[DECIDER, "early"]).assign(exact_match=0.5, depth=lambda f: f["estimate"]),
            "physics",
        ),
        "operators": lambda f: f(crossed(model=["mine"], decider=[DECIDER], run_seed=[0], slots_left=[0, 1], completed_size=[1, 3]).assign(tokens=9)),
        "more_iterations": lambda f: f(crossed(max_depth=[2, 4], **spread).assign(depth=2.0)),
        "frontier": lambda f: f(stopping.by_rule(asked["frontier"])),
        "depth_over_training": lambda f: f(both, 4),
        "right_and_deep": lambda f: f(both, 4, 60, {"trunk": 0}),
        "right_against_depth": lambda f: f(both.assign(schedule="preset")),
        "order_of_learning": lambda f: f(dynamics.milestones(curves)),
        "speed_ups": lambda f: f(bench),
        "where_it_pays": lambda f: f(bench),
        "cost_shares": lambda f: f(crossed(decider=[DECIDER], width=[8], context=[16], depth=[1, 2], component=["core"]).rename(columns={"estimate": "share"})),
        "efficiency": lambda f: f(crossed(decider=[DECIDER], width=[8], tokens=[16, 32]).assign(share=0.5, share_low=0.4, share_high=0.6)),
        "speed_ups_at": lambda f: f(bench),
    }
    figures = {name: f for module in (charts, cost) for name, f in inspect.getmembers(module, inspect.isfunction) if hasattr(f, "__wrapped__")}
    by_decider = {name: f for name, f in figures.items() if "decider" in inspect.getsource(f.__wrapped__)}
    assert set(by_decider) == set(draw), "a chart that knows deciders is drawn above with one that the library has never seen: add it there"
    unnamed = {}
    for name, f in by_decider.items():
        chart = draw[name](f).to_dict()
        seen = re.findall(r"<text[^>]*>([^<]*)</text>", vl_convert.vegalite_to_svg(chart))
        menus = [param["bind"] for param in chart.get("params", []) if "options" in param.get("bind", {})]
        chosen = [option for menu in menus for option in menu.get("labels", menu["options"])]
        if not any(DECIDER in str(text) for text in [*seen, *chosen]):
            unnamed[name] = seen
    assert unnamed == {}


def test_the_explorer_shows_it(loaded):
    model, task, _ = loaded
    shown = anira.explore({"mine": loaded}, nodes=4, graph=3)
    instance = task.sample(4, np.random.default_rng([4, 3]))
    packed = shown.first["answers"]["mine"]
    assert packed["answer"] == task.vocabulary.decode(instance.answer) == shown.first["problem"]["answer"]
    assert packed["depths"] == generate(model, torch.tensor(instance.prompt), end_token=task.end_token, max_new_tokens=3).output.depths[0].tolist()
    assert "needs a running kernel" in shown.page()
