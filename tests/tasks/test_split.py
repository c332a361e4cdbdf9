"""A held-out problem is never drawn for training, nor the reverse: by construction, for every task."""

import hashlib
from itertools import permutations, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from anira.tasks.brevo import Brevo
from anira.tasks.clrs import Clrs, Text
from anira.tasks.depo import Depo
from anira.tasks.grammar import Grammar
from anira.tasks.graphs import Chains, Dense, Hubs, Layered, Physics, Sparse, Tree
from anira.tasks.lano import Lano
from anira.tasks.mano import Mano
from anira.training.presets import PRESETS
from tests.presets import EACH
from tests.tasks.test_contract import every_task, seeds, sizes

WIDTH = 2**64
STEP, SALT = 0x9E3779B97F4A7C15, 59
SPLITS = ("train", "held_out")


# The hash of `anira.tasks.split`, written once more from its description.
def mix(x):
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % WIDTH
    x = (x ^ x >> 27) * 0x94D049BB133111EB % WIDTH
    return x ^ x >> 31


def sequence(items, hashed=SALT):
    for item in items:
        hashed = mix((hashed + STEP + item) % WIDTH)
    return hashed


def edges(graph, names):
    return mix((SALT + sum(mix((STEP + 1024 * names.index(u) + names.index(v)) % WIDTH) for u, v in graph.edges)) % WIDTH)


def problem_hash(task, instance):
    """From what the instance stands for, where that is more than tokens."""
    if task.name == "brevo":
        names = task.vocabulary.names[5:]
        return sequence([names.index(instance.source.graph["query"])], edges(instance.source, names))
    if task.name == "depo":
        return edges(instance.source, [name for name in task.vocabulary.names if name.isalpha()])
    if task.name == "mano":
        return sequence("+-×".index(name) if name in "+-×" else 3 + int(name) for name in instance.source.prefix())
    if task.name == "lano":
        return sequence(map(task.grammar.terminals.index, instance.source.leaves()))
    return sequence(f"{instance.source.problem}:{instance.source.question.split(':', 1)[1]}".encode())


@every_task
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_problem_is_held_out_if_its_hash_is_a_multiple_of_five(task, data):
    split = data.draw(st.sampled_from(SPLITS))
    size = data.draw(st.integers(max(2, task.size_limits[0]), task.size_limits[1]))
    instance = task.sample(size, np.random.default_rng(data.draw(seeds)), split=split)
    held_out = problem_hash(task, instance) % 5 == 0
    assert held_out == (split == "held_out") == task.held_out(instance) == task.held_out(instance.tokens) == task.held_out(torch.tensor(instance.tokens))


@every_task
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_a_split_gives_what_any_gives_without_the_problems_of_the_other_side(task, data):
    size, seed, split = data.draw(sizes(task)), data.draw(seeds), data.draw(st.sampled_from(SPLITS))
    everything = task.batch(60, np.random.default_rng(seed), size=size)
    rows = [row[:length] for row, length in zip(everything.tokens.tolist(), everything.lengths.tolist(), strict=True)]
    expected = [row for row in rows if task.held_out(row) == (split == "held_out")][:8]
    if expected:
        batch = task.batch(len(expected), np.random.default_rng(seed), size=size, split=split)
        assert [row[:length] for row, length in zip(batch.tokens.tolist(), batch.lengths.tolist(), strict=True)] == expected
        assert not batch.tokens[~batch.token_mask].any()


@every_task
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_one_by_one_and_with_features_the_same_side_is_drawn(task, data):
    size, seed, split = data.draw(st.integers(max(2, task.size_limits[0]), task.size_limits[1])), data.draw(seeds), data.draw(st.sampled_from(SPLITS))
    batch = task.batch(3, np.random.default_rng(seed), size=size, split=split)
    rng = np.random.default_rng(seed)
    singles = [task.sample(size, rng, split=split).tokens for _ in range(3)]
    assert [tuple(row[:length]) for row, length in zip(batch.tokens.tolist(), batch.lengths.tolist(), strict=True)] == singles
    drawn, _ = task.batch_with_features(3, np.random.default_rng(seed), size=size, split=split)
    assert torch.equal(drawn.tokens, batch.tokens)


@every_task
def test_one_problem_in_five_is_held_out_and_a_mixture_has_one_side_and_repeats_with_its_seed(task):
    batch = task.batch(3000, np.random.default_rng(0), size=max(task.sizes))  # the smallest universes have a few strings
    share = np.mean([task.held_out(row[:length]) for row, length in zip(batch.tokens.tolist(), batch.lengths.tolist(), strict=True)])
    assert 0.16 < share < 0.24
    for split in SPLITS:
        one, two = (task.batch(200, np.random.default_rng([1, 2]), split=split) for _ in range(2))
        assert torch.equal(one.tokens, two.tokens)
        assert {task.held_out(row[:length]) for row, length in zip(one.tokens.tolist(), one.lengths.tolist(), strict=True)} == {split == "held_out"}


