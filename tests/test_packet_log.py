"""The per-packet log of the paper is read whole, in any order, and bad rows are counted."""

import gzip
import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading_helpers import packed, read_bytes, read_text

from darkgnn_core.errors import TraceError
from darkgnn_core.traces.packet_log import LOG_COLUMNS, PACKET_LOG

HEADER = " ".join(LOG_COLUMNS)
ROW = {
    "ts": "1700000000.123456789",
    "ethtype": "2048",
    "src_ip": "192.0.2.7",
    "src_port": "54321",
    "dst_ip": "198.51.100.9",
    "dst_port": "23",
    "pck_len": "40",
    "tcp_flags": "2",
    "mirai": "0",
    "tcp_seq": str((198 << 24) + (51 << 16) + (100 << 8) + 9),
    "ttl": "48",
    "t_mss": "1460",
    "t_win": "5840",
    "t_ts": "-",
    "t_sack": "-",
    "t_sackp": "-",
    "proto": "6",
}


def log(*changes, columns=tuple(LOG_COLUMNS), separator=" "):
    """Return a log of one row for each change of `ROW`."""
    lines = [separator.join(columns)]
    lines += [separator.join((ROW | change)[name] for name in columns) for change in changes]
    return "\n".join(lines) + "\n"


def test_all_columns():
    """A row of the log becomes the packet it describes, to the nanosecond."""
    rows, tally = read_text(log({}))
    assert rows == [
        {
            "ts_ns": 1_700_000_000_123_456_789,
            "src_ip": "192.0.2.7",
            "dst_ip": "198.51.100.9",
            "src_port": 54321,
            "dst_port": 23,
            "proto": 6,
            "length": 40,
            "tcp_flags": 2,
            "ttl": 48,
            "ip_id": None,
            "seq": 3325256713,
            "window": 5840,
            "mss": 1460,
            "ts_option": 0,
            "mirai": True,
        }
    ]
    assert tally.read == tally.kept == 1


@pytest.mark.parametrize("separator", [" ", "   ", "\t", " \t "])
def test_any_order_any_gap(separator):
    """The header gives the order; runs of spaces and tabs are one separator."""
    columns = list(LOG_COLUMNS)
    random.Random(4).shuffle(columns)
    text = log({}, {"src_ip": "203.0.113.1"}, columns=columns, separator=separator)
    rows, _ = read_text("\n\n" + text.replace("\n", " \n  "))
    assert [row["src_ip"] for row in rows] == ["192.0.2.7", "203.0.113.1"]
    assert rows[0]["ts_ns"] == 1_700_000_000_123_456_789


@pytest.mark.parametrize(
    "change", ["\ufeff{}", "crlf", "cr", "gzip", "two members", "no last line end"]
)
def test_ways_to_write_the_same(change):
    """Byte order mark, CRLF, CR-only, gzip members and a missing last line end change nothing."""
    text = log({}, {"dst_port": "80"})
    content = {
        "\ufeff{}": b"\xef\xbb\xbf" + text.encode(),
        "crlf": text.replace("\n", "\r\n").encode(),
        "cr": text.replace("\n", "\r").encode(),
        "gzip": packed(text),
        "two members": packed(text[:200]) + packed(text[200:]),
        "no last line end": text.rstrip("\n").encode(),
    }[change]
    rows, tally = read_bytes(content)
    assert [row["dst_port"] for row in rows] == [23, 80]
    assert not tally.skipped


