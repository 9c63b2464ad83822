"""Groups of packets by sorting: two numbers packed into one, sorted, equal neighbours counted.

Sorting 64-bit integers is several times as fast as a hash table of groups, and its result depends
on nothing but the values.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.integer[Any]]
Places = npt.NDArray[np.int64]

WORD = 64


def bits_of(values: Ints) -> int:
    """Return how many bits the largest of non-negative values takes, at least 1.

    >>> bits_of(np.array([3, 8])), bits_of(np.array([], np.int64))
    (4, 1)
    """
    return max(int(values.max(initial=0)).bit_length(), 1)


def group_starts(values: Ints) -> Places:
    """Return where each run of equal values starts, int64 (runs,).

    >>> group_starts(np.array([7, 7, 9])).tolist()
    [0, 2]
    """
    if not len(values):
        return np.zeros(0, np.int64)
    return np.append(0, np.flatnonzero(values[1:] != values[:-1]) + 1)


def group_sizes(starts: Places, rows: int) -> Places:
    """Return the length of each run of `rows` values, int64 (runs,)."""
    return np.diff(starts, append=rows)


def _packed(high: Ints, low: Ints, bits: int, total: int) -> Ints:
    kind = np.uint32 if total <= WORD // 2 else np.uint64
    keys: npt.NDArray[Any] = high.astype(kind)
    keys <<= kind(bits)
    keys |= low.view(kind) if low.itemsize == keys.itemsize else low.astype(kind)
    return keys


def _unpacked(keys: Ints, bits: int) -> tuple[Ints, Ints]:
    """Take packed keys apart, in their own memory."""
    kind = keys.dtype.type
    low = keys & kind((1 << bits) - 1)
    high = np.right_shift(keys, kind(bits), out=keys)
    return (high, low) if kind is np.uint32 else (high.view(np.int64), low.view(np.int64))


def sort_pairs(high: Ints, low: Ints) -> tuple[Ints, Ints]:
    """Return both arrays in the order of `high`, then `low`; all values are non-negative."""
    bits = bits_of(low)
    total = bits_of(high) + bits
    if total > WORD:
        order = np.lexsort((low, high))
        return high[order], low[order]
    keys = _packed(high, low, bits, total)
    keys.sort()
    return _unpacked(keys, bits)


def order_pairs(high: Ints, low: Ints) -> Places:
    """Return the order that sorts rows by `high`, then `low`, then place; int64 (rows,)."""
    bits, rows = bits_of(low), np.arange(len(high), dtype=np.uint64)
    row_bits = bits_of(rows[-1:])
    if bits_of(high) + bits + row_bits > WORD:
        return np.lexsort((low, high))
    keys = _packed(high, low, bits, WORD)
    keys <<= np.uint64(row_bits)
    keys |= rows
    keys.sort()
    keys &= np.uint64((1 << row_bits) - 1)
    return keys.view(np.int64)


@dataclass(frozen=True, eq=False)
class PairCounts:
    """How often each pair came, sorted by `high`, then `low`.

    Attributes:
        high: Integers (pairs,).
        low: Integers (pairs,).
        n: int64 (pairs,), how often.
    """

    high: Ints
    low: Ints
    n: Places


def count_pairs(high: Ints, low: Ints) -> PairCounts:
    """Count equal pairs of non-negative numbers of at most 32 bits each."""
    bits = bits_of(low)
    keys = _packed(high, low, bits, bits_of(high) + bits)
    keys.sort()
    starts = group_starts(keys)
    high, low = _unpacked(keys[starts], bits)
    return PairCounts(high, low, group_sizes(starts, len(keys)))
