"""Exact nearest neighbours in the full embedding space: who lies beside whom.

Two looks. The first ranks all hosts by matrix products in float32 and keeps every host that may be
among the nearest once rounding is allowed for; the second works out the distances of those few in
float64 and puts them in order. So the answer is that of a brute-force loop in float64, at the
price of a matrix product. Hosts with the very same vector are looked at once.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from darkgnn_core.cells import Cells, Crowded, deal, likely_in, worth_dealing
from darkgnn_core.errors import ConfigError
from darkgnn_core.spaces import (
    METRICS,
    ROWS,
    Float32s,
    Float64s,
    Int64s,
    Metric,
    Numbers,
    Space,
    first_look_of,
    one_thread_each,
    parts_of,
    prepare,
    standardised,
)

__all__ = [
    "METRICS",
    "MISSING",
    "Float32s",
    "Float64s",
    "Int64s",
    "Metric",
    "Neighbours",
    "Space",
    "nearest",
    "nearest_in",
    "nearest_to",
    "prepare",
    "standardised",
]

BLOCK_ROWS = 256
BLOCK_BYTES = 128 << 20
"""A block of the first look has at most that many rows; all at work take that much memory."""

CELL_ROWS = 4_096
"""The same where most hosts are passed over by cell."""

MOST_WORKERS = 8

GROUPS = 1_024
"""Columns of a block are folded into so many groups to find a bound without sorting."""

CROWDED = 32
"""The first look is repeated in float64 where it leaves this many times more hosts than asked."""

MISSING = -1


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The nearest hosts of q queries, nearest first, ties by position.

    Attributes:
        positions: int64 (q, k), position of the neighbour among the hosts searched; -1 where
            there are fewer than k.
        distances: float64 (q, k): cosine 0 to 2, Euclidean, or minus the dot product; infinite
            where there is no neighbour.
    """

    positions: Int64s
    distances: Float64s


def nearest(
    vectors: Float32s,
    queries: Int64s | None = None,
    k: int = 10,
    *,
    metric: Metric = "cosine",
    standardise: bool = True,
    groups: Int64s | None = None,
) -> Neighbours:
    """Find the k nearest hosts of some hosts, a host itself never among them.

    Args:
        vectors: float32 (n, E), finite; in the order in which ties are resolved (the hosts of an
            `Embedding` ascend, so ties go to the lower address).
        queries: int64 (q,), positions to search for; None means all hosts.
        k: How many to find.
        metric: `cosine`, `euclidean` or `dot`. A zero vector has cosine distance 1 to all.
        standardise: Bring each column to mean 0 and variance 1 over all n hosts first (ddof 0);
            a column without variance becomes 0.
        groups: int64 (n,), such as addresses without their last byte: hosts of one group are no
            neighbours of each other.

    Raises:
        ConfigError: `NEIGHBOURS` where k, the metric or the shapes are none.

    Source:
        Paper, section 4 (k nearest neighbours); the exact second look is ours.
    """
    space = prepare(vectors, metric=metric, standardise=standardise, groups=groups)
    return nearest_in(space, queries, k)


def nearest_in(space: Space, queries: Int64s | None, k: int) -> Neighbours:
    """Find the k nearest hosts of some hosts of a space; as `nearest`."""
    _check_k(k)
    asked = np.arange(len(space.vectors)) if queries is None else np.asarray(queries, np.int64)
    kinds, back = np.unique(space.kind_of[asked], return_inverse=True)
    examples = space.members[space.starts[kinds]]
    groups = None if space.groups is None else space.groups[examples]
    found = _search(space, lambda part: space.rows(examples[part]), len(kinds), groups, k + 1)
    positions, distances = found.positions[back], found.distances[back]
    itself = positions == asked[:, None]
    order = np.argsort(itself, axis=1, kind="stable")[:, :k]  # itself goes last, the rest stay
    return Neighbours(
        np.take_along_axis(positions, order, axis=1), np.take_along_axis(distances, order, axis=1)
    )


def nearest_to(
    space: Space, vectors: Float32s, k: int, *, groups: Int64s | None = None
) -> Neighbours:
    """Find the k nearest hosts of a space to vectors that are not of it.

    Args:
        space: The hosts searched.
        vectors: float32 (q, E), finite; scaled like those of the space.
        k: How many to find.
        groups: int64 (q,): hosts of the space in the vector's own group are left out.
    """
    _check_k(k)
    own = None if space.groups is None or groups is None else groups.astype(np.int64)
    return _search(space, lambda part: space.scaled(vectors[part]), len(vectors), own, k)


