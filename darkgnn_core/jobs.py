"""Background jobs: start, watch, cancel; each its own process, its state a row of the catalogue.

A job is alive while its process holds the lock in its directory; the operating system frees that
lock however the process dies, so no crash leaves a job that seems to run for ever.
"""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import psutil
from filelock import FileLock, Timeout

from darkgnn_core.catalogue import transaction, utc_now
from darkgnn_core.errors import JobError
from darkgnn_core.workspace import Workspace

State = Literal["starting", "running", "done", "failed", "cancelled", "interrupted"]
ACTIVE = ("starting", "running")
START_S = 30.0
CANCEL_GRACE_S = 1.5
KILL_WAIT_S = 5.0
LOG_TAIL_BYTES = 64 * 1024

_started: dict[str, subprocess.Popen[bytes]] = {}
"""Workers this process started, kept so that a dead one is reaped and not taken for alive."""


@dataclass(frozen=True)
class Job:
    """A background job as the catalogue knows it.

    Attributes:
        id: Its id, also the name of its directory.
        kind: What it does: `load`, `demo`, `snapshots`, `remove`.
        config: What it was told, JSON.
        state: `starting` and `running` are active; the others are final.
        message: Why it ended as it did, for the analyst.
        progress: The last progress it told, JSON.
        report: What it found, JSON; empty until it is done.
        pid: Its process, once started.
        created_at: ISO 8601 UTC.
        heartbeat_at: When it last told anything, ISO 8601 UTC.
        ended_at: ISO 8601 UTC, once final.
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

    @property
    def is_active(self) -> bool:
        """Whether it has not ended yet."""
        return self.state in ACTIVE


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
    """
    settle_jobs(workspace)
    job_id = uuid.uuid4().hex[:12]
    directory = workspace.jobs / job_id
    with workspace.catalogue() as connection:
        try:
            connection.execute(
                "INSERT INTO job (id, kind, device, config, state, created_at) "
                "VALUES (?, ?, ?, ?, 'starting', ?)",
                (job_id, kind, device, json.dumps(config), utc_now()),
            )
        except sqlite3.IntegrityError as error:
            raise _busy(connection, device) from error
    directory.mkdir(mode=0o700)
    process = _start_worker(workspace, job_id, directory / "log.txt")
    _started[job_id] = process
    with workspace.catalogue() as connection:
        connection.execute(
            "UPDATE job SET pid = ?, pid_created = ? WHERE id = ?",
            (process.pid, _created(process.pid), job_id),
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


def _start_worker(workspace: Workspace, job_id: str, log: Path) -> subprocess.Popen[bytes]:
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
        options = {"creationflags": flags}
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "darkgnn_core.worker", str(workspace.root), job_id],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=Path(__file__).resolve().parents[1],
            **options,
        )


def _created(pid: int) -> float | None:
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def list_jobs(workspace: Workspace) -> list[Job]:
    """Return all jobs, the latest first, their states settled."""
    settle_jobs(workspace)
    with workspace.catalogue() as connection:
        rows = connection.execute("SELECT * FROM job ORDER BY created_at DESC, rowid DESC")
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


def active_job(workspace: Workspace) -> Job | None:
    """Return the job that is under way, or None."""
    return next((job for job in list_jobs(workspace) if job.is_active), None)


def _job_of(row: sqlite3.Row) -> Job:
    return Job(
        id=row["id"],
        kind=row["kind"],
        config=json.loads(row["config"]),
        state=row["state"],
        message=row["message"],
        progress=json.loads(row["progress"]),
        report=json.loads(row["report"] or "{}"),
        pid=row["pid"],
        created_at=row["created_at"],
        heartbeat_at=row["heartbeat_at"],
        ended_at=row["ended_at"],
    )


