"""A trace is recognised by its content, and what is none is refused by name."""

import gzip
import struct
from contextlib import suppress
from dataclasses import asdict
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from reading_helpers import read_bytes

from darkgnn_core.errors import TraceError
from darkgnn_core.traces.formats import FORMATS, detect, format_named
from darkgnn_core.traces.looking import look as look_at
from darkgnn_core.traces.opening import source_of_bytes
from darkgnn_core.traces.reading import ReadOptions

PCAP = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
PCAPNG = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
LOG = b"ts src_ip dst_port proto\n1700000000.5 192.0.2.7 23 6\n"
CSV = b"time,source,dpt\n1700000000123,192.0.2.7,23\n1700000000124,192.0.2.8,80\n"
JSONL = b'{"ts": 1700000000, "src_ip": "192.0.2.7", "x": {"y": 1}}\n'
ZEEK = (
    b"#separator \\x09\n#fields\tts\tid.orig_h\tid.resp_h\tproto\thistory\n"
    b"1700000000\t192.0.2.7\t198.51.100.9\ttcp\tS\n"
)
ZEEK_JSON = b'{"ts":1700000000,"id.orig_h":"192.0.2.7","id.resp_h":"198.51.100.9","proto":"tcp"}\n'
FIREWALL = (
    b"Mar  5 01:02:03 box kernel: IN=eth0 SRC=192.0.2.7 DST=198.51.100.9 LEN=40 TTL=4 ID=1 "
    b"PROTO=TCP SPT=1 DPT=2 WINDOW=3 RES=0x00 SYN URGP=0\n"
)


def parquet():
    """Return a small Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"ts": [1_700_000_000], "src_ip": ["192.0.2.7"]}), sink)
    return sink.getvalue().to_pybytes()


CONTENTS = [
    ("pcap", PCAP), ("pcapng", PCAPNG), ("packet_log", LOG), ("delimited", CSV),
    ("delimited", CSV.replace(b",", b"\t")), ("jsonl", JSONL), ("zeek", ZEEK),
    ("zeek", ZEEK_JSON), ("iptables", FIREWALL), ("parquet", parquet()),
]  # fmt: skip


@pytest.fixture
def look(tmp_path):
    """Give the look of bytes, taken in this process."""

    def go(content, **options):
        path = tmp_path / "x.png"
        path.write_bytes(content)
        request = {"path": str(path), "name": path.name, "format": ""}
        return look_at(request | {"options": asdict(ReadOptions(**options))})

    return go


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
@pytest.mark.parametrize(("name", "content"), CONTENTS)
def test_content_decides(name, content, pack):
    """Each kind is found by its bytes, plain or packed, under a misleading name."""
    source = source_of_bytes(pack(content), "x.png")
    with source.raw:
        found = detect(source)
        assert found.name == name
        assert source.peek(4) == content[:4]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "EMPTY"),
        (b"\n\n\n", "EMPTY"),
        (b"\x7fELF\x02\x01\x01" + bytes(200), "NOT-A-CAPTURE"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "NOT-A-CAPTURE"),
        (bytes(range(1, 32)) * 4, "NOT-A-CAPTURE"),
        (b"Dear reader,\n\nthis is a letter. It has lines.\nSome are long.\n", "NOT-A-TRACE"),
        (b"<html><body>hello</body></html>\n", "NOT-A-TRACE"),
        (b"hello", "NOT-A-TRACE"),
        (CSV.decode().encode("utf-16"), "ENCODING"),
        (gzip.compress(b"", mtime=0), "EMPTY"),
    ],
)
def test_what_is_no_trace(content, code):
    """Empty, binary, UTF-16 and ordinary texts are refused, each under its own code."""
    source = source_of_bytes(content, "trace.pcap")
    with source.raw, pytest.raises(TraceError) as caught:
        detect(source)
    assert caught.value.code == code


def test_random_damage():
    """Damaged files of every kind end in a TraceError or in counted rows, never otherwise."""
    random = Random(7)
    for _ in range(400):
        content = bytearray(random.choice(CONTENTS)[1] * random.choice((1, 20)))
        for _ in range(random.choice((1, 5, 30))):
            at = random.randrange(len(content))
            piece = random.choice((b'"', b"\0", b"\n", b"\xff", b",", b"9" * 30, b"-", b"{", b" "))
            content[at : at + random.randrange(4)] = piece
        with suppress(TraceError):
            read_bytes(bytes(content), timezone="Europe/Rome")


def test_names():
    """Formats are found by their short names, which are all different."""
    assert len({known.name for known in FORMATS}) == len(FORMATS)
    for known in FORMATS:
        assert format_named(known.name) is known
    with pytest.raises(TraceError) as caught:
        format_named("docx")
    assert caught.value.code == "NO-SUCH-FORMAT"


def test_look_at_a_table(look):
    """A table shows its columns, a value of each, its first lines and the guess."""
    seen = look(CSV)
    assert seen["format"] == "delimited"
    assert seen["facts"]["delimiter"] == "comma"
    assert seen["columns"] == ["time", "source", "dpt"]
    assert seen["samples"] == ["1700000000123", "192.0.2.7", "23"]
    assert seen["lines"][2] == "1700000000124,192.0.2.8,80"
    assert seen["mapping"] == {
        "columns": {"ts_ns": "time", "src_ip": "source", "dst_port": "dpt"},
        "time_unit": "ms",
    }


def test_look_without_the_needed_columns(look):
    """A table whose columns are not understood is shown all the same, to be mapped by hand."""
    seen = look(b"a;b;c\n1;2;3\n4;5;6\n")
    assert seen["columns"] == ["a", "b", "c"]
    assert seen["code"] == "COLUMNS"
    assert "rows" not in seen


def test_a_look_is_short(look):
    """At most 12 packets and lines, of at most 200 characters, whatever the file holds."""
    rows = b"".join(b"1700000000123,192.0.2.7,%d,%s\n" % (i, b"x" * 999) for i in range(60))
    seen = look(b"time,source,dpt,note\n" + rows)
    assert len(seen["rows"]) == len(seen["lines"]) == 12
    assert max(map(len, seen["lines"])) == max(map(len, seen["samples"])) == 200
    assert seen["packets"] == 60


@pytest.mark.parametrize(("name", "content"), CONTENTS[2:])
def test_look_at_each_kind(look, name, content):
    """Every kind that has rows shows them as packets, with the sender's address."""
    seen = look(content)
    assert seen["format"] == name
    assert seen["rows"][0]["src_ip"] == (192 << 24) + (2 << 8) + 7
    assert seen["read"] == seen["kept"] + sum(seen["skipped"].values())
    assert ("mapping" in seen) == (name in ("delimited", "jsonl", "parquet"))


def test_look_at_a_capture(look, shared_data):
    """A capture shows its first packets, decoded."""
    seen = look((shared_data / "pcap" / "23-tcp.pcap").read_bytes())
    assert (seen["format"], len(seen["rows"])) == ("pcap", 12)
    assert seen["rows"][0]["dst_port"] == 23
    assert "lines" not in seen