def test_few_columns_are_enough():
    """A log with only a time and a source is read; absent columns are null, TCP is assumed."""
    rows, tally = read_text("src_ip ts dst_port\n192.0.2.7 1700000000 23\n")
    assert rows[0]["dst_ip"] is None
    assert rows[0]["ttl"] is None
    assert rows[0]["proto"] == 6
    assert tally.notes["proto_assumed_tcp"] == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"src_ip": "999.1.1.1"}, "bad_address"),
        ({"src_ip": "192.0.2"}, "bad_address"),
        ({"src_ip": "192.0.02.7"}, "bad_address"),
        ({"src_ip": "16909060"}, "bad_address"),
        ({"src_ip": "0x1.2.3.4"}, "bad_address"),
        ({"src_ip": "192.0.2.0/24"}, "bad_address"),
        ({"src_ip": "192.0.2.7:80"}, "bad_address"),
        ({"src_ip": "example"}, "bad_address"),
        ({"src_ip": "\u0661.2.3.4"}, "bad_address"),
        ({"src_ip": "-"}, "bad_address"),
        ({"dst_ip": "1.2.3.4.5"}, "bad_address"),
        ({"src_ip": "fe80::1%eth0"}, "bad_address"),
        ({"src_ip": "2001:db8::1", "dst_ip": "2001:db8::2"}, "ipv6"),
        ({"ethtype": "0x86dd"}, "ipv6"),
        ({"ethtype": "2054"}, "not_ip"),
        ({"ts": "nan"}, "bad_time"),
        ({"ts": "-1700000000"}, "bad_time"),
        ({"ts": "inf"}, "bad_time"),
        ({"ts": "0"}, "bad_time"),
        ({"ts": "4294967295"}, "bad_time"),
        ({"ts": "-"}, "bad_time"),
        ({"src_port": "70000"}, "bad_port"),
        ({"dst_port": "-1"}, "bad_port"),
        ({"dst_port": "80.5"}, "bad_port"),
        ({"dst_port": "99999999999999999999999"}, "bad_port"),
        ({"ttl": "256"}, "bad_value"),
        ({"ttl": "nan"}, ""),
        ({"ttl": "inf"}, "bad_value"),
        ({"pck_len": "1e3"}, "bad_value"),
        ({"tcp_flags": "hello"}, "bad_value"),
        ({"tcp_seq": "4294967296"}, "bad_value"),
        ({"proto": "-"}, "bad_value"),
        ({"proto": "256"}, "bad_value"),
        ({"t_sack": "- -"}, "wrong_field_count"),
        ({"proto": ""}, "wrong_field_count"),
        ({"dst_port": "0x50"}, ""),
        ({"dst_port": "0080"}, ""),
        ({"dst_port": "80.0"}, ""),
        ({"src_ip": "::ffff:192.0.2.7"}, ""),
        ({"proto": "TCP"}, ""),
        ({"tcp_flags": "SA"}, ""),
        ({"tcp_flags": "0x12"}, ""),
        ({"dst_ip": "-"}, ""),
        ({"ethtype": "-"}, ""),
    ],
)
def test_bad_rows(change, reason):
    """A bad row is left out under its reason, and the rows beside it are kept as they are."""
    rows, tally = read_text(log({}, change, {"src_ip": "203.0.113.1"}))
    assert dict(tally.skipped) == ({reason: 1} if reason else {})
    assert tally.read == 3
    assert rows[0]["src_ip"] == "192.0.2.7"
    assert rows[-1]["src_ip"] == "203.0.113.1"


def test_protocols_are_kept():
    """UDP and ICMP rows are kept, without TCP's options; ICMP has no ports."""
    rows, _ = read_text(
        log({"proto": "17", "tcp_flags": "-", "t_mss": "-"}, {"proto": "1", "t_mss": "-"})
    )
    assert [row["proto"] for row in rows] == [17, 1]
    assert [row["mss"] for row in rows] == [None, None]
    assert [row["src_port"] for row in rows] == [54321, None]


def test_mirai_is_recomputed():
    """The fingerprint is seq = destination; the log's own mark counts only where one is absent."""
    rows, _ = read_text(log({"mirai": "0"}, {"tcp_seq": "1", "mirai": "1"}))
    assert [row["mirai"] for row in rows] == [True, False]
    rows, _ = read_text("ts src_ip mirai proto\n1700000000 192.0.2.7 1 6\n")
    assert rows[0]["mirai"] is True


def test_times_of_another_unit_are_refused():
    """Seconds and milliseconds in one column are an error, not thousands of bad rows."""
    with pytest.raises(TraceError, match="split the file") as caught:
        read_text(log({}, {"ts": "1700000000123"}))
    assert caught.value.code == "TIMES-MIXED"


def test_one_odd_time_is_no_other_unit():
    """One row in many whose time happens to read as milliseconds is a bad row like others."""
    _, tally = read_text(log(*[{}] * 300, {"ts": "1700000000123"}))
    assert tally.skipped == {"bad_time": 1}


def test_milliseconds_alone():
    """A log in milliseconds throughout is read as such."""
    rows, _ = read_text(log({"ts": "1700000000123"}, {"ts": "1700000000124.5"}))
    assert [row["ts_ns"] for row in rows] == [1_700_000_000_123_000_000, 1_700_000_000_124_500_000]


def test_nothing_after_the_header():
    """A header alone is NO-ROWS."""
    with pytest.raises(TraceError) as caught:
        read_text(HEADER + "\n")
    assert caught.value.code == "NO-ROWS"


