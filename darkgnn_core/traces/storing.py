"""Packets to disk: one Parquet file a UTC day, whatever the order they come in."""

from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from darkgnn_core.errors import TraceError
from darkgnn_core.traces.packets import DAY_NS, SCHEMA

ROW_GROUP = 1 << 17
BUFFERED_ROWS = 1 << 20
PLAIN_COLUMNS = ("ts_ns", "seq", "ip_id", "src_port", "mirai")


def day_name(day: int) -> str:
    """Return the ISO date of a day counted from 1970.

    >>> day_name(18_962)
    '2021-12-01'
    """
    return datetime.fromtimestamp(day * 86_400, UTC).date().isoformat()


class DayWriter:
    """Splits batches by the packets' own UTC day and writes `<day>.parquet` files.

    At most `BUFFERED_ROWS` packets wait in memory; a reader's order within a day is kept.

    Args:
        directory: Where the files go.
        max_days: Refuse more days than this.

    Attributes:
        packets: Packets written or waiting, by day name.
        first_ns: Time of the earliest packet, or None.
        last_ns: Time of the latest packet, or None.
    """

    def __init__(self, directory: Path, *, max_days: int) -> None:
        self.directory = directory
        self.max_days = max_days
        self.packets: dict[str, int] = {}
        self.first_ns: int | None = None
        self.last_ns: int | None = None
        self._writers: dict[int, pq.ParquetWriter] = {}
        self._waiting: dict[int, list[pa.RecordBatch]] = defaultdict(list)
        self._rows: dict[int, int] = defaultdict(int)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write what waits, unless the block raised, and close the files."""
        try:
            if kind is None:
                for day in list(self._waiting):
                    self._flush(day)
        finally:
            for writer in self._writers.values():
                writer.close()

    def write(self, batch: pa.RecordBatch) -> None:
        """Add a batch of `packets.SCHEMA`.

        Raises:
            TraceError: `LONG-SPAN` when the packets lie on more than `max_days` days.
        """
        if batch.num_rows == 0:
            return
        times = batch.column("ts_ns").to_numpy()
        first, last = int(times.min()), int(times.max())
        self.first_ns = first if self.first_ns is None else min(self.first_ns, first)
        self.last_ns = last if self.last_ns is None else max(self.last_ns, last)
        if first // DAY_NS == last // DAY_NS:
            self._add(first // DAY_NS, batch)
        else:
            days = times // DAY_NS
            for day in np.unique(days):
                self._add(int(day), batch.filter(pa.array(days == day)))
        while sum(self._rows.values()) > BUFFERED_ROWS:
            self._flush(max(self._rows, key=self._rows.__getitem__))

    def _add(self, day: int, batch: pa.RecordBatch) -> None:
        name = day_name(day)
        if name not in self.packets and len(self.packets) >= self.max_days:
            raise TraceError(
                f"The packets lie on more than {self.max_days} different days. If that is right, "
                "load it with a higher limit (Limits on the page Load data, or ingest "
                f"--max-days {2 * self.max_days}).",
                code="LONG-SPAN",
            )
        self.packets[name] = self.packets.get(name, 0) + batch.num_rows
        self._waiting[day].append(batch)
        self._rows[day] += batch.num_rows
        if self._rows[day] >= ROW_GROUP:
            self._flush(day)

    def _flush(self, day: int) -> None:
        batches = self._waiting.pop(day, [])
        self._rows.pop(day, None)
        if batches:
            self._writer(day).write_table(pa.Table.from_batches(batches), row_group_size=ROW_GROUP)

    def _writer(self, day: int) -> pq.ParquetWriter:
        if day not in self._writers:
            self._writers[day] = pq.ParquetWriter(
                self.directory / f"{day_name(day)}.parquet",
                SCHEMA,
                compression="zstd",
                compression_level=1,
                use_dictionary=[name for name in SCHEMA.names if name not in PLAIN_COLUMNS],
                write_page_checksum=True,
            )
        return self._writers[day]
