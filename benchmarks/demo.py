"""Time, packets a second and peak memory of the demo darknet; its Table 2 beside the paper's.

python -m benchmarks.demo                  # small, one full day, the full plan
python -m benchmarks.demo --month          # also the whole month as log files
python -m benchmarks.demo --table          # also Table 2 of the full month
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import astuple
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
        small = _timed("plan small", lambda: demo.plan(demo.DemoConfig()), 0)
        for name, write in (("logs", demo.write_logs), ("parquet", demo.write_parquet)):
            _timed(
                f"small {name}, 1 process", lambda w=write: w(small, Path(folder)), small.packets
            )
        full = _timed("plan full", lambda: demo.plan(demo.DemoConfig.of_size("full")), 0)
        one = int(full.activity.of_day(0)[1].sum())
        day = full.days[0]
        _timed("one full day, generated", lambda: [None for _ in demo.generate_day(full, day)], one)
        if arguments.month:
            processes = arguments.processes
            _timed(
                f"full month of logs, {processes} processes",
                lambda: demo.write_logs(full, Path(folder), processes=processes),
                full.packets,
            )
            size = sum(path.stat().st_size for path in Path(folder).glob("*.log.gz"))
            print(f"log files: {size / 1e9:.2f} GB")
    if arguments.table:
        show_table(demo.table2(full, processes=arguments.processes))


def _timed(name: str, work: Callable[[], Result], packets: int) -> Result:
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    unit = 1024 if sys.platform != "darwin" else 1024**2
    rate = f"{packets / seconds:12,.0f} packets/s" if packets else " " * 22
    print(
        f"{name:36} {seconds:7.1f} s {rate}  peak RSS {own / unit:5.0f} MiB, "
        f"largest child {children / unit:5.0f} MiB"
    )
    return result


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
