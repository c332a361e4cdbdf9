"""The explorer over a kernel, played by the widget's own replies: it asks, waits aloud, says when nobody answers, and never shows a mixture."""

import json

import pytest
import torch

from anira.explorer.answers import answer
from anira.explorer.player import MODULE, STYLE
from anira.explorer.problems import instance_of
from anira.explorer.widget import explore
from anira.model.anira import Anira, Config
from anira.zoo import Loaded
from tests.explorer.pages import control, open_page, settled  # noqa: F401, a fixture
from tests.explorer.test_player import agrees, prompt_of

pytestmark = pytest.mark.browser

NOTEBOOK = """<style>%s</style><div id="place"></div><script type="module">%s
const traits = %s, heard = {};
const tell = (event, ...rest) => (heard[event] ?? []).forEach((listener) => listener(...rest));
window.sent = []; window.alive = true; window.waiting = [];
const answer = async (content) => tell('msg:custom', JSON.parse(await window.kernel(JSON.stringify(content))));
window.revive = () => { window.alive = true; waiting.splice(0).forEach(answer); };
window.setTrait = (name, value) => { traits[name] = value; tell(`change:${name}`); };
window.model = {
  get: (name) => traits[name], set(name, value) { traits[name] = value; }, save_changes() { window.saved = { ...traits }; },
  on(event, listener) { (heard[event] ??= []).push(listener); }, off() {},
  send(content) { sent.push(content); alive ? answer(content) : waiting.push(content); },
};
window.begin = () => $explorer.$default.render({ model, el: document.querySelector('#place') });
if (window.kernel) begin();
</script>"""


@pytest.fixture(scope="module")
def widget():
    return explore(device="cpu", nodes=5, graph=2)


@pytest.fixture
def notebook(open_page, widget, browser):  # noqa: F811
    def open_it(widget=widget):
        traits = {name: getattr(widget, name) for name in ("nodes", "graph", "problem", "decider", "threshold", "options", "first")}
        page = open_page(NOTEBOOK % (STYLE, MODULE, json.dumps(traits).replace("<", "\\u003c")), wait=False)

        def kernel(text):
            content = json.loads(text)
            sent = []
            widget.send = sent.append
            try:
                widget._heard(widget, content, [])
            finally:
                del widget.send
            return json.dumps(sent[0])

        page.expose_function("kernel", kernel)
        page.evaluate("void begin()")
        page.wait_for_selector(".ax-token")
        return page

    return open_it


def test_each_move_is_answered_by_the_kernel(notebook):
    page = notebook()
    control(page, "nodes").fill("1")
    state = settled(page)
    assert "by the kernel on the CPU" in state["status"]
    assert agrees(state["panels"][1], "online", prompt_of(4, 2))
    control(page, "decider-early").check()
    control(page, "own-rule").uncheck()
    control(page, "threshold").fill("3")
    assert agrees(settled(page)["panels"][0], "early", prompt_of(4, 2), rule=0.2)
    assert page.evaluate("[saved.nodes, saved.decider, saved.threshold]") == [4, "early", 0.2]
    page.locator(".ax-tokens .ax-token").nth(1).click(position={"x": 10, "y": 8})
    control(page, "take").click()
    assert "One iteration less" in settled(page)["story"]


def test_it_says_that_it_waits_and_that_nobody_answers(notebook):
    page = notebook()
    page.clock.install(time=0)
    page.clock.pause_at(3_600_000)  # so that no time passes but what is told to
    page.evaluate("window.alive = false")
    before = settled(page)
    control(page, "graph").click()
    page.clock.run_for(200)
    assert page.evaluate("document.querySelector('.anira-explorer').dataset.state") is None
    page.clock.run_for(200)
    assert "Waiting for the kernel" in page.locator(".ax-status").text_content()
    assert page.evaluate("document.querySelector('.anira-explorer').dataset.state") == "waiting"
    page.clock.run_for(9000)
    assert "run this cell again" in page.locator(".ax-status").text_content()
    assert [
        panel["answer"]
        for panel in page.evaluate(
            "[...document.querySelectorAll('.ax-panel')].map((p) => ({ answer: [...p.querySelectorAll('.ax-tokens .ax-name')].map((t) => t.textContent) }))"
        )
    ] == [panel["answer"] for panel in before["panels"]]
    page.evaluate("revive()")
    page.clock.resume()
    page.wait_for_function("!document.querySelector('.anira-explorer').dataset.state")
    assert "by the kernel" in page.locator(".ax-status").text_content()


