"""Firewall logs: every kernel line is a packet, with the year, zone and flags it was sent with."""

import gzip
from datetime import UTC, datetime

import pytest
from reading_helpers import read_bytes, read_text

from darkgnn_core.errors import TraceError
from darkgnn_core.traces.formats import detect
from darkgnn_core.traces.iptables import IPTABLES, tcp_options
from darkgnn_core.traces.opening import ByteSource, open_regular
from darkgnn_core.traces.reading import ReadOptions, Tally

TCP_LINE = (
    "{time} box kernel: [12.5] [UFW BLOCK] IN=eth0 OUT= MAC=00:11:22 SRC=192.0.2.7 "
    "DST=198.51.100.9 LEN=44 TOS=0x00 PREC=0x00 TTL=241 ID=54321 DF PROTO=TCP SPT=40000 DPT=23 "
    "{seq}WINDOW=65535 RES=0x00 {flags} URGP=0 {opt}"
)


def line(time="Mar  5 01:02:03", flags="SYN", seq="", opt=""):
    """Return one TCP line."""
    return TCP_LINE.format(time=time, flags=flags, seq=seq, opt=opt) + "\n"


def ns(text):
    """Return UTC nanoseconds of an ISO time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


def test_all_fields():
    """Every field of a TCP line is taken."""
    rows, tally = read_text(
        line(seq="SEQ=7 ACK=0 ", opt="OPT (020405B40402080A0000000900000000)"), year=2024
    )
    assert rows == [
        {
            "ts_ns": ns("2024-03-05T01:02:03"), "src_ip": "192.0.2.7", "dst_ip": "198.51.100.9",
            "src_port": 40000, "dst_port": 23, "proto": 6, "length": 44, "tcp_flags": 2,
            "ttl": 241, "ip_id": 54321, "seq": 7, "window": 65535, "mss": 1460, "ts_option": 9,
            "mirai": False,
        }
    ]  # fmt: skip
    assert tally.notes == {"timezone_assumed_utc": 1}


@pytest.mark.parametrize(
    ("flags", "bits"),
    [("SYN", 2), ("ACK SYN", 18), ("ACK RST", 20), ("RST", 4), ("ACK PSH FIN", 25), ("", 0),
     ("CWR ECE SYN", 194)],
)  # fmt: skip
def test_flags(flags, bits):
    """The words after RES are the flags."""
    rows, _ = read_text(line(flags=flags), year=2024)
    assert rows[0]["tcp_flags"] == bits


@pytest.mark.parametrize(
    ("prefix", "options", "expected"),
    [
        ("Mar  5 01:02:03", {"year": 2023}, "2023-03-05T01:02:03"),
        ("Mar 05 01:02:03", {"year": 2023}, "2023-03-05T01:02:03"),
        ("<4>Mar  5 01:02:03", {"year": 2023}, "2023-03-05T01:02:03"),
        ("2022 Mar  5 01:02:03", {}, "2022-03-05T01:02:03"),
        ("Mar  5 2022 01:02:03", {}, "2022-03-05T01:02:03"),
        ("Mar  5 01:02:03", {"year": 2023, "timezone": "Asia/Tokyo"}, "2023-03-04T16:02:03"),
        ("2024-03-05T01:02:03+01:00", {}, "2024-03-05T00:02:03"),
        ("2024-03-05T01:02:03.000000Z", {}, "2024-03-05T01:02:03"),
        ("2024-03-05 01:02:03", {"timezone": "Asia/Tokyo"}, "2024-03-04T16:02:03"),
    ],
)
def test_prefixes(prefix, options, expected):
    """Syslog times with and without a year, and ISO times, are read in their zone."""
    rows, tally = read_text(line(prefix), **options)
    assert rows[0]["ts_ns"] == ns(expected)
    assert "year_assumed" not in tally.notes


def test_year_is_the_latest_that_fits():
    """Without a year the last line lies in the past, less than a year ago."""
    rows, tally = read_text(line("Nov 30 10:00:00") + line("Jan  2 10:00:00"))
    last = datetime.fromtimestamp(rows[-1]["ts_ns"] / 1e9, UTC)
    assert (last.month, last.day) == (1, 2)
    assert 0 <= (datetime.now(UTC) - last).days <= 366
    first = datetime.fromtimestamp(rows[0]["ts_ns"] / 1e9, UTC)
    assert first.year == last.year - 1 == tally.facts["year_assumed"]
    assert tally.notes["year_assumed"] == 2


def test_leap_day_chooses_a_leap_year():
    """A log with 29 February is of a leap year."""
    rows, tally = read_text(line("Feb 29 10:00:00") + line("Mar  1 10:00:00"))
    assert len(rows) == 2
    assert tally.facts["year_assumed"] % 4 == 0
    _, tally = read_text(line("Feb 29 10:00:00"), year=2023)
    assert tally.skipped == {"bad_time": 1}


def test_new_year_and_late_lines():
    """After December comes January of the next year; a late line still is of the old one."""
    times = ["Dec 31 23:59:59", "Jan  1 00:00:01", "Dec 31 23:59:58", "Jan  1 00:00:02"]
    rows, _ = read_text("".join(map(line, times)), year=2020)
    years = [datetime.fromtimestamp(row["ts_ns"] / 1e9, UTC).year for row in rows]
    assert years == [2020, 2021, 2020, 2021]


def test_year_of_a_gzip_log():
    """A packed log is read twice for its year, with the same packets as the plain one."""
    text = "".join(line(f"Dec {day:2d} 10:00:00") for day in range(1, 32)) + line()
    assert read_bytes(gzip.compress(text.encode()))[0] == read_text(text)[0]


def test_other_protocols():
    """UDP has ports and one length; ICMP neither ports nor what it quotes; IPv6 is counted."""
    udp = "Mar  5 01:02:03 b kernel: SRC=192.0.2.7 DST=198.51.100.9 LEN=60 TTL=4 ID=1 PROTO=UDP "
    text = (
        udp + "SPT=53 DPT=5060 LEN=40\n"
        "Mar  5 01:02:03 b kernel: SRC=192.0.2.7 DST=198.51.100.9 LEN=60 TTL=4 ID=1 PROTO=ICMP "
        "TYPE=8 CODE=0 ID=9 SEQ=77\n"
        "Mar  5 01:02:03 b kernel: SRC=192.0.2.7 DST=198.51.100.9 LEN=60 TTL=4 ID=1 PROTO=ICMP "
        "TYPE=3 CODE=1 [SRC=203.0.113.1 DST=192.0.2.7 LEN=40 TTL=9 PROTO=TCP SPT=9 DPT=8 ]\n"
        "Mar  5 01:02:03 b kernel: SRC=2001:0db8::1 DST=2001:0db8::2 LEN=60 HOPLIMIT=4 "
        "PROTO=ICMPv6 TYPE=8\n"
        "Mar  5 01:02:03 b sshd[7]: Failed password for root\n"
    )
    rows, tally = read_text(text, year=2024)
    assert [(row["proto"], row["length"], row["dst_port"]) for row in rows] == [
        (17, 60, 5060), (1, 60, None), (1, 60, None)
    ]  # fmt: skip
    assert [row["seq"] for row in rows] == [None] * 3
    assert [row["tcp_flags"] for row in rows] == [None] * 3
    assert tally.skipped == {"ipv6": 1, "not_a_firewall_line": 1}


def test_bad_lines_are_counted():
    """Lines without a time, cut lines and bad fields cost themselves only."""
    text = (
        line()
        + line("[12.5]")
        + line("Foo  5 01:02:03")
        + line().replace("TTL=241", "TTL=999")
        + line().replace("SRC=192.0.2.7", "SRC=192.0.2")
        + line()[:60] + "\n"
    )  # fmt: skip
    rows, tally = read_text(text, year=2024)
    assert len(rows) == 1
    assert tally.skipped == {
        "bad_time": 2, "bad_value": 1, "bad_address": 1, "not_a_firewall_line": 1
    }  # fmt: skip


def test_options_are_bounded():
    """Damaged TCP options end the search, and never fail."""
    assert tcp_options("0101080A00000007") == (0, 0)
    assert tcp_options("0200") == (0, 0)
    assert tcp_options("02") == (0, 0)
    assert tcp_options("0103030702040218") == (536, 0)


def test_no_firewall_lines():
    """A log without any line of a firewall is not taken for one."""
    with pytest.raises(TraceError):
        read_text("Mar  5 01:02:03 box sshd[7]: Failed password for root\n" * 20)
    rows, tally = read_bytes(b"Mar  5 01:02:03 box sshd: x\n" * 3, IPTABLES)
    assert rows == []
    assert tally.skipped == {"not_a_firewall_line": 3}


def test_real_backscatter(shared_data):
    """1,182 lines, all kept; 1,180 of them are SYN-ACK."""
    tally = Tally()
    flags = []
    with open_regular(shared_data / "firewall-log" / "backscatter.log") as raw:
        source = ByteSource(raw, "backscatter.log")
        assert detect(source) is IPTABLES
        for batch in IPTABLES.read(source, ReadOptions(), tally):
            flags += batch["tcp_flags"].to_pylist()
    assert (tally.read, tally.kept, flags.count(18)) == (1_182, 1_182, 1_180)
