"""The drawing with its buttons, and what was left out of it."""

from functools import partial

import streamlit as st

from darkgnn_core.charts.graph_charts import height_of
from darkgnn_core.charts.graph_packing import pack_graph
from darkgnn_core.charts.graph_tables import label_looks
from darkgnn_core.charts.graph_words import (
    EITHER,
    change_words,
    count_words,
    cut_words,
    days_words,
)
from darkgnn_core.workspace import Workspace
from pages.components.host_graph import show_graph
from pages.shared import graph_state
from pages.shared.feedback import plain, safe
from pages.shared.graph_events import CANVAS
from pages.shared.graph_hidden import offer_hidden
from pages.shared.graph_view import GraphView

HINT = (
    "Click a node to select it, with Shift several; drag it to move and pin it; double click shows "
    "more of its neighbours. Drag beside nodes to move the whole, with Shift to select in a box. "
    "Wheel or + and - zoom, arrow keys move, with Shift what is selected; 0 shows all. Lines are "
    "wider, and nodes larger, by the order of magnitude of their packets."
)


def show_told(view: GraphView) -> None:
    """Say what is drawn, and everything that was left out."""
    shown = view.answer.shown
    hosts = int((shown.nodes["kind"] == "host").sum())
    count = count_words(hosts, len(shown.nodes) - hosts, len(shown.edges))
    compared = view.question.compared
    either, against = (EITHER, f" and {compared}") if compared else ("", "")
    said = [f"{count}{either}; {days_words(view.days)}{against}."]
    said += [cut_words(cut, is_compared=bool(compared)) for cut in shown.cuts]
    there, asked = view.answer.seeds
    if there < asked:
        said.append(f"{asked - there:,} of {asked:,} of the start not there{either}.")
    if shown.filtered:
        said.append(f"{shown.filtered:,} of the start left out by the filters.")
    if view.answer.known:
        said.append(f"{view.answer.known:,} hosts of known scanners hidden.")
    if compared:
        said.append(change_words(view.answer.changes, compared))
    if view.question.doings.hidden:
        said.append(f"{len(view.question.doings.hidden):,} hidden by you.")
    st.caption(safe(" ".join(said)))


def show_nothing(view: GraphView) -> None:
    """Say why nothing is drawn, and the way on."""
    there, asked = view.answer.seeds
    days = days_words(view.days)
    if view.question.compared:
        days += f" or {view.question.compared}"
    if not there:
        st.info(
            f"Nothing of the start sent or got a packet on {safe(days)}. Choose "
            "another day or a range in the sidebar.",
            icon=":material/event_busy:",
        )
        return
    st.info(
        f"{there:,} of {asked:,} of the start are there, but nothing passes the filters. Look at "
        "Limits and filters, at the switch for known scanners, or undo what you hid.",
        icon=":material/filter_alt_off:",
    )


def show_buttons(workspace: Workspace) -> None:
    """Show undo, redo, a new layout and a new start in one row."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Undo",
            key="graph_undo",
            icon=":material/undo:",
            disabled=not graph_state.can_go(-1),
            on_click=partial(graph_state.go, workspace, -1),
            help="Take back the last expanding, collapsing, hiding or pinning.",
        )
        st.button(
            "Redo",
            key="graph_redo",
            icon=":material/redo:",
            disabled=not graph_state.can_go(1),
            on_click=partial(graph_state.go, workspace, 1),
            help="Do again what Undo took back; a new step makes this impossible.",
        )
        st.button(
            "Lay out anew",
            key="graph_anew",
            icon=":material/scatter_plot:",
            on_click=partial(graph_state.forget_places, workspace),
            help="All nodes may move; pinned ones stay.",
        )
        done = graph_state.doings()
        st.button(
            "Start over",
            key="graph_over",
            icon=":material/restart_alt:",
            disabled=not (done.expanded or done.hidden or done.pinned),
            on_click=partial(graph_state.start_over, workspace),
            help="Forget what was expanded, hidden and pinned; Undo brings it back.",
        )
        offer_hidden(workspace)


def show_canvas(view: GraphView) -> None:
    """Show the drawing; what is done in it comes back as an event (`graph_events`)."""
    layout = view.choice.layout
    head = {
        "frame": f"{view.start.id} {layout}",
        "layout": layout,
        "height": height_of(view.places.values(), layout),
        "words": "Graph of hosts and ports; the tables below hold the same nodes and edges.",
        "hint": HINT,
    }
    drawing = pack_graph(
        view.rows,
        view.edges,
        view.places,
        label_looks(view.rows, view.answer.names),
        head,
        selected=[node.id for node in view.selected],
        names=view.choice.names,
        clean=plain,
    )
    show_graph(drawing, key=CANVAS)
