"""The widget answers every question of the browser, says what is wrong in a sentence, and shows a page without a kernel."""

import json
import re
import statistics
import time

import pytest
import torch
import traitlets

from anira.explorer.answers import answer
from anira.explorer.player import FOLDER, MODULES, weights_out
from anira.explorer.problems import instance_of, longest_answer, write
from anira.explorer.widget import Explorer, explore
from anira.model.anira import Anira, Config
from anira.tasks import Brevo, Depo
from anira.tasks.graphs import Layered
from anira.zoo import Loaded, load


@pytest.fixture(scope="module")
def explorer():
    return explore(device="cpu", nodes=6)


def heard(explorer, **content):
    """What the explorer sends back to a message."""
    sent, explorer.send = [], lambda message: sent.append(message)
    explorer._heard(explorer, {"id": 7, **content}, [])
    del explorer.send
    (message,) = sent
    assert message["id"] == 7
    return json.loads(json.dumps(message["reply"]))


def test_it_answers_as_the_models_do(explorer):
    _, task, _ = load("brevo-early-tiny")
    instance = instance_of(task, 5, 2)
    prompt = task.vocabulary.decode(instance.prompt)
    reply = heard(explorer, ask="answers", prompt=prompt, labels=["early", "online"], rule=0.3, given={"online": {"3": 4}}, draft=[])
    for label, given in (("early", {}), ("online", {3: 4})):
        model = load(f"brevo-{label}-tiny").model
        direct = answer(model, task, prompt, rule=0.3, given=given, longest=longest_answer(task, prompt))
        assert {**reply[label], "milliseconds": 0} == {**direct, "milliseconds": 0}
    said = heard(
        explorer, ask="alone", prompt=prompt, labels=["online"], answers={"online": reply["online"]["answer"]}, depths={"online": reply["online"]["depths"]}
    )
    assert len(said["online"]) == 6 and len(said["online"][0]) == len(reply["online"]["answer"])
    assert heard(explorer, ask="problem", size=5, number=2) == write(task, instance)


def test_what_goes_wrong_is_a_sentence_for_the_reader(explorer):
    reply = heard(explorer, ask="answers", prompt=["<bos>", "nobody", "<answer>"], labels=["early"], rule=None, given={}, draft=[])
    assert "nobody" in reply["error"]


def test_a_move_takes_less_than_a_tenth_of_a_second(explorer):
    seconds = []  # of one thread's computing time, so that a busy machine does not fail the test
    for number in range(101, 112):
        instance = instance_of(explorer._task, 8, number)
        names = explorer._task.vocabulary
        began = time.process_time()
        question = {"prompt": names.decode(instance.prompt), "draft": names.decode(instance.answer), "labels": ["early", "online"], "rule": None}
        explorer._answers(question)
        seconds.append(time.process_time() - began)
    assert statistics.median(seconds) < 0.1


@pytest.mark.gpu
def test_a_scene_through_a_gpu_kernel_and_the_time_of_one_move(capsys):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    on_gpu, on_cpu = explore(device="cuda", nodes=8), explore(device="cpu", nodes=8)
    seconds = []
    for number in range(1, 21):
        instance = instance_of(on_gpu._task, 8, number)
        names = on_gpu._task.vocabulary
        question = {"prompt": names.decode(instance.prompt), "draft": names.decode(instance.answer), "labels": ["early", "online"], "rule": None}
        torch.cuda.synchronize()
        began = time.perf_counter()
        fast = on_gpu._answers(question)
        seconds.append(time.perf_counter() - began)
        slow = on_cpu._answers(question)
        for label in fast:
            assert fast[label]["device"].startswith("cuda")
            assert fast[label]["answer"] == slow[label]["answer"] and fast[label]["depths"] == slow[label]["depths"]
    with capsys.disabled():
        print(f"\na move through {torch.cuda.get_device_name()}: median {1000 * statistics.median(seconds):.1f} ms, both deciders")
    assert statistics.median(seconds) < 0.1


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"nodes": 99}, "one of 3, 4, 5"),
        ({"decider": "oracle"}, "one of early, online, all"),
        ({"graph": 0}, "counts from 1"),
        ({"threshold": 0.0}, "above 0 and at most 1"),
        ({"problem": "a-b.b-a*b"}, "hold a circle"),
    ],
)
def test_a_choice_that_does_not_exist_is_refused_with_what_does(explorer, choice, message):
    before = explorer.text
    with pytest.raises(traitlets.TraitError, match=message):
        explorer.set_trait(*next(iter(choice.items())))
    assert explorer.text == before


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: explore(nods=8), TypeError, "no argument 'nods'.*nodes, graph"),
        (lambda: explore("brevo-online-tiny"), TypeError, "a mapping such as"),
        (lambda: explore(["brevo-online-tiny"]), TypeError, "a mapping such as"),
        (lambda: explore(None), TypeError, "a mapping such as"),
        (lambda: explore({}), ValueError, "At least one model"),
        (lambda: explore({"all": "brevo-online-tiny"}), ValueError, "another label"),
        (lambda: explore({"a": "brevo-online-tiny", "b": "mano-online-tiny"}), ValueError, "share task and vocabulary"),
        (lambda: explore(device="abacus"), ValueError, "does not run on 'abacus'"),
        (lambda: explore(edges=[("a", "b"), ("b", "a")], query="b"), traitlets.TraitError, "hold a circle"),
        (lambda: explore(edges=[("a", "b")]), ValueError, "needs the node that is asked about"),
        (lambda: explore({"a": small(Depo(), max_depth=3)}, problem="1.2"), traitlets.TraitError, "A problem of DEPO is chosen by its size and its number"),
    ],
)
def test_bad_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def small(task, **config):
    model = Anira(Config(vocabulary=len(task.vocabulary), width=16, hidden=16, heads=2, decider_hidden=8, **config)).initialize(
        torch.Generator().manual_seed(0)
    )
    return Loaded(model.eval(), task, {})


