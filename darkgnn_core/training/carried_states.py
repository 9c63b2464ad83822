"""Recurrent states that are carried from day to day, one a node that was ever seen."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from darkgnn_core.trainers import Array
from darkgnn_core.training.day_graphs import Keys, places_of


class CarriedStates:
    """The last state of each node; a node not seen yet has the state zero.

    Args:
        width: Width of a state.
        device: Where the network is.

    Source:
        Ours, an option beyond the paper, whose unit starts from zero every day.
    """

    def __init__(self, width: int, device: torch.device) -> None:
        self.keys: Keys = np.zeros(0, np.int64)
        self.values = torch.zeros(0, width, device=device)

    def of(self, nodes: Keys) -> Tensor:
        """Return the states of nodes, (nodes, width)."""
        states = self.values.new_zeros(len(nodes), self.values.shape[1])
        asked, there = places_of(nodes, self.keys)
        states[torch.from_numpy(asked)] = self.values[torch.from_numpy(there)]
        return states

    def keep(self, nodes: Keys, values: Tensor) -> None:
        """Take the new states of nodes; those of all others stay.

        Args:
            nodes: int64 (n,), ascending.
            values: float32 (n, width).
        """
        _, replaced = places_of(nodes, self.keys)
        stay = np.ones(len(self.keys), dtype=bool)
        stay[replaced] = False
        keys = np.concatenate([self.keys[stay], nodes])
        order = np.argsort(keys)
        both = torch.cat([self.values[torch.from_numpy(stay)], values])
        self.keys, self.values = keys[order], both[torch.from_numpy(order)]

    def state(self) -> dict[str, Array]:
        """Return its arrays by name."""
        return {"carried.keys": self.keys, "carried.values": self.values.cpu().numpy()}

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """Go on from arrays that `state` gave."""
        self.keys = np.array(arrays["carried.keys"], np.int64)
        self.values = torch.tensor(arrays["carried.values"], device=self.values.device)
