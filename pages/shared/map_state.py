"""The hosts selected on the map: as bytes in the session, kept in the workspace against a reload.

Another current set (from the sidebar, or a page that showed its hosts on the map) becomes the
selection; drawing on the map does not change the current set until it is kept as one.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from darkgnn_core.maps.drafts import keep_draft, read_draft
from darkgnn_core.workspace import Workspace
from pages.shared import state
from pages.shared.set_links import current_set

HOSTS, RECIPE, SEEN_SET, SEEN_EVENTS = "map_hosts", "map_recipe", "map_seen_set", "map_events"
PLACE = "map_place"
BEFORE = "map_before"
MOST_BEFORE = 20
NOTHING: dict[str, Any] = {"kind": "chosen"}

Hosts = npt.NDArray[np.uint32]


def selection(workspace: Workspace) -> Hosts:
    """Return the selected hosts, uint32 (n,), ascending; also those that are not on the map."""
    _begin(workspace)
    return np.frombuffer(st.session_state[HOSTS], np.uint32)


def recipe() -> dict[str, Any]:
    """Return how the selection came about (`set_recipes`)."""
    found: dict[str, Any] = st.session_state.get(RECIPE, NOTHING)
    return found


def select(workspace: Workspace, hosts: Hosts, how: Mapping[str, Any]) -> None:
    """Make these hosts the selection; the one before can be had back."""
    _begin(workspace)
    before = st.session_state[BEFORE]
    before.append((st.session_state[HOSTS], st.session_state[RECIPE]))
    del before[:-MOST_BEFORE]
    _set(np.unique(hosts).astype(np.uint32), how)
    keep_draft(workspace, np.frombuffer(st.session_state[HOSTS], np.uint32), dict(how))


def can_go_back() -> bool:
    """Whether there is a selection before this one."""
    return bool(st.session_state.get(BEFORE))


def go_back(workspace: Workspace) -> None:
    """Return to the selection before this one."""
    if can_go_back():
        hosts, how = st.session_state[BEFORE].pop()
        st.session_state[HOSTS], st.session_state[RECIPE] = hosts, how
        keep_draft(workspace, np.frombuffer(hosts, np.uint32), how)


def is_new_event(key: str, event: Mapping[str, Any]) -> bool:
    """Whether what a map reports was not seen before; it is, from now on."""
    seen = st.session_state.setdefault(SEEN_EVENTS, {})
    number = event.get("id")
    if number is None or seen.get(key) == number:
        return False
    seen[key] = number
    return True


def _begin(workspace: Workspace) -> None:
    """Start with the current set or, after a reload, with what was selected last."""
    now = state.set_in_view()
    place = str(workspace.root)
    if st.session_state.get(PLACE) != place:
        for key in (HOSTS, RECIPE, BEFORE, SEEN_SET):
            st.session_state.pop(key, None)
        st.session_state[PLACE] = place
    is_first = HOSTS not in st.session_state
    if is_first:
        st.session_state[BEFORE] = []
        _set(np.empty(0, np.uint32), NOTHING)
    if is_first or st.session_state.get(SEEN_SET) != now:
        st.session_state[SEEN_SET] = now
        _follow(workspace, is_first=is_first)


def _follow(workspace: Workspace, *, is_first: bool) -> None:
    current = current_set(workspace)
    draft = read_draft(workspace) if is_first else None
    if current is not None and (draft is None or current.created_at >= draft.made_at):
        _set(current.hosts, current.recipe)
    elif draft is not None:
        _set(draft.hosts, draft.recipe)


def _set(hosts: Hosts, how: Mapping[str, Any]) -> None:
    st.session_state[HOSTS] = np.ascontiguousarray(hosts, np.uint32).tobytes()
    st.session_state[RECIPE] = dict(how)