def test_while_it_waits_further_moves_are_merged_into_the_newest(notebook):
    page = notebook()
    page.evaluate("window.alive = false; window.sent = sent; sent.length = 0")
    for step in ("0", "2", "3", "4"):
        control(page, "threshold").fill(step)
    control(page, "own-rule").uncheck()
    for step in ("5", "6", "7"):
        control(page, "threshold").fill(step)
    assert page.evaluate("sent.length") == 1
    page.evaluate("revive()")
    state = settled(page)
    assert [sent["rule"] for sent in page.evaluate("sent.filter((one) => one.ask === 'answers')")][-1] == 0.4
    assert page.evaluate("sent.filter((one) => one.ask === 'answers').length") == 2
    assert agrees(state["panels"][0], "early", prompt_of(5, 2), rule=0.4)


def test_what_the_kernel_refuses_is_said(notebook, widget, monkeypatch):
    page = notebook()

    def refuse(content):
        raise ValueError("The model takes sequences of at most 3 tokens.")

    monkeypatch.setattr(widget, "_reply", refuse)
    control(page, "own-rule").uncheck()
    page.wait_for_function("document.querySelector('.ax-status').textContent.includes('at most 3 tokens')")


def test_traits_set_in_python_move_the_picture(notebook):
    page = notebook()
    page.evaluate("setTrait('problem', 'c-a.a-f*f'); setTrait('decider', 'online')")
    page.wait_for_function("document.querySelectorAll('.ax-panel').length === 1")
    assert settled(page)["panels"][0]["answer"] == ["c", "a", "end"]


def test_the_call_that_makes_the_same_picture_is_copied(notebook):
    page = notebook()
    control(page, "decider-online").check()
    settled(page)
    control(page, "link").click()
    page.wait_for_function("document.querySelector('.ax-tools .ax-quiet').textContent")
    assert 'anira.explore(nodes=5, graph=2, decider="online")' in page.locator(".ax-tools .ax-quiet").text_content()


def test_a_task_and_a_decider_of_ones_own_show_their_tokens_and_move(notebook, outside):
    task = outside.Roll()
    config = Config(vocabulary=len(task.vocabulary), decider="paced outside", width=16, hidden=16, heads=2, decider_hidden=8, max_depth=3)
    model = Anira(config).initialize(torch.Generator().manual_seed(0)).eval()
    page = notebook(explore({"mine": Loaded(model, task, {})}, device="cpu"))

    def shown(size, number, **options):
        instance = instance_of(task, size, number)
        prompt, right = task.vocabulary.decode(instance.prompt), task.vocabulary.decode(instance.answer)
        packed = answer(model, task, prompt, longest=3, **options)
        (panel,) = settled(page)["panels"]
        assert panel["asked"] == ["start", *prompt[1:]] and [name.strip("<>") for name in packed["answer"]] == [
            {"end": "eos"}.get(name, name) for name in panel["answer"]
        ]
        assert panel["prompt"] + panel["depths"][1:] == packed["depths"]
        assert page.locator(".ax-verdict").text_content() == ("✓ right" if packed["answer"] == right else "✗ wrong")

    shown(5, 1)
    control(page, "nodes").fill("0")
    shown(2, 1)
    control(page, "graph").click()
    shown(2, 2)
    control(page, "own-rule").uncheck()
    control(page, "threshold").fill("17")
    shown(2, 2, rule=0.9)
    control(page, "iteration").fill("1")
    assert settled(page)["story"].startswith("ROLL, r = 2.") and "Iteration 1 of 3" in settled(page)["story"]
    control(page, "link").click()
    page.wait_for_function("document.querySelector('.ax-tools .ax-quiet').textContent.includes('anira.explore(models, nodes=2, graph=2')")
