"""GCN: the embeddings of a day from the graph of that day alone.

    Z = ReLU( A ReLU(A X W1 + b1) W2 W3 + b2 W3 + b3 )      (37 -> 1024 -> 512 -> E = 128)

Source: paper, section 2 and 4.1 (a fully connected layer of size E at the end); the ReLU after it
is the released code's. GCN is trained afresh on each day, i-GCN goes on from the day before: both
are this network.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from darkgnn_core.models.convolutions import GraphView, TwoConvolutions
from darkgnn_core.run_config import NetworkConfig


class GCN(nn.Module):
    """Two convolutions and a linear layer.

    Args:
        convolutions: The two convolutions.
        settings: The widths.
    """

    history_days = 0

    def __init__(self, convolutions: TwoConvolutions, settings: NetworkConfig) -> None:
        super().__init__()
        self.convolutions = convolutions
        self.weight = nn.Parameter(torch.empty(settings.output, settings.embedding))
        self.bias = nn.Parameter(torch.empty(settings.embedding))

    def start(self, generator: torch.Generator) -> None:
        """Draw the weights."""
        self.convolutions.start(generator)
        bound = len(self.weight) ** -0.5
        nn.init.uniform_(self.weight, -bound, bound, generator=generator)
        nn.init.uniform_(self.bias, -bound, bound, generator=generator)

    def forward(self, views: Sequence[GraphView]) -> Tensor:
        """Return the embeddings of the targets, (targets, E).

        Args:
            views: One view: the day's own graph, all targets in it.
        """
        view = views[-1]
        folded = self.convolutions.folded(self.weight, self.bias)
        (values,) = self.convolutions([view], folded)
        return torch.relu(values)
