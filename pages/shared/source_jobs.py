"""Background jobs: what runs and ran, how each ended, its log; and forgetting one."""

from dataclasses import asdict

import streamlit as st

from darkgnn_core.charts.load_tables import failed_snapshots
from darkgnn_core.charts.source_tables import JOBS, STATES, job_table
from darkgnn_core.errors import JobError
from darkgnn_core.jobs import Job, find_job, forget_job, list_jobs, read_log
from darkgnn_core.workspace import Workspace
from pages.shared import state
from pages.shared.feedback import plain, safe, show_table
from pages.shared.label_told import done
from pages.shared.load_job import show_report

LOG_CHARACTERS = 8_000
LINE_CHARACTERS = 400


def show_outcome(workspace: Workspace) -> None:
    """Say once how the job that this page started has ended."""
    job_id = state.source_job()
    if job_id is None:
        return
    state.set_source_job(None)
    try:
        job = find_job(workspace, job_id)
    except JobError:  # forgotten meanwhile
        return
    _show_end(job)


def _show_end(job: Job) -> None:
    what = JOBS.get(job.kind, job.kind).capitalize()
    if job.state == "done":
        built = len(job.report.get("snapshots", {}))
        seconds = float(job.report.get("seconds", 0.0))
        st.success(
            f"{safe(what)}: done in {seconds:,.1f} s, {built:,} snapshots built.",
            icon=":material/check_circle:",
        )
    elif job.state == "cancelled":
        st.info(safe(f"{what}: {job.message}"), icon=":material/cancel:")
    elif not job.is_active:
        st.error(safe(f"{what}: {job.message or job.state}"), icon=":material/error:")
    unbuilt = failed_snapshots(job.report)
    if len(unbuilt):
        st.caption("Days without a snapshot")
        show_table(unbuilt, "job_unbuilt")


def show_jobs(workspace: Workspace, *, is_busy: bool) -> None:
    """Show the jobs, and one of them with its report and log."""
    jobs = list_jobs(workspace)
    if not jobs:
        st.info(
            "Nothing was loaded or built here in the background yet. Runs of models have a list of "
            "their own: Train models, Runs.",
            icon=":material/work_history:",
        )
        return
    show_table(job_table(asdict(job) for job in jobs), "jobs")
    by_id = {job.id: job for job in jobs}
    chosen = st.selectbox(
        "One of them",
        list(by_id),
        format_func=lambda each: _title(by_id[each]),
        key="job_chosen",
        help="Its report and its log stand below.",
    )
    job = by_id.get(str(chosen), jobs[0])
    if job.is_active:
        st.caption("It is under way: how far it is, and Cancel, stand above.")
    elif job.kind in ("load", "demo"):
        show_report(workspace, job)
    else:
        _show_end(job)
    _show_log(workspace, job)
    _offer_forgetting(workspace, job, jobs)


def _title(job: Job) -> str:
    kind = JOBS.get(job.kind, job.kind)
    return plain(f"{kind}, {job.created_at[:16].replace('T', ' ')} UTC, {STATES[job.state]}")


def _show_log(workspace: Workspace, job: Job) -> None:
    with st.expander("Log of the job"):
        lines = read_log(workspace, job.id)[-LOG_CHARACTERS:].splitlines()
        text = "\n".join(plain(line[:LINE_CHARACTERS]) for line in lines)
        st.code(text or "It wrote nothing.", language=None)


def _offer_forgetting(workspace: Workspace, job: Job, jobs: list[Job]) -> None:
    ended = [each.id for each in jobs if not each.is_active]
    with st.container(horizontal=True):
        one = st.button(
            "Forget this job",
            key="job_forget",
            icon=":material/delete:",
            disabled=job.is_active,
            help="Its entry and its log go; what it loaded or built stays.",
        )
        every = st.button(
            "Forget all that have ended",
            key="job_forget_all",
            icon=":material/delete_sweep:",
            disabled=not ended,
            help="Their entries and logs go and do not come back; what they loaded or built stays.",
        )
    if one or every:
        gone = ended if every else [job.id]
        for each in gone:
            forget_job(workspace, each)
        if state.load_job() in gone:
            state.set_load_job(None)
        done(f"{len(gone):,} jobs were forgotten.")
