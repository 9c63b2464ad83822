"""Snapshots against a hand-counted trace and against plain Python on random and real packets."""

import json
import math
import random
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import brute_force
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkgnn_core.config import SnapshotConfig, config_hash
from darkgnn_core.durable import check_manifest, new_directory
from darkgnn_core.errors import TraceError
from darkgnn_core.snapshots import building, counted, host_shards, shards
from darkgnn_core.snapshots.bins import HOUR_NS, Bin
from darkgnn_core.snapshots.building import build_snapshot
from darkgnn_core.snapshots.columns import (
    EXTRA_HOST_COLUMNS,
    FEATURES,
    HOST_FEATURES,
    HOSTS_SCHEMA,
    PORT_FEATURES,
)
from darkgnn_core.snapshots.reading import (
    read_edges,
    read_hosts,
    read_pairs,
    read_ports,
    read_summary,
)
from darkgnn_core.traces.packets import COLUMNS, DAY_NS, SCHEMA

DAY = Bin.parse("2021-12-12")
START = DAY.start_ns
ALL = SnapshotConfig(min_packets=1)
ANNA, BELA, CARL, DORA = (int(IPv4Address(f"198.51.100.{n}")) for n in (1, 2, 3, 4))
DARK_1, DARK_2 = (int(IPv4Address(f"203.0.113.{n}")) for n in (1, 2))

TABLES = ("hosts.parquet", "ports.parquet", "edges.parquet", "pairs.parquet")

PLAIN = {
    "ts_ns": START,
    "src_ip": ANNA,
    "dst_ip": DARK_1,
    "src_port": 40_000,
    "dst_port": 23,
    "proto": 6,
    "length": 40,
    "tcp_flags": 2,
    "ttl": 50,
    "ip_id": 7,
    "seq": 1,
    "window": 1_024,
    "mss": 0,
    "ts_option": 0,
    "mirai": False,
}


def packet(**changes):
    """Return one packet, a plain SYN of Anna but for the changes."""
    return PLAIN | changes


def write_packets(path: Path, packets) -> Path:
    """Write packets as a reader would store them."""
    table = packets if isinstance(packets, pa.Table) else pa.Table.from_pylist(packets, SCHEMA)
    pq.write_table(table, path, row_group_size=10_000)
    return path


@pytest.fixture
def build(tmp_path):
    """Build a snapshot of lists of packets, one file each; give its directory."""
    numbers = iter(range(10**6))

    def build_it(*files, config=ALL, time_bin=DAY, **options):
        paths = [write_packets(tmp_path / f"p{next(numbers)}.parquet", rows) for rows in files]
        directory = tmp_path / f"s{next(numbers)}"
        directory.mkdir()
        build_snapshot(paths, time_bin, config, directory, **options)
        return directory

    return build_it


def rows_by(table: pa.Table, *keys: str) -> dict:
    """Return the rows of a table by key."""
    rows = table.to_pylist()
    return {(r[keys[0]] if len(keys) == 1 else tuple(r[k] for k in keys)): r for r in rows}


def assert_same_row(found: dict, expected: dict, where: str) -> None:
    """Compare one row: integers and nulls exactly, fractions to 1e-12 (entropy to 1e-7)."""
    for name, value in expected.items():
        got = found[name]
        if value is None or got is None:
            assert got is value, f"{where} {name}: {got} is not {value}"
        elif name.endswith("entropy"):
            assert math.isclose(got, value, abs_tol=1e-7), f"{where} {name}: {got}, not {value}"
        else:
            assert math.isclose(got, value, rel_tol=1e-12), f"{where} {name}: {got}, not {value}"


def assert_matches_brute_force(directory: Path, packets, config, time_bin=DAY) -> None:
    """Hold every column, edge and count of a snapshot against plain Python."""
    expected = brute_force.snapshot(packets, time_bin.start_ns, time_bin.hours, config)
    for name, table, key in (
        ("hosts", read_hosts(directory), ("host",)),
        ("ports", read_ports(directory), ("port",)),
        ("edges", read_edges(directory), ("host", "port")),
        ("pairs", read_pairs(directory), ("host", "port")),
    ):
        found = rows_by(table, *key)
        assert list(found) == sorted(expected[name]), name
        wanted = set(table.schema.names) - set(key)
        for where, row in expected[name].items():
            assert set(row) == wanted
            assert_same_row(found[where], row, f"{name} {where}")
    summary = read_summary(directory)
    for name in ("read", "kept", "dropped", "found", "hourly"):
        assert summary[name] == expected[name], name
    assert summary["read"] == summary["kept"] + sum(summary["dropped"].values())


