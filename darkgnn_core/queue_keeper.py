"""The process that starts queued jobs in time: `python -m darkgnn_core.queue_keeper WORKSPACE`.

It is there while jobs wait, so that a queue goes on overnight though a worker was killed and no
page is open. It ends when nothing waits any more.
"""

import os
import sys
import time
from pathlib import Path

from filelock import FileLock, Timeout

from darkgnn_core.errors import DarkgnnError, WorkspaceError
from darkgnn_core.job_processes import QUEUE_LOCK
from darkgnn_core.jobs import settle_jobs
from darkgnn_core.workspace import Workspace, open_workspace

POLL_S = 1.0


def main(root: str) -> int:
    """Settle jobs every second until none waits; do nothing where another process does."""
    os.umask(0o077)
    try:
        workspace = open_workspace(Path(root), create=False)
        with FileLock(workspace.jobs / QUEUE_LOCK, timeout=0):
            while is_waited_for(workspace):
                time.sleep(POLL_S)
        is_waited_for(workspace)  # a job queued just now found this process still there
    except (Timeout, DarkgnnError, OSError):
        return 1
    return 0


def is_waited_for(workspace: Workspace) -> bool:
    """Start what may start; say whether a job still waits.

    Raises:
        WorkspaceError: `NO-WORKSPACE` where it was removed meanwhile.
    """
    if not workspace.catalogue_path.exists():
        raise WorkspaceError("The workspace is gone.", code="NO-WORKSPACE")
    try:
        settle_jobs(workspace)
        with workspace.catalogue() as connection:
            row = connection.execute("SELECT 1 FROM job WHERE state = 'queued' LIMIT 1").fetchone()
    except WorkspaceError:  # a full disk, a long transaction: it may pass
        return True
    return row is not None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
