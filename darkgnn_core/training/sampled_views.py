"""What a network sees of each graph when neighbours are drawn instead of taken whole.

Of the paper's networks with features only the second convolution is drawn: the first sums the
features themselves, which do not change while a network learns, and has been done once for the
whole day, exactly. Networks that learn a vector a node, and torch-geometric's convolutions, have
nothing to do ahead: for them the neighbours of the drawn neighbours are drawn too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse
import torch
from torch import Tensor

from darkgnn_core.models.adjacency import Adjacency
from darkgnn_core.models.convolutions import GraphView
from darkgnn_core.run_config import NetworkConfig
from darkgnn_core.training.day_graphs import DayGraph, Keys
from darkgnn_core.training.neighbour_draws import NeighbourDraws
from darkgnn_core.training.views import VectorPart, narrowed, vector_views, with_columns


@dataclass(frozen=True, eq=False)
class DrawnGraph:
    """A graph of the window and the rows that were drawn of it.

    Attributes:
        graph: The graph.
        draws: What draws in it.
        rows: int64 (R,), the targets that are in the graph, positions in its nodes.
        places: int64 (R,), where they stand among the targets.
        drawn: float32 (R, nodes of the graph), their rows as drawn.
    """

    graph: DayGraph
    draws: NeighbourDraws
    rows: Keys
    places: Keys
    drawn: scipy.sparse.csr_array


def draws_of(graph: DayGraph, settings: NetworkConfig) -> NeighbourDraws:
    """Return what draws neighbours in a graph: by weight, but for convolutions that know none."""
    if settings.use_features and settings.convolution != "gcn":
        return NeighbourDraws(_unweighed(graph), settings.fanout, by_weight=False)
    return NeighbourDraws(graph.adjacency, settings.fanout)


def sampled_views(
    window: Sequence[DrawnGraph],
    targets: Keys,
    settings: NetworkConfig,
    device: torch.device,
    chance: np.random.Generator,
) -> tuple[list[object], Keys]:
    """Return one view a graph, and the keys of the nodes whose learned vectors they take.

    Args:
        window: The graphs, the oldest first, with what was drawn.
        targets: int64, keys of the batch's nodes, ascending.
        settings: Which convolutions, with features or not.
        device: Where the network is.
        chance: Source of chance, where a second hop is drawn.
    """
    if not settings.use_features:
        return _vector_views(window, targets, device, chance)
    if settings.convolution != "gcn":
        return [_library_view(each, len(targets), device, chance) for each in window], targets[:0]
    return [_feature_view(each, len(targets), device) for each in window], targets[:0]


def _feature_view(part: DrawnGraph, targets: int, device: torch.device) -> GraphView:
    needed, asked = narrowed(part.drawn)
    return GraphView(
        inputs=torch.from_numpy(part.graph.averaged[needed]).to(device),
        adjacency=Adjacency.of(asked, device),
        places=_tensor(part.places, device),
        targets=targets,
    )


def _vector_views(
    window: Sequence[DrawnGraph], targets: Keys, device: torch.device, chance: np.random.Generator
) -> tuple[list[object], Keys]:
    hops = [_two_hops(each, chance) for each in window]
    narrow = [narrowed(both) for _, both in hops]
    nodes = [part.graph.nodes[needed] for part, (needed, _) in zip(window, narrow, strict=True)]
    table = np.unique(np.concatenate([targets, *nodes]))
    parts = [
        VectorPart(
            first=with_columns(first, np.searchsorted(table, keys), len(table)),
            second=_renumbered(part.drawn, inner),
            places=part.places,
        )
        for part, (inner, _), keys, (_, first) in zip(window, hops, nodes, narrow, strict=True)
    ]
    return vector_views(parts, targets, table, device), table


def _library_view(
    part: DrawnGraph, targets: int, device: torch.device, chance: np.random.Generator
) -> object:
    from darkgnn_core.models.library_convolutions import WholeView  # torch-geometric: 1.5 s

    inner, both = _two_hops(part, chance)
    needed = np.concatenate([inner, np.setdiff1d(both.indices, inner)])
    edges = _renumbered(both, needed).tocoo()
    others = edges.row != edges.col
    return WholeView(
        features=torch.from_numpy(part.graph.features[needed]).to(device),
        edge_index=_tensor(np.stack([edges.col, edges.row])[:, others].astype(np.int64), device),
        edge_attr=torch.from_numpy(np.log1p(edges.data[others])).unsqueeze(1).to(device),
        rows=torch.arange(len(part.rows), device=device),
        places=_tensor(part.places, device),
        targets=targets,
    )


def _two_hops(part: DrawnGraph, chance: np.random.Generator) -> tuple[Keys, scipy.sparse.csr_array]:
    """Return the rows and the neighbours drawn for them, and what was drawn for all of these."""
    outer = np.setdiff1d(part.drawn.indices, part.rows).astype(np.int64)
    again = part.draws.draw(outer, chance)
    both = scipy.sparse.csr_array(scipy.sparse.vstack([part.drawn, again], "csr"))
    return np.concatenate([part.rows, outer]), both


def _renumbered(matrix: scipy.sparse.csr_array, columns: Keys) -> scipy.sparse.csr_array:
    """Return a matrix with these columns only, which are all that are not empty, in this order."""
    order = np.argsort(columns)
    places = order[np.searchsorted(columns, matrix.indices, sorter=order)]
    parts = (matrix.data, places, matrix.indptr)
    return scipy.sparse.csr_array(parts, shape=(matrix.shape[0], len(columns)))


def _unweighed(graph: DayGraph) -> scipy.sparse.csr_array:
    """Return edges both ways with their weights as they are, and self-loops of 1."""
    nodes = np.arange(len(graph.nodes))
    row = np.concatenate([graph.edges[0], graph.edges[1], nodes])
    column = np.concatenate([graph.edges[1], graph.edges[0], nodes])
    ones = np.ones(len(nodes), np.float32)
    values = np.concatenate([graph.weights, graph.weights, ones])
    matrix = scipy.sparse.coo_array((values, (row, column)), shape=(len(nodes), len(nodes)))
    return scipy.sparse.csr_array(matrix.tocsr())


def _tensor(numbers: Keys, device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(numbers)).to(device)
