"""One very large day: how long it takes to train and embed, and in how much memory.

    python -m benchmarks.large_day --hosts 1000000 --edges 10000000
    python -m benchmarks.large_day --hosts 100000 --edges 1000000 --history 1 --sampling whole

The day is made as the files of a snapshot, by a process of its own, and read as a run reads it. A
few hosts send to many ports, most to a few; a few ports hear from most hosts; the 37 columns are
what packets of a few kinds of senders would give. Settings are the paper's but for what is asked.
"""

import argparse
import json
import multiprocessing
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from darkgnn_core.config import GraphConfig, SnapshotConfig
from darkgnn_core.run_config import RunConfig
from darkgnn_core.run_days import DayInput, Days
from darkgnn_core.snapshots.columns import (
    EDGES_FILE,
    EDGES_SCHEMA,
    HOST_FEATURES,
    HOSTS_FILE,
    HOSTS_SCHEMA,
    PORT_FEATURES,
    PORTS_FILE,
    PORTS_SCHEMA,
    SUMMARY_FILE,
)
from darkgnn_core.trainers import Step
from darkgnn_core.training.resources import peak_bytes

FIRST_ADDRESS = 1 << 24
KINDS = 12
"""Kinds of senders, each with header fields of its own."""


def main() -> None:
    """Make the days, train on the last and embed it, print the figures."""
    options = parse_options()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.days_in or Path(temporary)
        context = multiprocessing.get_context("spawn")
        for day in range(options.history + 1):
            if (folder / key_of(day)).exists():
                continue
            maker = context.Process(target=write_day, args=(folder, day, options))
            maker.start()
            maker.join()
        print(json.dumps(measure(folder, options), indent=1))


def key_of(day: int) -> str:
    """Return the name of a day."""
    return f"2021-12-{day + 1:02}"


def write_day(folder: Path, day: int, options: argparse.Namespace) -> None:
    """Write the files of a snapshot with as many hosts and edges as asked for."""
    directory = folder / key_of(day)
    directory.mkdir()
    chance = np.random.default_rng([options.seed, day])
    hosts, ports, packets = pairs_of(chance, options.hosts, options.ports, options.edges)
    kinds = np.random.default_rng(options.seed).integers(0, KINDS, options.hosts)
    addresses = (FIRST_ADDRESS + 7 * np.arange(options.hosts)).astype(np.uint32)
    _write(directory / HOSTS_FILE, HOSTS_SCHEMA, "host", addresses, HOST_FEATURES, chance, kinds)
    numbers = np.arange(-1, options.ports - 1, dtype=np.int32)
    kinds = np.arange(options.ports) % KINDS
    _write(directory / PORTS_FILE, PORTS_SCHEMA, "port", numbers, PORT_FEATURES, chance, kinds)
    table = {"host": addresses[hosts], "port": numbers[ports], "packets": packets}
    _store(directory / EDGES_FILE, EDGES_SCHEMA, table, len(hosts))
    about = {"hosts": options.hosts, "ports": options.ports, "edges": len(hosts)}
    summary = {"bin": {"key": key_of(day)}, **about, "kept": int(packets.sum())}
    (directory / SUMMARY_FILE).write_text(json.dumps(summary), encoding="ascii")