HAND_COUNTED = [
    # Anna: port 23 three times and 80 once, on two dark addresses, one Mirai packet.
    packet(ts_ns=START, dst_port=23, length=40, ttl=50, window=100),
    packet(
        ts_ns=START + 10**9, dst_port=23, dst_ip=DARK_2, length=44, ttl=50, window=200, mss=1460
    ),
    packet(ts_ns=START + 3 * 10**9, dst_port=23, length=40, ttl=51, window=300, mirai=True),
    packet(ts_ns=START + HOUR_NS, dst_port=80, length=60, ttl=50, window=100, ts_option=8),
    # Bela: port 80 twice, port 443 once, always ZMap's IP id.
    packet(src_ip=BELA, dst_port=80, ip_id=54_321),
    packet(src_ip=BELA, dst_port=80, ip_id=54_321, ts_ns=START + 5),
    packet(src_ip=BELA, dst_port=443, ip_id=54_321, ts_ns=START + 10),
    # Carl answers (backscatter), sends UDP and something without a port.
    packet(src_ip=CARL, tcp_flags=18),
    packet(src_ip=CARL, tcp_flags=4),
    packet(src_ip=CARL, proto=17),
    packet(src_ip=CARL, dst_port=None),
    # Dora sends one packet: too few.
    packet(src_ip=DORA, dst_port=22),
]


def test_hand_counted_trace(build):
    """Twelve packets counted by hand: all 37 columns of a host and a port, edges and counts."""
    directory = build(HAND_COUNTED, config=SnapshotConfig(min_packets=3, max_ports=2))
    hosts = rows_by(read_hosts(directory), "host")
    assert list(hosts) == [ANNA, BELA]
    # Ports by packets: 23 three, 80 three; 443 goes to the rest.
    std = math.sqrt
    assert [hosts[ANNA][name] for name in HOST_FEATURES] == pytest.approx(
        [
            *(2, 1, 3, 4, 2, std(2)),  # ports: 3 and 1 packets
            *(2, 1, 3, 4, 2, std(2)),  # dark addresses: 3 and 1 packets
            *(184, 40, 60, 46, std((36 + 4 + 36 + 196) / 3)),
            *(201, 50, 51, 50.25, std((3 * 0.0625 + 0.5625) / 3)),
            *(1460, 0, 1460, 365, 730),
            *(700, 100, 300, 175, std((75**2 + 25**2 + 125**2 + 75**2) / 3)),
            *(8, 0, 8, 2, 4),
        ],
        rel=1e-12,
    )
    ports = rows_by(read_ports(directory), "port")
    assert list(ports) == [-1, 23, 80]
    assert [ports[80][name] for name in PORT_FEATURES] == pytest.approx(
        [
            *(2, 1, 2, 3, 1.5, std(0.5)),  # hosts: Bela two, Anna one
            *(0, 0, 0, 0, 0, 0),
            *(140, 40, 60, 140 / 3, std(400 / 3)),
            *(150, 50, 50, 50, 0),
            *(0, 0, 0, 0, 0),
            *(2148, 100, 1024, 716, std((616**2 + 2 * 308**2) / 2)),
            *(8, 0, 8, 8 / 3, std(64 / 3)),
        ],
        rel=1e-12,
    )
    assert [ports[-1][name] for name in PORT_FEATURES[:6]] == [1, 1, 1, 1, 1, 0]
    assert read_edges(directory).to_pylist() == [
        {
            "host": host,
            "port": port,
            "packets": packets,
            "dark_addresses": dark,
            "first_ts": START + first,
            "last_ts": START + last,
        }
        for host, port, packets, dark, first, last in [
            (ANNA, 23, 3, 2, 0, 3 * 10**9),
            (ANNA, 80, 1, 1, HOUR_NS, HOUR_NS),
            (BELA, -1, 1, 1, 10, 10),
            (BELA, 80, 2, 1, 0, 5),
        ]
    ]
    summary = read_summary(directory)
    assert summary["dropped"] == {
        "not_tcp": 1,
        "no_port": 0,
        "backscatter": 2,
        "bogon": 0,
        "duplicate": 0,
        "few_packets": 2,
    }
    assert summary["found"]["no_port"] == 1
    assert (summary["read"], summary["kept"], summary["hosts"], summary["edges"]) == (12, 7, 2, 4)
    assert (summary["ports"], summary["true_ports"], summary["dark_addresses"]) == (3, 3, 2)
    assert summary["mirai_hosts"] == 1
    assert summary["top_ports"][:2] == [
        {"port": 23, "packets": 3, "hosts": 1},
        {"port": 80, "packets": 3, "hosts": 2},
    ]
    assert summary["hourly"]["packets"] == [11, 1] + [0] * 22
    assert summary["hourly"]["hosts"] == [4, 1] + [0] * 22
    assert summary["hourly"]["backscatter"] == [2] + [0] * 23
    assert summary["config_hash"] == config_hash(SnapshotConfig(min_packets=3, max_ports=2))


