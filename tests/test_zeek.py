"""Zeek connections become the packets of their sender, from TSV and JSON alike."""

import json

import pytest
from reading_helpers import packed, read_bytes, read_text

from darkgnn_core.errors import TraceError

ROW = {
    "ts": "1700000000.123456", "uid": "C1", "id.orig_h": "192.0.2.7", "id.orig_p": "40000",
    "id.resp_h": "198.51.100.9", "id.resp_p": "23", "proto": "tcp", "service": "-",
    "duration": "-", "orig_bytes": "-", "resp_bytes": "-", "conn_state": "S0", "local_orig": "F",
    "local_resp": "T", "missed_bytes": "0", "history": "S", "orig_pkts": "1",
    "orig_ip_bytes": "44", "resp_pkts": "0", "resp_ip_bytes": "0", "tunnel_parents": "(empty)",
}  # fmt: skip
FIELDS = list(ROW)


def tsv(*changes, fields=FIELDS):
    """Return a conn.log of one row for each change of `ROW`."""
    head = (
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
        "#open\t2023-11-14-22-13-20\n#fields\t" + "\t".join(fields) + "\n"
        "#types\t" + "\t".join("string" for _ in fields) + "\n"
    )
    rows = ["\t".join((ROW | change)[name] for name in fields) for change in changes]
    return head + "\n".join(rows) + "\n#close\t2023-11-15-00-00-00\n"


def as_json(*changes):
    """Return the same rows as Zeek's JSON."""
    numbers = ("id.orig_p", "id.resp_p", "orig_pkts", "orig_ip_bytes", "resp_pkts")
    lines = []
    for change in changes:
        row = {key: value for key, value in (ROW | change).items() if value not in ("-", "(empty)")}
        row |= {key: int(row[key]) for key in numbers if row.get(key, "x").isdecimal()}
        text = json.dumps(row).replace(f'"{row["ts"]}"', row["ts"])
        lines.append(text)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("write", [tsv, as_json])
def test_a_syn(write):
    """One SYN of a scanner is one packet with its ports, length, flags and time."""
    rows, tally = read_text(write({}))
    expected = {
        "ts_ns": 1_700_000_000_123_456_000, "src_ip": "192.0.2.7", "dst_ip": "198.51.100.9",
        "src_port": 40000, "dst_port": 23, "proto": 6, "length": 44, "tcp_flags": 2,
    }  # fmt: skip
    assert {key: rows[0][key] for key in expected} == expected
    assert (tally.read, tally.kept, tally.packets) == (1, 1, 1)


@pytest.mark.parametrize("write", [tsv, as_json])
def test_connections_become_packets(write):
    """A connection of n packets is n packets of the mean length; of none it is one."""
    rows, tally = read_text(
        write(
            {"orig_pkts": "3", "orig_ip_bytes": "131"},
            {"orig_pkts": "0", "orig_ip_bytes": "0"},
            {"orig_pkts": "-", "orig_ip_bytes": "-"},
            {"orig_pkts": "2000000"},
            {"orig_pkts": "x"},
        )
    )
    assert [row["length"] for row in rows] == [44, 44, 44, None, None]
    assert (tally.read, tally.kept, tally.packets) == (5, 3, 5)
    assert tally.skipped == {"too_many_packets": 1, "bad_value": 1}


@pytest.mark.parametrize(
    ("history", "flags"),
    [("S", 2), ("ShADad", 2), ("H", 18), ("R", 4), ("Sr", 2), ("-", None), ("D", 24), ("Cd", None)],
)
def test_history_gives_flags(history, flags):
    """The originator's first letter says with which flags it began."""
    rows, _ = read_text(tsv({"history": history}))
    assert rows[0]["tcp_flags"] == flags


@pytest.mark.parametrize(("history", "flags"), [("^h", 18), ("h", 18), ("^r", 4)])
def test_backscatter_is_the_responders(history, flags):
    """Where only the responder sent, it is the sender, and its SYN-ACK or RST is seen."""
    rows, tally = read_text(
        tsv({"history": history, "orig_pkts": "0", "orig_ip_bytes": "0", "resp_pkts": "2",
             "resp_ip_bytes": "88"})
    )  # fmt: skip
    assert [(r["src_ip"], r["src_port"], r["tcp_flags"], r["length"]) for r in rows] == [
        ("198.51.100.9", 23, flags, 44)
    ] * 2
    assert tally.notes["zeek_flipped"] == 1


def test_other_protocols():
    """UDP keeps its ports and has no flags; ICMP's type and code are not ports."""
    rows, tally = read_text(
        tsv({"proto": "udp", "history": "D"}, {"proto": "icmp"}, {"proto": "unknown_transport"},
            {"id.orig_h": "2001:db8::1", "id.resp_h": "2001:db8::2"})
    )  # fmt: skip
    assert [(r["proto"], r["src_port"], r["tcp_flags"]) for r in rows] == [
        (17, 40000, None), (1, None, None)
    ]  # fmt: skip
    assert tally.skipped == {"bad_value": 1, "ipv6": 1}


def test_directives_inside():
    """Logs glued together are read through; a second layout is refused."""
    rows, tally = read_bytes(packed(tsv({}, {}) + tsv({})))
    assert len(rows) == 3
    assert not tally.skipped
    with pytest.raises(TraceError, match="second #fields") as caught:
        read_text(tsv({}) + tsv({}, fields=FIELDS[:-1]))
    assert caught.value.code == "COLUMNS"


def test_old_logs_lack_columns():
    """Columns that older Zeeks do not write are not needed."""
    fields = [name for name in FIELDS if not name.startswith("resp_ip")]
    rows, _ = read_text(tsv({}, fields=fields))
    assert rows[0]["length"] == 44


def test_another_log():
    """Another log of Zeek is refused by name of what it lacks."""
    with pytest.raises(TraceError, match=r"conn\.log") as caught:
        read_text(tsv({}, fields=["ts", "uid", "id.orig_h", "service"]))
    assert caught.value.code == "COLUMNS"


def test_bad_rows():
    """Rows with another number of fields, bad times and bad ports are counted."""
    text = tsv({}, {"ts": "x"}, {"id.resp_p": "70000"}).replace("\n#close", "\nC1\t2\n#close")
    rows, tally = read_text(text)
    assert len(rows) == 1
    assert tally.skipped == {"wrong_field_count": 1, "bad_time": 1, "bad_port": 1}


def test_quotes_mean_nothing():
    """A quote in a Zeek log is a character like others."""
    rows, tally = read_text(tsv({"service": '"open'}, {"service": 'a"'}, {}))
    assert len(rows) == 3
    assert not tally.skipped


def test_nothing_inside():
    """A log of directives only has no rows."""
    with pytest.raises(TraceError) as caught:
        read_text(tsv().replace("\n\n", "\n"))
    assert caught.value.code == "NO-ROWS"
