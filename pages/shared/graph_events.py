"""What an analyst did in the drawing of the graph: selected, dragged, expanded."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from darkgnn_core.errors import ConfigError
from darkgnn_core.graphs.layouts import LAYOUTS, Layout, Places
from darkgnn_core.graphs.nodes import node_of
from darkgnn_core.workspace import Workspace
from pages.shared import graph_state
from pages.shared.map_state import is_new_event

CANVAS = "graph_canvas"


def take_event(workspace: Workspace, frame: str) -> None:
    """Do what was asked in the drawing, once.

    Args:
        workspace: Where the steps are kept.
        frame: Id of the start it must be of; what was done in another drawing is dropped.

    Raises:
        ConfigError: `GRAPH-PLACES` where a node was dropped at no place, `NODE` on no node.
    """
    value = st.session_state.get(CANVAS)
    event = value.get("event") if isinstance(value, Mapping) else None
    if not isinstance(event, Mapping) or not is_new_event(CANVAS, event):
        return
    if event.get("frame") not in [f"{frame} {layout}" for layout in LAYOUTS]:
        return
    kind = event.get("kind")
    if kind == "select":
        graph_state.select([str(each) for each in event.get("ids") or []])
    elif kind == "move":
        layout, places = _dropped(event)
        graph_state.move(workspace, layout, places)
    elif kind == "expand":
        _expand(workspace, event)


def _dropped(event: Mapping[str, Any]) -> tuple[Layout, Places]:
    """Return the layout in which nodes were dropped, and where."""
    layout = next((each for each in LAYOUTS if each == event.get("layout")), None)
    told = event.get("places")
    try:
        places = {str(name): (float(at[0]), float(at[1])) for name, at in dict(told or {}).items()}
    except (TypeError, ValueError, IndexError) as error:
        raise ConfigError("A place is a pair of numbers.", code="GRAPH-PLACES") from error
    if layout is None or not all(math.isfinite(each) for at in places.values() for each in at):
        raise ConfigError("A node is dropped at a finite place.", code="GRAPH-PLACES")
    return layout, places


def _expand(workspace: Workspace, event: Mapping[str, Any]) -> None:
    """Show more neighbours of a node that was double-clicked."""
    node, done = node_of(event.get("node")), graph_state.doings()
    graph_state.select([node.id])
    graph_state.do(workspace, replace(done, expanded=(*done.expanded, node)))
