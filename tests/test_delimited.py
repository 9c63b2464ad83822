"""Tables of any delimiter are mapped, checked row by row, and refused with the way out."""

import pytest
from reading_helpers import packed, read_bytes, read_text

from darkgnn_core.errors import TraceError
from darkgnn_core.traces.formats import detect
from darkgnn_core.traces.opening import ByteSource, open_regular, source_of_bytes
from darkgnn_core.traces.reading import ColumnMapping, ReadOptions, Tally

T0 = 1_700_000_000


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " "])
def test_delimiters(delimiter):
    """Comma, semicolon, tab, bar and space are found without being told."""
    text = "ts,src,dst,dpt,proto\n1700000000,192.0.2.7,198.51.100.9,23,tcp\n" * 1
    rows, tally = read_text(text.replace(",", delimiter))
    assert rows[0]["src_ip"] == "192.0.2.7"
    assert rows[0]["dst_port"] == 23
    assert tally.facts["mapping"]["columns"]["src_ip"] == "src"


def test_authors_raw_csv():
    """A `raw_DATE.csv` of the paper's authors is read, its rarer ports `oth` as no port."""
    text = (
        "ts,ethtype,src_ip,src_port,dst_ip,dst_port,pck_len,tcp_flags,mirai,tcp_seq,ttl,t_mss,"
        "t_win,t_ts,t_sack,t_sackp,interval\n"
        "1700000000.5,2048,192.0.2.7,4,198.51.100.9,23,40,2,0,1,48,0,1024,0,-,-,20231114\n"
        "1700000001.5,2048,192.0.2.7,4,198.51.100.9,oth,40,2,0,1,48,1460,1024,7,-,-,20231114\n"
    )
    rows, tally = read_text(text)
    assert [row["dst_port"] for row in rows] == [23, None]
    assert [row["mss"] for row in rows] == [0, 1460]
    assert tally.notes == {"port_other": 1, "proto_assumed_tcp": 2}
    assert tally.facts["ignored_columns"] == ["t_sack", "t_sackp", "interval"]


def test_quoted_fields():
    """Quoted fields, quoted delimiters and doubled quotes are read."""
    text = 'ts,note,src_ip\n"1700000000","a, ""b"", c","192.0.2.7"\n1700000001,plain,192.0.2.8\n'
    rows, tally = read_text(text)
    assert [row["src_ip"] for row in rows] == ["192.0.2.7", "192.0.2.8"]
    assert tally.read == 2


@pytest.mark.parametrize("bad", ['1700000001,"open,192.0.2.8', '1700000001,x,"192.0.2.8'])
def test_open_quote_loses_one_row(bad):
    """A quote that is not closed costs its own row, not those after it."""
    good = [f'170000000{i},"n",192.0.2.{i}' for i in range(5)]
    text = "\n".join(["ts,note,src_ip", *good[:2], bad, *good[2:]]) + "\n"
    rows, tally = read_text(text)
    assert len(rows) == 5
    assert sum(tally.skipped.values()) == 1


def test_short_and_long_rows():
    """Rows with another number of fields are counted."""
    text = "ts,src_ip,ttl\n1700000000,192.0.2.7,4\n1,2\n1,2,3,4\n1700000000,192.0.2.7,5\n"
    rows, tally = read_text(text)
    assert [row["ttl"] for row in rows] == [4, 5]
    assert tally.skipped == {"wrong_field_count": 2}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a,b,c\n1,2,3\n4,5,6\n", "'a', 'b', 'c'"),
        ("1700000000,192.0.2.7,23\n1700000001,192.0.2.8,23\n", "looks like data"),
        ("ts,port,ttl\n1700000000,23,4\n1700000000,23,4\n", "src_ip"),
        ("src_ip,port\n192.0.2.7,23\n192.0.2.7,23\n", "a time"),
        ("ts,src_ip,ts\n1700000000,192.0.2.7,1700000000\n", "is there 2 times"),
        ("src_ip:ts:dst\n", "not a trace"),
    ],
)
def test_columns_not_found(text, found):
    """Missing, glued, doubled or absent headers are named, with what was found."""
    with pytest.raises(TraceError, match=found) as caught:
        read_text(text)
    assert caught.value.code in ("COLUMNS", "NOT-A-TRACE")


