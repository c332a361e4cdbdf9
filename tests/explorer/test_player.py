"""The explorer of a page, opened from disk with the network off: every control does what it says, with the models' own answers."""

import re
import struct

import pytest

from anira.explorer.answers import answer
from anira.explorer.player import ASLEEP
from anira.explorer.problems import instance_of, longest_answer
from anira.explorer.problems import read as read_problem
from anira.zoo import load
from tests.explorer.pages import brevo, control, depo, mano, open_page, settled  # noqa: F401, fixtures

pytestmark = pytest.mark.browser


def expected(label, prompt, **options):
    model, task, _ = load(f"brevo-{label}-tiny")
    return answer(model, task, prompt, longest=longest_answer(task, prompt), **options)


def agrees(panel, label, prompt, **options):
    """Whether a panel shows the answer and depths that Python's model gives."""
    packed = expected(label, prompt, **options)
    first = len(prompt) - 1
    names = ["end" if name == "<eos>" else name for name in packed["answer"]]
    return (panel["answer"], panel["depths"], panel["prompt"]) == (names, packed["depths"][first:], packed["depths"][: first + 1])


def prompt_of(size, number):
    task = load("brevo-online-tiny").task
    return task.vocabulary.decode(instance_of(task, size, number).prompt)


def test_the_first_picture_shows_what_the_models_do_and_loads_no_weights(open_page, brevo):  # noqa: F811
    page = open_page(re.sub(r'data-weights="[^"]*"', 'data-weights="nowhere/"', brevo))
    state = settled(page)
    for panel, label in zip(state["panels"], ("early", "online"), strict=True):
        assert agrees(panel, label, prompt_of(6, 2))
        assert panel["filled"] == sum(panel["prompt"] + panel["depths"])
    assert "beforehand" in state["status"]
    control(page, "nodes").fill("4")
    page.wait_for_function("document.querySelector('.ax-status').textContent.includes('could not be loaded')")


def test_where_scripts_are_taken_out_a_sentence_says_what_to_do(open_page, brevo):  # noqa: F811
    page = open_page(brevo)
    settled(page)
    assert not page.get_by_text(ASLEEP).is_visible()
    page = open_page(re.sub(r"<(script|style).*?</\1>", "", brevo, flags=re.DOTALL), wait=False)
    assert page.locator("main").inner_text().split("\n", 1)[1].strip() == ASLEEP


def test_every_control_asks_the_model_in_the_page(open_page, brevo):  # noqa: F811
    page = open_page(brevo)
    control(page, "nodes").fill("1")
    state = settled(page)
    assert "in this page" in state["status"]
    assert agrees(state["panels"][1], "online", prompt_of(4, 2))
    control(page, "decider-early").check()
    state = settled(page)
    assert len(state["panels"]) == 1 and agrees(state["panels"][0], "early", prompt_of(4, 2))
    control(page, "graph").click()
    assert agrees(settled(page)["panels"][0], "early", prompt_of(4, 3))
    control(page, "previous").click()
    assert agrees(settled(page)["panels"][0], "early", prompt_of(4, 2))
    control(page, "own-rule").uncheck()
    control(page, "threshold").fill("1")
    state = settled(page)
    assert agrees(state["panels"][0], "early", prompt_of(4, 2), rule=0.1)
    assert "≥ 0.1" in page.locator(".ax-gloss").last.text_content()
    control(page, "own-rule").check()
    assert agrees(settled(page)["panels"][0], "early", prompt_of(4, 2))
    assert "mode" in page.locator(".ax-why .ax-gloss").text_content()


def test_the_largest_size_and_what_the_page_draws_itself(open_page, brevo):  # noqa: F811
    page = open_page(brevo)
    control(page, "nodes").fill("13")
    state = settled(page)
    assert len(state["panels"][0]["nodes"]) <= 16
    assert agrees(state["panels"][0], "early", prompt_of(16, 2)) and agrees(state["panels"][1], "online", prompt_of(16, 2))
    assert "unseen size" in page.locator(".ax-field-nodes").text_content()
    for _ in range(16):
        control(page, "graph").click()
    page.wait_for_function("document.querySelector('.ax-field-graph output').textContent === 'no. 18'")
    assert len(settled(page)["panels"][0]["asked"]) > 20


