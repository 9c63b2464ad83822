"""The training job of a worker: queued, killed, cancelled, refused, continued, done."""

import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from darkgnn_core import job_processes, provenance, train_job, worker
from darkgnn_core.durable import check_manifest
from darkgnn_core.errors import RunError
from darkgnn_core.run_config import RunConfig
from darkgnn_core.runs import (
    Run,
    cancel_run,
    create_runs,
    delete_run,
    find_run,
    new_days,
    open_embedding,
    read_progress,
    resume_run,
    run_log,
)
from darkgnn_core.training import preparing
from darkgnn_core.workspace import Workspace, open_workspace
from tests.app_workspaces import drawn_workspace
from tests.made_runs import no_processes
from tests.made_trainers import WalkTrainer
from tests.waiting import wait_for

__all__ = ["no_processes"]
DEADLINE_S = 120.0
FEATURES = RunConfig.of("features")
NETWORK = RunConfig.of("i-gcn", hidden=8, output=8, embedding=4, head=4, epochs=5)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the root of a workspace with four days, to be copied."""
    folder = tmp_path_factory.mktemp("loaded")
    return drawn_workspace(folder, packets=1200, days=4).root


@pytest.fixture
def workspace(loaded: Path, tmp_path: Path) -> Workspace:
    """Give a workspace of its own with four days."""
    shutil.copytree(loaded, tmp_path / "w")
    return open_workspace(tmp_path / "w")


def ended(workspace: Workspace, run_id: str) -> Run:
    """Wait until a run has ended and its process is gone, and return it."""
    wait_for(lambda: not find_run(workspace, run_id).is_active, DEADLINE_S)
    run = find_run(workspace, run_id)
    if run.job_id in job_processes.started:
        job_processes.started[run.job_id].wait(DEADLINE_S)
    return run


def files_of(workspace: Workspace, run_id: str) -> dict[str, bytes]:
    """Return the embeddings of a run, held against their manifest, as bytes by name."""
    folder = workspace.runs / run_id / "embeddings"
    check_manifest(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def units_of(workspace: Workspace, run_id: str) -> list[str]:
    """Return the units that the progress file calls finished."""
    return [line["unit"] for line in read_progress(workspace, run_id)[0] if line["event"] == "unit"]


def kill(workspace: Workspace, run_id: str) -> bool:
    """Kill a run's worker with all its children; say whether there was one."""
    with workspace.catalogue() as connection:
        row = connection.execute(
            "SELECT job.pid, job.id FROM job JOIN run ON run.job_id = job.id WHERE run.id = ?",
            (run_id,),
        ).fetchone()
    try:
        os.killpg(row["pid"], signal.SIGKILL)
    except (ProcessLookupError, TypeError):
        return False
    return True


# With real processes.


def test_a_run_goes_from_the_queue_to_its_result(workspace: Workspace) -> None:
    """Done, with what it took; each day can be opened; the log holds no error."""
    [run_id] = create_runs(workspace, [FEATURES])
    run = ended(workspace, run_id)
    assert (run.state, run.message, run.code) == ("done", "", ""), run_log(workspace, run_id)
    assert run.days == run.trained_days
    assert (run.progress["units_done"], run.progress["remaining_s"]) == (4, 0.0)
    assert (run.result["days"], run.result["seconds"] > 0) == (4, True)
    assert run.result["peak_bytes"] > 50_000_000
    assert run.started_at is not None
    assert run.ended_at is not None
    for day in run.days:
        assert open_embedding(workspace, run_id, day).config_hash == run.config_hash
    assert run_log(workspace, run_id) == ""
    assert units_of(workspace, run_id) == list(run.days)


