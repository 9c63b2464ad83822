"""Faults: full, failing and read-only disks, kills, set clocks, damaged stores; rows F."""

import errno
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest

from darkgnn_core import catalogue, durable, inbox, job_processes, worker
from darkgnn_core import workspace as workspace_module
from darkgnn_core.catalogue import MIGRATIONS, open_catalogue
from darkgnn_core.config import SnapshotConfig
from darkgnn_core.durable import check_manifest
from darkgnn_core.errors import JobError, WorkspaceError
from darkgnn_core.inbox import keep_upload, sweep_uploads
from darkgnn_core.ingest import bring_up_to_date, ingest
from darkgnn_core.jobs import Job, cancel_job, find_job, start_job
from darkgnn_core.shelf import list_snapshots, open_snapshot
from darkgnn_core.sources import list_sources
from darkgnn_core.traces.parsing import parse_trace
from darkgnn_core.traces.reading import ReadOptions
from darkgnn_core.worker import KINDS, Worker
from darkgnn_core.workspace import Workspace, open_workspace, writer_lock
from tests.made_traces import drawn_packets, write_log, write_long_log
from tests.waiting import wait_for

ALL = SnapshotConfig(min_packets=1)
DEADLINE_S = 90.0


def new_workspace(root: Path) -> Workspace:
    """Return an empty workspace whose snapshots keep every host."""
    workspace = open_workspace(root)
    workspace.set_snapshot_config(ALL)
    return workspace


def trace(folder: Path, seed: int, *, packets: int = 300, days: int = 1) -> Path:
    """Write a small log."""
    return write_log(folder / f"{seed}.log.gz", drawn_packets(packets, days=days, seed=seed))


def check_whole(workspace: Workspace) -> dict[str, int]:
    """Hold all that is listed against its manifests; return packets by source."""
    for each in list_snapshots(workspace, ALL):
        open_snapshot(workspace, ALL, each.bin)
    with workspace.catalogue() as connection:
        sources = list_sources(connection)
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    for source in sources:
        check_manifest(workspace.packets / source.id)
        files = (workspace.packets / source.id).glob("*.parquet")
        assert sum(pq.read_metadata(path).num_rows for path in files) == source.packets
    return {source.name: source.packets for source in sources}


def ended(workspace: Workspace, job_id: str) -> Job:
    """Wait until a job has ended and return it."""
    wait_for(lambda: not find_job(workspace, job_id).is_active, DEADLINE_S)
    if job_id in job_processes.started:
        job_processes.started[job_id].wait(timeout=DEADLINE_S)
    return find_job(workspace, job_id)


@contextmanager
def small_disk(point: Path, options: str) -> Iterator[Path]:
    """Mount a small disk in memory for the block, or skip where that is not allowed."""
    point.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(point)]
    if sys.platform != "linux" or shutil.which("mount") is None:
        pytest.skip("there is no tmpfs to mount on this system")
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this account may not mount a small disk")
    try:
        yield point
    finally:
        subprocess.run(["umount", str(point)], check=True)


def leave_bytes(disk: Path, keep: int) -> None:
    """Fill a disk until `keep` bytes are left."""
    found = os.statvfs(disk)
    with (disk / "filler").open("wb") as filler:
        filler.write(bytes(max(0, found.f_bavail * found.f_bsize - keep)))


def leave_files(disk: Path, keep: int) -> None:
    """Use up a disk's files until `keep` more may be made."""
    (disk / "fillers").mkdir()
    for place in range(os.statvfs(disk).f_favail - keep):
        (disk / "fillers" / str(place)).touch()


