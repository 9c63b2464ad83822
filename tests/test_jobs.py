"""Jobs: one at a time, cancelled within two seconds, never running for ever."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from darkgnn_core import job_processes, jobs
from darkgnn_core.errors import JobError
from darkgnn_core.jobs import (
    Job,
    active_job,
    cancel_job,
    find_job,
    forget_job,
    list_jobs,
    read_log,
    start_job,
)
from darkgnn_core.shelf import list_snapshots
from darkgnn_core.workspace import Workspace, open_workspace
from tests.made_traces import drawn_packets, write_log, write_long_log

DEADLINE_S = 60.0


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Give an empty workspace."""
    return open_workspace(tmp_path / "w")


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds, a minute at most."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def ended(workspace: Workspace, job_id: str) -> Job:
    """Wait until a job has ended and return it."""
    wait_for(lambda: not find_job(workspace, job_id).is_active)
    return find_job(workspace, job_id)


def start_long(workspace: Workspace, tmp_path: Path) -> str:
    """Start a load that takes many seconds, and wait until it reads."""
    path = write_long_log(tmp_path / "long.log.gz", rows=3_000_000)
    job_id = start_job(workspace, "load", {"paths": [str(path)]})
    wait_for(lambda: find_job(workspace, job_id).progress.get("packets", 0) > 0)
    return job_id


def descendants(job: Job) -> list[psutil.Process]:
    """Return the processes of a job, itself included."""
    assert job.pid is not None
    process = psutil.Process(job.pid)
    return [process, *process.children(recursive=True)]


def test_a_load_ends_with_its_report_and_snapshots(workspace: Workspace, tmp_path: Path) -> None:
    """The row says done, the report holds the counts, the snapshots are there."""
    path = write_log(tmp_path / "a.log", drawn_packets(600, days=2, seed=1))
    job_id = start_job(workspace, "load", {"paths": [str(path)]})
    job = ended(workspace, job_id)
    assert (job.state, job.message) == ("done", ""), read_log(workspace, job_id)
    assert job.report["packets"] == 600
    assert job.progress["stage"] == "done"
    assert len(list_snapshots(workspace, workspace.snapshot_config())) == 2


def test_an_expected_error_ends_as_failed_with_its_message(
    workspace: Workspace, tmp_path: Path
) -> None:
    """A path that is not there fails with the way out, not with a traceback."""
    job = ended(workspace, start_job(workspace, "load", {"paths": [str(tmp_path / "absent")]}))
    assert job.state == "failed"
    assert "there is no such file" in job.message


def test_a_bug_ends_as_failed_and_the_log_keeps_it(workspace: Workspace) -> None:
    """An error nobody planned names its type on the row, and its details only in the log."""
    job = ended(workspace, start_job(workspace, "load", {}))
    assert job.state == "failed"
    assert "KeyError" in job.message
    assert "Traceback" in read_log(workspace, job.id)


def test_of_many_starts_at_once_one_wins(workspace: Workspace, tmp_path: Path) -> None:
    """Of ten simultaneous starts nine are told which job is active."""
    path = write_long_log(tmp_path / "long.log.gz", rows=400_000)
    won: list[str] = []
    refused: list[JobError] = []

    def start() -> None:
        try:
            won.append(start_job(workspace, "load", {"paths": [str(path)]}))
        except JobError as error:
            refused.append(error)

    threads = [threading.Thread(target=start) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert {error.code for error in refused} == {"BUSY"}
    assert won[0] in str(refused[0])
    cancel_job(workspace, won[0])


def test_cancel_ends_the_whole_group_within_two_seconds(
    workspace: Workspace, tmp_path: Path
) -> None:
    """Cancelled while reading: its processes are gone, the state says so, nothing half is left."""
    job_id = start_long(workspace, tmp_path)
    processes = descendants(find_job(workspace, job_id))
    assert len(processes) >= 2
    started = time.monotonic()
    job = cancel_job(workspace, job_id)
    assert time.monotonic() - started < 2.5
    assert job.state == "cancelled"
    psutil.wait_procs(processes, timeout=2)
    assert [each for each in processes if each.is_running()] == []
    assert active_job(workspace) is None
    assert list_snapshots(workspace, workspace.snapshot_config()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_stopped_process_can_still_be_cancelled(workspace: Workspace, tmp_path: Path) -> None:
    """A worker frozen by SIGSTOP is killed by cancel."""
    job_id = start_long(workspace, tmp_path)
    pid = find_job(workspace, job_id).pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    assert cancel_job(workspace, job_id).state == "cancelled"


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize("restarted", [False, True])
def test_a_killed_worker_is_interrupted_not_running(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restarted: bool
) -> None:
    """After `kill -9` the state is settled, by the app that started it or by the next one."""
    job_id = start_long(workspace, tmp_path)
    job = find_job(workspace, job_id)
    assert job.pid is not None
    os.killpg(job.pid, signal.SIGKILL)
    started = job_processes.started[job_id]
    if restarted:
        started.wait()
        monkeypatch.setattr(job_processes, "started", {})
    job = ended(workspace, job_id)
    assert job.state == "interrupted"
    assert ("lack of memory" in job.message) is not restarted
    started.wait()


def test_a_row_whose_process_never_came_is_settled(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that stayed at starting beyond the time allowed is interrupted, not there for ever."""
    monkeypatch.setattr(jobs, "START_S", 0.0)
    with workspace.catalogue() as connection:
        connection.execute(
            "INSERT INTO job (id, kind, device, config, state, created_at) "
            "VALUES ('x', 'load', 'workspace', '{}', 'starting', '2020-01-01T00:00:00+00:00')"
        )
    assert find_job(workspace, "x").state == "interrupted"


def test_an_ended_job_can_be_forgotten(workspace: Workspace, tmp_path: Path) -> None:
    """Its row and directory go; an unknown id is refused."""
    job = ended(workspace, start_job(workspace, "load", {"paths": [str(tmp_path / "absent")]}))
    forget_job(workspace, job.id)
    assert list_jobs(workspace) == []
    assert not (workspace.jobs / job.id).exists()
    with pytest.raises(JobError, match="There is no job"):
        find_job(workspace, job.id)
