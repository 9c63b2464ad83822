"""Taking back the last act of labelling, from any page; undoing the undo gives it again."""

import streamlit as st

from darkgnn_core.labels.analyst import Change, last_change, remember_change, undo
from darkgnn_core.workspace import Workspace
from pages.shared import state
from pages.shared.feedback import plain
from pages.shared.label_told import done

UNDONE = "undone: "


def remember(workspace: Workspace, change: Change, what: str) -> None:
    """Remember an act of labelling, for this session and, to be undone after a reload, beyond.

    Args:
        workspace: Whose labels.
        change: What it did.
        what: What it was, in words.
    """
    state.set_label_change(change.added, change.withdrawn, what)
    with workspace.catalogue() as connection:
        remember_change(connection, change, what)


def offer_undo(workspace: Workspace, key: str, *, after_reload: bool = False) -> None:
    """Say what was labelled last, with a button that takes it back.

    Args:
        workspace: Whose labels.
        key: Key of the button.
        after_reload: Also where it was in an earlier session.
    """
    last = state.label_change()
    if last is None and after_reload:
        with workspace.catalogue() as connection:
            kept = last_change(connection)
        last = None if kept is None else (list(kept[0].added), list(kept[0].withdrawn), kept[1])
    if last is None:
        return
    added, withdrawn, what = last
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(plain(f"Last: {what}."))
        title = "Redo" if what.startswith(UNDONE) else "Undo"
        if st.button(title, key=key, icon=":material/undo:"):
            state.forget_label_change()
            with workspace.catalogue() as connection:
                back = undo(connection, Change(tuple(added), tuple(withdrawn)))
            before = what.removeprefix(UNDONE)
            told = before if what != before else f"{UNDONE}{what}"
            remember(workspace, back, told)
            done(f"{told}.")


def noun(count: int, one: str, several: str = "") -> str:
    """Return the word for one thing or for several."""
    return one if count == 1 else several or f"{one}s"
