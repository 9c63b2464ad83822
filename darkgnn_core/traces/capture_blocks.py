"""The blocks of a pcapng file: which hold packets, and what their interfaces say of them."""

from dataclasses import dataclass, field
from struct import Struct

import numpy as np
from numpy.typing import NDArray

from darkgnn_core.traces.capture_window import MAX_FRAME_BYTES, rows_at

SECTION, INTERFACE, OLD_PACKET, SIMPLE, ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
MIN_BLOCK_BYTES = 12
MAX_BLOCK_BYTES = 16 << 20  # as Wireshark has it
MIN_SECTION_BYTES, MIN_INTERFACE_BYTES = 28, 20
PACKET_BYTES, SIMPLE_BYTES = 32, 16  # with the length that is repeated at the end
PACKET_DATA = 28
MAX_INTERFACES = 1 << 16
MAJOR_VERSION = 1
TSRESOL, TSOFFSET = 9, 14
MICROSECONDS = 6


def _packet_layout(order: str) -> np.dtype[np.void]:
    names = ("kind", "bytes", "interface", "high", "low", "captured", "original")
    return np.dtype([(name, f"{order}u4") for name in names])


TRAILERS = {order: np.dtype([("bytes", f"{order}u4")]) for order in "<>"}
LAYOUTS = {order: _packet_layout(order) for order in "<>"}


@dataclass(frozen=True)
class Interface:
    """What an interface block says.

    Attributes:
        link: Link type.
        snaplen: Most bytes kept of a frame, 0 for all.
        resolution: `if_tsresol` as written.
        offset_s: `if_tsoffset`.
    """

    link: int
    snaplen: int
    resolution: int = MICROSECONDS
    offset_s: int = 0


@dataclass(frozen=True)
class PacketBlocks:
    """Fields of n packet blocks in the order of the file.

    Attributes:
        start: int64 (n,), first byte of each frame.
        captured: int64 (n,).
        original: int64 (n,).
        ticks: uint64 (n,), time in units of the interface; 0 for simple packets.
        interface: int64 (n,), places in `BlockWalk.interfaces`.
        is_simple: bool (n,), whether the block carries no time.
    """

    start: NDArray[np.int64]
    captured: NDArray[np.int64]
    original: NDArray[np.int64]
    ticks: NDArray[np.uint64]
    interface: NDArray[np.int64]
    is_simple: NDArray[np.bool_]


@dataclass(frozen=True)
class BlockWalk:
    """What a walk over a stretch of blocks found, and why it ended.

    Attributes:
        packets: The packet blocks.
        interfaces: Interfaces of the sections met.
        end: Place of the first block that is not whole or not believable.
        damaged: Whether it is not believable.
        needed: Bytes from `end` that this block would take, 0 if not known.
    """

    packets: PacketBlocks
    interfaces: list[Interface]
    end: int
    damaged: bool
    needed: int


@dataclass
class _Run:
    """Packet blocks of one section between two interface blocks."""

    order: str
    first_interface: int
    interfaces: int
    places: list[int] = field(default_factory=list)


class BlockReader:
    """Walks blocks; remembers the section it is in from one stretch to the next."""

    def __init__(self) -> None:
        self._order = ""
        self._interfaces: list[Interface] = []
        self._first = 0
        self._runs: list[_Run] = []

    def walk(self, data: bytes, size: int) -> BlockWalk:
        """Find the packet blocks among the first `size` bytes, where a block starts.

        Args:
            data: The bytes, with padding after `size`.
            size: Bytes that count.
        """
        self._interfaces = self._interfaces[self._first :]
        self._first = 0
        self._runs = []
        self._new_run()
        end, damaged, needed = self._find(data, size)
        content = np.frombuffer(data, dtype=np.uint8)
        packets, wrong = read_packets(content, self._runs, self._interfaces)
        if wrong is not None:
            end, damaged = wrong, True
        return BlockWalk(packets, self._interfaces, end, damaged, needed)

    def _new_run(self) -> None:
        count = len(self._interfaces) - self._first
        if self._runs and not self._runs[-1].places:
            self._runs.pop()
        self._runs.append(_Run(self._order, self._first, count))

    def _find(self, data: bytes, size: int) -> tuple[int, bool, int]:
        """Fill `_runs`; return where it stopped, whether for damage, and the bytes needed."""
        place = 0
        head = Struct(f"{self._order}II").unpack_from
        add = self._runs[-1].places.append
        while place + MIN_BLOCK_BYTES <= size:
            kind, length = head(data, place)
            if kind == SECTION:
                order = ORDERS.get(data[place + 8 : place + 12])
                if order is None:
                    return place, True, 0
                length = Struct(f"{order}I").unpack_from(data, place + 4)[0]
            elif not self._order:
                return place, True, 0
            following = place + (length + 3 & ~3)
            if not MIN_BLOCK_BYTES <= length <= MAX_BLOCK_BYTES:
                return place, True, 0
            if following > size:
                return place, False, following - place
            if kind in (ENHANCED, SIMPLE, OLD_PACKET):
                add(place)
            else:
                if not self._take(kind, data[place:following], length):
                    return place, True, 0
                if kind in (SECTION, INTERFACE):
                    head = Struct(f"{self._order}II").unpack_from
                    add = self._runs[-1].places.append
            place = following
        return place, False, 0

    def _take(self, kind: int, block: bytes, length: int) -> bool:
        """Take a block that is no packet; say whether it is believable."""
        order = ORDERS[block[8:12]] if kind == SECTION else self._order
        if Struct(f"{order}I").unpack_from(block, len(block) - 4)[0] != length:
            return False
        if kind == SECTION:
            if len(block) < MIN_SECTION_BYTES:
                return False
            if Struct(f"{order}H").unpack_from(block, 12)[0] != MAJOR_VERSION:
                return False
            self._order = order
            self._first = len(self._interfaces)
            self._new_run()
        elif kind == INTERFACE:
            if len(block) < MIN_INTERFACE_BYTES:
                return False
            if len(self._interfaces) - self._first >= MAX_INTERFACES:
                return False
            self._interfaces.append(read_interface(block, order))
            self._new_run()
        return True


