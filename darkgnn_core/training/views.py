"""What a network sees of each graph of a window: only the rows that today's targets depend on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse
import torch
from torch import Tensor

from darkgnn_core.models.adjacency import Adjacency
from darkgnn_core.models.convolutions import GraphView
from darkgnn_core.models.node_vectors import VectorView, VectorWindow
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
        return _vector_views(graphs, targets, device)
    if settings.convolution != "gcn":
        return [_whole_view(graph, targets, device) for graph in graphs]
    return [_feature_view(graph, targets, device) for graph in graphs]


def window_nodes(graphs: Sequence[DayGraph], targets: Keys) -> Keys:
    """Return the keys of all nodes of a window and the targets, int64, ascending."""
    return np.unique(np.concatenate([targets, *(graph.nodes for graph in graphs)]))


def _feature_view(graph: DayGraph, targets: Keys, device: torch.device) -> GraphView:
    places, rows = places_of(targets, graph.nodes)
    needed, asked = narrowed(graph.adjacency[rows])
    return GraphView(
        inputs=torch.from_numpy(graph.averaged[needed]).to(device),
        adjacency=Adjacency.of(asked, device),
        places=_tensor(places, device),
        targets=len(targets),
    )


def _vector_views(graphs: Sequence[DayGraph], targets: Keys, device: torch.device) -> list[object]:
    table = window_nodes(graphs, targets)
    parts: list[VectorPart] = []
    for graph in graphs:
        places, rows = places_of(targets, graph.nodes)
        needed, asked = narrowed(graph.adjacency[rows])
        columns = np.searchsorted(table, graph.nodes)
        first = with_columns(graph.adjacency[needed], columns, len(table))
        parts.append(VectorPart(first, asked, places))
    return vector_views(parts, targets, table, device)


@dataclass(frozen=True, eq=False)
class VectorPart:
    """One graph of a window, for a network without features.

    Attributes:
        first: (N, T), the nodes whose h counts against the T vectors of the window.
        second: (R, N), the targets that are in the graph against those nodes.
        places: int64 (R,), which targets those are.
    """

    first: scipy.sparse.csr_array
    second: scipy.sparse.csr_array
    places: Keys


def vector_views(
    parts: Sequence[VectorPart], targets: Keys, table: Keys, device: torch.device
) -> list[object]:
    """Return one view a graph of the window.

    Args:
        parts: Its graphs, the oldest first.
        targets: int64, keys, ascending.
        table: int64 (T,), keys of the vectors, ascending; the targets are among them.
        device: Where the network is.
    """
    seen = np.bincount(np.concatenate([part.places for part in parts]), minlength=len(targets))
    strays = np.flatnonzero(seen < len(parts))
    own = np.searchsorted(table, targets[strays])
    alone = with_columns(
        scipy.sparse.eye_array(len(strays), dtype=np.float32, format="csr"), own, len(table)
    )
    firsts = [*(part.first for part in parts), alone]
    stacked = scipy.sparse.csr_array(scipy.sparse.vstack(firsts, "csr"))
    window = VectorWindow(Adjacency.of(stacked, device), tuple(each.shape[0] for each in firsts))
    absent = [np.delete(np.arange(len(targets)), part.places) for part in parts]
    return [
        VectorView(
            window=window,
            adjacency=Adjacency.of(part.second, device),
            alone=_tensor(np.searchsorted(strays, missing), device),
            places=_tensor(np.concatenate([part.places, missing]), device),
            targets=len(targets),
        )
        for part, missing in zip(parts, absent, strict=True)
    ]


def narrowed(matrix: scipy.sparse.csr_array) -> tuple[Keys, scipy.sparse.csr_array]:
    """Return the columns that are not empty, ascending, and the matrix without the others."""
    is_needed = np.zeros(matrix.shape[1], dtype=bool)
    is_needed[matrix.indices] = True
    renumbered = np.cumsum(is_needed) - 1
    needed = np.flatnonzero(is_needed)
    parts = (matrix.data, renumbered[matrix.indices], matrix.indptr)
    return needed, scipy.sparse.csr_array(parts, shape=(matrix.shape[0], len(needed)))


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
