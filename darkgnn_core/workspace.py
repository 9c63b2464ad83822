"""The workspace: one directory that holds everything an analyst has loaded, built and noted."""

import errno
import json
import os
import socket
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from darkgnn_core.catalogue import (
    errors_named,
    open_catalogue,
    read_setting,
    utc_now,
    write_setting,
)
from darkgnn_core.config import SnapshotConfig
from darkgnn_core.durable import disk_errors_named, sweep_partials
from darkgnn_core.errors import WorkspaceError


@dataclass(frozen=True)
class Workspace:
    """Where things are.

    Attributes:
        root: The workspace directory.
    """

    root: Path

    @property
    def catalogue_path(self) -> Path:
        """The SQLite file."""
        return self.root / "darkgnn.sqlite"

    @property
    def packets(self) -> Path:
        """Parsed packets: `<source id>/<day>.parquet`."""
        return self.root / "packets"

    @property
    def snapshots(self) -> Path:
        """Snapshots: `<settings hash>/<bin>.<inputs hash>/`."""
        return self.root / "snapshots"

    @property
    def inbox(self) -> Path:
        """Where an analyst may drop traces too large to upload, and where uploads arrive."""
        return self.root / "inbox"

    @property
    def jobs(self) -> Path:
        """Background jobs: `<job id>/` with log and lock."""
        return self.root / "jobs"

    @property
    def runs(self) -> Path:
        """Trained runs: `<run id>/` with settings, progress, checkpoint and embeddings."""
        return self.root / "runs"

    @property
    def backups(self) -> Path:
        """Copies of the catalogue, one a day."""
        return self.root / "backups"

    @property
    def scratch(self) -> Path:
        """Temporary files; empty whenever nothing runs. The system's own where it is read-only."""
        return Path(tempfile.gettempdir()) if self.is_read_only else self.root / "scratch"

    def snapshot_config(self) -> SnapshotConfig:
        """Return the settings this workspace's snapshots are built and shown with."""
        with self.catalogue() as connection:
            return SnapshotConfig(**read_setting(connection, "snapshot_config", {}))

    def set_snapshot_config(self, config: SnapshotConfig) -> None:
        """Keep the settings this workspace's snapshots are built and shown with from now on."""
        with self.catalogue() as connection:
            write_setting(connection, "snapshot_config", asdict(config))

    @contextmanager
    def catalogue(self) -> Iterator[sqlite3.Connection]:
        """Open the catalogue for the block; its troubles become errors of ours."""
        path, read_only = self.catalogue_path, self.is_read_only
        with (
            errors_named(path),
            closing(open_catalogue(path, read_only=read_only)) as connection,
        ):
            yield connection

    @property
    def is_read_only(self) -> bool:
        """Whether it is there but this account may not write to it, or its disk is read-only."""
        path = self.catalogue_path
        return path.exists() and not (os.access(self.root, os.W_OK) and os.access(path, os.W_OK))


def open_workspace(root: Path, *, create: bool = True) -> Workspace:
    """Open a workspace, making it where there is none; one that can only be read opens as such.

    Args:
        root: Its directory.
        create: Make it if it is not there; otherwise refuse.

    Raises:
        WorkspaceError: `NO-WORKSPACE` if absent and not to be made, `NOT-A-WORKSPACE` if the
            directory holds other things, `NETWORK-DISK`, `NO-PERMISSION`, `DISK-FULL`, `NEWER`,
            `DAMAGED`.
    """
    root = _resolved(root)
    workspace = Workspace(root)
    try:
        _refuse_lost_catalogue(workspace)
        if not workspace.catalogue_path.exists():
            _refuse_unless_creatable(workspace, create=create)
        refuse_network_disk(root)
        if not workspace.is_read_only:
            _make_folders(workspace)
        with workspace.catalogue():
            if not workspace.is_read_only:
                workspace.catalogue_path.chmod(0o600)
    except OSError as error:
        raise _unusable(root, error) from error
    return workspace


def _make_folders(workspace: Workspace) -> None:
    for directory in (
        workspace.root,
        workspace.packets,
        workspace.snapshots,
        workspace.inbox,
        workspace.jobs,
        workspace.runs,
        workspace.scratch,
    ):
        with disk_errors_named(directory):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def _resolved(root: Path) -> Path:
    try:
        return root.expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, no home, a NUL
        raise _unusable(root, error) from error


