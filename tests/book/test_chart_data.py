"""A chart of the built site can be read without being seen: its rows as a table, and a description that follows its menus.

Needs `make book`, which runs these tests when the site is built.
"""

import csv
import html
import json
import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

import pytest

from tests.book.test_site import ROOT, SITE

pytestmark = pytest.mark.skipif(not SITE.exists(), reason="there is no built site: make book")
CHART = re.compile(r'<div class="vega-chart"><script type="application/json">(.*?)</script>', re.DOTALL)
KINDS = ("early", "online", "fixed", "untied")
FAMILIES = 6  # the place on its page of the chart that draws stored rows as they are, with a slider


def tooltips(spec) -> Iterator[list[dict]]:
    if isinstance(spec, list):
        for part in spec:
            yield from tooltips(part)
    elif isinstance(spec, dict):
        if "tooltip" in spec.get("encoding", {}):
            told = spec["encoding"]["tooltip"]
            yield told if isinstance(told, list) else [told]
        for name, part in spec.items():
            if name != "datasets":
                yield from tooltips(part)


def test_every_chart_tells_its_rows_in_words():
    charts = [(path.stem, json.loads(text)) for path in SITE.glob("book/*.html") for text in CHART.findall(path.read_text(encoding="utf-8"))]
    assert len(charts) > 40
    for page, spec in charts:
        told = list(tooltips(spec))
        assert told, f"{page}: no table can be made of the chart that says {html.unescape(spec['description'])!r}"
        for entries in told:
            titles = [entry["title"] for entry in entries]
            assert len(set(titles)) == len(titles) and not [title for title in titles if "_" in title], f"{page}: {titles}"


def stored(size: str) -> list[tuple[str, ...]]:
    """Decider, seed, size and exact match of the rows that the chart draws at a size, read without the library; halves are rounded up, as browsers do."""
    with (ROOT / "anira/results/generalization/brevo-tiny.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["max_depth"] == "6" and row["size"] == size and row["decider"] in KINDS]
    return sorted(
        (row["decider"], row["run_seed"], row["size"], str(Decimal(float(row["exact_match"])).quantize(Decimal("0.01"), ROUND_HALF_UP))) for row in rows
    )


def drawn(table) -> list[tuple[str, ...]]:
    names = table.locator("th").all_text_contents()
    columns = [names.index(name) for name in ("decider", "training seed", "size", "exact match")]
    cells = table.evaluate("table => [...table.tBodies[0].rows].map(row => [...row.cells].map(cell => cell.textContent))")
    return sorted(tuple(row[column] for column in columns) for row in cells)


@pytest.mark.browser
def test_the_table_of_a_chart_holds_what_is_stored_and_follows_the_slider_as_the_description_does(browser):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe
    context = browser.new_context(viewport={"width": 390, "height": 900}, color_scheme="dark", offline=True)
    tab = context.new_page()
    tab.goto((SITE / "book/07-generalization.html").as_uri())
    place, chart = tab.locator(".chart-data").nth(FAMILIES), tab.locator(".vega-embed").nth(FAMILIES)
    chart.locator("svg.marks").wait_for()
    assert place.locator("table").count() == 0  # nothing before it is asked for
    place.locator("summary").focus()
    tab.keyboard.press("Enter")
    table = place.locator("table").first
    assert drawn(table) == stored("8")
    assert chart.get_attribute("aria-label").endswith("Now set: nodes: 8.") and table.locator("caption").text_content().endswith("Now set: nodes: 8.")
    chart.locator("input[type=range]").fill("12")
    tab.wait_for_function(
        "([place, size]) => document.querySelectorAll('.chart-data')[place].querySelector('td:nth-child(4)').textContent === size", arg=[FAMILIES, "12"]
    )
    assert drawn(table) == stored("12")
    assert chart.get_attribute("aria-label").endswith("Now set: nodes: 12.") and table.locator("caption").text_content().endswith("Now set: nodes: 12.")
    tab.evaluate("document.documentElement.dataset.theme = 'light'")  # drawn anew
    tab.wait_for_function("place => document.querySelectorAll('.vega-embed')[place].getAttribute('aria-label')?.endsWith('nodes: 12.')", arg=FAMILIES)
    assert drawn(place.locator("table").first) == stored("12")
    violations = axe().run(tab, options={"preload": False}).response["violations"]
    tab.locator(".chart-data summary").nth(FAMILIES).click()
    assert place.locator("table").count() == 0
    context.close()
    assert [(rule["id"], [node["html"][:150] for node in rule["nodes"][:3]]) for rule in violations] == []
