"""Exact nearest neighbours in the full embedding space: who lies beside whom.

Two looks. The first ranks all hosts by matrix products in float32 and keeps every host that may be
among the nearest once rounding is allowed for; the second works out the distances of those few in
float64 and puts them in order. So the answer is that of a brute-force loop in float64, at the
price of a matrix product. Hosts with the very same vector are looked at once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from darkgnn_core.errors import ConfigError

Metric = Literal["cosine", "euclidean", "dot"]
METRICS: tuple[Metric, ...] = get_args(Metric)

Float32s: TypeAlias = npt.NDArray[np.float32]
Float64s: TypeAlias = npt.NDArray[np.float64]
Int64s: TypeAlias = npt.NDArray[np.int64]
Numbers: TypeAlias = npt.NDArray[Any]

ROWS = 8_192
"""Rows turned into float64 at once."""

BLOCK_ROWS = 256
BLOCK_BYTES = 64 << 20
"""A block of the first look has at most that many rows, and takes that much memory."""

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


@dataclass(frozen=True, eq=False)
class Space:
    """Hosts ready to be searched; `prepare` makes it. A kind is a vector some hosts share.

    Attributes:
        metric: What near means.
        vectors: float32 (n, E), as given.
        centre: float64 (E,), taken off each row.
        weight: float64 (E,), each row is multiplied by it then; 0 for a column without variance.
        groups: int64 (n,), hosts of one group are no neighbours of each other; or None: only a
            host itself is none of its own.
        members: int64 (n,), positions by kind, ascending inside a kind.
        starts: int64 (kinds + 1,), where each kind starts in `members`.
        kind_of: int64 (n,), kind of each host; kinds of one group are neighbours in number.
        norms: float64 (kinds,), length of each kind's row.
        first_look: float32 (kinds, E or E + 1), what the first look multiplies by.
    """

    metric: Metric
    vectors: Float32s
    centre: Float64s
    weight: Float64s
    groups: Int64s | None
    members: Int64s
    starts: Int64s
    kind_of: Int64s
    norms: Float64s
    first_look: Float32s

    @property
    def kinds(self) -> int:
        """How many different vectors there are."""
        return len(self.starts) - 1

    @property
    def reach(self) -> float:
        """Length of the longest row, 1 where all are zero."""
        return float(self.norms.max(initial=0.0)) or 1.0

    def rows(self, positions: Int64s) -> Float64s:
        """Return the rows of some hosts as they are compared, float64 (len(positions), E)."""
        return self.scaled(self.vectors[positions])

    def scaled(self, vectors: Float32s) -> Float64s:
        """Return vectors centred and weighted like those of the hosts."""
        rows = vectors.astype(np.float64)
        rows -= self.centre
        rows *= self.weight
        return rows


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


def prepare(
    vectors: Float32s,
    *,
    metric: Metric = "cosine",
    standardise: bool = True,
    groups: Int64s | None = None,
) -> Space:
    """Make hosts ready to be searched many times; arguments as for `nearest`."""
    _check(vectors, metric, groups)
    size = vectors.shape[1]
    centre, weight = _scale_of(vectors) if standardise else (np.zeros(size), np.ones(size))
    members, starts = _kinds_of(vectors, groups)
    kind_of = np.empty(len(vectors), np.int64)
    kind_of[members] = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    width = size + (metric == "euclidean")
    space = Space(
        metric=metric,
        vectors=vectors,
        centre=centre,
        weight=weight,
        groups=None if groups is None else groups.astype(np.int64),
        members=members,
        starts=starts,
        kind_of=kind_of,
        norms=np.empty(len(starts) - 1),
        first_look=np.empty((len(starts) - 1, width), np.float32),
    )
    _fill(space)
    return space


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


def standardised(vectors: Float32s) -> Float32s:
    """Return vectors with each column at mean 0 and variance 1, float32 (n, E).

    A column without variance becomes 0.
    """
    centre, weight = _scale_of(vectors)
    scaled = np.empty(vectors.shape, np.float32)
    for part in _parts(len(vectors), ROWS):
        scaled[part] = (vectors[part].astype(np.float64) - centre) * weight
    return scaled


def _check(vectors: Float32s, metric: str, groups: Int64s | None) -> None:
    if metric not in METRICS:
        message = f"the metric must be one of {', '.join(METRICS)}, got {metric!r}."
        raise ConfigError(message, code="NEIGHBOURS")
    if vectors.ndim != 2 or vectors.dtype != np.float32:
        message = f"vectors must be float32 (n, E), got {vectors.dtype} {vectors.shape}."
        raise ConfigError(message, code="NEIGHBOURS")
    if groups is not None and groups.shape != (len(vectors),):
        message = f"there must be a group for each of {len(vectors)} hosts, got {groups.shape}."
        raise ConfigError(message, code="NEIGHBOURS")


def _check_k(k: int) -> None:
    if k < 1:
        raise ConfigError(f"k must be 1 or more, got {k}.", code="NEIGHBOURS")


def _parts(length: int, size: int) -> Iterator[slice]:
    return (slice(start, min(start + size, length)) for start in range(0, length, size))


def _scale_of(vectors: Float32s) -> tuple[Float64s, Float64s]:
    """Return the mean of each column, and one over its standard deviation (0 where it has none).

    Float64 sums of float32 values; a constant column is told by its values, not by rounding.
    """
    count, size = vectors.shape
    if not count:
        return np.zeros(size), np.zeros(size)
    total, squares = np.zeros(size), np.zeros(size)
    varies = np.zeros(size, bool)
    for part in _parts(count, ROWS):
        total += vectors[part].sum(axis=0, dtype=np.float64)
        varies |= (vectors[part] != vectors[0]).any(axis=0)
    centre = total / count
    for part in _parts(count, ROWS):
        apart = vectors[part] - centre
        squares += np.einsum("ij,ij->j", apart, apart)
    deviation = np.sqrt(squares / count)
    varies &= deviation > 0
    return centre, np.divide(1.0, deviation, out=np.zeros(size), where=varies)


def _kinds_of(vectors: Float32s, groups: Int64s | None) -> tuple[Int64s, Int64s]:
    """Return positions ordered by group and kind, and where each kind starts.

    Equal vectors are found by a hash of their bits. Where two different ones share a hash, equal
    ones may end up as several kinds: that costs time and changes no answer.
    """
    hashes = _hashes_of(vectors)
    own = np.zeros(len(vectors), np.int64) if groups is None else groups
    members = np.lexsort((hashes, own))
    before, after = members[:-1], members[1:]
    alike = (hashes[before] == hashes[after]) & (own[before] == own[after])
    candidates = np.flatnonzero(alike)
    for part in _parts(len(candidates), ROWS):
        at = candidates[part]
        alike[at] = (vectors[before[at]] == vectors[after[at]]).all(axis=1)
    starts = np.flatnonzero(np.append(True, ~alike)[: len(members)])
    return members, np.append(starts, len(members))


def _hashes_of(vectors: Float32s) -> npt.NDArray[np.uint64]:
    factors = np.random.default_rng(0).integers(1, 2**63, vectors.shape[1], np.uint64) * 2 + 1
    hashes = np.empty(len(vectors), np.uint64)
    for part in _parts(len(vectors), ROWS):
        bits = np.ascontiguousarray(vectors[part] + np.float32(0)).view(np.uint32)  # -0 is 0
        hashes[part] = bits.astype(np.uint64) @ factors
    return hashes


def _fill(space: Space) -> None:
    """Work out the length of each kind's row, then what the first look multiplies by."""
    examples = space.members[space.starts[:-1]]
    for part in _parts(space.kinds, ROWS):
        rows = space.rows(examples[part])
        space.norms[part] = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        if space.metric == "cosine":
            space.first_look[part] = _first_look(space, rows, space.norms[part])
    if space.metric != "cosine":  # these need the longest row first
        for part in _parts(space.kinds, ROWS):
            rows = space.rows(examples[part])
            space.first_look[part] = _first_look(space, rows, space.norms[part])


