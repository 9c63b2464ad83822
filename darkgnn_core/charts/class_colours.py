"""The colour of each label: the same on every page, in light and dark, for every colour vision.

Fourteen colours that stand out from white and from the dark background (at least 3 to 1) and from
one another for people with and without each kind of colour blindness. Where there are more labels
than colours a colour is used again with another shape, so colour and shape together tell a label.
Source: ours; drawn by a search over sRGB with the simulation of `tests/test_theme.py`.
"""

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import count
from typing import NamedTuple

from darkgnn_core.labels.texts import UNKNOWN

UNKNOWN_COLOUR = "#8C9199"
COLOURS = (
    "#C23300",
    "#EB7000",
    "#F53D85",
    "#B8335C",
    "#0052FF",
    "#3399CC",
    "#1F7A70",
    "#CC5CFF",
    "#A38F3D",
    "#8F5C33",
    "#85528F",
    "#475CC2",
    "#D67A70",
    "#F547C2",
)
SHAPES = ("circle", "square", "triangle", "diamond")

RESERVED = (
    "mirai", "spammer", "bruteforcer", "exploiter", "rapid7", "censys", "shadowserver",
    "internetcensus", "driftnet", "onyphe", "intrinsec", "shodan", "securitytrails", "netsystems",
)  # fmt: skip
"""Labels that have a colour of their own, in the order of `COLOURS`: those of the paper."""


class Look(NamedTuple):
    """How a label is drawn.

    Attributes:
        colour: `#RRGGBB`.
        shape: One of `SHAPES`; a circle unless there are more labels than colours.
    """

    colour: str
    shape: str


def colour_of(label: str, labels: Sequence[str]) -> str:
    """Return the colour of a label.

    Args:
        label: Any label; `unknown` is grey.
        labels: All labels of the workspace, not only those in view, in the order they came
            (`labels.store.labels_by_arrival`): one more at the end leaves the colours of the
            others alone. Two of them share a colour only where there are more than colours.

    Returns:
        `#RRGGBB`.

    >>> colour_of("mirai", ["shodan", "mirai"]), colour_of("unknown", [])
    ('#C23300', '#8C9199')
    """
    return look_of(label, labels).colour


def look_of(label: str, labels: Sequence[str]) -> Look:
    """Return colour and shape of a label; arguments as for `colour_of`."""
    if label == UNKNOWN:
        return Look(UNKNOWN_COLOUR, SHAPES[0])
    place = _places(tuple(dict.fromkeys((*labels, label))))[label]
    lap, colour = divmod(place, len(COLOURS))
    return Look(COLOURS[colour], SHAPES[lap % len(SHAPES)])


@lru_cache(maxsize=64)
def _places(labels: tuple[str, ...]) -> dict[str, int]:
    """Give each label a place: its reserved one, else one by its name, else the next still free."""
    places = {label: RESERVED.index(label) for label in labels if label in RESERVED}
    taken = set(places.values())
    for label in labels:
        if label in places or label == UNKNOWN:
            continue
        start = int.from_bytes(hashlib.sha256(label.encode()).digest()[:4]) % len(COLOURS)
        places[label] = next(each for each in _from(start) if each not in taken)
        taken.add(places[label])
    return places


def _from(start: int) -> Iterator[int]:
    """Count through the colours from one on, then through them again with the next shape."""
    for step in count():
        lap, offset = divmod(step, len(COLOURS))
        yield lap * len(COLOURS) + (start + offset) % len(COLOURS)
