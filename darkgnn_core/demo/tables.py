"""Table 2 of a demo darknet, counted from its packets, beside the paper's."""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from darkgnn_core.demo.blocks import MIN_PACKETS
from darkgnn_core.demo.config import DemoConfig
from darkgnn_core.demo.generating import generate_day
from darkgnn_core.demo.planning import Plan, label_numbers
from darkgnn_core.demo.planning import plan as plan_of
from darkgnn_core.demo.targets import target_of
from darkgnn_core.demo.truth import (
    CLASSES,
    LABELS,
    PAPER_TABLE2,
    TOTAL,
    UNKNOWN_CLASS,
    Figures,
)
from darkgnn_core.traces.packets import TCP

SYN, RST, ACK = 0x02, 0x04, 0x10
NEEDED = ("src_ip", "dst_port", "proto", "tcp_flags")
PORTS = 1 << 16
Codes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Table2Row:
    """One row of Table 2.

    Attributes:
        label: Class, `unknown` or `total`.
        measured: Counted from the demo's packets.
        planned: What the settings ask for; at full size the paper's row. None for `total`.
        paper: The paper's row.
    """

    label: str
    measured: Figures
    planned: Figures | None
    paper: Figures


@dataclass(frozen=True)
class _DayCount:
    """A day after the paper's filters: hosts with their class and packets, and who hit which port.

    `ports` is bool (classes, 65536).
    """

    hosts: npt.NDArray[np.uint32]
    classes: npt.NDArray[np.int8]
    packets: npt.NDArray[np.int64]
    ports: npt.NDArray[np.bool_]


def table2(
    plan: Plan,
    *,
    directory: Path | None = None,
    processes: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[Table2Row]:
    """Count Table 2 the paper's way: TCP, no backscatter, hosts with 5 packets or more on a day.

    Args:
        plan: The planted truth gives each host its class.
        directory: Parquet files of `write_parquet` to count; None generates the packets anew.
        processes: Days counted at once.
        progress: Told days done and days planned.

    Returns:
        A row a class, `unknown` and `total`; daily averages are over the days on which a class
        has hosts, as in the paper (`truth`).
    """
    counts: list[_DayCount] = []
    for count in _counts(plan, directory, processes):
        counts.append(count)
        if progress is not None:
            progress(len(counts), len(plan.days))
    classes = (*CLASSES, UNKNOWN_CLASS)
    rows = [
        Table2Row(
            cls.label,
            _figures(counts, number),
            target_of(cls, plan.config).figures,
            cls.paper,
        )
        for number, cls in enumerate(classes)
    ]
    return [*rows, Table2Row(TOTAL, _figures(counts, None), None, PAPER_TABLE2[TOTAL])]


def _counts(plan: Plan, directory: Path | None, processes: int) -> Iterator[_DayCount]:
    if processes <= 1:
        for day in plan.days:
            yield _count_day(plan, _batches(plan, day, directory))
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        jobs = [pool.submit(_count_elsewhere, plan.config, day, directory) for day in plan.days]
        for job in jobs:
            yield job.result()


def _count_elsewhere(config: DemoConfig, day: date, directory: Path | None) -> _DayCount:
    plan = plan_of(config)
    return _count_day(plan, _batches(plan, day, directory))


def _batches(plan: Plan, day: date, directory: Path | None) -> Iterable[pa.RecordBatch]:
    if directory is None:
        return generate_day(plan, day)
    file = pq.ParquetFile(directory / f"{day.isoformat()}.parquet")
    batches: Iterable[pa.RecordBatch] = file.iter_batches(columns=list(NEEDED))
    return batches


def _count_day(plan: Plan, batches: Iterable[pa.RecordBatch]) -> _DayCount:
    parts = [_codes(batch) for batch in batches]
    codes = np.concatenate([np.zeros(0, dtype=np.uint64), *parts])
    pairs, weights = np.unique(codes, return_counts=True)
    sources = (pairs >> np.uint64(16)).astype(np.uint32)
    hosts, inverse = np.unique(sources, return_inverse=True)
    packets = np.bincount(inverse, weights, minlength=len(hosts)).astype(np.int64)
    order = np.argsort(plan.hosts.address)
    place = order[np.searchsorted(plan.hosts.address, hosts, sorter=order)]
    classes = label_numbers(plan)[place]
    kept = packets >= MIN_PACKETS
    ports = np.zeros((len(LABELS), PORTS), dtype=np.bool_)
    shown = kept[inverse]
    ports[classes[inverse[shown]], (pairs[shown] & np.uint64(PORTS - 1)).astype(np.int64)] = True
    return _DayCount(hosts[kept], classes[kept], packets[kept], ports)


def _codes(batch: pa.RecordBatch) -> Codes:
    """Return source and port of each scanning TCP packet as one number."""
    flags = batch.column("tcp_flags").fill_null(0).to_numpy()
    tcp = batch.column("proto").to_numpy() == TCP
    backscatter = ((flags & RST) != 0) | ((flags & (SYN | ACK)) == (SYN | ACK))
    kept = tcp & ~backscatter
    source = batch.column("src_ip").to_numpy()[kept].astype(np.uint64)
    port = batch.column("dst_port").fill_null(0).to_numpy()[kept].astype(np.uint64)
    found: Codes = source << np.uint64(16) | port
    return found


def _figures(counts: list[_DayCount], number: int | None) -> Figures:
    hosts: list[npt.NDArray[np.uint32]] = []
    ports, daily_ports = np.zeros(PORTS, dtype=np.bool_), []
    packets = 0
    for day in counts:
        mine = np.full(len(day.hosts), True) if number is None else day.classes == number
        if not mine.any():
            continue
        seen = day.ports.any(axis=0) if number is None else day.ports[number]
        hosts.append(day.hosts[mine])
        ports |= seen
        daily_ports.append(int(seen.sum()))
        packets += int(day.packets[mine].sum())
    days = max(len(hosts), 1)
    return Figures(
        len(np.unique(np.concatenate(hosts))) if hosts else 0,
        int(ports.sum()),
        packets,
        round(sum(map(len, hosts)) / days),
        round(sum(daily_ports) / days),
        round(packets / days),
    )
