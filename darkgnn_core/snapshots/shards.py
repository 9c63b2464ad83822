"""Packets of a time bin from Parquet: filtered one by one, counted, and split by sender.

All packets of a sender lie in one shard, so whatever is counted by sender is counted in one place.
A bin that fits into memory is one shard; of a larger one the shards wait on disk.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from darkgnn_core.config import SnapshotConfig
from darkgnn_core.snapshots.bins import HOUR_NS, Bin
from darkgnn_core.snapshots.bogons import bogon_ranges
from darkgnn_core.snapshots.sorting import count_pairs
from darkgnn_core.traces.packets import COLUMNS, SCHEMA, TCP

NOT_TCP, BACKSCATTER, COUNTS = range(3)
"""Kinds of packets: the first reason why a packet does not count, or that it does."""

SYN_ACK, RST = 18, 4

BYTES_PER_PACKET = 140
"""Memory of a packet while its shard is counted: 40 as columns, the rest sort keys and copies."""

BATCH_ROWS = 2**16

_POOL = pa.system_memory_pool()
"""The default pool keeps what was freed: about 50 MB more at the peak of a day (measured)."""

_SCATTER = np.uint32(2_654_435_769)

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Shards:
    """The packets that pass the filters on single packets, by sender.

    Attributes:
        tally: Everything read: `src_ip`, `kind`, whether it has a port, `hour` of the bin, `n`.
        held: The packets, if they are one shard.
        paths: Else the files they wait in.
    """

    tally: pa.Table
    held: pa.Table | None
    paths: tuple[Path, ...]

    def __iter__(self) -> Iterator[pa.Table]:
        """Yield tables of `packets.SCHEMA`, one in memory at a time."""
        if self.held is not None:
            yield self.held
        for path in self.paths:
            yield _read_back(path)


def _read_back(path: Path) -> pa.Table:
    with pa.OSFile(str(path)) as file, pa.ipc.open_file(file, memory_pool=_POOL) as reader:
        return reader.read_all()


def arrow_array(values: npt.NDArray[Any]) -> pa.Array:
    """Return a numpy array as an Arrow array; `pa.array` would import pandas for it."""
    rows = len(values)
    if values.dtype == np.bool_:
        bits = np.packbits(values, bitorder="little")
        return pa.Array.from_buffers(pa.bool_(), rows, [None, pa.py_buffer(bits)])
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, rows, [None, pa.py_buffer(np.ascontiguousarray(values))])


def numpy_array(values: pa.Array) -> npt.NDArray[Any]:
    """Return an Arrow array as a numpy array, anything in place of null.

    `to_numpy` would import pandas, which takes half a second and 45 MB.
    """
    data, part = values.buffers()[1], slice(values.offset, values.offset + len(values))
    if data is None:
        return np.zeros(0, values.type.to_pandas_dtype())
    if pa.types.is_boolean(values.type):
        bits = np.frombuffer(data, np.uint8)
        return np.unpackbits(bits, count=part.stop, bitorder="little").view(np.bool_)[part]
    return np.frombuffer(data, values.type.to_pandas_dtype())[part]


def arrow_table(columns: Mapping[str, npt.NDArray[Any]]) -> pa.Table:
    """Return arrays of one length as a table."""
    arrays = [arrow_array(values) for values in columns.values()]
    return pa.Table.from_arrays(arrays, names=list(columns))


def whole(table: pa.Table | pa.RecordBatch, name: str) -> pa.Array:
    """Return a column in one piece."""
    column = table.column(name)
    if isinstance(column, pa.ChunkedArray):
        return column.combine_chunks(memory_pool=_POOL)
    return column


def values_of(table: pa.Table | pa.RecordBatch, name: str) -> npt.NDArray[Any]:
    """Return a column as an array of its own type, 0 in place of null."""
    return _filled(whole(table, name))


def _filled(column: pa.Array) -> npt.NDArray[Any]:
    values = numpy_array(column)
    if not column.null_count:
        return values
    return np.where(numpy_array(column.is_valid()), values, values.dtype.type(0))


def hours_of(table: pa.Table | pa.RecordBatch, time_bin: Bin) -> npt.NDArray[np.uint32]:
    """Return in which hour of the bin each packet came, uint32 (rows,)."""
    hours = values_of(table, "ts_ns") - time_bin.start_ns
    hours //= HOUR_NS
    return hours.astype(np.uint32)


def encoded(table: pa.Table, name: str) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int32]]:
    """Return the different values of a column of addresses, and of each row which it has.

    Returns:
        Values uint32 in any order, and int32 (rows,) places among them, 0 in place of null.
    """
    column = pc.dictionary_encode(whole(table, name), memory_pool=_POOL)
    return numpy_array(column.dictionary), _filled(column.indices)


def present(table: pa.Table | pa.RecordBatch, *names: str) -> Bools | None:
    """Return where none of these columns is null; None where all rows have them."""
    answer = None
    for name in names:
        column = table.column(name)
        if column.null_count:
            here = numpy_array(whole(table, name).is_valid())
            answer = here if answer is None else answer & here
    return answer


def read_shards(
    files: Sequence[Path],
    time_bin: Bin,
    config: SnapshotConfig,
    *,
    directory: Path,
    memory_mb: int,
    threads: int,
) -> Shards:
    """Read the packets of a bin, each file once, and keep those that pass.

    Args:
        files: Parquet files of `packets.SCHEMA`.
        time_bin: Rows outside it are passed over.
        config: Which kinds of packets stay.
        directory: Where shards wait if there are several.
        memory_mb: Memory for one shard and what is counted of it, MiB.
        threads: More than one lets columns be decoded side by side.
    """
    rows = sum(pq.read_metadata(path).num_rows for path in files)
    count = max(1, -(-rows * BYTES_PER_PACKET // (memory_mb * 2**20)))
    batches = (
        batch for path in files for batch in read_batches(path, time_bin, use_threads=threads > 1)
    )
    tallies: list[pa.Table] = []
    passing = _pass(batches, time_bin, config, tallies)
    if count == 1:
        held = pa.Table.from_batches(passing, schema=SCHEMA)
        return Shards(_merged(tallies), held, ())
    paths = tuple(directory / f"shard-{number}.arrow" for number in range(count))
    _spill(passing, paths)
    return Shards(_merged(tallies), None, paths)


def read_batches(
    path: Path,
    time_bin: Bin,
    *,
    columns: Sequence[str] = COLUMNS,
    use_threads: bool = False,
) -> Iterator[pa.RecordBatch]:
    """Yield the packets of a bin that a Parquet file of `packets.SCHEMA` holds, as it has them.

    Args:
        path: The file.
        time_bin: Rows outside it are passed over.
        columns: Which columns; `ts_ns` among them.
        use_threads: Decode columns side by side.
    """
    schema = pa.schema([SCHEMA.field(name) for name in columns])
    with pq.ParquetFile(path, page_checksum_verification=True, pre_buffer=False) as file:
        for batch in file.iter_batches(BATCH_ROWS, columns=columns, use_threads=use_threads):
            packets = pa.RecordBatch.from_arrays([batch[name] for name in columns], schema=schema)
            times = values_of(packets, "ts_ns")
            yield _only(packets, (times >= time_bin.start_ns) & (times < time_bin.end_ns))


def _only(batch: pa.RecordBatch, rows: Bools) -> pa.RecordBatch:
    return batch if rows.all() else batch.filter(arrow_array(rows))


def _pass(
    batches: Iterator[pa.RecordBatch],
    time_bin: Bin,
    config: SnapshotConfig,
    tallies: list[pa.Table],
) -> Iterator[pa.RecordBatch]:
    """Count each batch into `tallies` and yield the rows that pass."""
    for batch in batches:
        kinds = _kinds(batch)
        tallies.append(_tally(batch, kinds, time_bin))
        yield pc.filter(batch, arrow_array(_passing(batch, kinds, config)), memory_pool=_POOL)


def which_pass(batch: pa.RecordBatch, config: SnapshotConfig) -> Bools:
    """Return which packets the filters on single packets keep, by `FILTER_COLUMNS`."""
    return _passing(batch, _kinds(batch), config)


FILTER_COLUMNS = ("src_ip", "proto", "tcp_flags")
"""What `which_pass` looks at."""


def _passing(batch: pa.RecordBatch, kinds: npt.NDArray[np.uint8], config: SnapshotConfig) -> Bools:
    rows: Bools = kinds >= (BACKSCATTER if config.include_backscatter else COUNTS)
    if not config.include_bogons:
        rows &= ~_are_bogons(values_of(batch, "src_ip"))
    return rows


def _kinds(batch: pa.RecordBatch) -> npt.NDArray[np.uint8]:
    flags = values_of(batch, "tcp_flags")
    answers = ((flags & SYN_ACK) == SYN_ACK) | ((flags & RST) == RST)
    kinds = np.where(answers, np.uint8(BACKSCATTER), np.uint8(COUNTS))
    kinds[values_of(batch, "proto") != TCP] = NOT_TCP
    return kinds


def _are_bogons(addresses: npt.NDArray[np.uint32]) -> Bools:
    answer = np.zeros(len(addresses), np.bool_)
    for first, last in bogon_ranges():
        answer |= (addresses >= first) & (addresses <= last)
    return answer


def _tally(batch: pa.RecordBatch, kinds: npt.NDArray[np.uint8], time_bin: Bin) -> pa.Table:
    hours = hours_of(batch, time_bin)
    with_port = present(batch, "dst_port")
    marks = kinds | np.uint8(4) if with_port is None else kinds | with_port * np.uint8(4)
    counts = count_pairs(values_of(batch, "src_ip"), hours << 3 | marks)
    return arrow_table(
        {
            "src_ip": counts.high.astype(np.uint32),
            "kind": (counts.low & 3).astype(np.uint8),
            "with_port": (counts.low & 4) > 0,
            "hour": (counts.low >> 3).astype(np.int32),
            "n": counts.n,
        }
    )


def _merged(tallies: list[pa.Table]) -> pa.Table:
    if not tallies:
        tallies = [_tally(SCHEMA.empty_table(), np.zeros(0, np.uint8), Bin(0))]
    return pa.concat_tables(tallies)


def _spill(batches: Iterator[pa.RecordBatch], paths: Sequence[Path]) -> None:
    files = [pa.OSFile(str(path), "wb") for path in paths]
    writers = [pa.ipc.new_file(file, SCHEMA) for file in files]
    try:
        for batch in batches:
            shard = _scattered(values_of(batch, "src_ip"), len(paths))
            for number, writer in enumerate(writers):
                writer.write_batch(batch.filter(arrow_array(shard == number)))
    finally:
        for end in (*writers, *files):
            end.close()


def _scattered(addresses: npt.NDArray[np.uint32], shards: int) -> npt.NDArray[np.uint32]:
    """Return the shard of each address; neighbours, as scanners are, go apart."""
    return ((addresses * _SCATTER) >> np.uint32(8)) % np.uint32(shards)
