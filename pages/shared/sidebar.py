"""The sidebar: which workspace, which day, known scanners or not."""

from pathlib import Path

import streamlit as st

from pages.shared import loaders, state
from pages.shared.feedback import plain


def show_sidebar() -> None:
    """Draw it; every page reads its choices from `state`."""
    with st.sidebar:
        workspace = loaders.workspace_in_use()
        if loaders.is_synthetic(workspace):
            st.badge("Synthetic data", icon=":material/science:", color="orange")
        bins = loaders.bins(workspace)
        if bins:
            _choose_day(bins)
            st.toggle(
                "Hide known scanners",
                key=state.HIDE_KNOWN,
                help="Leave out hosts whose label is a known scanner; see Labels, Kinds of sender.",
            )
        _choose_workspace(workspace.root)


def _choose_day(bins: list[str]) -> None:
    if state.day() not in bins:
        st.session_state[state.DAY] = bins[0]
    st.selectbox("Day (UTC)", bins, key=state.DAY, bind="query-params")


def _choose_workspace(root: Path) -> None:
    st.caption("Workspace")
    st.text(plain(root.name))
    with st.popover("Change workspace", icon=":material/folder_open:", width="stretch"):
        st.caption("Open now")
        st.text(plain(str(root)))
        with st.form("workspace_form", border=False):
            given = st.text_input("Folder of another workspace", key="workspace_input")
            if st.form_submit_button("Open") and given.strip():
                chosen = loaders.workspace_at(str(Path(given.strip()).expanduser()))
                state.set_workspace_path(chosen.root)
                st.rerun()
