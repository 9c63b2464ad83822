"""A new run: the form on the left, what it will take and the start on the right."""

import streamlit as st

from darkgnn_core.workspace import Workspace
from pages.shared import loaders
from pages.shared.navigation import page
from pages.shared.train_form import ask
from pages.shared.train_start import show_start


def show_new_run(workspace: Workspace) -> None:
    """Ask for a run and offer to start it; where there are no snapshots, say how to get them."""
    if not loaders.bins(workspace):
        _show_no_snapshots()
        return
    left, right = st.columns([5, 4], gap="medium")
    with left:
        wanted = ask(workspace)
    if wanted is not None:
        with right:
            show_start(workspace, wanted)


def _show_no_snapshots() -> None:
    st.info(
        "Models learn from snapshots, one graph of hosts and ports a day, and there are none yet.",
        icon=":material/hub:",
    )
    st.page_link(
        page("load_data.py"),
        label="Load data",
        icon=":material/upload_file:",
        help="Where no trace was loaded yet: loading one builds its snapshots, too.",
    )
    st.page_link(
        page("manage_sources.py"),
        label="Sources",
        icon=":material/database:",
        help="Where traces were loaded: builds snapshots that are missing.",
    )
