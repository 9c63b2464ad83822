"""The shelf of snapshots: which are built, which are out of date, building and opening them."""

import hashlib
import json
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from darkgnn_core.catalogue import transaction, utc_now
from darkgnn_core.config import SnapshotConfig, config_hash
from darkgnn_core.durable import check_file, check_manifest, new_directory
from darkgnn_core.errors import WorkspaceError
from darkgnn_core.snapshots.bins import Bin, bins_of
from darkgnn_core.snapshots.building import VERSION, NothingLeft, build_snapshot
from darkgnn_core.traces.parsing import Stopped
from darkgnn_core.workspace import Workspace

MEMORY_MB = 600
LARGE_BYTES = 150 << 20
"""Packets of a bin, as they are stored, from about six million on: beyond its share of memory, a
build needs some for each of its hosts, so two such builds at once might pass 1 GiB."""

POLL_S = 0.2


@dataclass(frozen=True)
class PlannedSnapshot:
    """A snapshot that is missing or out of date.

    Attributes:
        bin: Its time bin.
        packet_files: The packets it is made of.
        inputs_hash: Hash of which sources give it packets, and of the version that builds it.
    """

    bin: Bin
    packet_files: tuple[Path, ...]
    inputs_hash: str


@dataclass(frozen=True)
class ShelvedSnapshot:
    """A snapshot as the catalogue knows it.

    Attributes:
        bin: Key of its time bin, such as `2021-12-01`.
        config_hash: Hash of its settings.
        inputs_hash: Hash of which sources gave it packets, and of the version that built it.
        directory: Where its tables are; None where nothing was left to build from.
        summary: Counts and reasons, as `building.build_snapshot` gives them.
        built_at: When it was built, ISO 8601 UTC.
    """

    bin: str
    config_hash: str
    inputs_hash: str
    directory: Path | None
    summary: dict[str, Any]
    built_at: str


def list_snapshots(workspace: Workspace, config: SnapshotConfig) -> list[ShelvedSnapshot]:
    """Return the snapshots built with these settings, in time order."""
    with workspace.catalogue() as connection:
        rows = connection.execute(
            "SELECT * FROM snapshot WHERE config_hash = ? ORDER BY bin", (config_hash(config),)
        ).fetchall()
    return [_shelved(workspace, row) for row in rows]


def open_snapshot(workspace: Workspace, config: SnapshotConfig, bin_key: str) -> ShelvedSnapshot:
    """Return one snapshot, its files held against their manifest.

    Raises:
        WorkspaceError: `NO-SNAPSHOT` if it is not built, `DAMAGED` if its files changed.
    """
    with workspace.catalogue() as connection:
        row = connection.execute(
            "SELECT * FROM snapshot WHERE config_hash = ? AND bin = ?",
            (config_hash(config), bin_key),
        ).fetchone()
    if row is None:
        raise WorkspaceError(
            f"There is no snapshot of {bin_key} with these settings. `snapshots list` shows what "
            "there is; `ingest` or `snapshots build` makes it.",
            code="NO-SNAPSHOT",
        )
    shelved = _shelved(workspace, row)
    if shelved.directory is not None:
        check_manifest(shelved.directory)
    return shelved


def _shelved(workspace: Workspace, row: sqlite3.Row) -> ShelvedSnapshot:
    values = dict(row)
    directory = values.pop("directory")
    return ShelvedSnapshot(
        directory=None if directory is None else workspace.snapshots / directory,
        summary=json.loads(values.pop("summary")),
        **values,
    )


def plan_snapshots(workspace: Workspace, config: SnapshotConfig) -> list[PlannedSnapshot]:
    """Return the snapshots that are missing or out of date, in time order.

    Out of date is what other sources gave packets to, and what an older version has built.
    """
    if config.origin == "released":
        return []
    with workspace.catalogue() as connection:
        files = connection.execute("SELECT source_id, day FROM packet_file").fetchall()
        rows = connection.execute(
            "SELECT bin, inputs_hash FROM snapshot WHERE config_hash = ?", (config_hash(config),)
        ).fetchall()
    built = {row["bin"]: row["inputs_hash"] for row in rows}
    inputs: dict[Bin, set[tuple[str, str]]] = defaultdict(set)
    for file in files:
        for time_bin in bins_of(date.fromisoformat(file["day"]), config.bin_hours):
            inputs[time_bin].add((file["source_id"], file["day"]))
    planned = []
    for time_bin in sorted(inputs, key=lambda each: each.start_ns):
        parts = sorted(inputs[time_bin], key=lambda part: (part[1], part[0]))
        digest = hashlib.sha256(json.dumps([VERSION, parts]).encode()).hexdigest()[:16]
        if built.get(time_bin.key) != digest:
            paths = tuple(workspace.packets / source / f"{day}.parquet" for source, day in parts)
            planned.append(PlannedSnapshot(time_bin, paths, digest))
    return planned


def drop_orphans(workspace: Workspace, config: SnapshotConfig) -> int:
    """Forget snapshots whose bins have no packets any more; return how many."""
    if config.origin == "released":
        return 0
    with workspace.catalogue() as connection:
        rows = connection.execute("SELECT DISTINCT day FROM packet_file").fetchall()
        days = [date.fromisoformat(row["day"]) for row in rows]
        alive = {time_bin.key for day in days for time_bin in bins_of(day, config.bin_hours)}
        gone = [
            shelved for shelved in list_snapshots(workspace, config) if shelved.bin not in alive
        ]
        with transaction(connection):
            connection.executemany(
                "DELETE FROM snapshot WHERE config_hash = ? AND bin = ?",
                [(shelved.config_hash, shelved.bin) for shelved in gone],
            )
    for shelved in gone:
        if shelved.directory is not None:
            shutil.rmtree(shelved.directory, ignore_errors=True)
    return len(gone)


