"""Sources: the traces that were loaded, the snapshots made of them, and the background jobs."""

import streamlit as st

from darkgnn_core.jobs import active_job
from pages.shared import loaders
from pages.shared.label_told import show_said
from pages.shared.load_job import show_progress
from pages.shared.source_jobs import show_jobs, show_outcome
from pages.shared.source_settings import show_settings
from pages.shared.source_snapshots import show_snapshots
from pages.shared.source_traces import show_traces

VIEWS = {
    "Traces": show_traces,
    "Snapshots": show_snapshots,
    "Snapshot settings": show_settings,
    "Background jobs": show_jobs,
}

st.title("Sources")
workspace = loaders.workspace_in_use()
show_said()
active = active_job(workspace)
if active is not None:
    show_progress(str(workspace.root), active.id)
else:
    show_outcome(workspace)
view = st.segmented_control(
    "What would you like to see or do?",
    list(VIEWS),
    default="Traces",
    key="sources_view",
    required=True,
    bind="query-params",
    help="Traces are what was loaded, snapshots what is made of them for each day, by the "
    "settings; jobs are what ran in the background.",
)
VIEWS[view or "Traces"](workspace, is_busy=active is not None)
