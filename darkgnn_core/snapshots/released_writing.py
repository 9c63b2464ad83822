"""A released day as a snapshot: the files and columns of a built one, null where nothing is known.

Features come as they were released, divided by their day's maximum: scaling by the maximum again
changes nothing, but they are no packet counts. Edges are month-first. The summary says both.
"""

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from darkgnn_core.config import SnapshotConfig, config_hash
from darkgnn_core.durable import sha256_of, write_json
from darkgnn_core.snapshots.bins import Bin, start_of_day
from darkgnn_core.snapshots.columns import (
    EDGES_FILE,
    EDGES_SCHEMA,
    EXTRA_HOST_COLUMNS,
    HOST_FEATURES,
    HOSTS_FILE,
    HOSTS_SCHEMA,
    PAIRS_FILE,
    PAIRS_SCHEMA,
    PORT_FEATURES,
    PORTS_FILE,
    PORTS_SCHEMA,
    SUMMARY_FILE,
)
from darkgnn_core.snapshots.released import ReleasedDataset
from darkgnn_core.snapshots.released_aligning import ReleasedDay, read_released_day
from darkgnn_core.snapshots.released_days import Matrix

ORIGIN = "released"
VERSION = 1
CONFIG = SnapshotConfig.of_preset("as_released", origin="released")
"""What the released files were made with: more than 5 packets a day, 2,500 ports and the rest."""

UNKNOWN_COLUMNS = {
    "hosts": ["packets", "first_ts", "last_ts", *(field.name for field in EXTRA_HOST_COLUMNS)],
    "ports": ["packets"],
    "edges": ["dark_addresses", "first_ts", "last_ts"],
}
"""Columns that the released files cannot fill; they are null in every row."""


def write_released_snapshot(dataset: ReleasedDataset, day: str, directory: Path) -> dict[str, Any]:
    """Write hosts, ports, edges and summary of one released day into an existing directory.

    Args:
        dataset: The folder, as `read_released` found it.
        day: One of `dataset.days`.
        directory: Where the five files go, such as `durable.new_directory` gives it.

    Returns:
        The summary, as written to `summary.json`.

    Raises:
        TraceError: What `read_released_day` raises; nothing is written then.
        WorkspaceError: `DISK-FULL`.
    """
    released = read_released_day(dataset, day)
    hosts = {"host": released.hosts} | _columns(HOST_FEATURES, released.host_features)
    ports = {"port": released.ports} | _columns(PORT_FEATURES, released.port_features)
    edges = {
        "host": released.edge_hosts,
        "port": released.edge_ports,
        "packets": released.edge_packets,
    }
    for name, columns, schema in (
        (HOSTS_FILE, hosts, HOSTS_SCHEMA),
        (PORTS_FILE, ports, PORTS_SCHEMA),
        (EDGES_FILE, edges, EDGES_SCHEMA),
        (PAIRS_FILE, edges, PAIRS_SCHEMA),
    ):
        _write(directory / name, columns, schema, day)
    summary = _summary(dataset, released)
    write_json(directory / SUMMARY_FILE, summary)
    return summary


def _columns(names: tuple[str, ...], values: Matrix) -> dict[str, Any]:
    return {name: values[:, place] for place, name in enumerate(names)}


def _write(path: Path, columns: dict[str, Any], schema: pa.Schema, day: str) -> None:
    """Write the columns in the schema's order and types; those not given are null."""
    rows = len(next(iter(columns.values())))
    fields, arrays = [], []
    for field in schema:
        fields.append(field.with_nullable(True))
        if field.name not in columns:
            arrays.append(pa.nulls(rows, field.type))
            continue
        values = columns[field.name]
        missing = np.isnan(values) if values.dtype.kind == "f" else None
        arrays.append(pa.array(values, mask=missing).cast(field.type))
    made_with = {"darkgnn_config": config_hash(CONFIG), "darkgnn_bin": day}
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=made_with))
    pq.write_table(table, path, compression="zstd", compression_level=1, write_page_checksum=True)


def _summary(dataset: ReleasedDataset, released: ReleasedDay) -> dict[str, Any]:
    """Return the keys of a built snapshot's summary, None where unknown, and what is odd here."""
    time_bin = Bin(start_of_day(date.fromisoformat(released.day)))
    missing = dict(UNKNOWN_COLUMNS)
    if not released.has_features:
        missing["hosts"] = [*missing["hosts"], *HOST_FEATURES]
        missing["ports"] = [*missing["ports"], *PORT_FEATURES]
    return {
        "version": VERSION,
        "origin": ORIGIN,
        "bin": {"key": time_bin.key, "start_ns": time_bin.start_ns, "hours": time_bin.hours},
        "config": asdict(CONFIG),
        "config_hash": config_hash(CONFIG),
        "inputs": _inputs(dataset, released),
        **dict.fromkeys(("read", "kept", "true_ports", "dark_addresses", "mirai_hosts")),
        **{name: {} for name in ("dropped", "found", "dropped_hosts", "nulls", "hourly")},
        "hosts": len(released.hosts),
        "ports": len(released.ports),
        "edges": len(released.edge_hosts),
        "top_ports": [],
        "absent_columns": [],
        "edges_kind": "month_first",
        "features_scaled": "max" if released.has_features else None,
        "missing": missing,
        "notes": list(released.notes),
    }


def _inputs(dataset: ReleasedDataset, released: ReleasedDay) -> list[dict[str, Any]]:
    lookups = dataset.root / "graph"
    paths = [
        dataset.graphs[released.day],
        lookups / "ip_lookup.json",
        lookups / "port_lookup.json",
    ]
    if released.has_features:
        paths.append(dataset.features[released.day])
    return [
        {
            "file": f"{path.parent.name}/{path.name}",
            "bytes": path.stat().st_size,
            "sha256": sha256_of(path),
        }
        for path in paths
    ]
