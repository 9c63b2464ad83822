"""Stored snapshots back in memory: as arrays for a model, or as tables for a page."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from darkgnn_core.errors import WorkspaceError
from darkgnn_core.snapshots.columns import (
    EDGES_FILE,
    EDGES_SCHEMA,
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

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The graph of one time bin, n hosts, m port nodes, e edges.

    Attributes:
        key: Name of the bin.
        hosts: uint32 (n,), addresses, ascending.
        ports: int32 (m,), port numbers, ascending; -1 is the rest.
        host_features: float32 (n, 37), columns `columns.HOST_FEATURES`.
        port_features: float32 (m, 37), columns `columns.PORT_FEATURES`.
        edge_index: int64 (2, e); row 0 positions in `hosts`, row 1 positions in `ports`.
        edge_weight: float32 (e,), packets of the pair.
        summary: What `building.build_snapshot` returned.
    """

    key: str
    hosts: npt.NDArray[np.uint32]
    ports: npt.NDArray[np.int32]
    host_features: npt.NDArray[np.float32]
    port_features: npt.NDArray[np.float32]
    edge_index: npt.NDArray[np.int64]
    edge_weight: npt.NDArray[np.float32]
    summary: dict[str, Any]


def read_snapshot(directory: Path) -> Snapshot:
    """Read a snapshot as it was stored, unscaled.

    Hold the directory against its manifest first (`durable.check_manifest`): Parquet alone does
    not notice every changed bit.

    Raises:
        WorkspaceError: `DAMAGED` where a file is missing, cut, or not of the stored form.
    """
    hosts, ports, edges = read_hosts(directory), read_ports(directory), read_edges(directory)
    return assemble(
        read_summary(directory),
        hosts=hosts,
        ports=ports,
        edges=edges,
        host_features=feature_matrix(hosts, HOST_FEATURES),
        port_features=feature_matrix(ports, PORT_FEATURES),
    )


def assemble(
    summary: dict[str, Any],
    *,
    hosts: pa.Table,
    ports: pa.Table,
    edges: pa.Table,
    host_features: Floats,
    port_features: Floats,
) -> Snapshot:
    """Put tables and (scaled) features together.

    Args:
        summary: The summary of the bin.
        hosts: Table of hosts, by address.
        ports: Table of ports, by number.
        edges: Table of edges.
        host_features: float64 (n, 37).
        port_features: float64 (m, 37).
    """
    host_keys, port_keys = column(hosts, "host"), column(ports, "port")
    edge_index = np.stack(
        [
            np.searchsorted(host_keys, column(edges, "host")),
            np.searchsorted(port_keys, column(edges, "port")),
        ]
    )
    return Snapshot(
        key=summary["bin"]["key"],
        hosts=host_keys.astype(np.uint32),
        ports=port_keys.astype(np.int32),
        host_features=host_features.astype(np.float32),
        port_features=port_features.astype(np.float32),
        edge_index=edge_index.astype(np.int64),
        edge_weight=column(edges, "packets").astype(np.float32),
        summary=summary,
    )


def column(table: pa.Table, name: str) -> npt.NDArray[Any]:
    """Return a column without nulls as an array."""
    values: npt.NDArray[Any] = table.column(name).to_numpy()
    return values


def feature_matrix(table: pa.Table, names: tuple[str, ...]) -> Floats:
    """Return columns side by side, float64 (rows, len(names))."""
    return np.stack([column(table, name) for name in names], axis=1).astype(np.float64)


def read_hosts(directory: Path, columns: list[str] | None = None) -> pa.Table:
    """Read the hosts of a snapshot, `columns.HOSTS_SCHEMA`, by address.

    Raises:
        WorkspaceError: `DAMAGED`.
    """
    return _read(directory / HOSTS_FILE, HOSTS_SCHEMA, columns)


def read_ports(directory: Path, columns: list[str] | None = None) -> pa.Table:
    """Read the port nodes of a snapshot, `columns.PORTS_SCHEMA`, by number.

    Raises:
        WorkspaceError: `DAMAGED`.
    """
    return _read(directory / PORTS_FILE, PORTS_SCHEMA, columns)


def read_edges(directory: Path, columns: list[str] | None = None) -> pa.Table:
    """Read the host-port pairs of a snapshot, `columns.EDGES_SCHEMA`, by host and port.

    Raises:
        WorkspaceError: `DAMAGED`.
    """
    return _read(directory / EDGES_FILE, EDGES_SCHEMA, columns)


def read_pairs(directory: Path, columns: list[str] | None = None) -> pa.Table:
    """Read who sent to which true port, `columns.PAIRS_SCHEMA`, by host and port.

    Raises:
        WorkspaceError: `DAMAGED`.
    """
    return _read(directory / PAIRS_FILE, PAIRS_SCHEMA, columns)


def read_summary(directory: Path) -> dict[str, Any]:
    """Read what a snapshot says about itself.

    Raises:
        WorkspaceError: `DAMAGED`.
    """
    try:
        summary: dict[str, Any] = json.loads((directory / SUMMARY_FILE).read_bytes())
    except (OSError, ValueError) as error:
        raise _damaged(directory / SUMMARY_FILE, str(error)) from error
    return summary


def _names_and_types(schema: pa.Schema) -> list[tuple[str, pa.DataType]]:
    """Return what makes a table readable; released snapshots may hold nulls where built do not."""
    return [(field.name, field.type) for field in schema]


def _read(path: Path, schema: pa.Schema, columns: list[str] | None) -> pa.Table:
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            if _names_and_types(file.schema_arrow) != _names_and_types(schema):
                raise _damaged(path, "its columns are not those of this version")
            return file.read(columns=columns)
    except (OSError, pa.ArrowException) as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, why: str) -> WorkspaceError:
    return WorkspaceError(
        f"{path.parent.name}/{path.name} cannot be read: {why}. Build the snapshot again.",
        code="DAMAGED",
    )
