"""How sure a mean over days is: days drawn again and again, in blocks of neighbouring days."""

import numpy as np

from darkgnn_core.evaluation.predictions import Floats, Ints

DRAWS = 2_000
COVERAGE = 0.95


def interval(
    values: Floats, *, block_days: int | None = None, seed: int = 0, coverage: float = COVERAGE
) -> tuple[Floats, Floats]:
    """Return a percentile interval of the mean of each column, NaN left out.

    Days next to each other share hosts, so whole blocks of neighbouring days are drawn; blocks
    that run over the end go on at the start. Repeats (seeds) are drawn as well, each with all its
    days. With few days, or few repeats, the interval is too narrow.

    Args:
        values: float64 (days, columns), or (repeats, days, columns).
        block_days: Days a block; None: the cube root of their number, rounded.
        seed: Of the draws.
        coverage: 0.95 for a 95 % interval.

    Returns:
        Low and high ends, float64 (columns,); NaN for a column of NaN.

    Source:
        Politis and Romano, circular block bootstrap, 1992; drawing repeats beside it is ours.
    """
    values = values[None] if values.ndim == 2 else values
    repeats, days, columns = values.shape
    of_days = _times(drawn_days(days, block_days=block_days, seed=seed), days)
    of_repeats = _times(drawn_repeats(repeats, seed=seed), repeats)
    there = ~np.isnan(values)
    sums = np.einsum(
        "nr,nd,rdc->nc", of_repeats, of_days, np.where(there, values, 0), optimize=True
    )
    counts = np.einsum("nr,nd,rdc->nc", of_repeats, of_days, there.astype(float), optimize=True)
    means = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    ends = np.full((2, columns), np.nan)
    tails = ((1 - coverage) / 2, (1 + coverage) / 2)
    for column in np.flatnonzero(there.any(axis=(0, 1))):
        seen = means[:, column]
        ends[:, column] = np.quantile(seen[~np.isnan(seen)], tails)
    return ends[0], ends[1]


def drawn_days(days: int, *, block_days: int | None = None, seed: int = 0) -> Ints:
    """Return which days each draw takes, int64 (DRAWS, days)."""
    block = min(block_days or max(1, round(days ** (1 / 3))), days)
    blocks = -(-days // block)
    starts = np.random.default_rng(seed).integers(0, days, (DRAWS, blocks))
    drawn = (starts[:, :, None] + np.arange(block)) % days
    chosen: Ints = drawn.reshape(DRAWS, -1)[:, :days].astype(np.int64)
    return chosen


def drawn_repeats(repeats: int, *, seed: int = 0) -> Ints:
    """Return which repeats each draw takes, int64 (DRAWS, repeats)."""
    return np.random.default_rng([seed, 1]).integers(0, repeats, (DRAWS, repeats))


def _times(drawn: Ints, size: int) -> Floats:
    """Return how often each draw takes each of `size` things, float64 (DRAWS, size)."""
    place = drawn + size * np.arange(len(drawn))[:, None]
    counts = np.bincount(place.reshape(-1), minlength=size * len(drawn))
    return counts.reshape(len(drawn), size).astype(np.float64)
