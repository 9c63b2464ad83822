"""Opening a trace: a regular file, unpacked by its content, in bounded memory."""

import io
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import zstandard
from isal import isal_zlib

from darkgnn_core.errors import TraceError

HEAD_BYTES = 64 * 1024
CHUNK_BYTES = 1 << 20
BOMB_BYTES = 64 << 20
BOMB_RATIO = 200
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
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


def _not_regular(path: Path) -> TraceError:
    return TraceError(
        f"{path.name}: not a regular file. Give a plain file (not a link, pipe, device or folder).",
        code="NOT-A-REGULAR-FILE",
    )


class ByteSource:
    """The bytes of a trace, decompressed as they are read.

    A cut or damaged compressed stream ends the bytes early and is told by `trouble`, so that what
    came before it is kept. Bytes after the last gzip member are left out and told likewise.

    Args:
        raw: An open binary file, at its start.
        name: What messages call it.

    Attributes:
        size: Bytes of the file as it was when opened.
        compression: `gzip`, `zstd` or empty.
        trouble: Code of what ended the bytes early (`GZIP-CUT`, `GZIP-TRAILING`, `ZSTD-CUT`), or
            empty.
    """

    def __init__(self, raw: BinaryIO, name: str) -> None:
        self.raw = raw
        self.name = name
        self.size = os.fstat(raw.fileno()).st_size
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
        left = self.size  # a file that grows while it is read is read to where it ended at first
        while left > 0 and (chunk := self.raw.read(min(CHUNK_BYTES, left))):
            left -= len(chunk)
            yield chunk

    def _gzip_chunks(self) -> Iterator[bytes]:
        unpack: Any = isal_zlib.decompressobj(wbits=31)
        pending = b""
        while True:
            packed = pending or self.raw.read(CHUNK_BYTES // 4)
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
        reader = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(
            self.raw, read_across_frames=True, closefd=False
        )
        while True:
            try:
                chunk = reader.read(CHUNK_BYTES)
            except zstandard.ZstdError:
                self.trouble = "ZSTD-DAMAGED"
                return
            if not chunk:
                return
            yield self._counted(chunk)

    def _counted(self, chunk: bytes) -> bytes:
        self.unpacked += len(chunk)
        if self.unpacked > BOMB_BYTES and self.unpacked > BOMB_RATIO * max(self.position, 1):
            raise TraceError(
                f"{self.name}: unpacks to more than {BOMB_RATIO} times its size. Traces do not; "
                "this looks like a decompression bomb and was not read.",
                code="BOMB",
            )
        return chunk


def source_of_bytes(content: bytes, name: str = "trace") -> ByteSource:
    """Return a source over bytes in memory, for previews and tests."""
    raw = tempfile.TemporaryFile()  # noqa: SIM115 - the source closes it
    raw.write(content)
    raw.seek(0, io.SEEK_SET)
    return ByteSource(raw, name)
