"""Is the sensor healthy, and what did it see: tables a day, for the home page and the report."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from darkgnn_core.config import SnapshotConfig
from darkgnn_core.labels.classes import class_mask
from darkgnn_core.labels.resolving import resolve
from darkgnn_core.labels.texts import UNKNOWN
from darkgnn_core.shelf import ShelvedSnapshot, list_snapshots
from darkgnn_core.snapshots.columns import HOSTS_FILE
from darkgnn_core.snapshots.reading import read_pairs
from darkgnn_core.workspace import Workspace

HOURS_A_DAY = 24
PORTS = 2**16


@dataclass(frozen=True)
class Health:
    """What the snapshots of a workspace say about its sensor.

    Attributes:
        days: One row a bin: `bin`, `read`, `packets` (kept), `hosts`, `ports`, `edges`,
            `dark_addresses`, `backscatter`, `duplicates`, `no_port` (TCP packets that do not tell
            their port; they count to the node of the rest), `new_hosts` (never seen in an earlier
            bin), `returning_hosts` (seen earlier, but not in the bin before), `labelled_hosts`,
            `labelled_share`, `silent_hours`, `error` (why a bin has no snapshot, or empty).
        hours: One row an hour: `bin`, `hour`, `packets` (read), `hosts`, `backscatter`.
        dropped: One row a bin and reason: `bin`, `reason`, `packets`.
        top_ports: One row a port: `port`, `packets`, `hosts` (largest of a day), `bins`.
        is_synthetic: Whether any packet came from the demo generator.
        missing: Calendar days between the first and the last bin without a snapshot.
    """

    days: pd.DataFrame
    hours: pd.DataFrame
    dropped: pd.DataFrame
    top_ports: pd.DataFrame
    is_synthetic: bool
    missing: tuple[str, ...]


def measure_health(workspace: Workspace, config: SnapshotConfig) -> Health:
    """Return the health of the sensor over all bins built with these settings.

    Host sets are read from the snapshots' host columns only; 31 days take well under a second.
    """
    shelved = list_snapshots(workspace, config)
    hosts = {each.bin: _hosts_of(each) for each in shelved}
    with workspace.catalogue() as connection:
        days = _day_table(connection, shelved, hosts)
        synthetic = connection.execute("SELECT count(*) FROM source WHERE synthetic").fetchone()[0]
    return Health(
        days=days,
        hours=_hour_table(shelved),
        dropped=_dropped_table(shelved),
        top_ports=_port_table(shelved),
        is_synthetic=bool(synthetic),
        missing=_missing_days(days["bin"], config),
    )


def all_hosts(workspace: Workspace, config: SnapshotConfig) -> np.ndarray:
    """Return uint32 (n,): every host of any snapshot built with these settings, once, sorted."""
    parts = [_hosts_of(each) for each in list_snapshots(workspace, config)]
    return np.unique(np.concatenate([*parts, np.empty(0, np.uint32)]))


def _hosts_of(shelved: ShelvedSnapshot) -> np.ndarray:
    if shelved.directory is None:
        return np.empty(0, np.uint32)
    table = pq.read_table(shelved.directory / HOSTS_FILE, columns=["host"])
    hosts: np.ndarray = table["host"].to_numpy()
    return hosts


def _day_table(
    connection: sqlite3.Connection, shelved: list[ShelvedSnapshot], hosts: dict[str, np.ndarray]
) -> pd.DataFrame:
    counted = _host_counts(hosts, _labelled(connection, hosts))
    rows = [_counts(each) | row for each, row in zip(shelved, counted, strict=True)]
    return pd.DataFrame(rows, columns=_DAY_COLUMNS)


def _host_counts(hosts: dict[str, np.ndarray], labelled: np.ndarray) -> list[dict[str, Any]]:
    """Return new, returning and labelled hosts of each bin, in the order given."""
    rows = []
    seen = np.empty(0, np.uint32)
    before = np.empty(0, np.uint32)
    for today in hosts.values():
        known = np.isin(today, seen, assume_unique=True)
        with_label = int(np.isin(today, labelled).sum())
        rows.append(
            {
                "new_hosts": int((~known).sum()),
                "returning_hosts": int((known & ~np.isin(today, before)).sum()),
                "labelled_hosts": with_label,
                "labelled_share": with_label / len(today) if len(today) else 0.0,
            }
        )
        seen = np.union1d(seen, today)
        before = today
    return rows


def hosts_without_known(workspace: Workspace, config: SnapshotConfig) -> pd.DataFrame:
    """Return the host columns of `Health.days` without known scanners (`labels.classes`).

    Returns:
        One row a bin: `bin`, `hosts`, `new_hosts`, `returning_hosts`, `labelled_hosts`,
        `labelled_share`.
    """
    hosts = {each.bin: _hosts_of(each) for each in list_snapshots(workspace, config)}
    with workspace.catalogue() as connection:
        for key, today in hosts.items():
            resolved = resolve(connection, today, day=key[:10])
            hosts[key] = today[~class_mask(connection, resolved, "known")]
        counted = _host_counts(hosts, _labelled(connection, hosts))
    rows = [
        {"bin": key, "hosts": len(hosts[key])} | row
        for key, row in zip(hosts, counted, strict=True)
    ]
    return pd.DataFrame(rows, columns=_HOST_COLUMNS)


def _labelled(connection: sqlite3.Connection, hosts: dict[str, np.ndarray]) -> np.ndarray:
    everyone = np.unique(np.concatenate([*hosts.values(), np.empty(0, np.uint32)]))
    return everyone[resolve(connection, everyone).codes > 0]


_HOST_COLUMNS = [
    "bin",
    "hosts",
    "new_hosts",
    "returning_hosts",
    "labelled_hosts",
    "labelled_share",
]

_DAY_COLUMNS = [
    "bin",
    "read",
    "packets",
    "hosts",
    "ports",
    "edges",
    "dark_addresses",
    "backscatter",
    "duplicates",
    "no_port",
    "new_hosts",
    "returning_hosts",
    "labelled_hosts",
    "labelled_share",
    "silent_hours",
    "error",
]


def _counts(shelved: ShelvedSnapshot) -> dict[str, Any]:
    summary = shelved.summary
    found = summary.get("found", {})
    hourly = summary.get("hourly", {}).get("packets", [])
    return {
        "bin": shelved.bin,
        "read": summary.get("read", 0),
        "packets": summary.get("kept", 0),
        "hosts": summary.get("hosts", 0),
        "ports": summary.get("true_ports", 0),
        "edges": summary.get("edges", 0),
        "dark_addresses": summary.get("dark_addresses", 0),
        "backscatter": found.get("backscatter", 0),
        "duplicates": found.get("duplicate", 0),
        "no_port": found.get("no_port", 0),
        "silent_hours": sum(1 for packets in hourly if packets == 0),
        "error": summary.get("error", ""),
    }


def _hour_table(shelved: list[ShelvedSnapshot]) -> pd.DataFrame:
    rows = [
        {"bin": each.bin, "hour": hour, "packets": packets, "hosts": hosts, "backscatter": back}
        for each in shelved
        if "hourly" in each.summary
        for hour, (packets, hosts, back) in enumerate(
            zip(
                each.summary["hourly"]["packets"],
                each.summary["hourly"]["hosts"],
                each.summary["hourly"]["backscatter"],
                strict=True,
            )
        )
    ]
    return pd.DataFrame(rows, columns=["bin", "hour", "packets", "hosts", "backscatter"])


def _dropped_table(shelved: list[ShelvedSnapshot]) -> pd.DataFrame:
    rows = [
        {"bin": each.bin, "reason": reason, "packets": packets}
        for each in shelved
        for reason, packets in each.summary.get("dropped", {}).items()
        if packets
    ]
    return pd.DataFrame(rows, columns=["bin", "reason", "packets"])


def _port_table(shelved: list[ShelvedSnapshot]) -> pd.DataFrame:
    rows = [
        {"bin": each.bin} | port for each in shelved for port in each.summary.get("top_ports", [])
    ]
    table = pd.DataFrame(rows, columns=["bin", "port", "packets", "hosts"])
    ports = table.groupby("port", as_index=False).agg(
        packets=("packets", "sum"), hosts=("hosts", "max"), bins=("bin", "nunique")
    )
    return ports.sort_values(["packets", "port"], ascending=[False, True], ignore_index=True)


def _missing_days(bins: "pd.Series[str]", config: SnapshotConfig) -> tuple[str, ...]:
    if bins.empty:
        return ()
    first, last = bins.min()[:10], bins.max()[:10]
    step = f"{max(1, config.bin_hours // HOURS_A_DAY)}D"
    expected = pd.date_range(first, last, freq=step).strftime("%Y-%m-%d")
    return tuple(day for day in expected if day not in {key[:10] for key in bins})


def table2(workspace: Workspace, config: SnapshotConfig) -> pd.DataFrame:
    """Return the workspace's own Table 2: hosts, ports and packets by label, total and a day.

    Returns:
        One row a label, by hosts downwards, then `unknown`, then `total`; columns `label`,
        `hosts`, `ports`, `packets` (over all bins) and `hosts_a_day`, `ports_a_day`,
        `packets_a_day` (averages over bins that have a snapshot). Ports are known ports, before
        the port filter.

    Source:
        Paper, Table 2.
    """
    built = [each for each in list_snapshots(workspace, config) if each.directory is not None]
    if not built:
        return pd.DataFrame(columns=_TABLE2_COLUMNS)
    hosts = all_hosts(workspace, config)
    with workspace.catalogue() as connection:
        names, label_of = np.unique(resolve(connection, hosts).labels, return_inverse=True)
    ports = np.zeros((len(names) + 1, PORTS), np.bool_)  # the last row is of all labels
    packets, averages = (np.zeros((len(names) + 1, parts), np.int64) for parts in (1, 3))
    for each in built:
        seen, counts = _label_counts(Path(each.directory or ""), hosts, label_of, len(names))
        ports |= seen
        packets += counts[:, 2:]
        averages += counts
    found = np.append(np.bincount(label_of, minlength=len(names)), len(hosts))
    table = pd.DataFrame({"label": [*names, "total"], "hosts": found, "ports": ports.sum(axis=1)})
    table["packets"] = packets[:, 0]
    table[["hosts_a_day", "ports_a_day", "packets_a_day"]] = averages / len(built)
    table["rank"] = (table["label"] == UNKNOWN).astype(int)
    table.loc[len(names), "rank"] = 2  # the total, whatever a label is called
    order = {"rank": True, "hosts": False, "label": True}
    ranked = table.sort_values(list(order), ascending=list(order.values()), ignore_index=True)
    shown: pd.DataFrame = ranked[_TABLE2_COLUMNS]
    return shown


def _label_counts(
    directory: Path, hosts: np.ndarray, label_of: np.ndarray, labels: int
) -> tuple[np.ndarray, np.ndarray]:
    """Count one bin by label, all labels together last.

    Returns:
        bool (labels + 1, 65,536), ports asked for; int64 (labels + 1, 3), hosts, ports, packets.
    """
    pairs = read_pairs(directory)
    host, port, sent = (pairs[name].to_numpy() for name in ("host", "port", "packets"))
    label = label_of[np.searchsorted(hosts, host)]
    is_known = port >= 0
    ports = np.zeros((labels + 1, PORTS), np.bool_)
    ports[label[is_known], port[is_known]] = True
    ports[labels] = ports.any(axis=0)
    starts = np.append(True, host[1:] != host[:-1])[: len(host)]  # pairs stand by host
    counts = np.zeros((labels + 1, 3), np.int64)
    counts[:labels, 0] = np.bincount(label[starts], minlength=labels)
    np.add.at(counts[:, 2], label, sent)
    counts[labels] = counts[:labels].sum(axis=0)
    counts[:, 1] = ports.sum(axis=1)
    return ports, counts


_TABLE2_COLUMNS = [
    "label",
    "hosts",
    "ports",
    "packets",
    "hosts_a_day",
    "ports_a_day",
    "packets_a_day",
]
