"""What is known of the hosts of a map besides their place: packets, ports, features, first seen."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from darkgnn_core.config import SnapshotConfig
from darkgnn_core.maps.projecting import Addresses
from darkgnn_core.shelf import list_snapshots, open_snapshot
from darkgnn_core.snapshots.columns import EXTRA_HOST_COLUMNS, HOST_FEATURES
from darkgnn_core.snapshots.reading import read_hosts, read_pairs
from darkgnn_core.spaces import Float32s
from darkgnn_core.workspace import Workspace

FEATURES = ("packets", *HOST_FEATURES, *(field.name for field in EXTRA_HOST_COLUMNS))
"""Columns a map can be coloured by and a selection told apart by."""

ABSENT = -1


@dataclass(frozen=True, eq=False)
class DayFacts:
    """The hosts of a map as the snapshot of their day tells them, n hosts, p pairs.

    Attributes:
        key: Name of the bin.
        hosts: uint32 (n,), ascending.
        packets: int64 (n,), kept packets of the day; 0 where the snapshot has no such host.
        features: float32 (n, len(FEATURES)); NaN where not told.
        pair_host: int64 (p,), position of the host.
        pair_port: int32 (p,), true port; -1 where the trace does not tell it.
        pair_packets: int64 (p,).
        first_seen: int64 (n,), position in `bins` of the first bin with the host; -1 for none.
        bins: Keys of the bins up to this one, in time order.
    """

    key: str
    hosts: Addresses
    packets: npt.NDArray[np.int64]
    features: npt.NDArray[np.float32]
    pair_host: npt.NDArray[np.int64]
    pair_port: npt.NDArray[np.int32]
    pair_packets: npt.NDArray[np.int64]
    first_seen: npt.NDArray[np.int64]
    bins: tuple[str, ...]

    @property
    def days_known(self) -> npt.NDArray[np.int64]:
        """Bins since each host was first seen, int64 (n,): 0 for a new one, -1 for none."""
        known: npt.NDArray[np.int64] = np.where(
            self.first_seen >= 0, len(self.bins) - 1 - self.first_seen, ABSENT
        )
        return known

    @cached_property
    def ranks(self) -> Float32s:
        """The rank of each host in each feature, float32 (n, len(FEATURES)); found once."""
        return ranked(self.features)

    @cached_property
    def busiest_ports(self) -> npt.NDArray[np.int32]:
        """The port each host sent most packets to, int32 (n,); -1 for none; found once."""
        busiest = np.full(len(self.hosts), ABSENT, np.int32)
        order = np.lexsort((-self.pair_port.astype(np.int64), self.pair_packets))
        busiest[self.pair_host[order]] = self.pair_port[order]  # the last, busiest one stays
        return busiest

    @cached_property
    def port_counts(self) -> npt.NDArray[np.int64]:
        """Different ports of each host, int64 (n,); found once."""
        return np.bincount(self.pair_host, minlength=len(self.hosts))

    def sent_to(self, port: int) -> npt.NDArray[np.bool_]:
        """Say which hosts sent to a port, bool (n,)."""
        found = np.zeros(len(self.hosts), bool)
        found[self.pair_host[self.pair_port == port]] = True
        return found


def ranked(features: Float32s) -> Float32s:
    """Return the mid-rank of each value inside its column, from 1; NaN stays NaN.

    Equal values share the mean of their ranks.

    >>> ranked(np.array([[3.0], [1.0], [3.0]], np.float32)).ravel().tolist()
    [2.5, 1.0, 2.5]
    """
    ranks = np.full(features.shape, np.nan, np.float32)
    for column in range(features.shape[1]):
        known = np.flatnonzero(~np.isnan(features[:, column]))
        values = features[known, column]
        order = np.argsort(values, kind="stable")
        new = np.flatnonzero(np.diff(values[order])) + 1
        starts = np.concatenate([[0], new]).astype(np.int64)
        ends = np.append(new, len(known))
        middles = (starts + ends + 1) / 2
        ranks[known[order], column] = np.repeat(middles, ends - starts)
    return ranks


def read_facts(
    workspace: Workspace, config: SnapshotConfig, day: str, hosts: Addresses
) -> DayFacts:
    """Read what the snapshot of a day tells of the hosts of a map.

    Args:
        workspace: Where the snapshot is.
        config: Its settings.
        day: Its bin.
        hosts: uint32 (n,), ascending, the hosts of the map.

    Raises:
        WorkspaceError: `NO-SNAPSHOT`, `DAMAGED`.
    """
    directory = open_snapshot(workspace, config, day).directory
    features = np.full((len(hosts), len(FEATURES)), np.nan, np.float32)
    packets = np.zeros(len(hosts), np.int64)
    pairs = [np.empty(0, np.int64)] * 3
    if directory is not None:
        table = read_hosts(directory, ["host", *FEATURES])
        rows, places = _matched(table["host"].to_numpy(), hosts)
        for column, name in enumerate(FEATURES):
            values = table[name].to_numpy(zero_copy_only=False).astype(np.float64)
            features[places, column] = values[rows]
        packets[places] = table["packets"].to_numpy()[rows]
        pairs = _pairs(directory, hosts)
    seen, bins = _first_seen(workspace, config, day, hosts)
    return DayFacts(
        key=day, hosts=hosts, packets=packets, features=features,
        pair_host=pairs[0], pair_port=pairs[1].astype(np.int32), pair_packets=pairs[2],
        first_seen=seen, bins=bins,
    )  # fmt: skip


def _matched(
    theirs: Addresses, ours: Addresses
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the places of the hosts that both have, there and here."""
    _, rows, places = np.intersect1d(theirs, ours, assume_unique=True, return_indices=True)
    return rows, places


def _pairs(directory: Path, hosts: Addresses) -> list[npt.NDArray[np.int64]]:
    table = read_pairs(directory)
    host = table["host"].to_numpy()
    place = np.searchsorted(hosts, host)
    is_ours = np.zeros(len(host), bool)
    if len(hosts):
        is_ours = hosts[np.minimum(place, len(hosts) - 1)] == host
    ours = np.flatnonzero(is_ours)
    return [
        place[ours],
        table["port"].to_numpy()[ours].astype(np.int64),
        table["packets"].to_numpy()[ours].astype(np.int64),
    ]


def _first_seen(
    workspace: Workspace, config: SnapshotConfig, day: str, hosts: Addresses
) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Go back from the day: the earliest bin that has a host wins."""
    shelved = [each for each in list_snapshots(workspace, config) if each.bin <= day]
    seen = np.full(len(hosts), ABSENT, np.int64)
    for place in range(len(shelved) - 1, -1, -1):
        directory = shelved[place].directory
        if directory is not None:
            there = read_hosts(directory, ["host"])["host"].to_numpy()
            seen[np.isin(hosts, there, assume_unique=True)] = place
    return seen, tuple(each.bin for each in shelved)
