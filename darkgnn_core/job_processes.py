"""The processes behind background jobs: starting one, telling whether it lives, ending it.

A job is alive while its process holds the lock in its directory; the operating system frees that
lock however the process dies, so no crash leaves a job that seems to run for ever.
"""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from darkgnn_core.durable import disk_errors_named
from darkgnn_core.workspace import Workspace

CANCEL_GRACE_S = 1.5
KILL_WAIT_S = 5.0
QUEUE_LOCK = "queue.lock"
MEMORY_KILLS = "memory_kills"
KILL_COUNTERS = (Path("/sys/fs/cgroup/memory.events"), Path("/proc/vmstat"))
PATIENT_THREADS = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "30000"}
"""Threads that wait give their processor away, after some microseconds: with other work on the
machine, a day of training took 2 to 5 s so, and 6 to 26 s with threads that only spin; on a quiet
machine, giving it away at once took 2.2 s where this takes 1.8 s."""

started: dict[str, subprocess.Popen[bytes]] = {}
"""Workers this process started, kept so that a dead one is reaped and not taken for alive."""


def launch(workspace: Workspace, job_id: str) -> int:
    """Start the worker of a job, its output going to the job's log; return its process id.

    Raises:
        WorkspaceError: `DISK-FULL`, `NO-PERMISSION`; OSError where no process can be made.
    """
    directory = workspace.jobs / job_id
    with disk_errors_named(directory):
        directory.mkdir(mode=0o700, exist_ok=True)
        with (directory / "log.txt").open("ab") as log:
            arguments = ["darkgnn_core.worker", str(workspace.root), job_id]
            started[job_id] = _spawn(arguments, output=log)
    return started[job_id].pid


def launch_queue_keeper(workspace: Workspace) -> None:
    """Start the process that starts queued jobs in time, unless one is there already."""
    name = f"queue of {workspace.root}"
    mine = started.get(name)
    is_starting = mine is not None and mine.poll() is None
    if is_starting or holds_lock(workspace.jobs / QUEUE_LOCK):
        return
    with suppress(OSError):  # whoever asks next tries again
        started[name] = _spawn(["darkgnn_core.queue_keeper", str(workspace.root)])


def _spawn(arguments: list[str], *, output: Any = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """Start one of our modules, in its own session, so that it outlives this process."""
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
        options = {"creationflags": flags}
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=Path(__file__).resolve().parents[1],
        env=PATIENT_THREADS | os.environ,
        **options,
    )


def created_at(pid: int) -> float | None:
    """Return when a process was created, seconds since 1970; None where there is none."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def exit_status(job_id: str) -> int | None:
    """Return how a worker that this process started has ended; None for all others."""
    process = started.get(job_id)
    return None if process is None else process.poll()


def holds_lock(path: Path) -> bool:
    """Say whether a process holds the lock at a path."""
    if not path.exists():
        return False
    try:
        with FileLock(path, timeout=0):
            return False
    except Timeout:
        return True


def is_working(workspace: Workspace, job_id: str) -> bool:
    """Say whether a job's process holds the lock in its directory."""
    return holds_lock(workspace.jobs / job_id / "lock")


def is_process(row: sqlite3.Row) -> bool:
    """Say whether the job's process is there: same number and same time of creation."""
    created = created_at(row["pid"])
    return created is not None and abs(created - (row["pid_created"] or created)) < 1.0


def note_start(workspace: Workspace, job_id: str) -> None:
    """Keep, from inside a job's process, how often the system has run out of memory so far."""
    with suppress(OSError):
        count = str(_memory_kills())
        (workspace.jobs / job_id / MEMORY_KILLS).write_text(count, encoding="ascii")


def _memory_kills() -> int:
    """Return how many processes the kernel has killed for memory; 0 where it does not tell."""
    for path in KILL_COUNTERS:
        with suppress(OSError, ValueError):
            found = re.search(r"^oom_kill (\d+)$", path.read_text(encoding="ascii"), re.MULTILINE)
            if found is not None:
                return int(found[1])
    return 0


def how_it_died(workspace: Workspace, job_id: str) -> str:
    """Return, for the analyst, why a job's process ended without a word, as far as it can be told.

    Its parent knows the signal; for others, the kernel's count of processes killed for memory has
    grown since it started or not.
    """
    status, kept = exit_status(job_id), "What it had finished is kept; start it again to go on."
    if status == -signal.SIGTERM:
        return f"It was ended from outside. {kept}"
    if status is not None and status < 0:
        return (
            f"The operating system killed it (signal {-status}), most likely for lack of memory. "
            f"{kept}"
        )
    with suppress(OSError, ValueError):
        before = int((workspace.jobs / job_id / MEMORY_KILLS).read_text(encoding="ascii"))
        if _memory_kills() > before:
            return (
                "Its process is gone, and since it started the operating system has killed a "
                f"process for lack of memory: most likely this one. {kept}"
            )
    return f"Its process is gone. {kept}"


def end(workspace: Workspace, row: sqlite3.Row) -> None:
    """End a job's process and its children: ask, wait 1.5 s, kill."""
    # A clock that was set makes a process look created at another time; its lock still tells.
    if row["pid"] is None or not (is_working(workspace, row["id"]) or is_process(row)):
        return
    _signal(row["pid"], signal.SIGTERM)
    if not _wait_gone(workspace, row, CANCEL_GRACE_S):
        _signal(row["pid"], getattr(signal, "SIGKILL", signal.SIGTERM))
        _wait_gone(workspace, row, KILL_WAIT_S)


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
        exit_status(row["id"])  # reaps it, if it is ours
        if not is_working(workspace, row["id"]) and not is_running(row):
            return True
        time.sleep(0.05)
    return False


def is_running(row: sqlite3.Row) -> bool:
    """Say whether the job's process is there and has not ended; a zombie has."""
    try:
        return is_process(row) and psutil.Process(row["pid"]).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
