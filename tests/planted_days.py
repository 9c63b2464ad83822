"""A few made days with two planted groups of hosts, stored as packets and snapshots on disk."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from darkgnn_core.config import GraphConfig, SnapshotConfig
from darkgnn_core.durable import new_directory
from darkgnn_core.run_days import DayInput, Days
from darkgnn_core.snapshots.bins import Bin
from darkgnn_core.snapshots.building import build_snapshot
from darkgnn_core.traces.packets import DAY_NS, SCHEMA

FIRST_DAY = date(2021, 12, 1)
SENDERS = tuple(
    int(IPv4Address(network)) + number
    for network in ("192.0.2.0", "198.51.100.0")
    for number in range(1, 255)
)
DARK = int(IPv4Address("203.0.113.0"))
GROUPS: Mapping[str, Mapping[str, object]] = {
    "A": {"ports": (23, 2323, 5555, 37215), "ttl": 48, "window": 14_600, "length": 60, "mss": 1460},
    "B": {"ports": (80, 443, 3389, 8443), "ttl": 235, "window": 1_024, "length": 40, "mss": 0},
}
SHARED_PORTS = (22, 8080)


def planted_days(
    tmp_path: Path,
    *,
    days: int = 4,
    hosts: int = 60,
    seed: int = 0,
    graph: GraphConfig | None = None,
    packets: int = 40,
    absent: float = 0.2,
    shared: float = 0.1,
    fingerprints: bool = True,
    config: SnapshotConfig | None = None,
) -> tuple[Days, dict[int, str]]:
    """Make days on which the hosts of group A and of group B each do their own.

    Group A sends to four ports with one fingerprint, group B to four others with another; a share
    of the packets of both goes to two ports they share. Addresses tell nothing of the group. Each
    day lies in two packet files, rows of both in any order, beside its snapshot.

    Args:
        tmp_path: Existing directory; `packets/` and `snapshots/` are made in it.
        days: Successive UTC days from 2021-12-01.
        hosts: Hosts in all, half of them in each group; at most 508.
        seed: Of all that is random.
        graph: Edges and scaling of the `Days`.
        packets: Mean number of packets of a host and day.
        absent: Share of the hosts that stay away on a day, others each day.
        shared: Share of packets to the shared ports.
        fingerprints: Whether header fields differ between the groups; else ports alone do.
        config: Settings of the snapshots; bins must be days.

    Returns:
        The days, and the group of each host address.
    """
    config = config or SnapshotConfig()
    random = np.random.default_rng(seed)
    addresses = random.permutation(SENDERS)[:hosts].tolist()
    group_of = {address: "AB"[place % 2] for place, address in enumerate(addresses)}
    inputs = []
    for number in range(days):
        table = _day_of_packets(random, group_of, number, packets, absent, shared, fingerprints)
        key = f"{FIRST_DAY + timedelta(days=number):%Y-%m-%d}"
        inputs.append(store_day(tmp_path, key, [table[::2], table[1::2]], config))
    return Days(inputs, snapshot_config=config, graph=graph or GraphConfig()), group_of


def store_day(
    directory: Path, key: str, tables: Sequence[pa.Table], config: SnapshotConfig
) -> DayInput:
    """Store the packets of a day, a file each table, and the snapshot built of them.

    Args:
        directory: Existing directory; `packets/` and `snapshots/` are made in it.
        key: Name of the bin.
        tables: Tables of `packets.SCHEMA`.
        config: Settings of the snapshot.
    """
    for folder in ("packets", "snapshots"):
        (directory / folder).mkdir(exist_ok=True)
    files = []
    for number, table in enumerate(tables):
        files.append(directory / "packets" / f"{key}-{number}.parquet")
        pq.write_table(table, files[-1], row_group_size=1_000)
    with new_directory(directory / "snapshots" / key) as made:
        build_snapshot(files, Bin.parse(key, config.bin_hours), config, made, threads=1)
    return DayInput(key, directory / "snapshots" / key, tuple(files))


def rebuilt(
    days: Days, directory: Path, change: Callable[[pa.Table], pa.Table], *, first: int = 0
) -> Days:
    """Return the days with packets changed, in `directory`, with snapshots of their own.

    Args:
        days: Days with packet files.
        directory: Where the copy goes; made if it is not there.
        change: From a table of `packets.SCHEMA` to another such table.
        first: Position of the first day that is changed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    inputs = list(days.inputs[:first])
    for each in days.inputs[first:]:
        tables = [change(pq.read_table(path)) for path in each.packet_files]
        inputs.append(store_day(directory, each.key, tables, days.snapshot_config))
    return Days(inputs, snapshot_config=days.snapshot_config, graph=days.graph)


def _day_of_packets(
    random: np.random.Generator,
    group_of: Mapping[int, str],
    day: int,
    packets: int,
    absent: float,
    shared: float,
    fingerprints: bool,
) -> pa.Table:
    start = Bin.parse(f"{FIRST_DAY:%Y-%m-%d}").start_ns + day * DAY_NS
    present = [address for address in group_of if random.random() >= absent]
    parts = [
        _packets_of(
            random,
            address,
            start,
            random.integers(max(5, packets // 2), packets + packets // 2 + 1),
            shared,
            GROUPS[group_of[address]],
            GROUPS[group_of[address] if fingerprints else "A"],
        )
        for address in present
    ]
    table = pa.concat_tables(parts)
    return table.take(random.permutation(len(table)))


def _packets_of(
    random: np.random.Generator,
    address: int,
    start: int,
    count: int,
    shared: float,
    target: Mapping[str, object],
    look: Mapping[str, object],
) -> pa.Table:
    def same(value: int) -> np.ndarray:
        return np.full(count, value)

    own = random.choice(target["ports"], count)
    ports = np.where(random.random(count) < shared, random.choice(SHARED_PORTS, count), own)
    columns = {
        "ts_ns": start + random.integers(0, DAY_NS, count),
        "src_ip": same(address),
        "dst_ip": DARK + random.integers(0, 256, count),
        "src_port": random.integers(1_024, 65_536, count),
        "dst_port": ports,
        "proto": same(6),
        "length": look["length"] + 4 * random.integers(0, 2, count),
        "tcp_flags": same(2),
        "ttl": look["ttl"] - random.integers(0, 8, count),
        "ip_id": random.integers(0, 65_536, count),
        "seq": random.integers(0, 2**32, count),
        "window": same(look["window"]),
        "mss": same(look["mss"]),
        "ts_option": same(0),
        "mirai": np.zeros(count, bool),
    }
    arrays = [pa.array(columns[field.name]).cast(field.type) for field in SCHEMA]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)
