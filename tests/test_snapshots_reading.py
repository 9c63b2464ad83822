"""Stored snapshots as arrays: values in place, scaling, edges, damage noticed."""

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from darkgnn_core.config import GraphConfig, SnapshotConfig
from darkgnn_core.errors import WorkspaceError
from darkgnn_core.snapshots.bins import Bin
from darkgnn_core.snapshots.building import build_snapshot
from darkgnn_core.snapshots.columns import HOST_FEATURES, PORT_FEATURES
from darkgnn_core.snapshots.graphs import divide_by_maximum, graph_days, rank_in_bin
from darkgnn_core.snapshots.reading import (
    feature_matrix,
    read_edges,
    read_hosts,
    read_ports,
    read_snapshot,
)
from darkgnn_core.traces.packets import DAY_NS, SCHEMA

FIRST = Bin.parse("2021-12-12")
CONFIG = SnapshotConfig(min_packets=1, max_ports=4)


@pytest.fixture(scope="module")
def days(tmp_path_factory) -> list[Path]:
    """Build three days of random packets over the same few hosts and ports."""
    folder, rng, directories = tmp_path_factory.mktemp("days"), random.Random(3), []
    for number in range(3):
        start = FIRST.start_ns + number * DAY_NS
        packets = [
            {
                "ts_ns": start + rng.randrange(DAY_NS),
                "src_ip": rng.choice([7, 2**31, 2**32 - 1, 99, 100]),
                "dst_ip": rng.randrange(4),
                "dst_port": rng.choice([0, 22, 23, 80, 443, 65_535]),
                "proto": 6,
                "length": rng.choice([40, 44, 60]),
                "ts_option": rng.randrange(2**32),
            }
            for _ in range(14)
        ]
        path, directory = folder / f"{number}.parquet", folder / f"day{number}"
        pq.write_table(pa.Table.from_pylist(packets, schema=SCHEMA), path)
        directory.mkdir()
        build_snapshot([path], Bin(start), CONFIG, directory)
        directories.append(directory)
    return directories


def pairs_of(snapshot) -> dict[tuple[int, int], float]:
    """Return the weight of each (address, port) of a snapshot's edge index."""
    hosts, ports = snapshot.edge_index
    keys = zip(snapshot.hosts[hosts].tolist(), snapshot.ports[ports].tolist(), strict=True)
    return dict(zip(keys, snapshot.edge_weight.tolist(), strict=True))


def stored_pairs(directory: Path) -> dict[tuple[int, int], int]:
    """Return the packets of each (address, port) as stored."""
    rows = read_edges(directory).to_pylist()
    return {(row["host"], row["port"]): row["packets"] for row in rows}


def test_arrays_hold_what_is_stored(days):
    """Shapes, dtypes, features in the paper's order, edges at the right positions."""
    for directory in days:
        snapshot = read_snapshot(directory)
        n, m, e = len(snapshot.hosts), len(snapshot.ports), len(snapshot.edge_weight)
        assert snapshot.key == snapshot.summary["bin"]["key"]
        assert snapshot.hosts.dtype == np.uint32
        assert snapshot.ports.dtype == np.int32
        assert snapshot.host_features.shape == (n, 37)
        assert snapshot.port_features.shape == (m, 37)
        assert snapshot.edge_index.shape == (2, e)
        assert snapshot.edge_index.dtype == np.int64
        kinds = {a.dtype for a in (snapshot.host_features, snapshot.edge_weight)}
        assert kinds == {np.dtype("float32")}
        assert pairs_of(snapshot) == stored_pairs(directory)
        hosts = read_hosts(directory)
        assert snapshot.hosts.tolist() == sorted(hosts.column("host").to_pylist())
        for position, name in enumerate(HOST_FEATURES):
            stored = np.array(hosts.column(name).to_pylist(), np.float32)
            assert np.array_equal(snapshot.host_features[:, position], stored), name
        ports = read_ports(directory)
        for position, name in enumerate(PORT_FEATURES):
            stored = np.array(ports.column(name).to_pylist(), np.float32)
            assert np.array_equal(snapshot.port_features[:, position], stored), name


