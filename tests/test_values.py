"""Addresses, times, numbers and flags are parsed as the standard library would, or called bad."""

import ipaddress
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkgnn_core.errors import TraceError
from darkgnn_core.traces.addresses import BAD, IPV6, NULL, OK, addresses
from darkgnn_core.traces.times import DECIMALS, epoch_times, text_times, unit_of
from darkgnn_core.traces.values import flags_of, id_of, mark_of, protocol_of, whole_numbers

NS = 10**9


def one_address(text, *, coded=False):
    """Parse one address between two good ones."""
    texts = pa.array(["192.0.2.1", text, "203.0.113.255"])
    values, kind = addresses(texts.dictionary_encode() if coded else texts)
    assert values[0] == 0xC0000201
    assert values[2] == 0xCB0071FF
    return int(values[1]), int(kind[1])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.ip_addresses(v=4).map(str) | st.text("0123456789. :a", max_size=16)))
def test_addresses_like_the_standard_library(texts):
    """A text is an address exactly where `ipaddress` says so, with the same value."""
    values, kind = addresses(pa.array(texts, pa.string()))
    for text, value, found in zip(texts, values.tolist(), kind.tolist(), strict=True):
        try:
            expected = int(ipaddress.IPv4Address(text.strip(" ")))
        except ValueError:
            assert found != OK
        else:
            assert (value, found) == (expected, OK)


@pytest.mark.parametrize("coded", [False, True])
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("01.02.03.004", BAD), ("1.2.3", BAD), ("1.2.3.4.5", BAD), ("1..2.3", BAD), ("", BAD),
        (".1.2.3", BAD), ("1.2.3.", BAD), ("256.1.1.1", BAD), ("1.2.3.4:80", BAD),
        ("1.2.3.0/24", BAD), ("0x1.2.3.4", BAD), ("16909060", BAD), ("host.example.org", BAD),
        ("\uff11.2.3.4", BAD), ("fe80::1%eth0", BAD), ("2001:db8::1", IPV6), ("::", IPV6),
        (None, NULL), (" 192.0.2.9\t", OK), ("::ffff:192.0.2.9", OK), ("::FFFF:192.0.2.9", OK),
    ],
)  # fmt: skip
def test_kinds_of_addresses(text, kind, coded):
    """Odd ways to write an address are bad, IPv6 is told apart, mapped IPv4 is IPv4."""
    value, found = one_address(text, coded=coded)
    assert found == kind
    assert value == (0xC0000209 if kind == OK else 0)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(list(DECIMALS)),
    st.lists(st.tuples(st.integers(9 * 10**17, 17 * 10**17), st.integers(0, 9))),
)
def test_epoch_times_are_exact(unit, drawn):
    """Any number of decimals in any unit gives the nanoseconds that decimal arithmetic gives."""
    texts = []
    for ns, places in drawn:
        value = Decimal(ns).scaleb(-DECIMALS[unit])
        texts.append(f"{value:.{places}f}" if places else str(int(value)))
    times = epoch_times(pa.array(texts, pa.string()), unit)
    assert times.good.all()
    assert times.ns.tolist() == [int(Decimal(text).scaleb(DECIMALS[unit])) for text in texts]


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1700000000.123456789", 1_700_000_000_123_456_789),
        ("1700000000.1234567899999", 1_700_000_000_123_456_789),
        ("1700000000.", 1_700_000_000 * NS), (" 1700000000 ", 1_700_000_000 * NS),
        ("1.7e9", 1_700_000_000 * NS), ("1.700000000123456789E+09", 1_700_000_000_123_456_789),
        ("0001700000000", 1_700_000_000 * NS), ("+1700000000", None),
        ("-1700000000", None), ("nan", None),
        ("inf", None), ("1e99", None), ("0x6553f100", None), ("1_700_000_000", None),
        ("788918399", None), ("788918400", 788_918_400 * NS), ("99999999999999999999999", None),
        ("", None), (".5", None), ("17.0.0", None), (None, None), ("9999999999", None),
        ("\u0661\u0667\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660", None),
    ],
)  # fmt: skip
def test_odd_epoch_times(text, ns):
    """Numbers that are no time from 1995 to tomorrow are bad; powers of ten are exact."""
    times = epoch_times(pa.array(["1700000001", text, "1700000002.5"]), "s")
    assert times.ns[[0, 2]].tolist() == [1_700_000_001 * NS, 1_700_000_002_500_000_000]
    assert times.good.tolist() == [True, ns is not None, True]
    assert times.ns[1] == (ns or 0)


def test_the_future_is_bad():
    """A time of today is good, one of the day after tomorrow is not."""
    now = int(datetime.now(UTC).timestamp())
    times = epoch_times(pa.array([str(now), str(now + 2 * 86_400)]), "s")
    assert times.good.tolist() == [True, False]