def test_hand_counted_extra_columns(build):
    """What is kept beyond the paper, counted by hand for Anna and Bela."""
    directory = build(HAND_COUNTED, config=SnapshotConfig(min_packets=3, max_ports=1))
    hosts = rows_by(read_hosts(directory), "host")
    anna, bela = hosts[ANNA], hosts[BELA]
    expected = {
        "true_ports": 2,
        "source_ports": 1,
        "hours": 2,
        "ttl_common": 50,
        "ttl_common_share": 0.75,
        "initial_ttl": 64,
        "hops": 14,
        "window_common": 100,
        "window_common_share": 0.5,
        "length_common": 40,
        "length_common_share": 0.5,
        "zmap_share": 0,
        "masscan_share": 0,
        "mirai_share": 0.25,
        "mss_share": 0.25,
        "ts_option_share": 0.25,
        "port_entropy": 0.811278124459,
        "dark_address_entropy": 0.811278124459,
        "source_port_entropy": 0,
        "hour_entropy": 0.811278124459,
        "gap_p10_s": 1.2,
        "gap_p50_s": 2,
        "gap_p90_s": 2 + 0.8 * (3_597 - 2),
    }
    assert set(expected) == {field.name for field in EXTRA_HOST_COLUMNS}
    assert_same_row(anna, expected, "Anna")
    assert (bela["zmap_share"], bela["true_ports"], bela["ports"]) == (1, 2, 1)
    assert bela["source_port_entropy"] == 0
    assert bela["gap_p50_s"] == 5e-9


def random_packets(seed: int, rows: int):
    """Draw packets with nulls, equal times, repeated rows and extreme header values."""
    rng = random.Random(seed)

    def maybe(value):
        return None if rng.random() < 0.1 else value

    def header(most, *likely):
        return maybe(rng.choice([0, 1, most, most - 1, rng.randint(0, most), *likely]))

    senders = [rng.randint(0, 2**32 - 1) for _ in range(12)] + [10 << 24, ANNA, 2**32 - 1, 0]
    targets = [DARK_1, DARK_2, 0, 2**32 - 1, 203 << 24]
    packets = []
    for _ in range(rows):
        if packets and rng.random() < 0.05:
            packets.append(dict(rng.choice(packets)))
            continue
        target = maybe(rng.choice(targets))
        seq = maybe(rng.choice([target or 0, rng.randint(0, 2**32 - 1)]))
        port = rng.choice([0, 23, 80, 65_535, rng.randint(0, 30)])
        masscan = ((target or 0) ^ port ^ (seq or 0)) & 0xFFFF
        packets.append(
            {
                "ts_ns": START + rng.choice([-1, 0, DAY_NS - 1, DAY_NS, rng.randrange(DAY_NS)])
                if rng.random() < 0.5
                else START + rng.randrange(24) * HOUR_NS,
                "src_ip": rng.choice(senders),
                "dst_ip": target,
                "src_port": maybe(rng.choice([0, 65_535, rng.randint(0, 9)])),
                "dst_port": None if rng.random() < 0.03 else port,
                "proto": rng.choice([6] * 15 + [17, 1, 0, 255]),
                "length": header(2**32 - 1, 40),
                "tcp_flags": maybe(rng.choice([2] * 12 + [0, 4, 16, 18, 20, 255])),
                "ttl": header(255, 32, 33, 64, 65, 128, 129),
                "ip_id": maybe(rng.choice([54_321, masscan, 0, 65_535])),
                "seq": seq,
                "window": header(65_535, 1_024),
                "mss": header(65_535, 1_460),
                "ts_option": header(2**32 - 1),
                "mirai": maybe(seq == target),
            }
        )
    return packets