def _check_k(k: int) -> None:
    if k < 1:
        raise ConfigError(f"k must be 1 or more, got {k}.", code="NEIGHBOURS")


def _asking(space: Space, rows: Float64s) -> tuple[Float64s, Float64s]:
    """Return what queries multiply by, smaller where nearer, and the size of what is summed."""
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    if space.metric == "euclidean":
        scaled = rows / space.reach
        return np.column_stack([-2 * scaled, np.ones(len(rows))]), (norms / space.reach + 1) ** 2
    return -rows / np.where(norms > 0, norms, 1.0)[:, None], np.ones(len(rows))


def _search(
    space: Space,
    rows_of: Callable[[slice], Float64s],
    count: int,
    groups: Int64s | None,
    k: int,
) -> Neighbours:
    """Find the k nearest hosts of `count` rows, block by block; members of `groups` left out.

    Several blocks share the processors, each on one: that is faster than matrix products on all of
    them one after another, and far faster where other processes want them too.
    """
    found = Neighbours(np.full((count, k), MISSING, np.int64), np.full((count, k), np.inf))
    workers = min(MOST_WORKERS, os.cpu_count() or 1)
    with one_thread_each():
        cells = deal(space, workers) if worth_dealing(space, count) else None
        height = _height(space, count, cells, workers)
        parts = list(parts_of(count if space.kinds else 0, height))

        def search(part: slice) -> None:
            own = None if groups is None else groups[part]
            _search_block(space, cells, rows_of(part), own, part.start, found)

        if len(parts) == 1:
            search(parts[0])
        elif parts:
            with ThreadPoolExecutor(workers) as pool:
                for _ in pool.map(search, parts):
                    pass  # an error in a block is raised here
    return found


