"""The built site is plain files: it works from disk, with the network off, in both themes and on a phone.

Needs `make book`, which runs these tests when the site is built.
"""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
import yaml

Axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe

ROOT = Path(__file__).parents[2]
SITE = ROOT / "_build/html"
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
PAGES = [TOC["root"], *(chapter["file"] for part in TOC["parts"] for chapter in part["chapters"])]

pytestmark = pytest.mark.skipif(not SITE.exists(), reason="there is no built site: make book")


class Loads(HTMLParser):
    """Collects what a page loads by itself: scripts, styles, pictures, frames; not the links a reader may follow."""

    def __init__(self):
        super().__init__()
        self.addresses = []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag in ("script", "img", "iframe", "source", "video", "audio", "embed"):
            self.addresses.append(attrs.get("src") or "")
        if tag == "link" and attrs.get("rel") not in ("canonical", "next", "prev", "search", "index"):
            self.addresses.append(attrs.get("href") or "")


def test_figures_stand_on_the_pages_as_specifications_that_the_theme_colours():
    pages = [path.stem for path in (SITE / "book").glob("*.html") if 'class="vega-chart"' in path.read_text(encoding="utf-8")]
    assert len(pages) >= 5


def test_no_page_loads_anything_from_another_host():
    for path in SITE.rglob("*.html"):
        loads = Loads()
        loads.feed(path.read_text(encoding="utf-8"))
        assert [address for address in loads.addresses if re.match(r"(https?:)?//", address)] == [], path


def test_no_page_has_more_elements_than_a_reader_waits_for():
    counted = {path.relative_to(SITE): len(re.findall(r"<[a-z]", path.read_text(encoding="utf-8"))) for path in SITE.rglob("*.html")}
    assert {path: number for path, number in counted.items() if number > MOST} == {}


def test_the_first_page_has_the_title_of_the_book_once():
    titles = {page: re.search("<title>(.*)</title>", (SITE / f"{page}.html").read_text(encoding="utf-8"))[1] for page in PAGES}
    assert titles[TOC["root"]] == "How long should a token think?"
    assert all(title.endswith(" &#8212; How long should a token think?") for page, title in titles.items() if page != TOC["root"])


def test_no_style_loads_anything_from_another_host():
    for path in SITE.rglob("*.css"):
        found = re.findall(r"(?:@import|url\()\s*['\"]?((?:https?:)?//[^'\")\s]+)", path.read_text(encoding="utf-8"))
        assert found == [], path


AXE = {"resultTypes": ["violations"], "preload": False}  # or it asks for the styles anew
CONTRAST = "color-contrast"  # the one rule that goes by colours, and all that another theme can break
LOOKS = {
    ("light", 1280): AXE,
    ("dark", 1280): {**AXE, "runOnly": [CONTRAST]},
    ("dark", 390): {**AXE, "rules": {CONTRAST: {"enabled": False}}},
}

# Nothing has changed between two looks: a chart may be drawn several times, and colours in transition have contrasts of their own.
# The theme lets the keyboard reach code that scrolls, a moment after the window has changed.
REACHABLE = "[...document.querySelectorAll('pre')].every((code) => code.scrollWidth <= code.clientWidth || code.tabIndex === 0)"
STILL = "() => { const before = window.seen; window.seen = document.body.innerHTML; return window.seen === before; }"
# Charts, with their controls, that are wider than the page, and texts of charts that leave their picture.
CUT = """() => [...document.querySelectorAll('.vega-chart')].flatMap((chart) => {
  if (chart.scrollWidth > chart.clientWidth) return [`a chart of ${chart.scrollWidth} pixels`];
  const picture = chart.querySelector('svg.marks').getBoundingClientRect();
  const out = [...chart.querySelectorAll('svg.marks text')].filter((text) => { const box = text.getBoundingClientRect(); return box.width && (box.right > picture.right + 1 || box.left < picture.left - 1); });
  return out.map((text) => text.textContent);
})"""
MOST = 6_500  # elements of a page as it is written; what has more is two pages
HEAVIEST = 1_500_000  # bytes of all that a page without formulas loads


