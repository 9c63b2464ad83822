"""The job that scores runs: queue it, and its work, which tells how far it is and can be stopped.

It holds a device of its own, `scores`, so it waits for no training and no loading, and no two
score the same things at once.
"""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Literal

from darkgnn_core.catalogue import transaction
from darkgnn_core.errors import RunError
from darkgnn_core.evaluation.predictions import Voting
from darkgnn_core.jobs import Job, add_queued_job, list_jobs, settle_jobs
from darkgnn_core.score_files import Question
from darkgnn_core.scoring import Told, compute_agreement, compute_health, compute_scores
from darkgnn_core.workspace import Workspace

KIND = "score"
DEVICE = "scores"

What = Literal["scores", "health", "agreement"]


@dataclass(frozen=True)
class Task:
    """One thing to compute: of one run and some days.

    Attributes:
        what: `scores` of predictions, `health` of embeddings, or `agreement` with another run.
        run_id: The run.
        days: Names of the bins.
        question: What is asked; health and agreement take only how near is measured from it.
        other: The other run of an agreement.
    """

    what: What
    run_id: str
    days: tuple[str, ...]
    question: Question = field(default_factory=Question)
    other: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it; `task_from` is its inverse."""
        return asdict(self) | {"question": self.question.to_dict()}


def task_from(values: dict[str, Any]) -> Task:
    """Return the task that `Task.to_dict` gave."""
    question = Question.from_dict(values["question"])
    return Task(**{**values, "days": tuple(values["days"]), "question": question})


@dataclass(frozen=True)
class ScoringReport:
    """How scoring went.

    Attributes:
        stopped: Whether the analyst stopped it; what it had finished is kept.
        computed: Days computed, over all tasks.
        seconds: Wall time.
    """

    stopped: bool
    computed: int
    seconds: float


class _StoppedError(Exception):
    """The analyst stopped it."""


def start_scoring(workspace: Workspace, tasks: Sequence[Task]) -> str:
    """Queue a job that computes what is missing, and start it if no other scores now.

    Returns:
        Its id, for `jobs.find_job` and `jobs.cancel_job`.

    Raises:
        RunError: `NOTHING` without a task.
        WorkspaceError: `DISK-FULL`.
    """
    if not tasks:
        raise RunError("There is nothing to compute.", code="NOTHING")
    _forget_ended(workspace)
    config = {"tasks": [task.to_dict() for task in tasks]}
    with workspace.catalogue() as connection, transaction(connection):
        job_id = add_queued_job(connection, KIND, config, device=DEVICE, run_id=tasks[0].run_id)
    settle_jobs(workspace)
    return job_id


def scoring_jobs(workspace: Workspace) -> list[Job]:
    """Return the jobs that score, the newest first."""
    return [job for job in list_jobs(workspace, with_runs=True) if job.kind == KIND]


def _forget_ended(workspace: Workspace) -> None:
    """Remove jobs of scoring that have ended: their results are files, nobody needs the rows."""
    for job in scoring_jobs(workspace):
        if not job.is_active:
            with workspace.catalogue() as connection:
                connection.execute("DELETE FROM job WHERE id = ?", (job.id,))
            shutil.rmtree(workspace.jobs / job.id, ignore_errors=True)


def score_all(
    workspace: Workspace,
    tasks: Sequence[Task],
    *,
    on_progress: Callable[[dict[str, Any]], None],
    should_stop: Callable[[], bool],
) -> ScoringReport:
    """Compute what is missing of some tasks, and keep every day as soon as it is there.

    Args:
        workspace: Whose runs.
        tasks: What to compute.
        on_progress: Told `done` and `total` days, `what` is at work on `day`, of run `run_id`.
        should_stop: Asked before each day.

    Raises:
        RunError: `NO-RUN`, `LABELS-CHANGED`.
        WorkspaceError: `DAMAGED`, `DISK-FULL`.
    """
    before = time.monotonic()
    total, computed = sum(len(task.days) for task in tasks), 0
    try:
        gone = 0
        for task in tasks:
            told = partial(_tell, task, gone, total, on_progress, should_stop)
            computed += _compute(workspace, task, told)
            gone += len(task.days)
    except _StoppedError as stopped:
        return ScoringReport(True, computed + int(stopped.args[0]), time.monotonic() - before)
    return ScoringReport(False, computed, time.monotonic() - before)


def _tell(
    task: Task,
    gone: int,
    total: int,
    on_progress: Callable[[dict[str, Any]], None],
    should_stop: Callable[[], bool],
    done: int,
    of_these: int,
    key: str,
) -> None:
    kept = len(task.days) - of_these
    at = {"what": task.what, "run_id": task.run_id, "day": key}
    on_progress({"done": gone + kept + done, "total": total, **at})
    if should_stop():
        raise _StoppedError(done)


def _compute(workspace: Workspace, task: Task, told: Told) -> int:
    if task.what == "scores":
        return compute_scores(workspace, task.run_id, task.question, task.days, told=told)
    voting: Voting = task.question.voting
    if task.what == "health":
        return compute_health(workspace, task.run_id, voting, task.days, told=told)
    return compute_agreement(workspace, task.run_id, task.other, voting, task.days, told=told)