@settings(max_examples=100, deadline=None)
@given(
    st.datetimes(datetime(1995, 1, 2), datetime(2026, 1, 1)),
    st.sampled_from(["Z", "+00:00", "+0130", "-05", "-11:30", " UTC"]),
    st.sampled_from("T "),
)
def test_iso_times_like_the_standard_library(moment, zone, between):
    """ISO times with a zone give the instant that `datetime` gives."""
    text = moment.isoformat(between)
    hours = {"+0130": 1.5, "-05": -5, "-11:30": -11.5}.get(zone, 0)
    aware = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    expected = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    times = text_times(pa.array([text + zone]), None, where="t")
    assert times.good.all()
    assert times.ns.tolist() == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "2023-02-29 00:00:00", "2023-13-01 00:00:00", "2023-00-01 00:00:00", "2023-01-32 00:00:00",
        "2023-01-01 24:00:01", "2023-01-01 23:60:00", "2023-01-01 23:59:60", "2023-01-01",
        "2023-01-01 00:00", "2023-01-01 00:00:00 CET", "2023-01-01 00:00:00+1", "x" * 19, "", None,
        "1994-12-31 23:59:59", "2999-01-01 00:00:00", "2023/01/01 00:00:00",
    ],
)  # fmt: skip
def test_bad_iso_times(text):
    """Dates and clocks that are not, and times out of range, are bad; their neighbour is good."""
    times = text_times(pa.array([text, "2023-01-01 00:00:00"]), "UTC", where="t")
    assert times.good.tolist() == [False, True]
    assert times.ns.tolist() == [0, 1_672_531_200 * NS]


def test_odd_iso_times():
    """24:00:00 ends its day; a comma may stand before the fraction; leap days are days."""
    texts = ["2024-02-29 24:00:00", "2024-02-29 12:00:00,25", "2024-02-29T12:00:00.1234567899"]
    times = text_times(pa.array(texts), "UTC", where="t")
    noon = 1_709_208_000 * NS
    assert times.ns.tolist() == [noon + 43_200 * NS, noon + NS // 4, noon + 123_456_789]


def test_clock_changes():
    """The hour that comes twice is the earlier one; the hour that never was keeps the offset."""
    texts = ["2023-10-29 02:30:00", "2023-03-26 02:30:00", "2023-07-01 12:00:00"]
    times = text_times(pa.array(texts), "Europe/Rome", where="t")
    expected = ["2023-10-29T00:30:00", "2023-03-26T01:30:00", "2023-07-01T10:00:00"]
    assert [str(np.datetime64(t, "ns"))[:19] for t in times.ns.tolist()] == expected
    assert times.notes == {"dst_fold": 1, "dst_gap": 1}


def test_mixed_zones():
    """Times with different zones are instants all the same; with and without one are refused."""
    texts = pa.array(["2023-10-29T02:30:00+02:00", "2023-10-29T02:30:00+01:00"])
    times = text_times(texts, None, where="t")
    assert times.ns[1] - times.ns[0] == 3600 * NS
    with pytest.raises(TraceError) as caught:
        text_times(pa.array(["2023-10-29T02:30:00+02:00", "2023-10-29T02:30:00"]), "UTC", where="t")
    assert caught.value.code == "TIMES-MIXED"


def test_unit_by_magnitude():
    """The unit is told where a number can be a packet's time in one unit only."""
    assert unit_of(["1700000000", "1700000000.5"]) == "s"
    assert unit_of(["1700000000123"]) == "ms"
    assert unit_of(["1700000000123456"]) == "us"
    assert unit_of(["1700000000123456789"]) == "ns"
    assert unit_of(["2023-01-01T00:00:00Z"]) == "text"
    assert unit_of(["12.5", "x", ""]) is None


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(-10, 10**20).map(str) | st.sampled_from(["", "x", "1.5", "0x1F", None]))
)
def test_whole_numbers(texts):
    """A number is kept exactly where it fits its type."""
    values, bad = whole_numbers(pa.array(texts, pa.string()), pa.uint16())
    for text, value, is_bad in zip(texts, values.to_pylist(), bad.tolist(), strict=True):
        if text is None:
            assert (value, is_bad) == (None, False)
        elif text == "0x1F":
            assert (value, is_bad) == (31, False)
        elif text.isdecimal() and int(text) <= 65_535:
            assert (value, is_bad) == (int(text), False)
        else:
            assert (value, is_bad) == (None, True)


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("2", 2), ("18", 18), ("0x12", 18), ("0x0112", 18), ("S", 2), ("SA", 18), ("S.", 18),
        ("[S.]", 18), ("SYN ACK", 18), ("SYN,ACK", 18), ("SYN-ACK", 18), ("synack", 18), ("R", 4),
        ("\u00b7\u00b7\u00b7\u00b7A\u00b7\u00b7S\u00b7", 18), ("F", 1), ("FPU", 41), ("SEW", 194),
        ("258", 2), ("4096", None), ("hello", None), ("-1", None), ("0x", None), ("2.5", None),
    ],
)  # fmt: skip
def test_flags(text, bits):
    """Flags are read as numbers, letters and names; anything else is bad."""
    assert flags_of(text) == bits


def test_small_parsers():
    """Protocols, identifiers and marks have one reading or none."""
    assert [protocol_of(t) for t in ("tcp", "17", "ICMP", "300", "x")] == [6, 17, 1, None, None]
    assert [id_of(t) for t in ("54321", "0xd431", "5.0", "65536", "x")] == [
        54321, 54321, 5, None, None
    ]  # fmt: skip
    assert [mark_of(t) for t in ("1", "false", "2")] == [1, 0, None]
