"""What comes from a reader or out of a file: sizes and knobs of any kind of number, and descriptions of tasks."""

import json
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from anira.tasks import TASKS, Brevo, Clrs, Depo, Lano, Mano, from_json, graphs, in_split, register, to_json
from anira.tasks.grammar import Grammar
from anira.tasks.task import MEMBERS, Batch, Feature, Instance, Vocabulary, check_sizes, collate

KINDS = [Brevo, Depo, Mano, Lano, Clrs]
every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
@pytest.mark.parametrize("size", [3.5, 3.0, "3", b"3", True, np.True_, None, np.float64(4), Fraction(4), [4], torch.tensor(4.0)], ids=repr)
def test_a_size_that_is_no_whole_number_is_one_clear_error(kind, size):
    task, rng = kind(), np.random.default_rng(0)
    calls = [lambda: kind(sizes=(size,)), lambda: task.sample(size, rng), lambda: task.max_length(size), lambda: task.problems(size)]
    calls += [] if size is None else [lambda: task.batch(2, rng, size=size), lambda: task.batch(2, rng, size)]  # None is the mixture
    for call in calls:
        with pytest.raises(ValueError, match="must be a whole number, received"):
            call()


@every_kind
@pytest.mark.parametrize("sizes", ["45", b"45", 4, {4: 5}, 3.5])
def test_sizes_that_are_no_sequence_are_refused(kind, sizes):
    with pytest.raises(ValueError, match="several sizes, such as range"):
        kind(sizes=sizes)


@every_kind
@pytest.mark.parametrize(
    "sizes", [range(4, 6), [4, 5], np.arange(4, 6), np.arange(4, 6, dtype=np.uint8), torch.arange(4, 6), {4: 0, 5: 0}.keys(), iter], ids=type
)
def test_whole_numbers_of_any_kind_become_ints(kind, sizes):
    task = kind(sizes=iter((4, 5)) if sizes is iter else sizes)
    assert task.sizes == (4, 5) and {type(size) for size in task.sizes} == {int}
    assert task == kind(sizes=(4, 5)) and hash(task) == hash(kind(sizes=(4, 5)))


@pytest.mark.parametrize("kind", [Brevo, Depo, Mano, Lano])
@pytest.mark.parametrize("four", [np.int64(4), np.int32(4), np.uint8(4), torch.tensor(4)], ids=lambda four: str(four.dtype))
def test_a_size_of_any_kind_of_number_draws_the_same(kind, four):
    task = kind()
    one, two = task.sample(four, np.random.default_rng(0)), task.sample(4, np.random.default_rng(0))
    assert one.tokens == two.tokens and type(one.size) is int
    assert torch.equal(task.batch(3, np.random.default_rng(0), size=four).tokens, task.batch(3, np.random.default_rng(0), size=4).tokens)
    assert task.max_length(four) == task.max_length(4)


TASKS_OF_NUMPY = [
    Brevo(sizes=np.arange(3, 5), node_names=np.int64(9), graphs=graphs.Hubs(np.int32(2), np.float32(0.5))),
    Brevo(sizes=range(4, 6), graphs=graphs.Layered(width=np.int8(3))),
    Mano(sizes=np.array([1]), modulus=np.int64(3)),
    Depo(sizes=np.arange(1, 3), nodes=np.arange(4, 6), queries=np.int64(2), node_names=np.uint16(8)),
    Lano(sizes=np.arange(1, 3)),
    Clrs(questions=np.array(["dfs", "sorting"]), sizes=np.array([4, 5])),
]


@pytest.mark.parametrize("task", TASKS_OF_NUMPY, ids=lambda task: task.name)
def test_what_is_made_of_numpy_is_written_and_read(task):
    again = from_json(json.loads(json.dumps(to_json(task), allow_nan=False)))
    assert again == task and hash(again) == hash(task) and type(again) is type(task)
    assert to_json(again) == to_json(task)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Brevo(node_names=8.5),
        lambda: Brevo(graphs=5),
        lambda: Brevo(graphs=None),
        lambda: Brevo(graphs=graphs.Hubs),
        lambda: graphs.Hubs(parents=2.0),
        lambda: graphs.Hubs(attraction="1"),
        lambda: graphs.Dense(True),
        lambda: graphs.Dense(float("nan")),
        lambda: Mano(modulus="5"),
        lambda: Depo(queries=1.5),
        lambda: Depo(node_names=None),
        lambda: Depo(nodes="45"),
        lambda: Lano(grammar="S -> 'a'"),
        lambda: Grammar(5),
        lambda: Grammar("\n".join(f"S{i} -> S{i + 1}" for i in range(3000)) + "\nS3000 -> 'a'"),
        lambda: Clrs(questions="dfs"),
        lambda: Clrs(questions=5),
        lambda: Clrs(questions=[["dfs"]]),
    ],
)
def test_a_knob_of_the_wrong_kind_is_a_value_error(make):
    with pytest.raises(ValueError, match="received|Unknown"):
        make()


