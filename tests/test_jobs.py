"""Jobs: one at a time, cancelled within two seconds, never running for ever."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from darkgnn_core import job_processes, jobs, worker
from darkgnn_core.catalogue import transaction
from darkgnn_core.errors import JobError, WorkspaceError
from darkgnn_core.jobs import (
    Job,
    active_job,
    add_queued_job,
    cancel_job,
    find_job,
    forget_job,
    list_jobs,
    read_log,
    settle_jobs,
    start_job,
)
from darkgnn_core.shelf import list_snapshots
from darkgnn_core.workspace import Workspace, open_workspace
from tests.made_traces import drawn_packets, write_log, write_long_log
from tests.waiting import wait_for

DEADLINE_S = 60.0


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Give an empty workspace."""
    return open_workspace(tmp_path / "w")


def ended(workspace: Workspace, job_id: str) -> Job:
    """Wait until a job has ended and return it."""
    wait_for(lambda: not find_job(workspace, job_id).is_active, DEADLINE_S)
    return find_job(workspace, job_id)


def start_long(workspace: Workspace, tmp_path: Path) -> str:
    """Start a load that takes many seconds, and wait until it reads."""
    path = write_long_log(tmp_path / "long.log.gz", rows=3_000_000)
    job_id = start_job(workspace, "load", {"paths": [str(path)]})
    wait_for(lambda: find_job(workspace, job_id).progress.get("packets", 0) > 0, DEADLINE_S)
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


# The queue.


def wait_in_queue(workspace: Workspace, name: str, device: str = "cpu") -> str:
    """Queue a job of a made run and return its id."""
    with workspace.catalogue() as connection, transaction(connection):
        connection.execute(
            "INSERT INTO run (id, name, group_name, config, config_hash, data_hash, provenance, "
            "estimate, created_at) VALUES (?, '', '', '{}', '', '', '{}', '{}', '')",
            (name,),
        )
        return add_queued_job(connection, "train", {"run_id": name}, device=device, run_id=name)


def states_of(workspace: Workspace) -> dict[str, str]:
    """Return the states of the jobs of runs, by run, without settling anything."""
    with workspace.catalogue() as connection:
        rows = connection.execute("SELECT run_id, state FROM job WHERE run_id IS NOT NULL")
        return {row["run_id"]: row["state"] for row in rows}


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Start no process: give the ids of the jobs whose turn came, which then seem to work."""
    found: list[str] = []

    def launch(_: Workspace, job_id: str) -> int:
        found.append(job_id)
        return os.getpid()

    monkeypatch.setattr(job_processes, "launch", launch)
    monkeypatch.setattr(job_processes, "launch_queue_keeper", lambda _: None)
    monkeypatch.setattr(job_processes, "is_working", lambda *_: True)
    return found


def end_job(workspace: Workspace, job_id: str, state: str = "done") -> None:
    """Put a final state on a job's row."""
    with workspace.catalogue() as connection:
        connection.execute("UPDATE job SET state = ? WHERE id = ?", (state, job_id))


def test_a_device_takes_its_queue_in_order(workspace: Workspace, launched: list[str]) -> None:
    """One at a time a device, first come first served; another device does not wait."""
    ids = [wait_in_queue(workspace, name) for name in "abc"]
    other = wait_in_queue(workspace, "d", "cuda:0")
    settle_jobs(workspace)
    settle_jobs(workspace)
    assert sorted(launched) == sorted([ids[0], other])
    end_job(workspace, ids[0])
    settle_jobs(workspace)
    end_job(workspace, ids[1])
    settle_jobs(workspace)
    assert [each for each in launched if each != other] == ids
    assert active_job(workspace) is None, "the workspace itself is free"
    assert find_job(workspace, other).is_active


def test_a_queued_job_is_cancelled_without_a_process(
    workspace: Workspace, launched: list[str]
) -> None:
    """It never starts, and the one behind it moves up."""
    ids = [wait_in_queue(workspace, name) for name in "abc"]
    settle_jobs(workspace)
    job = cancel_job(workspace, ids[1])
    assert (job.state, job.started_at) == ("cancelled", None)
    end_job(workspace, ids[0])
    settle_jobs(workspace)
    assert launched == [ids[0], ids[2]]


