"""Opening a trace: a regular file, unpacked by its content, in bounded memory."""

import hashlib
import io
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import zstandard
from isal import isal_zlib

from darkgnn_core.errors import TraceError

HEAD_BYTES = 64 * 1024
CHUNK_BYTES = 1 << 20
ZSTD_PIECE_BYTES = 4096
"""Taken at a time: at zstd's highest ratio, 4 bytes for 128 KiB, it unpacks to 128 MiB."""
BOMB_BYTES = 64 << 20
BOMB_RATIO = 200
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
ZSTD_SKIPPED = b"\x2a\x4d\x18"
ARCHIVES = {
    b"PK\x03\x04": "zip",
    b"7z\xbc\xaf": "7-Zip",
    b"Rar!": "RAR",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
}


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file, never a link, pipe, device or directory.

    Raises:
        TraceError: `NOT-A-REGULAR-FILE`, `NO-SUCH-FILE`, `NO-PERMISSION`.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as error:
        raise TraceError(f"{path.name}: there is no such file.", code="NO-SUCH-FILE") from error
    except PermissionError as error:
        raise TraceError(
            f"{path.name}: this account may not read it. Change its permissions and try again.",
            code="NO-PERMISSION",
        ) from error
    except OSError as error:
        raise _not_regular(path) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _not_regular(path)
    return os.fdopen(handle, "rb", buffering=0)


@dataclass(frozen=True)
class OpenFile:
    """A regular file, opened once; it counts as what it was at that moment.

    Attributes:
        raw: The open file.
        size: Its bytes when it was opened; what is appended later does not count.
        modified_ns: When it was last written before that.
    """

    raw: BinaryIO
    size: int
    modified_ns: int

    def sha256(self) -> str:
        """Return the sha256 of its bytes, in hex, and go back to its start."""
        digest = hashlib.sha256()
        left = self.size
        self.raw.seek(0)
        while left > 0 and (chunk := self.raw.read(min(CHUNK_BYTES, left))):
            digest.update(chunk)
            left -= len(chunk)
        self.raw.seek(0)
        return digest.hexdigest()

    def since(self) -> Literal["same", "grew", "changed"]:
        """Say what has become of it since it was opened, as far as its size and time tell."""
        now = os.fstat(self.raw.fileno())
        if now.st_size > self.size:
            return "grew"
        unchanged = (now.st_size, now.st_mtime_ns) == (self.size, self.modified_ns)
        return "same" if unchanged else "changed"


@contextmanager
def open_once(path: Path) -> Iterator[OpenFile]:
    """Open a regular file for the block.

    Raises:
        TraceError: As `open_regular`.
    """
    with open_regular(path) as raw:
        found = os.fstat(raw.fileno())
        yield OpenFile(raw, found.st_size, found.st_mtime_ns)


def _not_regular(path: Path) -> TraceError:
    return TraceError(
        f"{path.name}: not a regular file. Give a plain file (not a link, pipe, device or folder).",
        code="NOT-A-REGULAR-FILE",
    )