@pytest.fixture
def slow_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let workers walk 18 slow steps, a second or so in all, whatever method is asked for."""
    spawn = job_processes._spawn

    def spawn_walking(arguments: list[str], **options: Any) -> Any:
        module = arguments[0].replace("darkgnn_core.worker", "tests.walking_worker")
        return spawn([module, *arguments[1:]], **options)

    monkeypatch.setattr(job_processes, "_spawn", spawn_walking)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.usefixtures("slow_steps")
def test_killed_at_random_moments_and_resumed_it_ends_in_the_same_bytes(
    workspace: Workspace,
) -> None:
    """F1: killed again and again after a random share of a second of work, it gets there."""
    [whole] = create_runs(workspace, [FEATURES])
    assert ended(workspace, whole).state == "done", run_log(workspace, whole)
    [run_id] = create_runs(workspace, [FEATURES], again=True)
    chance, kills = random.Random(7), 0
    while kills < 4 and find_run(workspace, run_id).state != "done":
        before = len(read_progress(workspace, run_id)[0])
        wait_for(lambda seen=before: has_moved(workspace, run_id, seen), DEADLINE_S)
        moment = time.monotonic() + chance.uniform(0.0, 0.4)
        wait_for(lambda until=moment: time.monotonic() > until, DEADLINE_S)
        kills += kill(workspace, run_id)
        if ended(workspace, run_id).state == "interrupted":
            resume_run(workspace, run_id)
    run = ended(workspace, run_id)
    assert (run.state, kills >= 2) == ("done", True), run_log(workspace, run_id)
    assert files_of(workspace, run_id) == files_of(workspace, whole)
    assert units_of(workspace, run_id) == units_of(workspace, whole)


def has_moved(workspace: Workspace, run_id: str, seen: int) -> bool:
    """Say whether a run has told more than so many lines, or has ended."""
    lines, _ = read_progress(workspace, run_id)
    return len(lines) > seen or not find_run(workspace, run_id).is_active


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.usefixtures("slow_steps")
def test_cancel_acts_within_two_seconds_and_loses_nothing(workspace: Workspace) -> None:
    """F6: cancelled within a unit its processes are gone; resumed, it ends as it would."""
    [whole] = create_runs(workspace, [FEATURES])
    ended(workspace, whole)
    [run_id] = create_runs(workspace, [FEATURES], again=True)
    wait_for(lambda: len(units_of(workspace, run_id)) >= 1, DEADLINE_S)
    with workspace.catalogue() as connection:
        pid = connection.execute("SELECT pid FROM job WHERE run_id = ?", (run_id,)).fetchone()[0]
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    asked = time.monotonic()
    run = cancel_run(workspace, run_id)
    assert time.monotonic() - asked < 2.5
    assert (run.state, run.is_resumable) == ("cancelled", True)
    assert psutil.wait_procs(processes, timeout=2)[1] == []
    resume_run(workspace, run_id)
    assert ended(workspace, run_id).state == "done", run_log(workspace, run_id)
    assert files_of(workspace, run_id) == files_of(workspace, whole)
    assert units_of(workspace, run_id) == units_of(workspace, whole)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_network_that_was_killed_ends_in_the_same_bits(workspace: Workspace) -> None:
    """Killed after its first day and resumed, an i-GCN ends in the embeddings of a whole run."""
    [whole] = create_runs(workspace, [NETWORK])
    assert ended(workspace, whole).state == "done", run_log(workspace, whole)
    [run_id] = create_runs(workspace, [NETWORK], again=True)
    wait_for(lambda: units_of(workspace, run_id), DEADLINE_S)
    kill(workspace, run_id)
    if ended(workspace, run_id).state == "interrupted":
        resume_run(workspace, run_id)
    assert ended(workspace, run_id).state == "done", run_log(workspace, run_id)
    assert files_of(workspace, run_id) == files_of(workspace, whole)
    assert units_of(workspace, run_id) == units_of(workspace, whole)


# In this process: what a worker does once it has its job.


def work(workspace: Workspace, run_id: str) -> Run:
    """Do a run's job here, as its worker would, and return the run."""
    job_id = find_run(workspace, run_id).job_id
    assert job_id is not None
    at_work = worker.Worker(workspace, job_id)
    assert at_work.claim()
    worker._run(at_work)
    return find_run(workspace, run_id)


