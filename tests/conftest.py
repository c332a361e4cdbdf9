"""Shared by all tests: one thread, for every process that they start too, and a headless browser, where this machine has one."""

import os
import shutil
from collections.abc import Iterator

import pytest

os.environ["OMP_NUM_THREADS"] = "1"  # read by torch when it is imported: what two processes compute alike is rounded by how many there are

BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """Headless Chromium, driven by Playwright; the test is skipped where either is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install -e .[test]")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"no Chromium on this machine, looked for {', '.join(BROWSERS)}")
    quiet = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=quiet)
        yield chromium
        chromium.close()
