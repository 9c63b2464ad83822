"""The process of one background job: `python -m darkgnn_core.worker WORKSPACE JOB`."""

import json
import os
import signal
import sqlite3
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock

from darkgnn_core.backups import back_up_daily
from darkgnn_core.catalogue import transaction, utc_now
from darkgnn_core.config import SnapshotConfig
from darkgnn_core.demo import DemoConfig
from darkgnn_core.demo_loading import load_demo
from darkgnn_core.durable import disk_errors_named
from darkgnn_core.errors import DarkgnnError, WorkspaceError
from darkgnn_core.ingest import IngestProgress, IngestReport, bring_up_to_date, ingest, remove
from darkgnn_core.job_processes import note_start
from darkgnn_core.jobs import CANCELLED, settle_jobs
from darkgnn_core.maps.cluster_job import cluster_for_job
from darkgnn_core.maps.making import MapReport, make_for_job
from darkgnn_core.maps.planes import keep_planes
from darkgnn_core.runs import find_run
from darkgnn_core.score_job import ScoringReport, score_all, task_from
from darkgnn_core.traces.reading import options_from_dict
from darkgnn_core.train_job import train_run
from darkgnn_core.training.running import RunReport
from darkgnn_core.workspace import Workspace, open_workspace

TELL_S = 0.5
HEARTBEAT_S = 2.0
RESERVE, RESERVE_BYTES = "reserve", 1 << 18
"""A file that goes at the end, so that a full disk has room for saying so."""
NO_MEMORY = (
    "There was not enough memory. What it had finished is kept; end other programs, or load fewer "
    "files at once, and start it again."
)


class Worker:
    """What a job's work may use: its settings, a way to tell how far it is, a way to be stopped.

    Args:
        workspace: What it works on.
        job_id: Its id.
    """

    def __init__(self, workspace: Workspace, job_id: str) -> None:
        self.workspace = workspace
        self.job_id = job_id
        self._stop = threading.Event()
        self._told = 0.0
        self._progress: dict[str, Any] = {}
        with workspace.catalogue() as connection:
            row = connection.execute("SELECT * FROM job WHERE id = ?", (job_id,)).fetchone()
        self.kind: str = row["kind"]
        self.config: dict[str, Any] = json.loads(row["config"])

    def stop(self, *_: object) -> None:
        """Ask the work to end soon."""
        self._stop.set()

    def should_stop(self) -> bool:
        """Say whether the analyst asked it to end."""
        return self._stop.is_set()

    def tell(self, progress: IngestProgress) -> None:
        """Put progress on the job's row, at most twice a second."""
        self.put(asdict(progress))

    def put(self, progress: dict[str, Any]) -> None:
        """Put progress on the job's row and its run's, at most twice a second; `end` puts the last.

        What cannot be written now is left out: work does not end because telling failed.
        """
        self._progress = progress
        if time.monotonic() - self._told >= TELL_S:
            self._told = time.monotonic()
            with suppress(WorkspaceError):
                self._write_progress()

    def _write_progress(self) -> None:
        told = json.dumps(self._progress)
        with self.workspace.catalogue() as connection, transaction(connection):
            connection.execute("UPDATE job SET progress = ? WHERE id = ?", (told, self.job_id))
            connection.execute("UPDATE run SET progress = ? WHERE job_id = ?", (told, self.job_id))
            self._beat(connection)

    def beat(self) -> None:
        """Put the time on the job's row, and look there for a stop."""
        with self.workspace.catalogue() as connection:
            self._beat(connection)

    def _beat(self, connection: sqlite3.Connection) -> None:
        row = connection.execute(
            "UPDATE job SET heartbeat_at = ? WHERE id = ? RETURNING stop_requested",
            (utc_now(), self.job_id),
        ).fetchone()
        if row is None or row["stop_requested"]:
            self._stop.set()

    def claim(self) -> bool:
        """Take the job as this process's; False if it was cancelled, or is another's by now."""
        pid = os.getpid()
        with self.workspace.catalogue() as connection:
            claimed = connection.execute(
                "UPDATE job SET state = 'running', pid = ?, pid_created = ?, heartbeat_at = ? "
                "WHERE id = ? AND state = 'starting'",
                (pid, psutil.Process(pid).create_time(), utc_now(), self.job_id),
            )
        note_start(self.workspace, self.job_id)
        with suppress(OSError):
            (self.workspace.jobs / self.job_id / RESERVE).write_bytes(bytes(RESERVE_BYTES))
        return claimed.rowcount == 1

    def end(
        self, state: str, message: str = "", report: dict[str, Any] | None = None, code: str = ""
    ) -> None:
        """Put a final state and the last progress on the job's row; make room for them first."""
        (self.workspace.jobs / self.job_id / RESERVE).unlink(missing_ok=True)
        for wait_s in (0.2, 1.0, None):
            try:
                if self._progress:
                    self._write_progress()
                self._write_end(state, message, report or {}, code)
            except WorkspaceError:  # a full disk, a long transaction
                if wait_s is None:
                    raise
                time.sleep(wait_s)
            else:
                return

    def _write_end(self, state: str, message: str, report: dict[str, Any], code: str) -> None:
        now, told = utc_now(), json.dumps(report)
        with self.workspace.catalogue() as connection:
            connection.execute(
                "UPDATE job SET state = ?, message = ?, report = ?, code = ?, heartbeat_at = ?, "
                "ended_at = ? WHERE id = ? AND state IN ('starting', 'running')",
                (state, message, told, code, now, now, self.job_id),
            )