def settle_jobs(workspace: Workspace) -> None:
    """Mark as `interrupted` the jobs whose process is gone without having said how it ended."""
    with workspace.catalogue() as connection:
        rows = connection.execute(
            "SELECT * FROM job WHERE state IN ('starting', 'running')"
        ).fetchall()
        for row in rows:
            status = _exit_status(row["id"])
            if _holds_lock(workspace, row["id"]) or _may_still_start(row, status):
                continue
            message = _how_it_died(status)
            connection.execute(
                "UPDATE job SET state = 'interrupted', message = ?, ended_at = ? "
                "WHERE id = ? AND state = ?",
                (message, utc_now(), row["id"], row["state"]),
            )


def _exit_status(job_id: str) -> int | None:
    process = _started.get(job_id)
    return None if process is None else process.poll()


def _may_still_start(row: sqlite3.Row, status: int | None) -> bool:
    """Say whether a job without a lock may simply not have come to taking it yet."""
    if row["state"] != "starting" or status is not None:
        return False
    age_s = (datetime.now(UTC) - datetime.fromisoformat(row["created_at"])).total_seconds()
    return abs(age_s) < START_S and (row["pid"] is None or _is_process(row))


def _is_process(row: sqlite3.Row) -> bool:
    """Say whether the job's process is there: same number and same time of creation."""
    created = _created(row["pid"])
    return created is not None and abs(created - (row["pid_created"] or created)) < 1.0


def _how_it_died(status: int | None) -> str:
    if status == -signal.SIGTERM:
        return "It was ended from outside. What it had finished is kept; start it again to go on."
    if status is not None and status < 0:
        return (
            f"The operating system killed it (signal {-status}), most likely for lack of memory. "
            "What it had finished is kept; start it again to go on."
        )
    return "Its process is gone. What it had finished is kept; start it again to go on."


def _holds_lock(workspace: Workspace, job_id: str) -> bool:
    path = workspace.jobs / job_id / "lock"
    if not path.exists():
        return False
    try:
        with FileLock(path, timeout=0):
            return False
    except Timeout:
        return True


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
        connection.execute("UPDATE job SET stop_requested = 1 WHERE id = ?", (job_id,))
        row = connection.execute("SELECT * FROM job WHERE id = ?", (job_id,)).fetchone()
    # A clock that was set makes a process look created at another time; its lock still tells.
    if row["pid"] is not None and (_holds_lock(workspace, job_id) or _is_process(row)):
        _signal(row["pid"], signal.SIGTERM)
        if not _wait_gone(workspace, row, CANCEL_GRACE_S):
            _signal(row["pid"], getattr(signal, "SIGKILL", signal.SIGTERM))
            _wait_gone(workspace, row, KILL_WAIT_S)
    with workspace.catalogue() as connection, transaction(connection):
        connection.execute(
            "UPDATE job SET state = 'cancelled', message = ?, ended_at = ? "
            "WHERE id = ? AND state IN ('starting', 'running')",
            ("You cancelled it. What it had finished is kept.", utc_now(), job_id),
        )
    return find_job(workspace, job_id)


def _signal(pid: int, number: int) -> None:
    try:
        if sys.platform == "win32":
            psutil.Process(pid).terminate()
        else:
            os.killpg(pid, number)  # the worker leads its own group: its children go too
    except (ProcessLookupError, psutil.NoSuchProcess):
        return


def _wait_gone(workspace: Workspace, row: sqlite3.Row, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        _exit_status(row["id"])  # reaps it, if it is ours
        if not _holds_lock(workspace, row["id"]) and not _is_running(row):
            return True
        time.sleep(0.05)
    return False


def _is_running(row: sqlite3.Row) -> bool:
    try:
        return _is_process(row) and psutil.Process(row["pid"]).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


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
        JobError: `NO-JOB`, or `BUSY` while it is active.
    """
    if find_job(workspace, job_id).is_active:
        raise JobError("The job is still under way. Cancel it first.", code="BUSY")
    with workspace.catalogue() as connection:
        connection.execute("DELETE FROM job WHERE id = ?", (job_id,))
    shutil.rmtree(workspace.jobs / job_id, ignore_errors=True)
