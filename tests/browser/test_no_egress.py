"""Nothing leaves the machine: the server and its children, and the browser."""

import re
import shutil
import subprocess
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from app_server import Server, settle
from app_workspaces import DAYS, write_trace
from playwright.sync_api import BrowserContext, Page, expect

from darkgnn_core.workspace import Workspace
from tests.made_runs import no_processes  # noqa: F401 - a fixture
from tests.map_workspaces import embedded_run, hosts_on

pytestmark = pytest.mark.browser

HOOK = """
import os, sys
def note(event, args):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = args[-1]
        if isinstance(address, tuple) and not str(address[0]).startswith(("127.", "::1")):
            write(f"{event} {address}")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        if args[0] not in (None, "127.0.0.1", "localhost", "::1", b"127.0.0.1", b"localhost"):
            write(f"{event} {args[0]}")
def write(text):
    with open(os.environ["EGRESS_NOTES"], "a") as file:
        file.write(text + chr(10))
with open(os.environ["EGRESS_NOTES"] + ".hooked", "a") as file:
    file.write(" ".join(sys.argv[:1]) + chr(10))
sys.addaudithook(note)
"""
PAGES = ("Sources", "Train models", "Browse embeddings", "Review metrics", "Labels", "Cases")
DEEP = {
    "browse-embeddings": ".map",
    "inspect-host?host=HOST": "[data-testid=stDataFrame]",
    "explore-graph?graph_start=Typed&graph_typed=HOST": ".graph",
}
TRACED = re.compile(r"sa_family=AF_INET6?.*?(?:inet_addr\(\"|inet_pton\(AF_INET6, \")([^\"]+)")


def visit_everything(server: Server, context: BrowserContext, folder: Path) -> list[str]:
    """Load a trace, open all pages, a host and a graph; return what the browser asked of others."""
    page: Page = context.new_page()
    elsewhere: list[str] = []
    ours = (server.url, f"ws://{server.host}", "data:", "blob:")
    page.on("request", lambda r: None if r.url.startswith(ours) else elsewhere.append(r.url))
    page.on("websocket", lambda w: None if w.url.startswith(ours) else elsewhere.append(w.url))
    page.goto(server.login_url)
    settle(page)
    page.goto(f"{server.url}/load-data")
    settle(page)
    box = page.get_by_role("textbox", name="File or folder")
    box.fill(str(write_trace(folder / "trace.csv")))
    box.press("Enter")
    page.get_by_role("button", name="Start loading").click()
    page.get_by_role("link", name="Go to Today").click()
    page.locator("[data-testid=stVegaLiteChart] .marks").first.wait_for()
    page.get_by_text("Busiest hosts of the day").wait_for()
    workspace = Workspace(server.workspace)
    embedded_run(workspace)
    for name in PAGES:
        page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
        expect(page.locator("h1")).to_have_text(name)
        settle(page)
    host = IPv4Address(int(hosts_on(workspace, DAYS[-1])[0]))
    for path, shown in DEEP.items():
        page.goto(f"{server.url}/{path}".replace("HOST", str(host)))
        expect(page.locator(shown).first).to_be_visible()
        settle(page)
    return elsewhere


@pytest.mark.usefixtures("no_processes")
def test_s7_no_process_of_ours_looks_outside(
    start: Callable[..., Server], context: BrowserContext, tmp_path: Path
) -> None:
    """Every Python process notes its connects and name look-ups: none beyond the loopback."""
    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(HOOK)
    notes = tmp_path / "notes.txt"
    variables = {"PYTHONPATH": str(hook), "EGRESS_NOTES": str(notes)}
    server = start(environment=variables).wait_until_ready()
    context.set_default_timeout(60_000)
    assert visit_everything(server, context, tmp_path) == []
    hooked = (tmp_path / "notes.txt.hooked").read_text().splitlines()
    assert len(hooked) >= 4, "launcher, server, worker and reader are all watched"
    assert not notes.exists(), notes.read_text()


@pytest.mark.usefixtures("no_processes")
def test_s7_no_system_call_looks_outside(
    start: Callable[..., Server], context: BrowserContext, tmp_path: Path
) -> None:
    """The same under strace, which also sees libraries that are not Python."""
    if shutil.which("strace") is None or not can_trace(tmp_path):
        pytest.skip("strace is not installed or may not trace here")
    trace = tmp_path / "trace.txt"
    command = f"strace -f --seccomp-bpf -e trace=connect,sendto,sendmsg -o {trace} {Server.COMMAND}"
    server = start(command=command).wait_until_ready()
    context.set_default_timeout(120_000)
    assert visit_everything(server, context, tmp_path) == []
    server.stop()
    calls = trace.read_text(errors="replace")
    assert "127.0.0.1" in calls, "it did trace"
    outside = {a for a in TRACED.findall(calls) if not a.startswith("127.") and a != "::1"}
    assert outside == set()


def can_trace(folder: Path) -> bool:
    """Say whether this account may trace its own processes."""
    command = ["strace", "-f", "--seccomp-bpf", "-o", str(folder / "try.txt"), "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
