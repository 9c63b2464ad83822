"""The work of a training job: check its data, make the trainer, take the run on, keep the result.

Torch is imported here at the earliest, and only for the methods that use it.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from darkgnn_core.catalogue import utc_now
from darkgnn_core.errors import RunError, WorkspaceError
from darkgnn_core.provenance import environment
from darkgnn_core.run_days import DayInput, Days, data_of
from darkgnn_core.run_store import Run, directory_of, read_run, set_provenance
from darkgnn_core.runs import open_embedding, unchanged_inputs
from darkgnn_core.training import running
from darkgnn_core.training.checkpoints import read_checkpoint
from darkgnn_core.training.methods import make_trainer
from darkgnn_core.training.preparing import prepare
from darkgnn_core.training.troubles import troubles_named
from darkgnn_core.workspace import Workspace


def train_run(
    workspace: Workspace,
    run_id: str,
    *,
    on_progress: Callable[[dict[str, Any]], None],
    should_stop: Callable[[], bool],
) -> running.RunReport:
    """Take a run on from its last checkpoint to its end, or until `should_stop` says so.

    Args:
        workspace: Where it is.
        run_id: Its id.
        on_progress: Told `runs.Run.progress`.
        should_stop: Asked after each step.

    Raises:
        RunError: `DATA-CHANGED`, `NO-DEVICE`, as `running.run`.
        WorkspaceError: `DAMAGED` where a snapshot has changed on disk.
    """
    run = read_run(workspace, run_id)
    _note_attempt(workspace, run)
    directory = directory_of(workspace, run_id)
    inputs = unchanged_inputs(workspace, run)
    with troubles_named(directory), _changes_named(workspace, run, directory, inputs):
        prepare(run.config, threads=int(run.provenance["threads"]))
        days = Days(inputs, snapshot_config=run.snapshot_config, graph=run.config.graph)
        report = running.run(
            directory,
            run.config,
            make_trainer(run.config, days, read=partial(open_embedding, workspace)),
            data=run.provenance["data"]["days"],
            on_progress=on_progress,
            should_stop=should_stop,
        )
    if not report.stopped:
        _keep_result(workspace, run_id, report)
    return report


def _note_attempt(workspace: Workspace, run: Run) -> None:
    """Keep when a run first started, and with what else than before it goes on."""
    with workspace.catalogue() as connection:
        connection.execute(
            "UPDATE run SET started_at = COALESCE(started_at, ?) WHERE id = ?", (utc_now(), run.id)
        )
    now, later = environment(), list(run.provenance["later"])
    last = later[-1] if later else run.provenance
    if any(last[name] != value for name, value in now.items()):
        entry = {"at": utc_now(), "days_embedded": len(run.days), **now}
        set_provenance(workspace, run, run.provenance | {"later": [*later, entry]})


@contextmanager
def _changes_named(
    workspace: Workspace, run: Run, directory: Path, inputs: list[DayInput]
) -> Iterator[None]:
    """Tell data that went while they were read from a file that is damaged.

    Raises:
        RunError: `DATA-CHANGED`; `CANNOT-CONTINUE`, after the run got its earlier days back.
    """
    try:
        yield
    except (FileNotFoundError, WorkspaceError):
        unchanged_inputs(workspace, run)
        raise
    except RunError as error:
        if error.code == "CANNOT-CONTINUE":
            _take_back_days(workspace, run, directory, inputs)
        raise


def _take_back_days(
    workspace: Workspace, run: Run, directory: Path, inputs: list[DayInput]
) -> None:
    """Let a run go over the days again that its checkpoint knew of, no later ones."""
    last = read_checkpoint(directory / running.CHECKPOINTS)
    if last is not None:
        known = [each for each in inputs if each.key in last.data]
        data = data_of(known, run.snapshot_config)
        set_provenance(workspace, run, run.provenance | {"data": data})


def _keep_result(workspace: Workspace, run_id: str, report: running.RunReport) -> None:
    result = {name: value for name, value in asdict(report).items() if name != "stopped"}
    with workspace.catalogue() as connection:
        connection.execute("UPDATE run SET result = ? WHERE id = ?", (json.dumps(result), run_id))
