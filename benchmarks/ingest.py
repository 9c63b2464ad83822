"""Traces to snapshots, end to end: time, packets a second and peak memory of the whole command.

    python -m benchmarks.ingest                       # two full days of the demo as gzip logs
    python -m benchmarks.ingest --days 31             # the full demo month
    python -m benchmarks.ingest --traces FOLDER       # your own traces

The goals on 2 cores: 500,000 packets/s from gzip logs to snapshots, and 1 GiB whatever the input.
Memory is the sum over the command and all its children of what each has for itself plus its share
of what they have in common (PSS), sampled five times a second. Generating is not part of the time.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from darkgnn_core import demo

SAMPLE_S = 0.2


def main() -> None:
    """Generate if needed, ingest, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=2, help="full-size demo days to generate")
    parser.add_argument("--traces", type=Path, help="ingest these instead")
    parser.add_argument("--scratch", type=Path, help="where generated logs and the workspace go")
    parser.add_argument("words", nargs="*", help="more words for `ingest`")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as folder:
        traces = arguments.traces or generate(Path(folder) / "logs", arguments.days)
        started = time.monotonic()
        told, peak = ingest(traces, Path(folder) / "workspace", arguments.words)
        show(told, time.monotonic() - started, peak)


def generate(directory: Path, days: int) -> Path:
    """Write full-size demo days as gzip logs; return their folder."""
    started = time.monotonic()
    plan = demo.plan(demo.DemoConfig.of_size("full", days=days))
    written = demo.write_logs(plan, directory, processes=2)
    packets, seconds = sum(written.packets), time.monotonic() - started
    (directory / "truth.csv").unlink()
    print(f"generated {packets:,} packets in {seconds:.1f} s ({packets / seconds:,.0f}/s)")
    return directory


def ingest(traces: Path, workspace: Path, words: list[str]) -> tuple[dict[str, Any], int]:
    """Run the command; return what it told and the peak memory of its processes in bytes."""
    command = [sys.executable, "-m", "darkgnn_core", "ingest", str(traces), *words]
    command += ["--json", "--workspace", str(workspace)]
    peak = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            peak = max(peak, memory_of(watched))
            time.sleep(SAMPLE_S)
        assert process.stdout is not None  # noqa: S101 - asked for above
        return json.loads(process.stdout.read()), peak


def memory_of(process: psutil.Process) -> int:
    """Return the memory of a process and its children, in bytes."""
    total = 0
    try:
        for each in (process, *process.children(recursive=True)):
            total += each.memory_full_info().pss
    except psutil.Error:  # one ended while it was asked
        pass
    return total


def show(told: dict[str, Any], seconds: float, peak: int) -> None:
    """Print the figures."""
    failed = [row for row in told["files"] if row["status"] == "failed"]
    print(f"{len(told['files'])} files, {len(failed)} failed, {told['packets']:,} packets")
    print(f"{told['snapshots']['built']} snapshots in {seconds:.1f} s in all")
    print(f"{told['packets'] / seconds:,.0f} packets/s end to end")
    print(f"peak memory of all processes {peak / 2**20:,.0f} MiB")
    for row in failed:
        print(row["file"], row["error"])


if __name__ == "__main__":
    main()
