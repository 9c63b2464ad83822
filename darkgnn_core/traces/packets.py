"""The packet: the columns every reader gives, whatever the format it reads."""

import pyarrow as pa

SCHEMA = pa.schema(
    [
        pa.field("ts_ns", pa.int64(), nullable=False),
        pa.field("src_ip", pa.uint32(), nullable=False),
        pa.field("dst_ip", pa.uint32()),
        pa.field("src_port", pa.uint16()),
        pa.field("dst_port", pa.uint16()),
        pa.field("proto", pa.uint8(), nullable=False),
        pa.field("length", pa.uint32()),
        pa.field("tcp_flags", pa.uint8()),
        pa.field("ttl", pa.uint8()),
        pa.field("ip_id", pa.uint16()),
        pa.field("seq", pa.uint32()),
        pa.field("window", pa.uint16()),
        pa.field("mss", pa.uint16()),
        pa.field("ts_option", pa.uint32()),
        pa.field("mirai", pa.bool_()),
    ]
)
"""Columns of a packet table.

`ts_ns` UTC nanoseconds since 1970; addresses IPv4 as big-endian integers; `length` the IP total
length in bytes; `proto` the IP protocol number; `tcp_flags` the low eight TCP flag bits; `window`
unscaled; `mss` and `ts_option` (the sender's TSval) 0 where the packet carries no such option;
`mirai` whether the sequence number equals the destination address (Mirai's fingerprint).
Null means that the format does not carry the field or that the packet has none (no ports in ICMP).
"""

COLUMNS = tuple(SCHEMA.names)
TCP = 6
DAY_NS = 86_400 * 10**9


def empty_batch() -> pa.RecordBatch:
    """Return a batch of no packets."""
    return pa.RecordBatch.from_pylist([], schema=SCHEMA)


def packet_batch(columns: dict[str, pa.Array], *, rows: int) -> pa.RecordBatch:
    """Build a batch from the columns a format has; the others become null.

    Args:
        columns: Arrays of length `rows` by column name, already of the schema's type.
        rows: Number of packets.
    """
    arrays = [
        columns[field.name] if field.name in columns else pa.nulls(rows, field.type)
        for field in SCHEMA
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)
