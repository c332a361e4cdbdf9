"""Take the README's picture of the explorer: python tests/explorer/picture.py"""

import shutil
import sys
import tempfile
from pathlib import Path

from anira.explorer.player import player

PICTURE = Path(__file__).parents[2] / "book/_static/explorer.png"


def main(nodes: int = 7, graph: int = 1, decider: str = "online", threshold: float = 0.5) -> None:
    """Open the recorded player in Chromium and save what it shows, 1400 pixels wide."""
    from playwright.sync_api import sync_playwright  # here: pytest imports this file, with or without Playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        path = Path(folder) / "explorer.html"
        path.write_text(
            f'<!doctype html><html data-theme="light"><meta charset="utf-8"><body style="margin: 0">{player(nodes, graph, decider, threshold)}',
            encoding="utf-8",
        )
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 860, "height": 700}, device_scale_factor=1400 / 860)
        page.goto(path.as_uri())
        page.wait_for_selector(".ax-token")
        page.wait_for_timeout(500)  # transitions
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        page.locator(".anira-explorer").screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main(*(kind(text) for kind, text in zip((int, int, str, float), sys.argv[1:], strict=False)))
