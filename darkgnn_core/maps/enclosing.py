"""Which points lie inside a line that an analyst drew."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from darkgnn_core.errors import ConfigError

Points: TypeAlias = npt.NDArray[np.float32]
Mask: TypeAlias = npt.NDArray[np.bool_]

MOST_VERTICES = 2_000
BLOCK = 65_536
"""Points tested at once."""


def checked_polygon(drawn: Any) -> npt.NDArray[np.float64]:
    """Return a polygon that came from a browser as an array, float64 (m, 2).

    Raises:
        ConfigError: `POLYGON` where it is no list of 3 to 2,000 pairs of finite numbers.
    """
    try:
        polygon = np.asarray(drawn, np.float64)
    except (TypeError, ValueError) as error:
        raise ConfigError("A drawn line is a list of pairs of numbers.", code="POLYGON") from error
    has_form = polygon.ndim == 2 and polygon.shape[1:] == (2,)
    if not has_form or not 3 <= len(polygon) <= MOST_VERTICES or not np.isfinite(polygon).all():
        message = f"A drawn line has 3 to {MOST_VERTICES:,} finite points; got {polygon.shape}."
        raise ConfigError(message, code="POLYGON")
    return polygon


def enclosed(points: Points, polygon: npt.NDArray[np.float64] | Sequence[Sequence[float]]) -> Mask:
    """Say which points a closed line goes round.

    A line that crosses itself encloses all its loops. A point on the line counts to one side of
    it, to which is not promised. Coordinates are widened to float64, so that a browser that does
    the same in its own numbers comes to the same hosts.

    Args:
        points: float32 (n, 2).
        polygon: float64 (m, 2), at least 3 points; the last joins the first.

    Returns:
        bool (n,).

    Source:
        The winding number, after Sunday (2001), "Inclusion of a point in a polygon".

    >>> enclosed(np.array([[1, 1], [3, 1]], np.float32), [[0, 0], [2, 0], [2, 2], [0, 2]]).tolist()
    [True, False]
    """
    corners = np.asarray(polygon, np.float64)
    low, high = corners.min(axis=0), corners.max(axis=0)
    inside: Mask = ((points >= low) & (points <= high)).all(axis=1)
    candidates = np.flatnonzero(inside)
    for start in range(0, len(candidates), BLOCK):
        part = candidates[start : start + BLOCK]
        inside[part] = _windings(points[part].astype(np.float64), corners) != 0
    return inside


def _windings(
    points: npt.NDArray[np.float64], corners: npt.NDArray[np.float64]
) -> npt.NDArray[np.int32]:
    """Return how often the line goes round each point, leftwards positive."""
    x, y = points[:, 0], points[:, 1]
    windings = np.zeros(len(points), np.int32)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if ay == by:
            continue
        crosses = (y >= ay) & (y < by) if by > ay else (y >= by) & (y < ay)
        rows = np.flatnonzero(crosses)
        side = (bx - ax) * (y[rows] - ay) - (x[rows] - ax) * (by - ay)
        if by > ay:
            windings[rows] += side > 0
        else:
            windings[rows] -= side < 0
    return windings
