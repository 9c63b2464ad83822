"""Reading a trace from outside: start the confined process, follow it, judge how it ended."""

import errno
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, BinaryIO

from darkgnn_core.errors import TraceError, visible
from darkgnn_core.traces.opening import OpenFile, open_once
from darkgnn_core.traces.reading import ReadOptions

COMMAND = (sys.executable, "-m", "darkgnn_core.traces.child")
DAY_IN_NAME = re.compile(r"(?<!\d)((?:19|20)\d\d)([-_]?)(\d\d)\2(\d\d)(?!\d)")
SILENCE_S = 120.0
POLL_S = 0.1
LAST_WORDS_BYTES = 16 << 10
logger = logging.getLogger("darkgnn.traces")


@dataclass(frozen=True)
class TraceReport:
    """What reading one trace gave; `read == kept + sum(skipped.values())`.

    Attributes:
        name: File name, for people.
        format: Name of the format it was read as.
        bytes: Size of the file.
        read: Records met.
        kept: Records given on.
        packets: Packets given on.
        skipped: Records left out, by reason.
        notes: Things worth telling that dropped nothing, by code.
        facts: What the reader learned (mapping, link type, sensors).
        days: Packets by UTC day.
        first_ns: Time of the earliest packet.
        last_ns: Time of the latest packet.
        seconds: Wall time of reading.
    """

    name: str
    format: str
    bytes: int
    read: int
    kept: int
    packets: int
    skipped: dict[str, int]
    notes: dict[str, int]
    facts: dict[str, Any]
    days: dict[str, int]
    first_ns: int
    last_ns: int
    seconds: float


@dataclass(frozen=True)
class Progress:
    """How far reading has come.

    Attributes:
        packets: Packets given on so far.
        position: Bytes of the file taken so far.
    """

    packets: int
    position: int


class Stopped(Exception):  # noqa: N818 - not an error: the analyst asked for it
    """Raised where work ends because the analyst asked for it."""


def parse_trace(
    path: Path,
    directory: Path,
    options: ReadOptions,
    *,
    name: str = "",
    format_name: str = "",
    opened: OpenFile | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> TraceReport:
    """Read a trace in a confined process into `<day>.parquet` files of `packets.SCHEMA`.

    Args:
        path: A regular file.
        directory: Where the files go; partial files may remain there after an error.
        options: What the analyst decided.
        name: What messages call the file; its own name if empty.
        format_name: Read it as this format; detect by content if empty.
        opened: The file, opened before; what was appended since then is left out, with the note
            `GREW`.
        on_progress: Told a few times a second.
        should_stop: Asked ten times a second.

    Raises:
        TraceError: With the reader's code; `EMPTY`, `NO-PACKETS`, `CHANGED` where the file was
            written to meanwhile, or `IN-CRASH` where the process died or fell silent.
        OSError: `ENOSPC`, where there is no room for the files.
        Stopped: If `should_stop` said so; the process is gone.
    """
    name = visible(name or path.name)
    started = time.monotonic()
    with ExitStack() as stack:
        file = opened or stack.enter_context(open_once(path))
        if file.size == 0:
            raise TraceError(f"{name}: the file is empty.", code="EMPTY")
        request = {
            "path": str(path.resolve()),
            "name": name,
            "bytes": file.size,
            "directory": str(directory),
            "format": format_name,
            "options": asdict(options),
        }
        words = stack.enter_context(tempfile.TemporaryFile())
        with _start(request, file.raw, words) as process:
            answer = _follow(process, name, words, on_progress, should_stop)
        answer |= {"name": name, "bytes": file.size, "seconds": time.monotonic() - started}
        _tell_change(file, answer)
    if answer["packets"] == 0:
        raise _nothing_in(name, answer)
    if not set(days_named(name)) <= set(answer["days"]):
        answer["notes"]["NAME-DAY"] = 1
    return TraceReport(**answer)


def days_named(name: str) -> list[str]:
    """Return the days that a file's name speaks of; its packets' own time decides all the same.

    >>> days_named("raw_20211201.csv"), days_named("2021-13-01.log")
    (['2021-12-01'], [])
    """
    found = []
    for year, _, month, day in DAY_IN_NAME.findall(name):
        with suppress(ValueError):
            found.append(date(int(year), int(month), int(day)).isoformat())
    return found


def _tell_change(file: OpenFile, answer: dict[str, Any]) -> None:
    """Note that the file grew meanwhile; refuse what was changed in another way."""
    if file.since() == "grew":
        answer["notes"]["GREW"] = 1
    elif file.since() == "changed":
        raise TraceError(
            f"{answer['name']}: the file was changed while it was read. Load it again once "
            "nothing writes to it.",
            code="CHANGED",
        )


def _start(request: dict[str, Any], raw: BinaryIO, words: BinaryIO) -> subprocess.Popen[str]:
    passed: tuple[int, ...] = ()
    if sys.platform != "win32":  # the open file itself is handed on, so none can take its place
        passed = (raw.fileno(),)
        request["fd"] = raw.fileno()
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=words,
        text=True,
        pass_fds=passed,
        cwd=Path(__file__).resolve().parents[2],
        env=os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system"},
    )
    assert process.stdin is not None  # noqa: S101 - asked for above
    try:
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.close()
    except BrokenPipeError:
        pass  # it died at once: `_follow` says so
    return process


