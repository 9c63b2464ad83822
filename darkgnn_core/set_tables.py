"""Hosts as tables: with their labels, and as CSV."""

from ipaddress import IPv4Address

import numpy as np
import numpy.typing as npt
import pandas as pd

from darkgnn_core.labels.resolving import resolve
from darkgnn_core.labels.texts import UNKNOWN
from darkgnn_core.safe_csv import csv_of
from darkgnn_core.workspace import Workspace


def host_table(
    workspace: Workspace, hosts: npt.NDArray[np.uint32], *, day: str | None = None
) -> pd.DataFrame:
    """Return a row a host: `address`, `label`, `source` (who says so, empty for none).

    Args:
        workspace: Whose labels count.
        hosts: uint32 (n,), in the order wanted.
        day: Bin whose labels count, with those bound to none; None for all.
    """
    with workspace.catalogue() as connection:
        found = resolve(connection, hosts, day=None if day is None else day[:10])
    names = np.array([*(source.name for source in found.sources), ""], object)
    return pd.DataFrame(
        {
            "address": [str(IPv4Address(int(host))) for host in hosts],
            "label": found.labels,
            "source": names[found.source_codes],
        }
    )


def csv_of_hosts(
    workspace: Workspace, hosts: npt.NDArray[np.uint32], *, day: str | None = None
) -> bytes:
    """Return `host_table` as CSV, UTF-8, one line a host, made harmless."""
    return csv_of(host_table(workspace, hosts, day=day))


def label_counts(
    workspace: Workspace, hosts: npt.NDArray[np.uint32], *, day: str | None = None
) -> pd.DataFrame:
    """Return how many hosts have which label: `label`, `hosts`, the most frequent first."""
    with workspace.catalogue() as connection:
        counts = resolve(connection, hosts, day=None if day is None else day[:10]).counts()
    return pd.DataFrame({"label": list(counts), "hosts": list(counts.values())})


def labels_of(
    workspace: Workspace, hosts: npt.NDArray[np.uint32], *, day: str | None = None
) -> dict[int, str]:
    """Return labels by address, of any shape of addresses; those without one are left out."""
    asked = np.unique(hosts)
    with workspace.catalogue() as connection:
        labels = resolve(connection, asked, day=None if day is None else day[:10]).labels
    return {
        int(host): str(label) for host, label in zip(asked, labels, strict=True) if label != UNKNOWN
    }
