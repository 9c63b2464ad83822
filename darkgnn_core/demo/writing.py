"""The demo darknet on disk: log files or Parquet, one a day, with the planted truth beside them."""

import gzip
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from darkgnn_core.demo.config import DemoConfig
from darkgnn_core.demo.formatting import HEADER, log_lines
from darkgnn_core.demo.generating import generate_day
from darkgnn_core.demo.planning import Plan, address_text, is_labelled
from darkgnn_core.demo.planning import plan as plan_of
from darkgnn_core.durable import write_file
from darkgnn_core.traces.packets import SCHEMA
from darkgnn_core.traces.storing import PLAIN_COLUMNS, ROW_GROUP

GROUND_TRUTH, TRUTH = "ground_truth.csv", "truth.csv"
GZIP_LEVEL = 1

Progress = Callable[[int, int], None]
"""Called with packets written so far and packets planned; what it raises ends the writing."""


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        files: The day files, in order.
        packets: Packets in each.
    """

    files: tuple[Path, ...]
    packets: tuple[int, ...]


def write_logs(
    plan: Plan, directory: Path, *, progress: Progress | None = None, processes: int = 1
) -> Written:
    """Write `darknet_YYYYMMDD.log.gz` for each day in the paper's per-packet format, and truths.

    The files are the same bytes whatever the number of processes. Each appears whole or not at
    all; existing files of the same names are replaced.

    Args:
        plan: What to write.
        directory: Where to; created if absent.
        progress: Told after each hour of traffic (one process) or each day (several).
        processes: Days written at once.

    Raises:
        WorkspaceError: `DISK-FULL` where the device has no room.
    """
    return _write(plan, directory, _write_log, progress, processes)


def write_parquet(
    plan: Plan, directory: Path, *, progress: Progress | None = None, processes: int = 1
) -> Written:
    """Write `YYYY-MM-DD.parquet` of `packets.SCHEMA` for each day, and truths.

    As `write_logs`; unlike the logs these files hold `ip_id`.

    Raises:
        WorkspaceError: `DISK-FULL` where the device has no room.
    """
    return _write(plan, directory, _write_parquet, progress, processes)


def write_truth(plan: Plan, directory: Path) -> None:
    """Write `ground_truth.csv` (labelled hosts: src_ip, label) and `truth.csv` (every host)."""
    labels, chosen = plan.labels, is_labelled(plan).nonzero()[0]
    chosen = chosen[plan.hosts.address[chosen].argsort()]
    ground = pa.table(
        {
            "src_ip": [address_text(int(plan.hosts.address[host])) for host in chosen],
            "label": [labels[host] for host in chosen],
        }
    )
    for name, table in ((GROUND_TRUTH, ground), (TRUTH, plan.truth())):
        write_file(directory / name, partial(_write_csv, table))


def _write_csv(table: pa.Table, path: Path) -> None:
    options = pa.csv.WriteOptions(quoting_style="none", quoting_header="none")
    pa.csv.write_csv(table, path, options)


WriteDay = Callable[[Plan, date, Path, Callable[[int], None]], Path]


class _Teller:
    """Adds up packets and tells whoever asked."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0

    def add(self, packets: int) -> None:
        self.done += packets
        if self.progress is not None:
            self.progress(self.done, self.total)


def _write(
    plan: Plan, directory: Path, write_day: WriteDay, progress: Progress | None, processes: int
) -> Written:
    directory.mkdir(parents=True, exist_ok=True)
    write_truth(plan, directory)
    teller = _Teller(progress, plan.packets)
    if processes <= 1:
        pairs = [_one_day(plan, day, directory, write_day, teller.add) for day in plan.days]
    else:
        pairs = _in_processes(plan, directory, write_day, teller.add, processes)
    return Written(tuple(path for path, _ in pairs), tuple(packets for _, packets in pairs))


def _one_day(
    plan: Plan, day: date, directory: Path, write_day: WriteDay, tell: Callable[[int], None]
) -> tuple[Path, int]:
    counts: list[int] = []

    def count(packets: int) -> None:
        counts.append(packets)
        tell(packets)

    return write_day(plan, day, directory, count), sum(counts)


def _in_processes(
    plan: Plan,
    directory: Path,
    write_day: WriteDay,
    tell: Callable[[int], None],
    processes: int,
) -> list[tuple[Path, int]]:
    """Write days in processes of their own, started afresh (forking a threaded parent hangs)."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(plan.days)), mp_context=context) as pool:
        jobs = [
            pool.submit(_day_elsewhere, plan.config, day, directory, write_day) for day in plan.days
        ]
        try:
            for job in as_completed(jobs):
                tell(job.result()[1])
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
        return [job.result() for job in jobs]


def _day_elsewhere(
    config: DemoConfig, day: date, directory: Path, write_day: WriteDay
) -> tuple[Path, int]:
    return _one_day(plan_of(config), day, directory, write_day, lambda packets: None)


def _write_log(plan: Plan, day: date, directory: Path, count: Callable[[int], None]) -> Path:
    path = directory / f"darknet_{day:%Y%m%d}.log.gz"

    def write(temporary: Path) -> None:
        with (
            temporary.open("wb") as raw,
            gzip.GzipFile("", "wb", GZIP_LEVEL, raw, mtime=0) as packed,
        ):
            packed.write(HEADER)
            for batch in generate_day(plan, day):
                packed.write(log_lines(batch))
                count(batch.num_rows)

    write_file(path, write)
    return path


def _write_parquet(plan: Plan, day: date, directory: Path, count: Callable[[int], None]) -> Path:
    path = directory / f"{day.isoformat()}.parquet"
    dictionary = [name for name in SCHEMA.names if name not in PLAIN_COLUMNS]

    def write(temporary: Path) -> None:
        with pq.ParquetWriter(
            temporary,
            SCHEMA,
            compression="zstd",
            compression_level=1,
            use_dictionary=dictionary,
            write_page_checksum=True,
        ) as writer:
            for table in _row_groups(generate_day(plan, day), count):
                writer.write_table(table, row_group_size=ROW_GROUP)

    write_file(path, write)
    return path


def _row_groups(
    batches: Iterator[pa.RecordBatch], count: Callable[[int], None]
) -> Iterator[pa.Table]:
    """Join hours until they fill a row group."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        count(batch.num_rows)
        if sum(part.num_rows for part in waiting) >= ROW_GROUP:
            yield pa.Table.from_batches(waiting)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting)
