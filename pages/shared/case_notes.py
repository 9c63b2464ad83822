"""All notes: what was written on hosts, sets, ports and days, and what was changed since."""

import streamlit as st

from darkgnn_core.charts.case_tables import note_table, subject_words
from darkgnn_core.host_sets import HostSet, list_sets
from darkgnn_core.notes import NoteKind, list_notes, restore_note
from darkgnn_core.workspace import Workspace
from pages.shared import context, loaders, state
from pages.shared.case_note_box import ask_note, show_note
from pages.shared.feedback import plain, show_table

KINDS: dict[NoteKind, str] = {"host": "Host", "set": "Set", "port": "Port", "day": "Day"}
EVERYTHING = "Everything"
SHOWN = 50
HISTORY = 1_000


def show_notes(workspace: Workspace) -> None:
    """Show the notes that stand, a form for a new one, and the history."""
    sets = list_sets(workspace)
    names = {each.id: each.name for each in sets}
    _ask_new(workspace, sets)
    chosen = st.segmented_control(
        "Notes on", [EVERYTHING, *KINDS.values()], default=EVERYTHING, key="case_notes_kind",
        required=True, help="Which notes are listed below; the history always has all.",
    )  # fmt: skip
    kind = next((name for name, title in KINDS.items() if title == chosen), None)
    notes = list_notes(workspace, kind=kind, limit=HISTORY)
    if not notes:
        st.info("No note is written here yet.", icon=":material/sticky_note_2:")
    elif len(notes) > SHOWN:
        st.caption(f"Showing the latest {SHOWN:,} of {len(notes):,}; all are in the history.")
    for note in notes[:SHOWN]:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(plain(subject_words(note, names)))
            if note.kind == "host" and st.button(
                "Open host",
                key=f"case_note_host_{note.id}",
                icon=":material/frame_inspect:",
                help="Goes to its page, Inspect host, where this note stands, too.",
            ):
                context.open_host(note.subject)
        show_note(workspace, note, "case_note")
    _show_history(workspace, names)


def _ask_new(workspace: Workspace, sets: list[HostSet]) -> None:
    with st.expander("Write a note", icon=":material/add_notes:"):
        kind = st.segmented_control(
            "What is it about?",
            list(KINDS),
            default="host",
            format_func=KINDS.__getitem__,
            key="case_note_kind",
            required=True,
            help="The note is shown wherever that host, set, port or day is looked at.",
        )
        subject = _ask_subject(workspace, kind or "host", sets)
        if subject:
            ask_note(workspace, kind or "host", subject, f"case_note_{kind}")


def _ask_subject(workspace: Workspace, kind: NoteKind, sets: list[HostSet]) -> str:
    if kind == "host":
        return st.text_input(
            "Address",
            value=state.host_in_view() or "",
            key="case_note_address",
            placeholder="such as 192.0.2.7",
            help="One IPv4 address; at first that of the host you looked at last.",
        ).strip()
    if kind == "port":
        port = st.number_input(
            "Port",
            0,
            65_535,
            value=None,
            step=1,
            key="case_note_port",
            help="The TCP port that packets were sent to.",
        )
        return "" if port is None else str(port)
    if kind == "day":
        days = loaders.bins(workspace)
        day = st.selectbox(
            "Day", days, key="case_note_day", help="Days with a snapshot, the latest first, in UTC."
        )
        return str(day or "")
    if not sets:
        st.caption("There is no set yet.")
        return ""
    names = {each.id: each.name for each in sets}
    return str(
        st.selectbox(
            "Set",
            list(names),
            format_func=lambda each: plain(names[each]),
            key="case_note_set",
            help="The note is on the set, not on its hosts one by one.",
        )
    )


def _show_history(workspace: Workspace, names: dict[str, str]) -> None:
    every = list_notes(workspace, withdrawn=True, limit=HISTORY)
    gone = {note.id: note for note in every if note.withdrawn_at is not None}
    if not gone:
        return
    with st.expander("History, with what was changed or taken back", icon=":material/history:"):
        show_table(note_table(every, names), "case_notes_history")
        chosen = st.selectbox(
            "Bring back",
            list(gone),
            index=None,
            format_func=lambda each: plain(
                f"{subject_words(gone[each], names)}: {gone[each].text[:80]}"
            ),
            key="case_note_back",
            placeholder="Choose a note",
            help="Notes that were changed or taken back, the latest first.",
        )
        if (
            st.button(
                "Bring it back",
                key="case_note_restore",
                disabled=chosen is None,
                help="The note stands again as it was; what replaced it goes into the history.",
            )
            and chosen is not None
        ):
            restore_note(workspace, chosen)
            state.notify("The note stands again.")
            st.rerun()
