"""The formats that can be read, and how one is told from another: by content, never by name."""

from darkgnn_core.errors import TraceError
from darkgnn_core.traces.delimited import DELIMITED
from darkgnn_core.traces.iptables import IPTABLES
from darkgnn_core.traces.jsonl import JSONL
from darkgnn_core.traces.lines import refuse_utf16
from darkgnn_core.traces.opening import HEAD_BYTES, ByteSource
from darkgnn_core.traces.packet_log import PACKET_LOG
from darkgnn_core.traces.parquet import PARQUET
from darkgnn_core.traces.pcap import PCAP
from darkgnn_core.traces.pcapng import PCAPNG
from darkgnn_core.traces.reading import Format
from darkgnn_core.traces.zeek import ZEEK

BINARY: tuple[Format, ...] = (PCAP, PCAPNG, PARQUET)
FORMATS: tuple[Format, ...] = (
    *BINARY,
    ZEEK,
    JSONL,
    IPTABLES,
    PACKET_LOG,
    DELIMITED,
)
"""All formats, the surest to recognise first."""


def detect(source: ByteSource) -> Format:
    """Return the format of a source by its first 64 KiB, unpacked.

    Raises:
        TraceError: `EMPTY`; `ENCODING` for UTF-16 text; `NOT-A-CAPTURE` for other binary content;
            `NOT-A-TRACE` for text that is none of the formats.
    """
    head = source.peek(HEAD_BYTES)
    if not head:
        raise TraceError(f"{source.name}: the file is empty.", code="EMPTY")
    binary = is_binary(head)
    for known in BINARY if binary else FORMATS:
        if known.sniff(head):
            return known
    refuse_utf16(head, source.name)
    if binary:
        raise TraceError(
            f"{source.name}: binary content that is no capture (pcap, pcapng) and no Parquet file.",
            code="NOT-A-CAPTURE",
        )
    if not head.strip():
        raise TraceError(f"{source.name}: there are only empty lines in it.", code="EMPTY")
    titles = ", ".join(known.title for known in FORMATS)
    raise TraceError(f"{source.name}: not a trace. These are read: {titles}.", code="NOT-A-TRACE")


def is_binary(head: bytes) -> bool:
    """Say whether bytes are no text: a NUL in the first line, or 2 % control characters.

    A log with a NUL somewhere in a later line is a log; its line is counted as bad.
    """
    controls = sum(head.count(code) for code in (*range(9), *range(14, 32), 127))
    return b"\0" in head[:1024].partition(b"\n")[0] or controls * 50 > len(head)


def format_named(name: str) -> Format:
    """Return the format of a name such as `pcap`.

    Raises:
        TraceError: `NO-SUCH-FORMAT`.
    """
    for known in FORMATS:
        if known.name == name:
            return known
    names = ", ".join(known.name for known in FORMATS)
    raise TraceError(f"There is no format {name!r}; there are {names}.", code="NO-SUCH-FORMAT")
