"""A look at a file before it is loaded: what it is, what it lacks, and nothing changed."""

from pathlib import Path

import pytest
from app_workspaces import write_trace

from darkgnn_core.errors import TraceError
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
