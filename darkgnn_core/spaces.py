"""Hosts ready to be searched: columns scaled, equal vectors joined, rows for the first look."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from darkgnn_core.errors import ConfigError

Metric = Literal["cosine", "euclidean", "dot"]
METRICS: tuple[Metric, ...] = get_args(Metric)

Float32s: TypeAlias = npt.NDArray[np.float32]
Float64s: TypeAlias = npt.NDArray[np.float64]
Int64s: TypeAlias = npt.NDArray[np.int64]
Numbers: TypeAlias = npt.NDArray[Any]

ROWS = 2_048
"""Rows turned into float64 at once: 2 MiB of 128 columns stay in the processor's own cache, which
halves the time of exact distances against four times as many (measured)."""


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Let matrix products inside the block take one thread each.

    On a busy machine the threads of one small product wait for each other, in a loop that burns
    what the others could use: three times the processor time, measured at a load of 14 on 2 cores.
    """
    with _libraries().limit(limits=1, user_api="blas"):
        yield


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


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


def standardised(vectors: Float32s) -> Float32s:
    """Return vectors with each column at mean 0 and variance 1, float32 (n, E).

    A column without variance becomes 0.
    """
    centre, weight = _scale_of(vectors)
    scaled = np.empty(vectors.shape, np.float32)
    for part in parts_of(len(vectors), ROWS):
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


def parts_of(length: int, size: int) -> Iterator[slice]:
    """Cut `length` rows into slices of at most `size`."""
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
    for part in parts_of(count, ROWS):
        total += vectors[part].sum(axis=0, dtype=np.float64)
        varies |= (vectors[part] != vectors[0]).any(axis=0)
    centre = total / count
    for part in parts_of(count, ROWS):
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
    for part in parts_of(len(candidates), ROWS):
        at = candidates[part]
        alike[at] = (vectors[before[at]] == vectors[after[at]]).all(axis=1)
    starts = np.flatnonzero(np.append(True, ~alike)[: len(members)])
    return members, np.append(starts, len(members))


def _hashes_of(vectors: Float32s) -> npt.NDArray[np.uint64]:
    factors = np.random.default_rng(0).integers(1, 2**63, vectors.shape[1], np.uint64) * 2 + 1
    hashes = np.empty(len(vectors), np.uint64)
    for part in parts_of(len(vectors), ROWS):
        bits = np.ascontiguousarray(vectors[part] + np.float32(0)).view(np.uint32)  # -0 is 0
        hashes[part] = bits.astype(np.uint64) @ factors
    return hashes


def _fill(space: Space) -> None:
    """Work out the length of each kind's row, then what the first look multiplies by."""
    examples = space.members[space.starts[:-1]]
    for part in parts_of(space.kinds, ROWS):
        rows = space.rows(examples[part])
        space.norms[part] = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        if space.metric == "cosine":
            space.first_look[part] = first_look_of(space, rows, space.norms[part])
    if space.metric != "cosine":  # these need the longest row first
        for part in parts_of(space.kinds, ROWS):
            rows = space.rows(examples[part])
            space.first_look[part] = first_look_of(space, rows, space.norms[part])


def first_look_of(space: Space, rows: Float64s, norms: Float64s) -> Float64s:
    """Return what queries are multiplied by, all of it at most 1 in size."""
    if space.metric == "cosine":
        rows /= np.where(norms > 0, norms, 1.0)[:, None]
        return rows
    rows /= space.reach
    if space.metric == "dot":
        return rows
    return np.column_stack([rows, (norms / space.reach) ** 2])
