"""Background jobs: start, queue, watch, cancel; each its own process, its state a catalogue row.

On a device one job is active at a time, which a unique index of the catalogue holds whoever starts
them. A queued job starts when its device is free: the worker that ends, the queue keeper and
whoever lists jobs all try, and the index lets one of them.
"""

import json
import shutil
import sqlite3
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from darkgnn_core import job_processes as processes
from darkgnn_core.catalogue import transaction, utc_now
from darkgnn_core.errors import DarkgnnError, JobError
from darkgnn_core.workspace import Workspace

State = Literal["queued", "starting", "running", "done", "failed", "cancelled", "interrupted"]
ACTIVE = ("starting", "running")
START_S = 30.0
SILENT_S = 30.0
LOG_TAIL_BYTES = 64 * 1024
CANCELLED = "You cancelled it. What it had finished is kept."


@dataclass(frozen=True)
class Job:
    """A background job as the catalogue knows it.

    Attributes:
        id: Its id, also the name of its directory.
        kind: What it does: `load`, `demo`, `snapshots`, `remove`, `train`, `score`.
        config: What it was told, JSON.
        state: `queued` waits for its device; `starting` and `running` hold it; the others are
            final.
        message: Why it ended as it did, for the analyst.
        progress: The last progress it told, JSON.
        report: What it found, JSON; empty until it is done.
        pid: Its process, once started.
        created_at: ISO 8601 UTC.
        heartbeat_at: When it last told anything, ISO 8601 UTC.
        ended_at: ISO 8601 UTC, once final.
        started_at: When its process was started, ISO 8601 UTC.
        device: What it has for itself.
        run_id: The run it trains; None for all other kinds.
        code: Code of the error it failed with; empty otherwise.
    """

    id: str
    kind: str
    config: dict[str, Any]
    state: State
    message: str
    progress: dict[str, Any]
    report: dict[str, Any]
    pid: int | None
    created_at: str
    heartbeat_at: str | None
    ended_at: str | None
    started_at: str | None = None
    device: str = "workspace"
    run_id: str | None = None
    code: str = ""

    @property
    def is_active(self) -> bool:
        """Whether it has not ended yet."""
        return self.state in ("queued", *ACTIVE)

    @property
    def is_silent(self) -> bool:
        """Whether it is there but has told nothing for half a minute: it does not respond."""
        return self.state == "running" and is_silent_since(self.heartbeat_at)


def is_silent_since(heartbeat_at: str | None) -> bool:
    """Say whether a heartbeat is older than `SILENT_S`."""
    return heartbeat_at is not None and _age_s(heartbeat_at) > SILENT_S


def _age_s(time: str) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(time)).total_seconds()


def start_job(
    workspace: Workspace, kind: str, config: dict[str, Any], *, device: str = "workspace"
) -> str:
    """Start a job in its own process and return its id at once.

    Args:
        workspace: What it works on.
        kind: One of `worker.KINDS`.
        config: What it is told; must be JSON.
        device: One job is active on a device at a time.

    Raises:
        JobError: `BUSY`, naming the job that is active on the device.
        WorkspaceError: `DISK-FULL`, `NO-PERMISSION` where its directory cannot be made.
    """
    settle_jobs(workspace)
    job_id = uuid.uuid4().hex[:12]
    with workspace.catalogue() as connection:
        try:
            connection.execute(
                "INSERT INTO job (id, kind, device, config, state, created_at, started_at) "
                "VALUES (?, ?, ?, ?, 'starting', ?, ?)",
                (job_id, kind, device, json.dumps(config), utc_now(), utc_now()),
            )
        except sqlite3.IntegrityError as error:
            raise _busy(connection, device) from error
        _launch(workspace, connection, job_id)
    return job_id


def add_queued_job(
    connection: sqlite3.Connection, kind: str, config: dict[str, Any], *, device: str, run_id: str
) -> str:
    """Put a run's job at the end of its device's queue; `settle_jobs` starts it in its turn.

    Args:
        connection: In whose transaction the row appears.
        kind: One of `worker.KINDS`.
        config: What it is told; must be JSON.
        device: Whose queue it joins.
        run_id: The run it trains.

    Returns:
        Its id.
    """
    job_id = uuid.uuid4().hex[:12]
    connection.execute(
        "INSERT INTO job (id, kind, device, config, state, created_at, run_id) "
        "VALUES (?, ?, ?, ?, 'queued', ?, ?)",
        (job_id, kind, device, json.dumps(config), utc_now(), run_id),
    )
    return job_id


