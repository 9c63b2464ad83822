"""What was asked for on the map, kept while one is on other pages.

Streamlit forgets the value of a widget that a page does not draw. So the values are held under a
key that is no widget's, and put back before the widgets are drawn again; those that stand in the
address come from there.
"""

from typing import Any

import streamlit as st

from darkgnn_core.workspace import Workspace
from pages.shared import map_colouring, map_compare, map_finding, map_table, map_trails, map_views

KEPT = "map_kept"
WIDGETS = (
    map_views.METHOD,
    map_finding.TEXT,
    map_finding.LIST,
    map_compare.BESIDE,
    map_compare.DAY,
    map_compare.RUN,
    map_colouring.COLOUR,
    map_colouring.FEATURE,
    map_table.WHICH,
    map_trails.WANTED,
)


def put_back(workspace: Workspace) -> None:
    """Give the widgets what they had when they were drawn last, before they are drawn again."""
    for key, value in _held(workspace).items():
        if key not in st.session_state and key not in st.query_params:
            st.session_state[key] = value


def hold(workspace: Workspace) -> None:
    """Hold what the widgets have now; call it once they are drawn."""
    now = {key: st.session_state[key] for key in WIDGETS if key in st.session_state}
    st.session_state[KEPT] = {"place": str(workspace.root), "values": _held(workspace) | now}


def _held(workspace: Workspace) -> dict[str, Any]:
    """Return what is held of this workspace, by key of the widget."""
    held = st.session_state.get(KEPT, {})
    values: dict[str, Any] = held.get("values", {})
    return values if held.get("place") == str(workspace.root) else {}
