"""The t-SNE map that is made in the background: started, watched, cancelled."""

import streamlit as st

from darkgnn_core.errors import DarkgnnError
from darkgnn_core.jobs import Job, cancel_job
from darkgnn_core.maps.making import map_job, queue_maps
from darkgnn_core.runs import Run, find_run
from darkgnn_core.workspace import Workspace
from pages.shared import loaders
from pages.shared import map_loaders as loaded
from pages.shared.feedback import safe, user_errors_shown

EVERY_S = 2.0


def see_to_map(workspace: Workspace, run: Run, day: str) -> None:
    """Have the t-SNE map of a day made where it is missing, and show how far that is."""
    is_there = loaded.stored_map(workspace, run, day) is not None
    job = map_job(workspace, run.id, loaded.SETTINGS)
    if not is_there and (job is None or _may_have_new_days(job, day)):
        queue_maps(workspace, run.id, day, loaded.SETTINGS)
        job = map_job(workspace, run.id, loaded.SETTINGS)
    if job is None:
        return
    if job.is_active:
        watch(str(workspace.root), run.id, day, is_there)
    elif not is_there:
        _say_how_it_ended(workspace, run, day, job)


def _may_have_new_days(job: Job, day: str) -> bool:
    """Say whether a day came after the maps were made: one that was made is not made again."""
    return job.state == "done" and day not in job.report.get("days", ())


@st.fragment(run_every=EVERY_S)
@user_errors_shown()
def watch(root: str, run_id: str, day: str, was_there: bool) -> None:
    """Show how far the maps of a run are; run the page again when the one in view is there."""
    workspace = loaders.workspace_at(root)
    run = find_run(workspace, run_id)
    is_there = loaded.stored_map(workspace, run, day) is not None
    job = map_job(workspace, run_id, loaded.SETTINGS)
    if is_there != was_there or job is None or not job.is_active:
        st.rerun()
    told = job.progress
    done, total = int(told.get("units_done", 0)), int(told.get("units_total", 0))
    share = float(told.get("share", 0.0))
    bar, button = st.columns([6, 1], vertical_alignment="center")
    words = "t-SNE: waiting to start" if job.state == "queued" else "t-SNE: starting"
    if total:
        what = "finding true neighbours" if share == 0 else f"{share:.0%}"
        words = f"t-SNE: {done:,} of {total:,} days done, now {told.get('day', '')} ({what})"
    if not is_there:
        words += ". Until this day is done its principal components are shown."
    bar.progress(round(min((done + share) / max(total, 1), 1.0), 3), text=safe(words))
    if button.button(
        "Cancel",
        key="map_cancel",
        icon=":material/cancel:",
        help="Stops making t-SNE maps of this run; days that are done keep theirs.",
    ):
        cancel_job(workspace, job.id)
        st.rerun()


def _say_how_it_ended(workspace: Workspace, run: Run, day: str, job: Job) -> None:
    left, right = st.columns([5, 1], vertical_alignment="center")
    words = "You cancelled it." if job.state == "cancelled" else job.message
    if job.state == "done":
        words = "Its file is gone or damaged."
    left.warning(
        f"There is no t-SNE map of this day: {safe(words)} Principal components are shown.",
        icon=":material/warning:",
    )
    if right.button(
        "Make it",
        key="map_again",
        icon=":material/replay:",
        help="Starts it in the background; you may use the page meanwhile.",
    ):
        try:
            queue_maps(workspace, run.id, day, loaded.SETTINGS)
        except DarkgnnError as error:
            st.error(safe(str(error)))
            return
        st.rerun()
