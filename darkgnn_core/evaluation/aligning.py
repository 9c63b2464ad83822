"""Turning the embedding of one day onto that of another, by the hosts that are on both."""

import numpy as np
import numpy.typing as npt

from darkgnn_core.neighbours import Float32s, Float64s

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
    _, ours, theirs = np.intersect1d(hosts, onto_hosts, assume_unique=True, return_indices=True)
    if len(ours) < rows.shape[1]:
        return None
    product = rows[ours].astype(np.float64).T @ onto_rows[theirs].astype(np.float64)
    left, _, right = np.linalg.svd(product)
    turned: Float64s = left @ right
    return turned
