"""Edges drawn anew under the degrees they had: what is left if who met whom means nothing."""

import hashlib

import numpy as np
import pyarrow as pa

from darkgnn_core.snapshots.reading import column

ROUNDS = 24
"""Each round tries to swap every edge once; after a few, hardly a pair is where it was."""


def rewired(edges: pa.Table, key: str) -> pa.Table:
    """Return a bin's edges with their ports swapped at random between hosts.

    Every host keeps its number of ports and the packets of each of its edges, every port its
    number of hosts; no pair stands twice. The same bin gives the same edges in every run.

    Args:
        edges: Columns `host`, `port`, `packets`, by host and port.
        key: Name of the bin; the draw follows from it.

    Source:
        Maslov and Sneppen, Science 296 (2002), for swaps of two edges' ends; all disjoint swaps of
        a round are tried at once, and those that would make a pair twice are left out.
    """
    hosts = column(edges, "host").astype(np.int64)
    ports = column(edges, "port").astype(np.int64)
    names, place = np.unique(ports, return_inverse=True)
    _, rows = np.unique(hosts, return_inverse=True)
    digest = hashlib.sha256(f"rewired {key}".encode()).digest()
    random = np.random.default_rng(np.frombuffer(digest, np.uint32))
    for _ in range(ROUNDS):
        place = _swapped(rows, place, len(names), random)
    order = np.lexsort((place, rows))
    table = edges.set_column(
        edges.schema.get_field_index("port"),
        edges.schema.field("port"),
        pa.array(names[place], edges.schema.field("port").type),
    )
    return table.take(pa.array(order))


def _swapped(
    rows: np.ndarray, place: np.ndarray, width: int, random: np.random.Generator
) -> np.ndarray:
    """Pair all edges at random and swap the ports of each pair, where no pair comes twice."""
    count = len(rows) // 2
    order = random.permutation(len(rows))
    first, second = order[:count], order[count : 2 * count]
    keys = np.sort(rows * width + place)
    ours = rows[first] * width + place[second]
    theirs = rows[second] * width + place[first]
    proposed, how_often = np.unique(np.concatenate([ours, theirs]), return_counts=True)
    at = np.minimum(np.searchsorted(keys, proposed), max(len(keys) - 1, 0))
    is_free = (how_often == 1) & (keys[at] != proposed) if len(keys) else how_often == 1
    kept = np.ones(count, bool)
    for pairs in (ours, theirs):
        kept &= is_free[np.searchsorted(proposed, pairs)]
    swapped = place.copy()
    swapped[first[kept]], swapped[second[kept]] = place[second[kept]], place[first[kept]]
    return swapped
