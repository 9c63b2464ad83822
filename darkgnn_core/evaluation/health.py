"""Is an embedding sound: collapse, hubs, lonely hosts, repeats, and how far runs and days agree."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from darkgnn_core.embeddings import Embedding
from darkgnn_core.evaluation.aligning import rotation, shared
from darkgnn_core.evaluation.predictions import Floats, Voting
from darkgnn_core.neighbours import (
    MISSING,
    Float32s,
    Neighbours,
    Space,
    nearest_in,
    prepare,
    standardised,
)
from darkgnn_core.trainers import seed_of

PAIRS = 20_000
"""Random pairs of hosts whose cosine is looked at."""

COLLAPSED = 0.95
"""Mean cosine of random pairs, as stored, above which hosts lie in one direction."""

HUBBY = 10.0
"""Skewness of how often hosts are a neighbour above which a few hosts are neighbours of most."""

FAR = 3.0
"""A host is lonely whose nearest one is that many quartile ranges above the upper quartile."""


@dataclass(frozen=True)
class EmbeddingHealth:
    """What one day's embedding looks like.

    Attributes:
        key: Name of the bin.
        hosts: How many there are.
        dimensions: E.
        flat_dimensions: Columns without variance.
        effective_dimensions: Participation ratio of the variances along principal axes, 1 to E.
        mean_cosine: Of random pairs of hosts as stored; near 1 means collapse.
        zero_hosts: Hosts whose vector is zero.
        repeated_hosts: Hosts that share their vector with another.
        largest_repeat: Hosts of the most common vector.
        hubness: Skewness of how often a host is among the k nearest of others.
        largest_hub: Hosts that have the same host among their k nearest, at most.
        never_near: Share of hosts that are nobody's neighbour.
        lonely_hosts: Hosts much farther from their nearest one than others are (`FAR`).
    """

    key: str
    hosts: int
    dimensions: int
    flat_dimensions: int
    effective_dimensions: float
    mean_cosine: float
    zero_hosts: int
    repeated_hosts: int
    largest_repeat: int
    hubness: float
    largest_hub: int
    never_near: float
    lonely_hosts: int

    @property
    def warnings(self) -> tuple[str, ...]:
        """Reasons not to trust today's neighbours, in words."""
        told = []
        if self.mean_cosine > COLLAPSED:
            told.append(
                f"Collapse: random hosts have cosine {self.mean_cosine:.3f} on average, so all "
                "lie in one direction."
            )
        if self.repeated_hosts > self.hosts / 2:
            told.append(
                f"{self.repeated_hosts:,} of {self.hosts:,} hosts share their vector with "
                "another: order among them is by address alone."
            )
        if self.hubness > HUBBY:
            told.append(
                f"Hubs: one host is among the nearest of {self.largest_hub:,} others "
                f"(skewness {self.hubness:.1f})."
            )
        return tuple(told)


def measure_embedding(
    embedding: Embedding, *, k: int = 10, voting: Voting | None = None, seed: int = 0
) -> EmbeddingHealth:
    """Measure the embedding of one day.

    Args:
        embedding: n hosts; NaN where fewer than two tell nothing.
        k: Neighbours that hubs are counted among.
        voting: Metric and scaling of neighbours; the paper's by default.
        seed: Of the random pairs.

    Source:
        Hubness as Radovanovic et al., JMLR 11 (2010); thresholds of the warnings are ours.
    """
    voting = voting or Voting()
    vectors = embedding.vectors
    space = prepare(vectors, metric=voting.metric, standardise=voting.standardise)
    near = nearest_in(space, None, k)
    often = occurrences(near, len(vectors))
    sizes = _sizes_of_kinds(space)
    is_flat = (vectors == vectors[:1]).all(axis=0)
    return EmbeddingHealth(
        key=embedding.key,
        hosts=len(vectors),
        dimensions=vectors.shape[1],
        flat_dimensions=int(is_flat.sum()),
        effective_dimensions=effective_dimensions(vectors),
        mean_cosine=mean_cosine(vectors, seed=seed),
        zero_hosts=int((~vectors.any(axis=1)).sum()),
        repeated_hosts=int(sizes[sizes > 1].sum()),
        largest_repeat=int(sizes.max(initial=0)),
        hubness=skewness(often),
        largest_hub=int(often.max(initial=0)),
        never_near=float((often == 0).mean()) if len(often) else float("nan"),
        lonely_hosts=_lonely(near.distances[:, 0]),
    )