def test_a_job_that_cannot_be_started_fails_and_lets_the_next(
    workspace: Workspace, launched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no process can be made the row says so, and the queue goes on."""
    ids = [wait_in_queue(workspace, name) for name in "ab"]
    launch = job_processes.launch

    def refusing(where: Workspace, job_id: str) -> int:
        if job_id == ids[0]:
            raise OSError(12, "Cannot allocate memory")
        return launch(where, job_id)

    monkeypatch.setattr(job_processes, "launch", refusing)
    settle_jobs(workspace)
    assert launched == [ids[1]]
    job = find_job(workspace, ids[0])
    assert (job.state, "Cannot allocate memory" in job.message) == ("failed", True)


def test_who_dies_while_starting_a_job_does_not_lose_it(
    workspace: Workspace, launched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken from the queue by an app that was killed before the process was there: it starts."""
    job_id = wait_in_queue(workspace, "a")
    with workspace.catalogue() as connection:
        connection.execute(
            "UPDATE job SET state = 'starting', started_at = '2021-12-01T00:00:00+00:00'"
        )
    monkeypatch.setattr(job_processes, "is_working", lambda *_: False)
    settle_jobs(workspace)
    assert launched == [job_id]
    assert states_of(workspace) == {"a": "starting"}


SETTLING = """
import os, sys
from pathlib import Path
from darkgnn_core import job_processes
from darkgnn_core.jobs import settle_jobs
from darkgnn_core.workspace import Workspace
workspace = Workspace(Path(sys.argv[1]))
def launch(_, job_id):
    print(job_id, flush=True)
    return os.getpid()
job_processes.launch = launch
job_processes.launch_queue_keeper = lambda _: None
print("ready", flush=True)
sys.stdin.readline()
for _ in range(20):
    settle_jobs(workspace)
print("done", flush=True)
sys.stdin.readline()
"""


def test_two_processes_that_settle_at_once_start_one(workspace: Workspace) -> None:
    """The catalogue lets one of them take the job, whoever is quicker; the next one waits."""
    first = wait_in_queue(workspace, "a")
    wait_in_queue(workspace, "b")
    command = [sys.executable, "-c", SETTLING, str(workspace.root)]
    root = Path(__file__).resolve().parents[1]
    pipe = subprocess.PIPE
    pair = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=root) for _ in range(2)
    ]
    said: list[str] = []
    for word in ("ready", "done"):
        for each in pair:
            assert each.stdout is not None
            said += [line.strip() for line in iter(each.stdout.readline, f"{word}\n")]
        if word == "ready":
            for each in pair:
                assert each.stdin is not None
                each.stdin.write("\n")
                each.stdin.flush()
    for each in pair:
        each.communicate("\n", timeout=DEADLINE_S)
    assert said == [first]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_killed_worker_does_not_strand_the_queue(workspace: Workspace) -> None:
    """Nobody looks, and the worker is killed: the keeper starts the next, and ends by itself.

    The runs are made up, so that their workers end at once with a bug; the first is stopped before.
    """
    for name in "abc":
        wait_in_queue(workspace, name)
    settle_jobs(workspace)
    with workspace.catalogue() as connection:
        row = connection.execute("SELECT id, pid FROM job WHERE run_id = 'a'").fetchone()
    os.killpg(row["pid"], signal.SIGKILL)
    wait_for(
        lambda: not {"queued", "starting", "running"} & set(states_of(workspace).values()),
        DEADLINE_S,
    )
    assert states_of(workspace) == {"a": "interrupted", "b": "failed", "c": "failed"}
    keeper = job_processes.started[f"queue of {workspace.root}"]
    assert keeper.wait(DEADLINE_S) in (0, 1)
    job_processes.started[row["id"]].wait(DEADLINE_S)
    assert not job_processes.holds_lock(workspace.jobs / job_processes.QUEUE_LOCK)


