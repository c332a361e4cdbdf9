"""The explorer's modules, run by Node or, where there is none, by headless Chromium."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import anira

FOLDER = Path(anira.__file__).parent / "explorer"
ADDRESS = "http://page.test"
RUN = """
import { readFileSync } from "node:fs";
const run = %s;
const answer = await run(await import(%s), JSON.parse(readFileSync(0)));
process.stdout.write(JSON.stringify(answer));
"""


def serve_modules(page) -> None:
    """Let a page of Playwright import the explorer's modules from `ADDRESS`; no request leaves."""

    def answer(route):
        name = route.request.url.removeprefix(f"{ADDRESS}/")
        if name.endswith(".mjs"):
            route.fulfill(path=FOLDER / name, content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html>", content_type="text/html")

    page.route(f"{ADDRESS}/**", answer)
    page.goto(f"{ADDRESS}/")


@pytest.fixture(scope="session")
def javascript(request) -> Callable[[str, str, object], object]:
    """`javascript(name, code, data)`: what the function `code` of (module, data) returns for the explorer's module of that name."""
    node = shutil.which("node")
    if node is None:
        page = request.getfixturevalue("browser").new_page()
        serve_modules(page)
        return lambda name, code, data: page.evaluate(f"async (data) => ({code})(await import('/{name}.mjs'), data)", data)

    def run(name, code, data):
        script = RUN % (code, json.dumps((FOLDER / f"{name}.mjs").as_uri()))
        done = subprocess.run([node, "--input-type=module", "-e", script], input=json.dumps(data), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)

    return run
