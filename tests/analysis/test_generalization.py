"""Unseen sizes, graphs and depths: a deeper model is the same model, and what is planted in a table is found in it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from anira.analysis.generalization import beyond, left_out, own_conditions, paired, slopes
from anira.evaluation.generalize import allow_depth, generalize, place, with_family
from anira.model.anira import Anira, Config
from anira.tasks import Brevo, Mano

TASK = Brevo(sizes=(3, 5), node_names=8)


def build(decider, max_depth=3):
    config = Config.of_variant(decider, vocabulary=len(TASK.vocabulary), width=16, hidden=24, heads=2, decider_hidden=16, max_depth=max_depth)
    model = Anira(config).initialize(torch.Generator().manual_seed(0)).double().eval()
    if hasattr(model.decider, "head"):
        torch.nn.init.normal_(model.decider.head[-1].weight, std=2.0, generator=torch.Generator().manual_seed(1))
        torch.nn.init.constant_(model.decider.head[-1].bias, -1.0)
    return model


@torch.no_grad()
def test_an_online_model_allowed_more_iterations_agrees_where_it_had_halted_before_and_sparse_with_dense():
    model = build("online")
    deeper = allow_depth(model, 9)
    tokens = TASK.batch(20, np.random.default_rng(0)).tokens
    first, dense, sparse = model(tokens), deeper(tokens), deeper(tokens, execution="sparse")
    assert dense.depths.max() > 3 and (first.depths < 3).any()
    for row, other in zip(first.depths, dense.depths, strict=True):  # up to the first token that went on past D, nothing changes
        same = int((other > 3).int().argmax()) if (other > 3).any() else len(row)
        assert torch.equal(row[:same], other[:same])
    assert torch.equal(dense.depths, sparse.depths)
    torch.testing.assert_close(dense.logits, sparse.logits, rtol=0, atol=1e-10)
    torch.testing.assert_close(dense.exit_probs, sparse.exit_probs, rtol=0, atol=1e-10)


@torch.no_grad()
def test_a_fixed_model_allowed_more_iterations_iterates_the_same_core():
    model = build("fixed")
    tokens = TASK.batch(3, np.random.default_rng(0)).tokens
    deeper = allow_depth(model, 7)
    assert (deeper(tokens).depths == 7).all()
    torch.testing.assert_close(deeper(tokens, depths=3).logits, model(tokens).logits)
    assert allow_depth(model, 3) is model


@pytest.mark.parametrize("decider", ["early", "untied"])
def test_a_model_made_for_its_depth_refuses_another(decider):
    with pytest.raises(ValueError, match="made for 3 iterations, 4 asked"):
        allow_depth(build(decider), 4)


def test_each_family_depth_and_size_has_a_row():
    table = generalize(build("online"), TASK, 4, 0, sizes=[2, 3, 4, 5, 6], families=["physics", "layered"], max_depths=[3, 5])
    cases = table.groupby(["family", "max_depth"], sort=False)["size"].apply(list).to_dict()
    assert cases == {("physics", 3): [2, 3, 4, 5, 6], ("layered", 3): [4, 5, 6], ("physics", 5): [2, 3, 4, 5, 6]}
    assert table["place"][:5].tolist() == ["below", "trained", "between", "trained", "beyond"]
    assert set(generalize(build("early"), TASK, 4, 0, max_depths=[5])["max_depth"]) == {3}
    pd.testing.assert_frame_equal(own_conditions(table.assign(decider="online", run_seed=0))[table.columns], table[:5])


def test_an_unknown_family_or_a_task_without_graphs_is_an_error():
    with pytest.raises(ValueError, match="No graph family 'rings'. Known: physics, chains"):
        with_family(TASK, "rings")
    with pytest.raises(ValueError, match="'mano' has no graphs"):
        with_family(Mano(), "chains")


def planted(seeds=3, deciders=("early", "online")):
    """Exact match 1 up to size 5, then falling by 0.1 (early) or 0.05 (online) a size; depth rises by 0.2 a size throughout."""
    rows = []
    for decider in deciders:
        fall = {"early": 0.1, "online": 0.05}[decider]
        for run_seed in range(seeds):
            for size in range(3, 10):
                exact = 1 - fall * max(size - 5, 0) + 0.001 * run_seed
                depth = 1 + 0.2 * size + 0.01 * run_seed - (decider == "online")
                rows.append((decider, run_seed, "physics", 6, size, place(size, (3, 5)), exact, depth))
    return pd.DataFrame(rows, columns=["decider", "run_seed", "family", "max_depth", "size", "place", "exact_match", "depth"])


def test_planted_fall_and_growth_are_found():
    table = beyond(planted())
    early, online = (table[table["decider"] == decider] for decider in ("early", "online"))
    assert early["drop"].to_numpy() == pytest.approx(0.25) and online["drop"].to_numpy() == pytest.approx(0.125)
    assert table["growth"].to_numpy() == pytest.approx(0.5) and table["slope"].to_numpy() == pytest.approx(0.2)
    assert early["retained"].iloc[0] == pytest.approx(0.75)
    between = beyond(planted(), "between")
    assert between["drop"].to_numpy() == pytest.approx(0) and between["growth"].to_numpy() == pytest.approx(0, abs=1e-12)
    assert slopes(planted())[["slope", "range"]].to_numpy() == pytest.approx(np.array([[0.2, 0.4]] * 6))
    assert paired(planted(), "depth", "online", "early")["difference"].tolist() == pytest.approx([-1] * 3)


def test_what_a_size_left_out_costs_is_the_difference_seed_by_seed():
    whole = planted().assign(exact_match=lambda rows: 0.9 + 0.01 * rows["run_seed"])
    without = whole.assign(exact_match=whole["exact_match"] - 0.2)
    found = left_out(whole, without).set_index(["decider", "trained"])
    for decider in ("early", "online"):
        assert found.loc[decider, "estimate"].tolist() == pytest.approx([0.91, 0.71, 0.2])
        assert found.loc[(decider, "lost"), ["low", "high"]].tolist() == pytest.approx([0.2, 0.2])  # the seeds' own differences are in both


def test_tables_with_holes_are_refused_and_undefined_numbers_are_nan():
    with pytest.raises(ValueError, match="lacks the columns"):
        beyond(planted().drop(columns="run_seed"))
    with pytest.raises(ValueError, match="empty"):
        beyond(planted()[:0])
    with pytest.raises(ValueError, match="NaN"):
        slopes(planted().replace({"depth": {1.6: np.nan}}))
    nothing_right = planted().assign(exact_match=0.0)
    assert beyond(nothing_right)["retained"].isna().all()
    assert slopes(planted().query("size == 3"))["slope"].isna().all()
    assert beyond(planted().query("place == 'trained'")).empty
    assert paired(planted(deciders=("early",)), "depth", "online", "early").empty


def test_the_depth_of_a_copy_leaves_the_original_alone():
    model = build("online")
    deeper = allow_depth(model, 5)
    with torch.no_grad():
        deeper.core.attention_norm.weight.zero_()
    assert model.config == replace(deeper.config, max_depth=3) and model.core.attention_norm.weight.abs().sum() > 0
