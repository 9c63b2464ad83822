"""What the server process does before its first request, and how it is made to end."""

import ast
import asyncio
import gc
import importlib
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import streamlit as st
from streamlit import config

from pages.shared import launcher, safe_logs
from pages.shared.guard import content_security_policy
from pages.shared.navigation import MENU, PAGES

EXIT_S = 4.0
DEVICES_AFTER_S = 10.0
"""Looking for devices takes 3 s of a processor, which the first map would miss."""

REQUIRED = {
    "server.enableXsrfProtection": True,
    "server.enableCORS": True,
    "server.enableStaticServing": False,
    "server.enableAgentApi": False,
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "type",
}
"""Settings the guard relies on; another config file or a variable may have changed them."""

at_rest = threading.Event()
"""Set while no page is computed; then what other pages import is imported in the background."""


def guard_settings() -> dict[str, Any]:
    """Return the guard's settings: upload limit as configured, policy for the installed page."""
    index = Path(st.__file__).parent / "static" / "index.html"
    megabytes = int(config.get_option("server.maxUploadSize"))
    return {
        "upload_bytes": megabytes << 20,
        "policy": content_security_policy(index.read_text(encoding="utf-8")),
    }


def changed_settings() -> list[str]:
    """Return the settings that are not as shipped and would open the app to others."""
    found = {name: config.get_option(name) for name in REQUIRED}
    changed = [f"{name} = {found[name]}" for name in REQUIRED if found[name] != REQUIRED[name]]
    address = config.get_option("server.address")
    if address not in ("127.0.0.1", "localhost", "::1"):
        changed.insert(0, f"server.address = {address}")
    return changed


def lifespan_with(token: str) -> Callable[[st.App], AbstractAsyncContextManager[None]]:
    """Return the start and end of the server around its requests.

    Args:
        token: The launch token; printed once where no launcher has done it.
    """

    @asynccontextmanager
    async def lifespan(_app: st.App) -> AsyncIterator[None]:
        changed = changed_settings()
        if changed:
            raise SystemExit(
                "darkgnn does not start: these settings would open it to others: "
                + "; ".join(changed)
                + ". Look for another .streamlit/config.toml or STREAMLIT_ variables."
            )
        safe_logs.configure()
        _end_in_time()
        threading.Thread(target=_warm_up, daemon=True).start()
        watcher = asyncio.create_task(_end_with_launcher())
        yield
        watcher.cancel()

    def _announce() -> None:
        if launcher.PARENT_VARIABLE not in os.environ:
            port = int(config.get_option("server.port"))
            address = launcher.launch_address(token, port)
            sys.stderr.write(f"\ndarkgnn is ready: {address}\n\n")
            sys.stderr.flush()

    @asynccontextmanager
    async def announced(app: st.App) -> AsyncIterator[None]:
        async with lifespan(app):
            _announce()
            yield

    return announced


def _warm_up() -> None:
    """Import what the first page needs while the browser fetches its scripts, later all the rest.

    The rest is imported one by one while no page is computed, so that none waits for it. What has
    been imported stays for good: Python's collector, which Streamlit calls after every run of a
    page, need not go through it again (0.13 s each time, measured). Some seconds later, when the
    first pages have been drawn, a child process looks for the devices that training may use.
    """
    for name in ("pandas", "altair", "duckdb"):
        importlib.import_module(name)
    for name in modules_of_pages():
        at_rest.wait()
        importlib.import_module(name)
    at_rest.wait()
    gc.collect()
    gc.freeze()
    time.sleep(DEVICES_AFTER_S)
    at_rest.wait()
    importlib.import_module("darkgnn_core.devices").devices()


def modules_of_pages() -> list[str]:
    """Return the names of what the scripts of all pages import from."""
    trees = (ast.parse((PAGES / file).read_text(encoding="utf-8")) for file, _, _ in MENU)
    names = {
        f"{node.module}.{alias.name}" if node.module == "pages.shared" else node.module
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    return sorted(names)


def _end_in_time() -> None:
    """Make SIGINT and SIGTERM final: a client that never closes must not hold the server up."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        before = signal.getsignal(number)

        def handle(received: int, frame: FrameType | None, before: Any = before) -> None:
            timer = threading.Timer(EXIT_S, os._exit, (128 + received,))
            timer.daemon = True
            timer.start()
            if callable(before):
                before(received, frame)

        signal.signal(number, handle)


async def _end_with_launcher() -> None:
    """Stop the server when the launcher that started it is gone."""
    parent = int(os.environ.get(launcher.PARENT_VARIABLE, "0"))
    while parent and os.name != "nt":
        await asyncio.sleep(1.0)
        if os.getppid() != parent:
            signal.raise_signal(signal.SIGTERM)
            return
