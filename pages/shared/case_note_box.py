"""Notes on one host, set, port or day, wherever it is shown: read, write, change, take back."""

import streamlit as st

from darkgnn_core.notes import (
    TEXT_CHARACTERS,
    Note,
    NoteKind,
    add_note,
    change_note,
    notes_on,
    withdraw_note,
)
from darkgnn_core.workspace import Workspace
from pages.shared import context, state
from pages.shared.safe_logs import visible

TURN = "note_turn"


def offer_notes(workspace: Workspace, kind: NoteKind, subject: str, key: str) -> None:
    """Show the notes on one thing, open where there are any, and a form for another.

    Args:
        workspace: Where they are kept.
        kind: `host`, `set`, `port` or `day`.
        subject: Which one: address, id of the set, port number, or key of the bin.
        key: Start of the keys of the widgets.
    """
    notes = notes_on(workspace, kind, subject)
    with st.expander(
        f"Notes ({len(notes):,})", icon=":material/sticky_note_2:", expanded=bool(notes)
    ):
        for note in notes:
            show_note(workspace, note, key)
        ask_note(workspace, kind, subject, key)


def show_note(workspace: Workspace, note: Note, key: str) -> None:
    """Show one note with its time, and ways to change it or take it back."""
    with st.container(border=True):
        st.text(_shown(note.text))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(f"{note.added_at[:16].replace('T', ' ')} UTC")
            with st.popover(
                "Change",
                icon=":material/edit:",
                help="Opens the text to change; the note before stays in the history.",
            ):
                text = st.text_area(
                    "Note",
                    value=note.text,
                    key=f"{key}_change_{note.id}",
                    max_chars=TEXT_CHARACTERS,
                    help="Plain text; lines stay as you break them.",
                )
                if st.button(
                    "Save",
                    key=f"{key}_save_{note.id}",
                    disabled=not text.strip(),
                    help="This text replaces the note; the one before can be brought back.",
                ):
                    change_note(workspace, note.id, text)
                    state.notify("The note was changed; the one before is under Cases, Notes.")
                    st.rerun()
            if st.button(
                "Take back",
                key=f"{key}_drop_{note.id}",
                icon=":material/delete:",
                help="The note is no longer shown; it can be brought back under Cases, Notes.",
            ):
                withdraw_note(workspace, note.id)
                state.notify("The note was taken back; bring it back under Cases, Notes.")
                st.rerun()


def ask_note(workspace: Workspace, kind: NoteKind, subject: str, key: str) -> None:
    """Ask for a new note; day and run in view are kept with it."""
    turn = st.session_state.get(f"{key}_{TURN}", 0)
    text = st.text_area(
        "New note",
        key=f"{key}_new_{turn}",
        max_chars=TEXT_CHARACTERS,
        placeholder="What you saw, asked or decided",
        help="Plain text. The day and the run in view are kept with it.",
    )
    if st.button(
        "Write it down",
        key=f"{key}_add",
        icon=":material/add:",
        disabled=not text.strip(),
        help="Keeps the note with the time; it can be changed or taken back.",
    ):
        run_id = context.run_shown(workspace)
        add_note(workspace, kind, subject, text, day=state.day(), run_id=run_id)
        st.session_state[f"{key}_{TURN}"] = turn + 1
        state.notify("The note is kept.")
        st.rerun()


def _shown(text: str) -> str:
    """Return a note for showing as text: its lines stay, what cannot be seen is replaced."""
    return "\n".join(visible(line) for line in text.split("\n"))