CONFIGS = [
    ALL,
    SnapshotConfig(min_packets=5, max_ports=3),
    SnapshotConfig(min_packets=6, max_ports=1, include_backscatter=True),
    SnapshotConfig(min_packets=2, max_ports=7, features_before_port_filter=True),
    SnapshotConfig(min_packets=9, max_ports=5, include_bogons=False, drop_duplicates=True),
    SnapshotConfig(min_packets=1, include_backscatter=True, drop_duplicates=True),
]


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("seed", range(3))
def test_random_packets_match_brute_force(build, seed, config):
    """Every column equals plain Python over nulls, ties, repeats and the largest values."""
    packets = random_packets(seed, 600)
    half = len(packets) // 2
    directory = build(packets[:half], packets[half:], config=config)
    assert_matches_brute_force(directory, packets, config)


@pytest.mark.parametrize("config", CONFIGS)
def test_packets_in_several_shards_match_brute_force(build, config, monkeypatch):
    """Where the packets wait on disk in parts, every column is as in plain Python."""
    monkeypatch.setattr(shards, "BYTES_PER_PACKET", 2**19)
    packets = random_packets(3, 600)
    directory = build(packets[:300], packets[300:], config=config, memory_mb=64)
    assert_matches_brute_force(directory, packets, config)


@pytest.mark.parametrize(
    ("config", "rows", "at_once"), [*((config, 300, 8) for config in CONFIGS), (ALL, 40, 1)]
)
def test_hosts_too_large_for_memory_match_brute_force(build, config, rows, at_once, monkeypatch):
    """Hosts of more packets than are counted at once, among others: every column as if whole."""
    limit_packets(monkeypatch, 2 * at_once)  # a shard has half of it
    packets = random_packets(4, rows)
    directory = build(packets[:20], packets[20:], config=config, memory_mb=64)
    assert_matches_brute_force(directory, packets, config)
    assert not [
        path for path in directory.parent.rglob("*") if path.suffix in (".arrow", ".counts")
    ]


