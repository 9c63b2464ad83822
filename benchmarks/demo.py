"""Time, packets a second and peak memory of the demo darknet; its Table 2 beside the paper's.

python -m benchmarks.demo                  # small, one full day, the full plan
python -m benchmarks.demo --month          # also the whole month as log files
python -m benchmarks.demo --table          # also Table 2 of the full month
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import astuple
from functools import partial
from pathlib import Path
from typing import TypeVar

from darkgnn_core import demo

TOLERANCES = (0.01, 0.2, 0.1, 0.1, 0.2, 0.1)
Result = TypeVar("Result")
HEADINGS = ("hosts", "ports", "packets", "hosts a day", "ports a day", "packets a day")


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--month", action="store_true", help="write the full month as logs")
    parser.add_argument("--table", action="store_true", help="count Table 2 of the full month")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        time_small(Path(folder))
        full = time_full_day()
        if arguments.month:
            time_month(full, Path(folder), arguments.processes)
    if arguments.table:
        show_table(demo.table2(full, processes=arguments.processes))


def time_small(folder: Path) -> None:
    """Time the demo that the app makes on its first start."""
    small = _timed("plan small", lambda: demo.plan(demo.DemoConfig()), 0)
    for name, write in (("logs", demo.write_logs), ("parquet", demo.write_parquet)):
        job = partial(write, small, folder)
        _timed(f"small {name}, 1 process", job, small.packets)


def time_full_day() -> demo.Plan:
    """Time the plan of the full month and the packets of its first day."""
    full = _timed("plan full", lambda: demo.plan(demo.DemoConfig.of_size("full")), 0)
    packets = int(full.activity.of_day(0)[1].sum())
    _timed("one full day, generated", partial(_generate, full), packets)
    return full


def _generate(plan: demo.Plan) -> None:
    for _ in demo.generate_day(plan, plan.days[0]):
        pass


def time_month(full: demo.Plan, folder: Path, processes: int) -> None:
    """Time the full month as log files."""
    job = partial(demo.write_logs, full, folder, processes=processes)
    _timed(f"full month of logs, {processes} processes", job, full.packets)
    size = sum(path.stat().st_size for path in folder.glob("*.log.gz"))
    print(f"log files: {size / 1e9:.2f} GB")


def _timed(name: str, work: Callable[[], Result], packets: int) -> Result:
    start, cpu = time.perf_counter(), _cpu_seconds()
    result = work()
    seconds, cpu = time.perf_counter() - start, _cpu_seconds() - cpu
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    unit = 1024 if sys.platform != "darwin" else 1024**2
    rate = f"{packets / seconds:12,.0f} packets/s" if packets else " " * 22
    print(
        f"{name:36} {seconds:7.1f} s (CPU {cpu:6.1f} s) {rate}  peak RSS {own / unit:5.0f} MiB, "
        f"largest child {children / unit:5.0f} MiB"
    )
    return result


def _cpu_seconds() -> float:
    """Return CPU seconds of this process and its ended children."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def show_table(rows: list[demo.Table2Row]) -> None:
    """Print the demo's Table 2 beside the paper's; `!` marks what is outside the tolerance."""
    print(f"{'':15}" + "".join(f"{heading + ' / paper':>24}" for heading in HEADINGS))
    for row in rows:
        cells = []
        for mine, paper, limit in zip(
            astuple(row.measured), astuple(row.paper), TOLERANCES, strict=True
        ):
            mark = "!" if abs(mine - paper) > limit * paper else " "
            cells.append(f"{mine:>12,} /{paper:>9,}{mark}")
        print(f"{row.label:15}" + " ".join(cells))


if __name__ == "__main__":
    main()