@pytest.fixture
def walking(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Let the trainer be a made one; give the options it is made with, to be changed."""
    options: dict[str, Any] = {}
    monkeypatch.setattr(
        train_job, "make_trainer", lambda config, days, *, read: WalkTrainer(days.keys, **options)
    )
    return options


def test_a_run_that_diverges_says_so_and_keeps_what_is_good(
    workspace: Workspace, no_processes: list[str], walking: dict[str, Any]
) -> None:
    """F25: failed, DIVERGED, the days before listed; resumed in health it ends well."""
    [run_id] = create_runs(workspace, [FEATURES])
    days = find_run(workspace, run_id).trained_days
    walking["poison"] = (days[2], "loss")
    run = work(workspace, run_id)
    assert (run.state, run.code, run.days) == ("failed", "DIVERGED", days[:2])
    assert run.message.startswith("It diverged")
    assert "DIVERGED" not in run.message
    assert run.is_resumable
    walking.clear()
    resume_run(workspace, run_id)
    run = work(workspace, run_id)
    assert (run.state, run.days, run.result["days"]) == ("done", days, 4)


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (MemoryError(), "OUT-OF-MEMORY"),
        (RuntimeError("CUDA out of memory"), "GPU-OUT-OF-MEMORY"),
        (OSError(28, "No space left on device"), "DISK-FULL"),
        (KeyError("a bug"), ""),
    ],
    ids=lambda each: str(each),
)
def test_what_ends_a_run_stands_on_its_row(
    workspace: Workspace,
    no_processes: list[str],
    walking: dict[str, Any],
    raised: BaseException,
    code: str,
) -> None:
    """F12, F21, F24: each has its code, a message for people, and the last good checkpoint."""
    [run_id] = create_runs(workspace, [FEATURES])
    days = find_run(workspace, run_id).trained_days
    walking["fails"] = (days[1], raised)
    run = work(workspace, run_id)
    assert (run.state, run.code, run.days) == ("failed", code, days[:1])
    assert run.message
    walking.clear()
    resume_run(workspace, run_id)
    assert work(workspace, run_id).state == "done"


def test_a_stop_ends_as_cancelled(
    workspace: Workspace, no_processes: list[str], walking: dict[str, Any]
) -> None:
    """The wish to stop on the row is heard within a run, which can be resumed."""
    [run_id] = create_runs(workspace, [FEATURES])
    with workspace.catalogue() as connection:
        connection.execute("UPDATE job SET stop_requested = 1")
    walking["step_s"] = worker.TELL_S / 2
    run = work(workspace, run_id)
    assert (run.state, run.is_resumable) == ("cancelled", True)
    assert len(run.days) < 4


def test_data_that_changed_in_the_queue_are_refused(
    workspace: Workspace, no_processes: list[str], walking: dict[str, Any]
) -> None:
    """Built anew before the run's turn: the day is named, nothing is trained."""
    [run_id] = create_runs(workspace, [FEATURES])
    day = find_run(workspace, run_id).trained_days[1]
    [manifest] = workspace.snapshots.rglob(f"{day}.*/manifest.json")
    manifest.write_text(manifest.read_text(encoding="utf-8") + " ", encoding="utf-8")
    run = work(workspace, run_id)
    assert (run.state, run.code, run.days) == ("failed", "DATA-CHANGED", ())
    assert day in run.message


def test_data_that_go_while_they_are_read_are_named(
    workspace: Workspace, no_processes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """F28: a snapshot removed under a run ends it with the day's name, not as a damaged file."""
    [run_id] = create_runs(workspace, [FEATURES])
    day = find_run(workspace, run_id).trained_days[2]
    make = train_job.make_trainer

    def make_and_remove(*arguments: Any, **named: Any) -> Any:
        [directory] = workspace.snapshots.rglob(f"{day}.*")
        shutil.rmtree(directory)
        with workspace.catalogue() as connection:
            connection.execute("DELETE FROM snapshot WHERE bin = ?", (day,))
        return make(*arguments, **named)

    monkeypatch.setattr(train_job, "make_trainer", make_and_remove)
    run = work(workspace, run_id)
    assert (run.state, run.code, len(run.days)) == ("failed", "DATA-CHANGED", 2)
    assert day in run.message


@pytest.fixture
def late_day(workspace: Workspace) -> Callable[[], str]:
    """Take the last day away; give what brings it back and names it."""
    with workspace.catalogue() as connection:
        row = connection.execute("SELECT * FROM snapshot ORDER BY bin DESC LIMIT 1").fetchone()
        connection.execute("UPDATE snapshot SET directory = NULL WHERE bin = ?", (row["bin"],))

    def come() -> str:
        with workspace.catalogue() as connection:
            connection.execute(
                "UPDATE snapshot SET directory = ? WHERE bin = ?", (row["directory"], row["bin"])
            )
        return str(row["bin"])

    return come


def test_a_finished_run_goes_on_when_a_day_comes(
    workspace: Workspace, no_processes: list[str], late_day: Callable[[], str]
) -> None:
    """Done over three days; the fourth arrives; continued, it ends like a run over all four."""
    [run_id] = create_runs(workspace, [FEATURES])
    before = work(workspace, run_id)
    assert (before.state, len(before.days)) == ("done", 3)
    key = late_day()
    assert new_days(workspace, before) == (key,)
    resume_run(workspace, run_id)
    after = work(workspace, run_id)
    assert (after.state, after.days) == ("done", (*before.days, key))
    assert units_of(workspace, run_id) == list(after.days)
    [whole] = create_runs(workspace, [FEATURES], again=True)
    work(workspace, whole)
    assert files_of(workspace, run_id) == files_of(workspace, whole)


def test_a_run_that_cannot_take_a_new_day_gets_its_old_ones_back(
    workspace: Workspace,
    no_processes: list[str],
    monkeypatch: pytest.MonkeyPatch,
    late_day: Callable[[], str],
) -> None:
    """Continued by a method that would begin otherwise: refused by name, and whole once resumed."""

    def use(first: int) -> None:
        monkeypatch.setattr(
            train_job, "make_trainer", lambda _, days, *, read: WalkTrainer(days.keys[first:])
        )

    use(0)
    [run_id] = create_runs(workspace, [FEATURES])
    before = work(workspace, run_id)
    late_day()
    resume_run(workspace, run_id)
    use(1)
    refused = work(workspace, run_id)
    assert (refused.state, refused.code) == ("failed", "CANNOT-CONTINUE")
    assert (refused.days, refused.trained_days) == (before.days, before.trained_days)
    use(0)
    resume_run(workspace, run_id)
    assert work(workspace, run_id).state == "done"


def test_another_environment_is_noted(
    workspace: Workspace,
    no_processes: list[str],
    walking: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An attempt with other libraries leaves its own entry; one with the same leaves none."""
    [run_id] = create_runs(workspace, [FEATURES])
    walking["fails"] = ("epoch 2", MemoryError())
    work(workspace, run_id)
    assert find_run(workspace, run_id).provenance["later"] == []
    now = provenance.environment() | {"python": "3.99"}
    monkeypatch.setattr(train_job, "environment", lambda: now)
    for _ in range(2):
        resume_run(workspace, run_id)
        work(workspace, run_id)
    [entry] = find_run(workspace, run_id).provenance["later"]
    assert (entry["python"], entry["days_embedded"]) == ("3.99", 0)


def test_a_fusion_reads_the_runs_it_is_told(workspace: Workspace, no_processes: list[str]) -> None:
    """Two tables side by side: as wide as both, host by host; a day they lack is named."""
    ids = create_runs(workspace, [FEATURES, replace(FEATURES, seed=1)])
    for run_id in ids:
        assert work(workspace, run_id).state == "done"
    [fusion] = create_runs(workspace, [RunConfig.of("fusion", runs=tuple(ids))])
    run = work(workspace, fusion)
    assert (run.state, len(run.days)) == ("done", 4), run.message
    wide = open_embedding(workspace, fusion, run.days[0]).vectors.shape[1]
    assert wide == 2 * open_embedding(workspace, ids[0], run.days[0]).vectors.shape[1]
    delete_run(workspace, ids[0])
    [again] = create_runs(workspace, [RunConfig.of("fusion", runs=(ids[1], fusion))])
    assert work(workspace, again).state == "done"


@pytest.mark.parametrize(
    ("device", "cards", "refused"),
    [("cpu", 0, False), ("cuda", 0, True), ("cuda:1", 1, True), ("cuda:1", 2, False)],
)
def test_a_device_that_is_not_there_is_refused(device: str, cards: int, refused: bool) -> None:
    """F23: before anything is trained, with the way out."""
    torch = SimpleNamespace(
        cuda=SimpleNamespace(is_available=lambda: cards > 0, device_count=lambda: cards),
        backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: False)),
    )
    if refused:
        with pytest.raises(RunError, match="cpu is always there") as error:
            preparing._refuse_missing(torch, device)
        assert error.value.code == "NO-DEVICE"
    else:
        preparing._refuse_missing(torch, device)