def _busy(connection: sqlite3.Connection, device: str) -> JobError:
    row = connection.execute(
        "SELECT id, kind, created_at FROM job "
        "WHERE device = ? AND state IN ('starting', 'running')",
        (device,),
    ).fetchone()
    which = "" if row is None else f" ({row['kind']} {row['id']}, since {row['created_at']})"
    return JobError(
        f"A job is already under way{which}. Wait until it ends, or cancel it.", code="BUSY"
    )


def _launch(workspace: Workspace, connection: sqlite3.Connection, job_id: str) -> None:
    """Start the process of a job whose row says `starting`; fail the job where that cannot be."""
    try:
        pid = processes.launch(workspace, job_id)
    except (DarkgnnError, OSError) as error:
        connection.execute(
            "UPDATE job SET state = 'failed', message = ?, code = ?, ended_at = ? WHERE id = ?",
            (f"It could not be started: {error}", getattr(error, "code", ""), utc_now(), job_id),
        )
        raise
    connection.execute(
        "UPDATE job SET pid = ?, pid_created = ? WHERE id = ?",
        (pid, processes.created_at(pid), job_id),
    )


def list_jobs(workspace: Workspace, *, with_runs: bool = False) -> list[Job]:
    """Return all jobs, the latest first, their states settled.

    Args:
        workspace: Whose jobs.
        with_runs: Also those that train runs, which `runs.list_runs` shows.
    """
    settle_jobs(workspace)
    with workspace.catalogue() as connection:
        rows = connection.execute(
            "SELECT * FROM job WHERE run_id IS NULL OR ? ORDER BY created_at DESC, rowid DESC",
            (with_runs,),
        )
        return [_job_of(row) for row in rows]


def find_job(workspace: Workspace, job_id: str) -> Job:
    """Return one job, its state settled.

    Raises:
        JobError: `NO-JOB` if there is none of that id.
    """
    settle_jobs(workspace)
    with workspace.catalogue() as connection:
        row = connection.execute("SELECT * FROM job WHERE id = ?", (job_id,)).fetchone()
    if row is None:
        raise JobError(f"There is no job {job_id!r}.", code="NO-JOB")
    return _job_of(row)


def active_job(workspace: Workspace, *, device: str = "workspace") -> Job | None:
    """Return the job that holds a device, the writing of the workspace by default, or None."""
    jobs = list_jobs(workspace, with_runs=True)
    return next((job for job in jobs if job.state in ACTIVE and job.device == device), None)


def _job_of(row: sqlite3.Row) -> Job:
    values = {name: row[name] for name in row.keys()}  # noqa: SIM118 - a row yields its values
    for name in ("stop_requested", "pid_created"):
        values.pop(name)
    for name in ("config", "progress", "report"):
        values[name] = json.loads(values[name] or "{}")
    return Job(**values)


def settle_jobs(workspace: Workspace) -> None:
    """Mark as `interrupted` the jobs whose process is gone without a word; start who may start.

    A workspace that can only be read stays as it is.
    """
    if workspace.is_read_only:
        return
    with workspace.catalogue() as connection:
        rows = connection.execute(
            "SELECT * FROM job WHERE state IN ('starting', 'running')"
        ).fetchall()
        for row in rows:
            _settle(workspace, connection, row)
        _start_queued(workspace, connection)
        waits = connection.execute("SELECT 1 FROM job WHERE state = 'queued' LIMIT 1").fetchone()
    if waits is not None:
        processes.launch_queue_keeper(workspace)


def _settle(workspace: Workspace, connection: sqlite3.Connection, row: sqlite3.Row) -> None:
    status = processes.exit_status(row["id"])
    if processes.is_working(workspace, row["id"]) or _may_still_start(row, status):
        return
    if row["run_id"] is not None and row["state"] == "starting" and row["pid"] is None:
        connection.execute(  # who took it from the queue died before its process was there
            "UPDATE job SET state = 'queued', started_at = NULL "
            "WHERE id = ? AND state = 'starting' AND pid IS NULL",
            (row["id"],),
        )
        return
    if row["stop_requested"]:  # its process is gone because it was cancelled, a moment ago
        _set_cancelled(connection, row["id"], row["state"])
        return
    connection.execute(
        "UPDATE job SET state = 'interrupted', message = ?, ended_at = ? "
        "WHERE id = ? AND state = ?",
        (processes.how_it_died(workspace, row["id"]), utc_now(), row["id"], row["state"]),
    )


