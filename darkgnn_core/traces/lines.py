"""Blocks of whole text lines, cut from a source in bounded memory and checked against limits."""

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from darkgnn_core.errors import TraceError
from darkgnn_core.traces.opening import HEAD_BYTES, ByteSource
from darkgnn_core.traces.reading import Tally

LF = 10
BLOCK_BYTES = 4 << 20
LINE_BYTES = 1 << 20
FIELD_BYTES = 64 << 10
BOM = b"\xef\xbb\xbf"
Item = TypeVar("Item")
UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Block:
    """Whole lines of a text file.

    Attributes:
        data: The lines, UTF-8, each ended by one LF; no NUL, no CR, no empty line.
        lines: How many lines `data` holds.
    """

    data: bytes
    lines: int


def refuse_utf16(head: bytes, name: str) -> None:
    """Raise `TraceError` `ENCODING` where the first bytes are UTF-16 or UTF-32 text."""
    if head.startswith(UTF16_BOMS) or _every_second_is_nul(head[:512]):
        raise TraceError(
            f"{name}: ENCODING at byte 0: this looks like UTF-16 text. "
            "Save it as UTF-8 and try again.",
            code="ENCODING",
        )


def _every_second_is_nul(head: bytes) -> bool:
    halves = (head[0::2], head[1::2])
    return len(head) >= 8 and any(
        half.count(0) == len(half) and not other.count(0) for half, other in (halves, halves[::-1])
    )


def text_blocks(
    source: ByteSource, tally: Tally, *, block_bytes: int = BLOCK_BYTES
) -> Iterator[Block]:
    """Yield the lines of a text source; unpacking runs in a thread beside the caller.

    CRLF and CR-only line ends become LF, a byte order mark and empty lines are left out. A line
    with invalid UTF-8 or a NUL is skipped and counted as `bad_encoding`; the unfinished last line
    of a cut compressed stream as `cut_line`; what cut it is noted.

    Args:
        source: The text, at its start.
        tally: Counts what is skipped here.
        block_bytes: About how much to give at a time.

    Raises:
        TraceError: `ENCODING` where the text is UTF-16 or no line is UTF-8; `LIMIT` where a line
            is longer than 1 MiB.
    """
    head = source.peek(HEAD_BYTES)
    refuse_utf16(head, source.name)
    cr_only = b"\r" in head and b"\n" not in head
    seen_good = False
    for piece in prefetched(lambda: _pieces(source, cr_only, block_bytes)):
        if piece.bad and not piece.good and not seen_good:
            raise TraceError(
                f"{source.name}: ENCODING at byte {piece.first_bad}: no line is UTF-8 text. "
                "Save it as UTF-8 and try again.",
                code="ENCODING",
            )
        tally.skip("bad_encoding", piece.bad)
        tally.skip("cut_line", piece.cut)
        if piece.good:
            seen_good = True
            yield Block(piece.good, piece.lines)
    if source.trouble and not tally.notes[source.trouble]:
        tally.note(source.trouble)


@dataclass(frozen=True)
class _Piece:
    """Lines that were checked in the thread: the good ones, and how many others there were."""

    good: bytes
    lines: int
    bad: int
    first_bad: int
    cut: int


def _pieces(source: ByteSource, cr_only: bool, block_bytes: int) -> Iterator[_Piece]:
    for data, last in _whole_lines(source, cr_only, block_bytes):
        cut = 0
        if last and data and not data.endswith(b"\n"):
            if source.trouble:
                data, cut = data[: data.rfind(b"\n") + 1], 1
            else:
                data += b"\n"
        check_lines(data, source.name)
        good, bad = _readable(_without_empty_lines(data))
        yield _Piece(good, count_lines(good), bad, _first_bad_byte(data) if bad else 0, cut)