def test_mapping_by_hand():
    """A given mapping is followed, and named where it does not fit the file."""
    mapping = ColumnMapping((("ts_ns", "when"), ("src_ip", "who"), ("packets", "n")), "ms")
    text = "n;when;who\n2;1700000000123;192.0.2.7\n"
    rows, tally = read_text(text, mapping=mapping)
    assert [row["ts_ns"] for row in rows] == [1_700_000_000_123_000_000] * 2
    assert (tally.kept, tally.packets) == (1, 2)
    with pytest.raises(TraceError, match="expected 'n', 'when', 'who'; found 'n', 'other'"):
        read_text("n;other;who\n2;1;192.0.2.7\n", mapping=mapping)


def test_packets_column():
    """A row stands for as many packets as it says; none, and more than a million, are bad."""
    counts = ["1", "3", "0", "1000001", "x", "600000", "600000"]
    text = "ts,src_ip,packets\n" + "".join(
        f"{T0 + i},192.0.2.{i},{count}\n" for i, count in enumerate(counts)
    )
    mapping = ColumnMapping((("ts_ns", "ts"), ("src_ip", "src_ip"), ("packets", "packets")))
    source = source_of_bytes(text.encode())
    tally = Tally()
    with source.raw:
        batches = detect(source).read(source, ReadOptions(mapping=mapping), tally)
        sizes = [batch.num_rows for batch in batches]
    assert sizes == [600_004, 600_000]
    assert (tally.read, tally.kept, tally.packets) == (7, 4, 1_200_004)
    assert tally.skipped == {"bad_value": 2, "too_many_packets": 1}


def test_sensor_names():
    """A sensor's name stands for a dark address in 0.0.0.0/8, always the same one."""
    text = "datetime,host,src,proto,spt,dpt\n" + "".join(
        f"2013-03-03 21:53:{i:02d},{host},192.0.2.7,TCP,6000,1433\n"
        for i, host in enumerate(["paris", "tokyo", "paris", ""])
    )
    rows, tally = read_text(text, timezone="UTC")
    sensors = tally.facts["sensors"]
    assert set(sensors) == {"paris", "tokyo"}
    assert [row["dst_ip"] for row in rows] == [
        sensors["paris"], sensors["tokyo"], sensors["paris"], None
    ]  # fmt: skip
    assert all(address.startswith("0.") for address in sensors.values())
    again, _ = read_text(text, timezone="UTC")
    assert again == rows


def test_sensor_collision(monkeypatch):
    """Two names with one stand-in address are refused."""
    monkeypatch.setattr("darkgnn_core.traces.assembling.sensor_address", lambda _: 7)
    text = "ts,host,src\n1700000000,paris,192.0.2.7\n1700000000,tokyo,192.0.2.7\n"
    with pytest.raises(TraceError, match=r"'paris' and 'tokyo' .* 0\.0\.0\.7") as caught:
        read_text(text)
    assert caught.value.code == "SENSORS"


def test_sensor_limit(monkeypatch):
    """A column with too many names is no sensor column."""
    monkeypatch.setattr("darkgnn_core.traces.assembling.MAX_SENSORS", 3)
    text = "ts,host,src\n" + "".join(f"1700000000,s{i},192.0.2.7\n" for i in range(4))
    with pytest.raises(TraceError) as caught:
        read_text(text)
    assert caught.value.code == "SENSORS"


def test_times_without_zone_need_one():
    """ISO times without a zone are refused until the analyst says which it is."""
    text = "time,src_ip\n2023-11-14 22:13:20,192.0.2.7\n"
    with pytest.raises(
        TraceError, match=r"UTC or Europe/Rome \(command line: --timezone UTC\)"
    ) as caught:
        read_text(text)
    assert caught.value.code == "TIMEZONE"
    rows, tally = read_text(text, timezone="Europe/Rome")
    assert rows[0]["ts_ns"] == (T0 - 3600) * 10**9
    assert tally.facts["timezone"] == "Europe/Rome"
    with pytest.raises(TraceError, match="IANA"):
        read_text(text, timezone="Rome")


