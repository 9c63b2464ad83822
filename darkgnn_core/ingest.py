"""Ingest: traces in, packets and up-to-date snapshots out, with a report of every file."""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from darkgnn_core.config import SnapshotConfig
from darkgnn_core.durable import check_file
from darkgnn_core.errors import DarkgnnError, LabelError, TraceError, visible
from darkgnn_core.labels.mirai import refresh_day
from darkgnn_core.labels.store import add_file
from darkgnn_core.outcomes import FileOutcome
from darkgnn_core.released_loading import ReleasedLoad, load_released
from darkgnn_core.shelf import build_snapshots, drop_orphans, plan_snapshots
from darkgnn_core.snapshots.released import is_released_folder
from darkgnn_core.sources import (
    check_room,
    find_files,
    find_source,
    load_source,
    remove_source,
    source_id,
)
from darkgnn_core.traces.confined import ConfinedPool, Stopped
from darkgnn_core.traces.opening import OpenFile, open_once
from darkgnn_core.traces.parsing import READER, Progress
from darkgnn_core.traces.reading import ReadOptions
from darkgnn_core.workspace import Workspace, writer_lock

POLL_S = 0.2
NO_TRACE = ("COLUMNS", "NOT-A-TRACE")
"""Codes of a file that may be a list of labels instead."""

Stage = Literal["generating", "reading", "building", "done"]


def default_workers() -> int:
    """Return how many files are read, or snapshots built, at once: the cores, at most four."""
    return max(1, min(4, os.cpu_count() or 1))


@dataclass(frozen=True)
class IngestReport:
    """What one ingest did.

    Attributes:
        files: One outcome a file, in the order given.
        snapshots: Summary (or error) of each snapshot built, by bin.
        packets: Packets added.
        seconds: Wall time.
        stopped: Whether the analyst stopped it; what was loaded before stays.
    """

    files: list[FileOutcome]
    snapshots: dict[str, dict[str, Any]]
    packets: int
    seconds: float
    stopped: bool


@dataclass
class IngestProgress:
    """How far an ingest has come; a plain value that is told again and again.

    Attributes:
        stage: What is being done.
        files_total: Files to read.
        files_done: Files read, skipped or failed.
        bytes_total: Size of all files.
        bytes_done: Bytes taken so far.
        packets: Packets generated or read so far.
        packets_total: Packets to generate; 0 while reading, where nobody knows before the end.
        packets_per_s: Packets a second since the start of reading.
        snapshots_total: Snapshots to build.
        snapshots_done: Snapshots built.
        seconds: Wall time so far.
    """

    stage: Stage = "reading"
    files_total: int = 0
    files_done: int = 0
    bytes_total: int = 0
    bytes_done: int = 0
    packets: int = 0
    packets_total: int = 0
    packets_per_s: float = 0.0
    snapshots_total: int = 0
    snapshots_done: int = 0
    seconds: float = 0.0


Tell = Callable[[IngestProgress], None]
Ask = Callable[[], bool]


def ingest(
    workspace: Workspace,
    paths: Iterable[Path],
    *,
    options: ReadOptions | None = None,
    config: SnapshotConfig | None = None,
    format_name: str = "",
    is_synthetic: bool = False,
    names: Mapping[Path, str] | None = None,
    own_options: Mapping[Path, ReadOptions] | None = None,
    workers: int | None = None,
    on_progress: Tell = lambda _: None,
    should_stop: Ask = lambda: False,
) -> IngestReport:
    """Load files and folders into the workspace, then bring its snapshots up to date.

    A file that fails is reported and the others go on. Each file and each snapshot is added whole
    or not at all, so a stop or a kill leaves a sound workspace; the next ingest finishes the rest.

    Args:
        workspace: Where they go.
        paths: Files and folders.
        options: How traces are read.
        config: Settings of the snapshots; the workspace's own if None.
        format_name: Read every file as this format; detect by content if empty.
        is_synthetic: Whether the demo generator made them.
        names: What to call a file in place of its own name (uploads lie under random names).
        own_options: How single files are read, in place of `options`.
        workers: Files read at once.
        on_progress: Told several times a second.
        should_stop: Asked several times a second.

    Raises:
        TraceError: `NO-SUCH-FILE` or `EMPTY` for a path, before anything is read.
        WorkspaceError: `LOCKED` while another process writes; `DISK-FULL`, before anything is read
            where the files' sizes tell that there is no room.
    """
    run = _Ingest(
        workspace,
        options or ReadOptions(),
        own_options or {},
        format_name,
        is_synthetic,
        names or {},
        workers or default_workers(),
        on_progress,
        should_stop,
    )
    paths = list(paths)
    folders = [path for path in paths if path.is_dir() and is_released_folder(path)]
    files = find_files(path for path in paths if path not in folders)
    check_room(workspace, files)
    with writer_lock(workspace):
        released = run.read_released(folders)
        files += [path for each in released for path in each.files]
        outcomes = [each.outcome for each in released if each.outcome] + run.read(files)
        if not run.stopped:
            run.build(config or workspace.snapshot_config())
    return IngestReport(
        files=outcomes,
        snapshots=run.snapshots,
        packets=sum(each.report["packets"] for each in outcomes if each.status == "loaded"),
        seconds=time.monotonic() - run.started,
        stopped=run.stopped,
    )


