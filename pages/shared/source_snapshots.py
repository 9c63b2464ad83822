"""The snapshots that are shown: their size, and what was left out of each and why."""

import streamlit as st

from darkgnn_core.charts.source_tables import snapshot_table
from darkgnn_core.shelf import list_snapshots, plan_snapshots
from darkgnn_core.workspace import Workspace
from pages.shared.feedback import show_table
from pages.shared.source_settings import start_building


def show_snapshots(workspace: Workspace, *, is_busy: bool) -> None:
    """Show the snapshots of the settings in use; offer to build those that are missing."""
    config = workspace.snapshot_config()
    shelved = list_snapshots(workspace, config)
    _offer_missing(workspace, is_busy=is_busy)
    if not shelved:
        st.info("There are no snapshots with the settings in use.", icon=":material/hub:")
        return
    table = snapshot_table(shelved)
    if config.origin == "released":
        st.caption(
            "Graphs as the paper's authors released them: their files do not say how many packets "
            "were left out."
        )
    elif table["packets read"].equals(table["kept"]):
        st.caption(f"{len(shelved):,} snapshots. No packet was left out of any.")
    else:
        st.caption(
            f"{len(shelved):,} snapshots. Packets read = kept + the columns after it; each packet "
            "left out is counted under the first reason that holds."
        )
    show_table(table, "snapshots", height=480 if len(shelved) > 12 else "auto")


def _offer_missing(workspace: Workspace, *, is_busy: bool) -> None:
    config = workspace.snapshot_config()
    missing = plan_snapshots(workspace, config)
    if not missing:
        return
    st.warning(f"{len(missing):,} snapshots are missing or out of date.", icon=":material/update:")
    if st.button(
        "Build them",
        key="snapshots_build",
        icon=":material/play_arrow:",
        disabled=is_busy,
        help="Builds only these, in the background; the others are not touched.",
    ):
        start_building(workspace, config)
