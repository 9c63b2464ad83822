"""Which destination port each packet goes to."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from darkgnn_core.demo.planning import Plan
from darkgnn_core.demo.senders import Senders
from darkgnn_core.demo.windows import Ports, day_windows, tail_shares

TABLE = 4_096


class PortPicker:
    """Draws destination ports: the core by weight, rotating ports in turn.

    Args:
        tables: uint16 (behaviours, 4096), core ports in proportion to their weights.
        focus: float64 (behaviours,), share of the table that a host uses.
        tail: float64 (behaviours,), share of packets to rotating ports.
        windows: Rotating ports by pool.
    """

    def __init__(
        self,
        tables: Ports,
        focus: npt.NDArray[np.float64],
        tail: npt.NDArray[np.float64],
        windows: dict[int, Ports],
    ) -> None:
        self.tables = tables.ravel()
        self.span = np.maximum(np.rint(focus * TABLE), 1).astype(np.uint32)
        self.tail = np.rint(tail * 65_536).astype(np.uint32)
        self.windows = windows
        self.used = dict.fromkeys(windows, 0)

    @classmethod
    def of_day(cls, plan: Plan, index: int) -> "PortPicker":
        """Return the picker for a day of a plan."""
        tables = np.stack([_table(b.ports) for b in plan.behaviours])
        focus = np.array([b.focus for b in plan.behaviours])
        return cls(tables, focus, tail_shares(plan), day_windows(plan, index))

    def pick(
        self,
        senders: Senders,
        row: npt.NDArray[np.int32],
        counts: npt.NDArray[np.int64],
        rng: np.random.Generator,
    ) -> Ports:
        """Draw a port for each packet; rows of one pool stand side by side."""
        random = rng.integers(0, 2**32, len(row), dtype=np.uint32)
        start = (senders.mixed % np.uint64(TABLE)).astype(np.uint32)
        base = senders.behaviour.astype(np.uint32) * np.uint32(TABLE)
        span = self.span[senders.behaviour]
        place = start[row] + ((random & np.uint32(0xFFFF)) * span[row] >> np.uint32(16))
        ports = self.tables[base[row] + (place & np.uint32(TABLE - 1))]
        is_tail = (random >> np.uint32(16)) < self.tail[senders.behaviour][row]
        self._take_turns(ports, is_tail, senders.pool, counts)
        return ports

    def _take_turns(
        self,
        ports: Ports,
        is_tail: npt.NDArray[np.bool_],
        pool: npt.NDArray[np.int16],
        counts: npt.NDArray[np.int64],
    ) -> None:
        ends = np.concatenate([[0], np.cumsum(counts)])
        bounds = np.concatenate([[0], np.flatnonzero(np.diff(pool)) + 1, [len(pool)]])
        for first, last in pairwise(bounds):
            number = int(pool[first]) if first < len(pool) else -1
            window = self.windows.get(number)
            if window is None or len(window) == 0:
                continue
            where = ends[first] + np.flatnonzero(is_tail[ends[first] : ends[last]])
            turn = self.used[number] + np.arange(len(where))
            ports[where] = window[turn % len(window)]
            self.used[number] += len(where)


def _table(ports: tuple[tuple[int, float], ...]) -> Ports:
    """Spread ports over a table in proportion to their weights, each at least once."""
    weights = np.array([weight for _, weight in ports])
    shares = np.maximum(np.cumsum(weights) / weights.sum() * TABLE, np.arange(len(ports)) + 1)
    bounds = np.rint(shares).astype(np.int64)
    sizes = np.diff(np.concatenate([[0], bounds]))
    numbers = np.array([port for port, _ in ports], dtype=np.uint16)
    table: Ports = np.repeat(numbers, sizes)[:TABLE]
    return table
