"""The app as a user starts it, and the Chromium that visits it."""

import http.client
import http.server
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT_S = 60.0


def wait_for(is_true: Callable[[], bool], what: str, *, seconds: float = WAIT_S) -> None:
    """Poll until something holds, or fail saying what did not."""
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.05)


def free_port() -> int:
    """Return a port of the loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """The app as a user starts it, with its output in a file.

    Args:
        folder: Where its workspace, home and log go.
        command: How it is started, `{port}` and `{workspace}` filled in.
        environment: More variables.
        cwd: Where it is started from.
    """

    COMMAND = "{python} {root}/app.py --port {port} --workspace {workspace} --no-browser"

    def __init__(
        self,
        folder: Path,
        command: str = COMMAND,
        environment: dict[str, str] | None = None,
        cwd: Path = ROOT,
    ) -> None:
        self.port = free_port()
        self.workspace = folder / "workspace"
        self.log_path = folder / "server.log"
        self.home = folder / "home"
        self.home.mkdir(exist_ok=True)
        words = command.format(
            python=sys.executable, root=ROOT, port=self.port, workspace=self.workspace
        ).split()
        inherited = {
            n: v for n, v in os.environ.items() if not n.startswith(("DARKGNN_", "PYTEST"))
        }
        variables = {
            "HOME": str(self.home),
            "DARKGNN_WORKSPACE": str(self.workspace),
            "PYTHONUNBUFFERED": "1",
        }
        self.started = time.monotonic()
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                words,
                cwd=cwd,
                env=inherited | variables | (environment or {}),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        """What it has printed so far."""
        return self.log_path.read_text(errors="replace")

    @property
    def host(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Its address without the token."""
        return f"http://{self.host}"

    @property
    def login_url(self) -> str:
        """The address it printed, with the token."""
        found = re.search(r"http://\S+\?token=\S+", self.log)
        assert found, self.log
        return found.group()

    @property
    def token(self) -> str:
        """The launch token."""
        return self.login_url.partition("token=")[2]

    @property
    def cookie(self) -> str:
        """The Cookie header of a browser that is known."""
        return f"darkgnn-{self.port}={self.token}"

    def wait_until_ready(self) -> "Server":
        """Wait until it has printed its address and answers."""
        wait_for(
            lambda: "token=" in self.log or self.process.poll() is not None,
            "the server prints its address",
        )
        assert self.process.poll() is None, self.log
        wait_for(self._answers, "the server answers")
        return self

    def _answers(self) -> bool:
        try:
            return self.ask("GET", "/_stcore/health", cookie=True)[0] == 200
        except OSError:
            return False

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        cookie: bool = False,
        body: bytes | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        """Send one request; return status, headers by lower-case name, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            sent = ({"Cookie": self.cookie} if cookie else {}) | (headers or {})
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, named, answer.read()
        finally:
            connection.close()

    def handshake(self, lines: list[str], *, path: str = "/_stcore/stream") -> str:
        """Send a raw WebSocket handshake with these header lines; return the status line."""
        with self.open_handshake(lines, path=path) as client:
            return client.recv(4096).split(b"\r\n")[0].decode("latin-1")

    def open_handshake(self, lines: list[str], *, path: str = "/_stcore/stream") -> socket.socket:
        """Send a raw WebSocket handshake; return the open connection."""
        client = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        fixed = [
            f"GET {path} HTTP/1.1",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
        ]
        client.sendall("\r\n".join([*fixed, *lines, "", ""]).encode("latin-1"))
        return client

    def stop(self, number: int = signal.SIGINT) -> float:
        """Send a signal to the first process; return how long it took to end."""
        before = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        return time.monotonic() - before


class Beacon(http.server.ThreadingHTTPServer):
    """Another web server of this machine; notes what it is asked for and serves one page."""

    page = b""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), BeaconHandler)
        self.hits: list[str] = []

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class BeaconHandler(http.server.BaseHTTPRequestHandler):
    """Answers everything with the page."""

    server: Beacon

    def do_GET(self) -> None:
        """Note the path and send the page."""
        self.server.hits.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.server.page)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def find_chromium() -> str | None:
    """Return the path of an installed Chromium, or None."""
    named = os.environ.get("DARKGNN_CHROMIUM")
    return named or next((found for name in NAMES if (found := shutil.which(name))), None)


def settle(page: Page) -> None:
    """Wait until a page's script has run to its end."""
    page.get_by_test_id("stAppViewContainer").wait_for()
    page.wait_for_selector("h1")
    page.wait_for_function(
        "() => !document.querySelector('[data-testid=\"stStatusWidget\"]')"
        " && document.querySelector('.stApp')?.dataset.testScriptState !== 'running'"
    )
