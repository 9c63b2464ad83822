"""Hosts by what they did and what they are called: by label, port, packets and address."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from darkgnn_core.config import SnapshotConfig
from darkgnn_core.errors import ConfigError
from darkgnn_core.labels.classes import class_mask
from darkgnn_core.labels.resolving import resolve
from darkgnn_core.labels.targets import Target
from darkgnn_core.labels.texts import fold
from darkgnn_core.labels.typed import is_in_any, read_typed
from darkgnn_core.shelf import list_snapshots, open_snapshot
from darkgnn_core.snapshots.reading import column, read_hosts, read_pairs
from darkgnn_core.workspace import Workspace


@dataclass(frozen=True)
class HostQuery:
    """Which hosts; what is left open does not count.

    Attributes:
        day: Last bin looked at.
        first_day: First bin looked at; None for the one.
        label: Their label as of `day`; `unknown` for hosts without one.
        port: A port they sent to.
        min_packets: Packets over all bins looked at, to that port if one is given; at least.
        max_packets: At most.
        addresses: Addresses and prefixes, as an analyst types them.
        hides_known: Leave out hosts whose label is a known scanner.
    """

    day: str
    first_day: str | None = None
    label: str = ""
    port: int | None = None
    min_packets: int | None = None
    max_packets: int | None = None
    addresses: str = ""
    hides_known: bool = False

    def recipe(self) -> dict[str, Any]:
        """Return how the hosts came about, for a set (`set_recipes`)."""
        given = {
            name: value
            for name, value in asdict(self).items()
            if value is not None and value is not False and value != ""
        }
        return {"kind": "query", **given}


def find_hosts(
    workspace: Workspace, config: SnapshotConfig, query: HostQuery
) -> npt.NDArray[np.uint32]:
    """Return the hosts that fit a query, uint32 (n,), ascending.

    Args:
        workspace: Where the snapshots are.
        config: Their settings.
        query: What they must be.

    Raises:
        ConfigError: `QUERY` where an address is none.
        WorkspaceError: `DAMAGED`.
    """
    within = _targets(query.addresses)
    hosts, packets = _counted(workspace, config, query)
    fits = np.ones(len(hosts), bool)
    if query.min_packets is not None:
        fits &= packets >= query.min_packets
    if query.max_packets is not None:
        fits &= packets <= query.max_packets
    if within:
        fits &= is_in_any(within, hosts)
    found = hosts[fits]
    if query.label or query.hides_known:
        found = found[_is_called(workspace, found, query)]
    return found


def _is_called(
    workspace: Workspace, hosts: npt.NDArray[np.uint32], query: HostQuery
) -> npt.NDArray[np.bool_]:
    with workspace.catalogue() as connection:
        resolved = resolve(connection, hosts, day=query.day[:10])
        is_known = class_mask(connection, resolved, "known")
    fits = np.ones(len(hosts), bool)
    if query.label:
        fits &= resolved.labels == fold(query.label)
    if query.hides_known:
        fits &= ~is_known
    return fits


def _targets(addresses: str) -> tuple[Target, ...]:
    typed = read_typed(addresses)
    if typed.bad:
        text, why = typed.bad[0]
        raise ConfigError(f"{text} is no address or prefix: {why}.", code="QUERY")
    return typed.targets


def _counted(
    workspace: Workspace, config: SnapshotConfig, query: HostQuery
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Return the hosts of the bins looked at, ascending, and their packets."""
    first = query.first_day or query.day
    parts = [
        _of_bin(workspace, config, each.bin, query.port)
        for each in list_snapshots(workspace, config)
        if first <= each.bin <= query.day
    ]
    everyone = np.concatenate([*(hosts for hosts, _ in parts), np.empty(0, np.uint32)])
    packets = np.concatenate([*(counts for _, counts in parts), np.empty(0, np.int64)])
    hosts, back = np.unique(everyone, return_inverse=True)
    total = np.zeros(len(hosts), np.int64)
    np.add.at(total, back, packets)
    return hosts.astype(np.uint32), total


def _of_bin(
    workspace: Workspace, config: SnapshotConfig, key: str, port: int | None
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    directory = open_snapshot(workspace, config, key).directory
    if directory is None:
        return np.empty(0, np.uint32), np.empty(0, np.int64)
    if port is None:
        table = read_hosts(directory, ["host", "packets"])
    else:
        pairs = read_pairs(directory)
        table = pairs.filter(column(pairs, "port") == port)
    return column(table, "host"), column(table, "packets")
