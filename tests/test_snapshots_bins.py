"""Bins: names, borders, and that each moment belongs to exactly one."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkgnn_core.errors import ConfigError
from darkgnn_core.snapshots.bins import HOUR_NS, Bin, bins_of
from darkgnn_core.snapshots.bogons import is_bogon
from darkgnn_core.traces.packets import DAY_NS

HOURS = st.sampled_from([1, 2, 3, 4, 6, 8, 12, 24, 48, 168])


def test_known_names():
    """A day, a quarter of a day and a week have the names people expect."""
    day = Bin.parse("2021-12-12")
    assert day.start_ns == 1_639_267_200 * 10**9
    assert day.end_ns - day.start_ns == DAY_NS
    assert Bin(day.start_ns + 6 * HOUR_NS, 6).key == "2021-12-12T06"
    assert Bin(day.start_ns, 168).key == "2021-12-12"
    assert Bin(day.start_ns + 23 * HOUR_NS, 1).days == (date(2021, 12, 12),)
    assert day.days == (date(2021, 12, 12),)
    assert len(Bin(day.start_ns, 168).days) == 7


@given(st.dates(date(1995, 1, 1), date(2100, 1, 1)), HOURS)
def test_bins_of_a_day_cover_it_once(day, hours):
    """Bins follow one another without gap or overlap, cover the day, and keep their names."""
    bins = list(bins_of(day, hours))
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 10**9
    assert bins[0].start_ns <= start
    assert bins[-1].end_ns >= start + DAY_NS
    for earlier, later in pairwise(bins):
        assert earlier.end_ns == later.start_ns
    if hours <= 24:
        assert (bins[0].start_ns, bins[-1].end_ns) == (start, start + DAY_NS)
    for time_bin in bins:
        assert Bin.parse(time_bin.key, hours) == time_bin
        assert day in time_bin.days


def test_days_of_a_long_bin_share_it():
    """Each day of a week-long bin leads to the same bin."""
    week = next(bins_of(date(2021, 12, 12), 168))
    assert {next(bins_of(day, 168)) for day in week.days} == {week}
    assert next(bins_of(week.days[-1] + timedelta(days=1), 168)).start_ns == week.end_ns


@pytest.mark.parametrize(
    ("key", "hours"),
    [
        ("2021-12-32", 24),
        ("2021-12-12T06", 24),
        ("2021-12-12", 6),
        ("2021-12-12T24", 6),
        ("../2021-12-12", 24),
        ("2021-12-12\n", 24),
        ("20211212", 24),
        ("", 24),
        ("2021-12-12T6", 6),
    ],
)
def test_other_names_are_refused(key, hours):
    """What is no name of a bin of that width is an error that shows the right form."""
    with pytest.raises(ConfigError, match="is called like") as caught:
        Bin.parse(key, hours)
    assert caught.value.code == "BIN"


@pytest.mark.parametrize(("start", "hours"), [(1, 24), (0, 0), (0, -24)])
def test_bins_start_on_hours(start, hours):
    """A bin that starts within an hour, or has no width, is refused."""
    with pytest.raises(ConfigError, match="a bin starts on a full hour"):
        Bin(start, hours)


def test_bogons_at_their_borders():
    """First and last address of a prefix are in, the neighbours are out."""
    inside = ["10.0.0.0", "10.255.255.255", "224.0.0.0", "255.255.255.255", "0.0.0.0"]  # noqa: S104
    outside = ["9.255.255.255", "11.0.0.0", "223.255.255.255", "1.0.0.0", "172.32.0.0"]
    for text, answer in [(t, True) for t in inside] + [(t, False) for t in outside]:
        octets = bytes(int(part) for part in text.split("."))
        assert is_bogon(int.from_bytes(octets, "big")) is answer, text
