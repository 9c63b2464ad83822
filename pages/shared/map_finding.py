"""Search on the map: what is typed or pasted lights up, and may become the selection."""

import numpy as np
import numpy.typing as npt
import streamlit as st

from darkgnn_core.maps.searching import Found, pasted, search
from darkgnn_core.workspace import Workspace
from pages.shared import map_loaders as loaded
from pages.shared import map_state
from pages.shared.feedback import plain, safe
from pages.shared.label_undo import noun
from pages.shared.map_views import MapView

TEXT, LIST = "map_search", "map_list"
LIST_CHARACTERS = 200_000
BAD_SHOWN = 5


def ask_search() -> None:
    """Ask what to look for."""
    st.text_input(
        "Search",
        key=TEXT,
        placeholder="address, prefix, label, port",
        icon=":material/search:",
        help="An address, a prefix (192.0.2.0/24 or 192.0.2.), a part of a label, or a port. What "
        "is found lights up on the map.",
    )


def ask_list() -> None:
    """Ask for a list of addresses."""
    with st.popover(
        "Paste a list",
        icon=":material/content_paste:",
        width="stretch",
        help="Lights up many hosts at once, such as those of a report.",
    ):
        st.text_area(
            "Addresses and prefixes, one a line or separated by commas",
            key=LIST,
            max_chars=LIST_CHARACTERS,
            height=160,
            help="IPv4 only. Those that are not on this day's map are counted, not shown.",
        )


def found_on(workspace: Workspace, view: MapView) -> npt.NDArray[np.bool_]:
    """Say which hosts of a map's day are found, bool (n,), without a word."""
    found = np.zeros(len(view.all_hosts), bool)
    for each in _searches(workspace, view):
        found |= each.mask
    return found


def tell_found(workspace: Workspace, view: MapView) -> None:
    """Say what was found on a map, and offer to select it."""
    for place, each in enumerate(_searches(workspace, view)):
        shown = int((each.mask & view.shown).sum())
        left, middle, right = st.columns([6, 1, 1], vertical_alignment="center")
        with left:
            lit = f"{shown:,} {noun(shown, 'host')} lit up"
            st.text(plain(f"{lit}: {each.words}{_left_out(each, view)}"))
        how = {"kind": "query", "words": each.words, "day": view.day}
        hosts = view.all_hosts[each.mask & view.shown]
        if middle.button(
            "Select",
            key=f"map_found_{place}",
            disabled=not shown,
            help="Selects the lit hosts instead of those selected now.",
        ):
            map_state.select(workspace, hosts, how)
            st.rerun(scope="app")
        if right.button(
            "Add",
            key=f"map_found_add_{place}",
            disabled=not shown,
            help="Adds the lit hosts to those selected now.",
        ):
            map_state.select(workspace, np.union1d(map_state.selection(workspace), hosts), how)
            st.rerun(scope="app")
        if each.hint:
            st.info(safe(each.hint), icon=":material/lightbulb:")
        if each.bad:
            named = ", ".join(each.bad[:BAD_SHOWN])
            are = noun(len(each.bad), "entry is", "entries are")
            st.warning(f"{len(each.bad):,} {safe(are)} no IPv4 address: {safe(named)}")


def _left_out(found: Found, view: MapView) -> str:
    hidden = int((found.mask & ~view.shown).sum())
    parts = [f"{hidden:,} {noun(hidden, 'is', 'are')} hidden"] if hidden else []
    if found.missing:
        are = noun(found.missing, "address is", "addresses are")
        parts.append(f"{found.missing:,} {are} not on this day's map")
    return f" ({'; '.join(parts)})" if parts else ""


def _searches(workspace: Workspace, view: MapView) -> list[Found]:
    typed = str(st.session_state.get(TEXT) or "")
    listed = str(st.session_state.get(LIST) or "")
    found = []
    if typed.strip():
        told = loaded.labels(workspace, view.run, view.day)
        facts = loaded.facts(workspace, view.run, view.day)
        found.append(search(typed, facts, told.names, told.codes))
    if listed.strip():
        found.append(pasted(listed, view.all_hosts))
    return [each for each in found if each is not None]
