"""Reading a trace from outside: start the confined process, follow it, judge how it ended."""

import re
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from darkgnn_core.errors import TraceError, visible
from darkgnn_core.traces.confined import Confined
from darkgnn_core.traces.confined import Stopped as Stopped
from darkgnn_core.traces.opening import OpenFile, open_once
from darkgnn_core.traces.reading import ReadOptions

READER = "darkgnn_core.traces.child"
"""Module of the confined process that reads traces."""

DAY_IN_NAME = re.compile(r"(?<!\d)((?:19|20)\d\d)([-_]?)(\d\d)\2(\d\d)(?!\d)")


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


def parse_trace(
    path: Path,
    directory: Path,
    options: ReadOptions,
    *,
    name: str = "",
    format_name: str = "",
    opened: OpenFile | None = None,
    reader: Confined | None = None,
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
        reader: Confined process of `READER` to use; one of its own if None.
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
            "directory": str(directory),
            "format": format_name,
            "options": asdict(options),
        }
        answer = (reader or stack.enter_context(Confined(READER))).do(
            "read",
            request,
            size=file.size,
            raw=file.raw,
            on_told=lambda told: on_progress(Progress(told["packets"], told["position"])),
            should_stop=should_stop,
        )
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


def _nothing_in(name: str, answer: dict[str, Any]) -> TraceError:
    reasons = dict(answer["skipped"]) | dict.fromkeys(answer["notes"], "seen")
    why = ", ".join(f"{reason}: {count}" for reason, count in reasons.items()) or "it holds none"
    if "bad_time" in answer["skipped"]:
        today = datetime.now(UTC).date().isoformat()
        why += f"; times from 1995 to a day ahead count, and this computer's clock says {today}"
    return TraceError(f"{name}: no packets ({answer['read']} read; {why}).", code="NO-PACKETS")