def _whole_lines(
    source: ByteSource, cr_only: bool, block_bytes: int
) -> Iterator[tuple[bytes, bool]]:
    """Yield (bytes up to a line end, whether they are the last)."""
    pieces: list[bytes] = []
    size = 0
    started = False
    while chunk := source.read_chunk():
        if not started:
            chunk = chunk.removeprefix(BOM)
            started = True
        if cr_only:
            chunk = chunk.replace(b"\r", b"\n")
        pieces.append(chunk)
        size += len(chunk)
        if size < block_bytes:
            continue
        data = b"".join(pieces)
        cut = data.rfind(b"\n") + 1
        if cut == 0 or len(data) - cut > LINE_BYTES:
            raise _line_too_long(source.name)
        yield _line_feeds(data[:cut]), False
        pieces = [data[cut:]]
        size = len(data) - cut
    yield _line_feeds(b"".join(pieces)), True


def _line_feeds(data: bytes) -> bytes:
    if b"\r" not in data:
        return data
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _without_empty_lines(data: bytes) -> bytes:
    ends = np.frombuffer(data, np.uint8) == LF
    if not (ends[1:] & ends[:-1]).any():
        return data.removeprefix(b"\n")
    while b"\n\n" in data:
        data = data.replace(b"\n\n", b"\n")
    return data.removeprefix(b"\n")


def count_lines(data: bytes) -> int:
    """Return how many line ends there are (several times faster than `bytes.count`)."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == LF))


def check_lines(data: bytes, name: str) -> None:
    """Raise `TraceError` `LIMIT` where a line is longer than 1 MiB."""
    start = 0
    while start < len(data):
        end = data.rfind(b"\n", start, start + LINE_BYTES) + 1
        if end == 0:
            raise _line_too_long(name)
        start = end


def _line_too_long(name: str) -> TraceError:
    return TraceError(
        f"{name}: a line is longer than {LINE_BYTES:,} bytes. Logs do not have such lines: is it "
        "one of the formats that are read?",
        code="LIMIT",
    )


def long_lines(data: bytes) -> Iterator[bytes]:
    """Yield the lines that are longer than a field may be (64 KiB)."""
    start = 0
    while start < len(data):
        end = data.rfind(b"\n", start, start + FIELD_BYTES) + 1
        if end == 0:
            end = data.find(b"\n", start) + 1 or len(data)
            yield data[start:end]
        start = end


def _readable(data: bytes) -> tuple[bytes, int]:
    """Return the lines that are UTF-8 without NUL, and how many others there were."""
    if b"\0" not in data and (data.isascii() or _is_utf8(data)):
        return data, 0
    lines = data.splitlines(keepends=True)
    good = [line for line in lines if b"\0" not in line and _is_utf8(line)]
    return b"".join(good), len(lines) - len(good)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _first_bad_byte(data: bytes) -> int:
    nul = data.find(b"\0")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start if nul < 0 else min(nul, error.start)
    return nul


def prefetched(make: Callable[[], Iterator[Item]], *, depth: int = 2) -> Iterator[Item]:
    """Yield what an iterator gives, while a thread already works on the next items.

    The thread ends when the iterator does, or soon after the caller stops early; what it raises
    is raised here.
    """
    ready: queue.Queue[tuple[str, Item | BaseException | None]] = queue.Queue(maxsize=depth)
    stop = threading.Event()

    def put(kind: str, item: Item | BaseException | None) -> bool:
        while not stop.is_set():
            try:
                ready.put((kind, item), timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for item in make():
                if not put("item", item):
                    return
        except BaseException as error:
            put("error", error)
        else:
            put("end", None)

    worker = threading.Thread(target=work, name="prefetch", daemon=True)
    worker.start()
    try:
        while True:
            kind, item = ready.get()
            if kind == "end":
                return
            if kind == "error":
                assert isinstance(item, BaseException)  # noqa: S101
                raise item
            yield item  # type: ignore[misc]
    finally:
        stop.set()
        worker.join()
