"""Copies of the catalogue, one a day, the last seven kept; and the way back to one of them.

The catalogue holds what an analyst has written by hand, and what says which files count. The bulk
files are not copied: each can be made again from the traces.
Source: ours; SQLite's VACUUM INTO makes a whole copy while others write.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from filelock import FileLock, Timeout

from darkgnn_core.catalogue import errors_named
from darkgnn_core.durable import disk_errors_named, sweep_partials, write_file
from darkgnn_core.errors import WorkspaceError
from darkgnn_core.workspace import Workspace, writer_lock

KEPT = 7
EVERY = timedelta(days=1)
WAIT_S = 60.0
"""So long a copy waits for another that is being made."""

FORM = "%Y-%m-%dT%H%M%SZ"
PREFIX, SUFFIX = "darkgnn-", ".sqlite"


@dataclass(frozen=True)
class Backup:
    """A copy of the catalogue.

    Attributes:
        path: The file.
        made_at: When, UTC.
    """

    path: Path
    made_at: datetime

    @property
    def bytes(self) -> int:
        """Its size."""
        return self.path.stat().st_size


def list_backups(workspace: Workspace) -> list[Backup]:
    """Return the copies there are, the newest first."""
    found = []
    for path in workspace.backups.glob(f"{PREFIX}*{SUFFIX}"):
        try:
            text = path.name.removeprefix(PREFIX).removesuffix(SUFFIX)
            made_at = datetime.strptime(text, FORM).replace(tzinfo=UTC)
        except ValueError:
            continue  # not a name of ours
        found.append(Backup(path, made_at))
    return sorted(found, key=lambda backup: backup.made_at, reverse=True)


def back_up_daily(workspace: Workspace, *, now: datetime | None = None) -> Backup | None:
    """Copy the catalogue if the newest copy is a day old, and let go of all but `KEPT`.

    Args:
        workspace: Whose catalogue; one that can only be read is passed over.
        now: The time, UTC.

    Returns:
        The new copy, or None where none was due.

    Raises:
        WorkspaceError: `DAMAGED` if the catalogue is not whole: no copy is made of such, and none
            is let go; `DISK-FULL`, `LOCKED`, `NO-PERMISSION`.
    """
    now = now or datetime.now(UTC)
    there = list_backups(workspace)
    is_due = not there or abs(now - there[0].made_at) >= EVERY
    if workspace.is_read_only or not is_due:
        return None
    return make_backup(workspace, now=now)


def make_backup(workspace: Workspace, *, now: datetime | None = None) -> Backup:
    """Copy the catalogue now, and let go of all copies but the newest `KEPT`.

    Raises:
        WorkspaceError: As `back_up_daily`.
    """
    now = now or datetime.now(UTC)
    path = workspace.backups / f"{PREFIX}{now.strftime(FORM)}{SUFFIX}"
    with disk_errors_named(path):
        workspace.backups.mkdir(mode=0o700, exist_ok=True)
        with _copying(workspace), workspace.catalogue() as connection:
            sweep_partials(workspace.backups)
            _refuse_damage(connection, workspace.catalogue_path)
            write_file(path, lambda new: connection.execute("VACUUM INTO ?", (str(new),)))
    for old in list_backups(workspace)[KEPT:]:
        old.path.unlink(missing_ok=True)
    return Backup(path, now.replace(microsecond=0))


@contextmanager
def _copying(workspace: Workspace) -> Iterator[None]:
    """Be the only one who copies: what lies half done is then of a killed process."""
    try:
        with FileLock(workspace.root / "backups.lock", timeout=WAIT_S):
            yield
    except Timeout as error:
        message = "Another process is copying the catalogue. Try again in a minute."
        raise WorkspaceError(message, code="LOCKED") from error


def restore(workspace: Workspace, backup: Backup) -> Path:
    """Put a copy in the place of the catalogue; what was there is set aside, not thrown away.

    Args:
        workspace: Whose catalogue.
        backup: One of `list_backups`.

    Returns:
        Where the replaced catalogue lies now.

    Raises:
        WorkspaceError: `LOCKED` while something is being loaded; `NO-BACKUP` if the copy is gone
            or damaged; `DISK-FULL`, `NO-PERMISSION`.
    """
    _refuse_bad_copy(backup)
    path = workspace.catalogue_path
    aside = workspace.backups / f"replaced-{datetime.now(UTC).strftime(FORM)}{SUFFIX}"
    with writer_lock(workspace), disk_errors_named(path):
        if path.exists():
            write_file(aside, lambda new: shutil.copyfile(path, new))
        for ending in ("-wal", "-shm"):  # of the catalogue that goes; they would be taken for ours
            log = path.with_name(path.name + ending)
            if log.exists():
                log.replace(aside.with_name(aside.name + ending))
        write_file(path, lambda new: shutil.copyfile(backup.path, new))
    return aside


def _refuse_bad_copy(backup: Backup) -> None:
    address = f"{backup.path.resolve().as_uri()}?mode=ro&immutable=1"
    try:
        with (
            errors_named(backup.path),
            closing(sqlite3.connect(address, uri=True)) as connection,
        ):
            _refuse_damage(connection, backup.path)
    except WorkspaceError as error:
        raise WorkspaceError(f"This copy cannot be used. {error}", code="NO-BACKUP") from error


def _refuse_damage(connection: sqlite3.Connection, path: Path) -> None:
    found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    if found != "ok":
        raise WorkspaceError(
            f"The catalogue {path.name} is damaged: {found}. Restore it from a backup.",
            code="DAMAGED",
        )
