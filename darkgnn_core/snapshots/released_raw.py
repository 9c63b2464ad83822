"""The released packets (`raw_YYYYMMDD.csv`): whether a file holds the day it is named after.

The packets themselves are read by the trace readers, like any other packet file.
"""

from datetime import UTC, datetime
from pathlib import Path

from darkgnn_core.traces.opening import open_regular

ENDS_BYTES = 64 << 10


def rows_outside_day(path: Path, day: str) -> list[str]:
    """Return the other days that the first and last rows of a raw file name, in order.

    Only the two ends of the file (64 KiB each) are looked at: enough to see a file that was named
    after another day, cheap on files of hundreds of megabytes. A file that is not as expected has
    none; reading its packets tells what is wrong with it.
    """
    with open_regular(path) as raw:
        head = raw.read(ENDS_BYTES) or b""
        size = raw.seek(0, 2)
        raw.seek(max(0, size - ENDS_BYTES))
        tail = raw.read(ENDS_BYTES) or b""
    names = head.split(b"\n", 1)[0].rstrip(b"\r").split(b",")
    if names.count(b"ts") != 1:
        return []
    lines = head.split(b"\n")[1:-1] + tail.split(b"\n")[1:]
    days = {_utc_day(line, names.index(b"ts"), len(names)) for line in lines}
    return sorted(days - {"", day})


def _utc_day(line: bytes, column: int, columns: int) -> str:
    fields = line.split(b",")
    if len(fields) != columns:
        return ""
    try:
        return datetime.fromtimestamp(float(fields[column]), UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return ""
