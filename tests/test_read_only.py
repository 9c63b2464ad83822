"""A workspace on a disk that can only be read: everything shows, nothing is written (F14)."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from app_workspaces import filled_workspace
from streamlit.testing.v1 import AppTest
from test_faults import small_disk

from darkgnn_core.catalogue import open_catalogue
from darkgnn_core.errors import WorkspaceError
from darkgnn_core.jobs import list_jobs
from darkgnn_core.notes import add_note
from darkgnn_core.shelf import list_snapshots
from darkgnn_core.workspace import Workspace, open_workspace

ROOT = Path(__file__).resolve().parents[1]
FRAME = ROOT / "pages" / "frame" / "main_frame.py"
PAGES = sorted(path.name for path in (ROOT / "pages").glob("*_*.py") if path.stem != "__init__")


@pytest.fixture(scope="module")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace of three days, its disk remounted to be read only."""
    folder = tmp_path_factory.mktemp("read-only")
    (folder / "made").mkdir()
    made = filled_workspace(folder / "made")
    with small_disk(folder / "disk", "size=64m") as disk:
        shutil.copytree(made.root, disk / "w")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        yield open_workspace(disk / "w")


def test_what_is_there_can_be_read(read_only: Workspace) -> None:
    """Snapshots and jobs are listed, and settling the jobs' states writes nothing."""
    assert read_only.is_read_only
    assert len(list_snapshots(read_only, read_only.snapshot_config())) == 3
    assert list_jobs(read_only) == []


def test_what_would_write_is_refused_by_name(read_only: Workspace) -> None:
    """A note is not taken, and says why; the catalogue is as it was."""
    before = read_only.catalogue_path.read_bytes()
    with pytest.raises(WorkspaceError) as caught:
        add_note(read_only, "day", "2021-12-01", "cannot be kept")
    assert caught.value.code == "NO-PERMISSION"
    assert read_only.catalogue_path.read_bytes() == before


@pytest.mark.parametrize("page", PAGES)
def test_each_page_opens(read_only: Workspace, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No error and no traceback on any page; the sidebar says that nothing can be changed."""
    st.cache_resource.clear()
    st.cache_data.clear()
    monkeypatch.setenv("DARKGNN_WORKSPACE", str(read_only.root))
    app = AppTest.from_file(FRAME, default_timeout=60).run()
    app.switch_page(f"../{page}").run()
    assert not app.exception
    assert not app.error, [each.value for each in app.error]
    assert any("Read only" in str(each.value) for each in app.sidebar.markdown)


def test_an_earlier_schema_is_refused_where_it_cannot_be_changed(tmp_path: Path) -> None:
    """It says how to get on: copy it."""
    path = tmp_path / "darkgnn.sqlite"
    connection = open_catalogue(path)
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    with pytest.raises(WorkspaceError) as caught:
        open_catalogue(path, read_only=True)
    assert caught.value.code == "OLDER"


def test_a_log_beside_it_is_read_too(tmp_path: Path) -> None:
    """What another process has written but not yet moved into the file is seen."""
    path = tmp_path / "darkgnn.sqlite"
    writer: Any = open_catalogue(path)
    writer.execute("INSERT INTO setting VALUES ('a', '1')")
    reader = open_catalogue(path, read_only=True)
    assert reader.execute("SELECT value FROM setting").fetchone()["value"] == "1"
    reader.close()
    writer.close()