def test_the_iterations_can_be_scrubbed_and_played(open_page, brevo):  # noqa: F811
    page = open_page(brevo)
    whole = settled(page)
    control(page, "iteration").fill("1")
    first = settled(page)["panels"][0]
    assert first["filled"] == len(first["prompt"] + first["depths"])
    control(page, "iteration").fill("6")
    panel = settled(page)["panels"][1]
    assert panel["halted"] == sum(depth < 6 for depth in panel["prompt"] + panel["depths"])
    control(page, "play").click()
    page.wait_for_function("document.querySelector('.ax-story').textContent.includes('Iteration 2 of 6')")
    page.wait_for_function("!document.querySelector('.ax-story').textContent.includes('Iteration ')", timeout=20_000)
    assert settled(page) == whole


def test_taking_and_giving_iterations_by_button_by_click_and_by_key(open_page, brevo):  # noqa: F811
    page = open_page(brevo)
    control(page, "decider-online").check()
    before = settled(page)["panels"][0]
    prompt = prompt_of(6, 2)
    token = page.locator(".ax-tokens .ax-token").nth(1)
    position = len(prompt)
    token.click(position={"x": 10, "y": 8})
    control(page, "take").click()
    state = settled(page)
    assert agrees(state["panels"][0], "online", prompt, given={position: before["depths"][1] - 1})
    assert "One iteration less" in state["story"] and "You chose this depth" in page.locator(".ax-why .ax-gloss").text_content()
    token.locator("i.ax-on").last.click()
    assert agrees(settled(page)["panels"][0], "online", prompt, given={position: before["depths"][1] - 2})
    token.focus()
    page.keyboard.press("+")
    assert agrees(settled(page)["panels"][0], "online", prompt, given={position: before["depths"][1] - 1})
    control(page, "give-back").click()
    assert settled(page)["panels"][0]["depths"] == before["depths"]


def test_why_says_what_was_needed_and_what_made_it_hard(open_page, brevo):  # noqa: F811
    page = open_page(brevo)
    control(page, "decider-online").check()
    state = settled(page)
    instance = instance_of(load("brevo-online-tiny").task, 6, 2)
    for i in range(len(instance.answer) - 1):
        page.locator(".ax-tokens .ax-token").nth(i).hover()
        facts = page.evaluate("document.querySelector('.ax-facts').textContent")
        frontier, depth, out = (int(instance.features[name][len(instance.prompt) + i]) for name in ("frontier_size", "dfs_depth", "out_degree"))
        assert f"Frontier{frontier} node" in facts and f"Search depth{depth} below" in facts and f"Arrows out{out} node" in facts
        assert f"{len(instance.source.edges)} arrows in the question, place {i + 1} in the answer" in facts
        assert re.search(r"Needed(\d|no depth)", facts)
    page.locator(".ax-prompt .ax-token").nth(3).hover()
    assert "token 4 of" in settled(page)["panels"][0]["why"]
    page.mouse.move(1, 1)
    assert settled(page)["panels"][0]["why"] == state["panels"][0]["why"]


def test_a_graph_is_drawn_by_mouse(open_page, brevo):  # noqa: F811
    page = open_page(brevo)
    control(page, "decider-online").check()
    control(page, "nodes").fill("0")
    nodes = settled(page)["panels"][0]["nodes"]
    control(page, "draw").click()
    asked = settled(page)["panels"][0]["asked"]
    edges = list(zip(asked[1:-3:2], [name[1:] for name in asked[2:-3:2]], strict=True))
    tail, head = edges[0]
    spot = lambda name: page.locator(f".ax-node[data-node='{name}'] .ax-disc")  # noqa: E731
    spot(head).click()
    spot(tail).click()
    said = settled(page)["said"]
    assert "would close a circle" in said and f"{head} → " in said
    spot(tail).drag_to(page.locator(".ax-graph svg"), target_position={"x": 20, "y": 20}, force=True)
    state = settled(page)
    (new,) = set(state["panels"][0]["nodes"]) - set(nodes)
    assert f"{new} now needs {tail}" in state["said"]
    assert agrees(state["panels"][0], "online", read_problem(load("brevo-online-tiny").task, text_in(page)))
    spot(new).click()
    control(page, "remove").click()
    assert settled(page)["panels"][0]["nodes"] == nodes


def text_in(page):
    control(page, "link").click()
    return re.search(r"problem=([^&]*)", page.url)[1].replace("%2A", "*")


