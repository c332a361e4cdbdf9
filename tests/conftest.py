"""Shared by all tests: one thread, for every process that they start too; a headless browser, where this machine has one; what comes from outside."""

import importlib
import os
import shutil
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

os.environ["OMP_NUM_THREADS"] = "1"  # read by torch when it is imported: what two processes compute alike is rounded by how many there are

collect_ignore = ["outside.py"]  # to look for examples in it would register what it holds
LONGEST = ["tests/training/test_training.py", "tests/test_open.py", "tests/training/test_processes.py"]
BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest modules come first, so that of several processes none is left alone with one."""
    items.sort(key=lambda item: not item.nodeid.startswith(tuple(LONGEST)))


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


@pytest.fixture(scope="module")
def registries() -> Iterator[None]:
    """Whatever a module of tests registers, tasks and deciders, is forgotten when it is done."""
    from anira.model.deciders import DECIDERS
    from anira.tasks import TASKS

    before = [(registry, dict(registry)) for registry in (TASKS, DECIDERS)]
    yield
    for registry, known in before:
        registry.clear()
        registry.update(known)


@pytest.fixture(scope="module")
def outside(registries) -> Iterator[ModuleType]:
    """`tests.outside`, registered in this process for as long as the module of tests takes."""
    sys.modules.pop("tests.outside", None)
    yield importlib.import_module("tests.outside")
    del sys.modules["tests.outside"]
