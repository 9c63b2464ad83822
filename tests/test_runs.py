"""Runs: written down before they start, queued, refused twice, continued, named, deleted."""

import json
import shutil
import sqlite3
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from darkgnn_core import devices, run_store, runs
from darkgnn_core.catalogue import MIGRATIONS, open_catalogue
from darkgnn_core.config import SnapshotConfig
from darkgnn_core.embeddings import Embedding
from darkgnn_core.errors import DarkgnnError, RunError, WorkspaceError
from darkgnn_core.jobs import list_jobs
from darkgnn_core.provenance import code_version
from darkgnn_core.run_config import RunConfig
from darkgnn_core.run_inputs import inputs_between
from darkgnn_core.runs import (
    archive_run,
    cancel_run,
    create_runs,
    delete_run,
    find_run,
    list_runs,
    new_days,
    open_embedding,
    read_progress,
    rename_run,
    resume_run,
    run_log,
    size_of,
)
from darkgnn_core.shelf import list_snapshots
from darkgnn_core.training.embedding_files import EmbeddingFiles
from darkgnn_core.workspace import Workspace, open_workspace
from tests.app_workspaces import drawn_workspace
from tests.made_runs import made_run, no_processes

__all__ = ["no_processes"]
FEATURES = RunConfig.of("features")
DAYS = ("2021-12-01", "2021-12-02", "2021-12-03")
pytestmark = pytest.mark.usefixtures("no_processes")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the root of a workspace with three days, to be copied."""
    folder = tmp_path_factory.mktemp("loaded")
    return drawn_workspace(folder, packets=900, days=3).root


@pytest.fixture
def workspace(loaded: Path, tmp_path: Path) -> Workspace:
    """Give a workspace of its own with three days."""
    shutil.copytree(loaded, tmp_path / "w")
    return open_workspace(tmp_path / "w")


def one(workspace: Workspace, config: RunConfig = FEATURES, **options: object) -> str:
    """Create one run and return its id."""
    [run_id] = create_runs(workspace, [config], **options)
    return run_id


def code_of(error: pytest.ExceptionInfo[RunError]) -> str:
    """Return the code of an error that was raised."""
    return error.value.code


def rebuild_day(workspace: Workspace, key: str) -> None:
    """Let a snapshot be another one than before: same name, other packets."""
    config = workspace.snapshot_config()
    [each] = [each for each in list_snapshots(workspace, config) if each.bin == key]
    assert each.directory is not None
    manifest = each.directory / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8") + " ", encoding="utf-8")


def test_all_is_written_down_before_it_starts(workspace: Workspace) -> None:
    """Settings, data, code, libraries and machine are in the row and in run.json."""
    run = find_run(workspace, one(workspace, estimate={"seconds": 3.0}))
    assert (run.state, run.config, run.config_hash) == ("starting", FEATURES, FEATURES.hash)
    assert run.trained_days == tuple(run.provenance["data"]["days"])
    assert len(run.trained_days) == 3
    assert run.snapshot_config == SnapshotConfig(min_packets=1)
    assert run.provenance["libraries"]["numpy"] == np.__version__
    assert run.provenance["machine"]["memory_bytes"] > 1 << 28
    assert run.provenance["machine"]["cores"] == run.provenance["threads"] >= 1
    assert run.estimate == {"seconds": 3.0}
    kept = json.loads((workspace.runs / run.id / "run.json").read_bytes())
    assert RunConfig.from_dict(kept["config"]) == FEATURES
    assert kept["provenance"] == run.provenance
    assert (run.days, run.is_active, run.is_resumable, run.is_silent) == ((), True, False, False)


def test_runs_wait_in_their_order(workspace: Workspace, no_processes: list[str]) -> None:
    """Of three on one device the first starts; when it is cancelled the second does, and so on."""
    ids = create_runs(workspace, [replace(FEATURES, seed=seed) for seed in range(3)], name="sweep")
    states = {run.id: run.state for run in list_runs(workspace)}
    assert [states[each] for each in ids] == ["starting", "queued", "queued"]
    assert [find_run(workspace, each).name for each in ids] == [
        f"sweep ({number} of 3)" for number in (1, 2, 3)
    ]
    assert {run.group for run in list_runs(workspace)} == {"sweep"}
    assert cancel_run(workspace, ids[0]).state == "cancelled"
    assert [find_run(workspace, each).state for each in ids[1:]] == ["starting", "queued"]
    assert cancel_run(workspace, ids[2]).state == "cancelled"
    assert cancel_run(workspace, ids[1]).is_resumable
    assert len(no_processes) == 2, "the last was cancelled before its turn"


def test_runs_are_no_jobs_of_the_load_page(workspace: Workspace) -> None:
    """Jobs that train are listed on demand only, and do not keep anybody from loading."""
    run_id = one(workspace)
    assert "train" not in {job.kind for job in list_jobs(workspace)}
    [job] = [job for job in list_jobs(workspace, with_runs=True) if job.run_id == run_id]
    assert (job.kind, job.device, job.config) == ("train", "cpu", {"run_id": run_id})


def test_the_same_again_is_refused_by_name(workspace: Workspace) -> None:
    """Same settings and data: the message names the run; on purpose it is allowed."""
    run_id = one(workspace, name="the first")
    with pytest.raises(RunError, match=f"{run_id}.*the first") as refused:
        one(workspace)
    assert code_of(refused) == "REPEATED"
    with pytest.raises(RunError, match="Two of these"):
        create_runs(workspace, [replace(FEATURES, seed=9)] * 2)
    assert len(list_runs(workspace)) == 1
    assert one(workspace, again=True) != run_id
    assert one(workspace, replace(FEATURES, last_day=find_run(workspace, run_id).trained_days[0]))


def test_of_many_clicks_at_once_one_counts(workspace: Workspace) -> None:
    """F9: eight simultaneous starts of the same settings make one run."""
    made: list[str] = []
    refused: list[str] = []

    def click() -> None:
        try:
            made.append(one(workspace))
        except RunError as error:
            refused.append(error.code)

    threads = [threading.Thread(target=click) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), refused) == (1, ["REPEATED"] * 7)
    assert len(list_runs(workspace)) == 1


def test_what_cannot_run_is_refused(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No device, no days, a day that is not there, a fusion of nothing: told, nothing made."""
    monkeypatch.setattr(devices, "devices", lambda: (devices.Device("cpu", "", 1),))
    empty = open_workspace(tmp_path / "empty")
    with pytest.raises(RunError, match="Load traces first") as refused:
        one(empty)
    assert code_of(refused) == "NO-SNAPSHOTS"
    with pytest.raises(RunError, match="no snapshot of 1999-01-01"):
        one(workspace, replace(FEATURES, first_day="1999-01-01"))
    with pytest.raises(RunError, match="no run 'a'"):
        one(workspace, RunConfig.of("fusion", runs=("a", "b")))
    with pytest.raises(RunError, match="runs on the processor only") as refused:
        one(workspace, replace(FEATURES, device="cuda"))
    assert code_of(refused) == "NO-DEVICE"
    with pytest.raises(RunError, match="no settings"):
        create_runs(workspace, [])
    with pytest.raises(RunError, match="120 characters"):
        one(workspace, name="x" * 121)
    assert list_runs(workspace) == []
    assert list(workspace.runs.iterdir()) == []


