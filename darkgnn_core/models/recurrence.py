"""A gated recurrent unit over graphs whose nodes come and go.

    r = sigmoid(x Wr + h Ur + br),  z = sigmoid(x Wz + h Uz + bz)
    n = tanh(x Wn + bn + r * (h Un + cn)),  h' = (1 - z) * n + z * h          (E = 128 wide)

Source: Cho et al. 2014, in the form of PyTorch's GRU; paper, section 2 and Figure 3 (512 -> 128,
its last state is the embedding).

What is ours is what is left out. The products x W arrive ready made (`convolutions.py` folds them
into the second convolution). A node that has not been seen yet has the same state as every other
such node, whatever the day: one row stands for all of them, and a node gets a row of its own when
it is first seen. So the work grows with the nodes that were there, not with all there are.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn


class Recurrence(nn.Module):
    """The recurrent unit: values of successive graphs in, the last state of every target out.

    Args:
        inputs: Width of what a graph says of a node (512).
        units: Width of the state (128).
    """

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.units = units
        self.weight_input = nn.Parameter(torch.empty(inputs, 3 * units))
        self.weight_state = nn.Parameter(torch.empty(units, 3 * units))
        self.bias_input = nn.Parameter(torch.empty(3 * units))
        self.bias_state = nn.Parameter(torch.empty(3 * units))

    def start(self, generator: torch.Generator) -> None:
        """Draw the weights: uniform within 1 / sqrt(units), as PyTorch's GRU does."""
        bound = self.units**-0.5
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound, generator=generator)

    def forward(
        self,
        values: Iterable[Tensor],
        absent: Tensor,
        places: Sequence[Tensor],
        targets: int,
        state: Tensor | None = None,
    ) -> Tensor:
        """Return the state of every target after the last graph, (targets, units).

        Args:
            values: One a graph: x W of the targets in it, (R, 3 units), order r, z, n; taken one
                by one, so that not all need be there at once.
            absent: (3 units,), x W of a node that is not in a graph.
            places: One a graph: int64 (R,), where its rows stand among the targets.
            targets: Number of targets.
            state: (targets, units), states to go on from instead of zero.
        """
        order, counts = _arrivals(places, targets, all_at_once=state is not None)
        back = torch.empty_like(order)
        back[order] = torch.arange(targets, device=order.device)
        # The last row stands for all targets that have not been seen yet.
        hidden = absent.new_zeros(1, self.units)
        if state is not None:
            hidden = torch.cat([state[order], hidden])
        for value, place, count in zip(values, places, counts, strict=True):
            known = len(hidden) - 1
            newcomers = hidden[known:].expand(count - known + 1, -1)
            hidden = torch.cat([hidden[:known], newcomers])
            rows = torch.full((count + 1,), len(value), dtype=torch.int64, device=place.device)
            rows[back[place]] = torch.arange(len(value), device=place.device)
            inputs = torch.cat([value, absent.unsqueeze(0)]).index_select(0, rows)
            hidden = self.step(inputs, hidden)
        never = targets - (len(hidden) - 1)
        every = torch.cat([hidden[:-1], hidden[-1:].expand(never, -1)]) if never else hidden[:-1]
        return every.index_select(0, back)

    def step(self, inputs: Tensor, hidden: Tensor) -> Tensor:
        """Return the state after one graph.

        Args:
            inputs: x W + b of each row, (rows, 3 units).
            hidden: The state before, (rows, units).
        """
        state: Tensor = _Step.apply(inputs, hidden, self.weight_state, self.bias_state)
        return state


def _arrivals(
    places: Sequence[Tensor], targets: int, *, all_at_once: bool
) -> tuple[Tensor, list[int]]:
    """Order targets by the graph that first has them; count those seen by each graph."""
    first = torch.full((targets,), len(places), dtype=torch.int64, device=places[0].device)
    for step in reversed(range(len(places))):
        first[places[step]] = step
    if all_at_once:
        first.zero_()
    order = torch.argsort(first, stable=True)
    seen = torch.bincount(first, minlength=len(places) + 1).cumsum(0)
    return order, [int(count) for count in seen[: len(places)]]


class _Step(torch.autograd.Function):
    """One step; keeps three arrays for the way back, and makes h Un + cn again there."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, hidden: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        units = hidden.shape[1]
        product = torch.addmm(bias, hidden, weight)
        gates = product[:, : 2 * units].add_(inputs[:, : 2 * units]).sigmoid()
        reset, update = gates[:, :units], gates[:, units:]
        new = torch.addcmul(inputs[:, 2 * units :], reset, product[:, 2 * units :]).tanh_()
        ctx.save_for_backward(hidden, gates, new, weight, bias)
        return torch.lerp(new, hidden, update)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, ...]:
        hidden, gates, new, weight, bias = ctx.saved_tensors
        gradient, units = gradients[0], hidden.shape[1]
        reset, update = gates[:, :units], gates[:, units:]
        product_new = torch.addmm(bias[2 * units :], hidden, weight[:, 2 * units :])
        to_inputs = gradient.new_empty(len(gradient), 3 * units)
        to_hidden = gradient * update
        to_new = torch.sub(gradient, to_hidden, out=to_inputs[:, 2 * units :])
        to_new.mul_(1 - new * new)
        to_gates = to_inputs[:, : 2 * units]
        torch.mul(to_new, product_new, out=to_gates[:, :units])
        torch.mul(gradient, hidden - new, out=to_gates[:, units:])
        to_gates.mul_(gates).mul_(1 - gates)
        to_product = to_inputs.clone()
        to_product[:, 2 * units :].mul_(reset)
        to_hidden.addmm_(to_product, weight.T)
        return to_inputs, to_hidden, hidden.T @ to_product, to_product.sum(0)
