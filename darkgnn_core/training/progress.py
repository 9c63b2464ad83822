"""What a run tells while it works: `progress.jsonl`, one complete JSON line an event.

Lines are only ever added. A line that a kill or a full disk cut is no line: readers leave it out,
and the next attempt removes it.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from darkgnn_core.catalogue import utc_now

NAME = "progress.jsonl"
READ_BYTES = 1 << 24

Line = dict[str, Any]


def line_of(event: str, **values: Any) -> Line:
    """Return a line: what happened, when, and values; those that are None are left out."""
    told = {name: value for name, value in values.items() if value is not None}
    return {"at": utc_now(), "event": event, **told}


class ProgressLog:
    """The progress file of a run, opened to add to it; what was cut before is repaired.

    Args:
        path: The file; made where it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab", buffering=0)
        self._repair()

    def add(self, *lines: Line) -> None:
        """Add lines, all or none.

        Raises:
            OSError: Where the disk is full; the file is as before.
        """
        text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
        data, size = text.encode(), self._file.tell()
        written = 0
        try:
            while written < len(data):
                written += self._file.write(data[written:])
        except OSError:
            self._file.truncate(size)
            raise

    def add_missing(self, lines: list[Line]) -> None:
        """Add those lines that the file does not have."""
        found = [line for line in _lines_of(self._path.read_bytes()) if line in lines]
        self.add(*(line for line in lines if line not in found))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _repair(self) -> None:
        """Cut off a last line without an end."""
        size = self._path.stat().st_size
        keep = _end_of_last_line(self._path, size)
        if keep < size:
            self._file.truncate(keep)
        self._file.seek(0, os.SEEK_END)


def read_lines(path: Path, after: int = 0) -> tuple[list[Line], int]:
    """Return the complete lines from a byte on, and the byte to go on from.

    Steps that a later attempt did again, because a kill came before their checkpoint, are left out
    where both are read at once.

    Args:
        path: The file; none is like an empty one.
        after: Where to start, as an earlier call returned it.
    """
    if not path.is_file():
        return [], 0
    with path.open("rb") as file:
        file.seek(max(0, after))
        data = file.read(READ_BYTES)
    end = data.rfind(b"\n") + 1
    return _without_repeats(list(_lines_of(data[:end]))), max(0, after) + end


def _lines_of(data: bytes) -> Iterator[Line]:
    for text in data.splitlines():
        try:
            line = json.loads(text)
        except ValueError:  # what a power cut left
            continue
        if isinstance(line, dict):
            yield line


def _without_repeats(lines: list[Line]) -> list[Line]:
    """Drop the steps after the point at which a later attempt started."""
    kept: list[Line] = []
    starts_at = float("inf")
    for line in reversed(lines):
        if line["event"] == "start":
            starts_at = min(starts_at, line.get("units_done", 0))
        if line["event"] != "step" or line.get("units_done", 0) < starts_at:
            kept.append(line)
    return kept[::-1]


def _end_of_last_line(path: Path, size: int) -> int:
    """Return how many bytes of a file end with a line's end."""
    with path.open("rb") as file:
        position = size
        while position > 0:
            start = max(0, position - 65_536)
            file.seek(start)
            found = file.read(position - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            position = start
    return 0