def nested(depth, inner=1):
    for _ in range(depth):
        inner = [inner]
    return inner


def nested_tasks(depth):
    inner = {"kind": "Brevo"}
    for _ in range(depth):
        inner = {"kind": "Brevo", "graphs": inner}
    return inner


MALFORMED = [
    None,
    [],
    "brevo",
    5,
    {},
    {"kind": None},
    {"kind": ["Brevo"]},
    {"kind": {"kind": "Brevo"}},
    {"kind": "brevo"},
    {"kind": "Physics"},
    {"kind": "Grammar", "text": "S -> 'a'"},
    {"kind": "os.system", "command": "true"},
    {"kind": "Brevo", "sizes": None},
    {"kind": "Brevo", "sizes": [3.5]},
    {"kind": "Brevo", "sizes": [10**40]},
    {"kind": "Brevo", "sizes": nested(500)},
    {"kind": "Brevo", "sizes": {"a": 3}},
    {"kind": "Brevo", "colour": 3},
    {"kind": "Brevo", 3: 4},
    {"kind": "Brevo", "graphs": {"kind": "Mano"}},
    {"kind": "Brevo", "graphs": {"kind": "Brevo"}},
    {"kind": "Brevo", "graphs": {}},
    {"kind": "Brevo", "graphs": 5},
    {"kind": "Brevo", "graphs": {"kind": "Chains", "chains": "x"}},
    {"kind": "Brevo", "graphs": {"kind": "Chains", "chains": {"kind": "Chains"}}},
    nested_tasks(500),
    {"kind": "Lano", "grammar": {"kind": "Grammar", "text": "\n".join(f"S{i} -> S{i + 1}" for i in range(3000)) + "\nS3000 -> 'a'"}},
    {"kind": "Lano", "grammar": {"kind": "Grammar"}},
    {"kind": "Mano", "modulus": float("inf")},
]


@pytest.mark.parametrize("description", MALFORMED, ids=lambda value: str(value)[:50])
def test_whatever_is_no_task_is_one_value_error(description):
    with pytest.raises(ValueError, match=r"^No \w+ can be made"):
        from_json(description)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["Brevo", "Hubs", "Grammar", "dfs"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["kind", "sizes", "graphs", "chains", "a"]), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from([kind.__name__ for kind in KINDS]) | values,
    fields=st.dictionaries(st.sampled_from(["sizes", "graphs", "grammar", "modulus", "nodes", "queries", "node_names", "questions"]), values, max_size=3),
)
def test_any_json_makes_a_task_or_one_value_error(kind, fields):
    try:
        task = from_json({"kind": kind, **fields})
    except ValueError:
        return
    assert from_json(to_json(task)) == task


@dataclass(frozen=True)
class Parity:
    """Whether the ones among some bits are odd."""

    sizes: tuple[int, ...] = (3, 4)
    weights: tuple | dict = ()

    name = "parity"
    symbol = "b"
    knob = "bits"
    source = "this test"
    size_limits = (1, 50)
    vocabulary = Vocabulary(["<pad>", "<bos>", "0", "1"])
    features = {"place": Feature("structure", "answer", "bits before")}
    end_token = None
    unique_answer = True

    def sample(self, size, rng, *, split="any"):
        while not in_split(bits := rng.integers(2, size=size), split):
            pass
        prompt = (1, *(2 + bits).tolist())
        return Instance(prompt, (2 + int(bits.sum()) % 2,), size, bits, {"place": np.array([np.nan] * len(prompt) + [size])})

    def batch(self, n, rng, size=None, *, split="any"):
        return collate([self.sample(int(rng.choice(self.sizes)) if size is None else size, rng, split=split) for _ in range(n)])

    def held_out(self, instance):
        return in_split(np.array(getattr(instance, "prompt", instance))[1:] - 2, "held_out")

    def problems(self, size):
        return 2**size

    def max_length(self, size):
        return size + 2


