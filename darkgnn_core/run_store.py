"""Runs as the workspace keeps them: a row of the catalogue and a directory each.

The row says that a run is there; its state is that of its last job. The directory holds settings
and provenance (`run.json`), progress, the last checkpoint and the embeddings.
"""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from darkgnn_core.config import SnapshotConfig
from darkgnn_core.durable import (
    MANIFEST,
    TEMPORARY,
    disk_errors_named,
    fsync_directory,
    write_json,
)
from darkgnn_core.errors import RunError
from darkgnn_core.jobs import is_silent_since
from darkgnn_core.run_config import RunConfig
from darkgnn_core.training.progress import NAME as PROGRESS
from darkgnn_core.workspace import Workspace

RUN_FILE = "run.json"
EMBEDDINGS = "embeddings"
DELETED = "deleted"
LOCK_S = 20.0


@dataclass(frozen=True)
class Run:
    """One method over successive days, as the catalogue knows it.

    Attributes:
        id: Its id, also the name of its directory.
        name: What the analyst calls it.
        group: What joins the runs of one sweep; empty for a run on its own.
        config: Its settings.
        config_hash: Their hash.
        state: `queued`, `starting`, `running`, `done`, `failed`, `cancelled`, `interrupted`.
        message: Why it ended as it did, for the analyst.
        code: Code of the error of a failed run, such as `DIVERGED`; empty otherwise.
        progress: How far it is: `unit`, `day`, `units_done`, `units_total`, `epoch`, `epochs`,
            `loss`, `accuracy`, `seconds` over all attempts, `remaining_s`, `peak_bytes`.
        result: Of the last time it was done: `seconds`, `seconds_a_day`,
            `processor_seconds_a_day`, `peak_bytes`, `gpu_peak_bytes`, `days`, `bytes`.
        provenance: `data`, `snapshot_config`, `code`, `libraries`, `python`, `machine`, `threads`;
            `later` lists the environments of attempts that differed.
        estimate: What was estimated before it started, or {}.
        archived: Whether lists leave it out.
        created_at: ISO 8601 UTC.
        started_at: When it first started, ISO 8601 UTC.
        ended_at: When it last ended, ISO 8601 UTC; None while it is active.
        job_id: Its last job.
        days: Keys of the bins embedded so far, in time order.
        heartbeat_at: When its process last told anything, ISO 8601 UTC.
    """

    id: str
    name: str
    group: str
    config: RunConfig
    config_hash: str
    state: str
    message: str
    code: str
    progress: dict[str, Any]
    result: dict[str, Any]
    provenance: dict[str, Any]
    estimate: dict[str, Any]
    archived: bool
    created_at: str
    started_at: str | None
    ended_at: str | None
    job_id: str | None
    days: tuple[str, ...]
    heartbeat_at: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether it waits or works."""
        return self.state in ("queued", "starting", "running")

    @property
    def is_resumable(self) -> bool:
        """Whether it ended before it was done, so that resuming goes on after its checkpoint."""
        return self.state in ("interrupted", "cancelled", "failed")

    @property
    def is_silent(self) -> bool:
        """Whether its process is there but has told nothing for half a minute."""
        return self.state == "running" and is_silent_since(self.heartbeat_at)

    @property
    def snapshot_config(self) -> SnapshotConfig:
        """The settings of the snapshots it reads."""
        return SnapshotConfig(**self.provenance["snapshot_config"])

    @property
    def trained_days(self) -> tuple[str, ...]:
        """Keys of the bins it goes over, embedded or not, in time order."""
        return tuple(sorted(self.provenance["data"]["days"]))


_ALL = (
    "SELECT run.*, job.state, job.message, job.code, job.ended_at, job.heartbeat_at "
    "FROM run LEFT JOIN job ON job.id = run.job_id "
)
_ONE_RUN = _ALL + "WHERE run.id = ?"
_NEWEST_FIRST = _ALL + "WHERE ? OR NOT run.archived ORDER BY run.created_at DESC, run.rowid DESC"


def directory_of(workspace: Workspace, run_id: str) -> Path:
    """Return the directory of a run."""
    return workspace.runs / run_id


def read_run(workspace: Workspace, run_id: str) -> Run:
    """Return one run as its row has it.

    Raises:
        RunError: `NO-RUN`.
    """
    with workspace.catalogue() as connection:
        row = connection.execute(_ONE_RUN, (run_id,)).fetchone()
    if row is None:
        raise RunError(f"There is no run {run_id!r}. `runs list` shows them.", code="NO-RUN")
    return _run_of(workspace, row)


def read_runs(workspace: Workspace, *, archived: bool) -> list[Run]:
    """Return all runs as their rows have them, newest first, the archived ones if asked for."""
    with workspace.catalogue() as connection:
        rows = connection.execute(_NEWEST_FIRST, (archived,)).fetchall()
    return [_run_of(workspace, row) for row in rows]


def _run_of(workspace: Workspace, row: sqlite3.Row) -> Run:
    code = row["code"] or ""
    return Run(
        id=row["id"],
        name=row["name"],
        group=row["group_name"],
        config=RunConfig.from_dict(json.loads(row["config"])),
        config_hash=row["config_hash"],
        state=row["state"] or "interrupted",
        message=(row["message"] or "").removesuffix(f" ({code})"),
        code=code,
        progress=json.loads(row["progress"]),
        result=json.loads(row["result"]),
        provenance=json.loads(row["provenance"]),
        estimate=json.loads(row["estimate"]),
        archived=bool(row["archived"]),
        created_at=row["created_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        job_id=row["job_id"],
        days=embedded_days(directory_of(workspace, row["id"])),
        heartbeat_at=row["heartbeat_at"],
    )


def embedded_days(directory: Path) -> tuple[str, ...]:
    """Return the keys of the bins that a run's directory has embeddings of, in time order."""
    try:
        manifest = json.loads((directory / EMBEDDINGS / MANIFEST).read_bytes())
        return tuple(sorted(name.removesuffix(".parquet") for name in manifest["files"]))
    except (OSError, ValueError, KeyError):
        return ()


