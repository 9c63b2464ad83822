"""Rows of an adjacency with at most so many neighbours each, drawn so that averages stay right.

    z_u = w_uu x_u + sum over v of w_uv x_v
    z^_u = w_uu x_u + (1 - w_uu) / s * sum over i = 1..s of x_{v_i}

A node with s neighbours or fewer keeps them all, with their weights. Of the others s are drawn, by
weight: the neighbours' weights, laid end to end, are cut into s equal pieces, and a point is drawn
in each. A neighbour is drawn s w_uv / (1 - w_uu) times on average, so z^ has the mean z (unbiased)
and each row sums to 1 (an average stays an average) at once, which drawing uniformly and weighing
afterwards cannot give. One point a piece never spreads more than s free draws, and a neighbour
with 2/s of the weight or more is always there. Source: ours; stratified sampling.
"""

import numpy as np
import numpy.typing as npt
import scipy.sparse

from darkgnn_core.training.day_graphs import Keys


class NeighbourDraws:
    """Draws rows of one graph's adjacency.

    Args:
        adjacency: (N, N), a self-loop in every row.
        fanout: s, the most neighbours a row keeps beside the node itself.
        by_weight: Draw by weight, and let what is drawn stand for the whole; otherwise each
            neighbour is as likely as the next, and keeps its own value.
    """

    def __init__(
        self, adjacency: scipy.sparse.csr_array, fanout: int, *, by_weight: bool = True
    ) -> None:
        self.fanout, self.by_weight = fanout, by_weight
        self.values, self.columns = adjacency.data, adjacency.indices
        self.first = adjacency.indptr[:-1].astype(np.int64)
        self.last = adjacency.indptr[1:].astype(np.int64)
        self.nodes = len(self.first)
        numbers = np.arange(self.nodes, dtype=self.columns.dtype)
        self.own = np.flatnonzero(self.columns == np.repeat(numbers, self.last - self.first))
        share = self.values.astype(np.float64) if by_weight else np.ones(len(self.values))
        share[self.own] = 0.0
        self.ends = np.cumsum(share, out=share)

    def draw(self, rows: Keys, chance: np.random.Generator) -> scipy.sparse.csr_array:
        """Return rows with the neighbours that were drawn, float32 (rows, N).

        Args:
            rows: int64 (rows,), nodes; one that comes twice is drawn twice.
            chance: Source of chance.
        """
        first, length = self.first[rows], self.last[rows] - self.first[rows]
        many = np.flatnonzero(length - 1 > self.fanout)
        counts = np.minimum(length, self.fanout + 1)
        starts = np.concatenate([[0], np.cumsum(counts)])
        entries = np.arange(starts[-1]) + np.repeat(first - starts[:-1], counts)
        values = self.values[entries]
        slots = starts[many, None] + np.arange(self.fanout + 1)
        drawn, total = self._points(rows[many], chance)
        entries[slots] = np.concatenate([self.own[rows[many], None], drawn], axis=1)
        values[slots] = self.values[entries[slots]]
        if self.by_weight:
            values[slots[:, 1:]] = (total / self.fanout)[:, None]
        parts = (values, self.columns[entries], starts)
        matrix = scipy.sparse.csr_array(parts, shape=(len(rows), self.nodes))
        if self.by_weight:
            matrix.sum_duplicates()
        return matrix

    def _points(
        self, rows: Keys, chance: np.random.Generator
    ) -> tuple[Keys, npt.NDArray[np.float64]]:
        """Draw a point in each of the pieces of rows; return entries, and what rows add up to."""
        first, last = self.first[rows], self.last[rows] - 1
        start = np.where(first > 0, self.ends[first - 1], 0.0)
        total = self.ends[last] - start
        share = np.arange(self.fanout) + chance.random((len(rows), self.fanout))
        points = start[:, None] + share * (total / self.fanout)[:, None]
        entries = np.searchsorted(self.ends, points, side="right")
        # The sum of a row's shares is rounded: the last point may fall behind its last neighbour.
        final = last - (self.own[rows] == last)
        return np.clip(entries, first[:, None], final[:, None]), total