@pytest.mark.browser
@pytest.mark.parametrize("page", PAGES)
def test_page_opens_from_disk_without_network_errors_warnings_overflow_or_what_axe_finds(browser, page):
    """In one tab, as a reader has it who changes the theme and then makes the window narrow."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light", offline=True)
    tab = context.new_page()
    requests, errors, overflows, cut, violations = [], [], {}, {}, {}
    tab.on("request", lambda request: requests.append(request.url))
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
    tab.goto((SITE / f"{page}.html").as_uri(), wait_until="load")
    charts = tab.locator(".vega-chart").count()
    formulas = tab.locator(".math").count()
    tab.wait_for_function(f"document.querySelectorAll('mjx-container').length >= {formulas}")
    weights = {file.name: file.stat().st_size for file in (Path(unquote(urlparse(url).path)) for url in requests if url.startswith("file:"))}
    for (theme, width), options in LOOKS.items():
        tab.emulate_media(color_scheme=theme)
        tab.set_viewport_size({"width": width, "height": 900})
        tab.wait_for_function(f"document.documentElement.dataset.theme === '{theme}'")
        tab.wait_for_function(f"document.querySelectorAll('.vega-chart svg.marks:not([data-before])').length >= {charts}")
        tab.wait_for_function(STILL, polling=250)
        tab.wait_for_function(REACHABLE)
        overflows[theme, width] = tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        cut[theme, width] = tab.evaluate(CUT)
        found = Axe().run(tab, options=options).response["violations"]
        violations[theme, width] = [(rule["id"], [node["html"][:150] for node in rule["nodes"][:3]]) for rule in found]
        tab.evaluate("document.querySelectorAll('.vega-chart svg.marks').forEach((drawn) => (drawn.dataset.before = true)); window.seen = null")
    context.close()
    assert errors == []
    assert formulas or sum(weights.values()) <= HEAVIEST, weights
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []
    assert [url for url in requests if url.endswith(".woff2") and "/api/" not in page] == []  # icons are drawn without their fonts; a note in the API needs one
    assert {look: pixels for look, pixels in overflows.items() if pixels > 0} == {}, "pixels wider than the window"
    assert {look: charts for look, charts in cut.items() if charts} == {}
    assert {look: found for look, found in violations.items() if found} == {}


@pytest.mark.browser
@pytest.mark.slow  # each choice of each menu, each end of each slider
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("page", PAGES)
def test_no_text_of_a_chart_leaves_its_picture_whatever_its_controls_say(browser, page, width):
    tab = browser.new_page(viewport={"width": width, "height": 900})
    tab.goto((SITE / f"{page}.html").as_uri(), wait_until="load")
    charts = tab.locator(".vega-chart").count()
    tab.wait_for_function(f"document.querySelectorAll('.vega-chart svg.marks').length >= {charts}")
    tab.wait_for_function(STILL, polling=250)
    moves = [
        *(("select", menu, k) for menu in tab.query_selector_all(".vega-bindings select") for k in range(menu.evaluate("(menu) => menu.options.length"))),
        *(("radio", one, "") for one in tab.query_selector_all(".vega-bindings input[type=radio]")),
        *(("range", slider, end) for slider in tab.query_selector_all(".vega-bindings input[type=range]") for end in ("min", "max")),
    ]
    cut = []
    for kind, control, to in moves:
        if kind == "select":
            control.select_option(index=to)
        elif kind == "radio":
            control.click()
        else:
            control.evaluate("(slider, end) => { slider.value = slider[end]; slider.dispatchEvent(new Event('input')); }", to)
        tab.wait_for_timeout(150)
        cut += [(kind, to, text) for text in tab.evaluate(CUT)]
    tab.close()
    assert cut == []


@pytest.mark.browser
def test_a_link_to_a_folded_row_unfolds_it(browser):
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.goto((SITE / "book/02-findings.html").as_uri(), wait_until="load")
    row = tab.locator("tr#online-content")
    assert not row.is_visible()
    tab.evaluate("history.replaceState(null, '', '#online-content'); dispatchEvent(new HashChangeEvent('hashchange'))")  # no browser unfolds by itself for this
    assert row.is_visible()
    assert tab.locator("#tab-claims > * details[open]").count() == 1
    tab.close()


@pytest.mark.browser
def test_what_is_asked_for_on_a_chapter_is_searched_on_the_page_of_results(browser):
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.goto((SITE / "book/02-findings.html").as_uri(), wait_until="load")
    tab.locator(".search-button__button").locator("visible=true").first.click()
    tab.locator("#pst-search-dialog input[name=q]").fill("distractors")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/search.html?q=distractors*")
    tab.locator("#search-results li a").first.wait_for()
    tab.close()


@pytest.mark.browser
def test_a_search_from_disk_finds_chapters_before_the_library_and_without_errors(browser):
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    errors = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
    tab.goto(f"{(SITE / 'search.html').as_uri()}?q=frontier", wait_until="load")
    tab.wait_for_function("/finished/.test(document.querySelector('.search-summary')?.textContent)")
    api = ["/api/" in link.get_attribute("href") for link in tab.locator("#search-results li > a").all()]
    assert api == sorted(api) and {*api} == {True, False}  # False is less
    assert errors == []
    tab.close()
