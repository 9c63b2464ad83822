"""The only place of `st.cache_*`: core functions, keyed by small values, never by a table."""

from pathlib import Path

import streamlit as st

from darkgnn_core.workspace import Workspace, open_workspace


@st.cache_resource(max_entries=8, show_spinner=False)
def workspace_at(root: str) -> Workspace:
    """Open a workspace once; its folders are made where it is new."""
    return open_workspace(Path(root))


def loaded_days(workspace: Workspace) -> list[str]:
    """Return the days with packets, the latest first."""
    with workspace.catalogue() as connection:
        rows = connection.execute("SELECT DISTINCT day FROM packet_file ORDER BY day DESC")
        return [str(row["day"]) for row in rows]
