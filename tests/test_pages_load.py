"""The page Load data with several files: settings of all, settings of one, limits, room."""

import shutil
import time
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest
from app_workspaces import write_trace
from clicking import Open, click, opening, quiet
from streamlit.testing.v1 import AppTest

from darkgnn_core.jobs import list_jobs
from darkgnn_core.sources import list_sources
from darkgnn_core.workspace import Workspace, open_workspace

NOON = "2021-12-01 12:00:00"
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Open the page."""
    with opening(monkeypatch, "load_data.py") as go:
        yield go


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two logs whose times carry no zone, and one that says its times plainly."""
    made = tmp_path / "traces"
    made.mkdir()
    for name in ("oslo.csv", "tokyo.csv"):
        rows = f"{NOON},198.51.100.7,23,{name}\n" * 5
        (made / name).write_text(f"time,src_ip,dst_port,{name[:-4]}\n{rows}")
    return write_trace(made / "plain.csv").parent


def looked_at(app: AppTest, place: int) -> AppTest:
    """Look at another of the files."""
    return app.selectbox(key="load_look").select(place).run()


def own_toggle(app: AppTest) -> str:
    """Return the key of the toggle of the file that is looked at."""
    return next(str(each.key) for each in app.toggle if str(each.key).startswith("load_own"))


def loaded(workspace: Workspace) -> dict[str, int]:
    """Wait for the job, then return the hour of the first packet of each source."""
    deadline = time.monotonic() + 60
    while any(job.is_active for job in list_jobs(workspace)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with workspace.catalogue() as connection:
        sources = list_sources(connection)
    return {each.name: each.first_ns // 3_600_000_000_000 % 24 for each in sources}


def test_a_zone_stays_with_the_files_it_was_set_for(
    run: Open, folder: Path, tmp_path: Path
) -> None:
    """One zone for all, another for one file; a look at a third file loses neither."""
    app = run(tmp_path / "new")
    app.text_input(key="load_path").input(str(folder)).run()
    app = looked_at(app, 0)
    assert app.button(key="start_loading").disabled
    app.selectbox(key="load_timezone").select("Europe/Oslo").run()
    app = looked_at(app, 2)
    app.toggle(key=own_toggle(app)).set_value(True).run()
    (zone,) = [each for each in app.selectbox if str(each.key).startswith("load_timezone_")]
    assert zone.value is None
    zone.select("Asia/Tokyo").run()
    app = quiet(looked_at(app, 1))
    assert not app.toggle(key=own_toggle(app)).value
    assert "With settings of their own: tokyo.csv" in [each.value for each in app.text]
    app = quiet(looked_at(app, 2))
    assert app.toggle(key=own_toggle(app)).value
    click(app, "start_loading")
    hours = loaded(open_workspace(tmp_path / "new"))
    assert hours == {"oslo.csv": 11, "tokyo.csv": 3, "plain.csv": 0}


def test_own_settings_can_be_taken_back(run: Open, folder: Path, tmp_path: Path) -> None:
    """Without them the file is read as all the others; other files start anew."""
    app = run(tmp_path / "new")
    app.text_input(key="load_path").input(str(folder)).run()
    app = looked_at(app, 2)
    app.toggle(key=own_toggle(app)).set_value(True).run()
    (zone,) = [each for each in app.selectbox if str(each.key).startswith("load_timezone_")]
    zone.select("Asia/Tokyo").run()
    app.toggle(key=own_toggle(app)).set_value(False).run()
    assert app.selectbox(key="load_timezone").value is None
    app.selectbox(key="load_timezone").select("UTC").run()
    assert not app.button(key="start_loading").disabled
    app.text_input(key="load_path").input(str(folder / "oslo.csv")).run()
    assert app.selectbox(key="load_timezone").value is None
    assert app.button(key="start_loading").disabled


def test_more_days_need_a_yes(run: Open, tmp_path: Path) -> None:
    """A file of three days is refused with a limit of two, with the way out, and read with more."""
    trace = write_trace(tmp_path / "trace.csv")
    app = run(tmp_path / "new")
    app.text_input(key="load_path").input(str(trace)).run()
    app.number_input(key="load_max_days").set_value(2).run()
    click(app, "start_loading")
    workspace = open_workspace(tmp_path / "new")
    assert loaded(workspace) == {}
    (job,) = list_jobs(workspace)
    assert job.report["files"][0]["code"] == "LONG-SPAN"
    assert "Limits on the page Load data" in job.report["files"][0]["message"]
    app.run()
    click(app, "load_more")
    app.text_input(key="load_path").input(str(trace)).run()
    app.number_input(key="load_max_days").set_value(4).run()
    click(app, "start_loading")
    assert loaded(workspace) == {"trace.csv": 0}


def test_a_load_without_room_cannot_be_started(
    run: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page says what it needs and what is free."""
    trace = write_trace(tmp_path / "trace.csv")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, 100))
    app = run(tmp_path / "new")
    app.text_input(key="load_path").input(str(trace)).run()
    assert not app.exception
    assert "Disk full" in app.error[0].value
    assert not [each for each in app.button if each.key == "start_loading"]