def build_snapshots(
    workspace: Workspace,
    config: SnapshotConfig,
    planned: list[PlannedSnapshot],
    *,
    workers: int = 2,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Build snapshots and put each on the shelf; hold the writer's lock around this.

    Each appears in one catalogue transaction; the one it replaces stays until then.

    Args:
        workspace: Where packets and snapshots are.
        config: The settings.
        planned: As `plan_snapshots` gives them.
        workers: Snapshots built at once, sharing `MEMORY_MB`; those of large bins are built one
            at a time, after the others.
        should_stop: Asked several times a second; what is being built then is given up.

    Yields:
        Key of the bin and its summary; the summary has `error` where nothing was left to build.

    Raises:
        Stopped: If `should_stop` said so.
        WorkspaceError: `DISK-FULL`, or `DAMAGED` where packets changed on disk.
    """
    build = partial(_build_one, workspace, config, memory_mb=MEMORY_MB // workers)
    large = [plan for plan in planned if _packet_bytes(plan) > LARGE_BYTES]
    yield from _built([plan for plan in planned if plan not in large], build, workers, should_stop)
    yield from _built(large, build, 1, should_stop)


def _packet_bytes(plan: PlannedSnapshot) -> int:
    return sum(path.stat().st_size for path in plan.packet_files if path.exists())


def _built(
    planned: list[PlannedSnapshot],
    build: Callable[[PlannedSnapshot], dict[str, Any]],
    workers: int,
    should_stop: Callable[[], bool],
) -> Iterator[tuple[str, dict[str, Any]]]:
    with ThreadPoolExecutor(max_workers=workers) as pool:
        running = {pool.submit(build, plan): plan for plan in planned}
        try:
            while running:
                done, _ = wait(running, timeout=POLL_S, return_when=FIRST_COMPLETED)
                for future in done:
                    yield running.pop(future).bin.key, future.result()
                if should_stop():
                    raise Stopped
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def put_on_shelf(
    workspace: Workspace,
    config: SnapshotConfig,
    bin_key: str,
    inputs_hash: str,
    write: Callable[[Path], dict[str, Any]],
) -> dict[str, Any]:
    """Let `write` fill a snapshot's directory, make it part of the workspace, return its summary.

    Args:
        workspace: Where it goes.
        config: Its settings.
        bin_key: Key of its time bin.
        inputs_hash: Hash of what it is made of.
        write: Gets an empty directory, returns the summary.
    """
    name = f"{config_hash(config)}/{bin_key}.{inputs_hash}"
    final = workspace.snapshots / name
    shutil.rmtree(final, ignore_errors=True)  # left by a kill just before the transaction
    with new_directory(final) as partial:
        summary = write(partial)
    _shelve(workspace, config, bin_key, inputs_hash, name, summary)
    return summary


def _build_one(
    workspace: Workspace, config: SnapshotConfig, plan: PlannedSnapshot, *, memory_mb: int
) -> dict[str, Any]:
    for path in plan.packet_files:
        check_file(path)

    def write(directory: Path) -> dict[str, Any]:
        return build_snapshot(
            plan.packet_files, plan.bin, config, directory, memory_mb=memory_mb, threads=1
        )

    try:
        return put_on_shelf(workspace, config, plan.bin.key, plan.inputs_hash, write)
    except duckdb.Error as error:
        raise _database_gave_up(plan.bin.key, error) from error
    except NothingLeft as error:
        nothing = error.counts | {"error": str(error), "code": error.code}
        _shelve(workspace, config, plan.bin.key, plan.inputs_hash, None, nothing)
        return nothing


def _database_gave_up(bin_key: str, error: duckdb.Error) -> WorkspaceError:
    """Name what DuckDB ran out of while it built a snapshot; what was there before stays."""
    cannot_hold = "failed to pin block" in str(error)  # what a commit says where memory ends
    if isinstance(error, duckdb.OutOfMemoryException) or cannot_hold:
        return WorkspaceError(
            f"Building {bin_key} takes more memory than a snapshot may use. Use shorter bins, or "
            "ask for more packets a host. Nothing was changed.",
            code="OUT-OF-MEMORY",
        )
    if "space" in str(error).lower():
        return WorkspaceError(
            f"Disk full while building {bin_key}. Free some space and start again; what was there "
            "before is unchanged.",
            code="DISK-FULL",
        )
    return WorkspaceError(
        f"Building {bin_key} failed in the database ({type(error).__name__}). Nothing was changed.",
        code="DATABASE",
    )


def _shelve(
    workspace: Workspace,
    config: SnapshotConfig,
    bin_key: str,
    inputs_hash: str,
    name: str | None,
    summary: dict[str, Any],
) -> None:
    key = (config_hash(config), bin_key)
    with workspace.catalogue() as connection, transaction(connection):
        before = connection.execute(
            "SELECT directory FROM snapshot WHERE config_hash = ? AND bin = ?", key
        ).fetchone()
        connection.execute(
            "INSERT OR REPLACE INTO snapshot VALUES (?, ?, ?, ?, ?, ?)",
            (*key, inputs_hash, name, json.dumps(summary), utc_now()),
        )
    if before is not None and before["directory"] not in (None, name):
        shutil.rmtree(workspace.snapshots / before["directory"], ignore_errors=True)
