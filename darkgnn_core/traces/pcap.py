"""Classic pcap: both byte orders, micro- and nanoseconds, kept up to where it is damaged."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct

import numpy as np
import pyarrow as pa

from darkgnn_core.errors import TraceError
from darkgnn_core.traces.capture_walk import RecordLayout, Walk, walk_records
from darkgnn_core.traces.capture_window import CHUNK_BYTES, Window, rows_at
from darkgnn_core.traces.frame_links import LINKS
from darkgnn_core.traces.frame_values import Frames, Verdicts
from darkgnn_core.traces.frames import decode
from darkgnn_core.traces.opening import ByteSource
from darkgnn_core.traces.packets import DAY_NS
from darkgnn_core.traces.reading import Format, ReadOptions, Tally

FILE_HEADER_BYTES = 24
SLICE_ROWS = 1 << 16
LINK_BITS = 0x03FF_FFFF  # above them stands the length of the frame check sequence
MAJOR_VERSION = 2
MICROSECONDS, NANOSECONDS, MODIFIED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34
MAGICS = {
    Struct(order + "I").pack(magic): (order, magic)
    for order in "<>"
    for magic in (MICROSECONDS, NANOSECONDS, MODIFIED)
}


@dataclass(frozen=True)
class FileHeader:
    """What the first 24 bytes of a classic capture say.

    Attributes:
        layout: How records are written.
        tick_ns: Nanoseconds a unit of the fraction of a second: 1000 or 1.
        link: Link type of all frames.
    """

    layout: RecordLayout
    tick_ns: int
    link: int


def sniff(head: bytes) -> bool:
    """Say whether the first bytes are those of a classic capture, whole or cut."""
    return head[:4] in MAGICS


def read(source: ByteSource, options: ReadOptions, tally: Tally) -> Iterator[pa.RecordBatch]:
    """Yield the packets of a classic capture.

    A capture that ends in the middle of a record, or whose records stop making sense, gives what
    came before, the note `PCAP-CUT` or `PCAP-DAMAGED`, and the place in `facts["trouble"]`.

    Args:
        source: At its start.
        options: None is used.
        tally: Counts records.

    Raises:
        TraceError: `EMPTY`, `PCAP-CUT` (within the file header), `PCAP-DAMAGED` (a version that
            never was), `LINKTYPE-UNSUPPORTED`.

    Source:
        IETF draft-ietf-opsawg-pcap; promises P1 to P29 of the project's bad-input table.
    """
    yield from read_chunks(source, tally, chunk_bytes=CHUNK_BYTES)


def read_chunks(source: ByteSource, tally: Tally, *, chunk_bytes: int) -> Iterator[pa.RecordBatch]:
    """Do as `read`, with `chunk_bytes` at a time in memory."""
    header = read_file_header(source)
    tally.facts["link_type"] = LINKS[header.link]
    tally.facts["resolution"] = "ns" if header.tick_ns == 1 else "us"
    latest_ns = time.time_ns() + DAY_NS
    window = Window(source, chunk_bytes)
    while True:
        walk = walk_records(window.data, window.size, header.layout)
        yield from _decode_walk(window, walk, header, tally, latest_ns)
        if walk.damaged or window.ended:
            break
        window.advance(walk.end, at_least=walk.needed)
    place = FILE_HEADER_BYTES + window.base + walk.end
    tell_end(source, tally, place=place, damaged=walk.damaged, cut=walk.end < window.size)


def read_file_header(source: ByteSource) -> FileHeader:
    """Take the first 24 bytes.

    Raises:
        TraceError: As `read`.
    """
    head = source.read(FILE_HEADER_BYTES)
    if not head:
        raise TraceError(f"{source.name}: the file is empty.", code="EMPTY")
    if len(head) < FILE_HEADER_BYTES:
        raise TraceError(
            f"{source.name}: a capture that was cut after {len(head)} bytes, within its "
            f"{FILE_HEADER_BYTES}-byte header. Copy it again.",
            code="PCAP-CUT",
        )
    order, magic = MAGICS[head[:4]]
    major, minor, network = Struct(order + "4xHH12xI").unpack(head)
    if major != MAJOR_VERSION:
        raise TraceError(
            f"{source.name}: its header claims version {major}.{minor} of the capture format; "
            "versions 2.x are read. The file is damaged or not a capture.",
            code="PCAP-DAMAGED",
        )
    link = network & LINK_BITS
    if link not in LINKS:
        raise unsupported_link(source.name, [link])
    layout = RecordLayout(order, 24 if magic == MODIFIED else 16)
    return FileHeader(layout, 1 if magic == NANOSECONDS else 1000, link)


def unsupported_link(name: str, links: list[int]) -> TraceError:
    """Return the error for captures that hold nothing but link types that are not read."""
    known = ", ".join(f"{title} ({number})" for number, title in LINKS.items())
    numbers = ", ".join(str(link) for link in links[:8])
    return TraceError(
        f"{name}: its frames have link type {numbers}, which is not read. Read are: {known}. "
        "Capture on another interface, or convert the file.",
        code="LINKTYPE-UNSUPPORTED",
    )


def _decode_walk(
    window: Window, walk: Walk, header: FileHeader, tally: Tally, latest_ns: int
) -> Iterator[pa.RecordBatch]:
    content = window.content()
    for first in range(0, len(walk.starts), SLICE_ROWS):
        starts = walk.starts[first : first + SLICE_ROWS]
        record = rows_at(content, starts, header.layout.dtype)
        fraction = record["fraction"].astype(np.int64) * header.tick_ns
        tally.note("subsecond_overflow", int(np.count_nonzero(fraction >= 10**9)))
        frames = Frames(
            content=content,
            start=starts + header.layout.header_bytes,
            captured=record["captured"].astype(np.int64),
            original=record["original"].astype(np.int64),
            ts_ns=record["seconds"].astype(np.int64) * 10**9 + fraction,
            links=header.link,
        )
        yield decode(frames, Verdicts(len(starts)), tally, latest_ns=latest_ns)


def tell_end(source: ByteSource, tally: Tally, *, place: int, damaged: bool, cut: bool) -> None:
    """Note why the records ended, if not because the file did.

    Args:
        source: Read to its end.
        tally: Gets the notes, and in `facts["trouble"]` the packet (from 1) and the byte.
        place: Where the reader stopped, in bytes of the decompressed file.
        damaged: Whether what stands there makes no sense.
        cut: Whether something stands there.
    """
    if damaged or cut:
        tally.note("PCAP-DAMAGED" if damaged else "PCAP-CUT")
        tally.facts["trouble"] = f"at packet {tally.read + 1}, byte {place}"
    if source.trouble:
        tally.notes[source.trouble] = max(1, tally.notes[source.trouble])


PCAP = Format(name="pcap", title="Packet capture (pcap)", sniff=sniff, read=read)
