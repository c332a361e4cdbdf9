"""No violation that axe finds, in either theme, on a wide page and on a phone, in every state that a control brings about."""

import re

import pytest

from anira.explorer.player import notice
from tests.explorer.pages import brevo, control, depo, mano, open_page, settled  # noqa: F401, fixtures

pytestmark = pytest.mark.browser
Axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe


def draw_and_choose(page):
    control(page, "draw").click()
    page.locator(".ax-node").first.click()


def close_a_circle(page):
    draw_and_choose(page)
    edge = page.locator(".ax-prompt .ax-name").all_text_contents()[1:3]
    page.locator(".ax-node").first.click()
    page.locator(f".ax-node[data-node='{edge[1][1:]}']").first.click()
    page.locator(f".ax-node[data-node='{edge[0]}']").first.click()


STATES = {
    "at first": lambda page: None,
    "one model": lambda page: control(page, "decider-early").check(),
    "an unseen size": lambda page: control(page, "nodes").fill("13"),
    "a threshold": lambda page: (control(page, "own-rule").uncheck(), control(page, "threshold").fill("0")),
    "an iteration": lambda page: control(page, "iteration").fill("2"),
    "a token of the prompt": lambda page: page.locator(".ax-prompt .ax-token").nth(4).click(),
    "an iteration taken": lambda page: (page.locator(".ax-tokens .ax-token").first.click(), control(page, "take").click(), control(page, "take").click()),
    "something irrelevant": lambda page: control(page, "irrelevant").click(),
    "drawing": draw_and_choose,
    "a circle refused": close_a_circle,
    "a copied link": lambda page: control(page, "link").click(),
}


def violations(page):
    settled(page)
    page.wait_for_timeout(350)  # colours in transition have contrasts of their own
    found = Axe().run(page).response["violations"]
    return [(rule["id"], [(node["html"][:150], node.get("failureSummary", "")[:200]) for node in rule["nodes"][:3]]) for rule in found]


# Every state in one theme, and a few in the other, which is about colours; all in both, wide and narrow, once a week.
FEW = ["at first", "a token of the prompt", "drawing"]
VIEWS = [("dark", 390, list(STATES)), ("light", 1280, FEW)]
ALL = [pytest.param(theme, width, list(STATES), marks=pytest.mark.slow) for theme, width in (("light", 1280), ("dark", 1280), ("light", 390))]


@pytest.mark.parametrize(("theme", "width", "states"), VIEWS + ALL)
def test_a_graph_in_its_states(open_page, brevo, theme, width, states):  # noqa: F811
    found = {}
    page = open_page(brevo, theme=theme, width=width)
    for state in states:
        page.reload()
        page.wait_for_selector(".ax-token")
        STATES[state](page)
        if broken := violations(page):
            found[state] = broken
    assert found == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_expression_right_and_wrong(open_page, mano, theme):  # noqa: F811
    page = open_page(mano, theme=theme)
    assert violations(page) == []
    control(page, "expression").fill("(3 *")
    assert violations(page) == []


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_a_problem_that_is_not_drawn_wide_and_on_a_phone(open_page, depo, theme, width):  # noqa: F811
    page = open_page(depo, theme=theme, width=width)
    assert violations(page) == []
    control(page, "decider-online").check()
    page.locator(".ax-prompt .ax-token").nth(4).click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_that_only_says_that_it_needs_a_kernel(open_page, theme):  # noqa: F811
    page = open_page(notice("a", "This explorer needs a running kernel."), theme=theme, wait=False)
    assert "needs a running kernel" in page.locator("section").text_content() and violations_as_is(page) == []


def test_a_page_whose_model_is_missing(open_page, brevo):  # noqa: F811
    page = open_page(re.sub(r'data-weights="[^"]*"', 'data-weights="nowhere/"', brevo))
    control(page, "nodes").fill("1")
    page.wait_for_function("document.querySelector('.anira-explorer').dataset.state === 'lost'")
    assert violations_as_is(page) == []


def violations_as_is(page):
    page.wait_for_timeout(350)
    return [(rule["id"], [node["html"][:150] for node in rule["nodes"][:3]]) for rule in Axe().run(page).response["violations"]]


def test_the_tab_key_reaches_every_control_once_and_the_focus_is_seen(open_page, brevo):  # noqa: F811
    page = open_page(brevo)
    stops = []
    for _ in range(60):
        page.keyboard.press("Tab")
        stop = page.evaluate("""() => { const e = document.activeElement; if (e === document.body) return null;
          return [e.dataset.control ?? e.closest('[role=group]')?.getAttribute('aria-label') ?? e.name, getComputedStyle(e).outlineStyle, getComputedStyle(e.nextElementSibling ?? e).outlineStyle]; }""")
        if stop is None:
            break
        stops.append(stop)
    names = [name for name, _, _ in stops]
    assert {"nodes", "graph", "previous", "own-rule", "threshold", "draw", "irrelevant", "picture", "png", "link", "play", "iteration", "take", "give"} <= set(
        names
    )
    groups = [name for name in names if name and "model" in name]
    assert len(groups) == len(set(groups)) == 4, "question and answer of both models: one stop each"
    assert all("solid" in styles or "auto" in styles for _, *styles in stops)


def test_the_focus_stays_where_it_is_while_the_picture_changes(open_page, brevo):  # noqa: F811
    page = open_page(brevo)
    focused = lambda: page.evaluate("document.activeElement.dataset.node ?? document.activeElement.dataset.position")  # noqa: E731
    token = page.locator(".ax-tokens .ax-token").nth(1)
    position, depth = token.get_attribute("data-position"), int(token.get_attribute("data-depth"))
    token.focus()
    for taken in (1, 2):
        page.keyboard.press("-")
        page.wait_for_function(f"document.querySelectorAll('.ax-tokens .ax-token')[1].dataset.depth === '{depth - taken}'")
        assert settled(page) and focused() == position
    asked = settled(page)["panels"][0]["asked"]
    tail, head = asked[1], asked[2].removeprefix("→")
    control(page, "draw").click()
    for name in (tail, head):
        while focused() != name:
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
    state = settled(page)
    assert f"The arrow {tail} → {head} is gone" in state["said"] and state["panels"][0]["asked"] == [asked[0], *asked[3:]] and focused() == head


def test_what_is_said_aloud_is_news(open_page, brevo):  # noqa: F811
    page = open_page(brevo)
    page.evaluate("window.said = 0; new MutationObserver(() => said++).observe(document.querySelector('.ax-story'), { childList: true, subtree: true })")
    page.locator(".ax-tokens .ax-token").nth(1).hover()
    page.locator(".ax-prompt .ax-token").nth(3).hover()
    assert page.evaluate("said") == 0
    control(page, "iteration").fill("2")
    page.wait_for_timeout(50)
    assert page.evaluate("said") == 1


def test_reduced_motion_moves_nothing(open_page, brevo):  # noqa: F811
    page = open_page(brevo, reduced_motion="reduce")
    assert set(page.evaluate("[...document.querySelectorAll('.anira-explorer *')].map((e) => getComputedStyle(e).transitionDuration)")) <= {"0s", "1e-05s"}