@pytest.mark.parametrize("second", ["2023-11-14 22:13:20", "1700000000", "2023-11-14T22:13:20.5"])
def test_mixed_times(second):
    """Times with and without a zone, or texts and numbers, in one column are an error."""
    with pytest.raises(TraceError) as caught:
        read_text(
            f"time,src_ip\n2023-11-14T22:13:20Z,192.0.2.7\n2023-11-14T22:13:20Z,192.0.2.7\n"
            f"{second},192.0.2.7\n",
            timezone="UTC",
        )
    assert caught.value.code == "TIMES-MIXED"


def test_limits():
    """Too many columns, a field or a line too long: LIMIT."""
    wide = ",".join(f"c{i}" for i in range(300))
    with pytest.raises(TraceError, match="300 columns") as caught:
        read_text(f"{wide}\n{wide}\n")
    assert caught.value.code == "LIMIT"
    with pytest.raises(TraceError, match="first line") as caught:
        read_text(f"ts,src_ip,{'x' * 100_000}\n1700000000,192.0.2.7,1\n")
    assert caught.value.code == "LIMIT"
    for size in (100_000, 3_000_000):
        with pytest.raises(TraceError) as caught:
            read_text(f'ts,src_ip\n1700000000,192.0.2.7\n1,"{"x" * size}"\n')
        assert caught.value.code == "LIMIT"


@pytest.mark.parametrize("text", ["ts,src_ip\n", "# only\n# comments\n"])
def test_no_rows(text):
    """A header alone, or comments alone, hold no rows."""
    with pytest.raises(TraceError) as caught:
        read_text(text)
    assert caught.value.code in ("NO-ROWS", "NOT-A-TRACE")


def test_comments_before_the_header():
    """Comment lines before the header are passed over."""
    rows, _ = read_text("# made by x\n# 2023\nts,src_ip\n1700000000,192.0.2.7\n")
    assert len(rows) == 1


def test_latin1_header():
    """A file whose lines are not UTF-8 is refused with the byte."""
    content = "ts,src_ip,\xe9\n".encode("latin-1")
    with pytest.raises(TraceError) as caught:
        read_bytes(content + "1700000000,192.0.2.7,\xe9\n".encode("latin-1"))
    assert caught.value.code == "ENCODING"
    assert "byte 10" in str(caught.value)


def test_fast_and_slow_path_agree():
    """A block with one bad row gives the same packets as the block without it."""
    good = [f"{T0 + i}.{i:03d},192.0.2.{i % 250},{i * 7},S,{i}" for i in range(2_000)]
    header = "ts,src_ip,dpt,flags,id"
    clean, _ = read_bytes(packed("\n".join([header, *good]) + "\n"))
    dirty, tally = read_text("\n".join([header, *good, "1,192.0.2.1,99999,S,1"]) + "\n")
    assert clean == dirty
    assert tally.skipped == {"bad_time": 1}


def test_real_scan_log(shared_data):
    """45 daily files hold 184,826 packets of 18,886 senders; none is skipped."""
    hosts, packets = set(), 0
    for path in sorted((shared_data / "scan-log-45d").glob("*.csv.gz")):
        tally = Tally()
        with open_regular(path) as raw:
            source = ByteSource(raw, path.name)
            for batch in detect(source).read(source, ReadOptions(), tally):
                hosts |= set(batch["src_ip"].to_pylist())
        packets += tally.packets
        assert not tally.skipped
        assert not tally.notes
    assert (packets, len(hosts)) == (184_826, 18_886)


def test_real_marx(shared_data):
    """The 2013 file: 327,991 rows, 59,331 senders, 9 sensors."""
    tally = Tally()
    hosts, sensors = set(), set()
    with open_regular(shared_data / "marx-2013" / "marx_tcp_dotted.csv.gz") as raw:
        source = ByteSource(raw, "marx")
        for batch in detect(source).read(source, ReadOptions(timezone="UTC"), tally):
            hosts |= set(batch["src_ip"].to_pylist())
            sensors |= set(batch["dst_ip"].to_pylist())
    assert (tally.read, tally.kept, len(hosts), len(sensors)) == (327_991, 327_991, 59_331, 9)
    assert len(tally.facts["sensors"]) == 9
