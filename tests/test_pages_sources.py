"""The page Sources, clicked through without a browser: traces, snapshots, settings, jobs."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from app_workspaces import DAYS, filled_workspace
from clicking import Open, click, opening, quiet, table
from streamlit.testing.v1 import AppTest

from darkgnn_core.catalogue import utc_now
from darkgnn_core.config import SnapshotConfig
from darkgnn_core.jobs import active_job, cancel_job, find_job, list_jobs, start_job
from darkgnn_core.shelf import list_snapshots, put_on_shelf
from darkgnn_core.snapshots.released_writing import CONFIG as RELEASED
from darkgnn_core.sources import list_sources
from darkgnn_core.workspace import Workspace, open_workspace

VIEWS = ["Traces", "Snapshots", "Snapshot settings", "Background jobs"]
NAME = "**[evil](http://192.0.2.1)**.csv"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace of one trace of three days, with a name that is Markdown."""
    return filled_workspace(tmp_path_factory.mktemp("filled"), name=NAME)


@pytest.fixture
def workspace(filled: Workspace, tmp_path: Path) -> Iterator[Workspace]:
    """A copy of it, to be changed; a job that a test leaves is ended."""
    shutil.copytree(filled.root, tmp_path / "workspace")
    opened = open_workspace(tmp_path / "workspace")
    yield opened
    left = active_job(opened)
    if left is not None:
        cancel_job(opened, left.id)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Open a view of the page."""
    with opening(monkeypatch, "manage_sources.py", views="sources_view", first="Traces") as go:
        yield go


def finished(workspace: Workspace, app: AppTest) -> AppTest:
    """Wait until the job that is under way has ended, then run the page again."""
    deadline = time.monotonic() + 60
    while active_job(workspace) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return app.run()


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_opens_on_an_empty_workspace(run: Open, tmp_path: Path, view: str) -> None:
    """Nothing fails before anything is loaded."""
    run(tmp_path / "new", view)


def test_traces_are_listed_with_their_report(run: Open, workspace: Workspace) -> None:
    """One row, its counts, which column is what; its name is text."""
    app = run(workspace.root)
    row = table(app, "first packet (UTC)").iloc[0]
    assert (row["name"], row["packets"], row["days"]) == (NAME, 510, 3)
    assert "synthetic" not in row
    figures = {metric.label: metric.value for metric in app.metric}
    assert (figures["Records read"], figures["Kept"], figures["Skipped"]) == ("510", "510", "0")
    facts = dict(table(app, "is").to_numpy().tolist())
    assert facts["column of the source address"] == "src_ip"
    for block in (*app.markdown, *app.caption, *app.info):
        assert "](http" not in block.value


def test_a_trace_is_removed_in_the_background(run: Open, workspace: Workspace) -> None:
    """After a yes; then it is gone with its snapshots, and the page says so."""
    app = run(workspace.root)
    click(app, "source_remove")
    quiet(finished(workspace, app))
    with workspace.catalogue() as connection:
        assert list_sources(connection) == []
    assert list_snapshots(workspace, workspace.snapshot_config()) == []
    assert "Remove a trace" in app.success[0].value
    assert "No trace has been loaded yet." in app.info[0].value


def test_snapshots_show_what_was_left_out(run: Open, workspace: Workspace) -> None:
    """A row a day; packets read = kept + the reasons."""
    found = table(run(workspace.root, "Snapshots"), "packets read")
    assert found["snapshot"].tolist() == list(DAYS)
    assert (found["packets read"] == found["kept"] + found["backscatter"]).all()


def test_settings_are_explained_and_change_the_snapshots(run: Open, workspace: Workspace) -> None:
    """What would change is shown first; the rebuild uses exactly that."""
    app = run(workspace.root, "Snapshot settings")
    assert "every snapshot is up to date" in app.success[0].value
    assert app.button(key="settings_rebuild").disabled
    explained = " ".join(caption.value.replace("\\", "") for caption in app.caption)
    assert "SYN-ACK and RST" in explained
    app.selectbox(key="setting_bin_hours").set_value(12)
    app.toggle(key="setting_include_backscatter").set_value(True).run()
    changes = table(app, "chosen").set_index("setting")
    assert changes.loc["Length of a snapshot"].tolist() == ["1 day", "12 hours", "yes"]
    assert (changes["changes"] == "yes").sum() == 2
    assert any("6 snapshots will be built" in text.value for text in app.text)
    click(app, "settings_rebuild")
    quiet(finished(workspace, app))
    config = SnapshotConfig(bin_hours=12, include_backscatter=True)
    assert workspace.snapshot_config() == config
    assert len(list_snapshots(workspace, config)) == 6
    assert "6 snapshots built" in app.success[0].value
    assert app.button(key="settings_rebuild").disabled


def test_presets_fill_in_the_settings(run: Open, workspace: Workspace) -> None:
    """Of the paper's released code, and back."""
    app = run(workspace.root, "Snapshot settings")
    click(app, "settings_as_released")
    assert app.number_input(key="setting_min_packets").value == 6
    assert "Chosen: As its released code does" in [text.value for text in app.text]
    assert not app.button(key="settings_rebuild").disabled
    click(app, "settings_as_written")
    assert app.number_input(key="setting_min_packets").value == 5
    assert app.button(key="settings_rebuild").disabled