def test_cut_gzip_keeps_what_came_before():
    """A cut gzip log gives its whole rows, a note, and the cut row counted."""
    text = log(*[{"src_port": str(1024 + i)} for i in range(5_000)])
    whole = packed(text)
    rows, tally = read_bytes(whole[: len(whole) // 2])
    assert 0 < len(rows) < 5_000
    assert [row["src_port"] for row in rows] == list(range(1024, 1024 + len(rows)))
    assert tally.notes["GZIP-CUT"] == 1
    assert set(tally.skipped) <= {"cut_line"}


def test_bytes_after_the_last_gzip_member():
    """Garbage after the gzip member is noted and all rows are kept."""
    rows, tally = read_bytes(packed(log({}, {})) + b"garbage")
    assert len(rows) == 2
    assert tally.notes["GZIP-TRAILING"] == 1


def test_bad_encoding_is_counted():
    """Latin-1 bytes and NULs make their line a counted one."""
    good = log({}).encode()
    rows, tally = read_bytes(good + b"caf\xe9 1 2\n" + b"1\x002 3\n")
    assert len(rows) == 1
    assert tally.skipped == {"bad_encoding": 2}


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf16_is_refused(codec):
    """UTF-16 text is named as such."""
    with pytest.raises(TraceError, match="at byte 0") as caught:
        read_bytes(log({}).encode(codec))
    assert caught.value.code == "ENCODING"


def test_limits():
    """A line beyond 1 MiB, and a field beyond 64 KiB, are refused at once."""
    for field, size in (("line", 2 << 20), ("field", 100_000)):
        with pytest.raises(TraceError, match=field) as caught:
            read_text(log({}) + "1" * size + "\n")
        assert caught.value.code == "LIMIT"


def test_empty_lines_cost_nothing():
    """Millions of empty lines are passed over."""
    rows, tally = read_bytes(log({}).encode() + b"\n" * 20_000_000 + log({}).encode())
    assert len(rows) == 2
    assert tally.notes == {"repeated_header": 1}


def test_blocks_join_seamlessly():
    """Rows across many blocks, a bad one among them, come out in order, none lost."""
    rows = [{"src_port": str(i % 65_536), "ts": str(1_700_000_000 + i)} for i in range(60_000)]
    rows[41_234]["ttl"] = "999"
    packets, tally = read_bytes(gzip.compress(log(*rows).encode(), 1))
    assert tally.read == 60_000
    assert tally.skipped == {"bad_value": 1}
    expected = [int(row["src_port"]) for i, row in enumerate(rows) if i != 41_234]
    assert [row["src_port"] for row in packets] == expected


CELL = {
    "ts": st.decimals(1_000_000_000, 1_700_000_000, places=9).map(str),
    "src_ip": st.ip_addresses(v=4).map(str),
    "dst_ip": st.ip_addresses(v=4).map(str) | st.just("-"),
    "src_port": st.integers(0, 65_535).map(str) | st.just("-"),
    "ttl": st.integers(0, 255).map(str),
    "tcp_seq": st.integers(0, 2**32 - 1).map(str),
    "proto": st.sampled_from(["6", "17"]),
}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.fixed_dictionaries(CELL), min_size=1, max_size=20))
def test_round_trip(cells):
    """What is written is what is read."""
    text = (
        "\n".join([" ".join(CELL), *(" ".join(row[name] for name in CELL) for row in cells)]) + "\n"
    )
    rows, tally = read_bytes(text.encode(), PACKET_LOG)
    assert tally.kept == len(cells)
    for row, cell in zip(rows, cells, strict=True):
        assert row["ts_ns"] == int(Decimal(cell["ts"]) * 10**9)
        assert row["src_ip"] == cell["src_ip"]
        assert row["dst_ip"] == (None if cell["dst_ip"] == "-" else cell["dst_ip"])
        assert row["src_port"] == (None if cell["src_port"] == "-" else int(cell["src_port"]))
        assert (row["ttl"], row["seq"]) == (int(cell["ttl"]), int(cell["tcp_seq"]))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_random_damage_is_counted(data):
    """Random byte errors never raise anything but a TraceError, and the tally always adds up."""
    content = bytearray(log(*[{"ttl": str(i)} for i in range(40)]).encode())
    for _ in range(data.draw(st.integers(1, 30))):
        at = data.draw(st.integers(len(HEADER) + 1, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    try:
        rows, tally = read_bytes(bytes(content), PACKET_LOG)
    except TraceError:
        return
    assert tally.kept == len(rows)