def sweep(disk: Path, traces: Path, fill: Callable[[Path, int], None], steps: list[int]) -> int:
    """Load with less and less missing room: refused by name and unchanged, until it works.

    Returns:
        How many loads were refused.
    """
    workspace = new_workspace(disk / "w")
    ingest(workspace, [trace(traces, 1)])
    second = trace(traces, 2, packets=8_000)
    told: list[tuple[str, bool]] = []
    for refusals, step in enumerate(steps):
        fill(disk, step)
        try:
            ingest(workspace, [second], workers=1)
        except WorkspaceError as error:
            told.append((error.code, "left" in str(error) or "free" in str(error)))
        else:
            return refusals
        finally:
            (disk / "filler").unlink(missing_ok=True)
            shutil.rmtree(disk / "fillers", ignore_errors=True)
        assert set(told) == {("DISK-FULL", True)}
        assert set(check_whole(workspace)) <= {"1.log.gz", "2.log.gz"}
        assert list(workspace.root.rglob(".partial-*")) == []
    ingest(workspace, [second])
    assert check_whole(workspace) == {"1.log.gz": 300, "2.log.gz": 8_000}
    return len(steps)


def test_a_full_disk_at_any_moment_leaves_old_or_new(tmp_path: Path) -> None:
    """F12: with any amount of room missing the load is refused as DISK-FULL, then works."""
    with small_disk(tmp_path / "disk", "size=8m") as disk:
        assert sweep(disk, tmp_path, leave_bytes, [0, 32 << 10, 80 << 10, 128 << 10]) >= 2


def test_a_disk_without_inodes_is_a_full_disk(tmp_path: Path) -> None:
    """F13: where no more files may be made the error says that."""
    with small_disk(tmp_path / "disk", "size=20m,nr_inodes=80") as disk:
        assert sweep(disk, tmp_path, leave_files, [0, 1, 3, 5]) >= 3


def test_a_read_only_disk_is_named(tmp_path: Path) -> None:
    """F14: no workspace can be made there, and that is said; one that is there opens to be read."""
    with small_disk(tmp_path / "disk", "size=8m") as disk:
        new_workspace(disk / "w")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert open_workspace(disk / "w").is_read_only
        with pytest.raises(WorkspaceError) as caught:
            open_workspace(disk / "new")
        assert caught.value.code == "NO-PERMISSION"


def test_a_disk_full_in_the_reader_is_told_as_such(tmp_path: Path) -> None:
    """F12: the confined reader meets the full disk; its caller gets ENOSPC, not a crash."""
    with small_disk(tmp_path / "disk", "size=200k") as disk:
        path = trace(tmp_path, 3, packets=40_000)
        with pytest.raises(OSError, match="No space left") as caught:
            parse_trace(path, disk, ReadOptions())
        assert caught.value.errno == errno.ENOSPC


