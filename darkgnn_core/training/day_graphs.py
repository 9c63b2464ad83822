"""Snapshots as arrays to compute with: node keys, normalised edges, features averaged once.

Only active nodes are there. A node that is absent from a graph is an isolated node with features
of zero, as in the released code, where every node of the month is in every graph; the networks
know what such a node gives without computing it for each.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse

from darkgnn_core.run_config import NetworkConfig
from darkgnn_core.snapshots.reading import Snapshot

Keys = npt.NDArray[np.int64]
Floats32 = npt.NDArray[np.float32]

PORT_KEY = 1 << 32
"""Keys of ports start here, above all addresses: the rest node first, then port 0, port 1, ..."""


@dataclass(frozen=True, eq=False)
class DayGraph:
    """The graph of one bin, n hosts, m ports, e edges; nodes are hosts, then ports.

    Attributes:
        key: Name of the bin.
        hosts: uint32 (n,), addresses, ascending.
        nodes: int64 (n + m,), keys of the nodes, ascending.
        edges: int64 (2, e), positions of host and port in `nodes`.
        weights: float32 (e,), as the edges count.
        adjacency: float32 (n + m, n + m), each row sums to 1, a node's own edge included.
        features: float32 (n + m, 37).
        averaged: float32 (n + m, 37), `adjacency @ features`.
    """

    key: str
    hosts: npt.NDArray[np.uint32]
    nodes: Keys
    edges: Keys
    weights: Floats32
    adjacency: scipy.sparse.csr_array
    features: Floats32
    averaged: Floats32

    @property
    def host_count(self) -> int:
        """N."""
        return len(self.hosts)


def day_graph(snapshot: Snapshot, settings: NetworkConfig) -> DayGraph:
    """Return the graph of a snapshot with the edge weights of `settings`."""
    host_count = len(snapshot.hosts)
    nodes = np.concatenate(
        [snapshot.hosts.astype(np.int64), snapshot.ports.astype(np.int64) + 1 + PORT_KEY]
    )
    edges = np.stack([snapshot.edge_index[0], snapshot.edge_index[1] + host_count])
    weights = snapshot.edge_weight
    if settings.edge_weight == "log1p":
        weights = np.log1p(weights)
    features = np.concatenate([snapshot.host_features, snapshot.port_features])
    adjacency = normalised(edges, weights, len(nodes), self_loop=settings.self_loop)
    return DayGraph(
        key=snapshot.key,
        hosts=snapshot.hosts,
        nodes=nodes,
        edges=edges,
        weights=weights,
        adjacency=adjacency,
        features=features,
        averaged=adjacency @ features,
    )


def normalised(
    edges: Keys, weights: Floats32, count: int, *, self_loop: str
) -> scipy.sparse.csr_array:
    """Return the matrix of symmetric edges and self-loops, every row divided by its sum.

    Args:
        edges: int64 (2, e), each pair once.
        weights: float32 (e,), positive.
        count: Number of nodes.
        self_loop: `one`, or `row_sum`: as heavy as all other edges of the node (1 where alone).

    Source:
        Paper, section 2: the normalised weights of a node's edges, its own included, sum to 1;
        the weight 1 of the self-loop is the released code's (`docs/decisions.md`).
    """
    row = np.concatenate([edges[0], edges[1]])
    column = np.concatenate([edges[1], edges[0]])
    both = np.concatenate([weights, weights]).astype(np.float64)
    sums = np.bincount(row, weights=both, minlength=count)
    own = np.where(sums > 0, sums, 1.0) if self_loop == "row_sum" else np.ones(count)
    nodes = np.arange(count)
    values = np.concatenate([both, own]) / (sums + own)[np.concatenate([row, nodes])]
    places = (np.concatenate([row, nodes]), np.concatenate([column, nodes]))
    matrix = scipy.sparse.coo_array((values.astype(np.float32), places), shape=(count, count))
    return scipy.sparse.csr_array(matrix.tocsr())


def without_edges(
    graph: DayGraph, hidden: npt.NDArray[np.bool_], settings: NetworkConfig
) -> DayGraph:
    """Return the graph as the encoder sees it when some edges are hidden from it.

    Args:
        graph: The whole graph.
        hidden: bool (e,).
        settings: For the self-loops.
    """
    edges, weights = graph.edges[:, ~hidden], graph.weights[~hidden]
    adjacency = normalised(edges, weights, len(graph.nodes), self_loop=settings.self_loop)
    return DayGraph(
        key=graph.key,
        hosts=graph.hosts,
        nodes=graph.nodes,
        edges=edges,
        weights=weights,
        adjacency=adjacency,
        features=graph.features,
        averaged=adjacency @ graph.features,
    )


def places_of(wanted: Keys, nodes: Keys) -> tuple[Keys, Keys]:
    """Return which of `wanted` are in `nodes`, and where: positions in both, ascending keys."""
    found = np.searchsorted(nodes, wanted)
    found[found == len(nodes)] = 0
    present = np.flatnonzero(nodes[found] == wanted) if len(nodes) else np.zeros(0, np.int64)
    return present, found[present]
