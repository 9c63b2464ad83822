"""Runs in a state of the tests' choosing: written down as real ones are, without a process."""

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from darkgnn_core import job_processes
from darkgnn_core.catalogue import utc_now
from darkgnn_core.durable import write_manifest
from darkgnn_core.run_config import RunConfig
from darkgnn_core.run_store import EMBEDDINGS
from darkgnn_core.runs import create_runs
from darkgnn_core.workspace import Workspace

ACTIVE = ("starting", "running")


@pytest.fixture
def no_processes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Start no worker: give the ids of the jobs that would have been; each seems to be at work."""
    launched: list[str] = []

    def launch(workspace: Workspace, job_id: str) -> int:
        (workspace.jobs / job_id).mkdir(exist_ok=True)
        launched.append(job_id)
        return os.getpid()

    monkeypatch.setattr(job_processes, "launch", launch)
    monkeypatch.setattr(job_processes, "launch_queue_keeper", lambda workspace: None)
    monkeypatch.setattr(job_processes, "is_working", lambda workspace, job_id: True)
    monkeypatch.setattr(job_processes, "end", lambda workspace, row: None)
    return launched


def made_run(
    workspace: Workspace,
    config: RunConfig,
    state: str = "done",
    *,
    days: int = 3,
    lines: list[dict[str, Any]] | None = None,
    **values: Any,
) -> str:
    """Write down a run in a state and return its id; needs `no_processes`.

    Args:
        workspace: Whose snapshots it is over.
        config: Its settings.
        state: Of its job.
        days: How many of its days are embedded, the first ones.
        lines: Its progress, line by line.
        **values: `name`, `group`, `estimate` of the run; `progress`, `result` of it; `message`,
            `code`, `heartbeat_at` of its job.
    """
    told = {name: values[name] for name in ("name", "group", "estimate") if name in values}
    [run_id] = create_runs(workspace, [config], again=True, **told)
    directory = workspace.runs / run_id
    _write_days(directory / EMBEDDINGS, _days_of(workspace, run_id)[:days])
    text = "".join(json.dumps(line) + "\n" for line in lines or [])
    (directory / "progress.jsonl").write_text(text, encoding="utf-8")
    ended = None if state in ("queued", *ACTIVE) else utc_now()
    started = None if state == "queued" else utc_now()
    with workspace.catalogue() as connection:
        connection.execute(
            "UPDATE run SET progress = ?, result = ?, started_at = ? WHERE id = ?",
            (
                json.dumps(values.get("progress", {})),
                json.dumps(values.get("result", {})),
                started,
                run_id,
            ),
        )
        connection.execute(
            "UPDATE job SET state = ?, message = ?, code = ?, heartbeat_at = ?, ended_at = ? "
            "WHERE run_id = ?",
            (
                state,
                values.get("message", ""),
                values.get("code", ""),
                values.get("heartbeat_at", utc_now()),
                ended,
                run_id,
            ),
        )
    return run_id


def _days_of(workspace: Workspace, run_id: str) -> list[str]:
    with workspace.catalogue() as connection:
        row = connection.execute("SELECT provenance FROM run WHERE id = ?", (run_id,)).fetchone()
    return sorted(json.loads(row["provenance"])["data"]["days"])


def _write_days(directory: Any, days: list[str]) -> None:
    for day in days:
        (directory / f"{day}.parquet").write_bytes(b"embedding")
    write_manifest(directory)


def step_lines(
    days: list[str],
    *,
    epochs: int = 1,
    loss: Callable[[int], float] = lambda step: 0.7 / (1 + step),
) -> list[dict[str, Any]]:
    """Return lines of progress: each day all its passes, then that it is embedded."""
    lines: list[dict[str, Any]] = []
    for done, day in enumerate(days):
        for epoch in range(1, epochs + 1):
            step = len(lines)
            told = {"day": day, "epoch": epoch, "epochs": epochs, "units_done": done}
            lines.append(
                {"at": utc_now(), "event": "step", "loss": loss(step), "accuracy": 0.5, **told}
            )
        lines.append({"at": utc_now(), "event": "day", "day": day, "seconds": 0.5 + done})
    return lines
