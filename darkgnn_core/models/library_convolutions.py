"""Two convolutions of another kind, from torch-geometric, in the place of the paper's.

    h = ReLU(conv1(X, edges)),  g = conv2(h, edges),  y = g W3 + b3      (37 -> 1024 -> 512 -> K)

`sage`: GraphSAGE with the mean (Hamilton et al. 2017); it knows no edge weights. `gatv2`: one head
of GATv2 (Brody et al. 2022), whose attention sees log(1 + weight) of an edge. Source: ours, an
option beyond the paper. Edges go both ways.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch_geometric.nn import GATv2Conv, SAGEConv


@dataclass(frozen=True, eq=False)
class WholeView:
    """A graph as torch-geometric takes it, and the rows that are asked for.

    Attributes:
        features: float32 (N, F).
        edge_index: int64 (2, edges), both directions.
        edge_attr: float32 (edges, 1), log(1 + weight).
        rows: int64 (R,), the nodes asked for.
        places: int64 (R,), where each stands among the targets.
        targets: Number of targets.
    """

    features: Tensor
    edge_index: Tensor
    edge_attr: Tensor
    rows: Tensor
    places: Tensor
    targets: int


class LibraryConvolutions(nn.Module):
    """Two convolutions of torch-geometric.

    Args:
        kind: `sage` or `gatv2`.
        features: Width of the input (37).
        hidden: Width after the first (1024).
        output: Width after the second (512).
    """

    def __init__(self, kind: str, features: int, hidden: int, output: int) -> None:
        super().__init__()
        self.kind = kind
        if kind == "sage":
            self.first = SAGEConv(features, hidden)
            self.second = SAGEConv(hidden, output)
        else:
            self.first = GATv2Conv(features, hidden, edge_dim=1)
            self.second = GATv2Conv(hidden, output, edge_dim=1)

    def start(self, generator: torch.Generator) -> None:
        """Draw the weights as torch-geometric does, from this generator's seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(generator.initial_seed())
            self.first.reset_parameters()
            self.second.reset_parameters()

    def folded(self, weight3: Tensor, bias3: Tensor) -> tuple[Tensor, Tensor]:
        """Return the map that follows as it is: nothing can be folded here."""
        return weight3, bias3

    def forward(
        self, views: Sequence[WholeView], folded: tuple[Tensor, Tensor]
    ) -> Iterator[Tensor]:
        """Yield y of the rows that each view asks for, (R, K)."""
        weight, bias = folded
        for view in views:
            nodes = self._both(view.features, view.edge_index, view.edge_attr)
            yield nodes.index_select(0, view.rows) @ weight + bias

    def absent(self, folded: tuple[Tensor, Tensor]) -> Tensor:
        """Return y of a node that is alone, its features zero, (K,)."""
        weight, bias = folded
        alone = self.first.lin_l.weight.new_zeros(1, self.first.in_channels)
        none = torch.zeros(2, 0, dtype=torch.int64, device=alone.device)
        return (self._both(alone, none, alone.new_zeros(0, 1)) @ weight + bias)[0]

    def _both(self, features: Tensor, edge_index: Tensor, edge_attr: Tensor) -> Tensor:
        extra = () if self.kind == "sage" else (edge_attr,)
        hidden = torch.relu(self.first(features, edge_index, *extra))
        return self.second(hidden, edge_index, *extra)
