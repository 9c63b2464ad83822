"""Frames lying in a stretch of bytes, and why some of them are left out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from darkgnn_core.traces.reading import Tally

REASONS = (
    "",
    "no_time",
    "bad_time",
    "unsupported_link",
    "no_ip_header",
    "not_ip",
    "ipv6",
    "too_many_vlan",
    "bad_ip_header",
    "fragment",
    "bad_tcp",
    "bad_udp",
    "truncated_l4",
)
"""Why a frame gives no packet.

`no_time`: a pcapng simple packet, which carries none; `bad_time`: before 1995 or more than a day
ahead of now; `unsupported_link`: on an interface whose link type is not read; `no_ip_header`: the
capture cut it before the end of the 20-byte header; `not_ip`: ARP and the like; `too_many_vlan`:
more than 4 tags; `bad_ip_header`: wrong version, header length or total length; `fragment`: a later
fragment, which has no ports; `bad_tcp`, `bad_udp`: the sender's own header is impossible;
`truncated_l4`: the capture cut it before the end of the ports.
"""


@dataclass(frozen=True)
class Frames:
    """Frames in one stretch of bytes.

    Attributes:
        content: uint8 (bytes,), with `capture_window.PADDING` after the last frame.
        start: int64 (n,), first byte of each.
        captured: int64 (n,), bytes of it that were captured.
        original: int64 (n,), bytes of it on the wire, as the capture says (may be wrong).
        ts_ns: int64 (n,), UTC nanoseconds, -1 where the time is beyond what they can say.
        links: int64 (n,), link types, or the one that all have.
    """

    content: NDArray[np.uint8]
    start: NDArray[np.int64]
    captured: NDArray[np.int64]
    original: NDArray[np.int64]
    ts_ns: NDArray[np.int64]
    links: NDArray[np.int64] | int


class Verdicts:
    """Why each of some frames is left out; the first reason given stays.

    Args:
        count: Number of frames.

    Attributes:
        codes: uint8 (count,), places in `REASONS`, 0 for a frame that is kept.
    """

    def __init__(self, count: int) -> None:
        self.codes = np.zeros(count, dtype=np.uint8)

    def leave_out(self, chosen: NDArray[np.bool_], reason: str) -> None:
        """Leave out the chosen frames (bool (count,)), where no reason was given before."""
        if chosen.any():
            self.codes[chosen & (self.codes == 0)] = REASONS.index(reason)

    def settle(self, tally: Tally) -> NDArray[np.int64]:
        """Count everything in the tally and return the numbers of the kept frames."""
        counts = np.bincount(self.codes, minlength=len(REASONS))
        for reason, count in zip(REASONS[1:], counts[1:].tolist(), strict=True):
            tally.skip(reason, count)
        tally.keep(int(counts[0]))
        return np.flatnonzero(self.codes == 0)