def test_a_graph_is_drawn_by_keyboard_alone(open_page, brevo):  # noqa: F811
    page = open_page(brevo)
    control(page, "decider-online").check()
    before = settled(page)["panels"][0]
    control(page, "draw").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.dataset.node")
    query = page.evaluate("document.activeElement.dataset.node")
    page.keyboard.press("ArrowRight")
    chosen = page.evaluate("document.activeElement.dataset.node")
    assert chosen != query
    page.keyboard.press("Enter")
    assert f"{chosen} is chosen" in settled(page)["said"]
    control(page, "grow").focus()
    page.keyboard.press("Enter")
    state = settled(page)
    assert len(state["panels"][0]["nodes"]) == len(before["nodes"]) + 1 and f"now needs {chosen}" in state["said"]
    control(page, "query").focus()
    page.keyboard.press("Enter")
    assert "is asked about" in settled(page)["said"] or "needs at least one arrow" in settled(page)["said"]


@pytest.mark.parametrize("width", [390])
def test_a_graph_is_drawn_by_touch_on_a_phone(open_page, brevo, width):  # noqa: F811
    page = open_page(brevo, width=width, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    control(page, "decider-online").check()
    before = settled(page)["panels"][0]
    control(page, "draw").tap()
    page.locator(f".ax-node[data-node='{before['nodes'][0]}']").tap()
    control(page, "grow").tap()
    assert len(settled(page)["panels"][0]["nodes"]) == len(before["nodes"]) + 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(".ax-prompt .ax-token").nth(5).tap()
    assert "token 6 of" in settled(page)["panels"][0]["why"]


def test_limits_are_said(open_page, brevo):  # noqa: F811
    page = open_page(brevo)
    control(page, "nodes").fill("0")
    settled(page)
    control(page, "draw").click()
    settled(page)
    query = page.locator(".ax-query").first
    query.click()
    control(page, "remove").click()
    assert "ask about another node first" in settled(page)["said"]
    page.locator(".ax-node:not(.ax-query)").first.click()
    control(page, "nodes").fill("13")
    settled(page)
    for _ in range(3):
        control(page, "irrelevant").click()
    assert "at most 16 nodes" in settled(page)["said"]


def test_what_does_not_matter_leaves_the_right_answer_alone(open_page, brevo):  # noqa: F811
    page = open_page(brevo)
    control(page, "nodes").fill("0")
    before = settled(page)["panels"]
    control(page, "irrelevant").click()
    state = settled(page)
    assert "does not depend on it" in state["said"] and "before that" in state["story"]
    assert len(state["panels"][0]["nodes"]) == len(before[0]["nodes"]) + 1
    task = load("brevo-online-tiny").task
    assert agrees(state["panels"][1], "online", read_problem(task, text_in(page)))


def test_an_address_restores_what_was_seen(open_page, brevo):  # noqa: F811
    page = open_page(brevo)
    control(page, "nodes").fill("2")
    settled(page)
    control(page, "irrelevant").click()
    settled(page)
    control(page, "decider-online").check()
    settled(page)
    control(page, "own-rule").uncheck()
    control(page, "threshold").fill("5")
    settled(page)
    page.locator(".ax-tokens .ax-token").first.click(position={"x": 10, "y": 8})
    control(page, "take").click()
    control(page, "iteration").fill("2")
    seen = settled(page)
    control(page, "link").click()
    again = open_page(brevo, fragment=page.url[page.url.index("#") :])
    again.wait_for_function("document.querySelector('.ax-story').textContent.includes('Iteration 2')")
    restored = settled(again)
    assert restored["panels"] == seen["panels"]


def test_links_in_the_prose_set_the_explorer(open_page, brevo):  # noqa: F811
    page = open_page('<p><a href="#explorer?nodes=5&graph=3&decider=early&threshold=0.3">show me</a></p>' + brevo)
    page.locator("p a").click()
    page.wait_for_function("document.querySelectorAll('.ax-panel').length === 1")
    assert agrees(settled(page)["panels"][0], "early", prompt_of(5, 3), rule=0.3)
    control(page, "nodes").fill("0")
    settled(page)
    page.locator("p a").click()
    page.wait_for_function("document.querySelector('.ax-field-nodes output').textContent === '5'")
    assert agrees(settled(page)["panels"][0], "early", prompt_of(5, 3), rule=0.3)


def test_an_address_brings_the_explorer_into_view(open_page, brevo):  # noqa: F811
    top = "document.querySelector('.anira-explorer').getBoundingClientRect().top"
    body = f'<div style="height: 3000px"></div>{brevo}'
    assert open_page(body).evaluate(top) > 900
    page = open_page(body, fragment="#explorer?nodes=5&graph=3")
    page.wait_for_function(f"Math.abs({top}) < 100")


@pytest.mark.parametrize(
    "hash_", ["#explorer?nodes=99&graph=x", "#explorer?problem=a-b.b-a*b", "#explorer?given=nobody_1_2", "#explorer?token=999&iteration=77"]
)
def test_a_damaged_address_does_no_harm(open_page, brevo, hash_):  # noqa: F811
    page = open_page(brevo, fragment=hash_)
    page.wait_for_timeout(300)
    assert page.locator(".ax-token").count() > 10
    control(page, "graph").click()
    assert settled(page)["panels"]


def test_a_picture_is_saved(open_page, brevo):  # noqa: F811
    page = open_page(brevo, accept_downloads=True)
    with page.expect_download() as download:
        control(page, "picture").click()
    text = open(download.value.path(), encoding="utf-8").read()
    assert text.startswith("<svg") and text.count("<circle") == 2 * len(settled(page)["panels"][0]["nodes"])
    with page.expect_download() as download:
        control(page, "png").click()
    image = download.value.path().read_bytes()
    wide, high = (int(re.search(f'{name}="(\\d+)"', text)[1]) for name in ("width", "height"))
    assert image.startswith(b"\x89PNG") and struct.unpack(">II", image[16:24]) == (2 * wide, 2 * high)
    assert len(image) > 20_000, "something is painted on it"


def test_keys_stay_inside_but_for_those_that_leave_a_cell(open_page, brevo):  # noqa: F811
    page = open_page(brevo)
    page.evaluate("window.heard = []; document.addEventListener('keydown', (event) => heard.push(event.key))")
    page.locator(".ax-tokens .ax-token").first.focus()
    for key in ("ArrowRight", "a", "d", "Shift+Enter"):
        page.keyboard.press(key)
    assert [key for key in page.evaluate("heard") if key != "Shift"] == ["Enter"]
    page.keyboard.press("Escape")
    assert "Escape" in page.evaluate("heard")
    assert page.evaluate("document.activeElement === document.body")


def test_several_players_share_a_page_without_sharing_their_state(open_page, brevo, mano):  # noqa: F811
    page = open_page(brevo + mano)
    assert page.locator(".anira-explorer").count() == 2
    page.locator(".anira-explorer").nth(1).locator("[data-control=decider-early]").check()
    assert page.locator(".anira-explorer").nth(0).locator("[data-control=decider-all]").is_checked()


def test_an_expression_is_typed(open_page, mano):  # noqa: F811
    page = open_page(mano)
    control(page, "expression").fill("(3*4)-1 + 2")
    state = settled(page)
    model, task, _ = load("mano-online-tiny")
    packed = answer(model, task, ["<bos>", *"+ - × 3 4 1 2".split(), "<answer>"], longest=1)
    assert state["panels"][1]["answer"] == packed["answer"] and state["panels"][1]["prompt"] == packed["depths"]
    assert len(state["panels"][1]["nodes"]) == 7
    control(page, "expression").fill("(3 * 4")
    assert "found the end" in page.locator(".ax-said-line").text_content()
    assert control(page, "expression").get_attribute("aria-invalid") == "true"
    page.locator(".ax-prompt .ax-token").nth(3).hover()
    assert "Open operators2" in page.evaluate("document.querySelector('.ax-facts').textContent")


def test_a_problem_of_another_task_shows_its_tokens_and_what_the_models_make_of_them(open_page, depo):  # noqa: F811
    page = open_page(depo, accept_downloads=True)
    model, task, _ = load("depo-online-minute")

    def shown(size, number, **options):
        instance = instance_of(task, size, number)
        prompt, right = task.vocabulary.decode(instance.prompt), task.vocabulary.decode(instance.answer)
        packed = answer(model, task, prompt, longest=len(right), **options)
        panel = settled(page)["panels"][-1]
        assert [name.strip("<>") for name in panel["asked"][1:]] == [name.strip("<>") for name in prompt[1:]]
        assert (panel["answer"], panel["prompt"] + panel["depths"][1:]) == (packed["answer"], packed["depths"])
        assert (
            f"DEPO, k = {size}" in settled(page)["story"]
            and ("right" if packed["answer"] == right else "wrong") in page.locator(".ax-verdict").last.text_content()
        )
        return instance, panel

    shown(3, 1)
    control(page, "nodes").fill("1")
    control(page, "graph").click()
    control(page, "own-rule").uncheck()
    control(page, "threshold").fill("4")
    instance, panel = shown(2, 2, rule=0.25)
    control(page, "decider-online").check()
    page.locator(".ax-tokens .ax-token").nth(2).click(position={"x": 10, "y": 8})
    facts = page.evaluate("document.querySelector('.ax-facts').textContent")
    assert all(f"{name}{instance.features[name][len(instance.prompt) + 2]:.0f}" in facts for name in ("hops", "nodes", "readings", "travel"))
    control(page, "give").click()
    shown(2, 2, rule=0.25, given={len(instance.prompt) + 1: panel["depths"][2] + 1})
    control(page, "iteration").fill("1")
    assert settled(page)["panels"][0]["filled"] == len(instance.tokens) - 1 + 1  # the last token asked and the first answered are one position
    assert page.locator(".ax-graph, [data-control=draw], [data-control=expression]").count() == 0
    with page.expect_download() as download:
        control(page, "picture").click()
    picture = download.value.path().read_text(encoding="utf-8")
    assert picture.count("<text") == 1 + 2 * (len(instance.prompt) + len(instance.answer)), "who answered; of each token its name and its number"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_is_the_pages_and_depth_one_stands_out_from_an_empty_cell(open_page, brevo, theme):  # noqa: F811
    page = open_page(brevo, theme=theme, color_scheme="light" if theme == "dark" else "dark")
    colors = page.evaluate(
        """() => {
          const read = (value) => { const context = document.createElement('canvas').getContext('2d'); context.fillStyle = value; context.fillRect(0, 0, 1, 1);
            return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3); };
          const root = document.querySelector('.anira-explorer');
          return [getComputedStyle(root).backgroundColor, ...[...root.querySelectorAll('.ax-legend i')].map((cell) => getComputedStyle(cell).backgroundColor)].map(read);
        }"""
    )
    paper, *depths = map(luminance, colors)
    assert (paper > 0.5) == (theme == "light")
    for depth in depths:
        assert (max(paper, depth) + 0.05) / (min(paper, depth) + 0.05) >= 3
    assert depths == sorted(depths, reverse=True)


def luminance(color):
    linear = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in color]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("width", [390, 1280])
