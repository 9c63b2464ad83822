"""The busiest hosts of a time bin with their labels, for the home page."""

from dataclasses import dataclass
from ipaddress import IPv4Address

import numpy as np
import pandas as pd

from darkgnn_core.config import SnapshotConfig
from darkgnn_core.labels.classes import class_mask
from darkgnn_core.labels.resolving import resolve
from darkgnn_core.shelf import open_snapshot
from darkgnn_core.snapshots.reading import read_hosts
from darkgnn_core.workspace import Workspace

COLUMNS = ["address", "label", "packets", "ports", "dark_addresses", "hours", "first", "last"]


@dataclass(frozen=True)
class KnownShare:
    """How much of a bin comes from known scanners.

    Attributes:
        hosts: Hosts whose label is of the class `known`.
        packets: Their packets.
        all_packets: Packets of all hosts of the bin.
    """

    hosts: int = 0
    packets: int = 0
    all_packets: int = 0

    @property
    def share(self) -> float:
        """Share of the packets, 0 to 1."""
        return self.packets / self.all_packets if self.all_packets else 0.0


def known_share(workspace: Workspace, config: SnapshotConfig, bin_key: str) -> KnownShare:
    """Return how much of a bin the switch "Hide known scanners" hides.

    Args:
        workspace: Where the snapshot is.
        config: Its settings.
        bin_key: Its bin.

    Raises:
        WorkspaceError: `NO-SNAPSHOT`, `DAMAGED`.
    """
    directory = open_snapshot(workspace, config, bin_key).directory
    if directory is None:
        return KnownShare()
    table = read_hosts(directory, ["host", "packets"])
    packets = table["packets"].to_numpy().astype(np.int64)
    with workspace.catalogue() as connection:
        resolved = resolve(connection, table["host"].to_numpy(), day=bin_key[:10])
        is_known = class_mask(connection, resolved, "known")
    return KnownShare(int(is_known.sum()), int(packets[is_known].sum()), int(packets.sum()))


def busiest_hosts(
    workspace: Workspace,
    config: SnapshotConfig,
    bin_key: str,
    *,
    limit: int = 200,
    hide_known: bool = False,
) -> pd.DataFrame:
    """Return the hosts of a bin with most packets.

    Args:
        workspace: Where the snapshot is.
        config: Its settings.
        bin_key: Its bin.
        limit: How many hosts.
        hide_known: Leave out hosts whose label is of the class `known` (`labels.classes`).

    Returns:
        Columns `COLUMNS`, by packets downwards, equal ones by address; `first` and `last` UTC
        times; `ports` true ports; no row where the bin has no snapshot.

    Raises:
        WorkspaceError: `NO-SNAPSHOT`, `DAMAGED`.
    """
    directory = open_snapshot(workspace, config, bin_key).directory
    if directory is None:
        return pd.DataFrame(columns=COLUMNS)
    names = ["host", "packets", "true_ports", "dark_addresses", "hours", "first_ts", "last_ts"]
    table = read_hosts(directory, names).to_pandas()
    with workspace.catalogue() as connection:
        resolved = resolve(connection, table["host"].to_numpy(), day=bin_key[:10])
        is_known = class_mask(connection, resolved, "known")
    table["label"] = resolved.labels
    if hide_known:
        table = table[~is_known]
    table = table.sort_values(["packets", "host"], ascending=[False, True]).head(limit)
    table["address"] = [str(IPv4Address(int(host))) for host in table["host"]]
    table["first"] = pd.to_datetime(table["first_ts"], utc=True)
    table["last"] = pd.to_datetime(table["last_ts"], utc=True)
    table["dark_addresses"] = table["dark_addresses"].astype(np.int64)
    renamed: pd.DataFrame = table.rename(columns={"true_ports": "ports"})[COLUMNS]
    return renamed.reset_index(drop=True)
