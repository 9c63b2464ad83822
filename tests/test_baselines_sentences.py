"""Sentences of i-DarkVec against plain Python on random packets."""

import itertools
import random
from collections import Counter, defaultdict
from ipaddress import IPv4Address

import brute_force
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkgnn_core.baselines.sentences import Sentences, port_ranges, read_sentences
from darkgnn_core.config import SnapshotConfig
from darkgnn_core.errors import WorkspaceError
from darkgnn_core.run_days import DayInput
from darkgnn_core.snapshots.bins import HOUR_NS, Bin
from darkgnn_core.snapshots.building import build_snapshot
from darkgnn_core.snapshots.reading import column, read_hosts
from darkgnn_core.traces.packets import SCHEMA

HALF_DAY = Bin.parse("2021-12-12T12", 12)
SENDERS = random.Random(7).sample(range(20 << 24, 90 << 24), 7)
PRIVATE = int(IPv4Address("10.0.0.1"))


def random_packets(seed: int, rows: int = 400) -> list[dict]:
    """Make packets of all kinds, many at the same moment, some outside the half day."""
    draw = random.Random(seed)
    return [
        {
            "ts_ns": HALF_DAY.start_ns + draw.randrange(-20, 200) * HOUR_NS // 15,
            "src_ip": draw.choice([*SENDERS, SENDERS[0], PRIVATE]),
            "dst_ip": int(IPv4Address("203.0.113.9")),
            "src_port": 40_000,
            "dst_port": draw.choice([22, 23, 23, 23, 65_535, 0, None]),
            "proto": draw.choice([6, 6, 6, 6, 17]),
            "length": 40,
            "tcp_flags": draw.choice([2, 2, 2, 18, 4]),
            "ttl": 50,
            "ip_id": 1,
            "seq": draw.randrange(5),
            "window": 1_024,
            "mss": 0,
            "ts_option": 0,
            "mirai": False,
        }
        for _ in range(rows)
    ]


def store(directory, packets, config, files=2) -> DayInput:
    """Store packets in files and the snapshot of the half day beside them."""
    paths = tuple(directory / f"packets-{number}.parquet" for number in range(files))
    for number, path in enumerate(paths):
        table = pa.Table.from_pylist(packets[number::files], SCHEMA)
        pq.write_table(table, path, row_group_size=37)
    snapshot = directory / "snapshot"
    snapshot.mkdir()
    build_snapshot(paths, HALF_DAY, config, snapshot)
    return DayInput(HALF_DAY.key, snapshot, paths)


def hosts_of(day: DayInput) -> np.ndarray:
    """Return the hosts of a stored snapshot."""
    return column(read_hosts(day.directory, ["host"]), "host")


def plain_sentences(packets: list[dict], config: SnapshotConfig) -> list[list[int]]:
    """Return the sentences by plain Python, addresses in place of places."""
    inside = [p for p in packets if HALF_DAY.start_ns <= p["ts_ns"] < HALF_DAY.end_ns]
    passed = [
        p
        for p in inside
        if p["proto"] == 6
        and (config.include_backscatter or not brute_force.is_backscatter(p))
        and (config.include_bogons or p["src_ip"] != PRIVATE)
    ]
    if config.drop_duplicates:
        passed = [dict(items) for items in {tuple(p.items()) for p in passed}]
    sent = Counter(p["src_ip"] for p in passed)
    text = defaultdict(list)
    for p in sorted(passed, key=lambda p: (p["ts_ns"], p["src_ip"])):
        if sent[p["src_ip"]] >= config.min_packets:
            port = -1 if p["dst_port"] is None else p["dst_port"]
            text[port].append(p["src_ip"])
    return [[host for host, _ in itertools.groupby(text[port])] for port in sorted(text)]


def as_lists(sentences: Sentences, hosts: np.ndarray) -> list[list[int]]:
    """Return sentences as lists of addresses."""
    ends = np.cumsum(sentences.sizes)
    return [part.tolist() for part in np.split(hosts[sentences.tokens], ends[:-1])]


@pytest.mark.parametrize(
    "config",
    [
        SnapshotConfig(bin_hours=12, include_bogons=False),
        SnapshotConfig(bin_hours=12, include_backscatter=True, min_packets=40),
        SnapshotConfig(bin_hours=12, drop_duplicates=True, min_packets=1),
    ],
)
def test_sentences_are_those_of_plain_python(tmp_path, config):
    """Filters, ports, time order and dropped repeats are those of a plain loop."""
    packets = random_packets(1)
    day = store(tmp_path, packets, config)
    hosts = hosts_of(day)
    found = read_sentences(day, hosts, config)
    assert as_lists(found, hosts) == plain_sentences(packets, config)
    assert found.tokens.dtype == np.uint32


def test_settings_matter_to_the_plain_sentences():
    """The random packets hold what each of the settings above leaves out."""
    packets = random_packets(1)
    one, two = SnapshotConfig(bin_hours=12), SnapshotConfig(bin_hours=12, min_packets=40)
    for changes in ({"include_backscatter": True}, {"include_bogons": False}):
        other = SnapshotConfig(bin_hours=12, **changes)
        assert plain_sentences(packets, other) != plain_sentences(packets, one)
    assert plain_sentences(packets, two) != plain_sentences(packets, one)


@pytest.mark.parametrize("rows", [1, 60, 10**6])
def test_passes_and_files_leave_no_trace(tmp_path, rows):
    """Any number of passes, files, repeated files and orders of rows give the same sentences."""
    config = SnapshotConfig(bin_hours=12)
    packets = random_packets(2)
    expected = plain_sentences(packets, config)
    random.Random(0).shuffle(packets)
    day = store(tmp_path, packets, config, files=3)
    hosts = hosts_of(day)
    twice = DayInput(day.key, day.directory, (*day.packet_files, day.packet_files[0]))
    for each in (day, twice):
        assert as_lists(read_sentences(each, hosts, config, pass_rows=rows), hosts) == expected
    ranges = port_ranges(day, rows)
    assert len(ranges) == {1: 5, 10**6: 1}.get(rows, len(ranges))
    assert ranges[0][0] == -1
    assert ranges[-1][1] == 65_535
    assert all(one[1] < two[0] for one, two in itertools.pairwise(ranges))


def test_a_damaged_packet_file_is_named(tmp_path):
    """A file that is cut ends in a message with its name, not in a foreign error."""
    config = SnapshotConfig(bin_hours=12)
    day = store(tmp_path, random_packets(3), config)
    path = day.packet_files[1]
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(WorkspaceError, match=r"packets-1\.parquet") as told:
        read_sentences(day, hosts_of(day), config)
    assert told.value.code == "DAMAGED"


@given(st.lists(st.integers(1, 30), min_size=1, max_size=8), st.integers(0, 40), st.integers(1, 12))
def test_cuts_are_those_of_a_plain_loop(sizes, every, longest):
    """Pieces end where a sentence ends, or every so many tokens, and none is too long."""
    total = sum(sizes)
    expected = []
    for size in sizes if not every else [min(every, total - at) for at in range(0, total, every)]:
        while size > longest:
            expected.append(longest)
            size -= longest
        expected.append(size)
    found = Sentences(np.zeros(total, np.uint32), np.array(sizes)).cut(every, longest)
    assert np.diff(found, prepend=0).tolist() == expected
