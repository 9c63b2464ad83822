"""The paper authors' released folder into the workspace: their graphs and features as they are."""

import hashlib
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from darkgnn_core.durable import sha256_of
from darkgnn_core.errors import TraceError
from darkgnn_core.outcomes import FileOutcome
from darkgnn_core.shelf import list_snapshots, put_on_shelf
from darkgnn_core.snapshots.released import ReleasedDataset, read_released
from darkgnn_core.snapshots.released_writing import CONFIG, write_released_snapshot
from darkgnn_core.sources import list_sources
from darkgnn_core.workspace import Workspace


@dataclass(frozen=True)
class ReleasedLoad:
    """What a released folder gave.

    Attributes:
        outcome: What became of its graphs and features; None where it has none.
        files: What else is in it, to be loaded as usual: raw packets and the ground truth.
    """

    outcome: FileOutcome | None
    files: tuple[Path, ...]


def load_released(workspace: Workspace, folder: Path) -> ReleasedLoad:
    """Make each released day a snapshot; hold the writer's lock around this.

    The snapshots stand beside those built from packets, under settings of their own
    (`origin="released"`); a workspace without packets shows them. A folder that cannot be read
    gives a failed outcome; its days before the fault are kept.

    Raises:
        WorkspaceError: `DISK-FULL`.
    """
    try:
        return _load(workspace, read_released(folder))
    except TraceError as error:
        failed = FileOutcome(folder.name, "failed", code=error.code, message=str(error))
        return ReleasedLoad(failed, ())


def _load(workspace: Workspace, dataset: ReleasedDataset) -> ReleasedLoad:
    truth = () if dataset.ground_truth is None else (dataset.ground_truth,)
    files = (*dataset.raw.values(), *truth)
    if not dataset.days:
        return ReleasedLoad(None, files)
    known = {each.bin: each.inputs_hash for each in list_snapshots(workspace, CONFIG)}
    added = 0
    for day in dataset.days:
        inputs_hash = _inputs_hash(dataset, day)
        if known.get(day) != inputs_hash:
            added += 1
            put_on_shelf(
                workspace,
                CONFIG,
                day,
                inputs_hash,
                partial(write_released_snapshot, dataset, day),
            )
    with workspace.catalogue() as connection:
        has_packets = bool(list_sources(connection)) or bool(dataset.raw)
    if not has_packets:
        workspace.set_snapshot_config(CONFIG)
    days = len(dataset.days)
    report = {
        "format": "released",
        "read": days,
        "kept": days,
        "packets": 0,
        "skipped": {},
        "notes": dict.fromkeys(dataset.notes, 1),
        "days": {},
    }
    status = "loaded" if added else "already loaded"
    return ReleasedLoad(FileOutcome(dataset.root.name, status, report=report), files)


def _inputs_hash(dataset: ReleasedDataset, day: str) -> str:
    lookups = [dataset.root / "graph" / name for name in ("ip_lookup.json", "port_lookup.json")]
    features = [dataset.features[day]] if day in dataset.features else []
    hashes = [sha256_of(path) for path in (dataset.graphs[day], *features, *lookups)]
    return hashlib.sha256(json.dumps(hashes).encode()).hexdigest()[:16]
