"""How often each number came, for more different numbers than memory holds.

Numbers are sorted and counted piece by piece; what gets too large waits on disk as sorted runs, and
the runs are merged range by range when they are read back. Everything is exact.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from darkgnn_core.snapshots.sorting import Ints, Places, group_starts

SAMPLES = 1_024
"""Numbers of a run that are remembered, at even distances: where its parts are found again."""

BYTES = 8

Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class _Run:
    """Different numbers in ascending order on disk, each with its count.

    Attributes:
        path: File of the numbers, then the counts, 8 bytes each.
        rows: How many numbers.
        step: Distance of samples.
        samples: uint64, each `step`-th number, from the first.
    """

    path: Path
    rows: int
    step: int
    samples: Keys

    def place(self, key: np.uint64) -> int:
        """Return how many numbers are below `key`."""
        before = int(np.searchsorted(self.samples, key))
        start = max(0, before - 1) * self.step
        near = self.keys(start, min(start + self.step, self.rows))
        return start + int(np.searchsorted(near, key))

    def keys(self, start: int, stop: int) -> Keys:
        """Read numbers `start` to `stop`."""
        return np.fromfile(self.path, np.uint64, stop - start, offset=start * BYTES)

    def counts(self, start: int, stop: int) -> Places:
        """Read the counts of numbers `start` to `stop`."""
        offset = (self.rows + start) * BYTES
        return np.fromfile(self.path, np.int64, stop - start, offset=offset)


class SortedCounts:
    """Counts of non-negative 64-bit integers; they are added in any order and read in ascending."""

    def __init__(self, directory: Path, name: str, limit: int) -> None:
        """Start with nothing counted.

        Args:
            directory: Where runs wait on disk.
            name: Beginning of their names there.
            limit: How many numbers are held in memory, about; 40 bytes each at the worst moment.
        """
        self._directory, self._name, self._limit = directory, name, max(limit, 2)
        self._held: list[tuple[Keys, Places]] = []
        self._rows = 0
        self._runs: list[_Run] = []

    def add(self, keys: Ints, counts: Places | None = None) -> None:
        """Count numbers, once each, or with the counts given.

        Args:
            keys: Non-negative integers (n,), in any order, repeated or not.
            counts: int64 (n,).
        """
        if counts is None:
            different, counts = _counted(keys)
        else:
            different = keys.astype(np.uint64)
        self._held.append((different, counts))
        self._rows += len(different)
        if self._rows > self._limit:
            self._compact()
            if self._rows > self._limit // 2:
                self._spill()

    def __iter__(self) -> Iterator[tuple[Keys, Places]]:
        """Yield different numbers, uint64, in ascending order, with their counts, int64.

        A piece has about as many numbers as are held in memory. Reading again starts again.
        """
        self._compact()
        if not self._runs:
            if self._rows:
                yield self._held[0]
            return
        if self._rows:
            self._spill()
        bounds = self._bounds()
        starts = [0] * len(self._runs)
        for bound in [*bounds, None]:
            stops = [run.rows if bound is None else run.place(bound) for run in self._runs]
            if starts != stops:
                yield self._merged(starts, stops)
            starts = stops

    def __len__(self) -> int:
        """Return how many different numbers there are."""
        return sum(len(keys) for keys, _ in self)

    def remove(self) -> None:
        """Forget everything, on disk too."""
        for run in self._runs:
            run.path.unlink()
        self._held, self._rows, self._runs = [], 0, []

    def _compact(self) -> None:
        if len(self._held) > 1:
            self._held = [_together(self._held)]
            self._rows = len(self._held[0][0])

    def _spill(self) -> None:
        keys, counts = self._held[0]
        path = self._directory / f"{self._name}-{len(self._runs)}.counts"
        with path.open("wb") as file:
            keys.tofile(file)
            counts.tofile(file)
        step = max(1, self._limit // SAMPLES)
        self._runs.append(_Run(path, len(keys), step, keys[::step].copy()))
        self._held, self._rows = [], 0

    def _bounds(self) -> list[np.uint64]:
        """Return numbers that cut all runs together into pieces of about the limit."""
        samples = np.sort(np.concatenate([run.samples for run in self._runs]))
        step = self._runs[0].step
        apart = max(1, self._limit // step - len(self._runs))  # each run may add a step at the end
        return list(np.unique(samples[apart::apart]))

    def _merged(self, starts: list[int], stops: list[int]) -> tuple[Keys, Places]:
        return _together(
            [
                (run.keys(start, stop), run.counts(start, stop))
                for run, start, stop in zip(self._runs, starts, stops, strict=True)
            ]
        )


def _counted(values: Ints) -> tuple[Keys, Places]:
    keys = values.astype(np.uint64)
    keys.sort()
    starts = group_starts(keys)
    return keys[starts], np.diff(starts, append=len(keys))


def _together(parts: list[tuple[Keys, Places]]) -> tuple[Keys, Places]:
    """Add up the counts of equal numbers."""
    keys = np.concatenate([keys for keys, _ in parts])
    counts = np.concatenate([counts for _, counts in parts])
    order = np.argsort(keys, kind="stable")
    keys, counts = keys[order], counts[order]
    starts = group_starts(keys)
    if not len(starts):
        return keys, counts
    return keys[starts], np.add.reduceat(counts, starts)
