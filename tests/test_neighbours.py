"""Nearest neighbours: those of a brute-force loop in float64, ties by address, bounded memory."""

import math
import subprocess
import sys
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist

from darkgnn_core import neighbours
from darkgnn_core.errors import ConfigError
from darkgnn_core.neighbours import (
    METRICS,
    Neighbours,
    nearest,
    nearest_in,
    nearest_to,
    prepare,
    standardised,
)

# Sixteenths: sums and squares of these are exact in float64, so that ties are ties.
SIXTEENTHS = st.integers(-4, 4).map(lambda number: number / 16)


@st.composite
def crowds(draw: st.DrawFn, most: int = 40) -> np.ndarray:
    """Draw vectors of which many are the same."""
    size = draw(st.integers(1, 5))
    kinds = draw(arrays(np.float32, (draw(st.integers(1, 8)), size), elements=SIXTEENTHS))
    picked = draw(st.lists(st.integers(0, len(kinds) - 1), min_size=1, max_size=most))
    return kinds[picked]


def rows_of(vectors: np.ndarray, standardise: bool) -> np.ndarray:
    """Bring columns to mean 0 and variance 1 in float64, column by column."""
    rows = vectors.astype(np.float64)
    if not standardise:
        return rows
    for column in range(rows.shape[1]):
        values = rows[:, column]
        spread = 0.0 if (values == values[0]).all() else values.std()
        rows[:, column] = (values - values.mean()) / spread if spread else 0.0
    return rows


def distance(first: np.ndarray, second: np.ndarray, metric: str) -> float:
    """Give one distance by its textbook formula."""
    product = math.fsum(a * b for a, b in zip(first, second, strict=True))
    if metric == "dot":
        return -product
    if metric == "euclidean":
        return math.dist(first, second)
    lengths = math.hypot(*first) * math.hypot(*second)
    return 1 - product / lengths if lengths else 1.0


def brute_force(vectors: np.ndarray, k: int, metric: str, standardise: bool) -> list[Any]:
    """Rank all other hosts of each host by distance to 12 digits, then position."""
    rows = rows_of(vectors, standardise)
    ranked = []
    for host, row in enumerate(rows):
        others = [
            (round(distance(row, other, metric), 12) + 0.0, position)
            for position, other in enumerate(rows)
            if position != host
        ]
        ranked.append(sorted(others)[:k])
    return ranked


def as_pairs(found: Neighbours) -> list[list[tuple[float, int]]]:
    """Give neighbours as the brute force does: level ones by position."""
    rows = zip(found.distances.tolist(), found.positions.tolist(), strict=True)
    return [
        [
            (round(d, 12) + 0.0, p)
            for d, p in zip(distances, positions, strict=True)
            if p != neighbours.MISSING
        ]
        for distances, positions in rows
    ]


@given(crowds(), st.integers(1, 12), st.sampled_from(METRICS))
@settings(max_examples=150, deadline=None)
def test_neighbours_are_those_of_a_brute_force_loop(
    vectors: np.ndarray, k: int, metric: Any
) -> None:
    """Without scaling, on exact numbers with many ties: the same distances to the same hosts."""
    found = nearest(vectors, None, k, metric=metric, standardise=False)
    expected = brute_force(vectors, k, metric, standardise=False)
    if metric == "cosine":  # one direction may come from vectors that round differently
        assert [[d for d, _ in row] for row in as_pairs(found)] == [
            [d for d, _ in row] for row in expected
        ]
        return
    assert as_pairs(found) == expected


@given(crowds(), st.integers(1, 6), st.sampled_from(METRICS))
@settings(max_examples=100, deadline=None)
def test_standardised_neighbours_have_the_distances_of_a_brute_force_loop(
    vectors: np.ndarray, k: int, metric: Any
) -> None:
    """Columns at mean 0 and variance 1; those without variance count as 0, not as NaN."""
    found = nearest(vectors, None, k, metric=metric)
    expected = brute_force(vectors, k, metric, standardise=True)
    shown = [[d for d, _ in row] for row in as_pairs(found)]
    for ours, theirs in zip(shown, expected, strict=True):
        assert ours == pytest.approx([d for d, _ in theirs], abs=1e-9)