def test_a_damaged_snapshot_is_refused_before_the_start(workspace: Workspace) -> None:
    """A flipped bit in the data of a day is found when the run is created."""
    [path, *_] = sorted(workspace.snapshots.rglob("*.parquet"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(WorkspaceError) as refused:
        one(workspace)
    assert refused.value.code == "DAMAGED"
    assert list_runs(workspace) == []


def test_an_interrupted_run_is_queued_again(workspace: Workspace) -> None:
    """Resume makes a new job at the end of the queue; twice at once makes one."""
    run_id = made_run(workspace, FEATURES, "interrupted")
    before = find_run(workspace, run_id)
    assert before.is_resumable
    after = resume_run(workspace, run_id)
    assert after.is_active
    assert after.job_id != before.job_id
    assert after.provenance == before.provenance
    with pytest.raises(RunError, match="already") as refused:
        resume_run(workspace, run_id)
    assert code_of(refused) == "BUSY"


def test_data_that_changed_are_refused_by_day(workspace: Workspace) -> None:
    """A day built anew, and one that is gone, keep a run from going on."""
    run_id = made_run(workspace, FEATURES, "interrupted")
    days = find_run(workspace, run_id).trained_days
    rebuild_day(workspace, days[1])
    with pytest.raises(RunError, match=days[1]) as refused:
        resume_run(workspace, run_id)
    assert code_of(refused) == "DATA-CHANGED"
    with workspace.catalogue() as connection:
        connection.execute("DELETE FROM snapshot WHERE bin = ?", (days[0],))
    with pytest.raises(RunError, match=days[0]) as refused:
        resume_run(workspace, run_id)
    assert code_of(refused) == "DATA-CHANGED"
    assert find_run(workspace, run_id).state == "interrupted"


def test_a_finished_run_goes_on_with_new_days_only(workspace: Workspace) -> None:
    """Done on two of three days with an open end: it takes the third; then there is nothing new."""
    every = [each.key for each in inputs_between(workspace, workspace.snapshot_config())]
    hidden = every[2]
    with workspace.catalogue() as connection:
        connection.execute("UPDATE snapshot SET bin = 'later' WHERE bin = ?", (hidden,))
        connection.execute("UPDATE snapshot SET directory = NULL WHERE bin = 'later'")
    run_id = made_run(workspace, FEATURES, "done", days=2)
    with pytest.raises(RunError, match=f"no day has come after {every[1]}") as refused:
        resume_run(workspace, run_id)
    assert code_of(refused) == "NOTHING-NEW"
    shutil.copytree(
        inputs_between(workspace, workspace.snapshot_config())[0].directory,
        workspace.snapshots / "third",
    )
    with workspace.catalogue() as connection:
        connection.execute(
            "UPDATE snapshot SET bin = ?, directory = 'third' WHERE bin = 'later'", (hidden,)
        )
    assert new_days(workspace, find_run(workspace, run_id)) == (hidden,)
    after = resume_run(workspace, run_id)
    assert (after.is_active, after.trained_days) == (True, tuple(every))
    kept = json.loads((workspace.runs / run_id / "run.json").read_bytes())
    assert kept["provenance"] == after.provenance
    with pytest.raises(RunError, match="same settings and data"):
        one(workspace)


def test_a_run_with_a_last_day_stays_within_it(workspace: Workspace) -> None:
    """Days after the last one asked for are not new to it."""
    every = [each.key for each in inputs_between(workspace, workspace.snapshot_config())]
    run_id = made_run(workspace, replace(FEATURES, last_day=every[1]), "done", days=2)
    assert find_run(workspace, run_id).trained_days == tuple(every[:2])
    assert new_days(workspace, find_run(workspace, run_id)) == ()


def test_month_first_edges_cannot_be_continued(workspace: Workspace) -> None:
    """With edges that later days change, new days need a new run."""
    config = RunConfig.of("features", edges="month_first")
    every = [each.key for each in inputs_between(workspace, workspace.snapshot_config())]
    run_id = made_run(workspace, config, "done")
    run = find_run(workspace, run_id)
    days = {key: run.provenance["data"]["days"][key] for key in every[:2]}
    data = run.provenance["data"] | {"days": days}
    run_store.set_provenance(workspace, run, run.provenance | {"data": data})
    with pytest.raises(RunError, match="month_first") as refused:
        resume_run(workspace, run_id)
    assert code_of(refused) == "CANNOT-CONTINUE"
    assert find_run(workspace, run_id).state == "done"


def test_names_and_the_archive_touch_the_row_only(workspace: Workspace) -> None:
    """A new name is kept, without what cannot be seen; an archived run leaves the list."""
    run_id = made_run(workspace, FEATURES)
    before = sorted((p, p.stat().st_mtime_ns) for p in (workspace.runs / run_id).rglob("*"))
    assert rename_run(workspace, run_id, " best\x1b one ").name == "best\ufffd one"
    assert find_run(workspace, run_id).name == "best\ufffd one"
    with pytest.raises(RunError, match="characters"):
        rename_run(workspace, run_id, "  ")
    assert archive_run(workspace, run_id, archived=True).archived
    assert list_runs(workspace) == []
    assert [run.id for run in list_runs(workspace, archived=True)] == [run_id]
    archive_run(workspace, run_id, archived=False)
    assert [run.id for run in list_runs(workspace)] == [run_id]
    assert before == sorted((p, p.stat().st_mtime_ns) for p in (workspace.runs / run_id).rglob("*"))


def test_a_deleted_run_is_gone_with_all_its_files(workspace: Workspace) -> None:
    """Row, directory, jobs and logs go; others stay; an active one is refused."""
    run_id = made_run(workspace, FEATURES)
    other = made_run(workspace, replace(FEATURES, seed=1), "interrupted")
    job_id = find_run(workspace, run_id).job_id
    assert job_id is not None
    assert size_of(workspace, run_id) > 1000
    delete_run(workspace, run_id)
    assert [path.name for path in workspace.runs.iterdir()] == [other]
    assert not (workspace.jobs / job_id).exists()
    assert job_id not in {job.id for job in list_jobs(workspace, with_runs=True)}
    with pytest.raises(RunError, match="no run"):
        find_run(workspace, run_id)
    resume_run(workspace, other)
    with pytest.raises(RunError, match="under way") as refused:
        delete_run(workspace, other)
    assert code_of(refused) == "BUSY"


def test_a_run_that_an_active_fusion_reads_stays(workspace: Workspace) -> None:
    """The runs of a fusion cannot be deleted under it; afterwards they can."""
    ids = tuple(made_run(workspace, replace(FEATURES, seed=seed)) for seed in range(2))
    fusion = one(workspace, RunConfig.of("fusion", runs=ids))
    with pytest.raises(RunError, match=fusion):
        delete_run(workspace, ids[0])
    cancel_run(workspace, fusion)
    delete_run(workspace, ids[0])


def test_a_kill_while_deleting_or_making_leaves_no_half_run(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the row went, or before it came: no run is listed, the next call sweeps."""
    kept = made_run(workspace, FEATURES)
    run_id = made_run(workspace, replace(FEATURES, seed=1))

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run_store.Path, "rename", die)
        with pytest.raises(KeyboardInterrupt):
            delete_run(workspace, run_id)
        patch.setattr(runs, "add_row", die)
        with pytest.raises(KeyboardInterrupt):
            one(workspace, replace(FEATURES, seed=2))
    assert [run.id for run in list_runs(workspace)] == [kept]
    half = {path.name for path in workspace.runs.iterdir()} - {kept}
    assert len(half) == 1, "what was half deleted went when the next one was made"
    of_backup = workspace.runs / "aaaaaaaaaaaa"
    of_backup.mkdir()
    (of_backup / "progress.jsonl").touch()
    made = one(workspace, replace(FEATURES, seed=2))
    found = {path.name for path in workspace.runs.iterdir()}
    assert found == {kept, made, of_backup.name}, "work that no row knows of is not thrown away"


def test_an_embedding_is_opened_after_its_hash_was_checked(workspace: Workspace) -> None:
    """The right day comes back; another is named as missing, a flipped bit as damage."""
    run_id = made_run(workspace, FEATURES, days=0)
    hosts = np.arange(3, dtype=np.uint32)
    embedding = Embedding(DAYS[0], hosts, np.ones((3, 2), np.float32), FEATURES.hash)
    EmbeddingFiles(workspace.runs / run_id / "embeddings", {}).add(embedding)
    assert find_run(workspace, run_id).days == (DAYS[0],)
    assert open_embedding(workspace, run_id, DAYS[0]).vectors.tolist() == [[1, 1]] * 3
    with pytest.raises(RunError, match=f"it has {DAYS[0]}") as refused:
        open_embedding(workspace, run_id, DAYS[1])
    assert code_of(refused) == "NO-EMBEDDING"
    with pytest.raises(RunError, match="no embedding"):
        open_embedding(workspace, run_id, "../../run")
    path = workspace.runs / run_id / "embeddings" / f"{DAYS[0]}.parquet"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    with pytest.raises(DarkgnnError) as damaged:
        open_embedding(workspace, run_id, DAYS[0])
    assert damaged.value.code == "DAMAGED"


def test_progress_and_log_are_read_from_a_run(workspace: Workspace) -> None:
    """Lines come with the offset to go on from; a run without a log has an empty one."""
    run_id = made_run(workspace, FEATURES, lines=[{"event": "unit", "unit": "a"}])
    lines, after = read_progress(workspace, run_id)
    assert lines == [{"event": "unit", "unit": "a"}]
    assert read_progress(workspace, run_id, after=after) == ([], after)
    assert run_log(workspace, run_id) == ""


def test_a_run_that_says_nothing_is_told(workspace: Workspace) -> None:
    """F7: running, its lock held, its last sign of life older than half a minute."""
    old = (datetime.now(UTC) - timedelta(seconds=40)).isoformat(timespec="seconds")
    silent = made_run(workspace, FEATURES, "running", heartbeat_at=old)
    assert find_run(workspace, silent).is_silent
    cancel_run(workspace, silent)
    assert not find_run(workspace, silent).is_silent
    awake = made_run(workspace, replace(FEATURES, seed=1), "running")
    assert not find_run(workspace, awake).is_silent


def test_the_message_of_a_failed_run_comes_without_its_code(workspace: Workspace) -> None:
    """The code has its own field, so it is not said twice."""
    run_id = made_run(
        workspace, FEATURES, "failed", message="It broke. (DIVERGED)", code="DIVERGED"
    )
    run = find_run(workspace, run_id)
    assert (run.message, run.code) == ("It broke.", "DIVERGED")


def test_a_workspace_of_the_first_schema_keeps_its_data(tmp_path: Path) -> None:
    """Taken to today's schema, sources and jobs are what they were, and runs can be added."""
    path = tmp_path / "old.sqlite"
    with sqlite3.connect(path) as old:
        for statement in MIGRATIONS[0].split(";"):
            old.execute(statement)
        old.execute("PRAGMA user_version = 1")
        old.execute(
            "INSERT INTO job (id, kind, device, config, state, message, created_at) "
            "VALUES ('j', 'load', 'workspace', '{}', 'done', 'fine', '2021-12-01T00:00:00+00:00')"
        )
        old.execute("INSERT INTO setting VALUES ('theme', '\"dark\"')")
    old.close()
    connection = open_catalogue(path)
    job = connection.execute("SELECT * FROM job").fetchone()
    assert (job["id"], job["message"], job["run_id"], job["code"]) == ("j", "fine", None, "")
    assert connection.execute("SELECT value FROM setting").fetchone()["value"] == '"dark"'
    assert connection.execute("SELECT COUNT(*) FROM run").fetchone()[0] == 0
    assert connection.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
    connection.close()


def test_the_commit_is_read_from_a_checkout(tmp_path: Path) -> None:
    """A branch, loose or packed, a bare commit, a work tree; elsewhere the version alone."""
    plain = code_version(tmp_path)
    assert "+" not in plain
    git = tmp_path / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
    (git / "packed-refs").write_text("# pack\n" + "b" * 40 + " refs/heads/main\n", "utf-8")
    assert code_version(tmp_path) == f"{plain}+{'b' * 40}"
    (git / "refs" / "heads" / "main").write_text("a" * 40 + "\n", encoding="utf-8")
    assert code_version(tmp_path) == f"{plain}+{'a' * 40}"
    tree, own = tmp_path / "tree", git / "worktrees" / "tree"
    tree.mkdir()
    own.mkdir(parents=True)
    (tree / ".git").write_text(f"gitdir: {own}\n", encoding="utf-8")
    (own / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
    (own / "commondir").write_text("../..\n", encoding="utf-8")
    assert code_version(tree) == f"{plain}+{'a' * 40}"
    (own / "HEAD").write_text("c" * 40 + "\n", encoding="utf-8")
    assert code_version(tree) == f"{plain}+{'c' * 40}"