@pytest.fixture
def registry():
    before = dict(TASKS)
    yield TASKS
    TASKS.clear()
    TASKS.update(before)


def test_a_registered_task_comes_back_from_a_file_and_one_that_is_not_is_refused_with_the_way_out(registry):
    with pytest.raises(ValueError, match=r"Parity is no registered task.*add @anira\.tasks\.register"):
        to_json(Parity())
    assert register(Parity) is Parity and registry["parity"] is Parity
    task = Parity(sizes=(2, 7), weights=((1, 2.5), None, "a"))
    written = json.dumps(to_json(task))
    assert from_json(json.loads(written)) == task
    assert from_json(json.loads(json.dumps(to_json(replace(task, weights={"a": (1, (2,))}))))).weights == {"a": (1, (2,))}
    del registry["parity"]
    with pytest.raises(ValueError, match="No task can be made of kind 'Parity'.*registered by its author's module: import that first"):
        from_json(json.loads(written))


@pytest.mark.parametrize(
    "value", [np.arange(2), range(3), lambda: 1, np.int64(3), {1: 2}, {"kind": "x"}, Parity(), nested(50)], ids=lambda value: str(type(value))
)
def test_a_field_that_no_file_can_hold_is_refused_when_it_is_written(registry, value):
    register(Parity)
    with pytest.raises(ValueError, match=r"Parity\.weights is .*which no file can hold"):
        to_json(Parity(weights=value))


class Plain:
    """No dataclass: says by two methods what it takes to make it again."""

    name, symbol, knob, source, size_limits = "plain", "b", "bits", "this test", (1, 50)
    vocabulary, features, end_token, unique_answer = Parity.vocabulary, Parity.features, None, True
    sample, batch, held_out, problems, max_length = Parity.sample, Parity.batch, Parity.held_out, Parity.problems, Parity.max_length
    sizes = (3, 4)

    def __init__(self, sizes):
        self.sizes = check_sizes(sizes, *self.size_limits, "Plain")

    def __eq__(self, other):
        return self.sizes == other.sizes

    def to_json(self):
        return {"sizes": self.sizes}

    @classmethod
    def from_json(cls, values):
        return cls(**values)


def test_a_plain_class_comes_back_by_its_own_two_methods(registry):
    register(Plain)
    task = Plain(np.arange(2, 5))
    assert to_json(task) == {"kind": "Plain", "sizes": [2, 3, 4]}
    assert from_json(json.loads(json.dumps(to_json(task)))) == task
    assert isinstance(task.batch(2, np.random.default_rng(0)), Batch)
    with pytest.raises(ValueError, match="No Plain can be made as described"):
        from_json({"kind": "Plain", "sizes": [51]})


def without(name):
    return type("Lacking", (), {key: value for key, value in vars(Plain).items() if key != name and not key.startswith("__")})


@pytest.mark.parametrize("member", MEMBERS)
def test_a_class_that_lacks_a_member_is_refused_by_name(registry, member):
    with pytest.raises(ValueError, match=rf"Lacking lacks {member}\."):
        register(without(member))


def test_a_class_that_cannot_be_written_or_knows_no_split_or_takes_a_name_is_refused(registry):
    with pytest.raises(ValueError, match="cannot be written to a file"):
        register(without("from_json"))
    with pytest.raises(ValueError, match=r"Old\.batch takes no split.*add \*, split='any'"):
        register(type("Old", (Plain,), {"batch": lambda self, n, rng, size=None: None}))
    for taken in (type("Other", (Plain,), {"name": "brevo"}), type("Brevo", (Plain,), {}), type("Physics", (Plain,), {})):
        with pytest.raises(ValueError, match="is taken"):
            register(taken)
    assert list(registry) == ["brevo", "clrs", "depo", "lano", "mano"]
    register(Plain)
    register(Plain)  # a cell of a notebook run again
    assert registry["plain"] is Plain


def test_a_task_of_the_library_has_every_member_of_the_protocol():
    for kind in KINDS:
        task = kind()
        assert all(hasattr(task, name) for name in MEMBERS)
        assert task.unique_answer == (kind is not Lano)
        assert task.knob.endswith(f", {task.symbol}") or kind is Lano
