"""Parquet tables of others: bounded before and while they are read, mapped like a CSV."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from darkgnn_core.errors import TraceError
from darkgnn_core.traces import mapping as mappings
from darkgnn_core.traces.assembling import Assembler
from darkgnn_core.traces.opening import BOMB_BYTES, BOMB_RATIO, ByteSource
from darkgnn_core.traces.packets import SCHEMA
from darkgnn_core.traces.reading import ColumnMapping, Format, ReadOptions, Tally
from darkgnn_core.traces.tables import check_column_count, listed
from darkgnn_core.traces.times import DECIMALS, in_range, local_offsets

MAGIC = b"PAR1"
MAX_ROWS = 1_000_000_000
MAX_ROW_GROUPS = 1_000
BATCH_ROWS = 65_536
FOOTER_BYTES = 64 << 20


def sniff(head: bytes) -> bool:
    """Say whether the bytes begin like Parquet."""
    return head.startswith(MAGIC)


@contextmanager
def _damage_named(name: str) -> Iterator[None]:
    try:
        yield
    except TraceError:
        raise
    except MemoryError as error:
        raise TraceError(
            f"{name}: reading this Parquet file takes more memory than one trace may use.",
            code="LIMIT",
        ) from error
    except (pa.ArrowException, OSError, ValueError) as error:
        raise TraceError(
            f"{name}: PARQUET-DAMAGED: the Parquet file is damaged or cut. Write it again.",
            code="PARQUET-DAMAGED",
        ) from error


def open_table(source: ByteSource) -> pq.ParquetFile:
    """Open a Parquet source and check its shape before a row is read.

    Raises:
        TraceError: `COMPRESSED` inside gzip or zstd; `PARQUET-DAMAGED`; `LIMIT` for more than
            1,000 row groups, 256 columns or 10^9 rows; `COLUMNS` for nested columns.
    """
    name = source.name
    if source.compression:
        raise TraceError(
            f"{name}: Parquet inside {source.compression} is not read; Parquet is compressed "
            "itself. Unpack it first.",
            code="COMPRESSED",
        )
    with _damage_named(name):
        table = pq.ParquetFile(
            source.raw,
            thrift_string_size_limit=FOOTER_BYTES,
            thrift_container_size_limit=1_000_000,
            page_checksum_verification=True,
        )
        schema = table.schema_arrow
    facts = table.metadata
    check_column_count(facts.num_columns, name)
    if facts.num_row_groups > MAX_ROW_GROUPS or not 0 <= facts.num_rows <= MAX_ROWS:
        raise TraceError(
            f"{name}: {facts.num_row_groups:,} row groups and {facts.num_rows:,} rows; at most "
            f"{MAX_ROW_GROUPS:,} and {MAX_ROWS:,} are read. Split it or write it again.",
            code="LIMIT",
        )
    nested = [column.name for column in schema if pa.types.is_nested(column.type)]
    if nested:
        raise TraceError(
            f"{name}: COLUMNS: nested columns {listed(nested)}; only flat tables are read.",
            code="COLUMNS",
        )
    if facts.num_rows == 0:
        raise TraceError(f"{name}: there are no rows in it.", code="NO-ROWS")
    return table


def is_packet_table(schema: pa.Schema) -> bool:
    """Say whether a table has the packet columns themselves, as this program writes them."""
    return all(
        field.name in schema.names and schema.field(field.name).type == field.type
        for field in SCHEMA
    )


def sample(table: pq.ParquetFile, *, count: int = 100) -> tuple[list[str], list[list[str]]]:
    """Return the column names and the first rows as text."""
    header = table.schema_arrow.names
    first = next(table.iter_batches(batch_size=count), None)
    if first is None:
        return header, []
    cells = [_shown(first.column(i).slice(0, count)) for i in range(first.num_columns)]
    return header, [list(row) for row in zip(*cells, strict=True)]


def _shown(column: pa.Array) -> list[str]:
    if pa.types.is_timestamp(column.type):
        return [text or "" for text in column.cast(pa.string()).to_pylist()]
    try:
        return [text[:200] if text else "" for text in _texts(column).to_pylist()]
    except (pa.ArrowException, UnicodeDecodeError):
        return [""] * len(column)


def guess_mapping(table: pq.ParquetFile, name: str) -> ColumnMapping:
    """Return the mapping that names and first rows suggest.

    Raises:
        TraceError: `COLUMNS` where the time or the source address is not found.
    """
    with _damage_named(name):
        header, rows = sample(table)
    mapping = mappings.guess(header, rows)
    advice = "Say which columns hold them (a column mapping)."
    mappings.require_columns(
        mapping, name, found=listed(header), advice=advice, address="src_ip, as text"
    )
    return mapping


def read(source: ByteSource, options: ReadOptions, tally: Tally) -> Iterator[pa.RecordBatch]:
    """Yield the packets of a Parquet table; see `traces.reading.Format`.

    Raises:
        TraceError: As `open_table`; `BOMB` where rows take more than 200 times the file's size;
            `COLUMNS`, `TIMEZONE`, `TIMES-MIXED`, `MAPPING`, `SENSORS`.
    """
    table = open_table(source)
    if options.mapping is None and is_packet_table(table.schema_arrow):
        for batch in _batches(table, source, SCHEMA.names):
            yield from _own_packets(batch, tally)
        return
    mapping = mappings.check(options.mapping or guess_mapping(table, source.name))
    _check_columns(table.schema_arrow, mapping, source.name)
    tally.facts["mapping"] = mappings.to_dict(mapping)
    assembler = Assembler(source.name, mapping.time_unit, options, tally)
    for batch in _batches(table, source, [name for _, name in mapping.columns]):
        columns = {}
        with _damage_named(source.name):
            for field, name in mapping.columns:
                column = batch.column(name)
                if field == "ts_ns":
                    columns["ts"] = _times(column, mapping.time_unit, options, tally, source.name)
                else:
                    columns[field] = _texts(column)
        yield from assembler.batches(columns, batch.num_rows)


def _check_columns(schema: pa.Schema, mapping: ColumnMapping, where: str) -> None:
    for field, name in mapping.columns:
        if schema.names.count(name) != 1:
            raise TraceError(
                f"{where}: COLUMNS: the column {name!r}, which should give {field}, is not there "
                f"or there twice. Columns found: {listed(schema.names)}.",
                code="COLUMNS",
            )
        kind = schema.field(name).type
        if field in ("src_ip", "dst_ip") and not _is_text(kind):
            raise TraceError(
                f"{where}: COLUMNS: the column {name!r} holds {kind}; addresses must be text such "
                "as 192.0.2.1.",
                code="COLUMNS",
            )


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _batches(
    table: pq.ParquetFile, source: ByteSource, columns: list[str]
) -> Iterator[pa.RecordBatch]:
    """Yield batches of some columns, counting their bytes as they come."""
    limit = max(BOMB_BYTES, BOMB_RATIO * source.size)
    taken = 0
    batches = table.iter_batches(batch_size=BATCH_ROWS, columns=columns, use_threads=False)
    while True:
        with _damage_named(source.name):
            batch = next(batches, None)
        if batch is None:
            return
        taken += batch.nbytes
        if taken > limit:
            raise TraceError(
                f"{source.name}: its rows take more than {BOMB_RATIO} times the file's size. "
                "Traces do not; this looks like a decompression bomb and was not read.",
                code="BOMB",
            )
        yield batch


def _own_packets(batch: pa.RecordBatch, tally: Tally) -> Iterator[pa.RecordBatch]:
    batch = pa.RecordBatch.from_arrays([batch.column(n) for n in SCHEMA.names], names=SCHEMA.names)
    whole = np.ones(batch.num_rows, bool)
    for name in ("ts_ns", "src_ip", "proto"):
        whole &= batch.column(name).is_valid().to_numpy(zero_copy_only=False)
    times = batch.column("ts_ns").fill_null(0).to_numpy(zero_copy_only=False)
    good = whole & in_range(times)
    tally.skip("bad_value", int((~whole).sum()))
    tally.skip("bad_time", int((whole & ~good).sum()))
    kept = batch.filter(pa.array(good))
    if kept.num_rows:
        tally.keep(kept.num_rows)
        yield pa.RecordBatch.from_arrays(kept.columns, schema=SCHEMA)


def _texts(column: pa.Array) -> pa.Array:
    """Return a column as strings; whole floats as whole numbers."""
    kind = column.type
    if pa.types.is_floating(kind):
        numbers = column.cast(pa.float64())
        whole = pc.and_(pc.equal(numbers, pc.floor(numbers)), pc.less(pc.abs(numbers), 2.0**53))
        none = pa.scalar(None, pa.float64())
        texts = pc.if_else(whole, numbers, none).cast(pa.int64()).cast(pa.string())
        return pc.coalesce(texts, _float_texts(numbers))
    return column.cast(pa.string())


def _float_texts(numbers: pa.Array) -> pa.Array:
    known = pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.float64()), numbers)
    return known.cast(pa.string())


def _times(column: pa.Array, unit: str, options: ReadOptions, tally: Tally, where: str) -> pa.Array:
    """Return times as text, or as int64 UTC nanoseconds where the column's type says what it is."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        ticks = column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
        per_s = 10**9 // 10 ** DECIMALS[kind.unit]
        seconds, rest = np.divmod(ticks, per_s)
        if kind.tz is None:
            offsets, notes = local_offsets(seconds, options.timezone, where=where)
            seconds = seconds - offsets
            for code, count in notes.items():
                tally.note(code, count)
        return _nanoseconds(seconds, rest * (10**9 // per_s))
    if pa.types.is_floating(kind) and unit in DECIMALS:
        tally.note("float_times", len(column))
        numbers: Any = column.cast(pa.float64()).fill_null(0).to_numpy(zero_copy_only=False)
        numbers = np.where(np.abs(numbers) < 1e19, numbers, 0)
        per_s = 10**9 // 10 ** DECIMALS[unit]
        seconds = np.floor(numbers / per_s)
        rest = np.round((numbers - seconds * per_s) * (10**9 // per_s))
        return _nanoseconds(seconds.astype(np.int64), rest.astype(np.int64))
    return column.cast(pa.string())


def _nanoseconds(seconds: Any, rest: Any) -> pa.Array:
    sane = (seconds >= 0) & (seconds < 2**33)
    return pa.array(np.where(sane, seconds, 0) * 10**9 + np.where(sane, rest, 0))


PARQUET = Format("parquet", "Parquet table", sniff, read)