def test_a_choice_that_was_not_built_is_dropped(run: Open, workspace: Workspace) -> None:
    """The view shows the settings in use when it is opened again."""
    app = run(workspace.root, "Snapshot settings")
    app.number_input(key="setting_min_packets").set_value(9).run()
    app.segmented_control(key="sources_view").set_value("Traces").run()
    app.segmented_control(key="sources_view").set_value("Snapshot settings").run()
    assert quiet(app).number_input(key="setting_min_packets").value == 5


def test_released_graphs_are_selectable_where_there_are_any(
    run: Open, workspace: Workspace
) -> None:
    """The choice appears with them; it sticks, shows them, and leads back."""
    app = run(workspace.root, "Snapshot settings")
    assert not [each for each in app.segmented_control if each.key == "setting_origin"]
    put_on_shelf(workspace, RELEASED, "2021-12-01", "x", _write_nothing)
    app.run()
    app.segmented_control(key="setting_origin").set_value("released").run()
    app.run()
    assert app.segmented_control(key="setting_origin").value == "released"
    click(app, "settings_rebuild")
    quiet(finished(workspace, app))
    assert workspace.snapshot_config() == RELEASED
    app.segmented_control(key="setting_origin").set_value("packets").run()
    click(app, "settings_as_written")
    click(app, "settings_rebuild")
    quiet(finished(workspace, app))
    assert workspace.snapshot_config() == SnapshotConfig()


def _write_nothing(directory: Path) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from darkgnn_core.snapshots.columns import HOSTS_FILE

    hosts = pa.table({"host": pa.array([3325256705], pa.uint32())})
    pq.write_table(hosts, directory / HOSTS_FILE)
    return {"hosts": 1, "read": None, "kept": None}


def test_missing_snapshots_are_built_on_a_click(run: Open, workspace: Workspace) -> None:
    """A day that lacks its snapshot is said, and built."""
    with workspace.catalogue() as connection:
        connection.execute("DELETE FROM snapshot WHERE bin = ?", (DAYS[0],))
    app = run(workspace.root, "Snapshots")
    assert "1 snapshots are missing" in app.warning[0].value
    click(app, "snapshots_build")
    quiet(finished(workspace, app))
    assert len(list_snapshots(workspace, workspace.snapshot_config())) == 3


def test_a_failed_job_shows_why_and_is_forgotten(run: Open, workspace: Workspace) -> None:
    """State, reason and log; forgetting takes the entry away."""
    start_job(workspace, "remove", {"source_id": "nothing"})
    app = finished(workspace, run(workspace.root, "Background jobs"))
    assert table(app, "state")["state"].tolist() == ["failed"]
    assert "No source has the id" in app.error[0].value.replace("\\", "")
    assert any("It wrote nothing" in code.value for code in app.code)
    click(app, "job_forget")
    assert list_jobs(workspace) == []


def test_all_ended_jobs_are_forgotten_at_once(run: Open, workspace: Workspace) -> None:
    """The page Load data does not stumble over one it had shown."""
    with workspace.catalogue() as connection:
        connection.executemany(
            "INSERT INTO job (id, kind, device, config, state, message, created_at, ended_at) "
            "VALUES (?, 'load', 'workspace', '{}', 'failed', '[x](http://192.0.2.1)', ?, ?)",
            [(name, utc_now(), utc_now()) for name in ("one", "two")],
        )
    app = run(workspace.root)
    app.segmented_control(key="sources_view").set_value("Background jobs").run()
    assert all("](http" not in error.value for error in app.error)
    app.session_state["load_job"] = "one"
    click(app, "job_forget_all")
    assert list_jobs(workspace) == []
    app.switch_page("../load_data.py").run()
    quiet(app)


def test_while_a_job_runs_it_is_shown_and_nothing_else_starts(
    run: Open, workspace: Workspace
) -> None:
    """Progress and Cancel on top of every view; buttons that would start another are off."""
    job = start_job(workspace, "demo", {"size": "small"})
    app = run(workspace.root)
    assert app.button(key="source_remove").disabled
    app.segmented_control(key="sources_view").set_value("Background jobs").run()
    assert quiet(app).button(key="job_forget").disabled
    click(app, "cancel_job")
    assert find_job(workspace, job).state == "cancelled"
