"""Hosts in cells, so that most of them need no look: exact pruning for searches by cosine.

Kinds of hosts are dealt to the nearest of some of them, drawn at random. On the unit sphere the
triangle inequality says how near any kind of a cell can be to a query; cells that cannot hold one
of the k nearest are passed over. What is left is a set of pairs that holds the k nearest for
certain, rounding allowed for, as the first look of `neighbours` gives it. On embeddings of a month
(110,000 kinds of few effective dimensions) a tenth of all pairs was looked at (measured).
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from darkgnn_core.spaces import Float32s, Int64s, Space, parts_of

FEWEST_KINDS = 16_384
FEWEST_QUERIES = 512
"""With fewer kinds or queries a plain look at all pairs costs less than dealing them."""

MOST_CELLS = 512
KINDS_A_CELL = 64
NEAREST_CELLS = 3
"""Cells looked into first, to learn how far the k-th nearest can be at most."""

CROWDED = 32
"""So many times as many pairs as are asked for are too many to be told apart in float32."""

ROWS = 4_096


class Crowded(Exception):  # noqa: N818 - no error: another way takes over
    """Too many kinds are as near as the k-th nearest, as far as float32 can tell."""


@dataclass(frozen=True, eq=False)
class Cells:
    """The kinds of a space, dealt to cells.

    Attributes:
        centres: float32 (cells, E), of unit length.
        reach: float32 (cells,), no kind of a cell is farther from its centre; infinite for the
            cell of kinds without a direction.
        members: int64 (kinds,), kinds by cell.
        starts: int64 (cells + 1,), where each cell starts in `members`.
        rows: float32 (kinds, E), their unit vectors, in the order of `members`.
        groups: int64 (kinds,), their groups, in that order; or None.
        slack: Rounding of one cosine, doubled.
    """

    centres: Float32s
    reach: Float32s
    members: Int64s
    starts: Int64s
    rows: Float32s
    groups: Int64s | None
    slack: float


def worth_dealing(space: Space, queries: int) -> bool:
    """Return whether cells make so many queries of a space cheaper."""
    is_large = space.kinds >= FEWEST_KINDS and queries >= FEWEST_QUERIES
    return space.metric == "cosine" and is_large


def deal(space: Space, workers: int = 1) -> Cells:
    """Deal the kinds of a space, by cosine, to cells, some threads at work."""
    rows = space.first_look
    count = max(2, min(MOST_CELLS, space.kinds // KINDS_A_CELL))
    drawn = np.random.default_rng(0).choice(space.kinds, min(count, space.kinds), replace=False)
    centres = rows[np.sort(drawn)]
    slack = 2 * (rows.shape[1] + 8) * float(np.finfo(np.float32).eps)
    nearest = np.empty(space.kinds, np.int64)
    apart = np.empty(space.kinds, np.float32)

    def choose(part: slice) -> None:
        cosines = rows[part] @ centres.T
        nearest[part] = cosines.argmax(axis=1)
        apart[part] = cosines[np.arange(len(cosines)), nearest[part]]

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(choose, parts_of(space.kinds, ROWS)))
    nearest[space.norms == 0] = len(centres)  # a cell of their own, always looked into
    members = np.argsort(nearest, kind="stable")
    starts = np.searchsorted(nearest[members], np.arange(len(centres) + 2))
    reach = np.zeros(len(centres) + 1, np.float32)
    np.maximum.at(reach, nearest, _length(-apart, slack))
    reach[-1] = np.inf
    groups = None
    if space.groups is not None:
        groups = space.groups[space.members[space.starts[:-1]]][members]
    beyond = np.zeros((1, rows.shape[1]), np.float32)
    return Cells(
        centres=np.concatenate([centres, beyond]),
        reach=reach,
        members=members,
        starts=starts.astype(np.int64),
        rows=rows[members],
        groups=groups,
        slack=slack,
    )


def _length(keys: Float32s, slack: float) -> Float32s:
    """Return the length of the chord for minus a cosine, off by `slack` on the side it is given."""
    length: Float32s = np.sqrt(np.maximum(2 + 2 * keys + 2 * slack, 0))
    return length


def likely_in(
    cells: Cells, asking: Float32s, groups: Int64s | None, k: int
) -> tuple[Int64s, Int64s]:
    """Return pairs (row, kind) that hold the k nearest kinds of each row for certain, and ties.

    Args:
        cells: What is searched.
        asking: float32 (q, E), minus the unit vectors of the queries.
        groups: int64 (q,), kinds of a query's own group are left out; or None.
        k: How many.

    Raises:
        Crowded: Where float32 cannot tell them apart.
    """
    look = _Look(cells, asking, groups, k)
    return look.found()


class _Look:
    """One look for some queries: the k smallest keys so far, and the pairs that may be among them.

    A key is minus the cosine, smaller where nearer.
    """

    def __init__(self, cells: Cells, asking: Float32s, groups: Int64s | None, k: int) -> None:
        self.cells, self.asking, self.k = cells, asking, k
        self.groups = groups if cells.groups is not None else None
        self.best = np.full((len(asking), k), np.inf, np.float32)
        self.pairs: list[tuple[Int64s, Int64s, Float32s]] = []
        self.count = 0

    def found(self) -> tuple[Int64s, Int64s]:
        """Look into the nearest cells, then into all that may hold something nearer still."""
        cells = self.cells
        keys = self.asking @ cells.centres.T
        low = _length(keys, -cells.slack) - cells.reach
        low[:, np.diff(cells.starts) == 0] = np.inf
        low[~self.asking.any(axis=1)] = -np.inf  # without a direction: no bound, all cells
        first = np.argpartition(keys[:, :-1], min(NEAREST_CELLS, keys.shape[1] - 2), axis=1)
        first = first[:, :NEAREST_CELLS]
        seen = np.zeros(low.shape, bool)
        np.put_along_axis(seen, first, True, axis=1)
        self._look_into(seen)
        furthest = _length(self.best[:, -1], cells.slack)
        self._look_into(~seen & (low <= furthest[:, None]))
        return self._kept()

    def _look_into(self, wanted: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]") -> None:
        """Look into cells for the rows that want them; bool (q, cells)."""
        cell, row = np.nonzero(wanted.T)
        ends = np.searchsorted(cell, np.arange(wanted.shape[1] + 1))
        for each in np.flatnonzero(np.diff(ends)):
            self._look_for(row[ends[each] : ends[each + 1]], int(each))

    def _look_for(self, rows: Int64s, cell: int) -> None:
        cells = self.cells
        part = slice(int(cells.starts[cell]), int(cells.starts[cell + 1]))
        if part.start == part.stop:
            return
        keys = self.asking[rows] @ cells.rows[part].T
        if self.groups is not None and cells.groups is not None:
            keys[self.groups[rows][:, None] == cells.groups[part]] = np.inf
        limit = np.minimum(self.best[rows, -1] + cells.slack, np.finfo(np.float32).max)
        at, place = np.divmod(np.flatnonzero(keys <= limit[:, None]), keys.shape[1])
        if not len(at):
            return
        self.pairs.append((rows[at], cells.members[part][place], keys[at, place]))
        touched = at[np.append(True, at[1:] != at[:-1])]
        known = np.concatenate([self.best[rows[touched]], keys[touched]], axis=1)
        self.best[rows[touched]] = np.partition(known, self.k - 1, axis=1)[:, : self.k]
        self.count += len(at)
        if self.count > CROWDED * self.k * len(self.asking):
            self._thin_out()

    def _thin_out(self) -> None:
        """Forget pairs that turned out to be too far.

        Raises:
            Crowded: Where that leaves too many.
        """
        row, kind, key = self._near()
        self.pairs, self.count = [(row, kind, key)], len(row)
        if 2 * self.count > CROWDED * self.k * len(self.asking):
            raise Crowded

    def _near(self) -> tuple[Int64s, Int64s, Float32s]:
        """Return the pairs that are still near enough, with their keys."""
        none = np.empty(0, np.int64)
        parts = [*self.pairs, (none, none, np.empty(0, np.float32))]
        row, kind, key = (np.concatenate(each) for each in zip(*parts, strict=True))
        near = key <= self.best[row, -1] + self.cells.slack
        return row[near], kind[near], key[near]

    def _kept(self) -> tuple[Int64s, Int64s]:
        """Return the pairs that are near enough in the end, by row."""
        row, kind, _ = self._near()
        order = np.argsort(row, kind="stable")
        return row[order], kind[order]
