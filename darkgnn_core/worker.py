"""The process of one background job: `python -m darkgnn_core.worker WORKSPACE JOB`."""

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock

from darkgnn_core.catalogue import utc_now
from darkgnn_core.config import SnapshotConfig
from darkgnn_core.demo import DemoConfig
from darkgnn_core.demo_loading import load_demo
from darkgnn_core.durable import disk_errors_named
from darkgnn_core.errors import DarkgnnError
from darkgnn_core.ingest import IngestProgress, IngestReport, bring_up_to_date, ingest, remove
from darkgnn_core.traces.reading import options_from_dict
from darkgnn_core.workspace import Workspace, open_workspace

TELL_S = 0.5
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
        """Put progress on the job's row, at most twice a second, and look there for a stop."""
        if time.monotonic() - self._told < TELL_S and progress.stage != "done":
            return
        self._told = time.monotonic()
        with self.workspace.catalogue() as connection:
            connection.execute(
                "UPDATE job SET progress = ?, heartbeat_at = ? WHERE id = ?",
                (json.dumps(asdict(progress)), utc_now(), self.job_id),
            )
            row = connection.execute(
                "SELECT stop_requested FROM job WHERE id = ?", (self.job_id,)
            ).fetchone()
        if row is None or row["stop_requested"]:
            self._stop.set()

    def set_state(
        self, state: str, message: str = "", report: dict[str, Any] | None = None
    ) -> None:
        """Put a state on the job's row; a final one with its time."""
        ended = None if state == "running" else utc_now()
        with self.workspace.catalogue() as connection:
            connection.execute(
                "UPDATE job SET state = ?, message = ?, report = ?, heartbeat_at = ?, ended_at = ? "
                "WHERE id = ? AND state IN ('starting', 'running')",
                (state, message, json.dumps(report or {}), utc_now(), ended, self.job_id),
            )


def load(worker: Worker) -> IngestReport:
    """Load files: `paths`, and optionally `names`, `options`, `format_name`, `remove_after`."""
    config = worker.config
    paths = [Path(path) for path in config["paths"]]
    report = ingest(
        worker.workspace,
        paths,
        options=options_from_dict(config["options"]) if config.get("options") else None,
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


KINDS: dict[str, Callable[[Worker], IngestReport]] = {
    "load": load,
    "snapshots": rebuild,
    "demo": demo,
    "remove": take_out,
}


def main(root: str, job_id: str) -> int:
    """Do the job; exit 0 when it ended in a named state."""
    os.umask(0o077)
    workspace = open_workspace(Path(root), create=False)
    with FileLock(workspace.jobs / job_id / "lock", timeout=5):
        worker = Worker(workspace, job_id)
        signal.signal(signal.SIGTERM, worker.stop)
        _be_first_to_go()
        worker.set_state("running")
        return _run(worker)


def _run(worker: Worker) -> int:
    try:
        with disk_errors_named(worker.workspace.scratch):
            report = KINDS[worker.kind](worker)
    except DarkgnnError as error:
        worker.set_state("failed", f"{error} ({error.code})")
    except MemoryError:
        traceback.print_exc()
        worker.set_state("failed", f"{NO_MEMORY} (OUT-OF-MEMORY)")
    except Exception as error:
        traceback.print_exc()
        worker.set_state("failed", f"Unexpected {type(error).__name__}; the log has the details.")
        return 1
    else:
        state = "cancelled" if report.stopped else "done"
        message = "You cancelled it. What it had finished is kept." if report.stopped else ""
        worker.set_state(state, message, asdict(report))
    return 0


def _be_first_to_go() -> None:
    """Where memory runs out, let the kernel take this process, not the app."""
    score = Path("/proc/self/oom_score_adj")
    with suppress(OSError):  # some containers do not allow it, other systems do not have it
        score.write_text("500", encoding="ascii")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