def _follow(
    process: subprocess.Popen[str],
    name: str,
    words: BinaryIO,
    on_progress: Callable[[Progress], None],
    should_stop: Callable[[], bool],
) -> dict[str, Any]:
    """Return the `done` answer; the process is gone when this returns or raises."""
    listener = _Listener(process, on_progress)
    listener.start()
    try:
        while listener.is_alive():
            listener.join(POLL_S)
            if should_stop():
                raise Stopped
            if time.monotonic() - listener.heard > SILENCE_S:
                raise _crashed(name, f"it said nothing for {SILENCE_S:.0f} s")
    finally:
        process.kill()
        process.wait()
        listener.join()
    last = listener.last
    if last.get("kind") == "done":
        return {key: value for key, value in last.items() if key != "kind"}
    if last.get("code") == "DISK-FULL":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if last.get("kind") == "error":
        raise TraceError(str(last["message"]), code=str(last["code"]))
    _log_last_words(words)
    raise _crashed(name, f"it ended with status {process.returncode}")


def _log_last_words(words: BinaryIO) -> None:
    """Keep what a dead reader said, a traceback perhaps, for the log; no analyst needs it."""
    end = words.seek(0, os.SEEK_END)
    words.seek(max(0, end - LAST_WORDS_BYTES))
    logger.error("a confined reader failed:\n%s", words.read().decode("utf-8", "replace"))


class _Listener(threading.Thread):
    """Takes the child's lines, and remembers the last and when it came."""

    def __init__(
        self, process: subprocess.Popen[str], on_progress: Callable[[Progress], None]
    ) -> None:
        super().__init__(daemon=True)
        self.process = process
        self.on_progress = on_progress
        self.heard = time.monotonic()
        self.last: dict[str, Any] = {}

    def run(self) -> None:
        """Read until the child closes its end."""
        assert self.process.stdout is not None  # noqa: S101 - asked for in `_start`
        for line in self.process.stdout:
            self.heard = time.monotonic()
            try:
                self.last = json.loads(line)
            except ValueError:  # cut short by its death
                continue
            if self.last["kind"] == "progress":
                self.on_progress(Progress(self.last["packets"], self.last["position"]))
        self.process.wait()


def _crashed(name: str, how: str) -> TraceError:
    return TraceError(
        f"{name}: reading it failed inside the confined reader ({how}). Nothing was changed. "
        "If the file is sound, please report this with darkgnn's version.",
        code="IN-CRASH",
    )


def _nothing_in(name: str, answer: dict[str, Any]) -> TraceError:
    reasons = dict(answer["skipped"]) | dict.fromkeys(answer["notes"], "seen")
    why = ", ".join(f"{reason}: {count}" for reason, count in reasons.items()) or "it holds none"
    if "bad_time" in answer["skipped"]:
        today = datetime.now(UTC).date().isoformat()
        why += f"; times from 1995 to a day ahead count, and this computer's clock says {today}"
    return TraceError(f"{name}: no packets ({answer['read']} read; {why}).", code="NO-PACKETS")
