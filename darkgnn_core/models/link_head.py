"""The link head: from two embeddings to whether their edge exists, and the loss of a day's links.

    z'   = BatchNorm(z)                                                 (E = 128 wide)
    p_uv = log softmax( ReLU( [z'_u ; z'_v] A + a ) B + b )             (256 -> 64 -> 2)
    loss = - mean of p_uv[existing or not]

Source: paper, section 4.1: a hidden layer of 64 and an output of 2 (not existing, existing) under
the negative log likelihood; not used for inference. The normalisation is the released code's.

How it is computed is ours. [z_u ; z_v] A = z_u A_host + z_v A_port, so each node is multiplied
once, not once an edge. The loss is the end of the network: its gradient is taken on the way there,
a few thousand edges at a time, so that no array is as long as the list of edges and 64 wide.
"""

from typing import Any

import torch
from torch import Tensor, nn

EDGES = 8192
"""Edges looked at at a time: 2 MiB of hidden layer."""


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
        self.weight_output = nn.Parameter(torch.empty(hidden, 2))
        self.bias_output = nn.Parameter(torch.empty(2))

    def start(self, generator: torch.Generator) -> None:
        """Draw the weights: uniform within 1 / sqrt(inputs), as PyTorch's linear layers do."""
        for inputs, parameters in (
            (len(self.weight), (self.weight, self.bias)),
            (len(self.bias), (self.weight_output, self.bias_output)),
        ):
            for parameter in parameters:
                nn.init.uniform_(parameter, -(inputs**-0.5), inputs**-0.5, generator=generator)

    def forward(self, embeddings: Tensor, edges: Tensor, exists: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss, and the share of edges told right.

        Args:
            embeddings: float32 (nodes, E).
            edges: int64 (2, edges), positions of host and port.
            exists: bool (edges,).
        """
        normed = self.norm(embeddings)
        host, port = self.weight.chunk(2)
        parts = (normed @ host + self.bias, normed @ port, self.weight_output, self.bias_output)
        loss, right = _Loss.apply(*parts, edges, exists)
        return loss, right


class _Loss(torch.autograd.Function):
    """Mean negative log likelihood of edges; keeps the gradients it took on the way."""

    @staticmethod
    def forward(
        ctx: Any,
        sent: Tensor,
        received: Tensor,
        weight: Tensor,
        bias: Tensor,
        edges: Tensor,
        exists: Tensor,
    ) -> tuple[Tensor, Tensor]:
        parts = [sent, received, weight, bias]
        gradients = [torch.zeros_like(part) for part in parts]
        count = edges.shape[1]
        loss = sent.new_zeros((), dtype=torch.float64)
        right = torch.zeros((), dtype=torch.int64, device=sent.device)
        for first in range(0, count, EDGES):
            u, v = edges[:, first : first + EDGES]
            truth = exists[first : first + EDGES].long().unsqueeze(1)
            hidden = sent.index_select(0, u).add_(received.index_select(0, v)).relu_()
            told = torch.addmm(bias, hidden, weight).log_softmax(1)
            loss -= told.gather(1, truth).double().sum()
            right += (told.argmax(1, keepdim=True) == truth).sum()
            # d loss / d logits = (softmax - truth) / count
            outer = told.exp_().scatter_add_(1, truth, -torch.ones_like(told[:, :1])).div_(count)
            gradients[2].addmm_(hidden.T, outer)
            gradients[3].add_(outer.sum(0))
            inner = (outer @ weight.T).mul_(hidden > 0)
            gradients[0].index_add_(0, u, inner)
            gradients[1].index_add_(0, v, inner)
        ctx.save_for_backward(*gradients)
        share = right.double() / count
        ctx.mark_non_differentiable(share)
        return (loss / count).to(sent.dtype), share

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        return (*(gradients[0] * each for each in ctx.saved_tensors), None, None)
