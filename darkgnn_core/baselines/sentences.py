"""The text that i-DarkVec reads: per port, which hosts sent to it, in time order.

    sentence of port p = hosts of the packets to p by (time, address), equal neighbours once

A packet counts if the snapshot counts it: the filters on single packets are those of the snapshot,
and its sender is one of the snapshot's hosts. Ports are the true ones, before any port filter;
packets whose port the trace does not tell are one sentence together. Since equal neighbours are
dropped, repeats of a packet, as files that overlap have them, change nothing.

Source: paper, section 4.2.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from darkgnn_core.config import SnapshotConfig
from darkgnn_core.errors import WorkspaceError
from darkgnn_core.run_days import DayInput
from darkgnn_core.snapshots.arrays import present, values_of
from darkgnn_core.snapshots.bins import Bin
from darkgnn_core.snapshots.columns import REST
from darkgnn_core.snapshots.filtering import FILTER_COLUMNS, read_batches, which_pass
from darkgnn_core.snapshots.reading import column, read_pairs

PASS_ROWS = 8_000_000
"""Packets sorted at once, about 50 bytes each: a busier day is read once for each so many."""

COLUMNS = ("ts_ns", "dst_port", *FILTER_COLUMNS)

Places = npt.NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Sentences:
    """The sentences of one day, t tokens in s sentences.

    Attributes:
        tokens: uint32 (t,), places among the day's hosts, one sentence after another.
        sizes: int64 (s,), tokens of each sentence, in the order of ports.
    """

    tokens: Places
    sizes: npt.NDArray[np.int64]

    def cut(self, every: int, longest: int) -> npt.NDArray[np.int64]:
        """Return where pieces of text end, int64 (pieces,), the last at t.

        Args:
            every: Cut the whole text every so many tokens, across sentences; 0 cuts between
                sentences.
            longest: Pieces longer than this are cut in parts of it.
        """
        total = len(self.tokens)
        ends = np.append(np.arange(every, total, every), total) if every else np.cumsum(self.sizes)
        if not total or np.diff(ends, prepend=0).max() <= longest:
            return ends
        starts = np.append(0, ends[:-1])
        parts = [
            np.append(np.arange(start + longest, end, longest), end)
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        ]
        return np.concatenate(parts)


def read_sentences(
    day: DayInput,
    hosts: npt.NDArray[np.uint32],
    config: SnapshotConfig,
    *,
    pass_rows: int = PASS_ROWS,
) -> Sentences:
    """Read the sentences of a day out of its packets.

    The order of files and rows does not matter. Memory goes with `pass_rows` or the packets of
    the busiest port, whichever are more, and four bytes a token.

    Args:
        day: Its packet files hold the bin, and maybe more.
        hosts: uint32 (n,), hosts of its snapshot, ascending.
        config: Settings of the snapshot.
        pass_rows: Packets sorted at once.

    Raises:
        WorkspaceError: `DAMAGED` where a file cannot be read.
    """
    parts = [
        _sentences_of(_read_packets(day, hosts, config, first, last))
        for first, last in port_ranges(day, pass_rows)
    ]
    return Sentences(
        np.concatenate([each.tokens for each in parts]),
        np.concatenate([each.sizes for each in parts]),
    )


def port_ranges(day: DayInput, rows: int) -> list[tuple[int, int]]:
    """Return ranges of ports, both ends included, with up to `rows` packets or one port each.

    -1 stands for packets without a port, as in `pairs.parquet`.

    Raises:
        WorkspaceError: `DAMAGED`.
    """
    pairs = read_pairs(day.directory, ["port", "packets"])
    ports, place = np.unique(column(pairs, "port"), return_inverse=True)
    packets = np.zeros(len(ports), np.int64)
    np.add.at(packets, place, column(pairs, "packets"))
    ranges: list[tuple[int, int]] = []
    held = 0
    for port, count in zip(ports.tolist(), packets.tolist(), strict=True):
        if ranges and held + count <= rows:
            ranges[-1], held = (ranges[-1][0], port), held + count
        else:
            ranges.append((port, port))
            held = count
    return ranges


@dataclass(frozen=True, eq=False)
class _Packets:
    """Packets in any order: port int32 (-1 without), time in nanoseconds int64, host uint32."""

    ports: npt.NDArray[np.int32]
    times: npt.NDArray[np.int64]
    hosts: Places


def _read_packets(
    day: DayInput,
    hosts: npt.NDArray[np.uint32],
    config: SnapshotConfig,
    first: int,
    last: int,
) -> _Packets:
    parts = list(_counting_packets(day, hosts, config, first, last))
    return _Packets(
        np.concatenate([each.ports for each in parts]),
        np.concatenate([each.times for each in parts]),
        np.concatenate([each.hosts for each in parts]),
    )


def _counting_packets(
    day: DayInput,
    hosts: npt.NDArray[np.uint32],
    config: SnapshotConfig,
    first: int,
    last: int,
) -> Iterator[_Packets]:
    """Yield the packets that count, of some ports, file by file and batch by batch."""
    time_bin = Bin.parse(day.key, config.bin_hours)
    for path in day.packet_files:
        try:
            for batch in read_batches(path, time_bin, columns=COLUMNS):
                ports = _ports(batch)
                senders = values_of(batch, "src_ip")
                places = np.searchsorted(hosts, senders).astype(np.uint32)
                known = hosts[np.minimum(places, len(hosts) - 1)] == senders
                rows = which_pass(batch, config) & known & (ports >= first) & (ports <= last)
                yield _Packets(ports[rows], values_of(batch, "ts_ns")[rows], places[rows])
        except (OSError, pa.ArrowException) as error:
            raise WorkspaceError(
                f"The packets of {day.key} cannot be read: {path.name}: {error}. Restore the file "
                "from a backup, or ingest its source again.",
                code="DAMAGED",
            ) from error


def _ports(batch: pa.RecordBatch) -> npt.NDArray[np.int32]:
    ports: npt.NDArray[np.int32] = values_of(batch, "dst_port").astype(np.int32)
    here = present(batch, "dst_port")
    if here is not None:
        ports[~here] = REST
    return ports


def _sentences_of(packets: _Packets) -> Sentences:
    """Sort packets into sentences and drop equal neighbours."""
    order = np.lexsort((packets.hosts, packets.times, packets.ports))
    ports, tokens = packets.ports[order], packets.hosts[order]
    is_new_port = np.append(True, ports[1:] != ports[:-1])
    kept = is_new_port | np.append(True, tokens[1:] != tokens[:-1])
    sizes = np.diff(np.flatnonzero(is_new_port[kept]), append=int(kept.sum()))
    return Sentences(tokens[kept], sizes)
