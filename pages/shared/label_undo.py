"""Taking back the last act of labelling, from any page; undoing the undo gives it again."""

import streamlit as st

from darkgnn_core.labels.analyst import Change, undo
from darkgnn_core.workspace import Workspace
from pages.shared import state
from pages.shared.feedback import plain
from pages.shared.label_told import done

UNDONE = "undone: "


def offer_undo(workspace: Workspace, key: str) -> None:
    """Say what was labelled last, with a button that takes it back.

    Args:
        workspace: Whose labels.
        key: Key of the button.
    """
    last = state.label_change()
    if last is None:
        return
    added, withdrawn, what = last
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(plain(f"Last: {what}."))
        if st.button("Undo", key=key, icon=":material/undo:"):
            state.forget_label_change()
            with workspace.catalogue() as connection:
                back = undo(connection, Change(tuple(added), tuple(withdrawn)))
            before = what.removeprefix(UNDONE)
            told = before if what != before else f"{UNDONE}{what}"
            state.set_label_change(back.added, back.withdrawn, told)
            done(f"{told}.")
