"""Maps and true neighbours on disk: beside their run, told apart by what they were made of."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from darkgnn_core.durable import MANIFEST, disk_errors_named, write_file
from darkgnn_core.errors import RunError, WorkspaceError
from darkgnn_core.maps.enclosing import Points
from darkgnn_core.maps.projecting import Addresses
from darkgnn_core.maps.trusting import Shares
from darkgnn_core.maps.tsne import TsneSettings
from darkgnn_core.run_store import EMBEDDINGS, directory_of
from darkgnn_core.workspace import Workspace

MAPS, NEIGHBOURS = "maps", "neighbours"
VERSION = 1
"""Goes up whenever the same embedding and settings would give another map."""
FACTS = b"darkgnn.map"


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
    columns = {
        "host": pa.array(made.hosts, pa.uint32()),
        "x": pa.array(np.ascontiguousarray(made.points[:, 0]), pa.float32()),
        "y": pa.array(np.ascontiguousarray(made.points[:, 1]), pa.float32()),
        "trust": pa.array(made.trust, pa.float32()),
    }
    facts = {"chain": made.chain, "embedding": made.embedding, "start": made.start}
    path = map_path(workspace, run_id, settings, made.key)
    _write(path, pa.table(columns), facts | {"key": made.key})


def find_map(
    workspace: Workspace, run_id: str, settings: TsneSettings, day: str
) -> StoredMap | None:
    """Return the map of a day, or None where there is none of the embedding as it is now.

    One that is cut or damaged counts as absent: it is made again.
    """
    read = _read(map_path(workspace, run_id, settings, day))
    if read is None:
        return None
    table, facts = read
    if facts.get("embedding") != embedding_hash(workspace, run_id, day):
        return None
    x, y = (table.column(name).to_numpy() for name in ("x", "y"))
    return StoredMap(
        key=day,
        hosts=table.column("host").to_numpy(),
        points=np.stack([x, y], axis=1).astype(np.float32, copy=False),
        trust=table.column("trust").to_numpy(),
        chain=str(facts["chain"]),
        embedding=str(facts["embedding"]),
        start=str(facts["start"]),
    )


def stored_days(workspace: Workspace, run_id: str, settings: TsneSettings) -> tuple[str, ...]:
    """Return the days that have a map with these settings, in time order; not opened."""
    directory = map_path(workspace, run_id, settings, "x").parent
    return tuple(sorted(path.stem for path in directory.glob("*.parquet")))


def write_neighbours(workspace: Workspace, run_id: str, found: StoredNeighbours) -> None:
    """Write the true neighbours of a day durably.

    Raises:
        WorkspaceError: `DISK-FULL`; the old file stays as it was.
    """
    k = found.near.shape[1]
    near = pa.array(found.near.astype(np.int32).reshape(-1))
    distances = pa.array(found.distances.astype(np.float32).reshape(-1))
    columns = {
        "near": pa.FixedSizeListArray.from_arrays(near, k),
        "distance": pa.FixedSizeListArray.from_arrays(distances, k),
    }
    facts = {"key": found.key, "embedding": found.embedding}
    _write(neighbours_path(workspace, run_id, found.key), pa.table(columns), facts)


def find_neighbours(workspace: Workspace, run_id: str, day: str) -> StoredNeighbours | None:
    """Return the true neighbours of a day, or None where they are not known; as `find_map`."""
    read = _read(neighbours_path(workspace, run_id, day))
    if read is None or read[1].get("embedding") != embedding_hash(workspace, run_id, day):
        return None
    near, distances = (_matrix(read[0], name) for name in ("near", "distance"))
    return StoredNeighbours(
        day, near.astype(np.int64), distances.astype(np.float64), str(read[1]["embedding"])
    )


def _matrix(table: pa.Table, name: str) -> npt.NDArray[Any]:
    lists = table.column(name).combine_chunks()
    values: npt.NDArray[Any] = lists.flatten().to_numpy(zero_copy_only=False)
    return values.reshape(len(lists), lists.type.list_size)


def map_path(workspace: Workspace, run_id: str, settings: TsneSettings, day: str) -> Path:
    """Return where the map of a day is kept."""
    name = f"tsne-{settings_hash(settings)}"
    return directory_of(workspace, run_id) / MAPS / name / f"{day}.parquet"


def neighbours_path(workspace: Workspace, run_id: str, day: str) -> Path:
    """Return where the true neighbours of a day are kept."""
    return directory_of(workspace, run_id) / MAPS / NEIGHBOURS / f"{day}.parquet"


def _write(path: Path, table: pa.Table, facts: Mapping[str, str]) -> None:
    if not path.parents[2].is_dir():  # the run was deleted meanwhile: do not bring it back
        raise RunError("The run is gone.", code="NO-RUN")
    with disk_errors_named(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    labelled = table.replace_schema_metadata({FACTS: json.dumps(facts, sort_keys=True).encode()})
    write_file(
        path,
        lambda temporary: pq.write_table(
            labelled,
            temporary,
            compression="none",  # the last bits of a float are noise
            use_dictionary=False,
            write_page_checksum=True,
        ),
    )


def _read(path: Path) -> tuple[pa.Table, dict[str, Any]] | None:
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            table = file.read()
        facts: dict[str, Any] = json.loads(table.schema.metadata[FACTS])
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError, WorkspaceError):
        return None
    return table, facts
