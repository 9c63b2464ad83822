"""What the map in the browser is sent, as bytes: where points are, once; what they are, at will.

A message is `[u32 length of the header][header, JSON][padding to 4][arrays]`, little-endian.
"""

import hashlib
import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from darkgnn_core.maps.enclosing import Mask, Points
from darkgnn_core.maps.projecting import Addresses

SELECTED, LIT, BACKGROUND = 1, 2, 4
MOST_CLASSES = 255
MARGIN = 0.02

Bytes = npt.NDArray[np.uint8]


def points_id(points: Points, hosts: Addresses) -> str:
    """Return 16 hex digits that stand for these points of these hosts."""
    digest = hashlib.sha256(np.ascontiguousarray(points).tobytes())
    digest.update(np.ascontiguousarray(hosts).tobytes())
    return digest.hexdigest()[:16]


def bounds_of(points: Points) -> list[float]:
    """Return left, bottom, right, top of all points with a margin; never without an extent."""
    if not len(points):
        return [-1.0, -1.0, 1.0, 1.0]
    low, high = points.min(axis=0).astype(float), points.max(axis=0).astype(float)
    room = np.maximum((high - low) * MARGIN, 1e-6 + 1e-6 * np.abs(high))
    return [*(low - room).tolist(), *(high + room).tolist()]


def pack_points(points: Points, hosts: Addresses, head: Mapping[str, Any]) -> bytes:
    """Return the message that says where points are and which hosts they stand for.

    Args:
        points: float32 (n, 2).
        hosts: uint32 (n,).
        head: What else the map is told: `name`, `frame`, `height`, `words`, `hint`.
    """
    told = {
        **head,
        "role": "map",
        "id": points_id(points, hosts),
        "n": len(points),
        "bounds": bounds_of(points),
    }
    return _packed(told, points.astype("<f4").tobytes(), hosts.astype("<u4").tobytes())


def pack_marks(classes: Bytes, states: Bytes, head: Mapping[str, Any]) -> bytes:
    """Return the message that says what points are.

    Args:
        classes: uint8 (n,), position in the palette.
        states: uint8 (n,), sum of `SELECTED`, `LIT` and `BACKGROUND`.
        head: `name` and `id` of the map, `palette` (each `name`, `colour`, `shape`, `hosts`,
            `selected`), `selected` (how many), `text`, `trails`.
    """
    return _packed({**head, "role": "marks"}, classes.tobytes(), states.tobytes())


def states_of(selected: Mask, lit: Mask, background: Mask) -> Bytes:
    """Return the states of points as one number each, uint8 (n,)."""
    states: Bytes = (selected * SELECTED + lit * LIT + background * BACKGROUND).astype(np.uint8)
    return states


def _packed(head: Mapping[str, Any], *arrays: bytes) -> bytes:
    text = json.dumps(head, allow_nan=False).encode()
    padding = bytes(-(4 + len(text)) % 4)
    return b"".join((struct.pack("<I", len(text)), text, padding, *arrays))
