"""Where a host's features stand among others: hand-made answers and brute force."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkgnn_core.hosts.features import effect, feature_gaps, feature_standing, percentile

NAMES = ("first", "second")


def test_percentile_counts_equal_ones_half() -> None:
    """Below everyone 0, above everyone 1, level with all one half."""
    others = np.array([1.0, 2.0, 2.0, 3.0])
    assert percentile(0.0, others) == 0.0
    assert percentile(4.0, others) == 1.0
    assert percentile(2.0, others) == 0.5
    assert percentile(2.0, np.array([2.0, 2.0])) == 0.5
    assert math.isnan(percentile(1.0, np.array([])))
    assert math.isnan(percentile(float("nan"), others))


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=30), st.integers(-6, 6))
def test_percentile_is_that_of_a_loop(others: list[int], value: int) -> None:
    """As counted one by one."""
    expected = sum((other < value) + (other == value) / 2 for other in others) / len(others)
    assert percentile(value, np.array(others, float)) == pytest.approx(expected)


def test_effect_is_in_standard_deviations() -> None:
    """Of the others with ddof 1; equal others give 0 or infinity, one alone tells nothing."""
    assert effect(4.0, np.array([1.0, 2.0, 3.0])) == 2.0
    assert effect(0.0, np.array([1.0, 2.0, 3.0])) == -2.0
    assert effect(5.0, np.array([5.0, 5.0])) == 0.0
    assert effect(6.0, np.array([5.0, 5.0])) == math.inf
    assert effect(4.0, np.array([5.0, 5.0])) == -math.inf
    assert math.isnan(effect(4.0, np.array([5.0])))


def test_standing_leaves_the_host_itself_out() -> None:
    """All and class are the other hosts; a class of the host alone tells nothing."""
    features = np.array([[10.0, 1.0], [1.0, 1.0], [2.0, 3.0], [3.0, 5.0]])
    is_class = np.array([True, False, True, True])
    found = feature_standing(NAMES, features, 0, is_class)
    assert list(found["feature"]) == list(NAMES)
    assert found["value"].tolist() == [10.0, 1.0]
    assert found["median_all"].tolist() == [2.0, 3.0]
    assert found["percentile_all"].tolist() == [1.0, pytest.approx(1 / 6)]
    assert found["effect_all"].tolist() == [8.0, -1.0]
    assert found["median_class"].tolist() == [2.5, 4.0]
    assert found["percentile_class"].tolist() == [1.0, 0.0]
    alone = feature_standing(NAMES, features, 0, np.array([True, False, False, False]))
    assert alone[["median_class", "percentile_class", "effect_class"]].isna().all(axis=None)


def test_gaps_are_ordered_by_place_not_by_size() -> None:
    """A small difference of values that crosses all others is the larger gap."""
    features = np.array([[1.0, 0.0], [1.3, 900.0], [1.1, 1000.0], [1.2, -1000.0]])
    found = feature_gaps(NAMES, features, 0, 1)
    assert list(found["feature"]) == ["first", "second"]
    assert found["gap"].tolist() == [0.75, 0.25]
    assert found.loc[0, ["host", "neighbour"]].tolist() == [1.0, 1.3]
    assert len(feature_gaps(NAMES, features, 0, 1, limit=1)) == 1
    assert feature_gaps(NAMES, features, 2, 2)["gap"].tolist() == [0.0, 0.0]
