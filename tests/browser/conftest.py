"""A real Chromium and a real server: started, waited for, and stopped by process id."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from app_server import CHROMIUM_ARGUMENTS, Beacon, Server, find_chromium, settle
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run the app over an empty workspace."""
    running = Server(tmp_path_factory.mktemp("server"))
    try:
        yield running.wait_until_ready()
    finally:
        running.stop()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start further servers, each ended with the test."""
    running: list[Server] = []

    def go(**arguments: object) -> Server:
        folder = tmp_path / f"server{len(running)}"
        folder.mkdir()
        running.append(Server(folder, **arguments))  # type: ignore[arg-type]
        return running[-1]

    yield go
    for each in running:
        each.stop(signal.SIGKILL)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run a Chromium with a fresh profile; skip where there is none, unless one is required."""
    path = find_chromium()
    if path is None:
        message = "no Chromium is installed: the proofs in a real browser did not run"
        if os.environ.get("DARKGNN_REQUIRE_BROWSER") == "1":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile of its own."""
    fresh = browser.new_context(viewport={"width": 1280, "height": 900})
    fresh.set_default_timeout(30_000)
    yield fresh
    fresh.close()


@pytest.fixture
def page(context: BrowserContext, server: Server) -> Page:
    """A page that is logged in and has drawn the home page."""
    opened = context.new_page()
    opened.goto(server.login_url)
    settle(opened)
    return opened


@pytest.fixture
def beacon() -> Iterator[Beacon]:
    """Run another web server of this machine, as an attacker would."""
    with Beacon() as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()