def occurrences(near: Neighbours, hosts: int) -> Floats:
    """Return how often each host is a neighbour of another, float64 (hosts,)."""
    found = near.positions[near.positions != MISSING]
    return np.bincount(found, minlength=hosts).astype(np.float64)


def skewness(values: Floats) -> float:
    """Return the third standardised moment; 0 where all values are the same, NaN without any."""
    if not len(values):
        return float("nan")
    apart = values - values.mean()
    spread = np.sqrt((apart**2).mean())
    return float((apart**3).mean() / spread**3) if spread > 0 else 0.0


def mean_cosine(vectors: Float32s, *, pairs: int = PAIRS, seed: int = 0) -> float:
    """Return the mean cosine of random pairs of two different hosts; NaN below two hosts.

    A zero vector has cosine 0 with all.
    """
    count = len(vectors)
    if count < 2:
        return float("nan")
    random = np.random.default_rng(seed_of(seed, "pairs"))
    first = random.integers(0, count, pairs)
    second = (first + random.integers(1, count, pairs)) % count
    ours, theirs = vectors[first].astype(np.float64), vectors[second].astype(np.float64)
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    products = np.einsum("ij,ij->i", ours, theirs)
    return float(np.divide(products, lengths, out=np.zeros(pairs), where=lengths > 0).mean())


def effective_dimensions(vectors: Float32s) -> float:
    """Return (sum of variances)**2 / sum of their squares along principal axes; 0 without any.

    1 where all lies on a line, E where it spreads alike in all directions.
    """
    if len(vectors) < 2:
        return 0.0
    apart = vectors - vectors.mean(axis=0, dtype=np.float64)
    variances = np.clip(np.linalg.eigvalsh(apart.T @ apart), 0, None)
    squares = float((variances**2).sum())
    return float(variances.sum() ** 2 / squares) if squares > 0 else 0.0


def _sizes_of_kinds(space: Space) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.diff(space.starts)


def _lonely(distances: Floats) -> int:
    seen = distances[np.isfinite(distances)]
    if not len(seen):
        return 0
    low, high = np.quantile(seen, [0.25, 0.75])
    return int((seen > high + FAR * (high - low)).sum())


def stability(
    first: Embedding, second: Embedding, *, k: int = 10, voting: Voting | None = None
) -> Floats:
    """Return for each host of both what share of its k nearest is the same in both.

    Neighbours are looked for among the hosts that both embeddings have, so the share does not fall
    because a host is missing. Two runs that differ in the seed alone should agree.

    Args:
        first: One run's embedding of a day, or of one day.
        second: Another's, or of another day.
        k: Neighbours.
        voting: Metric and scaling; the paper's by default.

    Returns:
        float64 (shared hosts,), by address; of fewer than k neighbours the share of those there.
    """
    voting = voting or Voting()
    ours, theirs = shared(first.hosts, second.hosts)
    near = []
    for embedding, rows in ((first, ours), (second, theirs)):
        vectors = np.ascontiguousarray(embedding.vectors[rows])
        space = prepare(vectors, metric=voting.metric, standardise=voting.standardise)
        near.append(nearest_in(space, None, k).positions)
    there = near[0] != MISSING
    same = (near[0][:, :, None] == near[1][:, None, :]).any(axis=2) & there
    kept, whole = same.sum(axis=1), there.sum(axis=1)
    share: Floats = np.divide(kept, whole, out=np.zeros(len(ours)), where=whole > 0)
    return share


def drift(first: Embedding, second: Embedding) -> tuple[np.ndarray, Floats] | None:
    """Return how far the hosts of two days moved once the days are turned onto each other.

    Returns:
        Hosts uint32 (shared,), and cosine distance of their standardised vectors, float64
        (shared,); None where fewer than E hosts are on both.
    """
    rows, onto = standardised(first.vectors), standardised(second.vectors)
    turn = rotation(first.hosts, rows, second.hosts, onto)
    if turn is None:
        return None
    ours, theirs = shared(first.hosts, second.hosts)
    moved, there = rows[ours] @ turn, onto[theirs].astype(np.float64)
    lengths = np.linalg.norm(moved, axis=1) * np.linalg.norm(there, axis=1)
    products = np.einsum("ij,ij->i", moved, there)
    cosine = np.divide(products, lengths, out=np.zeros(len(ours)), where=lengths > 0)
    return first.hosts[ours], 1 - cosine
