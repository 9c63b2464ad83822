"""The packets of a time bin that pass the filters, split by sender into what memory holds.

All packets of a sender lie in one shard, so whatever is counted by sender is counted in one place.
A bin that fits into memory is one shard; of a larger one the shards wait on disk. A sender with
more packets than memory holds is a shard of its own, a `Giant`, read piece by piece.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from darkgnn_core.config import SnapshotConfig
from darkgnn_core.snapshots.arrays import POOL, arrow_array, values_of
from darkgnn_core.snapshots.bins import Bin
from darkgnn_core.snapshots.filtering import kinds_of, passing, read_batches
from darkgnn_core.snapshots.sorted_counts import SortedCounts
from darkgnn_core.snapshots.sorting import Ints
from darkgnn_core.snapshots.tallying import Tally
from darkgnn_core.traces.packets import SCHEMA

BYTES_PER_PACKET = 140
"""Memory of a packet while its shard is counted: 40 as columns, the rest sort keys and copies."""

MOST_FILES = 200
"""Files written at once; what is then still too large is split again."""

SLACK = 1.25
"""How much larger than planned a shard may be before it is split again."""

_SCATTER, _NEXT = 2_654_435_769, 0x2545_F492

FileOf = Callable[[pa.RecordBatch], Ints]


@dataclass(frozen=True, eq=False)
class Giant:
    """The packets of one sender, more of them than are to be in memory at once.

    Attributes:
        host: Its address.
        rows: How many packets.
        limit: How many of them at once, about.
        paths: Files they wait in.
    """

    host: int
    rows: int
    limit: int
    paths: tuple[Path, ...]

    def pieces(self) -> Iterator[pa.Table]:
        """Yield tables of `packets.SCHEMA`, about `limit` rows each."""
        batches = (batch for path in self.paths for batch in _batches(path))
        yield from tables_of(batches, self.limit)


def tables_of(batches: Iterable[pa.RecordBatch], limit: int) -> Iterator[pa.Table]:
    """Yield batches brought together and cut into tables of at most `limit` rows."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        for start in range(0, batch.num_rows, limit):
            part = batch.slice(start, limit)
            if held and rows + part.num_rows > limit:
                yield pa.Table.from_batches(held)
                held, rows = [], 0
            held.append(part)
            rows += part.num_rows
    if held:
        yield pa.Table.from_batches(held)


@dataclass(frozen=True, eq=False)
class Shards:
    """The packets that pass the filters on single packets, by sender.

    Attributes:
        tally: Everything read.
        held: The packets, if they are one shard.
        parts: Else the files they wait in, or single senders that are too large for memory.
    """

    tally: Tally
    held: pa.Table | None
    parts: tuple["Path | Giant", ...]

    def __iter__(self) -> Iterator[pa.Table | Giant]:
        """Yield tables of `packets.SCHEMA`, one in memory at a time, and giants."""
        if self.held is not None:
            yield self.held
        for part in self.parts:
            yield part if isinstance(part, Giant) else read_back(part)


def read_back(path: Path) -> pa.Table:
    """Return all packets of a file that waited on disk."""
    with pa.OSFile(str(path)) as file, pa.ipc.open_file(file, memory_pool=POOL) as reader:
        return reader.read_all()


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    with pa.OSFile(str(path)) as file, pa.ipc.open_file(file, memory_pool=POOL) as reader:
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


