"""The catalogue: one SQLite file that knows sources, snapshots, labels, jobs, runs, sets and notes.

Bulk data lie in Parquet files beside it; a row here is what makes such a file part of the
workspace, so one transaction is the moment at which a change happens.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from darkgnn_core.durable import is_full, room_in
from darkgnn_core.errors import WorkspaceError

BUSY_TIMEOUT_S = 10.0

MIGRATIONS = (
    """
    CREATE TABLE source (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, format TEXT NOT NULL, bytes INTEGER NOT NULL,
        synthetic INTEGER NOT NULL, packets INTEGER NOT NULL, first_ns INTEGER, last_ns INTEGER,
        loaded_at TEXT NOT NULL, report TEXT NOT NULL
    );
    CREATE TABLE packet_file (
        source_id TEXT NOT NULL REFERENCES source (id) ON DELETE CASCADE,
        day TEXT NOT NULL, packets INTEGER NOT NULL,
        PRIMARY KEY (source_id, day)
    );
    CREATE INDEX packet_file_day ON packet_file (day);
    CREATE TABLE snapshot (
        config_hash TEXT NOT NULL, bin TEXT NOT NULL, inputs_hash TEXT NOT NULL,
        directory TEXT, summary TEXT NOT NULL, built_at TEXT NOT NULL,
        PRIMARY KEY (config_hash, bin)
    );
    CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE label_source (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, sha256 TEXT,
        added_at TEXT NOT NULL, precedence INTEGER NOT NULL, note TEXT, report TEXT
    );
    CREATE TABLE label (
        id INTEGER PRIMARY KEY,
        source_id TEXT NOT NULL REFERENCES label_source (id) ON DELETE CASCADE,
        first_ip INTEGER NOT NULL, last_ip INTEGER NOT NULL, prefix_len INTEGER NOT NULL,
        label TEXT NOT NULL, raw_label TEXT NOT NULL, day TEXT, evidence TEXT NOT NULL,
        confidence REAL, run TEXT, added_at TEXT NOT NULL, withdrawn_at TEXT
    );
    CREATE INDEX label_first_ip ON label (first_ip);
    CREATE INDEX label_source_id ON label (source_id);
    CREATE TABLE label_alias (alias TEXT PRIMARY KEY, label TEXT NOT NULL);
    CREATE TABLE job (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, device TEXT NOT NULL, config TEXT NOT NULL,
        state TEXT NOT NULL, message TEXT NOT NULL DEFAULT '', progress TEXT NOT NULL DEFAULT '{}',
        stop_requested INTEGER NOT NULL DEFAULT 0, pid INTEGER, pid_created REAL,
        created_at TEXT NOT NULL, heartbeat_at TEXT, ended_at TEXT, report TEXT
    );
    CREATE UNIQUE INDEX one_active_job ON job (device) WHERE state IN ('starting', 'running');
    """,
    """
    CREATE TABLE run (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, group_name TEXT NOT NULL,
        config TEXT NOT NULL, config_hash TEXT NOT NULL, data_hash TEXT NOT NULL,
        provenance TEXT NOT NULL, estimate TEXT NOT NULL,
        progress TEXT NOT NULL DEFAULT '{}', result TEXT NOT NULL DEFAULT '{}',
        archived INTEGER NOT NULL DEFAULT 0, job_id TEXT,
        created_at TEXT NOT NULL, started_at TEXT
    );
    CREATE INDEX run_hashes ON run (config_hash, data_hash);
    ALTER TABLE job ADD COLUMN run_id TEXT REFERENCES run (id) ON DELETE CASCADE;
    ALTER TABLE job ADD COLUMN started_at TEXT;
    ALTER TABLE job ADD COLUMN code TEXT NOT NULL DEFAULT '';
    CREATE INDEX job_run ON job (run_id);
    CREATE INDEX job_state ON job (state);
    """,
    """
    CREATE TABLE host_set (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, recipe TEXT NOT NULL, hosts BLOB NOT NULL,
        day TEXT, run_id TEXT, created_at TEXT NOT NULL, deleted_at TEXT
    );
    CREATE TABLE note (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL,
        day TEXT, run_id TEXT, replaces INTEGER REFERENCES note (id), added_at TEXT NOT NULL,
        withdrawn_at TEXT
    );
    CREATE INDEX note_subject ON note (kind, subject);
    CREATE TABLE rejected_suggestion (
        id INTEGER PRIMARY KEY, host INTEGER NOT NULL, label TEXT NOT NULL, run_id TEXT NOT NULL,
        reason TEXT NOT NULL, added_at TEXT NOT NULL, withdrawn_at TEXT
    );
    CREATE INDEX rejected_host ON rejected_suggestion (host);
    """,
)
"""Each entry takes the schema one version up; entries are never changed once released."""


def open_catalogue(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open the catalogue, creating it or taking an older one to today's schema.

    Args:
        path: The SQLite file.
        read_only: Change nothing, and write nothing beside it; for a disk that can only be read.

    Returns:
        A connection in autocommit mode, rows by name, foreign keys on, WAL, every commit synced.

    Raises:
        WorkspaceError: `NEWER` if a later darkgnn wrote it; `OLDER` if it is of an earlier schema
            and may not be changed; as `errors_named`.
    """
    with errors_named(path):
        return _connected(path, read_only=read_only)


