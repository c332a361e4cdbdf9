"""Pages with an explorer, opened from disk with the network off; and what stands on them."""

from itertools import pairwise

import pytest

from anira.explorer.player import weights_out
from anira.explorer.widget import explore

STATE = """() => {
  const root = document.querySelector('.anira-explorer');
  const all = (selector, read, within = root) => [...within.querySelectorAll(selector)].map(read);
  return {
    story: root.querySelector('.ax-story').textContent,
    status: root.querySelector('.ax-status').textContent,
    said: all('.ax-said-line', (p) => p.textContent).join(''),
    panels: all('.ax-panel', (panel) => ({
      nodes: all('.ax-node', (n) => n.dataset.node, panel),
      places: all('.ax-node', (n) => n.getAttribute('transform'), panel),
      prompt: all('.ax-prompt .ax-token', (t) => Number(t.dataset.depth), panel),
      asked: all('.ax-prompt .ax-name', (t) => t.textContent, panel),
      answer: all('.ax-tokens .ax-name', (t) => t.textContent, panel),
      depths: all('.ax-tokens .ax-token', (t) => Number(t.dataset.depth), panel),
      filled: all('.ax-cells i.ax-on', () => 1, panel).length,
      halted: all('.ax-token.ax-halted', () => 1, panel).length,
      chart: panel.querySelector('.ax-why svg').getAttribute('aria-label'),
      why: panel.querySelector('.ax-why .ax-heading').textContent,
      facts: panel.querySelector('.ax-facts').textContent,
    })),
  };
}"""


def settled(page) -> dict:
    """The state of the first explorer once it waits for nothing."""
    page.wait_for_function("() => { const root = document.querySelector('.anira-explorer'); return !root.dataset.busy && !root.dataset.state; }")
    return page.evaluate(STATE)


def control(page, name: str, panel: int = 0):
    """The control of this name, of the given panel where each has one."""
    return page.locator(f"[data-control='{name}']").nth(panel)


def page_of(folder, *args, **choice) -> str:
    """The explorer's page, its models in a folder beside it as on a built site."""
    html, scripts = weights_out(explore(*args, device="cpu", **choice).page(), f"{folder.as_uri()}/")
    for name, text in scripts.items():
        (folder / f"{name}.js").write_text(text, encoding="utf-8")
    return html


@pytest.fixture(scope="session")
def brevo(tmp_path_factory) -> str:
    """The page of a graph of six nodes, both models side by side."""
    return page_of(tmp_path_factory.mktemp("brevo"), nodes=6, graph=2)


@pytest.fixture(scope="session")
def mano(tmp_path_factory) -> str:
    """The page of an expression, both models side by side."""
    return page_of(tmp_path_factory.mktemp("mano"), "mano")


@pytest.fixture(scope="session")
def depo(tmp_path_factory) -> str:
    """The page of a problem that is not drawn, both models side by side."""
    return page_of(tmp_path_factory.mktemp("depo"), "depo")


@pytest.fixture
def open_page(browser, tmp_path):
    """Write the body to a file and open it offline; whatever goes wrong on the page fails the test."""
    contexts, problems = [], []

    def open_it(body, width=900, theme="light", fragment="", wait=True, **options):
        path = tmp_path / f"page{len(contexts)}.html"
        path.write_text(
            f'<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><title>Explorer</title>'
            f'<meta name="viewport" content="width=device-width"></head><body style="margin: 0; {"background: #fff" if theme == "light" else "background: #121212; color: #eee"}">'
            f"<main><h1>Page</h1>{body}</main></body></html>",
            encoding="utf-8",
        )
        context = browser.new_context(viewport={"width": width, "height": 900}, offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(error.stack or str(error)))
        page.on("request", lambda request: problems.append(request.url) if not request.url.startswith(("file:", "blob:")) else None)
        page.goto(path.as_uri() + fragment)
        if wait:
            page.wait_for_selector(".ax-token")
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert problems == []


def tasks_of_moves(events) -> list[list[float]]:
    """For each move, marked in the trace, the processor time in milliseconds of every task that the page's thread ran until the next."""
    moves = [event for event in events if event["name"] == "move" and "blink.user_timing" in event["cat"]]
    thread = {(event["pid"], event["tid"]) for event in moves}
    tasks = [event for event in events if event["name"].endswith("RunTask") and (event["pid"], event["tid"]) in thread and "tdur" in event]
    starts = [move["ts"] for move in moves] + [float("inf")]
    return [[task["tdur"] / 1000 for task in tasks if start <= task["ts"] < end] for start, end in pairwise(starts)]
