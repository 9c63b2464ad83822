"""Explore graph: who meets whom at which port, node by node; compared, grouped, handed on."""

import streamlit as st

from pages.shared import loaders
from pages.shared.graph_canvas import show_buttons, show_canvas, show_nothing, show_told
from pages.shared.graph_groups import show_central, show_groups
from pages.shared.graph_lists import show_edges, show_everything, show_export, show_nodes
from pages.shared.graph_panel import show_panel
from pages.shared.graph_ports import show_port
from pages.shared.graph_start import choose_start
from pages.shared.graph_view import days_in_view, view_of
from pages.shared.graph_ways_in import show_no_days, show_ways_in

SECTIONS = {
    "Nodes": show_nodes,
    "Edges": show_edges,
    "Everything": show_everything,
    "Port": show_port,
    "Central nodes": show_central,
    "Groups": show_groups,
    "Export": show_export,
}

st.title("Explore graph")
workspace = loaders.workspace_in_use()
days = days_in_view(workspace)
if not days:
    show_no_days()
    st.stop()
start = choose_start(workspace)
if start is None:
    show_ways_in(workspace, days)
    st.stop()
view = view_of(workspace, start, days)
if view is None:
    st.stop()
show_buttons(workspace)
show_told(view)
if view.rows.empty:
    show_nothing(view)
    st.stop()
drawing, panel = st.columns([2, 1])
with drawing:
    show_canvas(view)
with panel:
    show_panel(view)
section = st.segmented_control(
    "What would you like to see?",
    list(SECTIONS),
    default="Nodes",
    key="graph_section",
    required=True,
    bind="query-params",
    help="Nodes and Edges list what is drawn, Everything also what the limits cut. Port, Central "
    "nodes and Groups look closer; Export saves what is drawn.",
)
SECTIONS[section or "Nodes"](view)
