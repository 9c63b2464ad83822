"""What is read of one day for some hosts: their rows, their ports, and who else asks for those."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from darkgnn_core.snapshots.columns import HOSTS_SCHEMA
from darkgnn_core.snapshots.reading import read_hosts, read_pairs

Hosts: TypeAlias = npt.NDArray[np.uint32]
Ports: TypeAlias = npt.NDArray[np.int32]
Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]

PORTS = 65_537
"""Ports 0 to 65535, and -1 for packets whose port the trace does not tell."""


@dataclass(frozen=True, eq=False)
class PortTable:
    """Who sent how much to which port on one day, p pairs by host, then port.

    Attributes:
        hosts: uint32 (n,), the hosts of the day, ascending.
        starts: int64 (n + 1,), where each host starts among the pairs.
        ports: int32 (p,), true ports, before the port filter; -1 where the trace tells none.
        packets: int64 (p,).
        hosts_on: int64 (65537,), hosts that asked for each port; the last entry is that of -1.
    """

    hosts: Hosts
    starts: Ints
    ports: Ports
    packets: Ints
    hosts_on: Ints

    def of(self, host: int) -> tuple[Ports, Ints]:
        """Return the ports of a host and its packets to each; empty where it was not there."""
        place = int(np.searchsorted(self.hosts, np.uint32(host)))
        if place == len(self.hosts) or self.hosts[place] != host:
            return np.empty(0, np.int32), np.empty(0, np.int64)
        part = slice(int(self.starts[place]), int(self.starts[place + 1]))
        return self.ports[part], self.packets[part]

    def base_rate(self, ports: Ports) -> Floats:
        """Return the share of the day's hosts that asked for each port, float64, 0 to 1."""
        share: Floats = self.hosts_on[ports] / max(len(self.hosts), 1)
        return share


def port_table(hosts: Hosts, ports: Ports, packets: Ints) -> PortTable:
    """Put pairs together; arguments have one entry a pair, by host, then port."""
    is_first = np.append(True, hosts[1:] != hosts[:-1])[: len(hosts)]
    starts = np.append(np.flatnonzero(is_first), len(hosts))
    return PortTable(
        hosts=hosts[starts[:-1]],
        starts=starts,
        ports=ports,
        packets=packets,
        hosts_on=np.bincount(np.where(ports < 0, PORTS - 1, ports), minlength=PORTS),
    )


def read_port_table(directory: Path) -> PortTable:
    """Read who asked for which port in a snapshot.

    Raises:
        WorkspaceError: `DAMAGED`.
    """
    table = read_pairs(directory)
    hosts, ports = (table[name].to_numpy() for name in ("host", "port"))
    packets = table["packets"].fill_null(0).to_numpy()
    return port_table(hosts, ports, packets)


def row_of(rows: pd.DataFrame, place: int) -> dict[str, Any]:
    """Return one row as values by column."""
    return {str(name): value for name, value in rows.iloc[place].items()}


def read_host_rows(
    directory: Path, hosts: Hosts | None = None, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Read the rows of some hosts of a snapshot, those of them that are there.

    Args:
        directory: Of the snapshot.
        hosts: uint32 (m,), any order; None for all hosts.
        columns: Which columns; `host` is always among them. None for all.

    Returns:
        One row a host, by address; columns as `snapshots.columns.HOSTS_SCHEMA`, NaN where the
        trace tells nothing.

    Raises:
        WorkspaceError: `DAMAGED`.
    """
    names = HOSTS_SCHEMA.names if columns is None else ["host", *columns]
    table = read_hosts(directory, list(dict.fromkeys(names)))
    if hosts is not None:
        wanted = np.unique(hosts)
        there = table["host"].to_numpy()
        place = np.searchsorted(there, wanted)
        place = place[place < len(there)] if len(there) else place[:0]
        table = table.take(np.unique(place[np.isin(there[place], wanted)]))
    frame: pd.DataFrame = table.to_pandas()
    return frame