def _unusable(root: Path, error: Exception) -> WorkspaceError:
    why = {
        errno.EACCES: "this account may not write there",
        errno.EPERM: "this account may not write there",
        errno.EROFS: "it lies on a disk that can only be read",
        errno.ENAMETOOLONG: "its name is too long",
        errno.ENOTDIR: "a part of its path is a file",
        errno.EEXIST: "a part of its path is a file",
    }.get(getattr(error, "errno", None) or 0)
    code = "NO-PERMISSION" if why else "BAD-PATH"
    said = why or "the system cannot use this path"
    return WorkspaceError(f"{root}: {said}. Choose another directory.", code=code)


NETWORK_DISKS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "glusterfs", "lustre",
     "davfs", "fuse.sshfs", "fuse.davfs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "beegfs"}
)  # fmt: skip
"""Names of file systems whose locks and memory maps SQLite must not rely on (see its WAL page)."""
MOUNTS = Path("/proc/self/mounts")


def refuse_network_disk(root: Path) -> None:
    """Refuse a directory on a network file system, where the system tells (Linux does).

    Raises:
        WorkspaceError: `NETWORK-DISK`.
    """
    kind = _file_system_of(root)
    if kind in NETWORK_DISKS:
        raise WorkspaceError(
            f"{root}: it lies on a network disk ({kind}), where a crash or a second computer can "
            "damage the catalogue. Choose a directory on this computer; traces may stay where "
            "they are.",
            code="NETWORK-DISK",
        )


def _file_system_of(path: Path) -> str:
    """Return the kind of file system that holds a path; empty where the system does not say."""
    found: tuple[int, str] = (0, "")
    with suppress(OSError):
        for line in MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
            _, point, kind, *_ = line.split(" ")
            for code, character in (("\\040", " "), ("\\011", "\t"), ("\\134", "\\")):
                point = point.replace(code, character)
            if path.is_relative_to(point) and len(point) >= found[0]:
                found = (len(point), kind)
    return found[1]


def _refuse_lost_catalogue(workspace: Workspace) -> None:
    """Refuse to begin anew where a catalogue is gone or emptied but what it knew is there."""
    path = workspace.catalogue_path
    if path.exists() and path.stat().st_size:
        return
    known = (workspace.packets, workspace.snapshots, workspace.runs, workspace.backups)
    if any(folder.is_dir() and any(folder.iterdir()) for folder in known):
        what = "empty" if path.exists() else "gone"
        raise WorkspaceError(
            f"The catalogue {path.name} is {what}, but there are data beside it. Restore it from "
            "a backup.",
            code="DAMAGED",
        )


def _refuse_unless_creatable(workspace: Workspace, *, create: bool) -> None:
    root = workspace.root
    if not create:
        raise WorkspaceError(
            f"{root}: there is no workspace. Make one with `darkgnn_core demo --workspace {root}` "
            f"or `darkgnn_core ingest FILE --workspace {root}`.",
            code="NO-WORKSPACE",
        )
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise WorkspaceError(
            f"{root}: not a workspace, and not empty. Choose an empty or new directory.",
            code="NOT-A-WORKSPACE",
        )


@contextmanager
def writer_lock(workspace: Workspace) -> Iterator[None]:
    """Hold the workspace's one writer's place for the block, and clear what a killed writer left.

    The lock is the operating system's: it is free the moment its holder is gone, however it died.

    Raises:
        WorkspaceError: `LOCKED`, naming the process that holds it; `NO-PERMISSION`; `DISK-FULL`.
    """
    lock = FileLock(workspace.root / "writer.lock", timeout=0)
    holder = workspace.root / "writer.json"
    try:
        lock.acquire()
    except Timeout as error:
        raise WorkspaceError(_who_holds(holder), code="LOCKED") from error
    except OSError as error:
        raise _unusable(workspace.root, error) from error
    try:
        details = {"pid": os.getpid(), "machine": socket.gethostname(), "since": utc_now()}
        with disk_errors_named(holder):
            holder.write_text(json.dumps(details), encoding="utf-8")
        for directory in (workspace.packets, workspace.snapshots, workspace.scratch):
            sweep_partials(directory)
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _who_holds(holder: Path) -> str:
    try:
        details = json.loads(holder.read_text(encoding="utf-8"))
        who = f"process {details['pid']} on {details['machine']} since {details['since']}"
    except (OSError, ValueError, KeyError):
        who = "another process"
    return f"The workspace is being written by {who}. Wait until it ends, or cancel it."