def test_daily_edges_are_those_of_the_day(days):
    """Daily edges have the packets of their own day."""
    for directory, snapshot in zip(days, graph_days(days, GraphConfig()), strict=True):
        assert pairs_of(snapshot) == stored_pairs(directory)


def test_month_first_puts_pairs_on_their_first_day(days):
    """Each pair stands on its first day only, with its packets of all days; hosts all stay."""
    totals, first = {}, {}
    for number, directory in enumerate(days):
        for pair, packets in stored_pairs(directory).items():
            totals[pair] = totals.get(pair, 0) + packets
            first.setdefault(pair, number)
    snapshots = list(graph_days(days, GraphConfig(edges="month_first")))
    for number, snapshot in enumerate(snapshots):
        expected = {pair: totals[pair] for pair, day in first.items() if day == number}
        assert pairs_of(snapshot) == expected
        assert len(snapshot.hosts) == read_hosts(days[number]).num_rows
    assert sum(len(s.edge_weight) for s in snapshots) == len(totals)
    assert len(snapshots[2].edge_weight) < len(stored_pairs(days[2]))


def test_scaling_by_the_maximum(days):
    """Each column is divided by its day's maximum, hosts and ports apart; empty columns stay 0."""
    for directory, snapshot in zip(days, graph_days(days, GraphConfig()), strict=True):
        for table, names, found in (
            (read_hosts(directory), HOST_FEATURES, snapshot.host_features),
            (read_ports(directory), PORT_FEATURES, snapshot.port_features),
        ):
            for position, name in enumerate(names):
                values = table.column(name).to_pylist()
                most = max(values)
                expected = [v / most if most else 0.0 for v in values]
                assert found[:, position].tolist() == pytest.approx(expected, rel=1e-6), name
        assert snapshot.host_features[:, HOST_FEATURES.index("ttl_mean")].max() == 0


def test_scaling_by_rank_and_none(days):
    """`quantile` gives ranks, `none` the values."""
    ranked = list(graph_days(days, GraphConfig(scaling="quantile")))
    plain = list(graph_days(days, GraphConfig(scaling="none")))
    for directory, by_rank, as_is in zip(days, ranked, plain, strict=True):
        features = feature_matrix(read_hosts(directory), HOST_FEATURES)
        assert np.array_equal(as_is.host_features, features.astype(np.float32))
        assert np.array_equal(by_rank.host_features, rank_in_bin(features).astype(np.float32))


@given(arrays(np.float64, (7, 3), elements=st.sampled_from([0, 1, 2.5, 1e15, 3])))
def test_ranks_match_a_plain_loop(features):
    """A rank is the mean place of equal values among the sorted ones, from 0 to 1."""
    found = rank_in_bin(features)
    for column in range(3):
        values = sorted(features[:, column])
        for row in range(7):
            places = [i for i, value in enumerate(values) if value == features[row, column]]
            expected = 0 if len(places) == 7 else sum(places) / len(places) / 6
            assert found[row, column] == pytest.approx(expected)


def test_scaling_of_nothing():
    """No rows, one row and zeros make neither an error nor a NaN."""
    for scale in (divide_by_maximum, rank_in_bin):
        for features in (np.zeros((0, 37)), np.zeros((1, 37)), np.zeros((5, 37))):
            assert np.array_equal(scale(features), features)


@pytest.mark.parametrize("name", ["hosts.parquet", "ports.parquet", "edges.parquet"])
@pytest.mark.parametrize("how", ["missing", "cut", "flipped", "other columns"])
def test_damage_is_named(days, tmp_path, name, how):
    """A missing, cut, changed or foreign file is an error that names it."""
    for path in days[0].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    path = tmp_path / name
    data = bytearray(path.read_bytes())
    if how == "missing":
        path.unlink()
    elif how == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif how == "flipped":
        data[60] ^= 1
        path.write_bytes(data)
    else:
        pq.write_table(pa.table({"host": [1]}), path)
    with pytest.raises(WorkspaceError, match=name) as caught:
        read_snapshot(tmp_path)
    assert caught.value.code == "DAMAGED"


def test_damaged_summary_is_named(days, tmp_path):
    """A summary that is no JSON is an error, not a bug."""
    for path in days[0].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "summary.json").write_text("{")
    with pytest.raises(WorkspaceError, match=r"summary\.json"):
        read_snapshot(tmp_path)
