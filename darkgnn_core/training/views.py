"""What a network sees of each graph of a window: only the rows that today's targets depend on."""

from collections.abc import Sequence

import numpy as np
import scipy.sparse
import torch
from torch import Tensor

from darkgnn_core.models.adjacency import Adjacency
from darkgnn_core.models.convolutions import GraphView
from darkgnn_core.models.node_vectors import VectorView
from darkgnn_core.run_config import NetworkConfig
from darkgnn_core.training.day_graphs import DayGraph, Keys, places_of


def views_of(
    graphs: Sequence[DayGraph], targets: Keys, settings: NetworkConfig, device: torch.device
) -> list[object]:
    """Return one view a graph, of the kind that the settings' convolutions take.

    Args:
        graphs: The window, the oldest first.
        targets: int64, keys of the nodes whose embeddings are asked for, ascending.
        settings: Which convolutions, with features or not.
        device: Where the network is.
    """
    if not settings.use_features:
        table = window_nodes(graphs, targets)
        return [_vector_view(graph, targets, table, device) for graph in graphs]
    if settings.convolution != "gcn":
        return [_whole_view(graph, targets, device) for graph in graphs]
    return [_feature_view(graph, targets, device) for graph in graphs]


def window_nodes(graphs: Sequence[DayGraph], targets: Keys) -> Keys:
    """Return the keys of all nodes of a window and the targets, int64, ascending."""
    return np.unique(np.concatenate([targets, *(graph.nodes for graph in graphs)]))


def _feature_view(graph: DayGraph, targets: Keys, device: torch.device) -> GraphView:
    places, rows = places_of(targets, graph.nodes)
    asked = graph.adjacency[rows]
    needed = np.zeros(len(graph.nodes), dtype=bool)
    needed[asked.indices] = True
    return GraphView(
        inputs=torch.from_numpy(graph.averaged[needed]).to(device),
        adjacency=Adjacency.of(_narrowed(asked, needed), device),
        places=_tensor(places, device),
        targets=len(targets),
    )


def _narrowed(matrix: scipy.sparse.csr_array, needed: np.ndarray) -> scipy.sparse.csr_array:
    """Leave out the columns that nothing needs."""
    renumbered = np.cumsum(needed) - 1
    parts = (matrix.data, renumbered[matrix.indices], matrix.indptr)
    return scipy.sparse.csr_array(parts, shape=(matrix.shape[0], int(needed.sum())))


def _vector_view(graph: DayGraph, targets: Keys, table: Keys, device: torch.device) -> VectorView:
    there, _ = places_of(targets, graph.nodes)
    alone = np.delete(targets, there)
    nodes = np.concatenate([graph.nodes, alone])
    whole = scipy.sparse.csr_array(
        scipy.sparse.block_diag([graph.adjacency, scipy.sparse.eye_array(len(alone))], "csr")
    )
    order = np.argsort(nodes)
    asked = order[np.searchsorted(nodes, targets, sorter=order)]
    return VectorView(
        first=Adjacency.of(with_columns(whole, np.searchsorted(table, nodes), len(table)), device),
        adjacency=Adjacency.of(whole[asked], device),
        places=torch.arange(len(targets), device=device),
        targets=len(targets),
    )


def with_columns(
    matrix: scipy.sparse.csr_array, columns: Keys, width: int
) -> scipy.sparse.csr_array:
    """Return a matrix whose columns stand elsewhere in a wider one.

    Args:
        matrix: (rows, n).
        columns: int64 (n,), where each column goes.
        width: Columns of the result.
    """
    parts = (matrix.data, columns[matrix.indices], matrix.indptr)
    return scipy.sparse.csr_array(parts, shape=(matrix.shape[0], width))


def _whole_view(graph: DayGraph, targets: Keys, device: torch.device) -> object:
    from darkgnn_core.models.library_convolutions import WholeView  # torch-geometric: 1.5 s

    places, rows = places_of(targets, graph.nodes)
    both = np.concatenate([graph.edges, graph.edges[::-1]], axis=1)
    weights = np.log1p(np.concatenate([graph.weights, graph.weights]))
    return WholeView(
        features=torch.from_numpy(graph.features).to(device),
        edge_index=_tensor(both, device),
        edge_attr=torch.from_numpy(weights).unsqueeze(1).to(device),
        rows=_tensor(rows, device),
        places=_tensor(places, device),
        targets=len(targets),
    )


def _tensor(numbers: Keys, device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(numbers)).to(device)