def test_every_failing_sync_is_a_failed_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F18: EIO at the n-th fsync of a load, for every n: refused by name, old or new."""
    workspace = new_workspace(tmp_path / "w")
    path = trace(tmp_path, 5, packets=50)
    real, calls = os.fsync, [0]
    codes: set[str] = set()

    def failing(at: int) -> Callable[[int], None]:
        calls[0] = 0

        def sync(handle: int) -> None:
            calls[0] += 1
            if calls[0] == at:
                raise OSError(errno.EIO, "Input/output error")
            real(handle)

        return sync

    for at in range(1, 60):
        monkeypatch.setattr("darkgnn_core.durable.os.fsync", failing(at))
        try:
            report = ingest(workspace, [path], workers=1)
        except WorkspaceError as error:
            codes.add(error.code)
            monkeypatch.setattr("darkgnn_core.durable.os.fsync", real)
            check_whole(workspace)
            assert list(workspace.root.rglob(".partial-*")) == []
        else:
            assert report.files[0].status in ("loaded", "already loaded")
            assert at > 5
            assert codes == {"DISK-ERROR"}
            break
    else:
        pytest.fail("it never worked")


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_killed_jobs_leave_old_or_new_and_the_next_one_ends(tmp_path: Path) -> None:
    """F2, F3, F6: `kill -9` of the whole group at several moments, then a job like any other."""
    workspace = new_workspace(tmp_path / "w")
    paths = [str(trace(tmp_path, seed, packets=3_000, days=2)) for seed in (7, 8)]
    rng = random.Random(3)
    for _ in range(3):
        job_id = start_job(workspace, "load", {"paths": paths})
        process = job_processes.started[job_id]
        try:
            process.wait(timeout=rng.uniform(0.3, 3.0))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        assert ended(workspace, job_id).state in ("interrupted", "done")
        assert set(check_whole(workspace).values()) <= {3_000}
    job = ended(workspace, start_job(workspace, "load", {"paths": paths}))
    assert job.state == "done", job.message
    assert list(check_whole(workspace).values()) == [3_000, 3_000]
    assert list(workspace.root.rglob(".partial-*")) == []


STARTER = """
import sys, time
from pathlib import Path
from darkgnn_core.jobs import start_job
from darkgnn_core.workspace import open_workspace
print(start_job(open_workspace(Path(sys.argv[1])), "load", {"paths": sys.argv[2:]}), flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_a_job_outlives_the_app_and_the_next_app_finds_it(tmp_path: Path) -> None:
    """F4, F10: the app is killed, its job goes on; a second app is told BUSY, then sees it end."""
    workspace = new_workspace(tmp_path / "w")
    path = write_long_log(tmp_path / "long.log.gz", rows=300_000)
    command = [sys.executable, "-c", STARTER, str(workspace.root), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as app:
        assert app.stdout is not None
        job_id = app.stdout.readline().strip()
        app.kill()
        app.wait()
    with pytest.raises(JobError) as caught:
        start_job(workspace, "load", {"paths": [str(path)]})
    assert caught.value.code == "BUSY"
    assert job_id in str(caught.value)
    job = ended(workspace, job_id)
    assert job.state == "done", job.message
    assert check_whole(workspace) == {"long.log.gz": 300_000}


def test_a_stale_lock_file_of_a_living_process_does_not_count(tmp_path: Path) -> None:
    """F11: the system's lock decides, not what a file says of a process that is alive."""
    workspace = new_workspace(tmp_path / "w")
    (workspace.root / "writer.lock").write_bytes(b"")
    told = {"pid": os.getppid(), "machine": "elsewhere", "since": "2020-01-01T00:00:00+00:00"}
    (workspace.root / "writer.json").write_text(json.dumps(told), encoding="utf-8")
    with writer_lock(workspace):
        pass
    assert not (workspace.root / "writer.json").exists()


def test_a_damaged_snapshot_is_refused_by_name_and_the_others_open(tmp_path: Path) -> None:
    """F15, F16, Q1-Q8: cut, flipped, zeroed, swapped, missing and extra files are all noticed."""
    workspace = new_workspace(tmp_path / "w")
    ingest(workspace, [trace(tmp_path, 9, days=2)])
    first, second = list_snapshots(workspace, ALL)
    assert first.directory is not None
    assert second.directory is not None
    rng = random.Random(5)

    def refused(name: str) -> None:
        with pytest.raises(WorkspaceError, match=name) as caught:
            open_snapshot(workspace, ALL, first.bin)
        assert caught.value.code == "DAMAGED"
        open_snapshot(workspace, ALL, second.bin)

    for path in sorted(first.directory.iterdir()):
        whole = path.read_bytes()
        if path.name != durable.MANIFEST:
            for _ in range(40):
                place = rng.randrange(len(whole))
                flipped = bytearray(whole)
                flipped[place] ^= 1 << rng.randrange(8)
                for content in (bytes(flipped), whole[:place]):
                    path.write_bytes(content)
                    refused(path.name)
            path.write_bytes((second.directory / path.name).read_bytes())
            refused(path.name)
        path.unlink()
        refused(path.name)
        path.write_bytes(whole)
        open_snapshot(workspace, ALL, first.bin)
    (first.directory / "extra").write_bytes(b"")
    refused("extra")


def test_packets_that_are_gone_are_named(tmp_path: Path) -> None:
    """F28: a deleted packet folder is an error by name; snapshots built before still open."""
    workspace = new_workspace(tmp_path / "w")
    ingest(workspace, [trace(tmp_path, 10)])
    [folder] = workspace.packets.iterdir()
    shutil.rmtree(folder)
    with pytest.raises(WorkspaceError) as caught:
        bring_up_to_date(workspace, SnapshotConfig(min_packets=2))
    assert caught.value.code == "DAMAGED"
    open_snapshot(workspace, ALL, "2021-12-01")


def test_a_trace_that_is_gone_when_its_job_starts_is_named(tmp_path: Path) -> None:
    """F28: the job fails with the path, the workspace stays as it was."""
    workspace = new_workspace(tmp_path / "w")
    job = ended(workspace, start_job(workspace, "load", {"paths": [str(tmp_path / "gone")]}))
    assert (job.state, "NO-SUCH-FILE" in job.message) == ("failed", True)


def test_a_catalogue_locked_for_long_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F17: after the wait the error is LOCKED, and nothing says that a backup is needed."""
    workspace = new_workspace(tmp_path / "w")
    monkeypatch.setattr(catalogue, "BUSY_TIMEOUT_S", 0.2)
    with sqlite3.connect(workspace.catalogue_path, isolation_level=None) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(WorkspaceError) as caught:
            workspace.set_snapshot_config(ALL)
        holder.execute("ROLLBACK")
    holder.close()
    assert caught.value.code == "LOCKED"
    workspace.set_snapshot_config(ALL)


@pytest.mark.parametrize("garbage", [b"", b"\0" * 4_096, b"SQLite format 3\0" + b"\xff" * 4_080])
def test_garbage_in_the_catalogue_is_named(tmp_path: Path, garbage: bytes) -> None:
    """F17: overwritten pages and an emptied file give DAMAGED; packets stay."""
    workspace = new_workspace(tmp_path / "w")
    ingest(workspace, [trace(tmp_path, 11)])
    kept = sorted(path.name for path in workspace.packets.rglob("*"))
    with workspace.catalogue() as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = workspace.catalogue_path.read_bytes()
    workspace.catalogue_path.write_bytes(garbage + content[len(garbage) :] if garbage else b"")
    with pytest.raises(WorkspaceError) as caught:
        open_workspace(workspace.root)
    assert caught.value.code == "DAMAGED"
    assert sorted(path.name for path in workspace.packets.rglob("*")) == kept


def test_a_catalogue_without_its_log_or_with_a_stale_journal_opens(tmp_path: Path) -> None:
    """F17: files that SQLite left beside the catalogue, or that are gone, do not matter."""
    workspace = new_workspace(tmp_path / "w")
    with workspace.catalogue() as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for name in ("-wal", "-shm"):
        workspace.catalogue_path.with_name(f"darkgnn.sqlite{name}").unlink(missing_ok=True)
    workspace.catalogue_path.with_name("darkgnn.sqlite-journal").write_bytes(b"stale" * 200)
    assert open_workspace(workspace.root).snapshot_config() == ALL


MIGRATOR = """
import os, sqlite3, sys
from pathlib import Path
from darkgnn_core import catalogue
root = Path(sys.argv[1])
real = sqlite3.connect
def killed_at(moment):
    seen = [0]
    def connect(*args, **options):
        connection = real(*args, **options)
        def trace(statement):
            seen[0] += 1
            if seen[0] == moment:
                os._exit(9)
        connection.set_trace_callback(trace)
        return connection
    catalogue.sqlite3.connect = connect
    catalogue.open_catalogue(root / f"{moment}.sqlite").close()
    os._exit(0)
moment, status = 0, 9
while status:
    moment += 1
    child = os.fork()
    if child == 0:
        killed_at(moment)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(moment)
"""


@pytest.mark.skipif(os.name != "posix", reason="fork is POSIX")
def test_a_kill_at_every_statement_of_a_migration_is_survived(tmp_path: Path) -> None:
    """F17, F33: whatever statement it was, the next start has the whole schema."""
    done = subprocess.run(
        [sys.executable, "-c", MIGRATOR, str(tmp_path)], capture_output=True, text=True, check=True
    )
    moments = int(done.stdout)
    assert moments > 15
    schemas = set()
    for moment in range(1, moments + 1):
        connection = open_catalogue(tmp_path / f"{moment}.sqlite")
        assert connection.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
        rows = connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
        schemas.add("\n".join(str(row[0]) for row in rows))
        connection.close()
    assert len(schemas) == 1


def test_a_set_clock_does_not_hide_a_running_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F19: a day later or earlier by the clock, cancel still ends the process."""
    workspace = new_workspace(tmp_path / "w")
    path = write_long_log(tmp_path / "long.log.gz", rows=3_000_000)
    job_id = start_job(workspace, "load", {"paths": [str(path)]})
    wait_for(lambda: find_job(workspace, job_id).progress.get("packets", 0) > 0, DEADLINE_S)
    process = psutil.Process(job_processes.started[job_id].pid)
    monkeypatch.setattr(job_processes, "created_at", lambda _: time.time() + 86_400)
    assert find_job(workspace, job_id).state == "running"
    assert cancel_job(workspace, job_id).state == "cancelled"
    job_processes.started[job_id].wait(timeout=5)
    assert not process.is_running()


def test_a_row_from_the_future_is_settled(tmp_path: Path) -> None:
    """F19: a job that never came, noted before the clock was set back, does not block others."""
    workspace = new_workspace(tmp_path / "w")
    with workspace.catalogue() as connection:
        connection.execute(
            "INSERT INTO job (id, kind, device, config, state, created_at) "
            "VALUES ('x', 'load', 'workspace', '{}', 'starting', '2990-01-01T00:00:00+00:00')"
        )
    assert find_job(workspace, "x").state == "interrupted"


def test_uploads_survive_a_set_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F19: nothing is removed for its age once the clock has jumped."""
    workspace = new_workspace(tmp_path / "w")
    path = keep_upload(workspace, b"x")
    os.utime(path, (1, 1))
    monkeypatch.setattr(inbox, "_AHEAD_AT_START_S", inbox._ahead_s() - 86_400)
    assert sweep_uploads(workspace) == 0
    monkeypatch.setattr(inbox, "_AHEAD_AT_START_S", inbox._ahead_s())
    assert sweep_uploads(workspace) == 1


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (MemoryError(), "OUT-OF-MEMORY"),
        (OSError(errno.ENOSPC, "No space left on device"), "DISK-FULL"),
        (OSError(errno.EIO, "Input/output error"), "DISK-ERROR"),
    ],
)
def test_a_job_that_meets_the_end_of_memory_or_disk_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception, said: str
) -> None:
    """F12, F21: the row says failed and why."""
    workspace = new_workspace(tmp_path / "w")

    def work(_: Worker) -> object:
        raise raised

    with workspace.catalogue() as connection:
        connection.execute(
            "INSERT INTO job (id, kind, device, config, state, created_at) "
            "VALUES ('x', 'load', 'workspace', '{}', 'running', '2990-01-01T00:00:00+00:00')"
        )
    monkeypatch.setitem(KINDS, "load", work)
    worker._run(Worker(workspace, "x"))
    with workspace.catalogue() as connection:
        state, message = connection.execute("SELECT state, message FROM job").fetchone()
    assert (state, said in message) == ("failed", True)


@pytest.mark.parametrize(
    ("kind", "refused"), [("nfs4", True), ("fuse.sshfs", True), ("ext4", False)]
)
def test_a_network_disk_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, refused: bool
) -> None:
    """F32: the workspace may not lie where locks cannot be relied on."""
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"/dev/vda / ext4 rw 0 0\nserver:/x {tmp_path}/far\\040away {kind} rw 0 0\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(workspace_module, "MOUNTS", mounts)
    root = tmp_path / "far away" / "w"
    if refused:
        with pytest.raises(WorkspaceError) as caught:
            open_workspace(root)
        assert caught.value.code == "NETWORK-DISK"
        assert not root.exists()
    else:
        open_workspace(root)