def test_an_ending_worker_starts_the_next(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a keeper and with nobody looking, three jobs run one after the other."""
    monkeypatch.setattr(job_processes, "launch_queue_keeper", lambda _: None)
    for name in "abc":
        wait_in_queue(workspace, name)
    settle_jobs(workspace)
    wait_for(lambda: set(states_of(workspace).values()) == {"failed"}, DEADLINE_S)
    with workspace.catalogue() as connection:
        rows = connection.execute("SELECT run_id FROM job ORDER BY ended_at, rowid").fetchall()
    assert [row["run_id"] for row in rows] == ["a", "b", "c"]


def test_a_worker_leaves_a_cancelled_job_alone(workspace: Workspace) -> None:
    """Cancelled between its start and its first breath: the worker ends without touching the row.

    A second worker of a job that another one has is as harmless.
    """
    job_id = wait_in_queue(workspace, "a")
    (workspace.jobs / job_id).mkdir()
    for state in ("cancelled", "running", "done"):
        end_job(workspace, job_id, state)
        assert worker.Worker(workspace, job_id).claim() is False
        assert states_of(workspace) == {"a": state}
    end_job(workspace, job_id, "starting")
    assert worker.Worker(workspace, job_id).claim() is True
    assert states_of(workspace) == {"a": "running"}


def test_the_heart_beats_while_a_step_takes_long(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a word from the work the row gets a sign of life, and a wish to stop is heard."""
    job_id = wait_in_queue(workspace, "a")
    with workspace.catalogue() as connection:
        connection.execute("UPDATE job SET state = 'running', stop_requested = 1")
    monkeypatch.setattr(worker, "HEARTBEAT_S", 0.02)
    at_work = worker.Worker(workspace, job_id)
    with worker._heart_beating(at_work):
        wait_for(at_work.should_stop, DEADLINE_S)
    with workspace.catalogue() as connection:
        assert connection.execute("SELECT heartbeat_at FROM job").fetchone()[0] is not None


def test_a_full_disk_has_room_for_saying_so(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reserve goes first, and a row that cannot be written at once is written later."""
    job_id = wait_in_queue(workspace, "a")
    (workspace.jobs / job_id).mkdir()
    end_job(workspace, job_id, "starting")
    at_work = worker.Worker(workspace, job_id)
    at_work.claim()
    reserve = workspace.jobs / job_id / worker.RESERVE
    assert reserve.stat().st_size == worker.RESERVE_BYTES
    write, refused = at_work._write_end, []

    def full_once(*arguments: Any) -> None:
        if not refused:
            refused.append(reserve.exists())
            raise WorkspaceError("Disk full.", code="DISK-FULL")
        write(*arguments)

    monkeypatch.setattr(at_work, "_write_end", full_once)
    at_work.end("failed", "Disk full. (DISK-FULL)", code="DISK-FULL")
    assert refused == [False]
    job = find_job(workspace, job_id)
    assert (job.state, job.code) == ("failed", "DISK-FULL")


def test_a_job_of_a_run_goes_with_its_run(workspace: Workspace, launched: list[str]) -> None:
    """It cannot be forgotten alone."""
    job_id = wait_in_queue(workspace, "a")
    end_job(workspace, job_id)
    with pytest.raises(JobError, match="Delete the run"):
        forget_job(workspace, job_id)


def test_a_kill_for_memory_is_told_by_the_kernels_count(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F20: whoever finds a worker gone is told, though another process was its parent."""
    counter = tmp_path / "memory.events"
    monkeypatch.setattr(job_processes, "KILL_COUNTERS", (tmp_path / "absent", counter))
    (workspace.jobs / "x").mkdir()
    counter.write_text("max 9\noom 4\noom_kill 3\noom_group_kill 0\n", encoding="ascii")
    job_processes.note_start(workspace, "x")
    assert "memory" not in job_processes.how_it_died(workspace, "x")
    counter.write_text("max 9\noom 5\noom_kill 4\noom_group_kill 0\n", encoding="ascii")
    assert "lack of memory" in job_processes.how_it_died(workspace, "x")
    assert "memory" not in job_processes.how_it_died(workspace, "never started")
