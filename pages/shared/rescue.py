"""A workspace whose catalogue is damaged: what is left of it, and one click back to a copy."""

import streamlit as st

from darkgnn_core.backups import Backup, list_backups, restore
from darkgnn_core.errors import DarkgnnError
from darkgnn_core.workspace import Workspace
from pages.shared import loaders, state
from pages.shared.feedback import safe, user_errors_shown


def is_rescue_shown() -> bool:
    """Offer the copies of the catalogue where it is damaged; say whether that was needed."""
    try:
        loaders.workspace_in_use()
    except DarkgnnError as error:
        if error.code != "DAMAGED":
            return False
        _offer_copies(Workspace(state.workspace_path()), error)
        return True
    return False


def _offer_copies(workspace: Workspace, error: DarkgnnError) -> None:
    st.title("This workspace needs repair")
    st.error(safe(str(error)), icon=":material/error:")
    copies = list_backups(workspace)
    if not copies:
        st.info(
            "There is no copy of the catalogue. The traces, snapshots and runs are still in the "
            "workspace's folder; load the traces into a new workspace to go on.",
            icon=":material/folder_off:",
        )
        return
    chosen = st.selectbox(
        "Copy to go back to",
        copies,
        format_func=_told,
        key="rescue_copy",
        help="A copy is made once a day. What was loaded, labelled or noted after it is lost.",
    )
    if st.button(
        "Go back to this copy",
        type="primary",
        icon=":material/restore:",
        key="rescue",
        help="The damaged catalogue is set aside in the folder backups, not thrown away.",
    ):
        with user_errors_shown():
            restore(workspace, chosen)
            state.say("The catalogue was restored; the damaged one lies in the folder backups.")
            st.rerun()


def _told(backup: Backup) -> str:
    return f"{backup.made_at:%Y-%m-%d %H:%M} UTC"
