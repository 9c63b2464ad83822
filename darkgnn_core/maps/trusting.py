"""How far a map can be trusted, host by host: which of its true neighbours are beside it there."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from darkgnn_core.maps.enclosing import Points
from darkgnn_core.spaces import Int64s

Shares: TypeAlias = npt.NDArray[np.float32]

TRUST_NEIGHBOURS = 15
ROWS = 20_000


def kept_neighbours(points: Points, near: Int64s) -> Shares:
    """Return the share of each host's true neighbours that are its neighbours on the map, too.

    A host far from its true neighbours sits on a false island. Points that lie on the very same
    spot count as neighbours of each other before all others, whatever their order.

    Args:
        points: float32 (n, 2), the map.
        near: int64 (n, k), positions of the k nearest hosts in the full space; -1 where there are
            fewer.

    Returns:
        float32 (n,), 0 to 1; 0 where a host has no neighbour.

    Source:
        Neighbourhood preservation, one point at a time; Lee and Verleysen (2009).
    """
    from scipy.spatial import cKDTree

    count, k = near.shape
    if count < 2 or k < 1:
        return np.zeros(count, np.float32)
    tree = cKDTree(points)
    kept = np.zeros(count, np.float32)
    for start in range(0, count, ROWS):
        part = slice(start, min(start + ROWS, count))
        kept[part] = _share_within(tree, points, near[part], np.arange(part.start, part.stop))
    return kept


def _share_within(tree: object, points: Points, near: Int64s, rows: Int64s) -> Shares:
    """Count true neighbours no farther on the map than the k-th host there; itself left out."""
    k = near.shape[1]
    reach = min(k + 1, len(points))
    distances, _ = tree.query(points[rows], k=reach)  # type: ignore[attr-defined]
    radius = distances.reshape(len(rows), -1)[:, -1]  # itself is at 0, so this is the k-th other
    there = near >= 0
    apart = points[np.where(there, near, 0)].astype(np.float64) - points[rows, None]
    lies_near = np.sqrt((apart**2).sum(axis=2)) <= radius[:, None] * (1 + 1e-6)
    found = np.maximum(there.sum(axis=1), 1)
    shares: Shares = ((lies_near & there).sum(axis=1) / found).astype(np.float32)
    return shares
