"""A look at a file before it is loaded: what it is, what it lacks, and nothing changed."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from app_workspaces import write_trace

from darkgnn_core.errors import TraceError
from darkgnn_core.traces.packets import SCHEMA
from darkgnn_core.traces.previewing import mapping_from_choice, preview_trace
from darkgnn_core.traces.reading import ReadOptions


def test_a_table_is_described(tmp_path: Path) -> None:
    """Format, columns with samples, guessed mapping, first packets, exact count of a small file."""
    look = preview_trace(write_trace(tmp_path / "trace.csv"))
    assert look.is_loadable
    assert look.format == "delimited"
    assert look.columns[:3] == ["ts", "src_ip", "src_port"]
    assert look.samples[1] == "198.51.100.1"
    assert look.mapping["columns"]["dst_port"] == "dst_port"
    assert look.rows[0]["src_ip"] == (198 << 24) + (51 << 16) + (100 << 8) + 1
    assert look.estimated_packets == 510
    assert look.read == look.kept + sum(look.skipped.values())
    assert [path.name for path in tmp_path.iterdir()] == ["trace.csv"]


def test_what_stands_in_the_way_is_named(tmp_path: Path) -> None:
    """Times without a zone: the code says so, the columns are there; with a zone it loads."""
    path = tmp_path / "local.csv"
    path.write_text("time,src_ip,dst_port\n" + "2021-12-01 10:00:00,198.51.100.7,23\n" * 5)
    look = preview_trace(path)
    assert look.code == "TIMEZONE"
    assert look.columns == ["time", "src_ip", "dst_port"]
    assert preview_trace(path, ReadOptions(timezone="UTC")).is_loadable


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "EMPTY"), (b"\x7fELF\x00\x01", "NOT-A-CAPTURE")]
)
def test_other_content_is_refused_in_words(tmp_path: Path, content: bytes, code: str) -> None:
    """Nothing raises for what a file holds; the code and a message say it."""
    path = tmp_path / "file.pcap"
    path.write_bytes(content)
    look = preview_trace(path)
    assert look.code == code
    assert "file.pcap" in look.message


def test_links_are_not_followed(tmp_path: Path) -> None:
    """Only regular files are looked at."""
    (tmp_path / "link").symlink_to(write_trace(tmp_path / "trace.csv"))
    with pytest.raises(TraceError) as error:
        preview_trace(tmp_path / "link")
    assert error.value.code == "NOT-A-REGULAR-FILE"


def test_a_choice_becomes_a_mapping() -> None:
    """Fields without a column are left out; an unknown unit is refused."""
    mapping = mapping_from_choice({"ts_ns": "t", "src_ip": "a", "ttl": ""}, "ms")
    assert mapping is not None
    assert mapping.columns == (("ts_ns", "t"), ("src_ip", "a"))
    assert mapping_from_choice({}, "s") is None
    with pytest.raises(TraceError):
        mapping_from_choice({"ts_ns": "t"}, "years")


def test_json_lines_and_parquet_show_their_columns(tmp_path: Path) -> None:
    """Their mapping can be chosen, too; packets in our own schema need none."""
    rows = [{"ts": 1_638_316_800 + i, "src": {"ip": "198.51.100.7"}} for i in range(5)]
    text = tmp_path / "trace.jsonl"
    text.write_text("".join(json.dumps(row) + "\n" for row in rows))
    look = preview_trace(text)
    assert look.columns == ["ts", "src.ip"]
    assert look.mapping["columns"] == {"ts_ns": "ts", "src_ip": "src.ip"}
    assert look.packets == 5
    table = tmp_path / "trace.parquet"
    pq.write_table(pa.table({"ts": [1_638_316_800] * 5, "saddr": ["198.51.100.7"] * 5}), table)
    look = preview_trace(table)
    assert look.columns == ["ts", "saddr"]
    assert look.samples == ["1638316800", "198.51.100.7"]
    assert look.mapping["columns"]["src_ip"] == "saddr"
    assert look.packets == 5
    ours = tmp_path / "ours.parquet"
    packet = {"ts_ns": 1_638_316_800 * 10**9, "src_ip": 7, "proto": 6, "mirai": False}
    pq.write_table(pa.Table.from_pylist([packet], schema=SCHEMA), ours)
    assert preview_trace(ours).columns == []


def test_what_is_worth_knowing_is_told(tmp_path: Path) -> None:
    """Notes of the reader come along: a firewall log without a year, and with one given."""
    path = tmp_path / "ufw.log"
    path.write_text(
        "Mar  5 01:02:03 box kernel: [UFW BLOCK] IN=eth0 OUT= SRC=192.0.2.7 DST=198.51.100.9 "
        "LEN=44 TTL=241 ID=1 PROTO=TCP SPT=4 DPT=23 WINDOW=65535 RES=0x00 SYN URGP=0\n" * 3
    )
    look = preview_trace(path)
    assert look.notes["year_assumed"] == 3
    assert look.facts["year_assumed"] > 2020
    given = preview_trace(path, ReadOptions(year=2020))
    assert "year_assumed" not in given.notes
    assert given.rows[0]["ts_ns"] == 1_583_370_123 * 10**9
