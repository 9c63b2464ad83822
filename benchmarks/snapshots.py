"""How fast parsed packets become snapshots: synthetic days in, seconds and peak memory out.

    python benchmarks/snapshots.py --days 31 --processes 2 --threads 1
    python benchmarks/snapshots.py --days 1 --processes 1 --giant 30000000   # one host sends these

The days are heavy-tailed in hosts and ports. Making the packets is not part of the time.
"""

import argparse
import multiprocessing
import os
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from darkgnn_core.config import SnapshotConfig
from darkgnn_core.snapshots.bins import Bin
from darkgnn_core.snapshots.building import build_snapshot
from darkgnn_core.traces.packets import DAY_NS, SCHEMA

FIRST_DAY_NS = 18_628 * DAY_NS
"""2021-01-01."""

GIANT = 198 << 24 | 51 << 16 | 100 << 8 | 1
PIECE = 1_000_000


def synthetic_day(
    rng: np.random.Generator, start_ns: int, packets: int, hosts: int, resolution: int = 1_000
) -> pa.Table:
    """Draw one day of packets: a few hosts send most, a few ports get most.

    Args:
        rng: Source of randomness.
        start_ns: Start of the day, UTC nanoseconds.
        packets: Number of rows.
        hosts: Number of senders before any filter.
        resolution: Nanoseconds that the clock of the capture tells apart.
    """
    addresses = rng.choice(2**31, size=hosts, replace=False).astype(np.uint32) + np.uint32(2**24)
    share = rng.pareto(0.9, hosts) + 0.02
    host = rng.choice(hosts, size=packets, p=share / share.sum())
    wide = (rng.random(hosts) < 0.25)[host]
    favourite = np.minimum(rng.zipf(1.3, hosts) * 7, 65_535)[host]
    anywhere = rng.integers(1, 50_000, packets)
    few = np.minimum(rng.zipf(1.6, packets) * 23, 65_535)
    port = np.where(wide, anywhere, np.where(rng.random(packets) < 0.7, favourite, few))
    mirai = (rng.random(hosts) < 0.15)[host]
    stack = rng.integers(0, 3, hosts)[host]
    dst = np.uint32(203 << 24 | 113 << 8) + rng.integers(0, 256, packets).astype(np.uint32)
    seq = np.where(mirai, dst, rng.integers(0, 2**32, packets)).astype(np.uint32)
    anyway = rng.integers(0, 65_536, packets)
    columns = {
        "ts_ns": start_ns + np.sort(rng.integers(0, DAY_NS, packets)) // resolution * resolution,
        "src_ip": addresses[host],
        "dst_ip": dst,
        "src_port": rng.integers(1_024, 65_536, packets).astype(np.uint16),
        "dst_port": port.astype(np.uint16),
        "proto": np.where(rng.random(packets) < 0.05, 17, 6).astype(np.uint8),
        "length": np.array([40, 44, 60])[stack].astype(np.uint32),
        "tcp_flags": np.where(rng.random(packets) < 0.02, 18, 2).astype(np.uint8),
        "ttl": (rng.integers(40, 250, hosts)[host] + rng.integers(0, 2, packets)).astype(np.uint8),
        "ip_id": np.where(stack == 1, 54_321, anyway).astype(np.uint16),
        "seq": seq,
        "window": np.where(mirai, anyway, np.array([1_024, 65_535, 29_200])[stack]).astype(
            np.uint16
        ),
        "mss": np.array([0, 1_460, 1_412])[stack].astype(np.uint16),
        "ts_option": np.where(stack == 2, rng.integers(0, 2**32, packets), 0).astype(np.uint32),
        "mirai": seq == dst,
    }
    return pa.table(columns, schema=SCHEMA)


def write_day(path: Path, day: int, options: argparse.Namespace) -> None:
    """Write the packets of day number `day`, as a reader would store them."""
    start = FIRST_DAY_NS + day * DAY_NS
    rng = np.random.default_rng(day)
    as_stored = {"compression": "zstd", "compression_level": 1, "write_page_checksum": True}
    with pq.ParquetWriter(path, SCHEMA, **as_stored) as writer:
        writer.write_table(
            synthetic_day(rng, start, options.packets, options.hosts, options.resolution)
        )
        for first in range(0, options.giant, PIECE):
            count = min(PIECE, options.giant - first)
            writer.write_table(of_one_host(synthetic_day(rng, start, count, 1_000), rng))


def of_one_host(packets: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Return these packets as if one host had sent them, to 65,536 dark addresses."""
    drawn = {
        "src_ip": np.full(len(packets), GIANT, np.uint32),
        "dst_ip": rng.integers(0, 2**16, len(packets)).astype(np.uint32),
    }
    for name, values in drawn.items():
        packets = packets.set_column(SCHEMA.get_field_index(name), SCHEMA.field(name), [values])
    return packets


def build_day(path: Path, day: int, directory: Path, options: argparse.Namespace) -> dict[str, int]:
    """Build one snapshot; return its counts and this process's peak memory in MiB."""
    directory.mkdir()
    summary = build_snapshot(
        [path],
        Bin(FIRST_DAY_NS + day * DAY_NS),
        SnapshotConfig(),
        directory,
        memory_mb=options.memory_mb,
        threads=options.threads,
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {name: summary[name] for name in ("read", "kept", "hosts", "edges")} | {"peak": peak}


def main() -> None:
    """Make the days, build them, print the figures."""
    options = parse_options()
    with tempfile.TemporaryDirectory() as folder:
        days = range(options.days)
        paths = [Path(folder) / f"packets-{day:03}.parquet" for day in days]
        outputs = [Path(folder) / f"snapshot-{day:03}" for day in days]
        for path, day in zip(paths, days, strict=True):
            write_day(path, day, options)
        context = multiprocessing.get_context("spawn")
        started = time.perf_counter()
        with ProcessPoolExecutor(options.processes, mp_context=context) as pool:
            results = list(pool.map(build_day, paths, days, outputs, repeat(options)))
        seconds = time.perf_counter() - started
        stored = sum(p.stat().st_size for o in outputs for p in o.iterdir())
    packets = sum(result["read"] for result in results)
    print(f"{options.days} days, {packets:,} packets, last day {results[-1]}")
    print(
        f"{options.processes} processes x {options.threads} threads, load {os.getloadavg()[0]:.1f}"
    )
    print(
        f"{seconds:.1f} s, {seconds / options.days:.2f} s a day, {packets / seconds:,.0f} packets/s"
    )
    processor = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{processor.ru_utime + processor.ru_stime:.1f} s of processor time")
    print(f"peak memory {max(r['peak'] for r in results)} MiB a process")
    print(f"{stored / options.days / 2**20:.1f} MiB a snapshot")


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=4)
    parser.add_argument("--packets", type=int, default=1_770_000, help="packets a day")
    parser.add_argument("--hosts", type=int, default=20_000, help="senders a day")
    parser.add_argument("--giant", type=int, default=0, help="packets of one host more, a day")
    parser.add_argument("--resolution", type=int, default=1_000, help="of the clock, ns")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    parser.add_argument("--memory-mb", type=int, default=300, help="of each database")
    return parser.parse_args()


if __name__ == "__main__":
    main()
