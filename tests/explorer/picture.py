"""Take the README's picture of the explorer: python tests/explorer/picture.py"""

import shutil
import tempfile
from pathlib import Path

from anira.explorer.widget import explore

PICTURE = Path(__file__).parents[2] / "book/_static/explorer.png"


def main() -> None:
    """Open the player in Chromium and save what it shows at first, 1400 pixels wide."""
    from playwright.sync_api import sync_playwright  # here: pytest imports this file, with or without Playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        path = Path(folder) / "explorer.html"
        path.write_text(
            f'<!doctype html><html data-theme="light"><meta charset="utf-8"><body style="margin: 0">{explore(device="cpu").page()}', encoding="utf-8"
        )
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1000, "height": 700}, device_scale_factor=1.4)
        page.goto(path.as_uri())
        page.wait_for_selector(".ax-token")
        page.wait_for_timeout(500)  # transitions
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        page.locator(".anira-explorer").screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