def pairs_of(
    chance: np.random.Generator, hosts: int, ports: int, edges: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw distinct pairs of host and port, heavy-tailed on both sides, in order; and packets."""
    busy = np.cumsum(chance.pareto(1.5, hosts) + 0.3)
    popular = np.cumsum(1.0 / (np.arange(ports) + 5.0))
    rank = chance.permutation(ports)
    found = np.arange(hosts) * ports + rank[_by(popular, chance, hosts)]
    while len(found) < edges:
        missing = (edges - len(found)) * 5 // 4 + 16
        drawn = _by(busy, chance, missing) * ports + rank[_by(popular, chance, missing)]
        drawn = np.setdiff1d(drawn, found)
        few = chance.permutation(drawn)[: edges - len(found)]
        found = np.sort(np.concatenate([found, few]))
    packets = np.minimum(chance.zipf(1.8, len(found)), 100_000)
    return found // ports, found % ports, packets


def _by(ends: np.ndarray, chance: np.random.Generator, count: int) -> np.ndarray:
    return np.searchsorted(ends, chance.random(count) * ends[-1], side="right")


def _write(
    path: Path,
    schema: pa.Schema,
    name: str,
    numbers: np.ndarray,
    features: tuple[str, ...],
    chance: np.random.Generator,
    kinds: np.ndarray,
) -> None:
    columns: dict[str, Any] = {name: numbers}
    for each in features:
        level = chance.pareto(2.0, KINDS)[kinds] * 100
        columns[each] = level * chance.lognormal(0.0, 0.5, len(numbers))
    _store(path, schema, columns, len(numbers))


def _store(path: Path, schema: pa.Schema, columns: dict[str, Any], rows: int) -> None:
    """Write a table of a schema; what is not given is null, or 0 where it must be there."""
    arrays = []
    for field in schema:
        if field.name in columns:
            arrays.append(pa.array(columns[field.name]).cast(field.type))
        elif field.nullable:
            arrays.append(pa.nulls(rows, field.type))
        else:
            arrays.append(pa.array(np.zeros(rows)).cast(field.type))
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), path, write_page_checksum=True)


def measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Train on the last day and embed it; return what it took."""
    import torch

    from darkgnn_core.training.network import NetworkAtWork

    torch.set_num_threads(options.threads)
    config = RunConfig.of(
        options.variant,
        history_days=options.history,
        sampling=options.sampling,
        batch_edges=options.batch_edges,
        fanout=options.fanout,
        precision=options.precision,
    )
    inputs = [DayInput(key_of(day), folder / key_of(day)) for day in range(options.history + 1)]
    days = Days(inputs, snapshot_config=SnapshotConfig(), graph=GraphConfig())
    clock = Clock()
    for day in range(options.history + 1):
        days.snapshot(day)
    clock.lap("reading")
    work, last = NetworkAtWork(config, days), options.history
    graphs = work._window(last)
    clock.lap("graphs")
    told: list[Step] = []

    def tell(step: Step) -> None:
        told.append(step)
        if options.verbose and len(told) % 5 == 1:
            print(len(told), f"{step.loss:.4f} {step.seconds:.2f} s", flush=True)

    work.train(last, 1, 1, tell)
    clock.lap("training")
    embedding = work.embed(last)
    clock.lap("embedding")
    return {
        "hosts": len(embedding.hosts),
        "nodes": len(graphs[-1].nodes),
        "edges": graphs[-1].edges.shape[1],
        "variant": options.variant,
        "history": options.history,
        "steps": len(told),
        "links told right": [round(each.accuracy or 0, 3) for each in (told[0], told[-1])],
        "loss": [round(each.loss, 3) for each in (told[0], told[-1])],
        "seconds": clock.laps,
        "seconds in all": round(sum(clock.laps.values()), 1),
        "processor seconds": round(time.process_time(), 1),
        "peak GiB": clock.peaks,
        "threads": options.threads,
        "load": round(os.getloadavg()[0], 1),
    }


class Clock:
    """Seconds and peak memory after each part."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.laps: dict[str, float] = {}
        self.peaks: dict[str, float] = {"start": round(peak_bytes() / 2**30, 2)}

    def lap(self, name: str) -> None:
        """Note the end of a part."""
        now = time.perf_counter()
        self.laps[name], self.began = round(now - self.began, 1), now
        self.peaks[name] = round(peak_bytes() / 2**30, 2)


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hosts", type=int, default=1_000_000)
    parser.add_argument("--ports", type=int, default=2_501)
    parser.add_argument("--edges", type=int, default=10_000_000)
    parser.add_argument("--variant", default="i-gcn-gru")
    parser.add_argument("--history", type=int, default=0, help="days before the day")
    parser.add_argument("--sampling", default="auto", choices=["auto", "whole", "neighbours"])
    parser.add_argument("--batch-edges", type=int, default=65_536)
    parser.add_argument("--fanout", type=int, default=10)
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--days-in", type=Path, help="where made days are, or are to stay")
    parser.add_argument("--verbose", action="store_true", help="print a step in five")
    return parser.parse_args()


if __name__ == "__main__":
    main()