def bring_up_to_date(
    workspace: Workspace,
    config: SnapshotConfig,
    *,
    workers: int | None = None,
    on_progress: Tell = lambda _: None,
    should_stop: Ask = lambda: False,
) -> IngestReport:
    """Build the snapshots that are missing or out of date with these settings; read nothing."""
    return ingest(
        workspace,
        [],
        config=config,
        workers=workers,
        on_progress=on_progress,
        should_stop=should_stop,
    )


def remove(
    workspace: Workspace,
    identity: str,
    *,
    on_progress: Tell = lambda _: None,
    should_stop: Ask = lambda: False,
) -> IngestReport:
    """Take a source out of the workspace and bring labels and snapshots up to date without it.

    Raises:
        WorkspaceError: `NO-SOURCE`, or `LOCKED` while another process writes.
    """
    with writer_lock(workspace):
        with workspace.catalogue() as connection:
            source = find_source(connection, identity)
        remove_source(workspace, identity)
        refresh_fingerprints(workspace, source.report["days"] if source else ())
    return bring_up_to_date(
        workspace,
        workspace.snapshot_config(),
        on_progress=on_progress,
        should_stop=should_stop,
    )


def refresh_fingerprints(workspace: Workspace, days: Iterable[str]) -> None:
    """Make the Mirai fingerprint's labels of these days those that their packets give now.

    Raises:
        WorkspaceError: `DAMAGED`, where a packet file is gone or damaged.
    """
    with workspace.catalogue() as connection:
        for day in days:
            rows = connection.execute("SELECT source_id FROM packet_file WHERE day = ?", (day,))
            sources = sorted(row["source_id"] for row in rows)
            files = [workspace.packets / source / f"{day}.parquet" for source in sources]
            try:
                refresh_day(connection, files, day)
            except (OSError, ValueError):
                for path in files:
                    check_file(path)  # names the one that is damaged or gone
                raise


