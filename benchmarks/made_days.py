"""Days of a made darknet in memory, of any size: hosts that come and go, ports by popularity."""

import numpy as np

from darkgnn_core.config import SnapshotConfig
from darkgnn_core.snapshots.reading import Snapshot

FEATURES = 37
STAY = 0.6
"""Share of a day's hosts that are there on the next day too, as in the full demo."""


class MadeDays:
    """What a trainer needs of `run_days.Days`, without files.

    Args:
        days: How many.
        hosts: A day.
        ports: Port nodes a day, always the same ones.
        edges: A day, about: repeated pairs count once.
        seed: Of all that is random.
    """

    def __init__(self, days: int, *, hosts: int, ports: int, edges: int, seed: int = 0) -> None:
        chance = np.random.default_rng(seed)
        self.snapshot_config = SnapshotConfig()
        self.inputs = ()
        self._snapshots = []
        active = np.zeros(0, np.uint32)
        for day in range(days):
            stayed = chance.permutation(active)[: int(hosts * STAY)]
            new = 1 + day * hosts + np.arange(hosts - len(stayed))
            active = np.sort(np.concatenate([stayed, new.astype(np.uint32)]))
            self._snapshots.append(_snapshot(day, active, ports, edges, chance))
        self.keys = tuple(each.key for each in self._snapshots)

    def snapshot(self, position: int) -> Snapshot:
        """Return the snapshot of a day."""
        return self._snapshots[position]


def _snapshot(
    day: int, hosts: np.ndarray, ports: int, edges: int, chance: np.random.Generator
) -> Snapshot:
    """Make one day: every host has an edge, popular ports have most."""
    popular = np.minimum(chance.zipf(1.4, edges) - 1, ports - 1)
    spread = np.where(popular == ports - 1, chance.integers(0, ports, edges), popular)
    sender = np.concatenate([np.arange(len(hosts)), chance.integers(0, len(hosts), edges)])[:edges]
    pairs = np.unique(sender * ports + spread)
    return Snapshot(
        key=f"day-{day + 1:03}",
        hosts=hosts,
        ports=np.arange(-1, ports - 1, dtype=np.int32),
        host_features=chance.random((len(hosts), FEATURES), np.float32) ** 4,
        port_features=chance.random((ports, FEATURES), np.float32) ** 4,
        edge_index=np.stack([pairs // ports, pairs % ports]),
        edge_weight=chance.geometric(0.2, len(pairs)).astype(np.float32),
        summary={},
    )