class ByteSource:
    """The bytes of a trace, decompressed as they are read.

    A cut or damaged compressed stream ends the bytes early and is told by `trouble`, so that what
    came before it is kept. Bytes after the last gzip member or zstd frame are left out and told
    likewise.

    Args:
        raw: An open binary file, at its start.
        name: What messages call it.
        size: Bytes of it that count; all that it has now if None.

    Attributes:
        size: Bytes of the file that count.
        compression: `gzip`, `zstd` or empty.
        trouble: Code of what ended the bytes early (`GZIP-CUT`, `GZIP-DAMAGED`, `GZIP-TRAILING`,
            `ZSTD-CUT`, `ZSTD-DAMAGED`, `ZSTD-TRAILING`), or empty.
    """

    def __init__(self, raw: BinaryIO, name: str, *, size: int | None = None) -> None:
        self.raw = raw
        self.name = name
        self.size = os.fstat(raw.fileno()).st_size if size is None else size
        self.trouble = ""
        self.unpacked = 0
        magic = raw.read(8)
        raw.seek(0)
        for signature, kind in ARCHIVES.items():
            if magic.startswith(signature):
                raise TraceError(
                    f"{name}: {kind} archives are not read. Unpack it first, or use gzip or zstd.",
                    code="ARCHIVE",
                )
        if magic.startswith(GZIP_MAGIC):
            self.compression = "gzip"
            self._chunks = self._gzip_chunks()
        elif magic.startswith(ZSTD_MAGIC):
            self.compression = "zstd"
            self._chunks = self._zstd_chunks()
        else:
            self.compression = ""
            self._chunks = self._plain_chunks()
        self._buffer = bytearray()

    @property
    def position(self) -> int:
        """Bytes of the file taken so far, for progress."""
        return self.raw.tell()

    def peek(self, size: int = HEAD_BYTES) -> bytes:
        """Return up to `size` of the next bytes without taking them."""
        self._fill(size)
        return bytes(self._buffer[:size])

    def read(self, size: int) -> bytes:
        """Take `size` bytes; fewer only at the end."""
        self._fill(size)
        taken = bytes(memoryview(self._buffer)[:size])
        del self._buffer[:size]
        return taken

    def read_chunk(self) -> bytes:
        """Take whatever is at hand, at most about 2 MiB; empty only at the end."""
        if self._buffer:
            taken = bytes(self._buffer)
            self._buffer.clear()
            return taken
        return next(self._chunks, b"")

    def _fill(self, size: int) -> None:
        while len(self._buffer) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                return
            self._buffer += chunk

    def _plain_chunks(self) -> Iterator[bytes]:
        while chunk := self._packed(CHUNK_BYTES):
            yield chunk

    def _packed(self, most: int) -> bytes:
        """Take bytes of the file itself: one that grows is read to where it ended at first."""
        return self.raw.read(max(0, min(most, self.size - self.raw.tell()))) or b""

    def _gzip_chunks(self) -> Iterator[bytes]:
        unpack: Any = isal_zlib.decompressobj(wbits=31)
        pending = b""
        while True:
            packed = pending or self._packed(CHUNK_BYTES // 4)
            pending = b""
            if not packed:
                if unpack is not None:
                    self.trouble = "GZIP-CUT"
                return
            if unpack is None:
                if not packed.startswith(GZIP_MAGIC[: len(packed)]):
                    self.trouble = "GZIP-TRAILING"
                    return
                unpack = isal_zlib.decompressobj(wbits=31)
            try:
                chunk = unpack.decompress(packed, CHUNK_BYTES)
            except isal_zlib.IsalError:  # type: ignore[misc]  # hidden by the stub
                self.trouble = "GZIP-DAMAGED"
                return
            pending = unpack.unconsumed_tail
            if unpack.eof:
                pending = unpack.unused_data
                unpack = None
                if not pending and self.position >= self.size:
                    yield self._counted(chunk)
                    return
            if chunk:
                yield self._counted(chunk)

    def _zstd_chunks(self) -> Iterator[bytes]:
        unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 27)
        frame: Any = unpacker.decompressobj()
        pending = b""
        while packed := pending[:ZSTD_PIECE_BYTES] or self._packed(CHUNK_BYTES // 4):
            pending = pending[len(packed) :] or packed[ZSTD_PIECE_BYTES:]
            packed = packed[:ZSTD_PIECE_BYTES]
            if frame is None:
                if not _starts_zstd_frame(packed):
                    self.trouble = "ZSTD-TRAILING"
                    return
                frame = unpacker.decompressobj()
            try:
                chunk = frame.decompress(packed)
            except zstandard.ZstdError:
                self.trouble = "ZSTD-DAMAGED"
                return
            if frame.eof:
                pending = frame.unused_data + pending
                frame = None
            if chunk:
                yield self._counted(chunk)
        if frame is not None:
            self.trouble = "ZSTD-CUT"

    def _counted(self, chunk: bytes) -> bytes:
        self.unpacked += len(chunk)
        if self.unpacked > BOMB_BYTES and self.unpacked > BOMB_RATIO * max(self.position, 1):
            raise TraceError(
                f"{self.name}: unpacks to more than {BOMB_RATIO} times its size. Traces do not; "
                "this looks like a decompression bomb and was not read.",
                code="BOMB",
            )
        return chunk


def _starts_zstd_frame(packed: bytes) -> bool:
    """Say whether bytes begin like a frame, or like one to be skipped; fewer than four may."""
    first = packed[:1]
    is_skipped = b"\x50" <= first <= b"\x5f" and ZSTD_SKIPPED.startswith(packed[1:4])
    return is_skipped or ZSTD_MAGIC.startswith(packed[:4])


def source_of_bytes(content: bytes, name: str = "trace") -> ByteSource:
    """Return a source over bytes in memory, for previews and tests."""
    raw = tempfile.TemporaryFile()  # noqa: SIM115 - the source closes it
    raw.write(content)
    raw.seek(0, io.SEEK_SET)
    return ByteSource(raw, name)
