"""Following runs to their end: bars on a terminal, lines elsewhere; stopping cancels them."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Protocol

import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from darkgnn_core.cli.ingesting import INTERRUPTED, OK
from darkgnn_core.cli.output import Output, printable
from darkgnn_core.ingest import Ask
from darkgnn_core.runs import Run, cancel_run, find_run
from darkgnn_core.units import duration, file_size
from darkgnn_core.workspace import Workspace

POLL_S = 0.3
FAILED = 3


class Watcher(Protocol):
    """What shows how far a run is."""

    def see(self, run: Run) -> None:
        """Take note of a run as it is now."""


def follow(
    workspace: Workspace, ids: Sequence[str], output: Output, *, should_stop: Ask
) -> list[Run]:
    """Show how runs get on until all have ended; cancel what has not when asked to stop.

    Returns:
        The runs as they ended, in the order of `ids`.
    """
    with watching(output) as watcher:
        while True:
            runs = [find_run(workspace, run_id) for run_id in ids]
            for run in runs:
                watcher.see(run)
            if not any(run.is_active for run in runs):
                break
            if should_stop():
                # The last in the queue first: none starts because another was cancelled.
                for run in reversed(runs):
                    if run.is_active:
                        cancel_run(workspace, run.id)
                runs = [find_run(workspace, run_id) for run_id in ids]
                output.value("stopped", True)
                break
            time.sleep(POLL_S)
    tell_ends(runs, output)
    return runs


def exit_code(runs: Sequence[Run]) -> int:
    """Return 0 where all are done, 130 where one was cancelled, else 3."""
    states = {run.state for run in runs}
    if states <= {"done"}:
        return OK
    return INTERRUPTED if "cancelled" in states else FAILED


def tell_ends(runs: Sequence[Run], output: Output) -> None:
    """Print how runs ended, what was estimated beside what they took, and how to go on."""
    output.value("runs", [as_document(run) for run in runs])
    shown = [
        {
            "run": run.id,
            "state": run.state,
            "days": len(run.days),
            "time": _beside(duration, truth["seconds"], truth["estimated_seconds"]),
            "memory": _beside(_weighs, truth["peak_bytes"], truth["estimated_peak_bytes"]),
            "disk": _beside(_weighs, truth["disk_bytes"], truth["estimated_disk_bytes"]),
        }
        for run, truth in ((run, truth_of(run)) for run in runs)
    ]
    title = "How it went; the estimate in brackets"
    output.table("truth", pd.DataFrame(shown), title=title)
    output.value("truth", [truth_of(run) for run in runs])
    for run in runs:
        if run.state != "done":
            output.say(f"{run.id} {run.state}: {run.message}")
        if run.is_resumable and run.state != "done":
            output.say(f"  python -m darkgnn_core runs resume {run.id}")


def as_document(run: Run) -> dict[str, Any]:
    """Return a run as JSON can hold it."""
    return asdict(run) | {"config": run.config.to_dict(), "days": list(run.days)}


def truth_of(run: Run) -> dict[str, Any]:
    """Return what a run took beside what was estimated; None where it is not known."""
    told = run.progress | run.result
    return {
        "id": run.id,
        "state": run.state,
        "days": len(run.days),
        "seconds": told.get("seconds"),
        "estimated_seconds": run.estimate.get("seconds"),
        "peak_bytes": told.get("peak_bytes"),
        "estimated_peak_bytes": run.estimate.get("peak_bytes"),
        "disk_bytes": run.result.get("bytes"),
        "estimated_disk_bytes": run.estimate.get("disk_bytes"),
    }


def _beside(in_words: Callable[[float], str], truth: float | None, told: float | None) -> str:
    """Return a truth with its estimate in brackets; what is not known is left out."""
    parts = ["" if truth is None else in_words(truth)]
    parts.append("" if told is None else f"({in_words(told)})")
    return " ".join(parts).strip()


def _weighs(size: float) -> str:
    return file_size(int(size))


def in_a_line(run: Run) -> str:
    """Return how far a run is, in a line without its name."""
    told = run.progress
    parts = [str(told.get("unit") or told.get("day") or run.state)]
    if told.get("units_total"):
        parts.append(f"{told.get('units_done', 0)} of {told['units_total']}")
    if (told.get("epochs") or 1) > 1:
        parts.append(f"epoch {told.get('epoch', 0)}/{told['epochs']}")
    for name, shown in (("loss", "loss"), ("accuracy", "accuracy")):
        if told.get(name) is not None:
            parts.append(f"{shown} {told[name]:.3f}")
    if run.is_active and told.get("remaining_s") is not None:
        parts.append(f"{duration(told['remaining_s'])} left")
    return ", ".join(parts)


@contextmanager
def watching(output: Output) -> Iterator[Watcher]:
    """Give what shows progress: a bar a run on a terminal, lines elsewhere, nothing as JSON."""
    console = Console(stderr=True)
    if output.as_json or not console.is_terminal:
        yield _Lines(output)
        return
    bars = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[detail]}", markup=False),
        TimeElapsedColumn(),
        console=console,
    )
    with bars:
        yield _Bars(bars)


class _Lines:
    """A line whenever a run has come a unit further."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self.told: dict[str, tuple[Any, ...]] = {}

    def see(self, run: Run) -> None:
        now = (run.state, run.progress.get("units_done"))
        if self.told.get(run.id) != now:
            self.told[run.id] = now
            self.output.say(f"{run.name or run.config.method} {run.id}: {in_a_line(run)}")


class _Bars:
    """A bar a run."""

    def __init__(self, bars: Progress) -> None:
        self.bars = bars
        self.tasks: dict[str, TaskID] = {}

    def see(self, run: Run) -> None:
        if run.id not in self.tasks:
            name = printable(run.name or run.config.method)
            waits = run.state == "queued"
            self.tasks[run.id] = self.bars.add_task(
                f"{name} {run.id}", total=None, detail="", start=not waits
            )
        task = self.tasks[run.id]
        if run.state != "queued":
            self.bars.start_task(task)
        self.bars.update(
            task,
            completed=run.progress.get("units_done", 0),
            total=run.progress.get("units_total") or None,
            detail=printable(in_a_line(run)),
        )
        if not run.is_active:
            self.bars.stop_task(task)
