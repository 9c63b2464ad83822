"""The two convolutions without node features: one learned vector a node instead.

    h_u = ReLU( sum_v w_uv V_v + b1 )                    (V: nodes x 1024, learned)
    y_u = sum_v w_uv h_v (W2 W3) + (b2 W3 + b3)

Source: paper, section 4.1 ("without node features"): the input is the identity, so that the first
weight matrix has one row a node, its vector. A node that is absent from a graph is alone in it:
h = ReLU(V_u + b1), the same in every graph that lacks it.

Ours: that is computed once; the first convolutions of all graphs of a window are one product, so
that its gradient by V, the largest array of all, is made once and not added up; W2 and W3 are
folded (`convolutions.py`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from darkgnn_core.models.adjacency import Adjacency, propagate
from darkgnn_core.models.convolutions import SecondConvolution


@dataclass(frozen=True, eq=False)
class VectorWindow:
    """The first convolutions of all graphs of a window.

    Attributes:
        first: (N1 + N2 + ... + S, T), against the T vectors of the window: of each graph the nodes
            whose h counts, then the S strays, targets that some graph lacks, each alone.
        sizes: N1, N2, ..., S.
    """

    first: Adjacency
    sizes: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class VectorView:
    """What a network without features sees of one graph.

    Attributes:
        window: The window that the graph is of, the same object for all its views.
        adjacency: (R, N), the R targets that are in the graph against its nodes whose h counts.
        alone: int64 (targets - R,), which of the strays this graph lacks.
        places: int64 (targets,), where the R rows, then those alone, stand among the targets.
        targets: Number of targets.
    """

    window: VectorWindow
    adjacency: Adjacency
    alone: Tensor
    places: Tensor
    targets: int


class VectorConvolutions(SecondConvolution):
    """The two convolutions over learned vectors.

    Args:
        hidden: Width of the vectors (1024).
        output: Width after the second convolution (512).
    """

    def __init__(self, hidden: int, output: int) -> None:
        super().__init__(hidden, output)
        self.vectors = torch.empty(0, hidden)
        """(T, hidden), those of the window, set before each step; the trainer keeps the table."""

    def forward(
        self, views: Sequence[VectorView], folded: tuple[Tensor, Tensor]
    ) -> Iterator[Tensor]:
        """Yield y of all targets in the order of each view's places, (targets, K)."""
        weight, bias = folded
        window = views[0].window
        hidden = propagate(window.first, self.vectors).add_(self.bias1).relu_()
        *graphs, strays = (hidden @ weight).split(window.sizes)
        for view, wide in zip(views, graphs, strict=True):
            within = propagate(view.adjacency, wide)
            yield torch.cat([within, strays.index_select(0, view.alone)]) + bias