@settings(max_examples=60, deadline=None)
@given(seed=seeds, size=st.integers(3, 12), order=st.randoms())
def test_the_order_of_edges_and_queries_does_not_move_a_problem(seed, size, order):
    for task in (Brevo(sizes=[size]), Depo(sizes=[3])):
        instance = task.sample(task.sizes[0], np.random.default_rng(seed))
        asked = instance.prompt.index(task.vocabulary.encode(["<query>"])[0])
        pairs = [instance.prompt[i : i + 2] for i in range(1, asked, 2)]
        order.shuffle(pairs)
        shuffled = (instance.prompt[0], *sum(pairs, ()), *instance.prompt[asked:])
        assert task.held_out(shuffled) == task.held_out(instance)
        if task.name == "depo":  # a cycle takes all that can be asked of it along
            other = (*shuffled[: asked + 1], 4, shuffled[1])
            assert task.held_out(other) == task.held_out(instance)


def universe(task, size):
    """Every problem of a small universe as the hashable thing that the task's source stands for, made without the task."""
    if task.name == "mano":  # one operator
        return {(operator, str(a), str(b)) for operator in "+-×" for a in range(task.modulus) for b in range(task.modulus)}
    if task.name == "brevo":  # two nodes
        return set(permutations(task.vocabulary.names[5 : 5 + task.node_names], 2))
    if task.name == "depo":  # every cycle of every length, from its first name on
        names = [name for name in task.vocabulary.names if name.isalpha()]
        return {cycle for n in task.nodes for cycle in permutations(names, n) if cycle[0] == min(cycle)}
    return {"".join(rule.symbols).replace("'", "") for symbol in task.grammar.at_height(1) for rule in task.grammar.rules[symbol]}


def problem(task, instance):
    source = instance.source
    if task.name == "mano":
        return tuple(source.prefix())
    if task.name == "brevo":
        return next(iter(source.edges))
    if task.name == "depo":
        cycle = [min(source)]
        while len(cycle) < len(source):
            cycle += source.successors(cycle[-1])
        return tuple(cycle)
    return "".join(source.leaves())


SMALL = [
    (Mano(sizes=[1], modulus=3), 1),
    (Mano(sizes=[1], modulus=2), 1),
    (Brevo(sizes=[2], node_names=8), 2),
    (Brevo(sizes=[2], node_names=2), 2),
    (Depo(sizes=[1], nodes=[3, 4, 5], node_names=5), 1),
    (Depo(sizes=[1], nodes=[3], node_names=3), 1),
    (Lano(sizes=[1]), 1),
]


@pytest.mark.parametrize(("task", "size"), SMALL, ids=lambda value: str(value)[:60])
def test_both_sides_together_are_every_problem_of_a_small_universe(task, size):
    rng, sides = np.random.default_rng(0), {}
    for split in SPLITS:
        sides[split] = {problem(task, task.sample(size, rng, split=split)) for _ in range(2500)}
    assert sides["train"] and sides["held_out"] and not sides["train"] & sides["held_out"]
    assert sides["train"] | sides["held_out"] == universe(task, size)
    assert task.problems(size) == len(universe(task, size))


def test_all_problems_of_two_operators_lie_on_the_side_that_they_are_drawn_from():
    task = Mano(sizes=[2], modulus=3)
    rows = [task.vocabulary.encode(["<bos>", *names, "<answer>"]) for names in product("+-×", "+-×", *["012"] * 3)]
    rows += [task.vocabulary.encode(["<bos>", a, x, b, y, z, "<answer>"]) for a, b, x, y, z in product("+-×", "+-×", *["012"] * 3)]
    assert len(rows) == task.problems(2) == 486
    drawn = {tuple(row) for row in task.batch(20_000, np.random.default_rng(0), split="train").tokens[:, :-1].tolist()}
    assert drawn == {tuple(row) for row in rows if not task.held_out(row)}


