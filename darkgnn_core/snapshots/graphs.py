"""Snapshots as a model sees them: which edges count, and how features are scaled."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from darkgnn_core.config import GraphConfig
from darkgnn_core.snapshots.columns import HOST_FEATURES, PORT_FEATURES
from darkgnn_core.snapshots.reading import (
    Floats,
    Snapshot,
    assemble,
    column,
    feature_matrix,
    read_edges,
    read_hosts,
    read_ports,
    read_summary,
)
from darkgnn_core.snapshots.rewiring import rewired

Keys = npt.NDArray[np.int64]


def graph_reader(directories: Sequence[Path], config: GraphConfig) -> Callable[[int], Snapshot]:
    """Return what reads the snapshot at a position, with the edges and scaling of `config`.

    Features are scaled in float64 before they become float32. `month_first` reads the edges of
    all bins on its first call: later bins leak into it, which is what it is there to show.

    Args:
        directories: Directories of stored snapshots, in time order.
        config: Edges and scaling.

    Returns:
        A function of a position in `directories`; it raises `WorkspaceError` `DAMAGED` where a
        file cannot be read.

    Source:
        Paper, section 2 (daily edges, division by the maximum); `docs/decisions.md`.
    """
    chosen = _first_meetings(directories) if config.edges == "month_first" else _all_edges
    scale = SCALINGS[config.scaling]

    def read(position: int) -> Snapshot:
        directory = directories[position]
        hosts, ports = read_hosts(directory), read_ports(directory)
        return assemble(
            read_summary(directory),
            hosts=hosts,
            ports=ports,
            edges=_controlled(chosen(position, _edges_of(directory)), directory, config),
            host_features=scale(feature_matrix(hosts, HOST_FEATURES)),
            port_features=scale(feature_matrix(ports, PORT_FEATURES)),
        )

    return read


def _edges_of(directory: Path) -> pa.Table:
    return read_edges(directory, ["host", "port", "packets"])


def _controlled(edges: pa.Table, directory: Path, config: GraphConfig) -> pa.Table:
    """Return edges as they are, or rewired where the control asks for it."""
    if config.control != "rewired_edges":
        return edges
    return rewired(edges, read_summary(directory)["bin"]["key"])


def graph_days(directories: Sequence[Path], config: GraphConfig) -> Iterator[Snapshot]:
    """Yield the snapshots of successive bins as `graph_reader` reads them."""
    return map(graph_reader(directories, config), range(len(directories)))


def divide_by_maximum(features: Floats) -> Floats:
    """Divide each column by its maximum; a column of zeros stays zero.

    >>> divide_by_maximum(np.array([[1.0, 0.0], [4.0, 0.0]])).tolist()
    [[0.25, 0.0], [1.0, 0.0]]
    """
    most = features.max(axis=0, initial=0.0)
    return features / np.where(most > 0, most, 1.0)


def rank_in_bin(features: Floats) -> Floats:
    """Replace each value by its rank in its column, 0 to 1, equal values by their mean rank.

    A column that is constant tells nothing and becomes 0.

    >>> rank_in_bin(np.array([[5.0], [7.0], [7.0], [900.0]]))[:, 0].tolist()
    [0.0, 0.5, 0.5, 1.0]
    """
    ranks = np.zeros_like(features)
    for position in range(features.shape[1]):
        _, place, count = np.unique(features[:, position], return_inverse=True, return_counts=True)
        if len(count) > 1:
            mean_rank = np.cumsum(count) - (count + 1) / 2
            ranks[:, position] = mean_rank[place] / (len(features) - 1)
    return ranks


def unscaled(features: Floats) -> Floats:
    """Return the features as they are."""
    return features


SCALINGS: dict[str, Callable[[Floats], Floats]] = {
    "max": divide_by_maximum,
    "quantile": rank_in_bin,
    "none": unscaled,
}


def _all_edges(_: int, edges: pa.Table) -> pa.Table:
    return edges


def _pair_keys(edges: pa.Table) -> Keys:
    """Return one int64 a pair: the host above 17 bits of port + 1 (the rest node is -1)."""
    hosts, ports = column(edges, "host").astype(np.int64), column(edges, "port").astype(np.int64)
    return (hosts << 17) | (ports + 1)


def _first_meetings(directories: Sequence[Path]) -> Callable[[int, pa.Table], pa.Table]:
    """Return what keeps the pairs a bin is the first to have, with the packets of all bins."""
    totals_once = lru_cache(maxsize=1)(lambda: _pair_totals(directories))

    def keep_new(position: int, edges: pa.Table) -> pa.Table:
        pairs, totals, first = totals_once()
        places = np.searchsorted(pairs, _pair_keys(edges))
        packets = edges.schema.get_field_index("packets")
        weighed = edges.set_column(packets, "packets", pa.array(totals[places]))
        return weighed.filter(pa.array(first[places] == position))

    return keep_new


def _pair_totals(directories: Sequence[Path]) -> tuple[Keys, Keys, Keys]:
    """Add up the packets of each pair over all bins: keys, ascending, totals, first positions."""
    keys, totals, first = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64)
    for position, directory in enumerate(directories):
        edges = _edges_of(directory)
        all_keys = np.concatenate([keys, _pair_keys(edges)])
        all_packets = np.concatenate([totals, column(edges, "packets")])
        all_first = np.concatenate([first, np.full(edges.num_rows, position)])
        keys, earliest, place = np.unique(all_keys, return_index=True, return_inverse=True)
        first = all_first[earliest]
        totals = np.zeros(len(keys), np.int64)
        np.add.at(totals, place, all_packets)
    return keys, totals, first
