"""pcapng: sections, interfaces and packet blocks, kept up to where they are damaged."""

import time
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from darkgnn_core.errors import TraceError
from darkgnn_core.traces.capture_blocks import MIN_SECTION_BYTES, ORDERS, BlockReader, BlockWalk
from darkgnn_core.traces.capture_times import to_nanoseconds
from darkgnn_core.traces.capture_window import CHUNK_BYTES, Window
from darkgnn_core.traces.frame_links import LINKS
from darkgnn_core.traces.frame_values import Frames, Verdicts
from darkgnn_core.traces.frames import decode
from darkgnn_core.traces.opening import ByteSource
from darkgnn_core.traces.packets import DAY_NS
from darkgnn_core.traces.pcap import SLICE_ROWS, tell_end, unsupported_link
from darkgnn_core.traces.reading import Format, ReadOptions, Tally

MAX_NAMED_LINKS = 16
SECTION_MAGIC = b"\x0a\x0d\x0d\x0a"


def sniff(head: bytes) -> bool:
    """Say whether the first bytes are those of a pcapng section, whole or cut."""
    return head[:4] == SECTION_MAGIC and (len(head) < 12 or head[8:12] in ORDERS)


def read(source: ByteSource, options: ReadOptions, tally: Tally) -> Iterator[pa.RecordBatch]:
    """Yield the packets of a pcapng capture, of all its sections and interfaces.

    Frames of interfaces whose link type is not read are counted as `unsupported_link`, simple
    packets as `no_time`. A capture that ends within a block, or whose blocks stop making sense,
    gives what came before, the note `PCAP-CUT` or `PCAP-DAMAGED`, and the place in
    `facts["trouble"]`.

    Args:
        source: At its start.
        options: None is used.
        tally: Counts packet blocks.

    Raises:
        TraceError: `EMPTY`, `PCAP-CUT` (within the first section header),
            `LINKTYPE-UNSUPPORTED` (no frame is of a link type that is read).

    Source:
        IETF draft-ietf-opsawg-pcapng; promises P1 to P29 of the project's bad-input table.
    """
    yield from read_chunks(source, tally, chunk_bytes=CHUNK_BYTES)


def read_chunks(source: ByteSource, tally: Tally, *, chunk_bytes: int) -> Iterator[pa.RecordBatch]:
    """Do as `read`, with `chunk_bytes` at a time in memory."""
    _check_start(source)
    latest_ns = time.time_ns() + DAY_NS
    window = Window(source, chunk_bytes)
    blocks = BlockReader()
    links: set[int] = set()
    while True:
        walk = blocks.walk(window.data, window.size)
        yield from _decode_walk(window, walk, links, tally, latest_ns)
        if walk.damaged or window.ended:
            break
        window.advance(walk.end, at_least=walk.needed)
    if tally.read and tally.read == tally.skipped["unsupported_link"]:
        raise unsupported_link(source.name, sorted(links))
    place = window.base + walk.end
    tell_end(source, tally, place=place, damaged=walk.damaged, cut=walk.end < window.size)


def _check_start(source: ByteSource) -> None:
    head = source.peek(MIN_SECTION_BYTES)
    if not head:
        raise TraceError(f"{source.name}: the file is empty.", code="EMPTY")
    if len(head) < MIN_SECTION_BYTES:
        raise TraceError(
            f"{source.name}: a pcapng capture that was cut after {len(head)} bytes, within its "
            "section header. Copy it again.",
            code="PCAP-CUT",
        )


def _decode_walk(
    window: Window, walk: BlockWalk, links: set[int], tally: Tally, latest_ns: int
) -> Iterator[pa.RecordBatch]:
    packets, content = walk.packets, window.content()
    of_interface = [(each.link, each.resolution, each.offset_s) for each in walk.interfaces]
    columns = np.array(of_interface, dtype=np.int64).reshape(-1, 3)
    for first in range(0, len(packets.start), SLICE_ROWS):
        part = slice(first, first + SLICE_ROWS)
        link, resolution, offset_s = columns[packets.interface[part]].T
        links.update(np.unique(link).tolist())
        names = [LINKS.get(each, str(each)) for each in sorted(links)[:MAX_NAMED_LINKS]]
        tally.facts["link_types"] = sorted(set(names))
        verdicts = Verdicts(len(link))
        verdicts.leave_out(~np.isin(link, list(LINKS)), "unsupported_link")
        verdicts.leave_out(packets.is_simple[part], "no_time")
        frames = Frames(
            content=content,
            start=packets.start[part],
            captured=packets.captured[part],
            original=packets.original[part],
            ts_ns=to_nanoseconds(packets.ticks[part], resolution.astype(np.uint8), offset_s),
            links=link,
        )
        yield decode(frames, verdicts, tally, latest_ns=latest_ns)


PCAPNG = Format(name="pcapng", title="Packet capture (pcapng)", sniff=sniff, read=read)
