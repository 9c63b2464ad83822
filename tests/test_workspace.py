"""The workspace: made private, opened or refused by name, one writer at a time."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from darkgnn_core.catalogue import (
    MIGRATIONS,
    open_catalogue,
    read_setting,
    transaction,
    write_setting,
)
from darkgnn_core.config import SnapshotConfig
from darkgnn_core.errors import WorkspaceError
from darkgnn_core.workspace import open_workspace, writer_lock


def test_a_new_workspace_is_private(tmp_path: Path) -> None:
    """Its directories are the owner's alone, and so is the catalogue."""
    workspace = open_workspace(tmp_path / "w")
    if os.name == "posix":
        assert {
            workspace.root.stat().st_mode & 0o777,
            workspace.packets.stat().st_mode & 0o777,
        } == {0o700}
        assert workspace.catalogue_path.stat().st_mode & 0o777 == 0o600


def test_opening_again_keeps_what_was_there(tmp_path: Path) -> None:
    """A setting written before is read after opening the workspace anew."""
    workspace = open_workspace(tmp_path / "w")
    config = SnapshotConfig(min_packets=1)
    workspace.set_snapshot_config(config)
    assert open_workspace(tmp_path / "w", create=False).snapshot_config() == config


def test_an_absent_workspace_is_refused_unless_it_may_be_made(tmp_path: Path) -> None:
    """Opening without making says how to make one, and makes nothing."""
    with pytest.raises(WorkspaceError, match="there is no workspace") as caught:
        open_workspace(tmp_path / "w", create=False)
    assert caught.value.code == "NO-WORKSPACE"
    assert not (tmp_path / "w").exists()


def test_a_directory_of_other_things_is_left_alone(tmp_path: Path) -> None:
    """A directory that holds something else is refused and not changed."""
    (tmp_path / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(WorkspaceError) as caught:
        open_workspace(tmp_path)
    assert caught.value.code == "NOT-A-WORKSPACE"
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


def test_a_later_schema_is_refused_and_not_changed(tmp_path: Path) -> None:
    """A catalogue of a newer darkgnn is told so, its version untouched."""
    workspace = open_workspace(tmp_path / "w")
    with sqlite3.connect(workspace.catalogue_path) as raw:
        raw.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    raw.close()
    with pytest.raises(WorkspaceError) as caught:
        open_workspace(tmp_path / "w")
    assert caught.value.code == "NEWER"


def test_garbage_in_place_of_the_catalogue_is_named(tmp_path: Path) -> None:
    """A file that is no SQLite gives DAMAGED, not a traceback of sqlite3."""
    path = tmp_path / "darkgnn.sqlite"
    path.write_bytes(b"this is not a database" * 100)
    with pytest.raises(WorkspaceError) as caught:
        open_catalogue(path)
    assert caught.value.code == "DAMAGED"


def test_a_transaction_that_raises_changes_nothing(tmp_path: Path) -> None:
    """A setting written inside a block that fails is not there afterwards."""
    workspace = open_workspace(tmp_path / "w")
    with workspace.catalogue() as connection:
        with pytest.raises(RuntimeError), transaction(connection):
            write_setting(connection, "x", 1)
            raise RuntimeError("stop")
        assert read_setting(connection, "x", "default") == "default"


def test_a_second_writer_is_told_who_writes(tmp_path: Path) -> None:
    """While one process holds the lock another is refused, with the holder's number."""
    workspace = open_workspace(tmp_path / "w")
    with writer_lock(workspace), pytest.raises(WorkspaceError, match=f"process {os.getpid()}"):
        writer_lock(workspace).__enter__()
    with writer_lock(workspace):
        pass


def test_a_killed_writer_frees_the_lock_and_is_swept_up(tmp_path: Path) -> None:
    """After `kill -9` of the holder the next writer starts at once and removes its leftovers."""
    workspace = open_workspace(tmp_path / "w")
    program = (
        "import sys, time; from pathlib import Path; from darkgnn_core.workspace import *\n"
        "w = open_workspace(Path(sys.argv[1]))\n"
        "with writer_lock(w):\n"
        "    (w.packets / '.partial-x').mkdir(); print('held', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(workspace.root)], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"held"
        with pytest.raises(WorkspaceError) as caught:
            writer_lock(workspace).__enter__()
        assert caught.value.code == "LOCKED"
        holder.kill()
        holder.wait()
    with writer_lock(workspace):
        assert list(workspace.packets.iterdir()) == []