class _Ingest:
    """One ingest under way: its settings, its progress, what it found."""

    def __init__(
        self,
        workspace: Workspace,
        options: ReadOptions,
        own_options: Mapping[Path, ReadOptions],
        format_name: str,
        is_synthetic: bool,
        names: Mapping[Path, str],
        workers: int,
        on_progress: Tell,
        should_stop: Ask,
    ) -> None:
        self.workspace = workspace
        self.options = options
        self.own_options = own_options
        self.format_name = format_name
        self.is_synthetic = is_synthetic
        self.names = names
        self.workers = workers
        self.on_progress = on_progress
        self.should_stop = should_stop
        self.started = time.monotonic()
        self.stopped = False
        self.progress = IngestProgress()
        self.snapshots: dict[str, dict[str, Any]] = {}
        self._readers = ConfinedPool(READER)
        self._under_way: dict[Path, Progress] = {}
        self._packets_done = 0
        self._bytes_done = 0

    def read_released(self, folders: list[Path]) -> list[ReleasedLoad]:
        """Load the authors' folders, as far as the analyst does not stop it."""
        loaded = []
        try:
            for folder in folders:
                each = load_released(self.workspace, folder, should_stop=self.should_stop)
                loaded.append(each)
        except Stopped:
            self.stopped = True
        return loaded

    def read(self, files: list[Path]) -> list[FileOutcome]:
        """Read the files, several at once; return their outcomes in the order given."""
        self.progress.files_total = len(files)
        self.progress.bytes_total = sum(_size(path) for path in files)
        outcomes: dict[Path, FileOutcome] = {}
        first_of: dict[str, Path] = {}
        with (
            closing(self._readers),
            ThreadPoolExecutor(max_workers=self.workers) as pool,
        ):
            running: dict[Future[FileOutcome], Path] = {
                pool.submit(self._read_one, path, first_of): path for path in files
            }
            while running:
                done, _ = wait(running, timeout=POLL_S, return_when=FIRST_COMPLETED)
                for future in done:
                    path = running.pop(future)
                    outcome = self._outcome(future, path, pool)
                    if outcome is not None:
                        outcomes[path] = outcome
                    self._bytes_done += _size(path)
                    self._under_way.pop(path, None)
                    self.progress.files_done += 1
                self._tell_reading()
        return [outcomes[path] for path in files if path in outcomes]

    def _outcome(
        self, future: "Future[FileOutcome]", path: Path, pool: ThreadPoolExecutor
    ) -> FileOutcome | None:
        if future.cancelled():
            return None
        try:
            outcome = future.result()
        except Stopped:
            self.stopped = True
            pool.shutdown(wait=False, cancel_futures=True)
            return None
        except TraceError as error:
            return self._as_labels(path, error)
        except DarkgnnError:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        if outcome.status == "loaded":
            self._packets_done += outcome.report["packets"]
        return outcome

    def _as_labels(self, path: Path, refusal: TraceError) -> FileOutcome:
        """Take a file that is no trace as a list of labels, if it is one."""
        if refusal.code in NO_TRACE and not self.format_name:
            try:
                with self.workspace.catalogue() as connection:
                    added = add_file(connection, path, name=self._name(path))
            except LabelError:
                pass
            else:
                return FileOutcome(self._name(path), "labels", report=added.report)
        return FileOutcome(self._name(path), "failed", code=refusal.code, message=str(refusal))

    def _read_one(self, path: Path, first_of: dict[str, Path]) -> FileOutcome:
        if self.should_stop():
            raise Stopped
        with open_once(path) as opened:
            return self._read_opened(path, opened, first_of)

    def _read_opened(self, path: Path, opened: OpenFile, first_of: dict[str, Path]) -> FileOutcome:
        identity = source_id(opened)
        with self.workspace.catalogue() as connection:
            known = find_source(connection, identity)
        if known is not None:
            return FileOutcome(self._name(path), "already loaded", report=known.report)
        if first_of.setdefault(identity, path) != path:  # the same bytes twice in one ingest
            return FileOutcome(self._name(path), "already loaded")
        with self._readers.lend() as reader:
            report = load_source(
                self.workspace,
                path,
                self.own_options.get(path, self.options),
                opened=opened,
                identity=identity,
                name=self._name(path),
                format_name=self.format_name,
                is_synthetic=self.is_synthetic,
                reader=reader,
                on_progress=lambda progress: self._under_way.update({path: progress}),
                should_stop=self.should_stop,
            )
        return FileOutcome(self._name(path), "loaded", report=asdict(report))

    def _name(self, path: Path) -> str:
        return visible(self.names.get(path, path.name))

    def _tell_reading(self) -> None:
        under_way = list(self._under_way.values())
        progress = self.progress
        progress.packets = self._packets_done + sum(each.packets for each in under_way)
        progress.bytes_done = self._bytes_done + sum(each.position for each in under_way)
        progress.seconds = time.monotonic() - self.started
        progress.packets_per_s = progress.packets / max(progress.seconds, 1e-3)
        self.on_progress(progress)

    def build(self, config: SnapshotConfig) -> None:
        """Build the snapshots that are missing or out of date."""
        drop_orphans(self.workspace, config)
        planned = plan_snapshots(self.workspace, config)
        days = {day.isoformat() for plan in planned for day in plan.bin.days}
        refresh_fingerprints(self.workspace, sorted(days))
        progress = self.progress
        progress.stage = "building"
        progress.snapshots_total = len(planned)
        self.on_progress(progress)
        try:
            for key, summary in build_snapshots(
                self.workspace,
                config,
                planned,
                workers=self.workers,
                should_stop=self.should_stop,
            ):
                self.snapshots[key] = summary
                progress.snapshots_done += 1
                progress.seconds = time.monotonic() - self.started
                self.on_progress(progress)
        except Stopped:
            self.stopped = True
            return
        progress.stage = "done"
        self.on_progress(progress)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
