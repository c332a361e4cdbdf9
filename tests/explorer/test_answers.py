"""What a kernel answers is what the model does: the greedy answer, its depths, and what it would have said at others."""

from collections import Counter

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from anira.explorer.answers import PartlyGiven, alone, answer, read
from anira.explorer.problems import instance_of, longest_answer, offered, options, sizes_of, text_of, write
from anira.explorer.problems import read as read_problem
from anira.model.anira import Anira, Config
from anira.model.deciders import DECIDERS, Online, register
from anira.model.decoding import generate
from anira.tasks import Brevo, Mano
from anira.tasks.graphs import Layered
from anira.zoo import Loaded, load

SIZES = (3, 5, 8, 11)


@pytest.fixture(scope="module", params=["brevo-early-tiny", "brevo-online-tiny", "brevo-untied-tiny"])
def loaded(request):
    return load(request.param)


def asked(task, size, number):
    instance = instance_of(task, size, number)
    prompt = task.vocabulary.decode(instance.prompt)
    return instance, prompt, longest_answer(task, prompt)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("rule", [None, 0.2, 0.8])
def test_the_answer_is_that_of_greedy_decoding_whatever_the_draft(loaded, size, rule):
    model, task, _ = loaded
    instance, prompt, longest = asked(task, size, 1)
    tokens, output, *_ = generate(model, torch.tensor(instance.prompt), end_token=task.end_token, max_new_tokens=size, select=rule)
    for draft in ((), task.vocabulary.decode(instance.answer), prompt[1:3]):
        packed = answer(model, task, prompt, rule=rule, draft=draft, longest=longest)
        assert packed["answer"] == task.vocabulary.decode(tokens)
        assert packed["depths"] == output.depths[0].tolist()
        np.testing.assert_allclose(packed["exit_probs"], output.exit_probs.flatten().tolist(), atol=1e-5)


def test_weights_that_are_no_numbers_are_said_and_not_shown():
    model = Anira(Config(vocabulary=len(Brevo().vocabulary), width=16, hidden=16, heads=2, decider_hidden=8)).eval()
    next(model.parameters()).data.fill_(float("nan"))
    with pytest.raises(ValueError, match="not finite"):
        answer(model, Brevo(), ["<bos>", "a", "→b", "<query>", "b", "<answer>"], longest=2)


def test_given_depths_are_taken_and_all_others_are_decided_as_before_them():
    for name in ("brevo-early-tiny", "brevo-online-tiny"):
        model, task, _ = load(name)
        _, prompt, longest = asked(task, 6, 2)
        free = answer(model, task, prompt, longest=longest)
        position = len(prompt)
        for depth in (1, 3, 6):
            packed = answer(model, task, prompt, given={position: depth}, longest=longest)
            assert packed["depths"][position] == depth and packed["given"] == {str(position): depth}
            assert packed["depths"][:position] == free["depths"][:position], "what comes before a token does not see it"
            length = len(packed["depths"])
            tokens = torch.tensor([task.vocabulary.encode([*prompt, *packed["answer"][:-1]])])
            with torch.no_grad():
                output = model(tokens, depths=torch.tensor([packed["depths"]]))
            assert task.vocabulary.decode(output.logits[0, len(prompt) - 1 : length].argmax(-1)) == packed["answer"]


def test_given_depths_and_a_rule_that_needs_all_iterations_first():
    model, task, _ = load("brevo-online-tiny")
    _, prompt, longest = asked(task, 5, 1)
    free = answer(model, task, prompt, rule="mode", longest=longest)
    changed = answer(model, task, prompt, rule="mode", given={2: 5}, longest=longest)
    assert changed["depths"][2] == 5 and changed["depths"][:2] == free["depths"][:2]


def test_no_given_depth_is_the_models_own_pass():
    model, task, _ = load("brevo-online-tiny")
    tokens = torch.tensor([instance_of(task, 6, 1).tokens])
    own = model(tokens)
    for given in (torch.zeros_like(tokens), own.depths):
        output = read(model, tokens, None, given)
        assert torch.equal(output.depths, own.depths)
        torch.testing.assert_close(output.logits, own.logits, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["brevo-early-tiny", "brevo-online-tiny"])
def test_alone_is_one_forward_pass_for_each_token_and_depth(name):
    model, task, _ = load(name)
    _, prompt, longest = asked(task, 5, 3)
    packed = answer(model, task, prompt, longest=longest)
    said = alone(model, task, prompt, packed["answer"], packed["depths"])
    tokens = torch.tensor([task.vocabulary.encode([*prompt, *packed["answer"][:-1]])])
    for i in range(len(packed["answer"])):
        for depth in range(1, model.config.max_depth + 1):
            depths = torch.tensor([packed["depths"]])
            depths[0, len(prompt) - 1 + i] = depth
            with torch.no_grad():
                one = model(tokens, depths=depths).logits[0, len(prompt) - 1 + i].argmax()
            assert task.vocabulary.names[one] == said[depth - 1][i]
    assert [column[i] for i, column in enumerate(zip(*said, strict=True))] or said
    chosen = [said[packed["depths"][len(prompt) - 1 + i] - 1][i] for i in range(len(packed["answer"]))]
    assert chosen == packed["answer"]


