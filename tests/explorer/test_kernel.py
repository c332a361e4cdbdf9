"""The explorer over a kernel, played by the widget's own replies: it asks, waits aloud, says when nobody answers, and never shows a mixture."""

import json

import pytest

from anira.explorer.player import MODULE, STYLE
from anira.explorer.widget import explore
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
    def open_it():
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
    page.clock.install()
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
