"""One row of buttons for any set of hosts, wherever it is shown; and the current set."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from darkgnn_core.errors import WorkspaceError
from darkgnn_core.host_sets import HostSet, find_same, find_set, save_set
from darkgnn_core.workspace import Workspace
from pages.shared import context, state
from pages.shared.label_dialog import offer_labelling
from pages.shared.set_export import offer_csv

Hosts = npt.NDArray[np.uint32]


def current_set(workspace: Workspace) -> HostSet | None:
    """Return the current set; None where there is none, or it is not in this workspace."""
    set_id = state.set_in_view()
    if set_id is None:
        return None
    try:
        return find_set(workspace, set_id)
    except WorkspaceError as error:
        if error.code != "NO-SET":
            raise
        return None


def offer_set(
    workspace: Workspace,
    hosts: Hosts,
    *,
    recipe: Mapping[str, Any],
    key: str,
    name: str = "",
    is_current: bool = False,
    shortcut: str | None = None,
) -> None:
    """Show a row of buttons: keep as current set, map, graph, label, export.

    Map and graph keep the hosts as the current set first, so that it travels along.

    Args:
        workspace: Where the set is kept.
        hosts: uint32 (n,), addresses.
        recipe: How they came about (`darkgnn_core.set_recipes`).
        key: Start of the keys of the buttons.
        name: What to call the set; empty for the recipe in words.
        is_current: Whether it is the current set already, so that there is nothing to keep.
        shortcut: Key that labels them, such as `L`; at most one row of a page may have it.
    """
    none = len(hosts) == 0
    with st.container(horizontal=True, vertical_alignment="center"):
        kept = not is_current and st.button(
            "Keep as current set",
            key=f"{key}_keep",
            icon=":material/bookmark_add:",
            disabled=none,
            help="The current set stands in the sidebar and goes with you from page to page.",
        )
        on_map = st.button(
            "Map",
            key=f"{key}_map",
            icon=":material/scatter_plot:",
            disabled=none,
            help="Opens the map with these hosts lit up; they become the current set.",
        )
        in_graph = st.button(
            "Graph",
            key=f"{key}_graph",
            icon=":material/hub:",
            disabled=none,
            help="Opens the graph of these hosts and their ports; they become the current set.",
        )
        offer_labelling(workspace, hosts, key, shortcut=shortcut)
        offer_csv(workspace, hosts, key)
    if (kept or on_map or in_graph) and not is_current:
        _make_current(workspace, hosts, recipe, name)
    if on_map and is_current:
        state.set_set_in_view(state.set_in_view())  # chosen anew: the map shows it, not a draft
    if on_map:
        context.open_map()
    if in_graph:
        context.open_graph()
    if kept:
        st.rerun()


def _make_current(workspace: Workspace, hosts: Hosts, recipe: Mapping[str, Any], name: str) -> None:
    """Make these hosts the current set; the same hosts by the same recipe are not kept twice."""
    found = find_same(workspace, hosts, recipe)
    if found is None or (name and name != found.name):
        run_id = context.run_shown(workspace)
        found = save_set(workspace, hosts, recipe=recipe, name=name, day=state.day(), run_id=run_id)
    state.set_set_in_view(found.id)
