"""Turning the embedding of one day onto that of another, by the hosts that are on both."""

import numpy as np
import numpy.typing as npt

from darkgnn_core.neighbours import Float32s, Float64s, Int64s

Hosts = npt.NDArray[np.uint32]


def rotation(
    hosts: Hosts, rows: Float32s, onto_hosts: Hosts, onto_rows: Float32s
) -> Float64s | None:
    """Return the rotation (or reflection) R that brings `rows @ R` nearest to `onto_rows`.

    Args:
        hosts: uint32 (n,), ascending.
        rows: float32 (n, E), of these hosts.
        onto_hosts: uint32 (m,), ascending.
        onto_rows: float32 (m, E), of those.

    Returns:
        float64 (E, E), orthogonal; None where fewer than E hosts are on both, which tell no
        rotation.

    Source:
        Schoenemann, Psychometrika 31 (1966): R = U V' where U S V' = rows' onto_rows over the
        shared hosts.
    """
    ours, theirs = shared(hosts, onto_hosts)
    if len(ours) < rows.shape[1]:
        return None
    product = (rows[ours].T @ onto_rows[theirs]).astype(np.float64)
    left, _, right = np.linalg.svd(product)
    turned: Float64s = left @ right
    return turned


def shared(first: Hosts, second: Hosts) -> tuple[Int64s, Int64s]:
    """Return where the hosts of both stand in each, in the order of their addresses.

    >>> [each.tolist() for each in shared(np.array([1, 3, 9], "u4"), np.array([3, 5, 9], "u4"))]
    [[1, 2], [0, 2]]
    """
    place = np.searchsorted(second, first)
    is_there = place < len(second)
    is_there[is_there] = second[place[is_there]] == first[is_there]
    return np.flatnonzero(is_there), place[is_there]
