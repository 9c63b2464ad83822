"""Sources: the traces a workspace has taken in, each once, each by the hash of its bytes."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from darkgnn_core.catalogue import transaction, utc_now
from darkgnn_core.durable import new_directory, write_json
from darkgnn_core.errors import TraceError, WorkspaceError
from darkgnn_core.traces.confined import Confined
from darkgnn_core.traces.opening import GZIP_MAGIC, ZSTD_MAGIC, OpenFile, open_once
from darkgnn_core.traces.parsing import Progress, TraceReport, parse_trace
from darkgnn_core.traces.reading import ReadOptions
from darkgnn_core.units import file_size
from darkgnn_core.workspace import Workspace

ID_LENGTH = 16
PACKED_SHARE = 0.8
PLAIN_SHARE = 0.3
"""Room that packets and snapshots take, as a share of the files they come from, packed or not.

Measured on demo days (gzip logs 0.81, Parquet 1.1 to 1.25), captures (0.23) and real tables of few
columns over months (1.2 to 3.8): a low estimate, which refuses only what surely does not fit.
"""

ROOM_MARGIN = 1.5
PACKED_STARTS = (GZIP_MAGIC, ZSTD_MAGIC, b"PAR1")


@dataclass(frozen=True)
class Source:
    """One trace of the workspace.

    Attributes:
        id: First 16 hex digits of the sha256 of the file's bytes.
        name: Name of the file, for people.
        format: Format it was read as.
        bytes: Size of the file.
        is_synthetic: Whether the demo generator made it.
        packets: Packets taken from it.
        first_ns: Time of its earliest packet.
        last_ns: Time of its latest packet.
        loaded_at: When it was loaded, ISO 8601 UTC.
        report: What reading it gave (`TraceReport` as a dict).
    """

    id: str
    name: str
    format: str
    bytes: int
    is_synthetic: bool
    packets: int
    first_ns: int
    last_ns: int
    loaded_at: str
    report: dict[str, Any]


def find_files(paths: Iterable[Path]) -> list[Path]:
    """Return the files among `paths`, folders replaced by the files in them, hidden ones left out.

    Raises:
        TraceError: `NO-SUCH-FILE` for a path that is not there, `EMPTY` for a folder of no files.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(
                entry
                for entry in path.rglob("*")
                if entry.is_file() and not any(part.startswith(".") for part in entry.parts[-2:])
            )
            if not inside:
                raise TraceError(f"{path.name}: the folder holds no files.", code="EMPTY")
            found += inside
        elif path.exists() or path.is_symlink():
            found.append(path)
        else:
            raise TraceError(f"{path}: there is no such file or folder.", code="NO-SUCH-FILE")
    return list(dict.fromkeys(found))


def bytes_needed(path: Path) -> int:
    """Return a low estimate of the room that a file's packets and snapshots will take, in bytes.

    What cannot be opened needs none: reading it says what is wrong.
    """
    try:
        with open_once(path) as opened:
            start = opened.raw.read(4) or b""
            share = PACKED_SHARE if start.startswith(PACKED_STARTS) else PLAIN_SHARE
            return round(share * opened.size)
    except TraceError:
        return 0


def check_room(workspace: Workspace, files: Sequence[Path]) -> None:
    """Refuse a load for which the workspace's disk has no room, before anything is written.

    Files of the size of a trace that is loaded already count as loaded.

    Args:
        workspace: Where it would go.
        files: The files, as `find_files` gives them.

    Raises:
        WorkspaceError: `DISK-FULL`, with both figures, where `ROOM_MARGIN` times what the files
            need is more than what is free.
    """
    with workspace.catalogue() as connection:
        known = {int(row["bytes"]) for row in connection.execute("SELECT bytes FROM source")}
    new = [path for path in files if not path.is_file() or path.stat().st_size not in known]
    need = round(ROOM_MARGIN * sum(map(bytes_needed, new)))
    free = shutil.disk_usage(workspace.root).free
    if need > free:
        raise WorkspaceError(
            f"Disk full: loading these files needs about {file_size(need)}, {file_size(free)} are "
            f"free at {workspace.root}. Free some space, or load fewer files at once. Nothing was "
            "changed.",
            code="DISK-FULL",
        )


