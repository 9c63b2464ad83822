"""GCN-GRU: the embeddings of a day from its graph and the H graphs before it.

    Z^t = GRU( GCN(G^{t-H}), ..., GCN(G^{t-1}), GCN(G^t) )     (37 -> 1024 -> 512 -> E = 128)

The same two convolutions serve all graphs; the recurrent unit starts from zero and its last state
is the embedding. A target that is absent from an earlier graph counts as alone in it, its features
zero. Source: paper, section 2, formula of GCN-GRU, and Figure 3. i-GCN-GRU is this network, trained
on day after day.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from darkgnn_core.models.convolutions import GraphView, TwoConvolutions
from darkgnn_core.models.recurrence import Recurrence
from darkgnn_core.run_config import NetworkConfig


class GCNGRU(nn.Module):
    """Two convolutions for each graph, and a recurrent unit over graphs.

    Args:
        convolutions: The two convolutions.
        settings: The widths and the history.
    """

    def __init__(self, convolutions: TwoConvolutions, settings: NetworkConfig) -> None:
        super().__init__()
        self.history_days = 0 if settings.carry_state else settings.history_days
        self.convolutions = convolutions
        self.recurrence = Recurrence(settings.output, settings.embedding)

    def start(self, generator: torch.Generator) -> None:
        """Draw the weights."""
        self.convolutions.start(generator)
        self.recurrence.start(generator)

    def forward(self, views: Sequence[GraphView], state: Tensor | None = None) -> Tensor:
        """Return the embeddings of the targets, (targets, E).

        Args:
            views: One a graph, the oldest first.
            state: (targets, E), states to go on from instead of zero.
        """
        unit = self.recurrence
        folded = self.convolutions.folded(unit.weight_input, unit.bias_input)
        values = self.convolutions(views, folded)
        places = [view.places for view in views]
        absent = self.convolutions.absent(folded)
        return unit(values, absent, places, views[-1].targets, state)
