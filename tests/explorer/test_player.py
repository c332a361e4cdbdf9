"""The recorded player, opened from disk with the network off: every control does what it says."""

import json

import pytest

from anira.explorer.player import FOLDER, player
from anira.explorer.recording import MODELS, RECORDING, instance_of
from anira.explorer.scene import scene
from anira.zoo import load

pytestmark = pytest.mark.browser

STATE = """() => {
  const root = document.querySelector('.anira-explorer');
  const all = (selector, read) => [...root.querySelectorAll(selector)].map(read);
  return {
    nodes: all('.ax-node', (n) => n.dataset.node),
    places: all('.ax-node', (n) => n.getAttribute('transform')),
    prompt: all('.ax-prompt .ax-token', (t) => Number(t.dataset.depth)),
    answer: all('.ax-tokens .ax-token', (t) => Number(t.dataset.depth)),
    filled: all('.ax-cells i.ax-on', () => 1).length,
    halted: all('.ax-token.ax-halted', () => 1).length,
    chart: root.querySelector('.ax-chart svg').getAttribute('aria-label'),
    caption: root.querySelector('.ax-chart figcaption').textContent,
    story: root.querySelector('.ax-story').textContent,
  };
}"""


@pytest.fixture
def open_page(browser, tmp_path):
    """Write the body to a file and open it offline; whatever goes wrong on the page fails the test."""
    contexts, problems = [], []

    def open_it(body, width=900, theme="light", **options):
        path = tmp_path / f"page{len(contexts)}.html"
        path.write_text(
            f'<!doctype html><html data-theme="{theme}"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><body style="margin: 0">{body}',
            encoding="utf-8",
        )
        context = browser.new_context(viewport={"width": width, "height": 800}, offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: problems.append(request.url) if not request.url.startswith((path.as_uri(), "blob:")) else None)
        page.goto(path.as_uri())
        page.wait_for_selector(".ax-token")
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert problems == []


@pytest.mark.parametrize("decider", MODELS)
def test_first_state_shows_the_depths_that_the_model_spends(open_page, decider):
    page = open_page(player(6, 2, decider, 0.5))
    shown = page.evaluate(STATE)
    model, task, _ = load(MODELS[decider])
    expected = scene(model, task, instance_of(task, 6, 2), 0.5)
    assert shown["answer"] == [token["depth"] for token in expected["answer"]]
    assert shown["prompt"] == [token["depth"] for token in expected["prompt"]]
    assert sorted(shown["nodes"]) == sorted(node["name"] for node in expected["nodes"])
    assert shown["filled"] == sum(shown["prompt"] + shown["answer"])


def test_the_module_decodes_every_recorded_scene_into_distributions_that_halt_where_it_says(open_page):
    recording = json.loads(RECORDING.read_text(encoding="utf-8"))
    page = open_page(player(6, 1, "online", 0.5))
    module = (FOLDER / "explorer.mjs").read_text(encoding="utf-8")
    scenes = page.evaluate(
        """async ([code, recording]) => {
          const { decode } = await import(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
          const scenes = [];
          for (const decider of Object.keys(recording.runs)) for (const nodes of recording.sizes)
            for (let graph = 1; graph <= recording.graphs; graph++) for (const threshold of recording.thresholds)
              scenes.push(decode(recording, { decider, nodes, graph, threshold }));
          return scenes.map((s) => ({ threshold: s.choice.threshold, tokens: [...s.prompt, ...s.answer], edges: s.edges, graph: s.choice.graph, nodes: s.size }));
        }""",
        [module, recording],
    )
    assert len(scenes) == len(MODELS) * len(recording["sizes"]) * recording["graphs"] * len(recording["thresholds"])
    _, task, _ = load(MODELS["online"])
    rounding = recording["max_depth"] * 0.5 / 4095 + 1e-6
    for shown in scenes:
        for token in shown["tokens"]:
            assert sum(token["exit_probs"]) == pytest.approx(1, abs=rounding)
            depth, mass = token["depth"], token["exit_probs"]
            assert sum(mass[: depth - 1]) < shown["threshold"] + rounding
            assert sum(mass[:depth]) > shown["threshold"] - rounding
    for shown in scenes[::50]:
        assert {tuple(edge) for edge in shown["edges"]} == set(instance_of(task, shown["nodes"], shown["graph"]).source.edges)


