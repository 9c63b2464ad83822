"""`python app.py`: token, child process, browser, and an end within five seconds.

Knows nothing of Streamlit but its command line.
"""

import argparse
import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import webbrowser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

APP = Path(__file__).resolve().parents[2] / "app.py"
ADDRESS = "127.0.0.1"
PORT = 8640
TOKEN_VARIABLE = "DARKGNN_TOKEN"  # noqa: S105  # a name, not a secret
PARENT_VARIABLE = "DARKGNN_LAUNCHER_PID"
WORKSPACE_VARIABLE = "DARKGNN_WORKSPACE"
MIN_TOKEN_LENGTH = 32
STOP_S = 4.0
START_S = 60.0

LAUNCH_PAGE = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={}">'


def harden_process() -> None:
    """Make new files private, forbid core dumps, and keep PyTorch's unsafe switch off."""
    os.umask(0o077)
    os.environ.pop("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", None)
    with contextlib.suppress(ImportError):  # Windows has no such module
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def take_token() -> str:
    """Return the launch token from the environment, or a new one; children do not inherit it."""
    given = os.environ.pop(TOKEN_VARIABLE, "")
    return given if len(given) >= MIN_TOKEN_LENGTH else secrets.token_urlsafe(32)


def launch_address(token: str, port: int) -> str:
    """Return the address that logs a browser in."""
    return f"http://{ADDRESS}:{port}/?token={token}"


def main(token: str, arguments: Sequence[str] | None = None) -> int:
    """Run the app until it ends or Ctrl-C; return the exit status."""
    options = _parser().parse_args(arguments)
    if not is_free(options.port):
        _say(
            f"Port {options.port} is taken. Perhaps darkgnn runs already: look for its window or "
            f"terminal. To start a second one: python app.py --port {options.port + 1}",
            sys.stderr,
        )
        return 1
    child = subprocess.Popen(  # noqa: S603  # our own interpreter and file
        _command(options.port), env=_environment(token, options.workspace), start_new_session=True
    )
    with _stopped_by_signals(), tempfile.TemporaryDirectory(prefix="darkgnn-") as folder:
        try:
            if wait_until_up(options.port, child):
                _invite(token, options, Path(folder))
            return child.wait()
        except KeyboardInterrupt:
            _say("Stopping darkgnn.", sys.stdout)
            return stop(child)
        finally:
            stop(child)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python app.py", description="Start darkgnn on this computer and open the browser."
    )
    parser.add_argument(
        "--workspace", type=Path, metavar="FOLDER", help="folder of the workspace to open"
    )
    parser.add_argument("--port", type=int, default=PORT, help=f"port to listen on (now {PORT})")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    return parser


def _say(text: str, stream: TextIO) -> None:
    stream.write(f"{text}\n")
    stream.flush()


def is_free(port: int) -> bool:
    """Whether nothing listens on the port of the loopback address."""
    with socket.socket() as probe:
        if os.name != "nt":  # as the server does: a port in TIME_WAIT counts as free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except (OSError, OverflowError):
            return False
    return True


def _command(port: int) -> list[str]:
    settings = [f"--server.address={ADDRESS}", f"--server.port={port}", "--server.headless=true"]
    return [sys.executable, "-m", "streamlit", "run", str(APP), *settings]


def _environment(token: str, workspace: Path | None) -> dict[str, str]:
    """Return the child's environment: no Streamlit settings of other projects."""
    kept = {name: v for name, v in os.environ.items() if not name.startswith("STREAMLIT_")}
    if workspace is not None:
        kept[WORKSPACE_VARIABLE] = str(workspace.expanduser().resolve())
    return kept | {TOKEN_VARIABLE: token, PARENT_VARIABLE: str(os.getpid())}


def wait_until_up(port: int, child: subprocess.Popen[bytes]) -> bool:
    """Wait until the server takes connections; say False if it ends before, or takes too long."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and child.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((ADDRESS, port), timeout=1):
            return True
        time.sleep(0.05)
    return False


def _invite(token: str, options: argparse.Namespace, folder: Path) -> None:
    address = launch_address(token, options.port)
    opening = "" if options.no_browser else "\nIt opens in your browser by itself."
    _say(f"\ndarkgnn is ready: {address}{opening}\nCtrl-C stops it.\n", sys.stdout)
    if not options.no_browser:
        threading.Thread(target=_open_browser, args=(address, folder), daemon=True).start()


def _open_browser(address: str, folder: Path) -> None:
    """Open the address through a private file: a command line would show others the token."""
    page = folder / "launch.html"
    page.touch(mode=0o600)
    page.write_text(LAUNCH_PAGE.format(address), encoding="utf-8")
    with contextlib.suppress(webbrowser.Error):
        webbrowser.open(page.as_uri())


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Treat SIGTERM and a closed terminal like Ctrl-C for the block."""
    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), _interrupt) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def stop(child: subprocess.Popen[bytes]) -> int:
    """End the child: ask, wait, then kill; a stuck handshake can hold a server up for long.

    Returns:
        0 if it had to be stopped, else the status it ended with by itself.
    """
    if child.poll() is not None:
        return child.returncode
    child.terminate()
    try:
        child.wait(STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    return 0
