"""TCP options of many packets at once: maximum segment size and the sender's timestamp."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

END, NOP, MSS, TIMESTAMP = 0, 1, 2, 8
MSS_BYTES, TIMESTAMP_BYTES = 4, 10


@dataclass(frozen=True)
class Options:
    """What the options of n packets say; 0 where they do not.

    Attributes:
        mss: uint16 (n,).
        timestamp: uint32 (n,), TSval.
        bad: Packets whose options run over their end or have no length.
    """

    mss: NDArray[np.uint16]
    timestamp: NDArray[np.uint32]
    bad: int


def read_options(
    content: NDArray[np.uint8],
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    short: NDArray[np.bool_],
) -> Options:
    """Walk the options of all packets in step, one option each a step.

    A step moves at least one byte and options hold at most 40, so it ends whatever they say. An
    option given twice counts as it stands last, as receivers take it.

    Args:
        content: uint8 (bytes,), with padding.
        start: int64 (n,), first byte of the options.
        end: int64 (n,), byte after the last one that may be looked at.
        short: bool (n,), whether options go on after `end`; an option running over it is not bad.

    Source:
        RFC 9293, section 3.2; RFC 7323, section 3.
    """
    mss = np.zeros(len(start), dtype=np.uint16)
    timestamp = np.zeros(len(start), dtype=np.uint32)
    bad = 0
    who = np.flatnonzero(start < end)
    place, stop = start[who], end[who]
    while len(who):
        kind = content[place]
        step = np.where(kind == NOP, 1, content[place + 1]).astype(np.int64)
        whole = (step >= 2) & (place + step <= stop) & (place + 1 < stop) | (kind == NOP)
        bad += int(np.count_nonzero(~whole & (kind != END) & ~short[who]))
        whole &= kind != END
        found = np.flatnonzero(whole & (kind == MSS) & (step == MSS_BYTES))
        mss[who[found]] = _number(content, place[found] + 2, 2)
        found = np.flatnonzero(whole & (kind == TIMESTAMP) & (step == TIMESTAMP_BYTES))
        timestamp[who[found]] = _number(content, place[found] + 2, 4)
        place = place + step
        goes_on = np.flatnonzero(whole & (place < stop))
        who, place, stop = who[goes_on], place[goes_on], stop[goes_on]
    return Options(mss, timestamp, bad)


def _number(content: NDArray[np.uint8], place: NDArray[np.int64], width: int) -> NDArray[np.uint32]:
    value = np.zeros(len(place), dtype=np.uint32)
    for byte in range(width):
        value = value << np.uint32(8) | content[place + byte]
    return value
