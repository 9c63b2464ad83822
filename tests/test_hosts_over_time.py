"""Neighbours over time: who joined, who left, and why, against hand-made days."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkgnn_core.hosts.over_time import (
    DayMove,
    DayNear,
    agreement,
    companions,
    joined_and_left,
    moves_of,
    overlap,
    turnover,
)


def addresses(*hosts: int) -> np.ndarray:
    """Return addresses as the core has them."""
    return np.array(hosts, np.uint32)


DAYS = [
    DayNear("day1", addresses(1, 2, 3), addresses(1, 2, 3, 9)),
    DayNear("day2", None, addresses(1, 2)),
    DayNear("day3", addresses(3, 4, 9), addresses(1, 3, 4, 9)),
    DayNear("day4", addresses(3, 4, 9), addresses(3, 4, 9)),
]
"""Host 2 goes, host 1 stays but moves away, host 4 is new, host 9 comes near."""


def test_turnover_by_hand() -> None:
    """Each day against the last one that had the host; new and gone are told apart."""
    rows = turnover(DAYS).to_dict("records")
    assert [row["before"] for row in rows] == ["", "", "day1", "day3"]
    assert math.isnan(rows[0]["overlap"])
    assert not rows[1]["is_embedded"]
    third = rows[2]
    assert (third["stayed"], third["joined"], third["new"]) == (1, 2, 1)
    assert (third["left"], third["gone"]) == (2, 1)
    assert third["overlap"] == pytest.approx(1 / 5)
    assert (rows[3]["overlap"], rows[3]["joined"], rows[3]["left"]) == (1.0, 0, 0)


def test_who_joined_and_left_and_why() -> None:
    """By address, each with its reason; none on the first day or on one without the host."""
    joined, left = joined_and_left(DAYS, "day3")
    assert joined.to_dict("records") == [
        {"host": 4, "why": "new address"},
        {"host": 9, "why": "moved near"},
    ]
    assert left.to_dict("records") == [
        {"host": 1, "why": "moved away"},
        {"host": 2, "why": "not there any more"},
    ]
    for key in ("day1", "day2", "day9"):
        assert all(table.empty for table in joined_and_left(DAYS, key))


def test_companions_by_faith() -> None:
    """Most days first, then the best place, then the address; each with its place by day."""
    found = companions(DAYS, 3)
    assert found.drop_duplicates("host")["host"].tolist() == [3, 4, 9]
    assert found[found["host"] == 3][["bin", "rank"]].values.tolist() == [
        ["day1", 3], ["day3", 1], ["day4", 1],
    ]  # fmt: skip
    assert companions([DAYS[1]]).empty


def test_other_runs_on_shared_days_only() -> None:
    """Days that one of both runs lacks are left out."""
    other = [
        DayNear("day1", addresses(1, 2, 7), addresses(1)),
        DayNear("day3", None, addresses(1)),
        DayNear("day5", addresses(1), addresses(1)),
    ]
    found = agreement(DAYS, {"other": other})
    assert found.values.tolist() == [["day1", "other", 0.5]]


HOSTS = st.sets(st.integers(0, 9)).map(lambda each: addresses(*sorted(each)))


@given(HOSTS, HOSTS)
def test_overlap_is_that_of_sets(first: np.ndarray, second: np.ndarray) -> None:
    """The Jaccard index of Python's own sets, the same both ways."""
    ours, theirs = set(first.tolist()), set(second.tolist())
    if ours | theirs:
        assert overlap(first, second) == len(ours & theirs) / len(ours | theirs)
        assert overlap(first, second) == overlap(second, first)
    else:
        assert math.isnan(overlap(first, second))


def test_moves_against_those_of_others() -> None:
    """Only pairs of days that have the host and could be turned onto each other."""
    moves = [
        DayMove("day2", "day1", addresses(1, 2, 3, 4), np.array([0.1, 0.2, 0.3, 0.3])),
        DayMove("day3", "day2", addresses(), None),
        DayMove("day4", "day3", addresses(1, 2), np.array([0.5, 0.7])),
    ]
    [row] = moves_of(moves, 3).to_dict("records")
    assert (row["bin"], row["before"], row["distance"]) == ("day2", "day1", 0.3)
    assert row["median"] == pytest.approx(0.25)
    assert row["share_less"] == pytest.approx(3 / 4)
    assert len(moves_of(moves, 1)) == 2
    assert moves_of(moves, 99).empty
