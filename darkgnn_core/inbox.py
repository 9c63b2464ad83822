"""The inbox: a folder of the workspace for traces too large to upload, and for uploads in transit.

An upload lies under a random hidden name until its job has read it; the name the browser gave is
only ever shown, never used as a path.
"""

import os
import time
import uuid
from pathlib import Path

from darkgnn_core.durable import disk_errors_named
from darkgnn_core.workspace import Workspace

UPLOAD_PREFIX = ".upload-"
UPLOAD_AGE_S = 24 * 3600.0
CLOCK_JUMP_S = 3600.0


def _ahead_s() -> float:
    """Return how far the clock on the wall is ahead of the one that nobody sets."""
    steady = getattr(time, "CLOCK_BOOTTIME", None)  # goes on while the computer sleeps
    return time.time() - (time.monotonic() if steady is None else time.clock_gettime(steady))


_AHEAD_AT_START_S = _ahead_s()


def list_inbox(workspace: Workspace) -> list[Path]:
    """Return the files an analyst has put into the inbox, folders included, by name."""
    found = (path for path in workspace.inbox.rglob("*") if path.is_file())
    hidden = workspace.inbox.parts
    return sorted(
        path for path in found if not any(p.startswith(".") for p in path.parts[len(hidden) :])
    )


def keep_upload(workspace: Workspace, content: bytes) -> Path:
    """Put an upload into the inbox under a random name, readable by its owner only.

    Raises:
        WorkspaceError: `DISK-FULL`.
    """
    path = workspace.inbox / f"{UPLOAD_PREFIX}{uuid.uuid4().hex}"
    with disk_errors_named(path):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    return path


def sweep_uploads(workspace: Workspace, *, age_s: float = UPLOAD_AGE_S) -> int:
    """Remove uploads that nobody loaded within a day; return how many.

    None is removed once the clock has been set by more than an hour: no age can be trusted then.
    """
    if abs(_ahead_s() - _AHEAD_AT_START_S) > CLOCK_JUMP_S:
        return 0
    old = [
        path
        for path in workspace.inbox.glob(f"{UPLOAD_PREFIX}*")
        if time.time() - path.stat().st_mtime > age_s
    ]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