def source_id(opened: OpenFile) -> str:
    """Return the id the file's bytes have; equal bytes, equal id, whatever the name."""
    return opened.sha256()[:ID_LENGTH]


def list_sources(connection: sqlite3.Connection) -> list[Source]:
    """Return the sources in the order of their first packet."""
    rows = connection.execute("SELECT * FROM source ORDER BY first_ns, name").fetchall()
    return [_source_of(row) for row in rows]


def find_source(connection: sqlite3.Connection, identity: str) -> Source | None:
    """Return the source of that id, or None."""
    row = connection.execute("SELECT * FROM source WHERE id = ?", (identity,)).fetchone()
    return None if row is None else _source_of(row)


def _source_of(row: sqlite3.Row) -> Source:
    values = dict(row)
    is_synthetic = bool(values.pop("synthetic"))
    report = json.loads(values.pop("report"))
    return Source(**values, is_synthetic=is_synthetic, report=report)


def load_source(
    workspace: Workspace,
    path: Path,
    options: ReadOptions,
    *,
    opened: OpenFile,
    identity: str,
    name: str = "",
    format_name: str = "",
    is_synthetic: bool = False,
    reader: Confined | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> TraceReport:
    """Read a trace and make it part of the workspace; hold the writer's lock around this.

    It is part of the workspace from the moment of one catalogue transaction: killed before it,
    nothing was added; killed after it, all was.

    Args:
        workspace: Where it goes.
        path: A regular file.
        options: What the analyst decided.
        opened: The file, opened once for hashing and reading.
        identity: `source_id(opened)`.
        name: What to call it; the file's own name if empty.
        format_name: Read it as this format; detect by content if empty.
        is_synthetic: Whether the demo generator made it.
        reader: Confined process to read it in; one of its own if None.
        on_progress: Told a few times a second.
        should_stop: Asked ten times a second.

    Raises:
        TraceError: As `parse_trace`.
        Stopped: As `parse_trace`.
        WorkspaceError: `DISK-FULL`.
    """
    directory = workspace.packets / identity
    shutil.rmtree(directory, ignore_errors=True)  # left by a kill just before the transaction
    with new_directory(directory) as partial:
        report = parse_trace(
            path,
            partial,
            options,
            name=name,
            format_name=format_name,
            opened=opened,
            reader=reader,
            on_progress=on_progress,
            should_stop=should_stop,
        )
        write_json(partial / "report.json", asdict(report))
    with workspace.catalogue() as connection, transaction(connection):
        connection.execute(
            "INSERT INTO source VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                identity,
                report.name,
                report.format,
                report.bytes,
                is_synthetic,
                report.packets,
                report.first_ns,
                report.last_ns,
                utc_now(),
                json.dumps(asdict(report)),
            ),
        )
        connection.executemany(
            "INSERT INTO packet_file VALUES (?, ?, ?)",
            [(identity, day, packets) for day, packets in report.days.items()],
        )
    return report


def remove_source(workspace: Workspace, identity: str) -> None:
    """Take a source out of the workspace; its days' snapshots become out of date.

    Raises:
        WorkspaceError: `NO-SOURCE` if no source has that id.
    """
    with workspace.catalogue() as connection, transaction(connection):
        if connection.execute("DELETE FROM source WHERE id = ?", (identity,)).rowcount == 0:
            raise WorkspaceError(
                f"No source has the id {identity!r}. `sources list` shows the ids.",
                code="NO-SOURCE",
            )
    shutil.rmtree(workspace.packets / identity, ignore_errors=True)