def _height(space: Space, count: int, cells: Cells | None, workers: int) -> int:
    """Return how many queries are looked for at once."""
    if cells is not None:
        return max(1, min(CELL_ROWS, -(-count // workers)))
    return max(1, min(BLOCK_ROWS, BLOCK_BYTES // workers // (4 * max(space.kinds, 1))))


def _search_block(
    space: Space,
    cells: Cells | None,
    rows: Float64s,
    groups: Int64s | None,
    start: int,
    found: Neighbours,
) -> None:
    """Write the nearest hosts of some rows into `found`, from row `start` on."""
    k = found.positions.shape[1]
    if cells is None:
        row, kind = _likely(space, rows, _barred(space, groups), k)
    else:
        try:
            row, kind = likely_in(cells, _asking(space, rows)[0].astype(np.float32), groups, k)
        except Crowded:
            _search_in_parts(space, rows, groups, start, found)
            return
    distance = _distances(space, rows, row, kind)
    row, kind, distance = _best_kinds(row, kind, distance, len(rows), k)
    row, position, distance = _expanded(space, row, kind, distance, k)
    order = np.lexsort((position, distance, row))
    row, position, distance = row[order], position[order], distance[order]
    rank = _ranks(row, len(rows))
    kept = rank < k
    found.positions[row[kept] + start, rank[kept]] = position[kept]
    found.distances[row[kept] + start, rank[kept]] = distance[kept]


def _search_in_parts(
    space: Space, rows: Float64s, groups: Int64s | None, start: int, found: Neighbours
) -> None:
    """Do without cells what was too crowded for them."""
    for part in parts_of(len(rows), _height(space, len(rows), None, MOST_WORKERS)):
        own = None if groups is None else groups[part]
        _search_block(space, None, rows[part], own, start + part.start, found)


def _barred(space: Space, groups: Int64s | None) -> list[slice]:
    """Return for each query the kinds of its own group, which stand side by side."""
    if groups is None or space.groups is None:
        return []
    of_kinds = space.groups[space.members[space.starts[:-1]]]
    low = np.searchsorted(of_kinds, groups, "left")
    high = np.searchsorted(of_kinds, groups, "right")
    return [slice(*pair) for pair in zip(low.tolist(), high.tolist(), strict=True)]


def _likely(space: Space, rows: Float64s, barred: list[slice], k: int) -> tuple[Int64s, Int64s]:
    """Return pairs (row, kind) that hold the k nearest kinds of each row for certain, and ties.

    A sum of E products is off by at most about E roundings of its size; twice that on either side
    of the k-th smallest is kept.
    """
    asking, size = _asking(space, rows)
    for precision in (np.float32, np.float64):
        keys = _keys(space, asking, precision)
        for row, kinds in enumerate(barred):
            keys[row, kinds] = np.inf
        slack = 2 * (asking.shape[1] + 8) * np.finfo(precision).eps * size
        bound = np.minimum(_kth_bound(keys, k) + slack, np.finfo(precision).max)
        at = np.flatnonzero(keys <= bound.astype(precision)[:, None])
        if len(at) <= CROWDED * k * len(rows):
            break
    return np.divmod(at, space.kinds)


def _keys(space: Space, asking: Float64s, precision: type[np.floating[Any]]) -> Numbers:
    """Return (rows, kinds): smaller where nearer, in that precision."""
    if precision is np.float32:
        keys: Numbers = asking.astype(np.float32) @ space.first_look.T
        return keys
    examples = space.members[space.starts[:-1]]
    keys = np.empty((len(asking), space.kinds))
    for part in parts_of(space.kinds, ROWS):
        rows = first_look_of(space, space.rows(examples[part]), space.norms[part])
        np.matmul(asking, rows.T, out=keys[:, part])
    return keys


def _kth_bound(keys: Numbers, k: int) -> Numbers:
    """Return for each row a number that at least k of its keys do not exceed.

    That is the k-th smallest of the minima of many groups of columns: k different keys are at or
    below it, and seldom more.
    """
    height, width = keys.shape
    if width < k:
        return np.full(height, np.inf, keys.dtype)
    groups = max(GROUPS, k)
    if width >= 2 * groups:
        whole = width // groups * groups
        keys = keys[:, :whole].reshape(height, -1, groups).min(axis=1)
    kth: Numbers = np.partition(keys, k - 1, axis=1)[:, k - 1]
    return kth


def _distances(space: Space, rows: Float64s, row: Int64s, kind: Int64s) -> Float64s:
    """Return the distance of each pair in float64, the same for the same two vectors."""
    examples = space.members[space.starts[kind]]
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    distances = np.empty(len(row))
    for part in parts_of(len(row), ROWS):
        ours, theirs = rows[row[part]], space.rows(examples[part])
        our_norms, their_norms = norms[row[part]], space.norms[kind[part]]
        distances[part] = _distance(space.metric, ours, theirs, our_norms, their_norms)
    return distances


def _distance(
    metric: Metric, ours: Float64s, theirs: Float64s, our_norms: Float64s, their_norms: Float64s
) -> Float64s:
    if metric == "dot":
        products: Float64s = -np.einsum("ij,ij->i", ours, theirs)
        return products
    is_zero = np.zeros(len(ours), bool)
    if metric == "cosine":  # 1 - cosine is half the squared distance of unit vectors: 0 for equals
        is_zero = (our_norms == 0) | (their_norms == 0)
        ours = ours / np.where(our_norms > 0, our_norms, 1.0)[:, None]
        theirs = theirs / np.where(their_norms > 0, their_norms, 1.0)[:, None]
    ours = ours - theirs
    squares = np.einsum("ij,ij->i", ours, ours)
    return np.sqrt(squares) if metric == "euclidean" else np.where(is_zero, 1.0, squares / 2)


def _best_kinds(
    row: Int64s, kind: Int64s, distance: Float64s, rows: int, k: int
) -> tuple[Int64s, Int64s, Float64s]:
    """Keep each row's k nearest kinds, and all that are level with the last of them."""
    order = np.lexsort((distance, row))
    row, kind, distance = row[order], kind[order], distance[order]
    last = _ranks(row, rows) == k - 1
    furthest = np.full(rows, np.inf)
    furthest[row[last]] = distance[last]
    kept = distance <= furthest[row]
    return row[kept], kind[kept], distance[kept]


def _expanded(
    space: Space, row: Int64s, kind: Int64s, distance: Float64s, k: int
) -> tuple[Int64s, Int64s, Float64s]:
    """Return the hosts of each kind in place of it, the first k of each."""
    sizes = np.minimum(space.starts[kind + 1] - space.starts[kind], k)
    pair = np.repeat(np.arange(len(kind)), sizes)
    within = np.arange(len(pair)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return row[pair], space.members[space.starts[kind[pair]] + within], distance[pair]


def _ranks(row: Int64s, rows: int) -> Int64s:
    """Return the place of each entry inside its row; rows ascend."""
    ranks: Int64s = np.arange(len(row)) - np.searchsorted(row, np.arange(rows))[row]
    return ranks
