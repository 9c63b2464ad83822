"""Clusters of a day's hosts: who lies close together in the full space, and who lies nowhere."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from darkgnn_core.errors import ConfigError
from darkgnn_core.maps.trusting import TRUST_NEIGHBOURS
from darkgnn_core.spaces import Float64s, Int64s, one_thread_each

Labels: TypeAlias = npt.NDArray[np.int32]
Strengths: TypeAlias = npt.NDArray[np.float32]

NOISE = 0
LEAST_DISTANCE = 1e-6
"""Distance of hosts with the very same vector: 0 would be no edge in a sparse graph."""

FARTHEST = 2.0
"""The largest distance of two rows of length 1."""


@dataclass(frozen=True)
class ClusterSettings:
    """What counts as a cluster.

    Attributes:
        min_hosts: Fewest hosts of a cluster.
        min_samples: How dense it is around a host says its distance to the nearest host of that
            rank; a higher one makes more noise and firmer clusters.

    Raises:
        ConfigError: `CLUSTERS` where a number is outside what it may be.
    """

    min_hosts: int = 15
    min_samples: int = 5

    def __post_init__(self) -> None:
        """Check both once."""
        if not 2 <= self.min_hosts <= 10_000 or not 1 <= self.min_samples <= TRUST_NEIGHBOURS:
            message = (
                f"A cluster has 2 to 10,000 hosts, density looks at 1 to {TRUST_NEIGHBOURS} "
                f"neighbours; got {self}."
            )
            raise ConfigError(message, code="CLUSTERS")


def clusters_of(
    near: Int64s, distances: Float64s, settings: ClusterSettings
) -> tuple[Labels, Strengths]:
    """Find the clusters among hosts by their nearest neighbours.

    HDBSCAN over the graph of each host's nearest hosts in the full space, which keeps it quick on
    60,000 hosts. Parts of that graph without an edge between them count as farthest apart.

    Args:
        near: int64 (n, k), positions of the nearest hosts, nearest first; -1 for none.
        distances: float64 (n, k), cosine, 0 to 2.
        settings: What counts as a cluster.

    Returns:
        int32 (n,), the number of each host's cluster, the largest cluster 1; `NOISE` for none.
        float32 (n,), how firmly it belongs to it, 0 to 1; 0 for noise.

    Source:
        Campello, Moulavi and Sander (2013); scikit-learn, clusters by excess of mass. The graph
        of neighbours in place of all distances is ours.
    """
    count = len(near)
    if count < max(settings.min_hosts, settings.min_samples, 3):
        return np.zeros(count, np.int32), np.zeros(count, np.float32)
    from sklearn.cluster import HDBSCAN

    with one_thread_each():
        found = HDBSCAN(
            min_cluster_size=settings.min_hosts,
            min_samples=settings.min_samples,
            metric="precomputed",
            allow_single_cluster=False,
            copy=True,
        ).fit(_graph(near, distances))
    return _by_size(np.asarray(found.labels_)), np.asarray(found.probabilities_, np.float32)


def _graph(near: Int64s, distances: Float64s) -> Any:
    """Return a connected graph of neighbours as a sparse matrix of Euclidean distances, n x n."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    count, k = near.shape
    rows, there = np.repeat(np.arange(count), k), near.ravel() >= 0
    lengths = np.sqrt(2 * np.maximum(distances.ravel()[there], 0))
    ends = rows[there], near.ravel()[there]
    graph = csr_matrix((np.maximum(lengths, LEAST_DISTANCE), ends), shape=(count, count))
    graph = graph.maximum(graph.T)
    parts, part_of = connected_components(graph, directed=False)
    if parts < 2:
        return graph
    first = np.unique(part_of, return_index=True)[1]
    far = np.full(parts - 1, FARTHEST)
    ends = np.full(parts - 1, first[0]), first[1:]
    bridges = csr_matrix((far, ends), shape=(count, count))
    return graph.maximum(bridges.maximum(bridges.T))


def _by_size(found: npt.NDArray[Any]) -> Labels:
    """Number clusters from 1 by size downwards, ties by their first host; noise is 0."""
    labels = np.full(len(found), NOISE, np.int32)
    names, first, counts = np.unique(found[found >= 0], return_index=True, return_counts=True)
    for number, place in enumerate(np.lexsort((first, -counts)), start=1):
        labels[found == names[place]] = number
    return labels
