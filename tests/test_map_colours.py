"""Colours and messages of a map: classes, steps, legends, bytes."""

import json
import struct

import numpy as np
import pytest

from darkgnn_core.charts.class_colours import COLOURS, UNKNOWN_COLOUR, colour_of
from darkgnn_core.charts.map_colours import (
    AGES,
    NOT_TOLD,
    OTHER_LABELS,
    OTHER_PORTS,
    STEPS,
    by_age,
    by_label,
    by_number,
    by_port,
)
from darkgnn_core.charts.map_words import column_words
from darkgnn_core.maps.facts import FEATURES
from darkgnn_core.maps.packing import (
    BACKGROUND,
    LIT,
    SELECTED,
    bounds_of,
    pack_marks,
    pack_points,
    states_of,
)
from tests.test_theme import contrast

NAMES = ("unknown", "censys", "mirai", "shodan")


def test_labels_have_their_own_colours_and_unknown_is_behind() -> None:
    """The most frequent first, unknown last, pale and grey; absent labels are not listed."""
    codes = np.array([0, 0, 0, 2, 2, 1], np.int32)
    found = by_label(NAMES, codes, NAMES)
    assert [each.name for each in found.classes] == ["mirai", "censys", "unknown"]
    assert [each.colour for each in found.classes] == [
        colour_of("mirai", NAMES), colour_of("censys", NAMES), UNKNOWN_COLOUR,
    ]  # fmt: skip
    assert found.codes.tolist() == [2, 2, 2, 0, 0, 1]
    assert found.is_background.tolist() == [True] * 3 + [False] * 3


def test_more_labels_than_a_map_can_tell() -> None:
    """The rarest of 300 are one class of others; codes stay within a byte."""
    names = ("unknown", *(f"label {i:03}" for i in range(300)))
    codes = np.repeat(np.arange(301), np.where(np.arange(301) < 200, 2, 1)).astype(np.int32)
    found = by_label(names, codes, names)
    assert found.classes[-1].name == OTHER_LABELS
    assert found.classes[-2].name == "unknown"
    assert len(found.classes) <= 256
    assert (found.codes == len(found.classes) - 1).sum() == 300 - 250


def test_ports_beyond_the_most_frequent_are_behind() -> None:
    """Fourteen ports have a colour; others and hosts without one lie behind."""
    ports = np.array([23] * 5 + [80] * 4 + list(range(1000, 1030)) + [-1], np.int32)
    found = by_port(ports)
    assert [each.name for each in found.classes[:2]] == ["23 telnet", "80 http"]
    assert found.classes[-1].name == OTHER_PORTS
    assert len(found.classes) == len(COLOURS) + 1
    assert found.codes[-1] == len(COLOURS)


def test_numbers_get_steps_of_about_equal_size() -> None:
    """A thousand values in seven steps, each about a seventh; the order is kept."""
    values = np.random.default_rng(1).lognormal(4, 2, 1_000)
    found = by_number(values, "packets")
    assert np.bincount(found.codes)[:7].tolist() == pytest.approx([143] * 7, abs=2)
    assert (np.diff(found.codes[np.argsort(values)].astype(int)) >= 0).all()
    assert [each.colour for each in found.classes[:7]] == list(STEPS)


def test_few_values_get_one_step_each() -> None:
    """Three shares: three steps named by their value; what is not told lies behind."""
    found = by_number(np.array([0.0, 1 / 3, 1.0, 1.0, np.nan]), "votes")
    assert [each.name for each in found.classes] == ["0", "0.333", "1", NOT_TOLD]
    assert found.codes.tolist() == [0, 1, 2, 2, 3]
    assert [each.colour for each in found.classes[:3]] == [STEPS[0], STEPS[3], STEPS[6]]


def test_given_bounds_hold_their_ends() -> None:
    """Trust of 0 and of 1 lie in the first and the last step."""
    found = by_number(np.array([0.0, 0.04, 0.05, 1.0]), "trust", edges=(0, 0.05, 0.5, 1))
    assert found.codes.tolist() == [0, 0, 1, 2]
    empty = by_number(np.array([np.nan, np.nan]), "x")
    assert empty.is_background.all()
    same = by_number(np.full(9, 4.0), "x")
    assert set(same.codes) == {0}


def test_heavy_ties_do_not_break_the_steps() -> None:
    """Nine in ten hosts share a value: fewer steps, every value in the step that names it."""
    values = np.concatenate([np.full(900, 5.0), np.arange(100) * 10.0])
    found = by_number(values, "packets")
    assert found.codes.max() < len(found.classes) - 1
    assert len({found.codes[i] for i in range(900)}) == 1


def test_new_hosts_stand_out() -> None:
    """First seen on the day has the last colour; each age lies in its step."""
    found = by_age(np.array([0, 1, 3, 4, 14, 15, 400, -1]))
    assert found.codes.tolist() == [0, 1, 2, 3, 4, 5, 5, len(AGES)]
    assert found.classes[0].colour == STEPS[6]


def test_steps_stand_out_on_either_background() -> None:
    """At least 3 to 1 against white and against the dark background."""
    for colour in STEPS:
        assert contrast(colour, "#FFFFFF") >= 3.0, colour
        assert contrast(colour, "#10161D") >= 3.0, colour


def test_every_column_has_a_name() -> None:
    """None is shown by its name in files."""
    words = [column_words(name) for name in FEATURES]
    assert len(set(words)) == len(words)
    assert not any("_" in each for each in words)


def unpacked(message: bytes) -> tuple[dict, bytes]:
    """Read a message as the browser does."""
    (length,) = struct.unpack("<I", message[:4])
    start = -(-(4 + length) // 4) * 4
    return json.loads(message[4 : 4 + length]), message[start:]


def test_points_arrive_as_they_are() -> None:
    """Header, then coordinates and addresses, each on a multiple of four bytes."""
    points = np.array([[1.5, -2], [0.1, 3e7]], np.float32)
    hosts = np.array([1, 0xFFFFFFFF], np.uint32)
    for name in ("left", "right", "x"):
        head, body = unpacked(pack_points(points, hosts, {"name": name}))
        assert np.frombuffer(body[:16], "<f4").reshape(2, 2).tolist() == points.tolist()
        assert np.frombuffer(body[16:], "<u4").tolist() == hosts.tolist()
        assert head["n"] == 2
        left, bottom, right, top = head["bounds"]
        assert left < 0.1 < 1.5 < right
        assert bottom < -2 < 3e7 < top
    other, _ = unpacked(pack_points(points[::-1], hosts, {"name": "left"}))
    assert other["id"] != head["id"]


def test_marks_arrive_as_they_are() -> None:
    """Classes and states, a byte each; states add up."""
    mask = np.array([True, False, True])
    states = states_of(mask, ~mask, mask)
    assert states.tolist() == [SELECTED + BACKGROUND, LIT, SELECTED + BACKGROUND]
    head, body = unpacked(pack_marks(np.array([0, 1, 255], np.uint8), states, {"name": "left"}))
    assert head["role"] == "marks"
    assert list(body) == [0, 1, 255, 5, 2, 5]


def test_bounds_are_never_without_extent() -> None:
    """One host, or none at all."""
    assert bounds_of(np.empty((0, 2), np.float32)) == [-1, -1, 1, 1]
    left, bottom, right, top = bounds_of(np.array([[5, 5]], np.float32))
    assert left < right
    assert bottom < top
