"""Link layers: where the IP header starts in a frame, or why there is none."""

import numpy as np
from numpy.typing import NDArray

from darkgnn_core.traces.frame_values import Frames, Verdicts

NULL, ETHERNET, RAW_BSD, RAW_OPENBSD, RAW, LOOP = 0, 1, 12, 14, 101, 108
COOKED, RAW_IPV4, RAW_IPV6, COOKED_2 = 113, 228, 229, 276
LINKS = {
    NULL: "BSD loopback",
    ETHERNET: "Ethernet",
    RAW_BSD: "raw IP",
    RAW_OPENBSD: "raw IP",
    RAW: "raw IP",
    LOOP: "OpenBSD loopback",
    COOKED: "Linux cooked",
    RAW_IPV4: "raw IPv4",
    RAW_IPV6: "raw IPv6",
    COOKED_2: "Linux cooked v2",
}
"""Link types that are read, by number. Source: the registry at tcpdump.org/linktypes.html."""

HEADER_BYTES = {NULL: 4, LOOP: 4, ETHERNET: 14, COOKED: 16, COOKED_2: 20}
TYPE_OFFSET = {ETHERNET: 12, COOKED: 14, COOKED_2: 0}
DEVICE_OFFSET = {COOKED: 2, COOKED_2: 8}
ETHERTYPE_IPV4, ETHERTYPE_IPV6 = 0x0800, 0x86DD
VLAN_TYPES = (0x8100, 0x88A8, 0x9100)
MAX_VLAN_TAGS = 4
VLAN_BYTES = 4
# Kinds of Linux device whose "protocol" is no EtherType: frame relay, radiotap, netlink.
OTHER_DEVICES = (770, 803, 824)
FAMILY_IPV4 = 2
FAMILIES_IPV6 = (10, 24, 28, 30)  # Linux, NetBSD, FreeBSD, macOS


def find_ip(frames: Frames, verdicts: Verdicts) -> NDArray[np.int64]:
    """Find the IPv4 header of each frame and say why some have none.

    Args:
        frames: The frames, of one or many link types.
        verdicts: Gets `unsupported_link`, `no_ip_header`, `not_ip`, `ipv6`, `too_many_vlan`.

    Returns:
        int64 (n,), bytes before the IP header; without meaning for frames left out.
    """
    offsets = np.zeros(len(frames.start), dtype=np.int64)
    links = np.broadcast_to(frames.links, offsets.shape)
    verdicts.leave_out(~np.isin(links, list(LINKS)), "unsupported_link")
    for link in LINKS:
        chosen = np.flatnonzero(links == link)
        if len(chosen) == len(offsets):
            return _find_ip_behind(link, frames, slice(None), verdicts)
        if len(chosen):
            offsets[chosen] = _find_ip_behind(link, frames, chosen, verdicts)
    return offsets


def _find_ip_behind(
    link: int, frames: Frames, part: NDArray[np.int64] | slice, verdicts: Verdicts
) -> NDArray[np.int64]:
    """Do as `find_ip` for a part of the frames, all of one link type."""
    start, captured = frames.start[part], frames.captured[part]
    own = Verdicts(len(start))
    offsets = np.full(len(start), HEADER_BYTES.get(link, 0), dtype=np.int64)
    own.leave_out(captured < offsets, "no_ip_header")
    if link in TYPE_OFFSET:
        _follow_types(link, frames.content, start, captured, offsets, own)
    elif link in (NULL, LOOP):
        _check_family(frames.content, start, own)
    elif link == RAW_IPV6:
        own.leave_out(captured >= 0, "ipv6")
    elif link != RAW_IPV4:
        own.leave_out(captured == 0, "no_ip_header")
        own.leave_out(frames.content[start] >> 4 == 6, "ipv6")
    theirs = verdicts.codes[part]
    verdicts.codes[part] = np.where(theirs == 0, own.codes, theirs)
    return offsets


def _follow_types(
    link: int,
    content: NDArray[np.uint8],
    start: NDArray[np.int64],
    captured: NDArray[np.int64],
    offsets: NDArray[np.int64],
    verdicts: Verdicts,
) -> None:
    """Step over VLAN tags, moving `offsets` in place, and sort by the type behind them."""
    if link in DEVICE_OFFSET:
        device = _word(content, start + DEVICE_OFFSET[link])
        verdicts.leave_out(np.isin(device, OTHER_DEVICES), "not_ip")
    kind = _word(content, start + TYPE_OFFSET[link])
    for _ in range(MAX_VLAN_TAGS):
        tagged = np.flatnonzero(np.isin(kind, VLAN_TYPES))
        if len(tagged) == 0:
            break
        kind[tagged] = _word(content, start[tagged] + offsets[tagged] + 2)
        offsets[tagged] += VLAN_BYTES
    verdicts.leave_out(captured < offsets, "no_ip_header")
    verdicts.leave_out(np.isin(kind, VLAN_TYPES), "too_many_vlan")
    verdicts.leave_out(kind == ETHERTYPE_IPV6, "ipv6")
    verdicts.leave_out(kind != ETHERTYPE_IPV4, "not_ip")


def _check_family(content: NDArray[np.uint8], start: NDArray[np.int64], verdicts: Verdicts) -> None:
    """Read the address family, which is in the byte order of whoever captured."""
    high = _word(content, start).astype(np.uint32)
    low = _word(content, start + 2).astype(np.uint32)
    family = np.where(high == 0, low, np.where(low == 0, (high >> 8) | (high & 255) << 8, 0))
    verdicts.leave_out(np.isin(family, FAMILIES_IPV6), "ipv6")
    verdicts.leave_out(family != FAMILY_IPV4, "not_ip")


def _word(content: NDArray[np.uint8], place: NDArray[np.int64]) -> NDArray[np.uint16]:
    """Return the big-endian 16-bit words at places."""
    words: NDArray[np.uint16] = content[place].astype(np.uint16) << np.uint16(8)
    return words | content[place + 1]
