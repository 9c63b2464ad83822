"""Reading captures in tests, and what must hold whatever they contain."""

import pyarrow as pa

from darkgnn_core.traces import pcap, pcapng
from darkgnn_core.traces.opening import source_of_bytes
from darkgnn_core.traces.packets import SCHEMA
from darkgnn_core.traces.reading import ReadOptions, Tally


def read_capture(content: bytes, *, chunk_bytes: int | None = None) -> tuple[pa.Table, Tally]:
    """Read a capture, checking the contract of readers after every batch."""
    tally = Tally()
    source = source_of_bytes(content)
    module = next(each for each in (pcap, pcapng) if each.sniff(source.peek()))
    if chunk_bytes is None:
        batches = module.read(source, ReadOptions(), tally)
    else:
        batches = module.read_chunks(source, tally, chunk_bytes=chunk_bytes)
    kept = []
    try:
        for batch in batches:
            assert batch.schema.equals(SCHEMA)
            batch.validate(full=True)
            assert batch.num_rows <= 1 << 18
            kept.append(batch)
            assert tally.read == tally.kept + sum(tally.skipped.values())
            assert tally.kept == tally.packets == sum(each.num_rows for each in kept)
    finally:
        source.raw.close()
    assert tally.read == tally.kept + sum(tally.skipped.values())
    return pa.Table.from_batches(kept, schema=SCHEMA), tally


def rows_of(table: pa.Table) -> list[tuple]:
    """Return a table's rows as tuples in schema order."""
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def trouble_of(tally: Tally) -> str:
    """Return the one note on why the records ended early, or nothing."""
    (trouble,) = {"PCAP-CUT", "PCAP-DAMAGED"} & set(tally.notes) or {""}
    return trouble
