"""The hosts selected on the map: as bytes in the session, kept in the workspace against a reload.

Whatever becomes the current set (by a link, under Cases, by undo or redo, by a button Map) becomes
the selection. What is drawn later stays until another set is chosen; drawing does not change the
current set until it is kept as one. A new session shows the set that its address names, so a link
shows everyone the same; what was drawn since is kept and offered.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from darkgnn_core.errors import WorkspaceError
from darkgnn_core.maps.drafts import Draft, keep_draft, leave_draft, read_draft
from darkgnn_core.workspace import Workspace
from pages.shared import state
from pages.shared.set_links import current_set

HOSTS, RECIPE, SEEN_SET, SEEN_EVENTS = "map_hosts", "map_recipe", "map_seen_set", "map_events"
PLACE = "map_place"
BEFORE = "map_before"
OFFERED = "map_draft_offered"
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
    _remember((st.session_state[HOSTS], st.session_state[RECIPE]))
    _set(np.unique(hosts).astype(np.uint32), how)
    _keep(workspace)


def can_go_back() -> bool:
    """Whether there is a selection before this one."""
    return bool(st.session_state.get(BEFORE))


def go_back(workspace: Workspace) -> None:
    """Return to the selection before this one."""
    if can_go_back():
        hosts, how = st.session_state[BEFORE].pop()
        st.session_state[HOSTS], st.session_state[RECIPE] = hosts, how
        _keep(workspace)


def offered_draft(workspace: Workspace) -> Draft | None:
    """Return hosts that were drawn in a session before and are not shown; None where none are."""
    _begin(workspace)
    return read_draft(workspace) if st.session_state.get(OFFERED) else None


def is_new_event(key: str, event: Mapping[str, Any]) -> bool:
    """Whether what a map reports was not seen before; it is, from now on."""
    seen = st.session_state.setdefault(SEEN_EVENTS, {})
    number = event.get("id")
    if number is None or seen.get(key) == number:
        return False
    seen[key] = number
    return True


def _begin(workspace: Workspace) -> None:
    """Start with the current set or, after a reload without one, with what was selected last."""
    now = state.set_in_view(), state.set_turn()
    place = str(workspace.root)
    if st.session_state.get(PLACE) != place:
        for key in (HOSTS, RECIPE, BEFORE, SEEN_SET, OFFERED):
            st.session_state.pop(key, None)
        st.session_state[PLACE] = place
    is_first = HOSTS not in st.session_state
    if not is_first and st.session_state.get(SEEN_SET) == now:
        return
    st.session_state[SEEN_SET] = now
    if is_first:
        st.session_state[BEFORE] = []
        _show_current(workspace)
        _find_draft(workspace)
        return
    held = st.session_state[HOSTS], st.session_state[RECIPE]
    _show_current(workspace)
    if held[0] != st.session_state[HOSTS]:
        _remember(held)
    with suppress(WorkspaceError):  # on a disk that is only read, nothing was kept
        _let_draft_go(workspace)


def _show_current(workspace: Workspace) -> None:
    """Make the current set the selection; where there is none, nothing is selected."""
    current = current_set(workspace)
    if current is None:
        _set(np.empty(0, np.uint32), NOTHING)
    else:
        _set(current.hosts, current.recipe)


def _find_draft(workspace: Workspace) -> None:
    """Show what was drawn before where no set is current; beside a set, offer what is newer."""
    draft, current = read_draft(workspace), current_set(workspace)
    if draft is None:
        return
    if state.set_in_view() is None and draft.comes_back:
        _set(draft.hosts, draft.recipe)
    elif draft.hosts.tobytes() != st.session_state[HOSTS]:
        st.session_state[OFFERED] = current is None or draft.made_at >= current.created_at


def _let_draft_go(workspace: Workspace) -> None:
    """A set became current: what was drawn waits to be asked for, unless it is that very set."""
    draft = read_draft(workspace)
    if draft is not None and draft.hosts.tobytes() == st.session_state[HOSTS]:
        keep_draft(workspace, np.empty(0, np.uint32), NOTHING)
    elif draft is not None:
        leave_draft(workspace)


def _remember(held: tuple[bytes, dict[str, Any]]) -> None:
    """Keep what was selected, hosts and recipe, so that one can go back to it."""
    before = st.session_state[BEFORE]
    before.append(held)
    del before[:-MOST_BEFORE]


def _keep(workspace: Workspace) -> None:
    """Keep the selection in the workspace, in place of what was drawn before."""
    st.session_state.pop(OFFERED, None)
    hosts, how = np.frombuffer(st.session_state[HOSTS], np.uint32), st.session_state[RECIPE]
    keep_draft(workspace, hosts, how, comes_back=state.set_in_view() is None)


def _set(hosts: Hosts, how: Mapping[str, Any]) -> None:
    st.session_state[HOSTS] = np.ascontiguousarray(hosts, np.uint32).tobytes()
    st.session_state[RECIPE] = dict(how)
