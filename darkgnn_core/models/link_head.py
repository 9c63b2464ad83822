"""The link head: from two embeddings to the log odds that their edge exists.

    z'  = BatchNorm(z)                                                  (E = 128 wide)
    p_uv = log softmax( ReLU( [z'_u ; z'_v] A + a ) B + b )             (256 -> 64 -> 2)

Source: paper, section 4.1: a hidden layer of 64 and an output of 2 (not existing, existing) under
the negative log likelihood; not used for inference. The normalisation is the released code's.

Ours: [z_u ; z_v] A = z_u A_host + z_v A_port, so each node is multiplied once, not once an edge.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class LinkHead(nn.Module):
    """Tells existing edges from others.

    Args:
        embedding: Width of an embedding (128).
        hidden: Width of the hidden layer (64).
    """

    def __init__(self, embedding: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(embedding)
        self.weight = nn.Parameter(torch.empty(2 * embedding, hidden))
        self.bias = nn.Parameter(torch.empty(hidden))
        self.output = nn.Linear(hidden, 2, device="meta").to_empty(device="cpu")

    def start(self, generator: torch.Generator) -> None:
        """Draw the weights: uniform within 1 / sqrt(inputs), as PyTorch's linear layers do."""
        for inputs, parameters in (
            (len(self.weight), (self.weight, self.bias)),
            (len(self.bias), (self.output.weight, self.output.bias)),
        ):
            for parameter in parameters:
                nn.init.uniform_(parameter, -(inputs**-0.5), inputs**-0.5, generator=generator)

    def forward(self, embeddings: Tensor, edges: Tensor) -> Tensor:
        """Return log probabilities of `not existing` and `existing`, (edges, 2).

        Args:
            embeddings: float32 (nodes, E).
            edges: int64 (2, edges), positions of host and port.
        """
        normed = self.norm(embeddings)
        host, port = self.weight.chunk(2)
        sent = (normed @ host).index_select(0, edges[0])
        received = (normed @ port).index_select(0, edges[1])
        hidden = sent.add_(received).add_(self.bias).relu_()
        return functional.log_softmax(self.output(hidden), dim=1)
