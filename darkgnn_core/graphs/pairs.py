"""Who sent how much to which port, over a day or several: the pairs that a graph is made of.

True ports, before the port filter, so that a campaign on a rare port has its own node. Dark
addresses and times are told where the port is a node of the snapshot, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from darkgnn_core.graphs.nodes import Hosts, Node, Ports
from darkgnn_core.snapshots.reading import column, read_edges, read_pairs

Ints: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

PORT_BITS = 17
NOT_TOLD = -1
SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")
PORT_PLACES = 65_537
"""Ports -1 to 65535, each at its number + 1."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Hosts and the ports they sent to, p pairs by host, then port.

    Attributes:
        hosts: uint32 (p,).
        ports: int32 (p,); -1 where the trace does not tell the port.
        packets: int64 (p,), over all bins.
        dark_addresses: int64 (p,), the most on one bin; -1 where not told.
        first_ns: int64 (p,), UTC nanoseconds; -1 where not told.
        last_ns: int64 (p,).
        bins: int64 (p,), on how many bins the pair met.
    """

    hosts: Hosts
    ports: Ports
    packets: Ints
    dark_addresses: Ints
    first_ns: Ints
    last_ns: Ints
    bins: Ints

    def __len__(self) -> int:
        """How many pairs."""
        return len(self.hosts)

    @cached_property
    def keys(self) -> Ints:
        """One number a pair, ascending: the host above 17 bits of port + 1."""
        return keys_of(self.hosts, self.ports)

    @cached_property
    def _starts(self) -> Mask:
        """Where the pairs of each host start, bool (p,)."""
        starts: Mask = np.append(True, self.hosts[1:] != self.hosts[:-1])[: len(self)]
        return starts

    @cached_property
    def unique_hosts(self) -> Hosts:
        """The hosts, uint32 (n,), ascending."""
        return self.hosts[self._starts]

    @cached_property
    def host_places(self) -> Ints:
        """The place of each pair's host in `unique_hosts`, int64 (p,)."""
        return np.cumsum(self._starts) - 1

    @cached_property
    def hosts_on(self) -> Ints:
        """Hosts that sent to each port, int64 (65537,), at port + 1."""
        return np.bincount(self.ports + 1, minlength=PORT_PLACES)

    def with_hosts(self, hosts: Hosts) -> Mask:
        """Say which pairs have one of these hosts, bool (p,)."""
        found: Mask = is_among(self.unique_hosts, hosts)[self.host_places]
        return found

    def with_ports(self, ports: Ports) -> Mask:
        """Say which pairs have one of these ports, bool (p,)."""
        there = np.zeros(PORT_PLACES, bool)
        there[ports + 1] = True
        found: Mask = there[self.ports + 1]
        return found

    def where(self, mask: Mask | Ints | slice) -> "Pairs":
        """Return some of the pairs, by mask, places or slice."""
        return Pairs(
            self.hosts[mask], self.ports[mask], self.packets[mask], self.dark_addresses[mask],
            self.first_ns[mask], self.last_ns[mask], self.bins[mask],
        )  # fmt: skip

    def packets_of(self, keys: Ints) -> Ints:
        """Return the packets of pairs by their keys, int64; 0 for a pair that never met."""
        return looked_up(self.keys, self.packets, keys)


def met_by(pairs: Pairs, node: Node) -> Pairs:
    """Return the pairs of one node."""
    if not node.is_host:
        return pairs.where(pairs.ports == node.key)
    low, high = (int(np.searchsorted(pairs.hosts, np.uint32(node.key), side)) for side in SIDES)
    return pairs.where(slice(low, high))


def keys_of(hosts: Hosts, ports: Ports) -> Ints:
    """Return one number a pair, int64: the host above 17 bits of port + 1."""
    return (hosts.astype(np.int64) << PORT_BITS) | (ports.astype(np.int64) + 1)


