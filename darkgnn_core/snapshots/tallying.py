"""Everything that is read of a time bin, counted as it comes: kinds, hours, senders of an hour."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from darkgnn_core.snapshots.arrays import hours_of, present, values_of
from darkgnn_core.snapshots.bins import Bin
from darkgnn_core.snapshots.filtering import BACKSCATTER, COUNTS, NOT_TCP, are_bogons
from darkgnn_core.snapshots.sorted_counts import SortedCounts
from darkgnn_core.snapshots.sorting import count_pairs

LOW_HALF = np.uint64(2**32 - 1)


@dataclass(eq=False)
class Tally:
    """What was read, before any filter.

    Attributes:
        time_bin: The bin.
        senders: Each sender and hour in which it sent, packed: address << 32 | hour.
        packets: int64 (hours,), packets read.
        backscatter: int64 (hours,), of them TCP answers.
        not_tcp: Packets that are not TCP.
        no_port: TCP packets without a port.
        bogons: TCP packets that are no answers, of senders that cannot be routed.
        bogon_answers: TCP answers of such senders.
    """

    time_bin: Bin
    senders: SortedCounts
    packets: npt.NDArray[np.int64] = field(init=False)
    backscatter: npt.NDArray[np.int64] = field(init=False)
    not_tcp: int = 0
    no_port: int = 0
    bogons: int = 0
    bogon_answers: int = 0

    @classmethod
    def of_bin(cls, time_bin: Bin, directory: Path, limit: int) -> "Tally":
        """Start with nothing read; at most about `limit` senders and hours stay in memory."""
        return cls(time_bin, SortedCounts(directory, "senders", limit))

    def __post_init__(self) -> None:
        """Start all hours at 0."""
        self.packets = np.zeros(self.time_bin.hours, np.int64)
        self.backscatter = np.zeros(self.time_bin.hours, np.int64)

    def add(self, batch: pa.RecordBatch, kinds: npt.NDArray[np.uint8]) -> None:
        """Count a batch, whose packets are of these kinds."""
        if not batch.num_rows:
            return
        hours = hours_of(batch, self.time_bin)
        with_port = present(batch, "dst_port")
        marks = kinds | np.uint8(4) if with_port is None else kinds | with_port * np.uint8(4)
        counts = count_pairs(values_of(batch, "src_ip"), hours << 3 | marks)
        kind, hour = counts.low & 3, (counts.low >> 3).astype(np.int64)
        self.packets += self._by_hour(hour, counts.n)
        answers = kind == BACKSCATTER
        self.backscatter += self._by_hour(hour[answers], counts.n[answers])
        self.not_tcp += int(counts.n[kind == NOT_TCP].sum())
        self.no_port += int(counts.n[(kind != NOT_TCP) & (counts.low & 4 == 0)].sum())
        bogus = are_bogons(counts.high.astype(np.uint32))
        self.bogons += int(counts.n[bogus & (kind == COUNTS)].sum())
        self.bogon_answers += int(counts.n[bogus & answers].sum())
        self.senders.add(counts.high.astype(np.uint64) << np.uint64(32) | hour.astype(np.uint64))

    def _by_hour(
        self, hour: npt.NDArray[np.int64], n: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        return np.bincount(hour, weights=n, minlength=self.time_bin.hours).astype(np.int64)

    def hosts(self) -> npt.NDArray[np.int64]:
        """Return how many different senders each hour has, int64 (hours,)."""
        hosts = np.zeros(self.time_bin.hours, np.int64)
        for keys, _ in self.senders:
            hosts += np.bincount((keys & LOW_HALF).view(np.int64), minlength=len(hosts))
        return hosts
