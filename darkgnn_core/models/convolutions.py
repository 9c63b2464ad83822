"""Two graph convolutions, and the linear map after them, as one function.

    h_u = ReLU( sum_v w_uv x_v W1 + b1 )                 (37 -> 1024)
    g_u = sum_v w_uv h_v W2 + b2                         (1024 -> 512)
    y_u = g_u W3 + b3                                    (512 -> K, the map that follows)

Source: paper, section 2 (z_u = sum of w_uv W z_v over u and its neighbours) and 4.1 (three layers
of units, so two convolutions; bias after the sum, ReLU after the first).

How it is computed is ours. Nothing bends between W2 and W3, so y = A (h (W2 W3)) + (b2 W3 + b3):
one product of width K instead of one of 512 and another of K. The sum of the inputs over
neighbours, 37 wide, does not change while a network learns; it comes from outside. h, the widest
array of all, is made for a few thousand rows at a time, used, and made again on the way back, so
that it never leaves the processor's cache and its memory does not grow with the graph.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from darkgnn_core.models.adjacency import Adjacency, propagate

ROWS = 1024
"""Rows of h made at a time: 4 MiB at width 1024."""


@dataclass(frozen=True, eq=False)
class GraphView:
    """What a network sees of one graph: the rows that are asked for, and what they depend on.

    Attributes:
        inputs: float32 (N, 37), features averaged over neighbours, of the N nodes whose h counts.
        adjacency: (R, N), the R nodes asked for against those N.
        places: int64 (R,), where each of the R nodes stands among the targets of the day.
        targets: Number of targets.
    """

    inputs: Tensor
    adjacency: Adjacency
    places: Tensor
    targets: int


class SecondConvolution(nn.Module):
    """The second convolution and the map after it, whatever the first one takes.

    Args:
        hidden: Width after the first convolution (1024).
        output: Width after the second (512).
    """

    def __init__(self, hidden: int, output: int) -> None:
        super().__init__()
        self.bias1 = nn.Parameter(torch.zeros(hidden))
        self.weight2 = nn.Parameter(torch.empty(hidden, output))
        self.bias2 = nn.Parameter(torch.zeros(output))

    def start(self, generator: torch.Generator) -> None:
        """Draw the weights."""
        nn.init.xavier_uniform_(self.weight2, generator=generator)

    def folded(self, weight3: Tensor, bias3: Tensor) -> tuple[Tensor, Tensor]:
        """Return W2 W3, (hidden, K), and b2 W3 + b3, (K,)."""
        return self.weight2 @ weight3, self.bias2 @ weight3 + bias3

    def absent(self, folded: tuple[Tensor, Tensor]) -> Tensor:
        """Return y of a node that is not in the graph, (K,): alone, its input zero."""
        weight, bias = folded
        return torch.relu(self.bias1) @ weight + bias


class TwoConvolutions(SecondConvolution):
    """The two convolutions of every network of the paper with node features.

    Args:
        features: Width of the input (37).
        hidden: Width after the first convolution (1024).
        output: Width after the second (512).
        in_bfloat16: Make the two large products in bfloat16, sums in float32.

    Source:
        See the top of this file. Weights start as Glorot's uniform, biases at 0, the usual start
        of graph convolutions (the paper says nothing).
    """

    def __init__(
        self, features: int, hidden: int, output: int, *, in_bfloat16: bool = False
    ) -> None:
        super().__init__(hidden, output)
        self.weight1 = nn.Parameter(torch.empty(features, hidden))
        self.in_bfloat16 = in_bfloat16

    def start(self, generator: torch.Generator) -> None:
        """Draw the weights."""
        nn.init.xavier_uniform_(self.weight1, generator=generator)
        super().start(generator)

    def forward(
        self, views: Sequence[GraphView], folded: tuple[Tensor, Tensor]
    ) -> Iterator[Tensor]:
        """Yield y of the rows that each view asks for, (R, K)."""
        weight, bias = folded
        for view in views:
            wide = expand(
                view.inputs, self.weight1, self.bias1, weight, in_bfloat16=self.in_bfloat16
            )
            yield propagate(view.adjacency, wide) + bias


def expand(
    inputs: Tensor, weight1: Tensor, bias1: Tensor, weight: Tensor, *, in_bfloat16: bool = False
) -> Tensor:
    """Return ReLU(inputs W1 + b1) W without ever holding the hidden layer whole.

    Args:
        inputs: float32 (N, F); gets no gradient.
        weight1: float32 (F, hidden).
        bias1: float32 (hidden,).
        weight: float32 (hidden, K).
        in_bfloat16: Multiply by W in bfloat16.

    Returns:
        float32 (N, K).
    """
    result: Tensor = _Expand.apply(inputs, weight1, bias1, weight, in_bfloat16)
    return result


class _Expand(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,
        weight1: Tensor,
        bias1: Tensor,
        weight: Tensor,
        in_bfloat16: bool,
    ) -> Tensor:
        ctx.save_for_backward(inputs, weight1, bias1, weight)
        ctx.in_bfloat16 = in_bfloat16
        result = inputs.new_empty(len(inputs), weight.shape[1])
        weight = weight.bfloat16() if in_bfloat16 else weight.contiguous()
        room = inputs.new_empty(min(ROWS, len(inputs)), weight1.shape[1])
        for first in range(0, len(inputs), ROWS):
            part = slice(first, first + ROWS)
            hidden = _hidden(inputs[part], weight1, bias1, room)
            if in_bfloat16:
                result[part] = hidden.bfloat16() @ weight
            else:
                torch.mm(hidden, weight, out=result[part])
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor, Tensor, Tensor, None]:
        inputs, weight1, bias1, weight = ctx.saved_tensors
        gradient = gradients[0].contiguous()
        back = weight.T.contiguous()
        to_weight1, to_bias1 = torch.zeros_like(weight1), torch.zeros_like(bias1)
        to_weight = torch.zeros_like(weight)
        room = inputs.new_empty(min(ROWS, len(inputs)), weight1.shape[1])
        room_back = torch.empty_like(room)
        for first in range(0, len(inputs), ROWS):
            part = slice(first, first + ROWS)
            hidden = _hidden(inputs[part], weight1, bias1, room)
            own = gradient[part]
            if ctx.in_bfloat16:
                to_weight += hidden.bfloat16().T @ own.bfloat16()
                to_hidden = (own.bfloat16() @ back.bfloat16()).float()
            else:
                to_weight.addmm_(hidden.T, own)
                to_hidden = torch.mm(own, back, out=room_back[: len(own)])
            torch.ops.aten.threshold_backward.grad_input(
                to_hidden, hidden, 0.0, grad_input=to_hidden
            )
            to_weight1.addmm_(inputs[part].T, to_hidden)
            to_bias1 += to_hidden.sum(0)
        return None, to_weight1, to_bias1, to_weight, None


def _hidden(inputs: Tensor, weight1: Tensor, bias1: Tensor, room: Tensor) -> Tensor:
    """Return ReLU(inputs W1 + b1), made in `room`."""
    hidden = torch.addmm(bias1, inputs, weight1, out=room[: len(inputs)])
    return hidden.relu_()