def is_among(values: npt.NDArray[np.uint32], wanted: npt.NDArray[np.uint32]) -> Mask:
    """Say which values are among some others, bool (p,)."""
    if not len(wanted):
        return np.zeros(len(values), bool)
    ordered = np.unique(wanted)
    place = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    found: Mask = ordered[place] == values
    return found


def looked_up(keys: Ints, values: Ints, wanted: Ints, missing: int = 0) -> Ints:
    """Return the value of each wanted key, `missing` where there is none; `keys` ascending."""
    if not len(keys):
        return np.full(len(wanted), missing, np.int64)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], missing)


def no_pairs() -> Pairs:
    """Return pairs without any."""
    none = np.empty(0, np.int64)
    return Pairs(none.astype(np.uint32), none.astype(np.int32), none, none, none, none, none)


def read_day(directory: Path) -> Pairs:
    """Read the pairs of one snapshot.

    Raises:
        WorkspaceError: `DAMAGED`.
    """
    table, edges = read_pairs(directory), read_edges(directory)
    hosts, ports = column(table, "host"), column(table, "port")
    keys, known = keys_of(hosts, ports), keys_of(column(edges, "host"), column(edges, "port"))
    known = np.where(column(edges, "port") < 0, -1, known)  # the rest node is many ports
    order = np.argsort(known, kind="stable")
    told = {
        name: looked_up(known[order], column(edges, name)[order].astype(np.int64), keys, NOT_TOLD)
        for name in ("dark_addresses", "first_ts", "last_ts")
    }
    return Pairs(
        hosts=hosts, ports=ports, packets=column(table, "packets").astype(np.int64),
        dark_addresses=told["dark_addresses"], first_ns=told["first_ts"], last_ns=told["last_ts"],
        bins=np.ones(len(hosts), np.int64),
    )  # fmt: skip


def joined(parts: Sequence[Pairs], packets: Literal["sum", "most"] = "sum") -> Pairs:
    """Put the pairs of several bins together.

    Args:
        parts: Of each bin.
        packets: Whether packets are added up, or the most of any part counts.
    """
    parts = [part for part in parts if len(part)]
    if len(parts) < 2:
        return parts[0] if parts else no_pairs()
    keys = np.concatenate([part.keys for part in parts])
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))

    def reduced(name: str, how: np.ufunc) -> Ints:
        values = np.concatenate([getattr(part, name) for part in parts])[order]
        result: Ints = how.reduceat(values, starts)
        return result

    first = np.concatenate([part.first_ns for part in parts])[order]
    first = np.where(first < 0, np.iinfo(np.int64).max, first)
    earliest = np.minimum.reduceat(first, starts)
    return Pairs(
        hosts=(ordered[starts] >> PORT_BITS).astype(np.uint32),
        ports=((ordered[starts] & ((1 << PORT_BITS) - 1)) - 1).astype(np.int32),
        packets=reduced("packets", np.add if packets == "sum" else np.maximum),
        dark_addresses=reduced("dark_addresses", np.maximum),
        first_ns=np.where(earliest == np.iinfo(np.int64).max, NOT_TOLD, earliest),
        last_ns=reduced("last_ns", np.maximum),
        bins=reduced("bins", np.add),
    )


def frame_of(pairs: Pairs) -> pd.DataFrame:
    """Return pairs as a table: one column a field."""
    names = ("packets", "dark_addresses", "first_ns", "last_ns", "bins")
    return pd.DataFrame(
        {"host": pairs.hosts, "port": pairs.ports} | {name: getattr(pairs, name) for name in names}
    )


def pairs_from(frame: pd.DataFrame) -> Pairs:
    """Return pairs from a table as `frame_of` gives it, rows in any order."""
    order = np.lexsort((frame["port"], frame["host"]))
    fields = {name: frame[name].to_numpy()[order] for name in frame_of(no_pairs()).columns}
    return Pairs(
        fields["host"].astype(np.uint32), fields["port"].astype(np.int32),
        *(fields[name].astype(np.int64) for name in list(fields)[2:]),
    )  # fmt: skip
