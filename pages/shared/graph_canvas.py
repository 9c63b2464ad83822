"""The drawing with its buttons, and what was left out of it."""

from functools import partial

import streamlit as st

from darkgnn_core.charts.graph_charts import DARK_INK, LIGHT_INK, PICK, graph_chart
from darkgnn_core.charts.graph_tables import drawn_edges, drawn_nodes, label_looks
from darkgnn_core.charts.graph_words import CHANGE_WORDS, count_words, cut_words, days_words
from darkgnn_core.graphs.difference import CHANGES
from darkgnn_core.workspace import Workspace
from pages.shared import graph_state
from pages.shared.feedback import safe
from pages.shared.graph_view import GraphView

CHART = "graph_chart"


def show_told(view: GraphView) -> None:
    """Say what is drawn, and everything that was left out."""
    shown = view.answer.shown
    hosts = int((shown.nodes["kind"] == "host").sum())
    count = count_words(hosts, len(shown.nodes) - hosts, len(shown.edges))
    said = [f"{count}; {days_words(view.days)}."]
    said += [cut_words(cut) for cut in shown.cuts]
    there, asked = view.answer.seeds
    if there < asked:
        said.append(f"{asked - there:,} of {asked:,} of the start not there.")
    if shown.filtered:
        said.append(f"{shown.filtered:,} of the start left out by the filters.")
    if view.answer.known:
        said.append(f"{view.answer.known:,} hosts of known scanners hidden.")
    if "change" in shown.edges:
        counts = shown.edges["change"].value_counts()
        told = ", ".join(f"{counts.get(each, 0):,} {CHANGE_WORDS[each]}" for each in CHANGES)
        said.append(f"Against {view.question.compared}: {told}.")
    if view.question.doings.hidden:
        said.append(f"{len(view.question.doings.hidden):,} hidden by you.")
    st.caption(safe(" ".join(said)))


def show_nothing(view: GraphView) -> None:
    """Say why nothing is drawn, and the way on."""
    there, asked = view.answer.seeds
    if not there:
        st.info(
            f"Nothing of the start sent or got a packet on {safe(days_words(view.days))}. Choose "
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


def show_canvas(view: GraphView) -> None:
    """Show the drawing; a click selects a node."""
    selected = [node.id for node in view.selected]
    nodes = drawn_nodes(view.rows, view.places, selected=selected, names=view.choice.names)
    edges = drawn_edges(view.edges, view.places, selected=set(selected))
    looks = label_looks(view.rows, view.answer.names)
    ink = LIGHT_INK if st.context.theme.type == "dark" else DARK_INK
    st.altair_chart(
        graph_chart(nodes, edges, looks, layout=view.choice.layout, ink=ink),
        width="stretch",
        key=CHART,
        on_select=_take_click,
        selection_mode=[PICK],
        alt="Graph of hosts and ports; the tables below hold the same nodes and edges",
    )
    st.caption(
        "Click a node to select it, Shift and click for several. Drag to move, Shift and wheel to "
        "zoom, double click for the whole. Lines are wider, and nodes larger, by the order of "
        "magnitude of their packets."
    )


def _take_click() -> None:
    picked = st.session_state[CHART]["selection"].get(PICK) or []
    graph_state.select([str(each.get("id", "")) for each in picked])