def _first_look(space: Space, rows: Float64s, norms: Float64s) -> Float64s:
    """Return what queries are multiplied by, all of it at most 1 in size."""
    if space.metric == "cosine":
        rows /= np.where(norms > 0, norms, 1.0)[:, None]
        return rows
    rows /= space.reach
    if space.metric == "dot":
        return rows
    return np.column_stack([rows, (norms / space.reach) ** 2])


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
    """Find the k nearest hosts of `count` rows, block by block; members of `groups` left out."""
    found = Neighbours(np.full((count, k), MISSING, np.int64), np.full((count, k), np.inf))
    height = max(1, min(BLOCK_ROWS, BLOCK_BYTES // (4 * max(space.kinds, 1))))
    for part in _parts(count if space.kinds else 0, height):
        rows = rows_of(part)
        barred = _barred(space, None if groups is None else groups[part])
        row, kind = _likely(space, rows, barred, k)
        distance = _distances(space, rows, row, kind)
        row, kind, distance = _best_kinds(row, kind, distance, len(rows), k)
        row, position, distance = _expanded(space, row, kind, distance, k)
        order = np.lexsort((position, distance, row))
        row, position, distance = row[order], position[order], distance[order]
        rank = _ranks(row, len(rows))
        row, rank, kept = row[rank < k] + part.start, rank[rank < k], rank < k
        found.positions[row, rank] = position[kept]
        found.distances[row, rank] = distance[kept]
    return found


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
    for part in _parts(space.kinds, ROWS):
        rows = _first_look(space, space.rows(examples[part]), space.norms[part])
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
    for part in _parts(len(row), ROWS):
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
