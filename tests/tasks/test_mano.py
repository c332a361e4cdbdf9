"""MANO against Python's own evaluation and a recursive reading of the expression tree."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anira.tasks.mano import Expression, Mano


def infix(source):
    return str(source).replace("×", "*")


def described(node, where, slots_left, height, completed):
    """Each token of a subtree with what a stack machine must hold on its arrival, by recursion on the tree.

    Fills `where`, a list of (slots_left, completed_size, stack_height, completions); returns the subtree's tokens.
    """
    start = len(where)
    where.append([slots_left, completed, height, 0])
    if not isinstance(node, Expression):
        return 1
    left = described(node.left, where, 2, height + 1, 0)
    right = described(node.right, where, 1, height + 1, left)
    where[-1][3] += 1  # the subtree's last token completes it
    assert len(where) - start == 1 + left + right
    return 1 + left + right


def height(node):
    return 1 + max(height(node.left), height(node.right)) if isinstance(node, Expression) else 0


def count(node, name):
    return isinstance(node, Expression) and (node.operator == name) + count(node.left, name) + count(node.right, name)


def check(task, instance):
    """Value by Python's own evaluation, features by a recursion on the tree."""
    source, end = instance.source, len(instance.prompt) - 1
    (answer,) = task.vocabulary.decode(instance.answer)
    assert int(answer) == eval(infix(source)) % task.modulus == source.value(task.modulus)
    expected = []
    described(source, expected, 0, 0, 0)
    measured = np.stack([instance.features[name] for name in ("slots_left", "completed_size", "stack_height", "completions")], 1)
    assert np.array_equal(measured[1:end], expected)
    answer = [instance.features[name][-1] for name in ("operators", "multiplications", "tree_height")]
    assert answer == [instance.size, count(source, "×"), height(source)]


def test_value_and_features_agree_on_10_000_instances():
    task, rng = Mano(), np.random.default_rng(0)
    for i in range(10_000):
        check(task, task.sample(task.sizes[i % len(task.sizes)], rng))


@settings(max_examples=200, deadline=None)
@given(size=st.integers(1, 100), modulus=st.integers(2, 1000), seed=st.integers(0, 2**32 - 1))
def test_value_and_features_agree_at_every_size_and_modulus(size, modulus, seed):
    task = Mano(modulus=modulus)
    check(task, task.sample(size, np.random.default_rng(seed)))


def test_prefix_tokens_spell_the_source():
    task = Mano()
    instance = task.sample(9, np.random.default_rng(5))
    assert task.vocabulary.decode(instance.prompt) == ["<bos>", *instance.source.prefix(), "<answer>"]


def test_operators_and_operands_are_uniform():
    batch = Mano().batch(4000, np.random.default_rng(1), size=16)
    expression = batch.tokens[:, 1:-2].flatten().numpy()
    counts = np.bincount(expression, minlength=29)
    for part in (counts[3:6], counts[6:29]):
        assert np.abs(part - part.mean()).max() < 5 * np.sqrt(part.mean())


def test_the_root_gives_its_left_operand_a_uniform_number_of_operators():
    task, rng = Mano(), np.random.default_rng(2)
    roots = [task.sample(4, rng).source for _ in range(4000)]
    left = np.bincount([sum(count(root.left, name) for name in "+-×") for root in roots], minlength=4)
    assert np.abs(left - 1000).max() < 5 * np.sqrt(1000)


@pytest.mark.parametrize("modulus", [1, 1001])
def test_a_modulus_without_sense_is_refused(modulus):
    with pytest.raises(ValueError, match=f"modulo 2 to 1000, received {modulus}"):
        Mano(modulus=modulus)