def test_untied_layers_have_no_other_depth_to_take():
    model, task, _ = load("brevo-untied-tiny")
    _, prompt, longest = asked(task, 3, 1)
    packed = answer(model, task, prompt, longest=longest)
    assert alone(model, task, prompt, packed["answer"], packed["depths"]) is None
    with pytest.raises(ValueError, match="lies in 6..6, received 2"):
        answer(model, task, prompt, given={1: 2}, longest=longest)


class Watched(TorchDispatchMode):
    """Counts what is moved to Python and what is of double precision."""

    def __init__(self):
        super().__init__()
        self.passes, self.moved, self.doubles = 0, Counter(), set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        self.passes += name == "embedding"
        moved = name == "_to_copy" and out.device != args[0].device
        if moved or name in ("_local_scalar_dense", "item", "equal", "nonzero"):
            self.moved[name] += 1
        for tensor in out if isinstance(out, (tuple, list)) else [out]:
            if isinstance(tensor, torch.Tensor) and tensor.dtype in (torch.float64, torch.complex128) and tensor.device.type != "cpu":
                self.doubles.add(name)
        return out


@pytest.mark.parametrize("name", ["brevo-early-tiny", "brevo-online-tiny"])
def test_nothing_is_moved_token_by_token(name):
    model, task, _ = load(name)
    for size in (3, 12):  # four times as many tokens, and passes where the answer is not at once the right one
        instance, prompt, longest = asked(task, size, 1)
        with Watched() as watched:
            answer(model, task, prompt, draft=task.vocabulary.decode(instance.answer), longest=longest)
        assert watched.moved.total() <= 5 * watched.passes + 5


def test_nothing_on_the_device_needs_double_precision(name="brevo-online-tiny"):
    """On the meta device, where shapes are all there is: a tensor in float64 on it would be one on a GPU, or an error on MPS."""
    model, task, _ = load(name)
    model.to("meta")
    with Watched() as watched:
        tokens = torch.zeros(1, 20, dtype=torch.long, device="meta")
        rotation = model.rotation(20)
        h = model.prelude(model.embedding(tokens), rotation)
        run = PartlyGiven(model.start(h, None, "median", model.decider.context(tokens)), torch.zeros_like(tokens))
        for d, layer in enumerate(model.iterations, start=1):
            h = torch.where(run.active(d)[..., None], layer(h, rotation), h)
            run.observe(d, h)
        model.readout(h, rotation)
    assert watched.doubles == set()


def test_problems_are_written_and_read_back():
    for task, sizes in ((Brevo(), range(3, 17)), (Mano(), range(1, 9))):
        for size in sizes:
            instance = instance_of(task, size, 3)
            assert tuple(task.vocabulary.encode(read_problem(task, write(task, instance)))) == instance.prompt


@pytest.mark.parametrize(
    ("task", "text", "message"),
    [
        (Brevo(), "a-b.b-a*b", "a→b, b→a hold a circle"),
        (Brevo(), "a-b*a", "needs at least one arrow into it"),
        (Brevo(), "a-b.a-b*b", "an arrow twice"),
        (Brevo(), "a-zz*zz", "Unknown name 'zz'"),
        (Mano(), "+.1", "no expression"),
        (Mano(), "+.1.2.3", "no expression"),
        (Mano(), "+.1.99", "Unknown name '99'"),
    ],
)
def test_a_problem_that_is_none_is_refused_with_the_reason(task, text, message):
    with pytest.raises(ValueError, match=message):
        read_problem(task, text)


def test_sizes_start_where_the_family_starts_and_end_where_the_model_does():
    assert sizes_of(Brevo(), 256)[0] == 3 and sizes_of(Brevo(), 256)[-1] == 16
    assert sizes_of(Brevo(sizes=(4,), graphs=Layered()), 256)[0] == 4
    assert sizes_of(Brevo(), 19) == [3]
    with pytest.raises(ValueError, match="train with a larger max_length"):
        sizes_of(Brevo(), 5)


@pytest.fixture
def unhurried():
    """A decider that the library has not seen, with a rule that needs all iterations first; unknown again afterwards."""

    class Unhurried(Online):
        name = "unhurried"
        default_rule = "mean"

    register(Unhurried)
    yield "unhurried"
    del DECIDERS["unhurried"]


def test_options_describe_a_decider_that_the_library_has_not_seen(unhurried):
    task = Brevo()
    model = Anira(Config(vocabulary=len(task.vocabulary), decider=unhurried, width=16, hidden=16, heads=2, decider_hidden=8, max_depth=3)).eval()
    (decider,) = options({"mine": Loaded(model, task, {})})["deciders"]
    assert decider == {"label": "mine", "rule": "mean", "planned": False, "decides": True, "min_depth": 1, "max_depth": 3}
    packed = answer(model, task, read_problem(task, text_of([("a", "b")], "b")), longest=2)
    assert len(packed["exit_probs"]) == 3 * len(packed["depths"])


def test_what_a_page_offers_is_what_the_widget_draws():
    task = Brevo()
    texts = offered(task, [4])[4]
    assert texts[1] == write(task, instance_of(task, 4, 2))
