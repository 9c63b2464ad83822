"""The principal plane of a day, kept beside its run: the map that is there at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from darkgnn_core.maps.enclosing import Points
from darkgnn_core.maps.projecting import Addresses, directions, principal_plane
from darkgnn_core.maps.storing import embedding_hash, plane_path, read_arrays, write_arrays
from darkgnn_core.runs import open_embedding
from darkgnn_core.workspace import Workspace


@dataclass(frozen=True, eq=False)
class StoredPlane:
    """Where the hosts of a day lie in the plane in which they differ most, n hosts.

    Attributes:
        key: Name of the bin.
        hosts: uint32 (n,), ascending.
        points: float32 (n, 2), as `projecting.principal_plane` gives them, not turned.
        embedding: Hash of the embedding it was made of.
    """

    key: str
    hosts: Addresses
    points: Points
    embedding: str


def day_plane(workspace: Workspace, run_id: str, day: str) -> StoredPlane:
    """Return the principal plane of a day, from disk where it is, else made and kept.

    Raises:
        RunError: `NO-RUN`, `NO-EMBEDDING`.
        WorkspaceError: `DAMAGED`, `DISK-FULL`.
    """
    digest = embedding_hash(workspace, run_id, day)
    path = plane_path(workspace, run_id, day)
    read = read_arrays(path)
    if read is not None and read[1].get("embedding") == digest:
        return StoredPlane(day, read[0]["hosts"], read[0]["points"], digest)
    embedding = open_embedding(workspace, run_id, day)
    made = StoredPlane(day, embedding.hosts, principal_plane(directions(embedding.vectors)), digest)
    arrays = {"hosts": made.hosts, "points": made.points}
    write_arrays(path, arrays, {"key": day, "embedding": digest})
    return made


def keep_planes(
    workspace: Workspace, run_id: str, days: Sequence[str], *, should_stop: Callable[[], bool]
) -> None:
    """Make the principal planes of days that have none, until `should_stop` says so.

    Raises:
        RunError: `NO-RUN`, `NO-EMBEDDING`.
        WorkspaceError: `DAMAGED`, `DISK-FULL`.
    """
    for day in days:
        if should_stop():
            return
        day_plane(workspace, run_id, day)