@given(st.data(), st.sampled_from(METRICS), st.booleans())
@settings(max_examples=60, deadline=None)
def test_equal_vectors_stand_in_the_order_of_their_addresses(
    data: st.DataObject, metric: Any, standardise: bool
) -> None:
    """Where far more than k hosts are level, the k lowest positions are given."""
    kinds = np.eye(4, dtype=np.float32)
    picked = np.array(data.draw(st.lists(st.integers(0, 3), min_size=60, max_size=120)))
    found = nearest(kinds[picked], None, 5, metric=metric, standardise=standardise)
    for host, row in enumerate(found.positions):
        level = [other for other in np.flatnonzero(picked == picked[host]) if other != host]
        assert row[: len(level)].tolist() == level[:5]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("standardise", [False, True])
def test_a_day_of_many_blocks_agrees_with_float64(metric: Any, standardise: bool) -> None:
    """3,000 hosts, several blocks, clusters, repeats: the hosts that a float64 matrix gives."""
    random = np.random.default_rng(4)
    kinds = random.standard_normal((2_400, 16)).astype(np.float32)
    kinds += 5 * random.standard_normal((12, 16)).astype(np.float32)[random.integers(0, 12, 2_400)]
    vectors = kinds[random.integers(0, 2_400, 3_000)]
    found = nearest(vectors, None, 7, metric=metric, standardise=standardise)
    rows = rows_of(vectors, standardise)
    if metric == "cosine":
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    table = -rows @ rows.T
    if metric == "euclidean":
        table = cdist(rows, rows)
    table = np.round(table + (metric == "cosine"), 11)
    np.fill_diagonal(table, np.inf)
    expected = np.argsort(table, axis=1, kind="stable")[:, :7]
    assert np.array_equal(found.positions, expected)
    assert found.distances == pytest.approx(np.take_along_axis(table, expected, axis=1), abs=1e-9)


def test_some_queries_get_what_all_get() -> None:
    """One host, or some in any order and twice, have the neighbours they have among all."""
    vectors = np.random.default_rng(1).standard_normal((500, 8)).astype(np.float32)
    everyone = nearest(vectors, None, 6)
    asked = np.array([17, 3, 499, 17])
    some = nearest(vectors, asked, 6)
    assert np.array_equal(some.positions, everyone.positions[asked])
    assert np.array_equal(some.distances, everyone.distances[asked])


def test_where_there_are_too_few_hosts_the_rest_is_missing() -> None:
    """Two hosts have one neighbour each; a host alone and an empty day have none."""
    two = nearest(np.eye(2, dtype=np.float32), None, 3, standardise=False)
    assert two.positions.tolist() == [[1, -1, -1], [0, -1, -1]]
    assert two.distances[:, 0].tolist() == [1.0, 1.0]
    assert np.isinf(two.distances[:, 1:]).all()
    assert nearest(np.ones((1, 2), np.float32), None, 1).positions.tolist() == [[-1]]
    assert nearest(np.empty((0, 2), np.float32), None, 1).positions.shape == (0, 1)


def test_columns_without_variance_and_zero_vectors_give_no_nan() -> None:
    """A constant column changes nothing; a host at the mean of all has distance 1 to all."""
    line = np.array([[0.1, -1], [0.1, 0], [0.1, 1], [0.1, 2], [0.1, -2]], np.float32)
    found = nearest(line, None, 2)
    assert found.positions[0].tolist() == [4, 1]
    assert found.distances[0].tolist() == [0.0, 1.0]
    assert found.distances[1].tolist() == [1.0, 1.0]
    same = nearest(np.full((4, 3), 7, np.float32), None, 2)
    assert same.positions.tolist() == [[1, 2], [0, 2], [0, 1], [0, 1]]
    assert np.isfinite(same.distances).all()
    assert not standardised(np.full((4, 3), 0.1, np.float32)).any()


def test_a_negative_zero_is_a_zero() -> None:
    """Vectors that differ in the sign of a zero alone are equal."""
    vectors = np.array([[0.0, 1], [-0.0, 1], [1, 1]], np.float32)
    assert prepare(vectors, standardise=False).kinds == 2


def test_huge_and_tiny_numbers_keep_their_order() -> None:
    """Lengths from 1e-30 to 1e30 side by side neither overflow nor vanish."""
    line = np.array([[1e-30], [3e-30], [7e-30], [1e30], [1.5e30]], np.float32)
    found = nearest(line, None, 1, metric="euclidean", standardise=False)
    assert found.positions[:, 0].tolist() == [1, 0, 1, 4, 3]
    found = nearest(line, None, 1, metric="dot", standardise=False)
    assert found.positions[:, 0].tolist() == [4, 4, 4, 4, 3]


