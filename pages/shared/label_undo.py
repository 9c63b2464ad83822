"""Taking back acts of labelling, one after another, from any page; and doing them again."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from sqlite3 import Connection

import streamlit as st

from darkgnn_core.errors import LabelError
from darkgnn_core.labels.acts import Acts, forget, read_acts, redo_last, remember, undo_last
from darkgnn_core.labels.analyst import Change
from darkgnn_core.workspace import Workspace
from pages.shared import state
from pages.shared.feedback import plain

OFFERED = timedelta(days=1)
"""So long the sidebar offers to take an act back; the page Labels always does."""


def remember_act(workspace: Workspace, change: Change, what: str) -> None:
    """Remember an act of labelling, to be undone now or after a restart.

    Args:
        workspace: Whose labels.
        change: What it did.
        what: What it was, in words.
    """
    with workspace.catalogue() as connection:
        remember(connection, change, what)


def offer_undo(workspace: Workspace, key: str, *, are_old_shown: bool = False) -> None:
    """Say what was labelled last, with buttons that take it back and do it again.

    Args:
        workspace: Whose labels.
        key: Key of the button.
        are_old_shown: Also acts of more than a day ago.
    """
    with workspace.catalogue() as connection:
        acts = read_acts(connection)
    if not (acts.done or acts.undone) or not (are_old_shown or _is_young(acts)):
        return
    if acts.done:
        st.text(plain(f"Last: {acts.done[-1].what}."))
    else:
        st.text(plain(f"Undone: {acts.undone[-1].what}."))
    with st.container(horizontal=True):
        if st.button(
            "Undo",
            key=key,
            icon=":material/undo:",
            disabled=not acts.done,
            help="Takes this act of labelling back; then the one before it can be undone.",
        ):
            _step(workspace, undo_last, "Undone")
        if acts.undone and st.button(
            "Redo",
            key=f"{key}_redo",
            icon=":material/redo:",
            help=f"Gives again what was undone: {plain(acts.undone[-1].what)}.",
        ):
            _step(workspace, redo_last, "Done again")


def _is_young(acts: Acts) -> bool:
    latest = max(act.at for act in (*acts.done[-1:], *acts.undone[-1:]))
    return datetime.now(UTC) - datetime.fromisoformat(latest) < OFFERED


def _step(workspace: Workspace, take: Callable[[Connection], str | None], what: str) -> None:
    with workspace.catalogue() as connection:
        try:
            told = take(connection)
        except LabelError:
            forget(connection)
            told, what = "its labels were changed by other means since", "Nothing to undo any more"
    if told is not None:
        state.notify(f"{what}: {told}.")
    st.rerun()


def noun(count: int, one: str, several: str = "") -> str:
    """Return the word for one thing or for several."""
    return one if count == 1 else several or f"{one}s"
