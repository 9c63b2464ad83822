"""One released day by address: edges and features put together through the lookups, never by row.

Who was active on a day is told by the features: a host with at least one port, a port with at
least one host. The graph file alone names only those with a pair first seen on that day.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkgnn_core.errors import TraceError
from darkgnn_core.snapshots.released import ReleasedDataset
from darkgnn_core.snapshots.released_days import (
    N_FEATURES,
    EdgeFile,
    FeatureFile,
    Matrix,
    Numbers,
    read_edges,
    read_features,
)

SCALED_MAX = 1.0 + 1e-9


@dataclass(frozen=True)
class ReleasedDay:
    """What the files of one day say, by address and port; rows are sorted by their key.

    Attributes:
        day: UTC day.
        hosts: IPv4 addresses as integers, uint32 (hosts,), each once.
        host_features: float64 (hosts, 37); NaN where the day has no feature file.
        ports: Ports, int64 (ports,), each once; -1 is the node of the rest.
        port_features: float64 (ports, 37); NaN likewise.
        edge_hosts: Address of each edge, uint32 (edges,).
        edge_ports: Port of each edge, int64 (edges,).
        edge_packets: Packets of the pair on all days, int64 (edges,).
        has_features: Whether the day has a feature file.
        notes: Things worth telling that dropped nothing, one sentence each.
    """

    day: str
    hosts: npt.NDArray[np.uint32]
    host_features: Matrix
    ports: Numbers
    port_features: Matrix
    edge_hosts: npt.NDArray[np.uint32]
    edge_ports: Numbers
    edge_packets: Numbers
    has_features: bool
    notes: tuple[str, ...]


def read_released_day(dataset: ReleasedDataset, day: str) -> ReleasedDay:
    """Read the graph and, if there, the features of one day, aligned by address and port.

    Args:
        dataset: The folder, as `read_released` found it.
        day: One of `dataset.days`.

    Raises:
        TraceError: `NO-SUCH-DAY`; `FEATURES-HOST-MISSING` or `FEATURES-PORT-MISSING` where a node
            of the lookups has no row; `FEATURES-EXTRA` where a row's node is in no lookup; what
            `read_edges` and `read_features` raise.
    """
    if day not in dataset.graphs:
        known = f"{dataset.days[0]} to {dataset.days[-1]}" if dataset.days else "none"
        raise TraceError(f"No graph of {day}; there are {known}.", code="NO-SUCH-DAY")
    edges = read_edges(dataset.graphs[day], hosts=dataset.hosts, ports=dataset.ports)
    features = read_features(dataset.features[day]) if day in dataset.features else None
    if features:
        _check_nodes(features, dataset, dataset.features[day].name)
    hosts, host_features = _rows(dataset.hosts, edges.hosts, features)
    ports, port_features = _rows(dataset.ports, edges.ports, features)
    edge_hosts, edge_ports, edge_packets = _named_edges(dataset, edges)
    return ReleasedDay(
        day=day,
        hosts=hosts.astype(np.uint32),
        host_features=host_features,
        ports=ports,
        port_features=port_features,
        edge_hosts=edge_hosts.astype(np.uint32),
        edge_ports=edge_ports,
        edge_packets=edge_packets,
        has_features=features is not None,
        notes=tuple(_day_notes(edges, features, host_features, port_features)),
    )


def _check_nodes(features: FeatureFile, dataset: ReleasedDataset, name: str) -> None:
    rows = set(features.nodes.tolist())
    for kind, lookup in (("HOST", dataset.hosts), ("PORT", dataset.ports)):
        missing = sorted(lookup.keys() - rows)
        if missing:
            raise TraceError(
                f"{name}: {len(missing):,} of {len(lookup):,} {kind.lower()}s have no row, the "
                f"first is node {missing[0]}. The features and the lookups must come from the "
                "same run.",
                code=f"FEATURES-{kind}-MISSING",
            )
    extra = sorted(rows - dataset.hosts.keys() - dataset.ports.keys())
    if extra:
        raise TraceError(
            f"{name}: {len(extra):,} rows belong to no node of the lookups, the first is node "
            f"{extra[0]}. The features and the lookups must come from the same run.",
            code="FEATURES-EXTRA",
        )


def _rows(
    lookup: Mapping[int, int], with_edges: Numbers, features: FeatureFile | None
) -> tuple[Numbers, Matrix]:
    """Return the active names of one kind of node, sorted, each once, and their 37 columns."""
    if features is None:
        names = np.unique(_names(lookup, with_edges))
        return names, np.full((len(names), N_FEATURES), np.nan)
    of_kind = np.isin(features.nodes, np.fromiter(lookup, dtype=np.int64))
    nodes, values = features.nodes[of_kind], features.values[of_kind]
    active = (values[:, 0] > 0) | np.isin(nodes, with_edges)
    names, values = _names(lookup, nodes[active]), values[active]
    best_first = np.lexsort((-values[:, 0], names))  # of two nodes of a port: the one with hosts
    once, first = np.unique(names[best_first], return_index=True)
    return once, values[best_first][first]


def _named_edges(dataset: ReleasedDataset, edges: EdgeFile) -> tuple[Numbers, Numbers, Numbers]:
    """Return address, port and packets of each edge, sorted; the two nodes of a port are one."""
    ends = np.stack([_names(dataset.hosts, edges.hosts), _names(dataset.ports, edges.ports)])
    pairs, place = np.unique(ends, axis=1, return_inverse=True)
    packets = np.zeros(pairs.shape[1], dtype=np.int64)
    np.add.at(packets, place.ravel(), edges.packets)
    return pairs[0], pairs[1], packets


def _names(lookup: Mapping[int, int], nodes: Numbers) -> Numbers:
    return np.array([lookup[node] for node in nodes.tolist()], dtype=np.int64)


def _day_notes(
    edges: EdgeFile, features: FeatureFile | None, hosts: Matrix, ports: Matrix
) -> list[str]:
    notes = []
    if edges.repeated:
        notes.append(f"{edges.repeated} lines repeat a host-port pair; merged.")
    if features is None:
        return notes
    if features.reordered:
        notes.append("The feature columns stood in another order; taken by their names.")
    for kind, values in (("hosts", hosts), ("ports", ports)):
        silent = int((values[:, 0] == 0).sum())
        if silent:
            notes.append(f"{silent} {kind} with edges have all features 0 in the file.")
        if values.size and values.max() > SCALED_MAX:
            notes.append(f"The features of {kind} exceed 1: not divided by their maximum.")
    constant = _constant_columns(hosts)
    if constant:
        notes.append(f"FEATURES-CONSTANT: the same for every host in column {constant}.")
    return notes


def _constant_columns(values: Matrix) -> str:
    if len(values) < 2:
        return ""
    return ", ".join(map(str, np.flatnonzero(np.ptp(values, axis=0) == 0)))