@contextmanager
def runs_lock(workspace: Workspace) -> Iterator[None]:
    """Make or delete runs inside the block, one process at a time; sweep what a kill left.

    Raises:
        RunError: `LOCKED` where another process keeps it.
    """
    try:
        with FileLock(workspace.root / "runs.lock", timeout=LOCK_S):
            _sweep(workspace)
            yield
    except Timeout as error:
        raise RunError(
            "Another process is making or deleting runs. Try again in a moment.", code="LOCKED"
        ) from error


def _sweep(workspace: Workspace) -> None:
    """Remove directories of runs half made or half deleted.

    One that has been at work stays though no row speaks of it: the catalogue may be an older one
    from a backup.
    """
    with workspace.catalogue() as connection:
        known = {row["id"] for row in connection.execute("SELECT id FROM run")}
    for path in workspace.runs.iterdir():
        is_gone = path.name.startswith(TEMPORARY) or (path / DELETED).exists()
        if path.name not in known and (is_gone or not (path / PROGRESS).exists()):
            shutil.rmtree(path, ignore_errors=True)


def write_directory(workspace: Workspace, run: Run) -> None:
    """Make a run's directory with its settings and provenance, inside `runs_lock`."""
    directory = directory_of(workspace, run.id)
    with disk_errors_named(directory):
        (directory / EMBEDDINGS).mkdir(mode=0o700, parents=True)
    write_json(directory / RUN_FILE, _file_of(run))
    fsync_directory(workspace.runs)


def add_row(connection: sqlite3.Connection, run: Run) -> None:
    """Write a run's row, in the caller's transaction; its directory is there."""
    connection.execute(
        "INSERT INTO run (id, name, group_name, config, config_hash, data_hash, provenance, "
        "estimate, job_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            run.id,
            run.name,
            run.group,
            json.dumps(run.config.to_dict()),
            run.config_hash,
            run.provenance["data"]["hash"],
            json.dumps(run.provenance),
            json.dumps(run.estimate),
            run.job_id,
            run.created_at,
        ),
    )


def _file_of(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "created_at": run.created_at,
        "config": run.config.to_dict(),
        "config_hash": run.config_hash,
        "provenance": run.provenance,
    }


def set_provenance(workspace: Workspace, run: Run, provenance: dict[str, Any]) -> None:
    """Keep what a run is made from and with: in its directory, then in its row."""
    directory = directory_of(workspace, run.id)
    write_json(directory / RUN_FILE, _file_of(run) | {"provenance": provenance})
    with workspace.catalogue() as connection:
        connection.execute(
            "UPDATE run SET provenance = ?, data_hash = ? WHERE id = ?",
            (json.dumps(provenance), provenance["data"]["hash"], run.id),
        )


def remove_run(workspace: Workspace, run: Run) -> None:
    """Delete a run's row, its jobs and all its files, inside `runs_lock`.

    Its row goes before its files: what a kill leaves behind is no run any more, and is swept.
    """
    with workspace.catalogue() as connection:
        rows = connection.execute("SELECT id FROM job WHERE run_id = ?", (run.id,)).fetchall()
        with suppress(FileNotFoundError):  # its directory was removed by hand
            (directory_of(workspace, run.id) / DELETED).touch()
        connection.execute("DELETE FROM run WHERE id = ?", (run.id,))  # and its jobs, by reference
    gone = workspace.runs / f"{TEMPORARY}{run.id}"
    with suppress(FileNotFoundError):
        directory_of(workspace, run.id).rename(gone)
    shutil.rmtree(gone, ignore_errors=True)
    for row in rows:
        shutil.rmtree(workspace.jobs / row["id"], ignore_errors=True)
