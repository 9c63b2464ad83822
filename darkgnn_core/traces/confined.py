"""A confined process for files of strangers: started when needed, given one task after another.

A task is one file (or folder). Small files share a process, because starting one takes longer than
reading them. The file in hand when one dies, falls silent or passes a limit is given to a process
of its own; if that one does so, too, the file is refused, and the next one gets a new process.
"""

import errno
import json
import logging
import os
import queue
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from darkgnn_core.errors import DarkgnnError, TraceError, visible

SILENCE_S = 120.0
LONG_SILENCE_S = 1_200.0
"""For tasks that say nothing before their end; their processor time is limited all the same."""

POLL_S = 0.1
SHARED_BYTES = 16 << 20
"""Files that one process reads at most, together; a larger one has a process of its own."""

SHARED_TASKS = 256
LINE_CHARACTERS = 4 << 20
LAST_WORDS_BYTES = 16 << 10
logger = logging.getLogger("darkgnn.traces")

Told = dict[str, Any]


class Stopped(Exception):  # noqa: N818 - not an error: the analyst asked for it
    """Raised where work ends because the analyst asked for it."""


def command_of(module: str) -> tuple[str, ...]:
    """Return the command that runs a module of ours as the confined process."""
    return (sys.executable, "-m", module)


class Confined:
    """A process of `traces.serving`, there from the first task on; use it in a `with`, one thread.

    Args:
        module: Module that it runs, such as `darkgnn_core.traces.child`.
    """

    def __init__(self, module: str) -> None:
        self.module = module
        self._process: _Process | None = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        self.close()

    def close(self) -> None:
        """End the process, if there is one; the next task would start another."""
        if self._process is not None:
            self._process.end()
            self._process = None

    def do(
        self,
        task: str,
        request: Told,
        *,
        size: int,
        raw: BinaryIO | None = None,
        error: type[DarkgnnError] = TraceError,
        silence_s: float | None = None,
        on_told: Callable[[Told], None] = lambda _: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Told:
        """Have one task done and return what it gave.

        Args:
            task: Its name, one of those that the module serves.
            request: What it needs to know; `name` is what messages call the file.
            size: Bytes it will read: time and output may grow with it.
            raw: The open file, handed on so that none can take its place.
            error: Class of the error raised where the file is refused.
            silence_s: Longest silence before the process is given up; `SILENCE_S` if None.
            on_told: Told what it says before its end; all of it again where the process had done
                other tasks before and ended in this one, which then gets a process of its own.
            should_stop: Asked ten times a second.

        Raises:
            DarkgnnError: As `error`, with the code of the reader; `LIMIT`, or `IN-CRASH` where the
                process died or fell silent.
            OSError: `ENOSPC`, where there is no room for what it writes.
            Stopped: If `should_stop` said so; the process is gone.
        """
        silence_s = SILENCE_S if silence_s is None else silence_s
        while True:
            process = self._ready(size)
            try:
                process.give({"task": task, "size": size} | request, raw)
                last = process.follow(silence_s, on_told, should_stop)
            except BaseException:
                self.close()
                raise
            if last["kind"] == "done":
                return {key: value for key, value in last.items() if key != "kind"}
            if last["kind"] == "gone":
                process.log_last_words()
            if last["kind"] == "gone" or last.get("is_spent"):
                self.close()
                if process.tasks > 1:
                    continue  # perhaps an earlier file's fault: once more, in a process of its own
            break
        if last["kind"] == "gone":
            name = visible(str(request["name"]))
            raise error(_crashed(name, last["how"]), code="IN-CRASH")
        if last.get("code") == "DISK-FULL":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise error(str(last["message"]), code=str(last["code"]))

    def _ready(self, size: int) -> "_Process":
        if self._process is not None and not self._process.has_room(size):
            self.close()
        if self._process is None:
            self._process = _Process(self.module, max(size, SHARED_BYTES))
        self._process.take(size)
        return self._process


class ConfinedPool:
    """Confined processes that several threads share, each used by one at a time.

    Args:
        module: Module that they run.
    """

    def __init__(self, module: str) -> None:
        self.module = module
        self._idle: queue.SimpleQueue[Confined] = queue.SimpleQueue()

    @contextmanager
    def lend(self) -> Iterator[Confined]:
        """Give one for the block."""
        try:
            each = self._idle.get_nowait()
        except queue.Empty:
            each = Confined(self.module)
        try:
            yield each
        finally:
            self._idle.put(each)

    def close(self) -> None:
        """End those that are not lent."""
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()


class _Process:
    """One process: its pipes, what it has taken on so far, and what it said last."""

    def __init__(self, module: str, budget: int) -> None:
        self.budget = budget
        self.taken = 0
        self.tasks = 0
        self.words = tempfile.TemporaryFile()  # noqa: SIM115 - `end` closes it
        theirs: socket.socket | None = None
        self.files: socket.socket | None = None
        if sys.platform != "win32":
            self.files, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.start = {"budget": budget, "socket": None if theirs is None else theirs.fileno()}
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command_of(module),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.words,
            text=True,
            encoding="utf-8",
            errors="replace",
            pass_fds=() if theirs is None else (theirs.fileno(),),
            cwd=Path(__file__).resolve().parents[2],
            env=os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system"},
        )
        if theirs is not None:
            theirs.close()
        self.listener = _Listener(self.process)
        self.listener.start()

    def has_room(self, size: int) -> bool:
        """Say whether a file of that size may be read by this process, too."""
        is_there = self.process.poll() is None
        return is_there and self.taken + size <= SHARED_BYTES and self.tasks < SHARED_TASKS

    def take(self, size: int) -> None:
        """Count a task of that size."""
        self.taken += size
        self.tasks += 1

    def give(self, request: Told, raw: BinaryIO | None) -> None:
        """Hand a task on, with its file; if the process died at once, `follow` says so."""
        assert self.process.stdin is not None  # noqa: S101 - asked for above
        handed = raw is not None and self.files is not None
        if raw is not None:
            raw.seek(0)
        with suppress(OSError):
            if raw is not None and self.files is not None:
                socket.send_fds(self.files, [b"f"], [raw.fileno()])
            line = json.dumps(self.start | request | {"is_handed": handed})
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def follow(
        self,
        silence_s: float,
        on_told: Callable[[Told], None],
        should_stop: Callable[[], bool],
    ) -> Told:
        """Return the last answer of a task: `done`, `error`, or `gone` with the reason."""
        heard = time.monotonic()
        while True:
            try:
                told = self.listener.lines.get(timeout=POLL_S)
            except queue.Empty:
                told = {}
            if should_stop():
                raise Stopped
            if not told and time.monotonic() - heard > silence_s:
                return {"kind": "gone", "how": f"it said nothing for {silence_s:.0f} s"}
            if told:
                heard = time.monotonic()
                if told["kind"] in ("done", "error"):
                    return told
                if told["kind"] == "gone":
                    return told | {"how": f"it ended with status {self._status()}"}
                on_told(told)

    def _status(self) -> int:
        """Return how it ended; one that only closed its pipe is ended now."""
        with suppress(subprocess.TimeoutExpired):
            return self.process.wait(timeout=1)
        self.process.kill()
        return self.process.wait()

    def end(self) -> None:
        """End the process and wait until it is gone."""
        self.process.kill()
        self.process.wait()
        while self.listener.is_alive():  # it may wait for room in the queue
            with suppress(queue.Empty):
                self.listener.lines.get(timeout=POLL_S / 10)
        for pipe in (self.process.stdin, self.process.stdout, self.files, self.words):
            if pipe is not None:
                with suppress(OSError):  # what was left in stdin's buffer has no reader any more
                    pipe.close()

    def log_last_words(self) -> None:
        """Keep what a dead reader said, a traceback perhaps, for the log; no analyst needs it."""
        end = self.words.seek(0, os.SEEK_END)
        self.words.seek(max(0, end - LAST_WORDS_BYTES))
        said = self.words.read().decode("utf-8", "replace")
        logger.error("a confined reader failed:\n%s", said)


class _Listener(threading.Thread):
    """Takes the lines of a process as they come; `gone` is the last."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        super().__init__(daemon=True)
        self.process = process
        self.lines: queue.Queue[Told] = queue.Queue(maxsize=8)

    def run(self) -> None:
        """Read until the process closes its end."""
        assert self.process.stdout is not None  # noqa: S101 - asked for when it was started
        while line := self.process.stdout.readline(LINE_CHARACTERS):
            try:
                told = json.loads(line)
            except (ValueError, RecursionError):  # cut short by its death
                continue
            if isinstance(told, dict) and "kind" in told:
                self.lines.put(told)
        self.lines.put({"kind": "gone"})


def _crashed(name: str, how: str) -> str:
    return (
        f"{name}: reading it failed inside the confined reader ({how}). Nothing was changed. "
        "If the file is sound, please report this with darkgnn's version."
    )
