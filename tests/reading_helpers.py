"""Reading small texts as traces, for the tests of the text readers."""

import gzip
from typing import Any

import pyarrow as pa

from darkgnn_core.traces.addresses import address_text
from darkgnn_core.traces.formats import detect
from darkgnn_core.traces.opening import source_of_bytes
from darkgnn_core.traces.packets import SCHEMA
from darkgnn_core.traces.reading import Format, ReadOptions, Tally


def read_bytes(
    content: bytes, trace_format: Format | None = None, **options: Any
) -> tuple[list[dict[str, Any]], Tally]:
    """Read bytes as a trace (its format found by content), checking the tally at each yield."""
    source = source_of_bytes(content, "test.log")
    tally = Tally()
    batches = []
    with source.raw:
        found = trace_format or detect(source)
        for batch in found.read(source, ReadOptions(**options), tally):
            assert batch.schema == SCHEMA
            assert tally.read == tally.kept + sum(tally.skipped.values())
            batches.append(batch)
            assert tally.packets == sum(batch.num_rows for batch in batches)
    assert tally.read == tally.kept + sum(tally.skipped.values())
    rows = pa.Table.from_batches(batches, SCHEMA).to_pylist()
    for row in rows:
        for name in ("src_ip", "dst_ip"):
            row[name] = None if row[name] is None else address_text(row[name])
    return rows, tally


def read_text(text: str, **options: Any) -> tuple[list[dict[str, Any]], Tally]:
    """Read a text as a trace."""
    return read_bytes(text.encode(), **options)


def packed(text: str) -> bytes:
    """Return a text inside gzip."""
    return gzip.compress(text.encode(), mtime=0)
