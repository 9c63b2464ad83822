"""Computing scores: what is missing, the button that starts it, how far it is, Cancel."""

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from darkgnn_core.jobs import Job, cancel_job
from darkgnn_core.score_job import Task, scoring_jobs, start_scoring
from darkgnn_core.units import duration
from darkgnn_core.workspace import Workspace
from pages.shared import loaders
from pages.shared.feedback import plain, safe, user_errors_shown

WHAT = {
    "scores": "predictions",
    "health": "health of the embedding",
    "agreement": "how far seeds agree",
}
NEWS_S = 600.0
"""How long it is said how the last work ended."""


def show_under_way(workspace: Workspace, names: dict[str, str]) -> None:
    """Show the work under way, or how the last ended where it did not end well.

    Args:
        workspace: Whose runs.
        names: What runs are called, by id.
    """
    jobs = scoring_jobs(workspace)
    active = next((job for job in reversed(jobs) if job.is_active), None)
    if active is not None:
        with st.container(border=True):
            show_progress(str(workspace.root), active.id, names)
    elif jobs and _is_news(jobs[0]):
        _show_end(jobs[0])


def offer_computing(workspace: Workspace, missing: Sequence[Task], what: str, key: str) -> None:
    """Offer to compute what is missing; nothing where all is there, or is being computed.

    Args:
        workspace: Whose runs.
        missing: What is not kept yet.
        what: What is missing, a text of our own.
        key: Key of the button.
    """
    waits = any(_same(job, missing) for job in scoring_jobs(workspace) if job.is_active)
    if missing and not waits:
        _offer(workspace, missing, what, key)


def _same(job: Job, missing: Sequence[Task]) -> bool:
    """Say whether a job computes all that is missing."""
    told = job.config.get("tasks", [])
    asked = {(each["what"], each["run_id"], each["other"], str(each["question"])) for each in told}
    return all(
        (each.what, each.run_id, each.other, str(each.to_dict()["question"])) in asked
        for each in missing
    )


def _offer(workspace: Workspace, missing: Sequence[Task], what: str, key: str) -> None:
    days = sum(len(task.days) for task in missing)
    runs = len({task.run_id for task in missing})
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        if st.button(
            "Compute",
            key=key,
            type="primary",
            icon=":material/calculate:",
            help="Works in the background; it can be cancelled, and finished days are kept.",
        ):
            start_scoring(workspace, missing)
            st.rerun()
        st.text(
            f"{what}: {days:,} {'day' if days == 1 else 'days'} of {runs:,} "
            f"{'run' if runs == 1 else 'runs'} to compute, once. It is kept until labels, "
            "embeddings or settings change."
        )


def _is_news(job: Job) -> bool:
    """Say whether a job ended only just now."""
    ended = datetime.fromisoformat(job.ended_at) if job.ended_at else datetime.now(UTC)
    return (datetime.now(UTC) - ended).total_seconds() < NEWS_S


def _show_end(job: Job) -> None:
    if job.state == "cancelled":
        st.info("Cancelled. Days that were finished are kept.", icon=":material/cancel:")
    elif job.state == "done":
        _show_time(job)
    else:
        st.error(safe(job.message or job.state), icon=":material/error:")


def _show_time(job: Job) -> None:
    days, seconds = int(job.report.get("computed", 0)), float(job.report.get("seconds", 0.0))
    st.caption(f"{days:,} {'day' if days == 1 else 'days'} computed in {safe(duration(seconds))}.")


@st.fragment(run_every="1s")
@user_errors_shown()
def show_progress(root: str, job_id: str, names: dict[str, str]) -> None:
    """Show how far a job is, every second; run the page again when it has ended."""
    workspace = loaders.workspace_at(root)
    job = next((each for each in scoring_jobs(workspace) if each.id == job_id), None)
    if job is None or not job.is_active:
        st.rerun()
    told = job.progress
    st.progress(_share(job), text=safe(_at(job, names)))
    left, right = st.columns([1, 5], vertical_alignment="center")
    with left:
        if st.button(
            "Cancel",
            key=f"review_cancel_{job_id}",
            icon=":material/cancel:",
            help="Stops it within seconds; Compute goes on later with the days that are missing.",
        ):
            with st.spinner("Stopping it"):
                cancel_job(workspace, job_id)
            st.rerun()
    starting = "" if told else "Starting takes some seconds."
    right.caption(
        f"{safe(starting)} You may use other pages; it goes on. Days that are finished are kept."
    )


def _share(job: Job) -> float:
    total = int(job.progress.get("total") or 0)
    return min(int(job.progress.get("done") or 0) / total, 1.0) if total else 0.0


def _at(job: Job, names: dict[str, str]) -> str:
    told = job.progress
    if job.state == "queued":
        return "Waiting for other scores that are being computed"
    if not told:
        return "Starting"
    run = names.get(str(told.get("run_id")), "a run")
    at = f", {told['day']}" if told.get("day") else ""
    done = f"{told.get('done', 0)} of {told.get('total', 0)} days"
    return plain(f"{done}: {WHAT.get(str(told.get('what')), 'scores')} of {run}{at}")