def load(worker: Worker) -> IngestReport:
    """Load files: `paths`, and optionally what is said below, and `remove_after`.

    `names`, `options` of all files, `own_options` of single ones by path, `format_name`.
    """
    config = worker.config
    paths = [Path(path) for path in config["paths"]]
    own = config.get("own_options", {})
    report = ingest(
        worker.workspace,
        paths,
        options=options_from_dict(config["options"]) if config.get("options") else None,
        own_options={Path(path): options_from_dict(each) for path, each in own.items()},
        names={Path(path): name for path, name in config.get("names", {}).items()},
        format_name=config.get("format_name", ""),
        on_progress=worker.tell,
        should_stop=worker.should_stop,
    )
    if config.get("remove_after") and not report.stopped:
        for path in paths:  # uploads: they are in the workspace now, or were refused
            path.unlink(missing_ok=True)
    return report


def rebuild(worker: Worker) -> IngestReport:
    """Build what is missing with the snapshot settings `snapshot_config`, and show those."""
    config = SnapshotConfig(**worker.config["snapshot_config"])
    report = bring_up_to_date(
        worker.workspace, config, on_progress=worker.tell, should_stop=worker.should_stop
    )
    if not report.stopped:
        worker.workspace.set_snapshot_config(config)
    return report


def demo(worker: Worker) -> IngestReport:
    """Generate and load a demo darknet: `size` and optionally `seed`."""
    config = DemoConfig.of_size(worker.config["size"], seed=worker.config.get("seed", 2021))
    return load_demo(
        worker.workspace, config, on_progress=worker.tell, should_stop=worker.should_stop
    )


def take_out(worker: Worker) -> IngestReport:
    """Take the source `source_id` out of the workspace."""
    return remove(
        worker.workspace,
        worker.config["source_id"],
        on_progress=worker.tell,
        should_stop=worker.should_stop,
    )


def train(worker: Worker) -> RunReport:
    """Take the run `run_id` on from its last checkpoint; then its maps open at once."""
    run_id = worker.config["run_id"]
    report = train_run(
        worker.workspace, run_id, on_progress=worker.put, should_stop=worker.should_stop
    )
    with suppress(DarkgnnError):  # the run is whole without; the page makes what is missing
        days = find_run(worker.workspace, run_id).days
        keep_planes(worker.workspace, run_id, days, should_stop=worker.should_stop)
    return report


def score(worker: Worker) -> ScoringReport:
    """Compute the `tasks` of Review metrics that are not kept yet."""
    return score_all(
        worker.workspace,
        [task_from(each) for each in worker.config["tasks"]],
        on_progress=worker.put,
        should_stop=worker.should_stop,
    )


def draw_maps(worker: Worker) -> MapReport:
    """Make the maps of the run `run_id` that are missing, the one of `day` first."""
    return make_for_job(
        worker.workspace,
        worker.config,
        find_run(worker.workspace, worker.config["run_id"]).days,
        told=worker.put,
        should_stop=worker.should_stop,
    )


def find_clusters(worker: Worker) -> MapReport:
    """Find the clusters of `day` in the run `run_id`."""
    return cluster_for_job(worker.workspace, worker.config, told=worker.put)


Report = IngestReport | RunReport | ScoringReport | MapReport

KINDS: dict[str, Callable[[Worker], Report]] = {
    "load": load,
    "snapshots": rebuild,
    "demo": demo,
    "remove": take_out,
    "train": train,
    "score": score,
    "map": draw_maps,
    "cluster": find_clusters,
}


def main(root: str, job_id: str) -> int:
    """Do the job, then let the next one in the queue start; exit 0 when it ended in a named state.

    A job that was cancelled before, or that another process has by now, is left alone.
    """
    os.umask(0o077)
    workspace = open_workspace(Path(root), create=False)
    code = 0
    with FileLock(workspace.jobs / job_id / "lock", timeout=5):
        worker = Worker(workspace, job_id)
        signal.signal(signal.SIGTERM, worker.stop)
        _be_first_to_go()
        if worker.claim():
            with suppress(DarkgnnError):  # a full disk is for the job itself to tell
                back_up_daily(workspace)
            with _heart_beating(worker):
                code = _run(worker)
    with suppress(DarkgnnError, OSError):
        settle_jobs(workspace)
    return code


@contextmanager
def _heart_beating(worker: Worker) -> Iterator[None]:
    """Tell every two seconds that the process responds, however long a step takes."""
    is_over = threading.Event()

    def beat() -> None:
        while not is_over.wait(HEARTBEAT_S):
            with suppress(WorkspaceError):
                worker.beat()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join(HEARTBEAT_S)


def _run(worker: Worker) -> int:
    try:
        with disk_errors_named(worker.workspace.scratch):
            report = KINDS[worker.kind](worker)
    except DarkgnnError as error:
        worker.end("failed", f"{error} ({error.code})", code=error.code)
    except MemoryError:
        traceback.print_exc()
        worker.end("failed", f"{NO_MEMORY} (OUT-OF-MEMORY)", code="OUT-OF-MEMORY")
    except Exception as error:
        traceback.print_exc()
        worker.end("failed", f"Unexpected {type(error).__name__}; the log has the details.")
        return 1
    else:
        state = "cancelled" if report.stopped else "done"
        worker.end(state, CANCELLED if report.stopped else "", asdict(report))
    return 0


def _be_first_to_go() -> None:
    """Where memory runs out, let the kernel take this process, not the app."""
    score = Path("/proc/self/oom_score_adj")
    with suppress(OSError):  # some containers do not allow it, other systems do not have it
        score.write_text("500", encoding="ascii")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