def test_no_number_is_smaller_than_eleven_pixels(open_page, brevo, width):  # noqa: F811
    page = open_page(brevo, width=width)
    sizes = page.evaluate(
        """() => [...document.querySelectorAll('.anira-explorer *')].filter((e) => [...e.childNodes].some((c) => c.nodeType === 3 && c.data.trim()))
          .map((e) => { const svg = e.closest('svg'); const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1; return scale * parseFloat(getComputedStyle(e).fontSize); })"""
    )
    assert min(sizes) >= 10.99


def test_nothing_jumps_when_a_smaller_graph_comes(open_page, brevo):  # noqa: F811
    page = open_page(brevo)
    control(page, "decider-online").check()
    control(page, "nodes").fill("5")
    settled(page)
    top = page.locator(".ax-panels").bounding_box()["y"]
    height = page.locator(".ax-prompt").bounding_box()["height"]
    control(page, "nodes").fill("1")
    settled(page)
    assert page.locator(".ax-panels").bounding_box()["y"] == top
    assert page.locator(".ax-prompt").bounding_box()["height"] == height


def test_what_is_pointed_at_stays_under_the_pointer(open_page, brevo):  # noqa: F811
    """On a narrow page the reasons stand above other tokens: a token of the prompt has fewer of them, and its own place would move away."""
    page = open_page(brevo, width=390)
    page.locator(".ax-prompt .ax-token").first.hover()
    places = page.evaluate(
        """async () => {
          const places = new Set();
          for (let frame = 0; frame < 20; frame++) {
            await new Promise(requestAnimationFrame);
            places.add(document.querySelector(".ax-prompt .ax-token").getBoundingClientRect().y);
          }
          return [...places];
        }"""
    )
    assert len(places) == 1
