"""Capture clocks of any resolution to nanoseconds, without a float and without overflow."""

import numpy as np
from numpy.typing import NDArray

SECOND_NS = 10**9
LAST_S = 1 << 33  # beyond any believable time, and still within int64 as nanoseconds
POWER_OF_TWO = 0x80
TICK_BITS = 64
EXACT_BITS = 34  # a fraction of so many bits times 10**9 fits in 64 bits
EXACT_DIGITS = 19  # the largest power of ten in 64 bits


def to_nanoseconds(
    ticks: NDArray[np.uint64], resolution: NDArray[np.uint8], offset_s: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Turn pcapng timestamps into UTC nanoseconds.

    Args:
        ticks: uint64 (n,), units since 1970.
        resolution: uint8 (n,), the option `if_tsresol`: a unit is 10**-r s, or 2**-r s when the
            highest bit is set.
        offset_s: int64 (n,), the option `if_tsoffset`, added.

    Returns:
        int64 (n,); -1 where the time is before 1970 or after 2242.

    Example:
        >>> one = lambda value, kind: np.array([value], dtype=kind)
        >>> to_nanoseconds(one(1_500_000, "u8"), one(6, "u1"), one(2, "i8")).tolist()
        [3500000000]
        >>> to_nanoseconds(one(3, "u8"), one(0x81, "u1"), one(0, "i8")).tolist()
        [1500000000]
    """
    seconds = np.zeros(len(ticks), dtype=np.uint64)
    rest_ns = np.zeros(len(ticks), dtype=np.int64)
    for code in np.unique(resolution).tolist():
        chosen = np.flatnonzero(resolution == code)
        split = _split_binary if code & POWER_OF_TWO else _split_decimal
        seconds[chosen], rest_ns[chosen] = split(ticks[chosen], code & ~POWER_OF_TWO)
    whole = np.minimum(seconds, np.uint64(1 << 62)).astype(np.int64)
    shifted = whole + np.clip(offset_s, -(1 << 61), 1 << 61)
    believable = (shifted >= 0) & (shifted < LAST_S)
    return np.where(believable, np.where(believable, shifted, 0) * SECOND_NS + rest_ns, -1)


def _split_decimal(
    ticks: NDArray[np.uint64], digits: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    if digits > EXACT_DIGITS:  # the whole range lasts less than a second
        return np.zeros_like(ticks), _whole(ticks, 10**digits)
    seconds, rest = np.divmod(ticks, np.uint64(10**digits))
    if digits <= 9:
        return seconds, (rest * np.uint64(10 ** (9 - digits))).astype(np.int64)
    return seconds, (rest // np.uint64(10 ** (digits - 9))).astype(np.int64)


def _split_binary(
    ticks: NDArray[np.uint64], bits: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    if bits >= TICK_BITS:
        return np.zeros_like(ticks), _whole(ticks, 1 << bits)
    rest = ticks & np.uint64((1 << bits) - 1)
    seconds = ticks >> np.uint64(bits)
    if bits > EXACT_BITS:
        return seconds, _whole(rest, 1 << bits)
    return seconds, (rest * np.uint64(SECOND_NS) >> np.uint64(bits)).astype(np.int64)


def _whole(ticks: NDArray[np.uint64], unit: int) -> NDArray[np.int64]:
    """Return nanoseconds in Python's integers: slow and right, for clocks that nobody has."""
    return np.array([value * SECOND_NS // unit for value in ticks.tolist()], dtype=np.int64)
