"""Load data: choose files, see what they are, load them in the background, read the report."""

import streamlit as st

from darkgnn_core.inbox import sweep_uploads
from darkgnn_core.jobs import active_job, find_job, start_job
from pages.shared import loaders, state
from pages.shared.first_run import show_demo_button
from pages.shared.load_choice import choose_files
from pages.shared.load_job import show_last_report, show_progress, show_report
from pages.shared.load_preview import show_preview

st.title("Load data")
workspace = loaders.workspace_in_use()
active = active_job(workspace)
if active is not None:
    state.set_load_job(active.id)
    show_progress(str(workspace.root), active.id)
    st.stop()

job_id = state.load_job()
if job_id is not None:
    show_report(workspace, find_job(workspace, job_id))
    if st.button(
        "Load more",
        key="load_more",
        icon=":material/add:",
        help="Goes back to the choice of files; what was loaded stays.",
    ):
        state.set_load_job(None)
        st.rerun()
    st.stop()

sweep_uploads(workspace)
files = choose_files(workspace)
if files:
    options = show_preview(workspace, files)
    ready = st.button(
        "Start loading",
        key="start_loading",
        type="primary",
        icon=":material/play_arrow:",
        disabled=options is None,
        help="Reads the files in the background and builds the snapshots; it can be "
        "cancelled, and the other pages stay in use.",
    )
    if ready and options is not None:
        config = {
            "paths": [str(each.path) for each in files],
            "names": {str(each.path): each.name for each in files},
            "remove_after": files[0].is_upload,
        } | options
        state.set_load_job(start_job(workspace, "load", config))
        st.rerun()
elif not loaders.bins(workspace):
    st.divider()
    st.write("Or look at a synthetic darknet first:")
    show_demo_button(workspace)

show_last_report(workspace)
