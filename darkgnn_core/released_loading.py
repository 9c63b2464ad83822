"""The paper authors' released folder into the workspace: their graphs and features as they are."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from darkgnn_core.errors import TraceError
from darkgnn_core.outcomes import FileOutcome
from darkgnn_core.shelf import list_snapshots, put_on_shelf
from darkgnn_core.snapshots.released import ReleasedFiles, find_released
from darkgnn_core.snapshots.released_writing import CONFIG
from darkgnn_core.sources import list_sources
from darkgnn_core.traces.confined import LONG_SILENCE_S, Confined
from darkgnn_core.workspace import Workspace

READER = "darkgnn_core.snapshots.released_child"
"""Module of the confined process that reads released files."""


@dataclass(frozen=True)
class ReleasedLoad:
    """What a released folder gave.

    Attributes:
        outcome: What became of its graphs and features; None where it has none.
        files: What else is in it, to be loaded as usual: raw packets and the ground truth.
    """

    outcome: FileOutcome | None
    files: tuple[Path, ...]


def load_released(
    workspace: Workspace, folder: Path, *, should_stop: Callable[[], bool] = lambda: False
) -> ReleasedLoad:
    """Make each released day a snapshot; hold the writer's lock around this.

    The files are read in a confined process, one for each day. The snapshots stand beside those
    built from packets, under settings of their own (`origin="released"`); a workspace without
    packets shows them. A folder that cannot be read gives a failed outcome; its days before the
    fault are kept.

    Args:
        workspace: Where they go.
        folder: What `is_released_folder` accepts.
        should_stop: Asked ten times a second.

    Raises:
        WorkspaceError: `DISK-FULL`.
        Stopped: If `should_stop` said so; its days before that are kept.
    """
    try:
        with Confined(READER) as reader:
            return _Folder(workspace, find_released(folder), reader, should_stop).load()
    except TraceError as error:
        failed = FileOutcome(folder.name, "failed", code=error.code, message=str(error))
        return ReleasedLoad(failed, ())


@dataclass(frozen=True)
class _Folder:
    """A released folder on its way into a workspace."""

    workspace: Workspace
    files: ReleasedFiles
    reader: Confined
    should_stop: Callable[[], bool]

    def load(self) -> ReleasedLoad:
        files, workspace = self.files, self.workspace
        truth = () if files.ground_truth is None else (files.ground_truth,)
        others = (*files.raw.values(), *truth)
        told = self._ask("look", {}, [*files.graphs.values(), *files.features.values()])
        if not files.days:
            return ReleasedLoad(None, others)
        known = {each.bin: each.inputs_hash for each in list_snapshots(workspace, CONFIG)}
        added = [day for day in files.days if known.get(day) != told["days"][day]]
        for day in added:
            put_on_shelf(workspace, CONFIG, day, told["days"][day], partial(self._write, day))
        with workspace.catalogue() as connection:
            has_packets = bool(list_sources(connection)) or bool(files.raw)
        if not has_packets:
            workspace.set_snapshot_config(CONFIG)
        status = "loaded" if added else "already loaded"
        report = _report(len(files.days), told["notes"])
        return ReleasedLoad(FileOutcome(files.root.name, status, report=report), others)

    def _write(self, day: str, directory: Path) -> dict[str, Any]:
        request = {"day": day, "directory": str(directory.resolve())}
        answer = self._ask("write", request, self.files.inputs_of(day))
        summary: dict[str, Any] = answer["summary"]
        return summary

    def _ask(self, task: str, request: dict[str, Any], paths: Iterable[Path]) -> dict[str, Any]:
        root = self.files.root
        return self.reader.do(
            task,
            request | {"folder": str(root.resolve()), "name": root.name},
            size=sum(path.stat().st_size for path in paths if path.is_file()),
            silence_s=LONG_SILENCE_S,
            should_stop=self.should_stop,
        )


def _report(days: int, notes: list[str]) -> dict[str, Any]:
    return {
        "format": "released",
        "read": days,
        "kept": days,
        "packets": 0,
        "skipped": {},
        "notes": dict.fromkeys(notes, 1),
        "days": {},
    }
