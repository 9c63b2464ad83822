"""What is shown before there is a graph: no data, or the busiest ports to start from."""

from functools import partial

import pandas as pd
import streamlit as st

from darkgnn_core.charts.graph_words import days_words, node_words
from darkgnn_core.graphs.growing import port_totals
from darkgnn_core.workspace import Workspace
from pages.shared import graph_loaders
from pages.shared.feedback import safe, show_table
from pages.shared.graph_start import start_at
from pages.shared.graph_view import read_range
from pages.shared.navigation import page

PORTS = 15


def show_no_days() -> None:
    """Say that there is no day yet, and the way to the data."""
    st.info("There are no days to look at yet: load traffic first.", icon=":material/upload:")
    st.page_link(
        page("load_data.py"),
        label="Go to Load data",
        help="The graph is drawn from snapshots, which are made when traffic is loaded.",
    )


def show_ways_in(workspace: Workspace, days: tuple[str, ...]) -> None:
    """Show the busiest ports, each one click from its graph."""
    if not read_range(workspace, days):
        return
    found = port_totals(graph_loaders.pairs_of(workspace, days))
    told = [(node, *counts) for node, counts in found.items() if node.key >= 0]
    busiest = sorted(told, key=lambda row: (-row[2], -row[1], row[0]))[:PORTS]
    st.subheader("Ports that most hosts asked for")
    if not busiest:
        st.text("None.")
        return
    st.caption(safe(f"{days_words(days)}. Choose a row to start from its port."))
    table = pd.DataFrame(
        {
            "port": [node_words(node) for node, _, _ in busiest],
            "hosts": [hosts for _, _, hosts in busiest],
            "packets": [packets for _, packets, _ in busiest],
        }
    )
    chosen = tuple(f"port {node.key}" for node, _, _ in busiest)
    show_table(table, "graph_ways_in", on_select=partial(_take, chosen))


def _take(starts: tuple[str, ...]) -> None:
    rows = st.session_state["graph_ways_in"]["selection"]["rows"]
    if rows and rows[0] < len(starts):
        start_at(starts[rows[0]])
