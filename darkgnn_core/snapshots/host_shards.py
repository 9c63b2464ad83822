"""The packets of chosen hosts, shard by shard, as often as asked, repeats taken away if wanted."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from darkgnn_core.config import SnapshotConfig
from darkgnn_core.snapshots.arrays import arrow_array, values_of
from darkgnn_core.snapshots.counting import Packets
from darkgnn_core.snapshots.repeats import count_repeats, without_repeats, write_unrepeated
from darkgnn_core.snapshots.shards import Giant, Shards, scattered

BYTES_PER_HOST = 700
"""What is counted of a host takes about so much."""


@dataclass(eq=False)
class HostShards:
    """The packets of chosen hosts; where they are one shard it is kept.

    Attributes:
        connection: Database that takes repeats away, where the settings say so.
        shards: The packets.
        config: The settings.
        directory: Where packets without repeats wait.
        memory_mb: Memory for the packets and what is counted of them, MiB; half of it is for the
            counts of the hosts that are counted at once.
    """

    connection: duckdb.DuckDBPyConnection
    shards: Shards
    config: SnapshotConfig
    directory: Path
    memory_mb: int
    _only: Packets | None = None
    _unrepeated: dict[int, Giant] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Packets | Giant]:
        """Yield the packets of each shard."""
        if self.shards.held is not None:
            if self._only is None:
                self._only = self._packets(self.shards.held)
            yield from self._pieces(self._only)
            return
        for shard in self.shards:
            if isinstance(shard, Giant):
                yield self._giant(shard)
            else:
                yield from self._pieces(self._packets(shard))

    def _packets(self, table: pa.Table) -> Packets:
        if self.config.drop_duplicates:
            table = without_repeats(self.connection, table)
        return Packets.of_table(table, self.config.min_packets)

    def _pieces(self, packets: Packets) -> Iterator[Packets]:
        """Yield the packets of a shard, of so many hosts at once as memory allows."""
        count = -(-len(packets.hosts) * BYTES_PER_HOST * 2 // (self.memory_mb * 2**20))
        if count <= 1:
            yield packets
            return
        table = packets.table
        places = scattered(values_of(table, "src_ip"), count, again=1)
        del packets
        for place in range(count):
            yield Packets.of_table(
                table.filter(arrow_array(places == place)), self.config.min_packets
            )

    def _giant(self, giant: Giant) -> Giant:
        if not self.config.drop_duplicates:
            return giant
        if giant.host not in self._unrepeated:
            self._unrepeated[giant.host] = self._write_unrepeated(giant)
        return self._unrepeated[giant.host]

    def _write_unrepeated(self, giant: Giant) -> Giant:
        count = -(-giant.rows // giant.limit)
        paths = tuple(self.directory / f"once-{giant.host}-{n}.arrow" for n in range(count))
        rows = write_unrepeated(self.connection, giant.pieces(), paths)
        for path in giant.paths:
            path.unlink()
        return Giant(giant.host, rows, giant.limit, paths)

    def count_repeats(self, packets: Packets, tied: npt.NDArray[np.uint32]) -> int:
        """Count kept packets that repeat another; they are of hosts with simultaneous packets."""
        suspect = np.zeros(len(packets.hosts) + 1, np.bool_)
        suspect[np.searchsorted(packets.hosts, tied)] = True
        return count_repeats(self.connection, packets.table, suspect[packets.host])

    def count_repeats_of_giant(self, giant: Giant) -> int:
        """Count packets of a giant that repeat another."""
        count = -(-giant.rows // giant.limit)
        paths = tuple(self.directory / f"once-{n}.arrow" for n in range(count))
        rows = write_unrepeated(self.connection, giant.pieces(), paths)
        for path in paths:
            path.unlink()
        return giant.rows - rows
