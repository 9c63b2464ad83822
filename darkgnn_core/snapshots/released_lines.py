"""Lines of a released file, bounded: no line, run of empty lines or file larger than is sane."""

from collections.abc import Iterator
from pathlib import Path

from darkgnn_core.errors import DarkgnnError
from darkgnn_core.traces.opening import open_regular

MAX_FILE_BYTES = 1 << 30
MAX_LINE_BYTES = 1 << 20
MAX_EMPTY_LINES = 10_000


def bounded_lines(path: Path, error: type[DarkgnnError]) -> Iterator[tuple[int, bytes]]:
    """Give the lines of a file with their numbers, without their ends; empty ones left out.

    Args:
        path: A regular file.
        error: Class of the error raised where a limit is passed.

    Raises:
        DarkgnnError: `LIMIT` as `error`; what opening a file can raise.
    """
    with open_regular(path) as raw:
        if raw.seek(0, 2) > MAX_FILE_BYTES:
            raise error(f"{path.name}: larger than {MAX_FILE_BYTES >> 30} GiB.", code="LIMIT")
        raw.seek(0)
        with open(raw.fileno(), "rb", buffering=1 << 20, closefd=False) as handle:
            empty = number = 0
            while line := handle.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > MAX_LINE_BYTES:
                    what = f"longer than {MAX_LINE_BYTES:,} bytes"
                    raise error(f"{path.name}, line {number}: {what}.", code="LIMIT")
                if line := line.rstrip(b"\r\n"):
                    yield number, line
                elif (empty := empty + 1) > MAX_EMPTY_LINES:
                    what = f"more than {MAX_EMPTY_LINES:,} empty lines"
                    raise error(f"{path.name}: {what}.", code="LIMIT")


def shown(text: str | bytes) -> str:
    """Return text from a file for a message: short, in quotes, other than plain ASCII escaped."""
    text = text if isinstance(text, str) else text.decode("utf-8", "replace")
    return ascii(text if len(text) <= 40 else text[:40] + "...")
