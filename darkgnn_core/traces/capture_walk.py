"""Finding where the records of a classic capture start: by guess in parallel, proved in order.

A record says how long it is, so each start is known only from the one before: a plain loop of
Python takes half a microsecond a record. Here many walkers start at guessed places spread over
the bytes and step together in numpy. A guess is believed only when the proven chain of records
arrives exactly at it, so a wrong guess costs time and never a wrong record.
"""

from dataclasses import dataclass
from struct import Struct

import numpy as np
from numpy.typing import NDArray

from darkgnn_core.traces.capture_window import MAX_FRAME_BYTES, anywhere, rows_at

LANE_BYTES = 16 << 10
SEARCH_BYTES = 2048
NEAR_S = 1 << 22


@dataclass(frozen=True)
class RecordLayout:
    """How a classic capture writes its records.

    Attributes:
        order: `<` or `>`.
        header_bytes: Bytes before the frame: 16, or 24 in the modified format.
    """

    order: str
    header_bytes: int

    @property
    def dtype(self) -> np.dtype[np.void]:
        """Return the first 16 bytes of a record header as a structured type."""
        names = ("seconds", "fraction", "captured", "original")
        return np.dtype([(name, f"{self.order}u4") for name in names])


@dataclass(frozen=True)
class Walk:
    """Where records start, and why the walk ended.

    Attributes:
        starts: int64 (n,), places of whole records.
        end: Place of the first record that is not whole or not believable.
        damaged: Whether that record claims more than `MAX_FRAME_BYTES`.
        needed: Bytes from `end` that the record there would take, 0 if not known.
    """

    starts: NDArray[np.int64]
    end: int
    damaged: bool
    needed: int


def walk_records(data: bytes, size: int, layout: RecordLayout) -> Walk:
    """Find the whole records among the first `size` bytes, the first of which starts one.

    Args:
        data: The bytes, with padding after `size`.
        size: Bytes that count.
        layout: How records are written.
    """
    lanes = _walk_lanes(np.frombuffer(data, dtype=np.uint8), size, layout)
    pieces: list[NDArray[np.int64]] = []
    place = 0
    while True:
        lane = lanes.get(place)
        if lane is not None:
            pieces.append(lane[:-1])
            place = int(lane[-1])
            if place in lanes:
                continue
        starts, place, claimed = _walk_in_order(data, place, size, layout, lanes)
        pieces.append(np.array(starts, dtype=np.int64))
        if claimed is not None:
            damaged = claimed > MAX_FRAME_BYTES
            needed = 0 if damaged or claimed < 0 else layout.header_bytes + claimed
            return Walk(np.concatenate(pieces), place, damaged, needed)


def _walk_in_order(
    data: bytes, place: int, size: int, layout: RecordLayout, lanes: dict[int, NDArray[np.int64]]
) -> tuple[list[int], int, int | None]:
    """Return starts, where it stopped, and the length claimed there (-1: none, None: a lane)."""
    captured_at = Struct(f"{layout.order}8xI").unpack_from
    header_bytes = layout.header_bytes
    starts: list[int] = []
    while place + header_bytes <= size:
        captured: int = captured_at(data, place)[0]
        following = place + header_bytes + captured
        if captured > MAX_FRAME_BYTES or following > size:
            return starts, place, captured
        starts.append(place)
        place = following
        if place in lanes:
            return starts, place, None
    return starts, place, -1


def _walk_lanes(
    content: NDArray[np.uint8], size: int, layout: RecordLayout
) -> dict[int, NDArray[np.int64]]:
    """Walk from guessed starts; by start, the places of its records and where it stopped."""
    guesses = _guess_starts(content, size, layout)
    if len(guesses) == 0:
        return {}
    goals = np.append(guesses[1:], size)
    lanes = np.arange(len(guesses))
    place = guesses
    seen_lane, seen_place = [lanes], [place]
    words = anywhere(content, 4)  # any of them, aligned or not
    while len(lanes):
        captured = words[np.minimum(place + 8, size)].view(f"{layout.order}u4").astype(np.int64)
        following = place + layout.header_bytes + captured
        goes_on = (captured <= MAX_FRAME_BYTES) & (following <= size) & (place < goals)
        if not goes_on.all():
            lanes, goals, following = lanes[goes_on], goals[goes_on], following[goes_on]
        place = following
        seen_lane.append(lanes)
        seen_place.append(place)
    lane_of = np.concatenate(seen_lane)
    in_order = np.argsort(lane_of, kind="stable")
    places = np.concatenate(seen_place)[in_order]
    pieces = np.split(places, np.cumsum(np.bincount(lane_of))[:-1])
    return {int(piece[0]): piece for piece in pieces}


def _guess_starts(content: NDArray[np.uint8], size: int, layout: RecordLayout) -> NDArray[np.int64]:
    """Return believable record starts, at most one every `LANE_BYTES`, the first at 0."""
    lanes = np.arange(0, size - 2 * SEARCH_BYTES, LANE_BYTES, dtype=np.int64)
    if len(lanes) < 2:
        return np.zeros(0, dtype=np.int64)
    first = rows_at(content, lanes[:1], layout.dtype)
    # The top byte of the seconds lasts 194 days and rules out nearly every other place.
    top = 3 if layout.order == "<" else 0
    stretch = lanes[1:, None] + np.arange(SEARCH_BYTES)
    alike = content[stretch + top] == content[top]
    candidates = stretch[alike]
    good = _is_believable(content, candidates, size, layout, first)
    candidates = candidates[good]
    lane_of = candidates // LANE_BYTES
    chosen = np.flatnonzero(np.diff(lane_of, prepend=-1))
    return np.concatenate((lanes[:1], candidates[chosen]))


def _is_believable(
    content: NDArray[np.uint8],
    places: NDArray[np.int64],
    size: int,
    layout: RecordLayout,
    first: NDArray[np.void],
) -> NDArray[np.bool_]:
    """Say which places look like a record that another one follows, at the time of `first`."""
    believed = np.ones(len(places), dtype=np.bool_)
    for _ in range(2):
        header = rows_at(content, np.minimum(places, size), layout.dtype)
        apart = header["seconds"].astype(np.int64) - first["seconds"].astype(np.int64)
        captured = header["captured"].astype(np.int64)
        believed &= np.abs(apart) < NEAR_S
        believed &= (captured <= header["original"]) & (captured <= MAX_FRAME_BYTES)
        places = places + layout.header_bytes + np.minimum(captured, MAX_FRAME_BYTES)
        believed &= places <= size
    return believed
