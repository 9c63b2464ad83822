"""The per-packet log of the paper: fields apart by spaces, a header, `-` for what is absent."""

from collections.abc import Iterator

import pyarrow as pa

from darkgnn_core.traces.delimited import data_lines, read_table
from darkgnn_core.traces.lines import refuse_utf16
from darkgnn_core.traces.opening import HEAD_BYTES, ByteSource
from darkgnn_core.traces.reading import ColumnMapping, Format, ReadOptions, Tally
from darkgnn_core.traces.tables import layout_of, split_line
from darkgnn_core.traces.times import unit_of

LOG_COLUMNS = {
    "ts": "ts_ns",
    "ethtype": "ethtype",
    "src_ip": "src_ip",
    "src_port": "src_port",
    "dst_ip": "dst_ip",
    "dst_port": "dst_port",
    "pck_len": "length",
    "tcp_flags": "tcp_flags",
    "mirai": "mirai",
    "tcp_seq": "seq",
    "ttl": "ttl",
    "t_mss": "mss",
    "t_win": "window",
    "t_ts": "ts_option",
    "t_sack": "",
    "t_sackp": "",
    "proto": "proto",
}
"""Field of a packet for each column of the log; the two SACK columns are not used.

Source: column names of the per-packet traces of Gioacchini et al. (paper section 3).
"""


def sniff(head: bytes) -> bool:
    """Say whether the header names columns of the log, and nothing else, in any order."""
    lines = data_lines(head)
    names = lines[0].split() if lines else []
    return (
        len(names) >= 3
        and {"ts", "src_ip"} <= set(names) <= set(LOG_COLUMNS)
        and len(set(names)) == len(names)
    )


def read(source: ByteSource, options: ReadOptions, tally: Tally) -> Iterator[pa.RecordBatch]:
    """Yield the packets of a per-packet log; see `traces.reading.Format`.

    The header is followed; runs of spaces and tabs are one separator. `ts` is seconds since 1970
    unless all samples say otherwise. Without a `proto` column TCP is assumed and noted.

    Raises:
        TraceError: `LIMIT`, `ENCODING`, `NO-ROWS`, `TIMEZONE`, `TIMES-MIXED`.
    """
    head = source.peek(HEAD_BYTES)
    refuse_utf16(head, source.name)
    lines = data_lines(head)
    header = lines[0].split()
    at = header.index("ts")
    samples = [
        cells[at] for cells in (split_line(line, " ") for line in lines[1:]) if at < len(cells)
    ]
    columns = tuple((LOG_COLUMNS[name], name) for name in header if LOG_COLUMNS[name])
    mapping = ColumnMapping(columns, unit_of(samples) or "s")
    layout = layout_of(header, " ", mapping, where=source.name)
    yield from read_table(source, options, tally, layout, mapping, lines[0])


PACKET_LOG = Format("packet_log", "Per-packet log", sniff, read)
