"""Where names stand in a picture of a graph: the most important first, none on another."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from darkgnn_core.graphs.layouts import Layout

Box: TypeAlias = tuple[float, float, float, float]
Boxes: TypeAlias = npt.NDArray[np.float64]
Domain: TypeAlias = tuple[float, float]

TOUCHED, PORT, START = 2_000_000, 1_000_000, 100_000
"""Names of nodes are written in the order of these, then of how many neighbours are drawn."""

CHARACTER, HALF_LINE = 6.3, 6.5
"""Pixels of a name of 11 pixels, sans-serif: width of a character, half the height of a line."""

AWAY = 4.0


@dataclass(frozen=True)
class Field:
    """The field that is drawn on.

    Attributes:
        x: Numbers of the drawing at its left and right.
        y: Numbers at its bottom and top.
        width: Pixels.
        height: Pixels.
    """

    x: Domain
    y: Domain
    width: float
    height: float

    def pixels(self, x: float, y: float) -> tuple[float, float]:
        """Return where a place is, in pixels from the upper left corner."""
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return across * self.width, (1 - up) * self.height

    def place(self, across: float, down: float) -> tuple[float, float]:
        """Return the place of a pixel."""
        x = self.x[0] + across / self.width * (self.x[1] - self.x[0])
        y = self.y[0] + (1 - down / self.height) * (self.y[1] - self.y[0])
        return x, y


def name_rank(row: Mapping[Any, Any]) -> int:
    """Return how important the name of a node is.

    Args:
        row: `kind`, `state` and `shown` of a node, as `graph_tables.node_rows` gives them.
    """
    state = row["state"]
    is_touched = "pinned" in state or "expanded" in state
    is_port = row["kind"] == "port"
    return int(TOUCHED * is_touched + PORT * is_port + START * ("start" in state) + row["shown"])


def placed_names(nodes: pd.DataFrame, field: Field, layout: Layout) -> pd.DataFrame:
    """Return the names that find room beside their nodes.

    Args:
        nodes: As `graph_tables.drawn_nodes` gives them; a node without `text` has no name.
        field: Where they are drawn.
        layout: By forces a name may stand on any side; in columns on the outer one.

    Returns:
        Columns `text`, `x` and `y`: where its line starts, half its height up.
    """
    rows = nodes.to_dict("records")
    marks = np.array([_mark(row, field) for row in rows], np.float64).reshape(-1, 4)
    names = np.empty((0, 4))
    found: list[tuple[str, float, float]] = []
    for row in sorted(rows, key=lambda row: -name_rank(row)):
        box = _room(row, field, layout, np.concatenate([marks, names])) if row["text"] else None
        if box is not None:
            names = np.concatenate([names, [box]])
            found.append((row["text"], *field.place(box[0], (box[1] + box[3]) / 2)))
    return pd.DataFrame(found, columns=["text", "x", "y"])


def _mark(row: Mapping[Any, Any], field: Field) -> Box:
    """Return the box around the mark of a node, in pixels."""
    x, y = field.pixels(row["x"], row["y"])
    wide, high = _halves(row)
    return x - wide, y - high, x + wide, y + high


def _halves(row: Mapping[Any, Any]) -> tuple[float, float]:
    """Return half the width and height of a mark."""
    side = math.sqrt(row["size"])
    return 0.56 * side, (0.3 if row["kind"] == "port" else 0.56) * side


def _room(row: Mapping[Any, Any], field: Field, layout: Layout, taken: Boxes) -> Box | None:
    """Return the first box beside a node that is within the field and free."""
    for box in _boxes(row, field, layout):
        is_inside = box[0] >= 0 and box[1] >= 0 and box[2] <= field.width and box[3] <= field.height
        if is_inside and not _meets(box, taken):
            return box
    return None


def _boxes(row: Mapping[Any, Any], field: Field, layout: Layout) -> Iterator[Box]:
    """Yield where a name may stand: right, left, above, below."""
    x, y = field.pixels(row["x"], row["y"])
    wide, high = _halves(row)
    length, is_port = CHARACTER * len(row["text"]), row["kind"] == "port"
    right, left = x + wide + AWAY, x - wide - AWAY - length
    if layout == "force" or is_port:
        yield right, y - HALF_LINE, right + length, y + HALF_LINE
    if layout == "force" or not is_port:
        yield left, y - HALF_LINE, left + length, y + HALF_LINE
    if layout == "force":
        for middle in (y - high - AWAY - HALF_LINE, y + high + AWAY + HALF_LINE):
            yield x - length / 2, middle - HALF_LINE, x + length / 2, middle + HALF_LINE


def _meets(box: Box, taken: Boxes) -> bool:
    """Say whether a box lies on any of some others."""
    left, top, right, bottom = taken.T
    over = (box[0] < right) & (left < box[2]) & (box[1] < bottom) & (top < box[3])
    return bool(over.any())
