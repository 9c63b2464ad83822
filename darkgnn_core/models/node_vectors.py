"""The two convolutions without node features: one learned vector a node instead.

    h_u = ReLU( sum_v w_uv V_v + b1 )                    (V: nodes x 1024, learned)
    y_u = sum_v w_uv h_v (W2 W3) + (b2 W3 + b3)

Source: paper, section 4.1 ("without node features"): the input is the identity, so that the first
weight matrix has one row a node, its vector. A node that is absent from a graph is alone in it:
h = ReLU(V_u + b1). The folding of W2 and W3 is ours (`convolutions.py`).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from darkgnn_core.models.adjacency import Adjacency, propagate
from darkgnn_core.models.convolutions import SecondConvolution


@dataclass(frozen=True, eq=False)
class VectorView:
    """What a network without features sees of one graph.

    Attributes:
        first: (N, T), the graph's nodes, and the targets that are absent from it, against the T
            vectors of the window.
        adjacency: (R, N), the targets against all nodes.
        places: int64 (R,), where each of the R rows stands among the targets.
        targets: Number of targets.
    """

    first: Adjacency
    adjacency: Adjacency
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

    def forward(self, view: VectorView, folded: tuple[Tensor, Tensor]) -> Tensor:
        """Return y of the targets, (R, K)."""
        weight, bias = folded
        hidden = propagate(view.first, self.vectors).add_(self.bias1).relu_()
        return propagate(view.adjacency, hidden @ weight) + bias