def _connected(path: Path, *, read_only: bool) -> sqlite3.Connection:
    where = _read_only_address(path) if read_only else str(path)
    connection = sqlite3.connect(where, timeout=BUSY_TIMEOUT_S, isolation_level=None, uri=read_only)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        if read_only:
            _refuse_other_schemas(connection)
            return connection
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        _migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _read_only_address(path: Path) -> str:
    """Return how SQLite is told to write nothing, not even its log beside a file at rest.

    Where a log is there, the file without it is not whole: it is read with it, or not at all.
    """
    log = path.with_name(f"{path.name}-wal")
    is_at_rest = not log.exists() or not log.stat().st_size
    return f"{path.resolve().as_uri()}?mode=ro{'&immutable=1' if is_at_rest else ''}"


TROUBLES = {
    "SQLITE_FULL": ("DISK-FULL", "there is no room on its disk; free some and start again"),
    "SQLITE_BUSY": ("LOCKED", "another process has kept it for long; try again when that is done"),
    "SQLITE_READONLY": ("NO-PERMISSION", "it cannot be written to; check its permissions"),
    "SQLITE_CANTOPEN": ("NO-PERMISSION", "it cannot be opened for writing; check its permissions"),
    "SQLITE_PERM": ("NO-PERMISSION", "this account may not write to it"),
    "SQLITE_IOERR": ("DISK-ERROR", "its disk failed to read or write, or is full; check the disk"),
    "SQLITE_CORRUPT": ("DAMAGED", "it is damaged; restore it from a backup"),
    "SQLITE_NOTADB": ("DAMAGED", "it is no catalogue; restore it from a backup"),
    "SQLITE_TOOBIG": ("LIMIT", "a text is too long to be kept"),
}
"""Code and advice by the name of SQLite's error, its first two words."""
MAY_BE_FULL = ("SQLITE_CANTOPEN", "SQLITE_IOERR")


@contextmanager
def errors_named(path: Path) -> Iterator[None]:
    """Turn what SQLite says of a disk, a lock or a damaged file inside the block into a message.

    Mistakes of ours (a wrong statement, a broken constraint) stay what they are.

    Raises:
        WorkspaceError: `DISK-FULL`, `LOCKED`, `NO-PERMISSION`, `DISK-ERROR`, `DAMAGED`, `LIMIT`.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        name = "_".join(str(getattr(error, "sqlite_errorname", "")).split("_")[:2])
        if name not in TROUBLES:
            raise
        code, advice = TROUBLES[name]
        if name in MAY_BE_FULL and is_full(path.parent):  # SQLite does not always tell why
            code, advice = TROUBLES["SQLITE_FULL"]
        if code == "DISK-FULL":
            advice = f"{advice} ({room_in(path.parent)})"
        raise WorkspaceError(
            f"The catalogue {path.name}: {advice}. What was saved before is unchanged.", code=code
        ) from error


def _refuse_other_schemas(connection: sqlite3.Connection) -> None:
    found = _refuse_later_schemas(connection)
    if found < len(MIGRATIONS):
        raise WorkspaceError(
            f"This workspace is of an earlier darkgnn (schema {found} of {len(MIGRATIONS)}) and "
            "cannot be brought up to date where it can only be read. Copy it to a disk that can "
            "be written to, and open the copy.",
            code="OLDER",
        )


def _refuse_later_schemas(connection: sqlite3.Connection) -> int:
    found = _version(connection)
    if found > len(MIGRATIONS):
        raise WorkspaceError(
            f"This workspace was written by a later darkgnn (schema {found}, this one knows "
            f"{len(MIGRATIONS)}). Update darkgnn to open it; nothing was changed.",
            code="NEWER",
        )
    return found


def _migrate(connection: sqlite3.Connection) -> None:
    _refuse_later_schemas(connection)
    while _version(connection) < len(MIGRATIONS):
        with transaction(connection):
            version = _version(connection)  # another process may have been quicker
            if version < len(MIGRATIONS):
                for statement in MIGRATIONS[version].split(";"):
                    connection.execute(statement)
                connection.execute("PRAGMA user_version = " + str(version + 1))


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the block as one write transaction: all of it happens, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk makes SQLite roll back by itself
            connection.execute("ROLLBACK")
        raise


def utc_now() -> str:
    """Return the time as catalogue rows carry it: ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def read_setting(connection: sqlite3.Connection, name: str, default: Any) -> Any:
    """Return a setting, or `default` where it was never set."""
    row = connection.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
    return default if row is None else json.loads(row["value"])


def write_setting(connection: sqlite3.Connection, name: str, value: Any) -> None:
    """Keep a setting; `value` must be JSON."""
    connection.execute(
        "INSERT INTO setting VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, json.dumps(value)),
    )
