"""What each point of a map looks like: a class for each host, and a look for each class.

Labels have their own colours (`class_colours`); numbers get seven steps from blue over purple to
orange, which stand out from light and dark and keep their order for every colour vision.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkgnn_core.charts.class_colours import (
    COLOURS,
    SHAPES,
    UNKNOWN_COLOUR,
    look_of,
)
from darkgnn_core.charts.map_words import cluster_words, short_count
from darkgnn_core.charts.port_names import port_label
from darkgnn_core.labels.texts import UNKNOWN

STEPS = ("#0066FF", "#5B62E8", "#8A5CC9", "#B4559F", "#D65A6E", "#E66A3A", "#EB7000")
"""Colours of numbers, the smallest first."""

MOST_LABELS = 250
MOST_PORTS = len(COLOURS)
OTHER_LABELS, OTHER_PORTS, NOT_TOLD = "other labels", "other ports", "not told"
OTHER_CLUSTERS = "smaller clusters"


@dataclass(frozen=True)
class MapClass:
    """A class of points.

    Attributes:
        name: What the legend calls it; a label may be a text of others.
        colour: `#RRGGBB`.
        shape: Position in `class_colours.SHAPES`.
        is_background: Drawn below all others, and pale.
    """

    name: str
    colour: str
    shape: int = 0
    is_background: bool = False


@dataclass(frozen=True, eq=False)
class Colouring:
    """The class of each of n points.

    Attributes:
        codes: uint8 (n,), position in `classes`.
        classes: In the order of the legend.
        title: What the colours mean.
    """

    codes: npt.NDArray[np.uint8]
    classes: tuple[MapClass, ...]
    title: str

    @property
    def is_background(self) -> npt.NDArray[np.bool_]:
        """Which points are in the background, bool (n,)."""
        found: npt.NDArray[np.bool_] = np.array([c.is_background for c in self.classes], bool)[
            self.codes
        ]
        return found


def by_label(
    names: Sequence[str],
    codes: npt.NDArray[np.integer],
    all_labels: Sequence[str],
    title: str = "label",
) -> Colouring:
    """Colour by label, the most frequent first, unknown in the background.

    Args:
        names: Labels, each once.
        codes: (n,), position of each host's label in `names`.
        all_labels: Labels of the workspace, which decide on colours (`class_colours.colour_of`).
        title: What the labels are.
    """
    counts = np.bincount(codes, minlength=len(names))
    there = [at for at in range(len(names)) if counts[at]]
    ranks = sorted(there, key=lambda at: (names[at] == UNKNOWN, -counts[at], names[at]))
    kept = [at for place, at in enumerate(ranks) if place < MOST_LABELS or names[at] == UNKNOWN]
    classes = [_label_class(str(names[at]), all_labels) for at in kept]
    code_of = np.full(max(len(names), 1), len(kept), np.int64)
    code_of[kept] = np.arange(len(kept))
    if len(kept) < len(ranks):
        classes.append(MapClass(OTHER_LABELS, UNKNOWN_COLOUR, is_background=True))
    return Colouring(code_of[codes].astype(np.uint8), tuple(classes), title)


def _label_class(name: str, all_labels: Sequence[str]) -> MapClass:
    look = look_of(name, all_labels)
    return MapClass(name, look.colour, SHAPES.index(look.shape), name == UNKNOWN)


def by_cluster(labels: npt.NDArray[np.int32]) -> Colouring:
    """Colour by cluster, the largest first; noise, and clusters beyond 250, in the background.

    Args:
        labels: int32 (n,), numbers from 1 by size; 0 for noise.
    """
    many = min(int(labels.max(initial=0)), MOST_LABELS)
    classes = []
    for at in range(many):
        lap, colour = divmod(at, len(COLOURS))
        classes.append(MapClass(cluster_words(at + 1), COLOURS[colour], lap % len(SHAPES)))
    others = bool((labels > many).any())
    if others:
        classes.append(MapClass(OTHER_CLUSTERS, UNKNOWN_COLOUR, is_background=True))
    classes.append(MapClass(cluster_words(0), UNKNOWN_COLOUR, is_background=True))
    codes = np.where(labels > many, many, labels - 1)
    codes = np.where(labels == 0, len(classes) - 1, codes)
    return Colouring(codes.astype(np.uint8), tuple(classes), "cluster")


def by_port(ports: npt.NDArray[np.int32]) -> Colouring:
    """Colour by a port of each host, the most frequent ones; the others in the background.

    Args:
        ports: int32 (n,), -1 for none.
    """
    found, counts = np.unique(ports[ports >= 0], return_counts=True)
    top = [int(found[at]) for at in np.lexsort((found, -counts))[:MOST_PORTS]]
    codes = np.full(len(ports), len(top), np.uint8)
    for code, port in enumerate(top):
        codes[ports == port] = code
    classes = [MapClass(port_label(p), COLOURS[at]) for at, p in enumerate(top)]
    classes.append(MapClass(OTHER_PORTS, UNKNOWN_COLOUR, is_background=True))
    return Colouring(codes, tuple(classes), "port with most packets")


def by_number(
    values: npt.NDArray[np.floating], title: str, *, edges: Sequence[float] | None = None
) -> Colouring:
    """Colour by a number in up to seven steps; hosts without one in the background.

    Args:
        values: (n,), NaN where not told.
        title: What the numbers are.
        edges: Ascending bounds of the steps; None for steps with about as many hosts each.
    """
    known = np.isfinite(values)
    bounds = _bounds(values[known], edges)
    steps = len(bounds) - 1
    codes = np.full(len(values), steps, np.uint8)
    places = np.searchsorted(bounds[1:-1], values[known], side="right")
    codes[known] = places.astype(np.uint8)
    classes = [
        MapClass(_span(bounds, at, values[known][places == at]), STEPS[_colour_at(at, steps)])
        for at in range(steps)
    ]
    classes.append(MapClass(NOT_TOLD, UNKNOWN_COLOUR, is_background=True))
    return Colouring(codes, tuple(classes), title)


def _bounds(known: npt.NDArray[np.floating], edges: Sequence[float] | None) -> list[float]:
    """Return ascending bounds, at least two; a value on a bound belongs to the step above it."""
    if edges is not None:
        return list(edges)
    if not len(known):
        return [0.0, 0.0]
    different = np.unique(known)
    if len(different) <= len(STEPS):
        return [*different.tolist(), float(different[-1])]
    cuts = np.quantile(known, np.linspace(0, 1, len(STEPS) + 1), method="lower")
    return [*np.unique(cuts[:-1]).tolist(), float(cuts[-1])]


def _span(bounds: list[float], at: int, inside: npt.NDArray[np.floating]) -> str:
    """Say a step by the least and largest value that lie in it; by its bounds where none does."""
    low, high = (inside.min(), inside.max()) if len(inside) else (bounds[at], bounds[at + 1])
    return short_count(low) if low == high else f"{short_count(low)} to {short_count(high)}"


def _colour_at(at: int, steps: int) -> int:
    return round(at * (len(STEPS) - 1) / max(steps - 1, 1))


AGES = (
    ("first seen today", 0),
    ("1 day before", 1),
    ("2 to 3 days before", 3),
    ("4 to 7 days before", 7),
    ("8 to 14 days before", 14),
    ("longer ago", 1 << 30),
)
"""Steps of newness: their name, and the most bins since a host was first seen."""


def by_age(days_known: npt.NDArray[np.int64]) -> Colouring:
    """Colour by newness: hosts first seen on the day stand out most.

    Args:
        days_known: int64 (n,), bins since the first one with the host; -1 where not told.
    """
    codes = np.searchsorted([most for _, most in AGES], days_known, side="left").astype(np.uint8)
    codes[days_known < 0] = len(AGES)
    classes = [
        MapClass(name, STEPS[_colour_at(len(AGES) - 1 - at, len(AGES))])
        for at, (name, _) in enumerate(AGES)
    ]
    classes.append(MapClass(NOT_TOLD, UNKNOWN_COLOUR, is_background=True))
    return Colouring(codes, tuple(classes), "first seen")
