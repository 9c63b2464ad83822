"""What an empty workspace offers: the demo at one click, or one's own traffic."""

from dataclasses import asdict

import streamlit as st

from darkgnn_core.jobs import active_job, start_job
from darkgnn_core.sources import list_sources
from darkgnn_core.workspace import Workspace
from pages.shared import state
from pages.shared.navigation import page


def show_first_run(workspace: Workspace) -> None:
    """Offer the demo and the way to load data; show a job that is under way instead."""
    job = active_job(workspace)
    if job is not None:
        st.info("Data is being loaded. This page fills when it is there.", icon=":material/sync:")
        st.page_link(
            page("load_data.py"),
            label="See how far it is",
            icon=":material/upload_file:",
            help="Opens Load data, where the job shows its progress and can be cancelled.",
        )
        return
    with workspace.catalogue() as connection:
        loaded = list_sources(connection)
    if loaded:
        _offer_snapshots(workspace)
        return
    st.subheader("Nothing has been loaded yet")
    demo, own = st.columns(2, border=True)
    with demo:
        st.markdown("**Look around first**")
        st.write("A synthetic darknet of two weeks, made on this computer in about half a minute.")
        show_demo_button(workspace)
    with own:
        st.markdown("**Load your own traffic**")
        st.write("Captures, firewall logs, Zeek logs, CSV, JSON or Parquet.")
        st.page_link(
            page("load_data.py"),
            label="Choose files",
            icon=":material/upload_file:",
            help="Opens Load data; you see what the files are before anything is loaded.",
        )


def show_demo_button(workspace: Workspace) -> None:
    """Show the one click that makes the demo."""
    if st.button(
        "Load the demo",
        key="load_demo",
        type="primary",
        icon=":material/science:",
        help="Puts made-up packets into this workspace; they can be removed under Sources, Traces.",
    ):
        state.set_load_job(start_job(workspace, "demo", {"size": "small"}))
        st.switch_page(page("load_data.py"))


def _offer_snapshots(workspace: Workspace) -> None:
    st.subheader("There is traffic, but no snapshot of it")
    st.write("None has been built with the settings of this workspace.")
    if st.button(
        "Build the snapshots",
        key="build_snapshots",
        type="primary",
        help="Makes them of the packets that are stored, in the background.",
    ):
        config = {"snapshot_config": asdict(workspace.snapshot_config())}
        state.set_load_job(start_job(workspace, "snapshots", config))
        st.switch_page(page("load_data.py"))