def packets_within(memory_mb: int) -> int:
    """Return how many packets are counted at once in that many MiB."""
    return max(1, memory_mb * 2**20 // BYTES_PER_PACKET)


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
        memory_mb: Memory for the packets and what is counted of them, MiB. Where they are several
            shards, half of it is for one shard: the counts of all wait in the other half.
        threads: More than one lets columns be decoded side by side.
    """
    rows = sum(pq.read_metadata(path).num_rows for path in files)
    limit = packets_within(memory_mb)
    tally = Tally.of_bin(time_bin, directory, limit // 4)
    batches = (
        batch for path in files for batch in read_batches(path, time_bin, use_threads=threads > 1)
    )
    passed = _pass(batches, config, tally)
    if rows <= limit:
        return Shards(tally, pa.Table.from_batches(passed, schema=SCHEMA), ())
    splitter = _Splitter(directory, max(1, limit // 2))
    return Shards(tally, None, tuple(splitter.split(passed, rows)))


def _pass(
    batches: Iterator[pa.RecordBatch], config: SnapshotConfig, tally: Tally
) -> Iterator[pa.RecordBatch]:
    """Tally each batch and yield the rows that pass."""
    for batch in batches:
        kinds = kinds_of(batch)
        tally.add(batch, kinds)
        yield pc.filter(batch, arrow_array(passing(batch, kinds, config)), memory_pool=POOL)


@dataclass(frozen=True, eq=False)
class _Splitter:
    """Splits packets into files of about `limit` rows in `directory`."""

    directory: Path
    limit: int

    def split(
        self, batches: Iterator[pa.RecordBatch], rows: int, name: str = "shard", again: int = 0
    ) -> Iterator[Path | Giant]:
        """Yield where at most `rows` packets went; `again` is how often they were split before."""
        count = min(MOST_FILES, -(-rows // self.limit))
        paths = [self.directory / f"{name}-{number}.arrow" for number in range(count)]
        sizes = write_apart(batches, paths, lambda batch: _scattered(batch, count, again))
        for path, size in zip(paths, sizes, strict=True):
            if size <= self.limit * SLACK:
                yield path
            else:
                yield from self._split_again(path, size, again + 1)

    def _split_again(self, path: Path, rows: int, again: int) -> Iterator[Path | Giant]:
        """Give each sender with too many packets a file of its own; the others are split anew."""
        giants, sizes = self._giants(path)
        names = [
            path.with_name(f"{path.stem}-host-{number}.arrow") for number in range(len(giants))
        ]
        if len(giants):
            others = path.with_name(f"{path.stem}-others.arrow")
            write_apart(_batches(path), [*names, others], lambda batch: _places(giants, batch))
            path.unlink()
            path = others
        for host, size, name in zip(giants.tolist(), sizes.tolist(), names, strict=True):
            yield Giant(host, size, self.limit, (name,))
        rest = rows - int(sizes.sum())
        if rest <= self.limit * SLACK:
            yield path
        else:
            yield from self.split(_batches(path), rest, path.stem, again)
            path.unlink()

    def _giants(self, path: Path) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
        """Return the busiest senders that are too large for memory, ascending, and their packets.

        No more than can be written at once; the next round finds the others.
        """
        sent = SortedCounts(self.directory, "sent", self.limit)
        for batch in _batches(path):
            sent.add(values_of(batch, "src_ip"))
        large = [(keys[n > self.limit], n[n > self.limit]) for keys, n in sent]
        sent.remove()
        hosts = np.concatenate([keys for keys, _ in large]).astype(np.uint32)
        sizes = np.concatenate([n for _, n in large])
        chosen = np.sort(np.argsort(-sizes, kind="stable")[: MOST_FILES - 1])
        return hosts[chosen], sizes[chosen]


def _places(giants: npt.NDArray[np.uint32], batch: pa.RecordBatch) -> Ints:
    """Return the place of each sender among `giants`, their number for any other."""
    hosts = values_of(batch, "src_ip")
    places = np.searchsorted(giants, hosts)
    found = giants[np.minimum(places, len(giants) - 1)] == hosts
    return np.where(found, places, len(giants))


def write_apart(
    batches: Iterable[pa.RecordBatch], paths: Sequence[Path], file_of: FileOf
) -> list[int]:
    """Write packets to files; return how many rows each has.

    Args:
        batches: The packets.
        paths: The files.
        file_of: Gives the place in `paths` of each packet of a batch, (rows,).
    """
    files = [pa.OSFile(str(path), "wb") for path in paths]
    writers = [pa.ipc.new_file(file, SCHEMA) for file in files]
    sizes = [0] * len(paths)
    try:
        for batch in batches:
            for number, part in _apart(batch, file_of(batch), len(paths)):
                writers[number].write_batch(part)
                sizes[number] += part.num_rows
    finally:
        for end in (*writers, *files):
            end.close()
    return sizes


def _apart(batch: pa.RecordBatch, shards: Ints, count: int) -> Iterator[tuple[int, pa.RecordBatch]]:
    sizes = np.bincount(shards, minlength=count)
    if sizes.max(initial=0) == batch.num_rows:
        yield int(sizes.argmax()), batch
        return
    ordered = batch.take(arrow_array(np.argsort(shards, kind="stable")))
    ends = np.cumsum(sizes)
    for number in np.flatnonzero(sizes).tolist():
        yield number, ordered.slice(int(ends[number] - sizes[number]), int(sizes[number]))


def _scattered(batch: pa.RecordBatch, shards: int, again: int) -> Ints:
    """Return the shard of each sender; neighbours, as scanners are, go apart."""
    return scattered(values_of(batch, "src_ip"), shards, again)


def scattered(hosts: npt.NDArray[np.uint32], shards: int, again: int = 0) -> Ints:
    """Return the part of each host, of `shards` parts; another `again` deals them anew."""
    odd = np.uint32((_SCATTER + again * _NEXT) % 2**32)
    return ((hosts * odd) >> np.uint32(8)) % np.uint32(shards)
