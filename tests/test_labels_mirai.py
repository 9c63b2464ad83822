"""Labels from Mirai's fingerprint in the packets."""

from pathlib import Path

import dpkt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from darkgnn_core.catalogue import open_catalogue
from darkgnn_core.labels.mirai import mirai_claims, refresh_day
from darkgnn_core.labels.store import history, list_sources
from darkgnn_core.traces.packets import packet_batch

DAY = "2021-12-01"
A, B, C = (int.from_bytes(bytes((192, 0, 2, last))) for last in (1, 2, 3))


def write(path, rows):
    """Write (source, mirai) pairs as a packet file."""
    batch = packet_batch(
        {
            "ts_ns": pa.array(range(len(rows)), pa.int64()),
            "src_ip": pa.array([row[0] for row in rows], pa.uint32()),
            "proto": pa.array([6] * len(rows), pa.uint8()),
            "mirai": pa.array([row[1] for row in rows], pa.bool_()),
        },
        rows=len(rows),
    )
    pq.write_table(pa.table(batch), path, write_page_checksum=True, row_group_size=3)
    return path


@pytest.fixture
def files(tmp_path):
    """Give two packet files: A marks 3 of 4, B 1 of 2 with one unknown, C none."""
    first = write(tmp_path / "a", [(A, True), (A, True), (B, None), (C, False), (A, False)])
    return [first, write(tmp_path / "b", [(A, True), (B, True), (B, False), (C, None)])]


@pytest.fixture
def catalogue():
    """Give an empty catalogue in memory."""
    connection = open_catalogue(Path(":memory:"))
    yield connection
    connection.close()


def test_hosts_with_the_fingerprint_are_claimed(files):
    """Counts run over all files; packets without a sequence number don't count."""
    claims = mirai_claims(files, DAY)
    assert [(c.first_ip, c.day, c.evidence, c.confidence) for c in claims] == [
        (A, DAY, "3 of 4 packets carry seq = destination", 0.75),
        (B, DAY, "1 of 2 packets carry seq = destination", 0.5),
    ]
    assert {c.label for c in claims} == {"mirai"}


def test_thresholds_leave_hosts_out(files):
    """By number and by share of packets."""
    assert [c.first_ip for c in mirai_claims(files, DAY, min_packets=2)] == [A]
    assert [c.first_ip for c in mirai_claims(files, DAY, min_share=0.6)] == [A]


def test_no_packets_give_no_claims(tmp_path):
    """No file, an empty file and a file without the field are all fine."""
    empty = write(tmp_path / "empty", [])
    without = write(tmp_path / "without", [(A, None)])
    assert mirai_claims([], DAY) == mirai_claims([empty], DAY) == []
    assert mirai_claims([empty, without], DAY) == []


def test_refreshing_a_day_replaces_only_that_day(catalogue, files):
    """Twice changes nothing, another day is another set, and no files clear the day."""
    assert refresh_day(catalogue, files, DAY) == 2
    assert refresh_day(catalogue, files, DAY) == 2
    assert refresh_day(catalogue, files[:1], "2021-12-02") == 1
    (source,) = list_sources(catalogue)
    assert (source.kind, source.precedence, source.labels) == ("mirai", 300, 3)
    assert source.report == {"hosts_by_day": {DAY: 2, "2021-12-02": 1}}
    assert refresh_day(catalogue, [], DAY) == 0
    assert {row["day"] for row in history(catalogue)} == {"2021-12-02"}


def test_the_real_telnet_capture_has_798_marked_packets(shared_data, tmp_path):
    """The claims of a real capture add up to its 798 fingerprints."""
    rows = []
    with (shared_data / "pcap" / "23-tcp.pcap").open("rb") as raw:
        for _, frame in dpkt.pcap.Reader(raw):
            ip = dpkt.ethernet.Ethernet(frame).data
            source, target = (int.from_bytes(address) for address in (ip.src, ip.dst))
            rows.append((source, ip.data.seq == target))
    claims = mirai_claims([write(tmp_path / "real", rows)], DAY)
    assert sum(int(c.evidence.split()[0].replace(",", "")) for c in claims) == 798
