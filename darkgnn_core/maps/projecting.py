"""The map that is there at once: principal components, turned so that days lie alike."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from darkgnn_core.maps.enclosing import Points
from darkgnn_core.spaces import ROWS, Float32s, Float64s, one_thread_each, parts_of

Addresses: TypeAlias = npt.NDArray[np.uint32]

WIDE = 512
"""From so many columns on Lanczos' iteration finds two eigenvectors sooner than all of them are
found: with 2,560 columns in 0.2 s against 5.3 s, measured."""
FEWEST_SHARED = 3
"""Hosts that two days must share before one is turned towards the other."""


def directions(vectors: Float32s) -> Float32s:
    """Return vectors as the search for neighbours compares them: columns alike, rows of length 1.

    Args:
        vectors: float32 (n, E), finite.

    Returns:
        float32 (n, E): each column brought to mean 0 and variance 1 (0 where it has none), each
        row to length 1 (0 where all of it is 0).

    Source:
        As `spaces.prepare` with `metric="cosine"` and `standardise=True`.
    """
    count, size = vectors.shape
    if not count:
        return np.empty((0, size), np.float32)
    centre = vectors.mean(axis=0, dtype=np.float64)
    deviation = np.sqrt(_squares(vectors, centre) / count)
    weight = np.divide(1.0, deviation, out=np.zeros(size), where=_varies(vectors) & (deviation > 0))
    rows = np.empty((count, size), np.float32)
    for part in parts_of(count, ROWS):
        block = (vectors[part] - centre) * weight
        norms = np.sqrt(np.einsum("ij,ij->i", block, block))
        rows[part] = block / np.where(norms > 0, norms, 1.0)[:, None]
    return rows


def _squares(vectors: Float32s, centre: Float64s) -> Float64s:
    total = np.zeros(vectors.shape[1])
    for part in parts_of(len(vectors), ROWS):
        apart = vectors[part] - centre
        total += np.einsum("ij,ij->j", apart, apart)
    return total


def _varies(vectors: Float32s) -> npt.NDArray[np.bool_]:
    """Say which columns hold more than one value; rounding alone is no variance."""
    varies: npt.NDArray[np.bool_] = vectors.min(axis=0) != vectors.max(axis=0)
    return varies


def principal_plane(rows: Float32s) -> Points:
    """Return where hosts lie in the plane in which they differ most, float32 (n, 2).

    Signs are such that the larger part of each axis points to its positive end, so that the same
    rows always give the same map.

    Args:
        rows: float32 (n, E), as `directions` gives them.

    Source:
        Principal components by the eigenvectors of the covariance.
    """
    count, size = rows.shape
    plane = np.zeros((count, 2), np.float32)
    if count < 2:
        return plane
    centre = rows.mean(axis=0, dtype=np.float64)
    with one_thread_each():
        scatter = np.zeros((size, size))
        for part in parts_of(count, ROWS):
            block = rows[part] - centre
            scatter += block.T @ block
        axes = _two_largest(scatter)
        for part in parts_of(count, ROWS):
            plane[part, : axes.shape[1]] = (rows[part] - centre) @ axes
    skew = (plane.astype(np.float64) ** 3).sum(axis=0)
    return plane * np.where(skew < 0, np.float32(-1), np.float32(1))


def _two_largest(scatter: Float64s) -> Float64s:
    """Return the two eigenvectors of the largest eigenvalues; of a wide matrix no others."""
    size = len(scatter)
    if size < WIDE or not scatter.any():
        axes: Float64s = np.linalg.eigh(scatter)[1][:, ::-1][:, :2]
        return axes
    from scipy.sparse.linalg import eigsh

    found: Float64s = eigsh(scatter, k=2, which="LA", v0=np.ones(size))[1][:, ::-1]
    return found


def turned_towards(
    points: Points,
    hosts: Addresses,
    others: Points,
    other_hosts: Addresses,
    *,
    fits_size: bool = False,
) -> Points:
    """Turn and mirror a map so that hosts it shares with another lie near where they lie there.

    Args:
        points: float32 (n, 2), the map.
        hosts: uint32 (n,), its hosts, ascending.
        others: float32 (m, 2), the map to turn towards.
        other_hosts: uint32 (m,), its hosts, ascending.
        fits_size: Move it and change its size, too, for maps whose size means nothing; else
            nothing is stretched and nothing is moved.

    Returns:
        float32 (n, 2); the map itself where fewer than three hosts are shared.

    Source:
        Orthogonal Procrustes, Schoenemann (1966); with size, Schoenemann and Carroll (1970).
    """
    _, ours, theirs = np.intersect1d(hosts, other_hosts, assume_unique=True, return_indices=True)
    if len(ours) < FEWEST_SHARED:
        return points
    here, there = points[ours].astype(np.float64), others[theirs].astype(np.float64)
    here_middle, there_middle = here.mean(axis=0), there.mean(axis=0)
    here -= here_middle
    left, lengths, right = np.linalg.svd(here.T @ (there - there_middle))
    turn = left @ right
    size = float((here**2).sum())
    if fits_size and size > 0:
        placed = (points - here_middle) @ turn * (lengths.sum() / size) + there_middle
    else:
        placed = points @ turn
    turned: Points = placed.astype(np.float32)
    return turned
