"""Runs: create them, queue, follow, cancel, resume, name, delete, and open what they made."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from darkgnn_core.catalogue import transaction
from darkgnn_core.config import SnapshotConfig
from darkgnn_core.durable import check_file
from darkgnn_core.embeddings import Embedding, read_embedding
from darkgnn_core.errors import RunError
from darkgnn_core.jobs import add_queued_job, cancel_job, read_log, settle_jobs
from darkgnn_core.run_config import FusionConfig, RunConfig
from darkgnn_core.run_days import DayInput, data_of
from darkgnn_core.run_inputs import inputs_between, inputs_named
from darkgnn_core.run_planning import checked_name, planned_runs, refuse_repeats
from darkgnn_core.run_store import (
    EMBEDDINGS,
    Run,
    add_row,
    directory_of,
    read_run,
    read_runs,
    remove_run,
    runs_lock,
    set_provenance,
    write_directory,
)
from darkgnn_core.training.progress import NAME as PROGRESS
from darkgnn_core.training.progress import read_lines
from darkgnn_core.training.resources import bytes_below
from darkgnn_core.workspace import Workspace

__all__ = [
    "Run",
    "archive_run",
    "cancel_run",
    "create_runs",
    "delete_run",
    "find_run",
    "list_runs",
    "new_days",
    "open_embedding",
    "read_progress",
    "rename_run",
    "resume_run",
    "run_log",
    "size_of",
]


def create_runs(
    workspace: Workspace,
    configs: Sequence[RunConfig],
    *,
    name: str = "",
    group: str = "",
    again: bool = False,
    estimate: dict[str, Any] | Sequence[dict[str, Any]] | None = None,
) -> list[str]:
    """Write runs down, queue one job each and start what can start; return their ids in order.

    Settings, data and provenance of all are in the catalogue and on disk before the first starts.

    Args:
        workspace: Whose snapshots, with the settings it shows now, they go over.
        configs: The settings of each.
        name: What the analyst calls them; empty for names told by the settings.
        group: What joins them; several runs without one get the name, or one of their own.
        again: Allow runs of the same settings over the same data as one that is there.
        estimate: What was estimated, kept beside the truth; one for all, or one each.

    Raises:
        RunError: `REPEATED`, naming the run; `NO-SNAPSHOTS`; `NO-DEVICE`; `NO-RUN` for a fusion of
            a run that is not there; `NOTHING` without settings; `NAME`.
        WorkspaceError: `DAMAGED` where a snapshot has changed on disk; `DISK-FULL`.
    """
    if not configs:
        raise RunError("There are no settings to run.", code="NOTHING")
    each = estimate or {}
    estimates = [each] * len(configs) if isinstance(each, dict) else each
    made = planned_runs(workspace, configs, name=name, group=group, estimates=estimates)
    with runs_lock(workspace), workspace.catalogue() as connection:
        if not again:
            refuse_repeats(connection, made)
        for run in made:
            write_directory(workspace, run)
        with transaction(connection):
            for run in made:
                add_row(connection, run)
                _queue(connection, run)
    settle_jobs(workspace)
    return [run.id for run in made]


def _queue(connection: sqlite3.Connection, run: Run) -> None:
    device = "cuda:0" if run.config.device == "cuda" else run.config.device
    job_id = add_queued_job(connection, "train", {"run_id": run.id}, device=device, run_id=run.id)
    connection.execute("UPDATE run SET job_id = ? WHERE id = ?", (job_id, run.id))


def find_run(workspace: Workspace, run_id: str) -> Run:
    """Return one run, its state settled.

    Raises:
        RunError: `NO-RUN`.
    """
    settle_jobs(workspace)
    return read_run(workspace, run_id)


def list_runs(workspace: Workspace, *, archived: bool = False) -> list[Run]:
    """Return the runs, newest first, states settled and the queue moved on.

    Args:
        workspace: Whose runs.
        archived: Also those that were archived.
    """
    settle_jobs(workspace)
    return read_runs(workspace, archived=archived)


def resume_run(workspace: Workspace, run_id: str) -> Run:
    """Queue a run again: after its last checkpoint, or, once done, with days that came since.

    Raises:
        RunError: `NO-RUN`; `BUSY` while it is active; `NOTHING-NEW` if it is done and no day came;
            `CANNOT-CONTINUE` if new days change its earlier ones; `DATA-CHANGED`, naming the day.
        WorkspaceError: `DAMAGED` where a snapshot has changed on disk.
    """
    run = find_run(workspace, run_id)
    if run.is_active:
        raise RunError(f"Run {run.id} is {run.state} already.", code="BUSY")
    inputs = unchanged_inputs(workspace, run)
    if run.state == "done":
        _take_new_days(workspace, run, inputs)
    with workspace.catalogue() as connection, transaction(connection):
        row = connection.execute("SELECT job_id FROM run WHERE id = ?", (run.id,)).fetchone()
        if row is not None and row["job_id"] == run.job_id:  # else another was quicker
            _queue(connection, run)
    return find_run(workspace, run_id)


def unchanged_inputs(workspace: Workspace, run: Run) -> list[DayInput]:
    """Return what a run reads, after holding it against what it was started on.

    Raises:
        RunError: `DATA-CHANGED`, naming the first day that is not as it was.
        WorkspaceError: `DAMAGED` where a snapshot has changed on disk.
    """
    known: dict[str, str] = run.provenance["data"]["days"]
    try:
        inputs = inputs_named(workspace, run.snapshot_config, sorted(known))
        found = data_of(inputs, run.snapshot_config)["days"]
    except RunError as error:
        raise RunError(f"{error} The run was started on it.", code="DATA-CHANGED") from error
    for key, digest in sorted(known.items()):
        if found[key] != digest:
            raise RunError(
                f"The snapshot of {key} was built anew since the run was started, from other "
                "packets. Start a new run over the data as they are now.",
                code="DATA-CHANGED",
            )
    return inputs


def new_days(workspace: Workspace, run: Run) -> tuple[str, ...]:
    """Return the keys of bins that came after a run's last one and that it may go on with.

    Bins that came late, before its last one, are not among them: they would change what it learned.
    """
    last = run.trained_days[-1]
    try:
        inputs = inputs_between(workspace, run.snapshot_config, first_day="", last_day="")
    except RunError:
        return ()
    until = run.config.last_day
    return tuple(each.key for each in inputs if last < each.key <= (until or each.key))


def _take_new_days(workspace: Workspace, run: Run, inputs: list[DayInput]) -> None:
    """Write down that a run goes over the days that came since.

    Raises:
        RunError: `NOTHING-NEW`, `CANNOT-CONTINUE`.
    """
    keys = new_days(workspace, run)
    if not keys:
        raise RunError(
            f"Run {run.id} is done, and no day has come after {run.trained_days[-1]}.",
            code="NOTHING-NEW",
        )
    graph = run.config.graph
    if graph.edges == "month_first" or graph.control == "shuffled_days":
        raise RunError(
            "With edges month_first, or shuffled days, new days change the earlier ones. Start a "
            "new run over all days.",
            code="CANNOT-CONTINUE",
        )
    config: SnapshotConfig = run.snapshot_config
    data = data_of([*inputs, *inputs_named(workspace, config, keys)], config)
    set_provenance(workspace, run, run.provenance | {"data": data})


def cancel_run(workspace: Workspace, run_id: str) -> Run:
    """End a run within about two seconds; it can be resumed. One that has ended is left as it is.

    Raises:
        RunError: `NO-RUN`.
    """
    run = find_run(workspace, run_id)
    if run.is_active and run.job_id is not None:
        cancel_job(workspace, run.job_id)
    return find_run(workspace, run_id)


def rename_run(workspace: Workspace, run_id: str, name: str) -> Run:
    """Call a run something else.

    Raises:
        RunError: `NO-RUN`, `NAME`.
    """
    run = read_run(workspace, run_id)
    kept = checked_name(name)
    with workspace.catalogue() as connection:
        connection.execute("UPDATE run SET name = ? WHERE id = ?", (kept, run_id))
    return replace(run, name=kept)


def archive_run(workspace: Workspace, run_id: str, archived: bool) -> Run:
    """Leave a run out of lists, or take it back in.

    Raises:
        RunError: `NO-RUN`.
    """
    run = read_run(workspace, run_id)
    with workspace.catalogue() as connection:
        connection.execute("UPDATE run SET archived = ? WHERE id = ?", (archived, run_id))
    return replace(run, archived=archived)


def delete_run(workspace: Workspace, run_id: str) -> None:
    """Delete a run with all its files.

    Raises:
        RunError: `NO-RUN`; `BUSY` while it is active, or an active fusion reads it.
    """
    with runs_lock(workspace):
        run = find_run(workspace, run_id)
        if run.is_active:
            raise RunError("The run is still under way. Cancel it first.", code="BUSY")
        for other in read_runs(workspace, archived=True):
            settings = other.config.settings
            if other.is_active and isinstance(settings, FusionConfig) and run_id in settings.runs:
                raise RunError(f"Run {other.id} reads it. Cancel that first.", code="BUSY")
        remove_run(workspace, run)


def read_progress(
    workspace: Workspace, run_id: str, *, after: int = 0
) -> tuple[list[dict[str, Any]], int]:
    """Return the complete lines of a run's progress from a byte on, and the byte to go on from.

    A `start` line with `units_done` below that of steps read before says that those steps were
    done again; of lines read at once such steps are left out already.
    """
    return read_lines(directory_of(workspace, run_id) / PROGRESS, after)


def open_embedding(workspace: Workspace, run_id: str, day_key: str) -> Embedding:
    """Return the embedding that a run made of a bin, its file held against its sha256.

    Raises:
        RunError: `NO-RUN`; `NO-EMBEDDING`, naming the days there are.
        WorkspaceError: `DAMAGED`.
    """
    run = read_run(workspace, run_id)
    if day_key not in run.days:
        there = f"{run.days[0]} to {run.days[-1]}" if run.days else "none yet"
        raise RunError(
            f"Run {run_id} has no embedding of {day_key}; it has {there}.", code="NO-EMBEDDING"
        )
    path = directory_of(workspace, run_id) / EMBEDDINGS / f"{day_key}.parquet"
    check_file(path)
    return read_embedding(path)


def size_of(workspace: Workspace, run_id: str) -> int:
    """Return the bytes that a run's files take."""
    return bytes_below(directory_of(workspace, run_id))


def run_log(workspace: Workspace, run_id: str) -> str:
    """Return the end of the log of a run's last job; empty if it wrote none.

    Raises:
        RunError: `NO-RUN`.
    """
    run = read_run(workspace, run_id)
    return "" if run.job_id is None else read_log(workspace, run.job_id)
