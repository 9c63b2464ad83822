"""A loading job: progress while it runs, the report when it has ended."""

import streamlit as st

from darkgnn_core.charts.load_tables import failed_snapshots, file_table, reason_table
from darkgnn_core.charts.plain_words import in_words
from darkgnn_core.jobs import Job, cancel_job, find_job, list_jobs, read_log
from darkgnn_core.workspace import Workspace
from pages.shared import loaders
from pages.shared.feedback import plain, safe, show_table, user_errors_shown
from pages.shared.navigation import page

STAGES = {"reading": "Reading files", "building": "Building snapshots", "done": "Finishing"}


@st.fragment(run_every="1s")
@user_errors_shown()
def show_progress(root: str, job_id: str) -> None:
    """Show how far a job is, every second; run the page again when it has ended."""
    workspace = loaders.workspace_at(root)
    job = find_job(workspace, job_id)
    if not job.is_active:
        st.rerun()
    told = job.progress
    stage = told.get("stage", "reading")
    st.progress(_share(told), text=STAGES.get(stage, "Starting") if told else "Starting")
    figures = st.columns(4)
    figures[0].metric("Packets", f"{told.get('packets', 0):,}")
    figures[1].metric("Packets a second", f"{told.get('packets_per_s', 0):,.0f}")
    figures[2].metric("Files", f"{told.get('files_done', 0):,} of {told.get('files_total', 0):,}")
    figures[3].metric(
        "Snapshots", f"{told.get('snapshots_done', 0):,} of {told.get('snapshots_total', 0):,}"
    )
    if st.button(
        "Cancel",
        key="cancel_job",
        icon=":material/cancel:",
        help="Stops it within seconds; what it has finished is kept.",
    ):
        cancel_job(workspace, job_id)
        st.rerun()
    st.caption("You may close this page or use others; loading goes on.")


def _share(told: dict[str, float]) -> float:
    """Return how much is done, 0 to 1: reading by bytes counts for two thirds."""
    reading = told.get("bytes_done", 0) / max(told.get("bytes_total", 0), 1)
    building = told.get("snapshots_done", 0) / max(told.get("snapshots_total", 0), 1)
    if told.get("snapshots_total") and not told.get("bytes_total"):
        return min(building, 1.0)  # a rebuild: there was nothing to read
    return min(1.0, (2 * min(reading, 1.0) + min(building, 1.0)) / 3)


def show_report(workspace: Workspace, job: Job) -> None:
    """Show what an ended job did: read = kept + skipped, by file and by reason."""
    _show_state(job)
    files = file_table(job.report)
    if not files.empty:
        traces = files[files["status"] != "labels"]  # lists of labels lie beside some traces
        sums = traces[["read", "kept", "skipped", "packets"]].sum()
        figures = st.columns(4)
        for figure, label in zip(figures, ("Read", "Kept", "Skipped", "Packets"), strict=True):
            figure.metric(label, f"{int(sums[label.lower()]):,}")
        st.caption("read = kept + skipped; a record may stand for several packets")
        show_table(files, "report_files")
    for key, title in (("skipped", "Skipped, by reason"), ("notes", "Worth knowing")):
        reasons = reason_table(job.report, key)
        if not reasons.empty:
            st.subheader(title)
            in_plain = reasons.assign(reason=reasons["reason"].map(in_words))
            show_table(in_plain, f"report_{key}")
    unbuilt = failed_snapshots(job.report)
    if not unbuilt.empty:
        st.subheader("Days without a snapshot")
        show_table(unbuilt, "report_unbuilt")
    if job.state in ("failed", "interrupted"):
        with st.popover("Log of the job", help="The last lines it wrote, to see where it stopped."):
            st.code(plain(read_log(workspace, job.id)[-4000:]) or "empty", language=None)


def show_last_report(workspace: Workspace) -> None:
    """Offer the report of the job that ended last, for whoever comes back later."""
    ended = [job for job in list_jobs(workspace) if not job.is_active]
    if ended:
        with st.expander("Report of the last load", icon=":material/history:"):
            show_report(workspace, ended[0])


def _show_state(job: Job) -> None:
    if job.state == "done":
        failed = [each for each in job.report.get("files", []) if each["status"] == "failed"]
        seconds = float(job.report.get("seconds", 0.0))
        if failed:
            st.warning(
                f"Loaded in {seconds:,.1f} s; {len(failed)} of {len(job.report['files'])} files "
                "could not be read.",
                icon=":material/warning:",
            )
        else:
            st.success(f"Loaded in {seconds:,.1f} s.", icon=":material/check_circle:")
        st.page_link(
            page("today_queue.py"),
            label="Go to Today",
            icon=":material/today:",
            help="The page that says what the traffic of the day looks like.",
        )
    elif job.state == "cancelled":
        st.info("Cancelled. What it had finished is kept.", icon=":material/cancel:")
    else:
        st.error(safe(job.message or f"The job is {job.state}."), icon=":material/error:")