def test_each_control_changes_what_it_should_and_nothing_jumps(open_page):
    page = open_page(player(6, 1, "online", 0.5))
    control = lambda name: page.locator(f"[data-control={name}]")  # noqa: E731
    first = page.evaluate(STATE)
    tops = lambda: page.evaluate("[...document.querySelectorAll('.ax-stage, .ax-sequence, .ax-prompt')].map((e) => e.getBoundingClientRect().top)")  # noqa: E731
    fixed = tops()

    control("nodes").fill("5")
    larger = page.evaluate(STATE)
    assert len(larger["nodes"]) > len(first["nodes"])
    height = page.evaluate("document.querySelector('.anira-explorer').offsetHeight")
    control("nodes").fill("3")
    assert page.evaluate(STATE) == first
    assert page.evaluate("document.querySelector('.anira-explorer').offsetHeight") == height

    control("graph").click()
    assert page.evaluate(STATE)["places"] != first["places"]
    control("previous").click()

    control("threshold").fill("0")
    shallow = page.evaluate(STATE)
    control("threshold").fill("8")
    deep = page.evaluate(STATE)
    assert shallow["places"] == deep["places"] == first["places"]
    assert sum(shallow["prompt"]) < sum(deep["prompt"])
    control("threshold").fill("4")

    page.locator(".ax-segments label", has_text="early").click()
    early = page.evaluate(STATE)
    assert early["places"] == first["places"]
    assert early["chart"] != first["chart"]
    assert tops() == fixed


def test_the_iterations_can_be_scrubbed_and_played(open_page):
    page = open_page(player(6, 1, "online", 0.5))
    whole = page.evaluate(STATE)
    tokens = len(whole["prompt"] + whole["answer"])
    page.locator("[data-control=iteration]").fill("1")
    assert page.evaluate(STATE)["filled"] == tokens
    page.locator("[data-control=iteration]").fill("6")
    assert page.evaluate(STATE)["halted"] == sum(depth < 6 for depth in whole["prompt"] + whole["answer"])
    page.locator("[data-control=play]").click()
    assert "Iteration 1 of 6" in page.evaluate(STATE)["story"]
    page.wait_for_function("document.querySelector('.ax-story').textContent.includes('Iteration 2 of 6')")
    page.wait_for_function("!document.querySelector('.ax-story').textContent.includes('Iteration')", timeout=10_000)
    assert page.evaluate(STATE) == whole


def test_pointing_and_the_keyboard_choose_the_token_whose_distribution_is_shown(open_page):
    page = open_page(player(6, 1, "online", 0.5))
    before = page.evaluate(STATE)["caption"]
    page.locator(".ax-prompt .ax-token").nth(3).hover()
    assert "token 4 of" in page.evaluate(STATE)["caption"]
    page.mouse.move(1, 1)
    assert page.evaluate(STATE)["caption"] == before

    page.evaluate("window.turned = 0; document.addEventListener('keydown', (event) => (window.turned += event.key.startsWith('Arrow')))")
    page.locator(".ax-tokens .ax-token").first.focus()
    page.keyboard.press("ArrowRight")
    answer = [token.text_content() for token in page.locator(".ax-tokens .ax-name").all()]
    assert f"about to emit {answer[1]}" in page.evaluate(STATE)["caption"]
    page.locator("[data-control=threshold]").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("window.turned") == 0, "arrow keys must not reach the page, which would turn to the next chapter"


def test_several_players_share_a_page_without_sharing_their_state(open_page):
    page = open_page(player(4, 1, "online", 0.5) + player(7, 3, "early", 0.9))
    assert page.locator(".anira-explorer").count() == 2
    page.locator(".ax-segments label", has_text="early").first.click()
    assert page.locator("[data-control=decider-early]").nth(1).is_checked()
    assert page.locator("[data-control=nodes]").nth(0).input_value() == "1"
    assert page.locator("[data-control=nodes]").nth(1).input_value() == "4"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_a_phone_works_by_touch_and_follows_the_theme(open_page, theme):
    page = open_page(player(8, 1, "online", 0.5), width=390, theme=theme, has_touch=True, color_scheme="light")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator(".ax-prompt .ax-token").nth(5).tap()
    assert "token 6 of" in page.evaluate(STATE)["caption"]
    red, *_ = page.evaluate("getComputedStyle(document.querySelector('.anira-explorer')).backgroundColor.match(/[0-9.]+/g).map(Number)")
    assert (red > 200) == (theme == "light")
