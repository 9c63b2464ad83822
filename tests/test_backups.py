"""Daily copies of the catalogue, and the way back from a damaged one (F17)."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import streamlit as st
from app_workspaces import filled_workspace
from streamlit.testing.v1 import AppTest

from darkgnn_core.backups import KEPT, Backup, back_up_daily, list_backups, make_backup, restore
from darkgnn_core.catalogue import read_setting, write_setting
from darkgnn_core.cli.main import main
from darkgnn_core.errors import WorkspaceError
from darkgnn_core.shelf import list_snapshots
from darkgnn_core.workspace import Workspace, open_workspace

FRAME = Path(__file__).resolve().parents[1] / "pages" / "frame" / "main_frame.py"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A new one."""
    return open_workspace(tmp_path / "w")


def write(workspace: Workspace, value: str) -> None:
    """Write something that a copy has or has not."""
    with workspace.catalogue() as connection:
        write_setting(connection, "seen", value)


def seen(workspace: Workspace) -> str | None:
    """Return what was written last."""
    with workspace.catalogue() as connection:
        return read_setting(connection, "seen", None)


def damage(workspace: Workspace) -> None:
    """Write over the head of the catalogue, as a failing disk would."""
    with workspace.catalogue_path.open("r+b") as handle:
        handle.write(b"\0" * 4096)


def test_a_copy_a_day_and_seven_kept(workspace: Workspace) -> None:
    """Within a day there is one copy; after ten days there are the last seven."""
    assert back_up_daily(workspace, now=NOON) is not None
    assert back_up_daily(workspace, now=NOON + timedelta(hours=23)) is None
    for day in range(1, 10):
        assert back_up_daily(workspace, now=NOON + timedelta(days=day)) is not None
    made = [each.made_at for each in list_backups(workspace)]
    assert made == [NOON + timedelta(days=day) for day in range(9, 9 - KEPT, -1)]


def test_what_a_killed_copy_left_goes_with_the_next_one(workspace: Workspace) -> None:
    """Half a copy and its journal are cleared."""
    make_backup(workspace)
    for name in ("a", "a-journal"):
        (workspace.backups / f".partial-{name}").write_bytes(b"half")
    make_backup(workspace)
    assert list(workspace.backups.glob(".partial-*")) == []


def test_a_damaged_catalogue_goes_back_to_the_copy(workspace: Workspace) -> None:
    """What was written before the copy is there again; the damaged file is set aside."""
    write(workspace, "before")
    copy = make_backup(workspace, now=NOON)
    write(workspace, "after")
    damage(workspace)
    with pytest.raises(WorkspaceError) as caught:
        seen(workspace)
    assert caught.value.code == "DAMAGED"
    aside = restore(workspace, copy)
    assert seen(workspace) == "before"
    assert aside.read_bytes()[:16] == bytes(16)


def test_a_log_left_behind_does_not_come_back(workspace: Workspace) -> None:
    """The log of the catalogue that is replaced is not taken for one of the copy."""
    write(workspace, "before")
    copy = make_backup(workspace, now=NOON)
    with closing(sqlite3.connect(workspace.catalogue_path)) as held:
        held.execute("UPDATE setting SET value = '\"after\"' WHERE name = 'seen'")
        held.commit()
        log = workspace.catalogue_path.with_name("darkgnn.sqlite-wal")
        assert log.stat().st_size
        restore(workspace, copy)
        assert not log.exists()
    assert seen(workspace) == "before"


def test_no_copy_is_made_of_a_damaged_catalogue(workspace: Workspace) -> None:
    """A page in its middle is not whole: the copy that is there stays the newest."""
    with workspace.catalogue() as connection:
        for number in range(2_000):
            write_setting(connection, f"name {number}", "x" * 50)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    make_backup(workspace, now=NOON)
    with workspace.catalogue_path.open("r+b") as handle:
        size = workspace.catalogue_path.stat().st_size
        handle.seek(size // 2 // 4096 * 4096)
        handle.write(b"\xff" * 4096)
    with pytest.raises(WorkspaceError) as caught:
        back_up_daily(workspace, now=NOON + timedelta(days=2))
    assert caught.value.code == "DAMAGED"
    assert [each.made_at for each in list_backups(workspace)] == [NOON]


@pytest.mark.parametrize("what", ["gone", "rubbish"])
def test_a_bad_copy_is_refused(workspace: Workspace, what: str) -> None:
    """The catalogue stays as it is."""
    write(workspace, "now")
    path = workspace.root / "copy.sqlite"
    if what == "rubbish":
        path.write_bytes(b"not a database" * 500)
    with pytest.raises(WorkspaceError) as caught:
        restore(workspace, Backup(path, NOON))
    assert caught.value.code == "NO-BACKUP"
    assert seen(workspace) == "now"


@pytest.mark.parametrize("how", ["emptied", "removed"])
def test_a_lost_catalogue_is_not_begun_anew(tmp_path: Path, how: str) -> None:
    """A workspace with data but no catalogue is damaged, not new."""
    made = filled_workspace(tmp_path)
    copy = make_backup(made)
    made.catalogue_path.unlink()
    if how == "emptied":
        made.catalogue_path.touch()
    with pytest.raises(WorkspaceError) as caught:
        open_workspace(made.root)
    assert caught.value.code == "DAMAGED"
    restore(made, copy)
    assert len(list_snapshots(made, made.snapshot_config())) == 3


def test_the_command_line_goes_back(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """`backups make`, then damage, then `backups restore`."""
    write(workspace, "before")
    assert main(["backups", "make", "--workspace", str(workspace.root)]) == 0
    damage(workspace)
    assert main(["backups", "restore", "none", "--workspace", str(workspace.root)]) == 3
    assert main(["backups", "restore", "--workspace", str(workspace.root)]) == 0
    assert seen(workspace) == "before"
    assert "Back to darkgnn-" in capsys.readouterr().out


def test_the_app_offers_the_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged catalogue: the page says so, one click goes back, and the app is there again."""
    made = filled_workspace(tmp_path)
    make_backup(made)
    damage(made)
    st.cache_resource.clear()
    st.cache_data.clear()
    monkeypatch.setenv("DARKGNN_WORKSPACE", str(made.root))
    app = AppTest.from_file(FRAME, default_timeout=60).run()
    assert "repair" in app.title[0].value
    app.button[0].click().run()
    assert not app.exception
    assert app.title[0].value == "Today"
