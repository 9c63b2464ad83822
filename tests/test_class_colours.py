"""Colours of labels: one each, told apart by every kind of colour vision, light and dark."""

import tomllib
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkgnn_core.charts.class_colours import (
    COLOURS,
    RESERVED,
    SHAPES,
    UNKNOWN_COLOUR,
    colour_of,
    look_of,
)
from tests.test_theme import SEEN_BY, contrast, lab, linear

ROOT = Path(__file__).resolve().parents[1]
THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
NAMES = st.lists(st.text("abcdefgh ", min_size=1, max_size=6), max_size=20, unique=True)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_they_stand_out_from_either_background(mode: str) -> None:
    """Every colour, the grey of unknown too: at least 3 to 1."""
    for colour in (*COLOURS, UNKNOWN_COLOUR):
        assert contrast(colour, THEME[mode]["backgroundColor"]) >= 3.0, colour


@pytest.mark.parametrize("kind", ["all colours", *SEEN_BY])
def test_they_differ_for_every_colour_vision(kind: str) -> None:
    """Any two are at least as far apart as the theme asks of its first five."""
    identity = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    rows = SEEN_BY.get(kind, identity)
    seen = []
    for colour in (*COLOURS, UNKNOWN_COLOUR):
        red, green, blue = (
            sum(a * b for a, b in zip(row, linear(colour), strict=True)) for row in rows
        )
        seen.append(lab((red, green, blue)))
    for one, other in combinations(seen, 2):
        assert sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5 >= 12


def test_the_labels_of_the_paper_each_have_their_own() -> None:
    """One colour each, whatever other labels there are."""
    assert len(RESERVED) == len(COLOURS)
    crowd = [*RESERVED, *(f"label {i}" for i in range(30))]
    alone = [colour_of(label, [label]) for label in RESERVED]
    assert [colour_of(label, crowd) for label in RESERVED] == alone == list(COLOURS)


@given(NAMES)
def test_no_two_labels_look_alike(labels: list[str]) -> None:
    """Colour and shape together tell any label, and one more leaves them as they are."""
    looks = [look_of(label, labels) for label in labels]
    assert len(set(looks)) == len(labels)
    assert looks == [look_of(label, [*labels, "badactor"]) for label in labels]
    if len(labels) <= len(COLOURS):
        assert len({look.colour for look in looks}) == len(labels)


def test_more_labels_than_colours_take_another_shape() -> None:
    """The second lap is squares, never the grey of unknown; a label that is not listed has one."""
    labels = [f"label {i}" for i in range(2 * len(COLOURS))]
    looks = [look_of(label, labels) for label in labels]
    assert [look.shape for look in looks].count(SHAPES[1]) == len(COLOURS)
    assert UNKNOWN_COLOUR not in {look.colour for look in looks}
    assert colour_of("unknown", labels) == UNKNOWN_COLOUR
    assert colour_of("new", []) in COLOURS
