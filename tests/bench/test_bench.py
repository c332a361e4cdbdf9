"""The contenders do the same work, memory is counted right, and the tables say what was measured."""

import platform
import subprocess
import sys
from itertools import product

import pandas as pd
import pytest
import torch

import anira
from anira.bench.contenders import Shape, fixed_of, lock_step, model_of, prefill
from anira.bench.measure import interleave, peak_bytes
from anira.bench.profile import _part, where_time_goes
from anira.bench.suite import CASE, WORKS, break_even, efficiency, measure, shapes, summary
from anira.cli import parse

CPU = torch.device("cpu")
SMALL = Shape(width=48, batch=3, length=8, max_depth=4)


@pytest.mark.parametrize("decider", ["early", "online"])
def test_the_decider_is_set_to_the_mean_depth_asked_for(decider):
    for mean_depth in (1.0, 1.5, 2.0, 4.0, 6.0):
        shape = Shape(48, 8, 32, mean_depth, decider)
        depths = model_of(shape, CPU)(shape.tokens(CPU)).depths
        assert abs(depths.double().mean() - mean_depth) < 0.05


@pytest.mark.parametrize("decider", ["early", "online"])
def test_contenders_of_equal_weights_give_equal_logits(decider):
    shape = Shape(48, 3, 8, 2.0, decider)
    model, tokens = model_of(shape, CPU), shape.tokens(CPU)
    calls, depths = prefill(shape, CPU)
    dense = model(tokens)
    assert torch.equal(depths, dense.depths) and len(depths.unique()) > 2
    for logits in (calls["dense"]().logits, calls["sparse"]().logits, lock_step(model, tokens)):
        torch.testing.assert_close(logits, dense.logits, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(fixed_of(model)(tokens).logits, model(tokens, depths=6).logits, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("decider", ["early", "online"])
def test_the_llama_loop_is_the_same_model(decider):
    pytest.importorskip("transformers")
    from anira.bench.llama import LlamaLoop

    shape = Shape(48, 3, 8, 2.0, decider)
    model, tokens = model_of(shape, CPU), shape.tokens(CPU)
    ours, theirs = model(tokens), LlamaLoop(model)(tokens)
    assert torch.equal(ours.depths, theirs.depths)
    torch.testing.assert_close(ours.logits, theirs.logits, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ours.exit_probs, theirs.exit_probs, rtol=1e-4, atol=1e-5)


def test_the_looped_contender_continues_a_prompt_as_its_full_pass_says_and_then_as_it_remembers():
    pytest.importorskip("x_transformers")
    from anira.bench.looped import generate, looped, passes

    with torch.random.fork_rng():  # the package takes no generator
        torch.manual_seed(0)
        net, prompt = looped(SMALL.config).eval(), SMALL.tokens(CPU)[:1]
    answer = generate(net, SMALL.config, prompt, 4)
    with torch.no_grad():
        said = net(answer, looped_steps=passes(SMALL.config)).argmax(-1)[0, -5:-1]
    assert answer.shape == (1, 12) and torch.equal(answer[0, :9], torch.cat((prompt[0], said[:1])))
    assert not torch.equal(answer[0, 8:], said)  # once these are equal, `anira.bench.looped` and the chapter on cost say too little for it


def test_peak_memory_counts_what_lives_at_the_same_time():
    existing = torch.ones(1000)

    def chain():
        return ((existing + 1) + 1) + 1  # two of 4000 bytes at a time

    def kept():
        return [existing + i for i in range(3)]

    assert peak_bytes(lambda: existing.view(10, 100)) == 0
    assert peak_bytes(chain) == 8000
    assert peak_bytes(kept) == 12000


def test_memory_that_is_kept_needs_no_fresh_pages():
    script = """
import resource, torch
from anira.bench.measure import keep_memory
keep_memory()
for repetition in range(9):  # a few are needed until what is free lies together
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    [torch.ones(10_000_000) for _ in range(2)]
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    faults = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert platform.libc_ver()[0] != "glibc" or int(faults) < 100  # of 19 500 pages


def test_calls_take_turns():
    turns = []
    frame = interleave({name: lambda name=name: turns.append(name) for name in "ab"}, 3, CPU)
    assert all(set(turns[i : i + 2]) == {"a", "b"} for i in (0, 2, 4, 6))
    assert frame.groupby("contender").size().to_dict() == {"a": 9, "b": 9} and (frame["seconds"] >= 0).all()
    frame = interleave({"a": lambda: None, "slow": lambda: turns.append("slow")}, 2, CPU, once=["slow"])
    assert turns.count("slow") == 1 and frame.groupby("contender").size().to_dict() == {"a": 6, "slow": 1}


def test_time_is_booked_on_every_part(monkeypatch):
    monkeypatch.setattr("anira.bench.profile.STEPS", 3)  # of decoding
    shape = Shape(48, 8, 32)
    frame = where_time_goes(shape, CPU, passes=1)
    times = frame.pivot(index="part", columns=["work", "contender"], values="milliseconds")
    assert (times.loc[["products of matrices", "attention"]] > 0).all().all()
    assert (times.xs("sparse", axis=1, level="contender") > 0).all().all()


@pytest.mark.parametrize(
    ("operator", "part"),
    [
        ("aten::addmm", "products of matrices"),
        ("aten::_scaled_dot_product_flash_attention_for_cpu", "attention"),
        ("aten::index_select", "choosing and moving tokens"),
        ("aten::index_copy_", "choosing and moving tokens"),
        ("aten::nonzero", "choosing and moving tokens"),
        ("aten::silu", "norms, rotations, activations, sums"),
    ],
)
def test_an_operator_belongs_to_a_part(operator, part):
    assert _part(operator) == part


@pytest.mark.parametrize("work", ["prefill", "training", "decoding"])
def test_a_case_is_measured_for_every_contender(work):
    table = measure(work, SMALL, CPU, repetitions=2, new_tokens=3)
    assert {"sparse", "fixed"} < set(table["contender"]) and (table[table["contender"] != "recompute"].groupby("contender").size() >= 2).all()
    assert 1 < table["ideal_fixed"][0] < table["ideal"][0] < 4 / table["depth"][0]
    counted = table[table["contender"] != "recompute"]
    assert (counted["bytes"] > 0).all() and (table["seconds"] > 0).all()


def test_the_speed_up_is_the_median_of_ratios_within_a_repetition():
    case = dict(work="prefill", decider="early", width=96, batch=1, length=64, mean_depth=2.0, depth=2.0, ideal=1.9, ideal_fixed=1.8)
    times = {"fixed": [4.0, 40.0, 4.0], "sparse": [2.0, 10.0, 4.0]}  # the second repetition was disturbed
    rows = [{**case, "contender": name, "repetition": i, "seconds": t, "cpu_seconds": t, "bytes": 1} for name, ts in times.items() for i, t in enumerate(ts)]
    row = summary(pd.DataFrame(rows)).set_index("contender").loc["sparse"]
    assert (row["speed_up"], row["seconds"], row["fastest"], row["low"], row["high"]) == (2.0, 4.0, 2.0, 1.5, 3.0)


def test_break_even_lies_outside_where_it_pays_always_or_never():
    base = dict(work="prefill", decider="early", width=96, length=64, contender="sparse")
    rows = [
        {**base, "batch": batch, "depth": d, "speed_up": s} for batch, ss in ((1, (0.9, 0.8)), (2, (2.0, 1.1))) for d, s in zip((1.0, 2.0), ss, strict=True)
    ]
    assert break_even(pd.DataFrame(rows))["break_even"].tolist() == [0, float("inf")]


def test_break_even_is_where_it_first_stops_to_pay():
    base = dict(work="prefill", decider="early", width=96, batch=1, length=64, contender="sparse")
    rows = [{**base, "depth": d, "speed_up": s} for d, s in ((1.0, 1.5), (2.0, 0.5), (3.0, 1.2))]  # the last within the noise, say
    assert break_even(pd.DataFrame(rows))["break_even"].tolist() == [1.5]


def test_efficiency_is_the_speed_up_over_dense_as_a_share_of_the_ideal():
    case = dict(work="prefill", decider="early", width=96, batch=4, length=64, mean_depth=2.0, depth=2.0, ideal=2.0, ideal_fixed=1.8)
    times = {"dense": [3.0, 3.0, 3.0], "sparse": [2.0, 2.0, 1.5], "fixed": [2.5, 2.5, 2.5]}
    rows = [{**case, "contender": name, "repetition": i, "seconds": t, "cpu_seconds": t, "bytes": 1} for name, ts in times.items() for i, t in enumerate(ts)]
    other = [{**row, "mean_depth": 4.0} for row in rows] + [{**row, "work": "decoding"} for row in rows]
    found = efficiency(pd.DataFrame(rows + other))
    assert found[["tokens", "contender"]].to_numpy().tolist() == [[256, "sparse"]]
    assert found[["share", "share_low", "share_high"]].to_numpy().tolist() == [[0.75, 0.75, 0.875]]


def test_the_grid_has_the_cases_that_are_claimed_about():
    assert {shape.batch * shape.length for shape in shapes("length")} == {4096}
    assert any(shape.batch * shape.length > 8000 for shape in shapes("prefill"))
    assert all(list(shapes(work)) for work in WORKS)


@pytest.mark.parametrize(("named", "done"), [([], ["prefill", "length", "training", "decoding"]), (["large"], ["large"])])
def test_large_work_is_done_only_when_it_is_named(named, done):
    assert parse(["bench", *named]).works == done


def test_the_table_of_a_gpu_has_the_large_cases_of_the_early_decider():
    asked = [shape for shape in shapes("large") if shape.decider == "early"]
    assert [(s.width, s.batch, s.mean_depth, s.length) for s in asked] == [(*case, 256) for case in product((96, 256, 512, 1024), (64, 256), (2.0, 4.0))]
    stored = anira.results("bench", "gpu")[CASE].drop_duplicates().itertuples(index=False, name=None)
    assert list(stored) == [("large", s.decider, s.width, s.batch, s.length, s.mean_depth) for s in asked]