def limit_packets(monkeypatch, packets):
    """Let no more packets than that be counted at once with 64 MiB."""
    monkeypatch.setattr(shards, "BYTES_PER_PACKET", 64 * 2**20 // packets)


@pytest.mark.parametrize("repeats", [False, True])
def test_one_giant_in_parts_gives_the_same_bytes(build, monkeypatch, repeats):
    """One host's packets whole and in parts, among 300 small hosts: equal files and summary."""
    packets = [
        row | {"src_ip": ANNA if n % 4 else ANNA + n % 300}
        for n, row in enumerate(random_packets(6, 1_500))
    ]
    config = SnapshotConfig(min_packets=2, max_ports=9, drop_duplicates=repeats)
    whole = build(packets, config=config)
    limit_packets(monkeypatch, 300)
    parts = build(packets, config=config, memory_mb=64)
    for name in TABLES:
        assert (whole / name).read_bytes() == (parts / name).read_bytes(), name
    ours, theirs = read_summary(whole), read_summary(parts)
    assert ours.pop("inputs") != theirs.pop("inputs")
    assert ours == theirs


def test_one_packet_a_thousand_times_is_one_packet(build, monkeypatch):
    """Copies of one packet, more than are counted at once, are counted and dropped as such."""
    limit_packets(monkeypatch, 200)
    rows = [packet()] * 1_000 + [packet(src_ip=BELA, seq=n) for n in range(3)]
    kept = read_summary(build(rows, memory_mb=64))
    assert (kept["kept"], kept["found"]["duplicate"]) == (1_003, 999)
    config = SnapshotConfig(min_packets=2, drop_duplicates=True)
    cut = read_summary(build(rows, config=config, memory_mb=64))
    assert (cut["hosts"], cut["kept"], cut["dropped"]["duplicate"]) == (1, 3, 999)
    assert cut["dropped"]["few_packets"] == 1


def test_many_hosts_are_counted_and_written_in_parts(build, monkeypatch):
    """More hosts than are counted or joined at once give the same bytes, in the same order."""
    rows = [
        packet(src_ip=(n * 2_654_435_769) % 2**32, ts_ns=START + n, dst_port=n % 7 + copy)
        for n in range(500)
        for copy in range(2)
    ]
    whole = build(rows)
    monkeypatch.setattr(host_shards, "BYTES_PER_HOST", 2**20)  # 32 hosts at once
    monkeypatch.setattr(counted, "SHARE", 2**24)  # tables go to the database at once
    monkeypatch.setattr(building, "JOINED_HOSTS", 70)
    parts = build(rows, memory_mb=64)
    for name in TABLES:
        assert (whole / name).read_bytes() == (parts / name).read_bytes(), name


@pytest.mark.parametrize("hours", [1, 6, 48])
def test_other_bin_widths_match_brute_force(build, hours):
    """Bins shorter and longer than a day take their own packets and hours only."""
    config = replace(ALL, bin_hours=hours)
    time_bin = Bin(START + (6 * HOUR_NS if hours < 24 else 0), hours)
    packets = random_packets(7, 600)
    directory = build(packets, config=config, time_bin=time_bin)
    assert_matches_brute_force(directory, packets, config, time_bin)


@pytest.mark.parametrize("day", ["2021-12-12", "2022-01-16"])
def test_real_day_matches_brute_force(build, shared_data, day):
    """A real day of a small server's log: every column of every host, port and edge."""
    packets = read_scan_log(shared_data / "scan-log-45d" / f"{day}.csv.gz")
    time_bin = Bin.parse(day)
    config = SnapshotConfig(min_packets=1, max_ports=500)
    directory = build(packets, config=config, time_bin=time_bin)
    assert len(packets) > 3_000
    assert_matches_brute_force(directory, packets, config, time_bin)
    absent = {"seq", "mss", "ts_option", "mirai"}
    assert set(read_summary(directory)["absent_columns"]) == absent
    host = read_hosts(directory).to_pylist()[0]
    assert host["mss_sum"] == 0
    assert host["mss_share"] is None


def read_scan_log(path: Path):
    """Read one CSV of the real log as packets."""
    frame = pd.read_csv(path)

    def addresses(names):
        return [int(IPv4Address(name)) for name in names]

    columns = {
        "ts_ns": frame["ts"] * 10**9,
        "src_ip": addresses(frame["src_ip"]),
        "dst_ip": addresses(frame["dst_ip"]),
        "length": frame["pck_len"],
        "window": frame["t_win"],
    } | {n: frame[n] for n in ("src_port", "dst_port", "proto", "tcp_flags", "ttl", "ip_id")}
    return [
        dict.fromkeys(COLUMNS) | {name: int(value) for name, value in row.items()}
        for row in pd.DataFrame(columns).to_dict("records")
    ]


def test_masscan_relation_on_a_real_sweep(build, shared_data):
    """The relation holds on every packet of a recorded masscan sweep."""
    packets = read_plain_pcap(shared_data / "pcap" / "scan-1433.pcap")
    first, last = (f(p["ts_ns"] for p in packets) // DAY_NS for f in (min, max))
    directory = build(packets, time_bin=Bin(first * DAY_NS, int(last - first + 1) * 24))
    hosts = read_hosts(directory)
    assert sum(hosts.column("packets").to_pylist()) == 7_667
    assert set(hosts.column("masscan_share").to_pylist()) == {1.0}


def read_plain_pcap(path: Path):
    """Read IPv4 TCP over Ethernet from a classic little-endian pcap, microseconds."""
    data, position, packets = path.read_bytes(), 24, []
    while position < len(data):
        word = [int.from_bytes(data[position + k : position + k + 4], "little") for k in (0, 4, 8)]
        frame = data[position + 16 : position + 16 + word[2]]
        position += 16 + word[2]
        ip = frame[14:]
        tcp = ip[(ip[0] & 15) * 4 :]

        def number(part, start, stop):
            return int.from_bytes(part[start:stop], "big")

        packets.append(
            packet(
                ts_ns=word[0] * 10**9 + word[1] * 1_000,
                src_ip=number(ip, 12, 16),
                dst_ip=number(ip, 16, 20),
                src_port=number(tcp, 0, 2),
                dst_port=number(tcp, 2, 4),
                seq=number(tcp, 4, 8),
                ip_id=number(ip, 4, 6),
                tcp_flags=tcp[13],
                mirai=None,
            )
        )
    return packets


def test_bin_borders(build):
    """The first nanosecond of a day belongs to it, the first of the next day does not."""
    times = [START - 1, START, START + DAY_NS - 1, START + DAY_NS]
    packets = [packet(ts_ns=time, src_ip=ANNA + n) for n, time in enumerate(times)]
    hosts = read_hosts(build(packets)).column("host").to_pylist()
    assert hosts == [ANNA + 1, ANNA + 2]
    next_day = read_hosts(build(packets, time_bin=Bin(START + DAY_NS)))
    assert next_day.column("host").to_pylist() == [ANNA + 3]


def test_order_of_files_and_threads_changes_nothing(build, tmp_path):
    """Shuffled rows over other files with other threads give the same bytes, but for inputs."""
    packets = random_packets(11, 2_000)
    other = packets[:]
    random.Random(1).shuffle(other)
    config = SnapshotConfig(min_packets=2, max_ports=9)
    first = build(packets, config=config, threads=2)
    second = build(other[:10], other[10:1_500], [], other[1_500:], config=config, threads=1)
    for name in TABLES:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    ours, theirs = read_summary(first), read_summary(second)
    assert len(theirs.pop("inputs")) == 4
    ours.pop("inputs")
    assert ours == theirs


def test_same_file_named_twice_is_read_once(tmp_path):
    """Naming a file twice adds nothing."""
    path = write_packets(tmp_path / "p.parquet", HAND_COUNTED)
    (tmp_path / "s").mkdir()
    again = tmp_path / "." / "p.parquet"
    assert build_snapshot([path, again], DAY, ALL, tmp_path / "s")["read"] == 12


def test_duplicates_are_counted_and_dropped_on_request(build):
    """An overlap of two files is seen in both ways of handling it."""
    rows = [packet(ts_ns=START + n // 2) for n in range(10)]
    other_flag = [packet(ts_ns=START, tcp_flags=0), packet(ts_ns=START, mss=None)]
    kept = read_summary(build(rows, rows[:4], other_flag))
    assert (kept["kept"], kept["found"]["duplicate"], kept["dropped"]["duplicate"]) == (16, 9, 0)
    cut = read_summary(build(rows, rows[:4], other_flag, config=replace(ALL, drop_duplicates=True)))
    assert (cut["kept"], cut["found"]["duplicate"], cut["dropped"]["duplicate"]) == (7, 9, 9)


def test_duplicates_go_before_the_host_filter(build):
    """A host whose packets are copies of one has one packet, too few."""
    config = SnapshotConfig(min_packets=2, drop_duplicates=True)
    rows = [packet(src_ip=ANNA)] * 9 + [packet(src_ip=BELA, seq=n) for n in range(2)]
    summary = read_summary(build(rows, config=config))
    assert (summary["hosts"], summary["dropped"]["duplicate"]) == (1, 8)
    assert summary["dropped"]["few_packets"] == 1


@pytest.mark.parametrize("count", [2, 5_000])
def test_large_timestamps_with_little_spread(build, count):
    """No cancellation: timestamps near 2**32 that differ by 1 keep their deviation."""
    values = [2**32 - 1 - n % 2 for n in range(count)]
    rows = [packet(ts_option=v, length=v, ts_ns=START + n) for n, v in enumerate(values)]
    host = read_hosts(build(rows)).to_pylist()[0]
    exact = math.sqrt(count / 4 / (count - 1))
    assert host["ts_option_std"] == pytest.approx(exact, rel=1e-12)
    assert host["length_std"] == pytest.approx(exact, rel=1e-12)
    assert host["ts_option_sum"] == sum(values)
    assert host["ts_option_mean"] == 2**32 - 1.5


def test_ties_at_the_port_cut_go_to_the_lower_number(build):
    """Of equally busy ports the lower one keeps its node, whatever the order of packets."""
    rows = [packet(dst_port=port, ts_ns=START + port) for port in (9, 8, 7, 6, 5)]
    directory = build(rows, config=replace(ALL, max_ports=2))
    assert read_ports(directory).column("port").to_pylist() == [-1, 5, 6]


def test_packets_without_a_port_belong_to_the_rest(build):
    """However many there are, they take no place among the ports, and count everywhere else."""
    rows = [packet(dst_port=None, dst_ip=DARK_1 + n % 3, ts_ns=START + n) for n in range(9)]
    rows += [packet(dst_port=80), packet(dst_port=90, dst_ip=DARK_1 + 5)]
    rows += [packet(dst_port=None, proto=17), packet(dst_port=None, src_ip=BELA)]
    directory = build(rows, config=replace(ALL, max_ports=1))
    assert read_ports(directory).column("packets").to_pylist() == [11, 1]
    edges = rows_by(read_edges(directory), "host", "port")
    assert list(edges) == [(ANNA, -1), (ANNA, 80), (BELA, -1)]
    assert (edges[ANNA, -1]["packets"], edges[ANNA, -1]["dark_addresses"]) == (10, 4)
    pairs = rows_by(read_pairs(directory), "host", "port")
    assert {key: row["packets"] for key, row in pairs.items()} == {
        (ANNA, -1): 9,
        (ANNA, 80): 1,
        (ANNA, 90): 1,
        (BELA, -1): 1,
    }
    anna = rows_by(read_hosts(directory), "host")[ANNA]
    assert (anna["packets"], anna["ports"], anna["true_ports"]) == (11, 2, 3)
    assert (anna["dark_addresses"], anna["length_sum"]) == (4, 440)
    summary = read_summary(directory)
    assert (summary["found"]["no_port"], summary["dropped"]["no_port"]) == (10, 0)
    assert (summary["dropped"]["not_tcp"], summary["true_ports"]) == (1, 2)
    assert [top["port"] for top in summary["top_ports"]] == [80, 90]
    assert summary["nulls"] == {"dst_port": 10}


def test_a_trace_without_any_port(build):
    """Where no port is known at all, everything is one node."""
    directory = build([packet(dst_port=None)] * 3)
    assert read_ports(directory).column("port").to_pylist() == [-1]
    assert read_summary(directory)["absent_columns"] == ["dst_port"]
    assert read_hosts(directory).to_pylist()[0]["masscan_share"] is None


def test_no_rest_node_where_all_ports_fit(build):
    """Without ports beyond the cut there is no node for the rest."""
    rows = [packet(dst_port=port) for port in (1, 2)]
    ports = read_ports(build(rows, config=replace(ALL, max_ports=2)))
    assert ports.column("port").to_pylist() == [1, 2]


def test_one_packet_is_a_snapshot(build):
    """One packet gives one host, one port, one edge; no deviation and no gap."""
    host = read_hosts(build([packet()])).to_pylist()[0]
    assert (host["length_std"], host["packets_per_port_std"], host["gap_p50_s"]) == (0, 0, None)


def test_nothing_left_says_why(build):
    """Where no packet passes, the error counts what was read and why it went."""
    with pytest.raises(TraceError, match="12 packets read, of them 1 not TCP") as caught:
        build(HAND_COUNTED, config=SnapshotConfig(min_packets=99))
    assert caught.value.code == "NOTHING-LEFT"
    assert "9 from hosts with fewer than 99 packets" in str(caught.value)
    with pytest.raises(TraceError, match=r": 0 packets read\."):
        build([])
    with pytest.raises(TraceError, match="0 packets read"):
        build()


def test_as_released_differs_by_settings_only(build):
    """The released code keeps hosts with more than 5 packets."""
    rows = [packet(src_ip=ANNA, seq=n) for n in range(5)]
    rows += [packet(src_ip=BELA, seq=n) for n in range(6)]
    for preset, hosts in (("as_written", 2), ("as_released", 1)):
        assert read_hosts(build(rows, config=SnapshotConfig.of_preset(preset))).num_rows == hosts


def test_stored_form(build, tmp_path):
    """Files carry the settings' hash; 37 columns; the directory holds under a manifest."""
    assert FEATURES == len(PORT_FEATURES) == len(set(HOST_FEATURES)) == 37
    path = write_packets(tmp_path / "p.parquet", HAND_COUNTED)
    with new_directory(tmp_path / "done") as directory:
        summary = build_snapshot([path], DAY, ALL, directory)
    check_manifest(tmp_path / "done")
    assert summary == json.loads((tmp_path / "done" / "summary.json").read_bytes())
    assert sorted(p.name for p in (tmp_path / "done").iterdir()) == [
        "edges.parquet",
        "hosts.parquet",
        "manifest.json",
        "pairs.parquet",
        "ports.parquet",
        "summary.json",
    ]
    schema = pq.read_schema(tmp_path / "done" / "hosts.parquet")
    assert schema.equals(HOSTS_SCHEMA)
    assert schema.metadata[b"darkgnn_config"] == config_hash(ALL).encode()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["done", "p.parquet"]


def test_directories_with_glob_characters(tmp_path):
    """A path is a path: brackets and stars in names select no other file."""
    folder = tmp_path / "old [1] *?"
    folder.mkdir()
    path = write_packets(folder / "p?.parquet", [packet()])
    write_packets(folder / "pq.parquet", [packet(src_ip=BELA)] * 3)
    (tmp_path / "s").mkdir()
    assert build_snapshot([path], DAY, ALL, tmp_path / "s")["read"] == 1


@pytest.mark.slow
def test_little_memory_spills_and_gives_the_same(build, monkeypatch):
    """A million packets in 72 MiB spill beside the snapshot, and the result is the same."""
    rng = np.random.default_rng(5)
    count = 1_000_000
    table = pa.Table.from_pylist([PLAIN], schema=SCHEMA).take(np.zeros(count, np.int64))
    drawn = {"src_ip": 1_000, "dst_port": 2**16, "src_port": 2**10, "seq": 2**32}
    for name, most in drawn.items():
        values = pa.array(rng.integers(0, most, count), SCHEMA.field(name).type)
        table = table.set_column(COLUMNS.index(name), SCHEMA.field(name), values)
    plenty = build(table)
    spilled, read = [], building.read_shards

    def watch(*args, **options):
        shards = read(*args, **options)
        spilled.extend(path.stat().st_size for path in shards.parts)
        return shards

    monkeypatch.setattr(building, "read_shards", watch)
    little = build(table, memory_mb=72, threads=1)
    assert len(spilled) == 4
    assert min(spilled) > 2**20
    for name in TABLES:
        assert (plenty / name).read_bytes() == (little / name).read_bytes(), name


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 60))
def test_counts_always_add_up(tmp_path_factory, seed, rows):
    """Whatever comes, read = kept + dropped, and edges, ports and hosts hold the kept packets."""
    folder = tmp_path_factory.mktemp("counts")
    path = write_packets(folder / "p.parquet", random_packets(seed, rows))
    (folder / "s").mkdir()
    try:
        summary = build_snapshot([path], DAY, SnapshotConfig(min_packets=2), folder / "s")
    except TraceError:
        return
    assert summary["read"] == summary["kept"] + sum(summary["dropped"].values())
    for read in (read_hosts, read_ports, read_edges, read_pairs):
        assert sum(read(folder / "s").column("packets").to_pylist()) == summary["kept"]
