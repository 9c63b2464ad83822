"""The current set in the sidebar: what it is, undo and redo, and the way to its hosts."""

import streamlit as st

from darkgnn_core.host_sets import HostSet
from darkgnn_core.workspace import Workspace
from pages.shared import context, state
from pages.shared.feedback import plain
from pages.shared.label_undo import noun
from pages.shared.set_links import current_set
from pages.shared.set_trail import follow_trail, go_to, steps_around


def show_current_set(workspace: Workspace) -> None:
    """Show name, size and recipe of the current set, if there is or was one."""
    follow_trail(workspace)
    back, on = steps_around(workspace)
    found = current_set(workspace)
    if found is None and state.set_in_view() is None and back is None and on is None:
        return
    with st.container(gap="xsmall"):
        st.caption("Current set")
        st.text(_told(found))
        _show_steps(back, on)
        if found is not None and st.button(
            "Its hosts, and other sets",
            key="set_open",
            icon=":material/folder_special:",
            help="Opens the page Cases, where sets are renamed, compared and deleted.",
        ):
            context.open_cases()


def _told(found: HostSet | None) -> str:
    if found is None:
        none = state.set_in_view() is None
        return "None" if none else "The set of this link is not in this workspace, or was deleted."
    words = f"{found.words}. " if found.words != found.name else ""
    return plain(f"{found.name}: {words}{len(found.hosts):,} {noun(len(found.hosts), 'host')}")


def _show_steps(back: int | None, on: int | None) -> None:
    with st.container(horizontal=True, gap="xsmall"):
        _step("Undo", "Make the set before this one the current one again.", back)
        _step("Redo", "Take the undo back.", on)
        st.button(
            "Clear",
            key="set_clear",
            disabled=state.set_in_view() is None,
            help="No set is current then; this one stays under Cases.",
            on_click=state.set_set_in_view,
            args=(None,),
        )


def _step(title: str, explanation: str, place: int | None) -> None:
    st.button(
        title,
        key=f"set_{title.lower()}",
        disabled=place is None,
        help=explanation,
        on_click=go_to,
        args=(place,),
    )
