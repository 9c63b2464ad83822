"""Writes that survive a crash: temporary name, fsync, rename, fsync of the directory.

Every bulk file of the workspace is written here, so a reader sees the old file or the new one,
never half of one. Source: ours (`docs/decisions.md`, durable writes).
"""

import errno
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from darkgnn_core.errors import WorkspaceError

MANIFEST = "manifest.json"
TEMPORARY = ".partial-"
SMALL_BYTES = 1 << 16


def fsync_directory(directory: Path) -> None:
    """Make the names in `directory` durable (no effect where directories cannot be opened)."""
    try:
        handle = os.open(directory, os.O_RDONLY)
    except OSError:  # Windows does not open directories
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def fsync_file(path: Path) -> None:
    """Make the bytes of `path` durable."""
    with path.open("rb+") as handle:
        os.fsync(handle.fileno())


def write_file(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then make it `path` in one step.

    Raises:
        WorkspaceError: `DISK-FULL` where the device has no room; the old file stays as it was.
    """
    temporary = path.with_name(f"{TEMPORARY}{uuid.uuid4().hex}")
    try:
        with disk_errors_named(path):
            write(temporary)
            fsync_file(temporary)
            temporary.replace(path)
            fsync_directory(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, durably."""
    write_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a mapping as JSON, durably."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True) + "\n")


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hex."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@contextmanager
def new_directory(final: Path) -> Iterator[Path]:
    """Give a temporary directory that becomes `final`, with a manifest, when the block ends well.

    The manifest names each file with its size and sha256; `check_manifest` holds the directory
    against it. If the block raises, nothing is left behind.

    Raises:
        WorkspaceError: `DISK-FULL`, or `EXISTS` where `final` is already there.
    """
    temporary = final.with_name(f"{TEMPORARY}{uuid.uuid4().hex}")
    with disk_errors_named(final):
        temporary.mkdir(parents=True)
    try:
        with disk_errors_named(final):
            yield temporary
            write_manifest(temporary)
            if final.exists():
                raise WorkspaceError(f"{final.name} is already there.", code="EXISTS")
            temporary.rename(final)
            fsync_directory(final.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_manifest(directory: Path) -> None:
    """Write the names, sizes and sha256 of the files below `directory`; make them durable."""
    files = sorted(p for p in directory.rglob("*") if p.is_file() and p.name != MANIFEST)
    entries = {}
    for path in files:
        fsync_file(path)
        name = path.relative_to(directory).as_posix()
        entries[name] = {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
    for folder in {path.parent for path in files}:
        fsync_directory(folder)
    write_json(directory / MANIFEST, {"files": entries})


def check_manifest(directory: Path) -> None:
    """Hold a directory against its manifest: no file missing, extra, cut or changed by a bit.

    Raises:
        WorkspaceError: `DAMAGED`, naming the first file that differs.
    """
    entries = _read_manifest(directory)
    found = {
        path.relative_to(directory).as_posix()
        for path in directory.rglob("*")
        if path.is_file() and path.name != MANIFEST
    }
    for name in sorted(found ^ set(entries)):
        raise _damaged(directory, name, "is extra" if name in found else "is missing")
    for name, entry in entries.items():
        _check_entry(directory, name, entry)


def check_file(path: Path) -> None:
    """Hold one file against the manifest beside it.

    Raises:
        WorkspaceError: `DAMAGED`, if it is missing, unlisted, cut or changed by a bit.
    """
    entry = _read_manifest(path.parent).get(path.name)
    if entry is None or not path.is_file():
        raise _damaged(path.parent, path.name, "is missing")
    _check_entry(path.parent, path.name, entry)


def _read_manifest(directory: Path) -> dict[str, dict[str, Any]]:
    try:
        entries: dict[str, dict[str, Any]] = json.loads((directory / MANIFEST).read_bytes())[
            "files"
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(directory, MANIFEST, "is missing or unreadable") from error
    return entries


def _check_entry(directory: Path, name: str, entry: dict[str, Any]) -> None:
    path = directory / name
    if path.stat().st_size != entry["bytes"] or sha256_of(path) != entry["sha256"]:
        raise _damaged(directory, name, "has changed since it was written")


def _damaged(directory: Path, name: str, what: str) -> WorkspaceError:
    return WorkspaceError(
        f"{directory.name}/{name} {what}. Restore it from a backup, or build it again.",
        code="DAMAGED",
    )


FULL = (errno.ENOSPC, errno.EDQUOT)
TROUBLES = {
    errno.EIO: ("DISK-ERROR", "its disk failed to read or write. Check the disk"),
    errno.EROFS: ("NO-PERMISSION", "its disk can only be read. Make it writable"),
    errno.EACCES: ("NO-PERMISSION", "this account may not write there. Check the permissions"),
    errno.EPERM: ("NO-PERMISSION", "this account may not write there. Check the permissions"),
}


@contextmanager
def disk_errors_named(path: Path) -> Iterator[None]:
    """Turn a disk that is full, failing or read-only inside the block into a message that says so.

    Raises:
        WorkspaceError: `DISK-FULL`, telling what is left; `DISK-ERROR`; `NO-PERMISSION`.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise WorkspaceError(
                f"Disk full while writing {path.name}: {room_in(path.parent)} in {path.parent}. "
                "Free some space and start again; what was there before is unchanged.",
                code="DISK-FULL",
            ) from error
        if error.errno not in TROUBLES:
            raise
        code, why = TROUBLES[error.errno]
        raise WorkspaceError(
            f"{path.name} was not written: {why} and start again; what was there before is "
            "unchanged.",
            code=code,
        ) from error


def room_in(directory: Path) -> str:
    """Return what is left of a disk in words: bytes, or that no further file may be made."""
    place = directory if directory.exists() else Path(directory.anchor)
    if hasattr(os, "statvfs") and is_out_of_files(place):
        return "no more files may be made (its disk has no inodes left)"
    return f"{shutil.disk_usage(place).free:,} bytes are free"


def is_out_of_files(directory: Path) -> bool:
    """Say whether a disk that counts its files has room for no more."""
    found = os.statvfs(directory)
    return found.f_files > 0 and found.f_favail == 0


def is_full(directory: Path) -> bool:
    """Say whether a disk has no room for another small file."""
    if not directory.exists():
        return False
    out_of_files = hasattr(os, "statvfs") and is_out_of_files(directory)
    return out_of_files or shutil.disk_usage(directory).free < SMALL_BYTES


def sweep_partials(directory: Path) -> int:
    """Remove what a killed writer left below `directory`; call it only while holding its lock.

    Returns:
        How many temporary files and directories were removed.
    """
    leftovers = sorted(directory.rglob(f"{TEMPORARY}*"))
    for path in leftovers:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(leftovers)
