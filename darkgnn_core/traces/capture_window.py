"""The unread end of a capture: a padded stretch of bytes that moves along the file."""

import numpy as np
from numpy.typing import NDArray

from darkgnn_core.traces.opening import ByteSource

CHUNK_BYTES = 8 << 20
MAX_FRAME_BYTES = 262_144
PADDING = bytes(256)


class Window:
    """A stretch of a source, `CHUNK_BYTES` or so, followed by zeros.

    The zeros let a vectorised reader look a few bytes beyond the last frame without a check.

    Args:
        source: Where the bytes come from.
        chunk_bytes: How much to hold at once.

    Attributes:
        data: The bytes at hand, then `PADDING`.
        size: Number of bytes at hand, without the padding.
        base: Place in the file (decompressed) of the first byte at hand.
        ended: Whether the source has no more.
    """

    def __init__(self, source: ByteSource, chunk_bytes: int = CHUNK_BYTES) -> None:
        self._source = source
        self._chunk_bytes = chunk_bytes
        self.data = PADDING
        self.size = 0
        self.base = 0
        self.ended = False
        self.advance(0)

    def advance(self, used: int, *, at_least: int = 0) -> None:
        """Let go of the first `used` bytes and top up.

        Args:
            used: Bytes that need not be seen again.
            at_least: Bytes to hold afterwards, unless the source ends; for a record larger than
                a chunk.
        """
        wanted = max(self._chunk_bytes + used - self.size, at_least + used - self.size, 1)
        more = self._source.read(wanted) if not self.ended else b""
        self.ended = self.ended or len(more) < wanted
        self.data = b"".join((memoryview(self.data)[used : self.size], more, PADDING))
        self.base += used
        self.size = len(self.data) - len(PADDING)

    def content(self) -> NDArray[np.uint8]:
        """Return all bytes at hand with the padding, uint8 (size + padding,), read-only."""
        return np.frombuffer(self.data, dtype=np.uint8)


def rows_at(
    content: NDArray[np.uint8], places: NDArray[np.int64], layout: np.dtype[np.void]
) -> NDArray[np.void]:
    """Copy one fixed layout from many places, aligned or not.

    Args:
        content: uint8 (bytes,), with at least `layout.itemsize` bytes after the last place.
        places: int64 (n,) of first bytes.
        layout: Structured type, as in the file.

    Returns:
        Records (n,) of `layout`.

    Example:
        >>> two = np.dtype([("a", ">u2")])
        >>> rows_at(np.arange(9, dtype=np.uint8), np.array([0, 3]), two)["a"].tolist()
        [1, 772]
    """
    return anywhere(content, layout.itemsize)[places].view(layout)


def anywhere(content: NDArray[np.uint8], width: int) -> NDArray[np.void]:
    """Return a view (bytes - width + 1,) whose item i is the `width` bytes from byte i on."""
    return np.lib.stride_tricks.as_strided(
        content[:width].view(f"V{width}"), shape=(len(content) - width + 1,), strides=(1,)
    )