@pytest.mark.parametrize(
    "graphs", [Physics(), Chains(), Chains(2), Tree(), Tree(1), Layered(2, 1), Sparse(2), Dense(0.5), Dense(1), Dense(0), Hubs(2)], ids=repr
)
def test_the_number_of_graphs_is_that_of_the_different_ones_drawn(graphs):
    size, names = max(4, graphs.smallest), max(4, graphs.smallest)
    task, rng = Brevo(sizes=[size], node_names=names, graphs=graphs), np.random.default_rng(0)
    prompts = task.batch(60_000, rng)
    seen = set()
    for row in prompts.tokens.tolist():
        asked = row.index(2)
        seen.add((frozenset(zip(row[1:asked:2], row[2:asked:2], strict=True)), row[asked + 1]))
    assert len(seen) == task.problems(size)
    assert task.problems(2 if graphs.smallest == 2 else graphs.smallest) > 0 and Brevo(graphs=graphs, sizes=[8]).problems(8) is None


def test_strings_with_several_trees_are_counted_once():
    grammar = Grammar("S -> A A | 'a' 'b' 'a'\nA -> 'a' | 'a' 'b'")
    assert grammar.derivations == {"S": 5, "A": 2}
    assert {"".join(string) for string in grammar.strings("S")} == {"aa", "aab", "aba", "abab"}
    assert Lano(grammar=grammar).problems(2) == 4
    assert Lano().problems(6) is None


@pytest.mark.parametrize(("name", "scale"), EACH)
def test_every_size_of_every_recipe_has_both_sides(name, scale):
    task = PRESETS[name, scale].task
    for size in task.sizes:
        for split in SPLITS:
            batch = task.batch(20, np.random.default_rng(0), size=size, split=split)
            assert {task.held_out(row[:length]) for row, length in zip(batch.tokens.tolist(), batch.lengths.tolist(), strict=True)} == {split == "held_out"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["brevo", "mano"])
def test_no_batch_of_a_whole_training_run_has_a_held_out_problem(name):
    recipe = PRESETS[name, "minute"]
    for step in range(recipe.steps):
        batch = recipe.task.batch(recipe.batch_size, np.random.default_rng([0, step]), split="train")
        for row, length in zip(batch.tokens.numpy(), batch.lengths.tolist(), strict=True):
            assert not recipe.task.held_out(row[:length]), (step, row)


@pytest.mark.parametrize(
    ("task", "size", "split"),
    [
        (Depo(sizes=[1], nodes=[2], node_names=2), 1, "held_out"),
        (Lano(sizes=[1], grammar=Grammar("S -> 'a'")), 1, "held_out"),
        (Brevo(sizes=[2], node_names=2, graphs=Chains()), 3, "train"),
    ],
    ids=["one-cycle", "one-string", "not-a-size"],
)
def test_a_side_without_problems_is_an_error_and_not_an_endless_loop(task, size, split):
    with pytest.raises(ValueError, match="too few|received"):
        task.batch(2, np.random.default_rng(0), size=size, split=split)


def test_an_unknown_split_and_tokens_without_a_problem_are_refused():
    for task in (Brevo(), Depo(), Mano(), Lano(), Clrs()):
        with pytest.raises(ValueError, match="'any', 'train', 'held_out'; received 'test'"):
            task.sample(max(4, task.sizes[0]), np.random.default_rng(0), split="test")
        with pytest.raises(ValueError, match="received"):
            task.held_out([1])


def test_a_question_of_clrs_has_the_side_of_its_text():
    task, sides = Clrs(), []
    for i in range(500):
        text = Text("minimum", 4, f"minimum:\nkey: [0.{i:03d} 0.07 0.41 0.9]\nmin:\n", "1", steps=4, settled=(1,))
        instance = task.instance(text)
        sides.append(task.held_out(instance))
        assert sides[-1] == task.held_out(instance.prompt) == (problem_hash(task, instance) % 5 == 0)
    assert 0.15 < np.mean(sides) < 0.25


# Checksums of streams as they were before there was a split: stored traces and the explorer's graphs are made from them.
STREAMS = {
    Brevo(): "19988bc69979dd79",
    Brevo(sizes=range(4, 13), graphs=Layered()): "8f69f0f6037e71e1",
    Brevo(sizes=range(4, 13), graphs=Hubs()): "3c7c4813ffe5b378",
    Mano(): "264cb8a80a8e62b2",
    Depo(): "4ddad3f3c458282b",
    Lano(sizes=(2, 3, 4)): "ed6c3aa9eae40965",
}


@pytest.mark.parametrize("task", STREAMS, ids=repr)
def test_without_a_split_the_streams_are_what_they_always_were(task):
    batch, instance = task.batch(200, np.random.default_rng(7)), task.sample(task.sizes[0], np.random.default_rng(8))
    content = b"".join(np.asarray(values, "<i8").tobytes() for values in (batch.tokens, batch.lengths, instance.tokens))
    assert hashlib.sha256(content).hexdigest()[:16] == STREAMS[task]