def _may_still_start(row: sqlite3.Row, status: int | None) -> bool:
    """Say whether a job without a lock may simply not have come to taking it yet."""
    if row["state"] != "starting" or status is not None:
        return False
    age_s = _age_s(row["started_at"] or row["created_at"])
    return abs(age_s) < START_S and (row["pid"] is None or processes.is_running(row))


def _start_queued(workspace: Workspace, connection: sqlite3.Connection) -> None:
    """Start the first queued job of each device that is free."""
    devices = connection.execute(
        "SELECT DISTINCT device FROM job AS waiting WHERE state = 'queued' AND NOT EXISTS "
        "(SELECT 1 FROM job WHERE device = waiting.device AND state IN ('starting', 'running'))"
    ).fetchall()
    for each in devices:
        job_id = _claim_next(connection, each["device"])
        while job_id is not None:
            try:
                _launch(workspace, connection, job_id)
            except (DarkgnnError, OSError):  # its row says so; the next one gets the device
                job_id = _claim_next(connection, each["device"])
            else:
                break


def _claim_next(connection: sqlite3.Connection, device: str) -> str | None:
    """Take the first job out of a device's queue; None if another process was quicker."""
    try:
        rows = connection.execute(
            "UPDATE job SET state = 'starting', started_at = ? WHERE state = 'queued' AND rowid = "
            "(SELECT MIN(rowid) FROM job WHERE device = ? AND state = 'queued') RETURNING id",
            (utc_now(), device),
        ).fetchall()
    except sqlite3.IntegrityError:  # the device has got an active job meanwhile
        return None
    return str(rows[0]["id"]) if rows else None


def cancel_job(workspace: Workspace, job_id: str) -> Job:
    """End a job within about two seconds, its child processes included; keep what it finished.

    It is asked first, then killed. Cancelling a job that has ended changes nothing.

    Raises:
        JobError: `NO-JOB` if there is none of that id.
    """
    job = find_job(workspace, job_id)
    if not job.is_active:
        return job
    with workspace.catalogue() as connection:
        _set_cancelled(connection, job_id, "queued")
        connection.execute("UPDATE job SET stop_requested = 1 WHERE id = ?", (job_id,))
        row = connection.execute("SELECT * FROM job WHERE id = ?", (job_id,)).fetchone()
    if row["state"] in ACTIVE:
        processes.end(workspace, row)
    with workspace.catalogue() as connection, transaction(connection):
        for state in ACTIVE:
            _set_cancelled(connection, job_id, state)
    return find_job(workspace, job_id)


def _set_cancelled(connection: sqlite3.Connection, job_id: str, state: str) -> None:
    connection.execute(
        "UPDATE job SET state = 'cancelled', message = ?, ended_at = ? WHERE id = ? AND state = ?",
        (CANCELLED, utc_now(), job_id, state),
    )


def read_log(workspace: Workspace, job_id: str) -> str:
    """Return the end of a job's log, control characters replaced; empty if it wrote none."""
    path = workspace.jobs / job_id / "log.txt"
    if not path.is_file():
        return ""
    with path.open("rb") as handle:
        handle.seek(max(0, path.stat().st_size - LOG_TAIL_BYTES))
        text = handle.read().decode("utf-8", errors="replace")
    return "".join(char if char in "\n\t" or char.isprintable() else "\ufffd" for char in text)


def forget_job(workspace: Workspace, job_id: str) -> None:
    """Remove an ended job and its log.

    Raises:
        JobError: `NO-JOB`, `BUSY` while it is active, `RUN` if it trains a run, with which it goes.
    """
    job = find_job(workspace, job_id)
    if job.is_active:
        raise JobError("The job is still under way. Cancel it first.", code="BUSY")
    if job.run_id is not None:
        raise JobError(f"The job belongs to run {job.run_id}. Delete the run.", code="RUN")
    with workspace.catalogue() as connection:
        connection.execute("DELETE FROM job WHERE id = ?", (job_id,))
    shutil.rmtree(workspace.jobs / job_id, ignore_errors=True)