def test_hosts_closer_than_float32_tells_are_told_apart() -> None:
    """A first look in float32 sees one point; the order is that of float64 all the same."""
    random = np.random.default_rng(3)
    vectors = (1 + 1e-6 * random.standard_normal((800, 32))).astype(np.float32)
    found = nearest(vectors, None, 4, standardise=False)
    rows = vectors.astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    table = ((rows[:, None] - rows) ** 2).sum(axis=2) / 2
    np.fill_diagonal(table, np.inf)
    best = np.sort(table, axis=1)[:, :4]
    assert found.distances == pytest.approx(best, abs=1e-18, rel=1e-6)


@given(crowds(), st.data(), st.integers(1, 6))
@settings(max_examples=80, deadline=None)
def test_hosts_of_ones_own_group_are_left_out(
    vectors: np.ndarray, data: st.DataObject, k: int
) -> None:
    """With groups, the neighbours are the nearest hosts of other groups."""
    groups = np.array(
        data.draw(st.lists(st.integers(0, 3), min_size=len(vectors), max_size=len(vectors)))
    )
    found = as_pairs(
        nearest(vectors, None, k, metric="euclidean", standardise=False, groups=groups)
    )
    everyone = brute_force(vectors, len(vectors), "euclidean", standardise=False)
    for host, row in enumerate(everyone):
        allowed = [pair for pair in row if groups[pair[1]] != groups[host]]
        assert found[host] == allowed[:k]


@given(crowds(), crowds(), st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_strangers_find_the_nearest_hosts(vectors: np.ndarray, others: np.ndarray, k: int) -> None:
    """Vectors that are not of the space are held against all of it."""
    size = min(vectors.shape[1], others.shape[1])
    vectors, others = vectors[:, :size], others[:, :size]
    space = prepare(np.ascontiguousarray(vectors), metric="euclidean", standardise=False)
    found = as_pairs(nearest_to(space, others, k))
    for row, other in zip(found, others, strict=True):
        everyone = sorted(
            (round(math.dist(other, vector), 12), at) for at, vector in enumerate(vectors)
        )
        assert row == everyone[:k]


def test_strangers_leave_out_hosts_of_their_group() -> None:
    """A stranger's own group is barred, whoever of it is in the space."""
    line = np.arange(6, dtype=np.float32)[:, None]
    groups = np.array([0, 0, 1, 1, 2, 2])
    space = prepare(line, metric="euclidean", standardise=False, groups=groups)
    found = nearest_to(space, np.array([[2.1], [5]], np.float32), 2, groups=np.array([1, 9]))
    assert found.positions.tolist() == [[1, 4], [5, 4]]


def test_standardised_rows_are_those_the_search_compares() -> None:
    """`standardised` gives mean 0 and variance 1, and the same neighbours when searched as is."""
    vectors = (np.random.default_rng(5).standard_normal((300, 6)) * 9 + 4).astype(np.float32)
    rows = standardised(vectors)
    assert rows.mean(axis=0) == pytest.approx(np.zeros(6), abs=1e-6)
    assert rows.std(axis=0) == pytest.approx(np.ones(6), abs=1e-6)
    expected = nearest(vectors, None, 3).positions
    assert np.array_equal(nearest(rows, None, 3, standardise=False).positions, expected)


@pytest.mark.parametrize(
    ("vectors", "options"),
    [
        (np.ones((3, 2), np.float32), {"k": 0}),
        (np.ones((3, 2), np.float32), {"metric": "manhattan"}),
        (np.ones((3, 2)), {}),
        (np.ones(3, np.float32), {}),
        (np.ones((3, 2), np.float32), {"groups": np.zeros(2, np.int64)}),
    ],
)
def test_what_cannot_be_searched_is_refused(vectors: Any, options: Any) -> None:
    """No neighbours asked for, an unknown metric, other numbers, other shapes."""
    with pytest.raises(ConfigError) as told:
        nearest(vectors, **options)
    assert told.value.code == "NEIGHBOURS"


def test_memory_stays_bounded() -> None:
    """A table of all pairs of 20,000 hosts would take 1.6 GB; the search takes far less."""
    vectors = np.random.default_rng(6).standard_normal((20_000, 8)).astype(np.float32)
    space = prepare(vectors)
    tracemalloc.start()
    nearest_in(space, np.arange(2_000), 10)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 160 << 20


def test_a_page_that_searches_waits_for_no_torch() -> None:
    """The module imports neither torch nor scikit-learn."""
    names = "'torch' in sys.modules, 'sklearn' in sys.modules"
    code = f"import sys, darkgnn_core.neighbours; print({names})"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert told.stdout.split() == ["False", "False"]
