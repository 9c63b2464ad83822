"""What the analyst did to the graph: steps that can be undone, places, what is selected.

Plain values in the session, kept in the workspace after each change: a reload loses nothing.
"""

from dataclasses import replace
from typing import Any

import streamlit as st

from darkgnn_core.errors import ConfigError
from darkgnn_core.graphs.keeping import keep_graph, kept_graph
from darkgnn_core.graphs.layouts import Layout, Places
from darkgnn_core.graphs.limits import Doings, Limits
from darkgnn_core.graphs.nodes import Node, node_of
from darkgnn_core.workspace import Workspace

GRAPH = "graph_steps"
SELECTED = "graph_selected"
MOST_STEPS = 50
NOTHING: dict[str, list[str]] = {"expanded": [], "hidden": [], "pinned": []}


def open_graph_of(workspace: Workspace, start: str) -> None:
    """Have the steps of this start at hand: those of the session, those kept, or none yet.

    Args:
        workspace: Where they are kept.
        start: What the graph is around, as `graph_start.Start.id`.
    """
    identity = [str(workspace.root), start]
    held = st.session_state.get(GRAPH)
    if held is not None and held["of"] == identity:
        return
    kept = kept_graph(workspace) if held is None else None
    if kept is None or kept.get("of") != identity:
        kept = {"of": identity, "steps": [NOTHING], "at": 0, "places": {}}
    st.session_state[GRAPH] = kept
    st.session_state[SELECTED] = []


def doings() -> Doings:
    """Return what was done to the graph so far."""
    held = _held()
    step = held["steps"][held["at"]]
    return Doings(*(_nodes(step.get(name, [])) for name in ("expanded", "hidden", "pinned")))


def do(workspace: Workspace, change: Doings) -> None:
    """Take a step: the graph is as `change` says; what was undone before is forgotten."""
    held = _held()
    step = {name: [node.id for node in getattr(change, name)] for name in NOTHING}
    steps = [*held["steps"][: held["at"] + 1], step][-MOST_STEPS:]
    _hold(workspace, held | {"steps": steps, "at": len(steps) - 1})


def can_go(by: int) -> bool:
    """Say whether there is a step back (-1) or forward (1)."""
    held = _held()
    return bool(0 <= held["at"] + by < len(held["steps"]))


def go(workspace: Workspace, by: int) -> None:
    """Go a step back or forward; what was dragged goes back, too."""
    held = _held()
    if not can_go(by):
        return
    step = held["steps"][held["at"] if by < 0 else held["at"] + by]
    _hold(workspace, held | {"at": held["at"] + by, "places": _with_moved(held, step, by)})


def _with_moved(held: dict[str, Any], step: dict[str, Any], by: int) -> dict[str, Any]:
    """Return the places with those before a step, or those after it."""
    found = dict(held["places"])
    for layout, moved in step.get("moved", {}).items():
        found[layout] = found.get(layout, {}) | {
            name: both[0 if by < 0 else 1] for name, both in moved.items()
        }
    return found


def move(workspace: Workspace, layout: Layout, moved: Places) -> None:
    """Put nodes where they were dropped, and pin them there; a step that can be taken back."""
    done, before = doings(), places(layout)
    nodes = [node for node in _nodes(list(moved)) if node.id in before]
    if not nodes:
        return
    pinned = (*done.pinned, *(node for node in nodes if node not in done.pinned))
    do(workspace, replace(done, pinned=pinned))
    after = {node.id: [round(each, 5) for each in moved[node.id]] for node in nodes}
    both = {name: [list(before[name]), place] for name, place in after.items()}
    held = _held()
    steps = [*held["steps"][:-1], held["steps"][-1] | {"moved": {layout: both}}]
    kept = held["places"] | {layout: held["places"].get(layout, {}) | after}
    _hold(workspace, held | {"steps": steps, "places": kept})


def start_over(workspace: Workspace) -> None:
    """Take a step to a graph to which nothing was done."""
    do(workspace, Doings())


def follow_limits(workspace: Workspace, limits: Limits) -> None:
    """Have everything laid out anew once the limits are others; a click that expands is not."""
    held, now = _held(), str(limits)
    if held.get("limits") not in (None, now):
        forget_places(workspace)
        held = _held()
    if held.get("limits") != now:
        st.session_state[GRAPH] = held | {"limits": now}


def places(layout: Layout) -> Places:
    """Return the places that nodes have in a layout."""
    held: dict[str, list[float]] = _held()["places"].get(layout, {})
    return {name: (float(place[0]), float(place[1])) for name, place in held.items()}


def keep_places(workspace: Workspace, layout: Layout, found: Places) -> None:
    """Keep places; nodes that are not drawn now keep theirs, for when they come back."""
    held = _held()
    old = held["places"].get(layout, {})
    new = {name: [round(x, 5), round(y, 5)] for name, (x, y) in found.items()}
    _hold(workspace, held | {"places": held["places"] | {layout: old | new}})


def forget_places(workspace: Workspace) -> None:
    """Have everything laid out anew, but for what is pinned."""
    pinned = {node.id for node in doings().pinned}
    held = _held()
    kept = {
        layout: {name: place for name, place in found.items() if name in pinned}
        for layout, found in held["places"].items()
    }
    _hold(workspace, held | {"places": kept})


def selected() -> list[Node]:
    """Return the nodes that are selected, in the order of the clicks."""
    return list(_nodes(st.session_state.get(SELECTED, [])))


def select(ids: list[str]) -> None:
    """Select nodes."""
    st.session_state[SELECTED] = list(dict.fromkeys(ids))


def _held() -> dict[str, Any]:
    held: dict[str, Any] = st.session_state[GRAPH]
    return held


def _hold(workspace: Workspace, value: dict[str, Any]) -> None:
    st.session_state[GRAPH] = value
    keep_graph(workspace, value)


def _nodes(ids: list[str]) -> tuple[Node, ...]:
    """Return nodes by id; what is none is passed over, it may come from a browser."""
    found = []
    for each in ids:
        try:
            found.append(node_of(each))
        except ConfigError:
            continue
    return tuple(found)
