"""Polygons, the principal plane, turning, trust: against brute force and planted shapes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkgnn_core.errors import ConfigError
from darkgnn_core.maps.enclosing import checked_polygon, enclosed
from darkgnn_core.maps.projecting import WIDE, directions, principal_plane, turned_towards
from darkgnn_core.maps.trusting import kept_neighbours
from darkgnn_core.neighbours import nearest

NUMBERS = st.floats(-10, 10, allow_nan=False, width=32)
POINTS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=3, max_size=12)


def winding(x: float, y: float, polygon: list[tuple[float, float]]) -> int:
    """Return how often a line goes round a point: the sum of the angles it turns by."""
    angles = np.arctan2([b - y for _, b in polygon], [a - x for a, _ in polygon])
    turns = np.diff([*angles, angles[0]])
    turns = (turns + np.pi) % (2 * np.pi) - np.pi
    return round(float(turns.sum()) / (2 * np.pi))


@settings(max_examples=60, deadline=None)
@given(POINTS, POINTS)
def test_enclosed_is_what_the_angles_say(points, polygon) -> None:
    """A point is inside where the line turns round it, for any line, crossing itself or not."""
    corners = np.array(polygon)
    for x, y in points:
        ends = np.roll(corners, -1, axis=0)
        along = ends - corners
        length = (along**2).sum(axis=1)
        share = np.divide(
            ((np.array([x, y]) - corners) * along).sum(axis=1),
            length, out=np.zeros(len(corners)), where=length > 0,
        ).clip(0, 1)  # fmt: skip
        gap = np.hypot(*(corners + share[:, None] * along - [x, y]).T).min()
        if gap < 1e-3:
            continue  # on the line either is right
        found = enclosed(np.array([[x, y]], np.float32), corners)[0]
        assert found == (winding(float(np.float32(x)), float(np.float32(y)), polygon) != 0)


def test_a_planted_group_is_enclosed_exactly() -> None:
    """A ring of 200 corners round one group of 5,000 gets it and nothing else of 60,000 hosts."""
    draw = np.random.default_rng(1)
    group = draw.normal([3, 3], 0.2, (5_000, 2)).clip([2.1, 2.1], [3.9, 3.9])
    rest = draw.uniform(-10, 1.9, (55_000, 2))
    points = np.concatenate([group, rest]).astype(np.float32)
    angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    ring = np.stack([3 + 1.3 * np.cos(angles), 3 + 1.3 * np.sin(angles)], axis=1)
    assert np.array_equal(np.flatnonzero(enclosed(points, ring)), np.arange(5_000))


def test_loops_that_cross_count_all() -> None:
    """A figure of eight encloses both its loops, and what is drawn round twice is inside."""
    eight = [[0, 0], [2, 2], [2, 0], [0, 2]]
    assert enclosed(np.array([[0.3, 1], [1.7, 1], [1, 1.9]], np.float32), eight).tolist() == [
        True, True, False,
    ]  # fmt: skip
    twice = [[0, 0], [2, 0], [2, 2], [0, 2]] * 2
    assert enclosed(np.array([[1, 1]], np.float32), twice)[0]


@pytest.mark.parametrize(
    "drawn",
    [None, "abc", [[0, 0], [1, 1]], [[0, 0, 0]] * 3, [[0, float("nan")]] * 3, [[0, 0]] * 9_999],
)
def test_what_is_no_line_is_refused(drawn) -> None:
    """Too few or too many points, other forms, numbers that are none."""
    with pytest.raises(ConfigError, match="drawn line"):
        checked_polygon(drawn)


def test_directions_are_those_neighbours_are_found_by() -> None:
    """Products of the rows are the cosines that the exact search gives distances for."""
    draw = np.random.default_rng(2)
    vectors = (draw.normal(size=(60, 7)) * [1, 50, 1e-3, 1, 1, 1, 0] + 3).astype(np.float32)
    rows = directions(vectors)
    near = nearest(vectors, None, 5)
    cosines = np.einsum("ij,ikj->ik", rows, rows[near.positions])
    assert np.allclose(1 - cosines, near.distances, atol=1e-5)
    assert not rows[:, 6].any()
    assert directions(np.empty((0, 3), np.float32)).shape == (0, 3)
    assert not directions(np.ones((4, 3), np.float32)).any()


@pytest.mark.parametrize("columns", [6, WIDE + 1])
def test_the_plane_shows_where_hosts_differ_most(columns) -> None:
    """It is that of a singular value decomposition, whatever the sign, and always the same one."""
    rows = directions(np.random.default_rng(3).normal(size=(80, columns)).astype(np.float32))
    plane = principal_plane(rows)
    left, size, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    expected = left[:, :2] * size[:2]
    assert np.allclose(np.abs(plane), np.abs(expected), atol=1e-4)
    assert np.array_equal(plane, principal_plane(rows))
    assert principal_plane(rows[:1]).tolist() == [[0.0, 0.0]]
    assert principal_plane(rows[:, :1]).shape == (80, 2)
    assert not principal_plane(np.zeros((5, columns), np.float32)).any()


def test_a_turned_and_mirrored_map_comes_back() -> None:
    """Turning finds the way back from a mirrored quarter turn; distances stay what they are."""
    draw = np.random.default_rng(4)
    points = draw.normal(size=(40, 2)).astype(np.float32)
    points -= points.mean(axis=0)
    hosts = np.arange(40, dtype=np.uint32)
    turned = points @ np.array([[0, 1], [1, 0]], np.float32)
    assert np.allclose(turned_towards(turned, hosts, points, hosts), points, atol=1e-5)
    assert turned_towards(turned, hosts, points, hosts + np.uint32(100)) is turned
    smaller = turned * np.float32(0.3) + np.float32(7)
    fitted = turned_towards(smaller, hosts, points, hosts, fits_size=True)
    assert np.allclose(fitted, points, atol=1e-5)
    assert np.ptp(turned_towards(smaller, hosts, points, hosts)) < 0.5 * np.ptp(points)


def test_trust_is_the_share_of_neighbours_kept() -> None:
    """By a loop over hosts: of its k true neighbours, those among the k nearest on the map."""
    draw = np.random.default_rng(5)
    vectors, points = draw.normal(size=(90, 8)).astype(np.float32), draw.normal(size=(90, 2))
    near = nearest(vectors, None, 6).positions
    found = kept_neighbours(points.astype(np.float32), near)
    for host in range(90):
        order = np.argsort(np.hypot(*(points - points[host]).T), kind="stable")
        beside = [other for other in order if other != host][:6]
        assert found[host] == pytest.approx(len(set(beside) & set(near[host])) / 6)


def test_a_false_island_is_not_trusted() -> None:
    """Two halves of one group pulled far apart: trust falls to about what chance leaves."""
    draw = np.random.default_rng(6)
    vectors = draw.normal(size=(400, 5)).astype(np.float32)
    near = nearest(vectors, None, 15).positions
    honest = principal_plane(directions(vectors))
    apart = np.where(np.arange(400)[:, None] % 2, 100, 0) + draw.normal(size=(400, 2))
    torn = kept_neighbours(apart.astype(np.float32), near).mean()
    assert torn < 0.12 < kept_neighbours(honest, near).mean()


def test_hosts_on_one_spot_are_neighbours() -> None:
    """Equal hosts on one spot keep all their neighbours, however many share it."""
    near = np.array([[(row + step) % 50 for step in (1, 2, 3)] for row in range(50)])
    assert kept_neighbours(np.zeros((50, 2), np.float32), near).tolist() == [1.0] * 50
    assert kept_neighbours(np.zeros((1, 2), np.float32), near[:1]).tolist() == [0.0]
