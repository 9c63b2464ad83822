"""Packets of a time bin from Parquet, and which of them the filters on single packets keep."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from darkgnn_core.config import SnapshotConfig
from darkgnn_core.snapshots.arrays import Bools, arrow_array, values_of
from darkgnn_core.snapshots.bins import Bin
from darkgnn_core.snapshots.bogons import bogon_ranges
from darkgnn_core.traces.packets import COLUMNS, SCHEMA, TCP

NOT_TCP, BACKSCATTER, COUNTS = range(3)
"""Kinds of packets: the first reason why a packet does not count, or that it does."""

SYN_ACK, RST = 18, 4

BATCH_ROWS = 2**16


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


def which_pass(batch: pa.RecordBatch, config: SnapshotConfig) -> Bools:
    """Return which packets the filters on single packets keep, by `FILTER_COLUMNS`."""
    return passing(batch, kinds_of(batch), config)


FILTER_COLUMNS = ("src_ip", "proto", "tcp_flags")
"""What `which_pass` looks at."""


def passing(batch: pa.RecordBatch, kinds: npt.NDArray[np.uint8], config: SnapshotConfig) -> Bools:
    """Return which packets stay, by their kinds and senders."""
    rows: Bools = kinds >= (BACKSCATTER if config.include_backscatter else COUNTS)
    if not config.include_bogons:
        rows &= ~are_bogons(values_of(batch, "src_ip"))
    return rows


def kinds_of(batch: pa.RecordBatch) -> npt.NDArray[np.uint8]:
    """Return the kind of each packet: `NOT_TCP`, `BACKSCATTER` or `COUNTS`, uint8 (rows,)."""
    flags = values_of(batch, "tcp_flags")
    answers = ((flags & SYN_ACK) == SYN_ACK) | ((flags & RST) == RST)
    kinds = np.where(answers, np.uint8(BACKSCATTER), np.uint8(COUNTS))
    kinds[values_of(batch, "proto") != TCP] = NOT_TCP
    return kinds


def are_bogons(addresses: npt.NDArray[np.uint32]) -> Bools:
    """Return which addresses cannot be routed, bool (n,)."""
    answer = np.zeros(len(addresses), np.bool_)
    for first, last in bogon_ranges():
        answer |= (addresses >= first) & (addresses <= last)
    return answer
