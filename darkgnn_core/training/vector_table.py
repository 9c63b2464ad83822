"""The learned vectors of a network without features: one row a node, grown as nodes appear."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from darkgnn_core.trainers import Array, seed_of
from darkgnn_core.training.day_graphs import Keys

BETAS, EPSILON = (0.9, 0.999), 1e-8
BLOCK = 1024
"""Vectors that learn at a time: 4 MiB at width 1024 stay in the processor's cache."""


class VectorTable:
    """Vectors and their Adam moments; only nodes of the window at hand are ever touched.

    Args:
        width: Width of a vector.
        seed: Of the run.
        learning_rate: Of Adam.
        weight_decay: Added to the gradient, for the rows that are touched.
        device: Where the network is.

    Source:
        Paper, section 4.1 (identity input); Adam by rows is ours: a node that is not there
        neither learns nor decays.
    """

    def __init__(
        self,
        width: int,
        *,
        seed: int,
        learning_rate: float,
        weight_decay: float,
        device: torch.device,
    ) -> None:
        self.seed, self.learning_rate, self.weight_decay = seed, learning_rate, weight_decay
        self.device = device
        self.keys: Keys = np.zeros(0, np.int64)
        self.vectors, self.first, self.second = (
            torch.zeros(0, width, device=device) for _ in range(3)
        )
        self.steps = torch.zeros(0, 1, device=device)

    def rows_of(self, nodes: Keys, day: str) -> Tensor:
        """Return where the vectors of nodes are, int64 (nodes,); nodes not met before get one.

        Args:
            nodes: int64, keys, ascending.
            day: Key of the bin at hand; a new vector follows from the seed and this.
        """
        order = np.argsort(self.keys)
        found = np.searchsorted(self.keys, nodes, sorter=order)
        safe = np.minimum(found, max(len(order) - 1, 0))
        known = np.zeros(len(nodes), dtype=bool)
        if len(order):
            known = self.keys[order[safe]] == nodes
        rows = np.zeros(len(nodes), np.int64)
        if known.any():
            rows[known] = order[safe[known]]
        rows[~known] = len(self.keys) + np.arange((~known).sum())
        self._append(nodes[~known], day, active=len(nodes))
        return torch.from_numpy(rows).to(self.device)

    def _append(self, new: Keys, day: str, *, active: int) -> None:
        if not len(new):
            return
        width = self.vectors.shape[1]
        bound = (6 / (active + width)) ** 0.5
        generator = np.random.default_rng(seed_of(self.seed, "vectors", day, len(self.keys)))
        drawn = generator.uniform(-bound, bound, (len(new), width)).astype(np.float32)
        self.keys = np.concatenate([self.keys, new])
        self.vectors = torch.cat([self.vectors, torch.from_numpy(drawn).to(self.device)])
        empty = torch.zeros(len(new), width, device=self.device)
        self.first, self.second = torch.cat([self.first, empty]), torch.cat([self.second, empty])
        self.steps = torch.cat([self.steps, torch.zeros(len(new), 1, device=self.device)])

    def learn(self, rows: Tensor, gradient: Tensor) -> None:
        """Take one step of Adam on some rows.

        Args:
            rows: int64 (n,), distinct.
            gradient: float32 (n, width).
        """
        blocks = zip(rows.split(BLOCK), gradient.split(BLOCK), strict=True)
        for some, own in blocks:
            self._learn(some, own)

    def _learn(self, rows: Tensor, gradient: Tensor) -> None:
        vectors, first, second, steps = (part.index_select(0, rows) for part in self._parts())
        gradient = torch.add(gradient, vectors, alpha=self.weight_decay)
        first.lerp_(gradient, 1 - BETAS[0])
        second.lerp_(gradient.square_(), 1 - BETAS[1])
        steps.add_(1)
        scale = (second / (1 - BETAS[1] ** steps)).sqrt_().add_(EPSILON)
        move = (first / (1 - BETAS[0] ** steps)).div_(scale)
        vectors.sub_(move, alpha=self.learning_rate)
        for part, learned in zip(self._parts(), (vectors, first, second, steps), strict=True):
            part.index_copy_(0, rows, learned)

    def _parts(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return self.vectors, self.first, self.second, self.steps

    def state(self) -> dict[str, Array]:
        """Return its arrays by name, but the vectors: those are weights."""
        parts = {name: getattr(self, name).cpu().numpy() for name in _PARTS}
        return {f"vectors.{name}": part for name, part in parts.items()} | {
            "vectors.keys": self.keys
        }

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """Go on from arrays that `state` gave; the vectors come with the weights."""
        self.keys = np.array(arrays["vectors.keys"], np.int64)
        for name in _PARTS:
            setattr(self, name, torch.tensor(arrays[f"vectors.{name}"], device=self.device))
        self.vectors = torch.zeros_like(self.first)


_PARTS = ("first", "second", "steps")