def read_interface(block: bytes, order: str) -> Interface:
    """Read an interface block; options that make no sense end the reading of options.

    Args:
        block: The whole block, at least `MIN_INTERFACE_BYTES`.
        order: `<` or `>`.
    """
    link, snaplen = Struct(f"{order}H2xI").unpack_from(block, 8)
    resolution, offset_s = MICROSECONDS, 0
    place, end = 16, len(block) - 4
    while place + 4 <= end:
        code, length = Struct(f"{order}HH").unpack_from(block, place)
        value = block[place + 4 : min(place + 4 + length, end)]
        if code == 0 or len(value) < length:
            break
        if code == TSRESOL and length == 1:
            resolution = value[0]
        elif code == TSOFFSET and length == 8:
            offset_s = Struct(f"{order}q").unpack(value)[0]
        place += 4 + (length + 3 & ~3)
    return Interface(link, snaplen, resolution, offset_s)


@dataclass(frozen=True)
class _Heads:
    """First and last fields of n packet blocks, each int64 (n,); `little` is their byte order."""

    places: NDArray[np.int64]
    little: NDArray[np.bool_]
    fields: NDArray[np.void]
    trailer: NDArray[np.int64]


def _read_heads(content: NDArray[np.uint8], runs: list[_Run]) -> _Heads:
    places = np.concatenate([np.array(run.places, dtype=np.int64) for run in runs])
    sizes = [len(run.places) for run in runs]
    little = np.repeat(np.array([run.order == "<" for run in runs]), sizes)
    fields = np.zeros(len(places), dtype=LAYOUTS["<"])
    trailer = np.zeros(len(places), dtype=np.int64)
    for order, chosen in (("<", little), (">", ~little)):
        which = np.flatnonzero(chosen)
        own = rows_at(content, places[which], LAYOUTS[order])
        fields[which] = own
        last = places[which] + _padded(own["bytes"].astype(np.int64)) - 4
        trailer[which] = rows_at(content, last, TRAILERS[order])["bytes"]
    return _Heads(places, little, fields, trailer)


def _padded(length: NDArray[np.int64]) -> NDArray[np.int64]:
    return (length + 3) & ~3


def read_packets(
    content: NDArray[np.uint8], runs: list[_Run], interfaces: list[Interface]
) -> tuple[PacketBlocks, int | None]:
    """Read the fields of packet blocks, up to the first that is not believable.

    Returns:
        The packets, and the place of the block that is not believable, or None.
    """
    heads = _read_heads(content, runs)
    sizes = [len(run.places) for run in runs]
    first = np.repeat(np.array([run.first_interface for run in runs]), sizes)
    count = np.repeat(np.array([run.interfaces for run in runs]), sizes)
    word = heads.fields["interface"].astype(np.int64)
    simple = heads.fields["kind"] == SIMPLE
    short = np.where(heads.little, word & 0xFFFF, word >> 16)
    number = np.where(heads.fields["kind"] == OLD_PACKET, short, np.where(simple, 0, word))
    known = number < count
    interface = first + np.where(known, number, 0)
    captured = heads.fields["captured"].astype(np.int64)
    if simple.any():
        snaplens = np.array([each.snaplen or MAX_FRAME_BYTES for each in interfaces] or [0])
        limit = snaplens[np.minimum(interface, len(snaplens) - 1)]
        captured = np.where(simple, np.minimum(word, limit), captured)
    length = heads.fields["bytes"].astype(np.int64)
    own_bytes = np.where(simple, SIMPLE_BYTES, PACKET_BYTES)
    sound = known & (heads.trailer == length) & (length >= own_bytes)
    sound &= (captured <= _padded(length) - own_bytes) & (captured <= MAX_FRAME_BYTES)
    wrong = np.flatnonzero(~sound)
    good = slice(0, int(wrong[0]) if len(wrong) else len(sound))
    high = heads.fields["high"].astype(np.uint64)
    packets = PacketBlocks(
        start=(heads.places + PACKET_DATA)[good],
        captured=captured[good],
        original=np.where(simple, word, heads.fields["original"])[good],
        ticks=(high << np.uint64(32) | heads.fields["low"])[good],
        interface=interface[good],
        is_simple=simple[good],
    )
    return packets, int(heads.places[wrong[0]]) if len(wrong) else None