def test_models_of_ones_own_are_offered_under_their_labels():
    mine = explore({"mine 1": load("brevo-online-tiny"), "mine ½": load("brevo-early-tiny")}, nodes=3)
    assert mine.decider == "all" and [decider["label"] for decider in mine.options["deciders"]] == ["mine 1", "mine ½"]
    assert set(mine.first["answers"]) == {"mine 1", "mine ½"}
    assert explore({"one": load("brevo-online-tiny")}, nodes=3).decider == "one"


def test_other_families_and_short_models():
    layered = explore({"a": small(Brevo(sizes=(4, 5), graphs=Layered()), max_depth=3)})
    assert layered.options["sizes"][0] == 4
    short = explore({"a": small(Brevo(sizes=(3,)), max_length=19)})
    assert short.options["sizes"] == [3] and short.nodes == 3


def test_a_task_and_a_decider_that_the_library_has_never_seen(outside):
    mine = explore({"mine": small(outside.Roll(), decider="paced outside", max_depth=3)}, nodes=6, graph=2)
    instance = instance_of(outside.Roll(), 6, 2)
    names = outside.Roll.vocabulary.decode(instance.tokens)
    first = mine.first
    assert first["problem"]["prompt"] + first["problem"]["answer"] == names and first["problem"]["end"] == "<eos>"
    assert first["problem"]["features"] == [
        {name: column[i] for name, column in instance.features.items() if column[i] == column[i]} for i in range(len(names))
    ]
    packed = first["answers"]["mine"]
    assert len(packed["depths"]) == 7 + len(packed["answer"]) and len(packed["answer"]) <= 3
    assert (mine.options["kind"], mine.options["sizes"], mine.options["trained"]) == ("sequence", list(range(2, 11)), [3, 4, 5])
    assert mine.text == " ".join(names[:8]) and heard(mine, ask="problem", size=6, number=2) == first["problem"]


def test_a_page_says_why_it_needs_a_kernel_and_gives_way_to_one(outside, monkeypatch):
    mine = explore({"mine": small(outside.Roll(), decider="paced outside")})
    page = mine.page()
    assert "needs a running kernel, for mine" in page and "received &#x27;paced outside&#x27;" in page and "<script" not in page
    assert f'data-anira-player="{mine.options["id"]}"' in page, "by which the widget finds it"
    monkeypatch.setattr("anira.explorer.weights.MOST", 1000)
    assert "has at most 1,000 parameters" in explore({"large": small(Brevo(sizes=(3,)))}).page()


def test_a_string_that_nothing_asks_for_is_read_whole(outside):
    class Loose(outside.Roll):
        unique_answer = False

    shown = explore({"a": small(Loose(), max_depth=3)}, nodes=4)
    tokens = Loose.vocabulary.decode(instance_of(Loose(), 4, 1).tokens)
    assert [*shown.first["problem"]["prompt"], "<eos>"] == tokens and shown.first["problem"]["answer"] == ["<eos>"]
    assert len(shown.first["answers"]["a"]["answer"]) == 1


def test_a_graph_of_ones_own_from_python():
    own = explore(edges=[("c", "a"), ("a", "f")], query="f", decider="online", threshold=0.3)
    assert own.text == "c-a.a-f*f"
    assert own.first["answers"]["online"]["answer"] == ["c", "a", "<eos>"]


@pytest.fixture(scope="module")
def outputs():
    """The two outputs of a cell that shows an explorer: [(data, metadata), …]."""
    shown, made = [], explore(nodes=4)
    import anira.explorer.widget as module

    real, module.display = module.display, lambda data, metadata=None, raw=False: shown.append(data)
    try:
        made._ipython_display_()
    finally:
        module.display = real
    return made, shown


def test_a_cell_shows_a_player_that_the_widget_finds_and_the_widget(outputs):
    made, (page, widget) = outputs
    assert f'data-anira-player="{made.options["id"]}"' in page["text/html"]
    assert widget["application/vnd.jupyter.widget-view+json"]["model_id"] == made.model_id
    assert widget["text/plain"] == "", "pages without the widget show nothing of this output"


def test_the_player_is_self_contained_and_cannot_be_closed_from_within(outputs):
    html = outputs[1][0]["text/html"]
    assert not re.search(r"""(src|href)\s*=\s*["']|@import|url\(|https?://(?!www\.w3\.org/)""", html.replace('a[href*="#', ""))
    assert html.count("<script") == html.count("</script") == 4
    assert "<!--" not in html


def test_weights_can_lie_beside_the_page(outputs):
    html = outputs[1][0]["text/html"]
    without, scripts = weights_out(html, "../_models/")
    assert len(without) < 250_000 and 'data-weights="../_models/"' in without and 'json" data-anira-model' not in without
    assert len(scripts) == 2 and all(text.startswith("(globalThis.anira_models ??= {})") for text in scripts.values())


def test_no_module_is_long_and_all_are_joined():
    modules = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.mjs")}
    assert set(modules) == set(MODULES)
    assert {name for name in modules if modules[name].count("\n") > 350} == set()


def test_the_shipped_models_of_each_task_are_called_by_its_name():
    for task in ("mano", "depo"):
        found = explore(task, nodes=2, decider="early")
        assert isinstance(found, Explorer) and found.options["task"] == task and found.options["models_in_call"] == f'"{task}"'
