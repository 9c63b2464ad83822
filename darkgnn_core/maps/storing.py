"""Maps and true neighbours on disk: beside their run, told apart by what they were made of."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from darkgnn_core.durable import MANIFEST, disk_errors_named, write_file
from darkgnn_core.errors import RunError
from darkgnn_core.maps.enclosing import Points
from darkgnn_core.maps.projecting import Addresses
from darkgnn_core.maps.trusting import Shares
from darkgnn_core.maps.tsne import TsneSettings
from darkgnn_core.run_store import EMBEDDINGS, directory_of
from darkgnn_core.workspace import Workspace

MAPS, NEIGHBOURS, PLANES = "maps", "neighbours", "planes"
VERSION = 1
"""Goes up whenever the same embedding and settings would give another map."""
SUFFIX, DIGEST = ".safetensors", "digest"
Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, eq=False)
class StoredMap:
    """Where the hosts of a day lie on a map, n hosts.

    Attributes:
        key: Name of the bin.
        hosts: uint32 (n,), ascending.
        points: float32 (n, 2).
        trust: float32 (n,), share of the true neighbours kept (`trusting`).
        chain: Maps of one chain were made one from another, so that their places can be compared.
        embedding: Hash of the embedding it was made of.
        start: Day whose map it started from; empty for the first of its chain.
    """

    key: str
    hosts: Addresses
    points: Points
    trust: Shares
    chain: str
    embedding: str
    start: str


@dataclass(frozen=True, eq=False)
class StoredNeighbours:
    """The true neighbours of the hosts of a day, n hosts.

    Attributes:
        key: Name of the bin.
        near: int64 (n, k), positions of the nearest hosts, nearest first; -1 for none.
        distances: float64 (n, k), cosine over standardised columns, 0 to 2.
        embedding: Hash of the embedding they were found in.
    """

    key: str
    near: npt.NDArray[np.int64]
    distances: npt.NDArray[np.float64]
    embedding: str


def embedding_hash(workspace: Workspace, run_id: str, day: str) -> str:
    """Return the hash of the file that holds a day's embedding, 16 hex digits.

    Raises:
        RunError: `NO-EMBEDDING` where the run has none of that day.
    """
    path = directory_of(workspace, run_id) / EMBEDDINGS / MANIFEST
    try:
        entry = json.loads(path.read_bytes())["files"][f"{day}.parquet"]
        return str(entry["sha256"])[:16]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"The run has no embedding of {day}.", code="NO-EMBEDDING") from error


def settings_hash(settings: TsneSettings) -> str:
    """Return 12 hex digits that stand for the settings of a map, and for this version."""
    told = json.dumps([VERSION, asdict(settings)], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def write_map(workspace: Workspace, run_id: str, settings: TsneSettings, made: StoredMap) -> None:
    """Write a map durably; an older one of the day is replaced.

    Raises:
        WorkspaceError: `DISK-FULL`; the old file stays as it was.
    """
    arrays = {"hosts": made.hosts, "points": made.points, "trust": made.trust}
    facts = {"chain": made.chain, "embedding": made.embedding, "start": made.start}
    write_arrays(map_path(workspace, run_id, settings, made.key), arrays, facts | {"key": made.key})


def find_map(
    workspace: Workspace, run_id: str, settings: TsneSettings, day: str
) -> StoredMap | None:
    """Return the map of a day, or None where there is none of the embedding as it is now.

    One that is cut or damaged counts as absent: it is made again.
    """
    read = read_arrays(map_path(workspace, run_id, settings, day))
    if read is None:
        return None
    arrays, facts = read
    if facts.get("embedding") != embedding_hash(workspace, run_id, day):
        return None
    return StoredMap(
        key=day,
        hosts=arrays["hosts"],
        points=arrays["points"],
        trust=arrays["trust"],
        chain=facts["chain"],
        embedding=facts["embedding"],
        start=facts["start"],
    )


def stored_days(workspace: Workspace, run_id: str, settings: TsneSettings) -> tuple[str, ...]:
    """Return the days that have a map with these settings, in time order; not opened."""
    directory = map_path(workspace, run_id, settings, "x").parent
    return tuple(sorted(path.stem for path in directory.glob(f"*{SUFFIX}")))


def write_neighbours(workspace: Workspace, run_id: str, found: StoredNeighbours) -> None:
    """Write the true neighbours of a day durably.

    Raises:
        WorkspaceError: `DISK-FULL`; the old file stays as it was.
    """
    arrays = {"near": found.near.astype(np.int32), "distances": found.distances.astype(np.float32)}
    facts = {"key": found.key, "embedding": found.embedding}
    write_arrays(neighbours_path(workspace, run_id, found.key), arrays, facts)


def find_neighbours(workspace: Workspace, run_id: str, day: str) -> StoredNeighbours | None:
    """Return the true neighbours of a day, or None where they are not known; as `find_map`."""
    read = read_arrays(neighbours_path(workspace, run_id, day))
    if read is None or read[1].get("embedding") != embedding_hash(workspace, run_id, day):
        return None
    near, distances = read[0]["near"], read[0]["distances"]
    return StoredNeighbours(
        day, near.astype(np.int64), distances.astype(np.float64), read[1]["embedding"]
    )


def map_path(workspace: Workspace, run_id: str, settings: TsneSettings, day: str) -> Path:
    """Return where the map of a day is kept."""
    name = f"tsne-{settings_hash(settings)}"
    return directory_of(workspace, run_id) / MAPS / name / f"{day}{SUFFIX}"


def plane_path(workspace: Workspace, run_id: str, day: str) -> Path:
    """Return where the principal plane of a day is kept."""
    return directory_of(workspace, run_id) / MAPS / f"{PLANES}-{VERSION}" / f"{day}{SUFFIX}"


def neighbours_path(workspace: Workspace, run_id: str, day: str) -> Path:
    """Return where the true neighbours of a day are kept."""
    return directory_of(workspace, run_id) / MAPS / NEIGHBOURS / f"{day}{SUFFIX}"


def write_arrays(path: Path, arrays: Arrays, facts: Mapping[str, str]) -> None:
    """Write arrays of a run durably, with facts and a digest of it all.

    Args:
        path: Below the run's folder, two folders deep.
        arrays: By name.
        facts: What they were made of.

    Raises:
        RunError: `NO-RUN` where the run was deleted meanwhile.
        WorkspaceError: `DISK-FULL`; the old file stays as it was.
    """
    if not path.parents[2].is_dir():  # the run was deleted meanwhile: do not bring it back
        raise RunError("The run is gone.", code="NO-RUN")
    with disk_errors_named(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    whole = {name: np.ascontiguousarray(values) for name, values in arrays.items()}
    told = {**facts, DIGEST: _digest(whole, facts)}
    write_file(path, lambda temporary: save_file(whole, temporary, metadata=told))


def read_arrays(path: Path) -> tuple[dict[str, npt.NDArray[Any]], dict[str, str]] | None:
    """Return arrays and facts of a file; None where it is absent, cut or damaged."""
    try:
        with safe_open(path, "numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            facts: dict[str, str] = file.metadata() or {}
    except (OSError, SafetensorError):
        return None
    told = facts.pop(DIGEST, "")
    return (arrays, facts) if told == _digest(arrays, facts) else None


def _digest(arrays: Arrays, facts: Mapping[str, str]) -> str:
    """Return the sha256 of all that a file holds: one changed bit anywhere is noticed."""
    digest = hashlib.sha256(json.dumps(dict(sorted(facts.items()))).encode())
    for name in sorted(arrays):
        values = arrays[name]
        digest.update(f"{name} {values.dtype} {values.shape}".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()
