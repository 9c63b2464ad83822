"""How much of a graph is drawn, which hosts and edges count, how it is laid out and compared."""

from dataclasses import dataclass

import streamlit as st

from darkgnn_core.charts.graph_tables import MOST_NAMED
from darkgnn_core.graphs.layouts import Layout
from darkgnn_core.graphs.limits import MOST_EDGES, MOST_NODES, Limits, Rank
from darkgnn_core.workspace import Workspace
from pages.shared import graph_loaders, loaders
from pages.shared.feedback import plain

LAYOUTS: dict[str, Layout] = {"Forces": "force", "Two columns": "two columns"}
RANKS: dict[str, Rank] = {
    "Packets": "packets",
    "Hosts that share them": "shared",
}
USUAL = Limits()


@dataclass(frozen=True)
class Choice:
    """What the analyst chose.

    Attributes:
        limits: How much is drawn.
        labels: Only hosts with one of these; empty for all.
        layout: How it is laid out.
        compared: The bin it is compared with, or empty.
        names: Whether the addresses of hosts are written.
    """

    limits: Limits
    labels: tuple[str, ...]
    layout: Layout
    compared: str
    names: bool


def choose(workspace: Workspace, days: tuple[str, ...]) -> Choice:
    """Ask for layout, day to compare with, limits and filters, in one row."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layout = st.segmented_control(
            "Layout",
            list(LAYOUTS),
            default="Forces",
            key="graph_layout",
            required=True,
            bind="query-params",
            help="Forces draw together what meets; two columns put hosts left and ports right.",
        )
        compared = _compared(workspace, days)
        with st.popover(
            "Limits and filters",
            icon=":material/tune:",
            help="How much is drawn, which hosts and edges count, whether addresses are written.",
        ):
            limits = _limits()
            labels = _labels(workspace, days)
            names = st.toggle(
                "Write addresses",
                value=True,
                key="graph_names",
                help="Beside the hosts in view, while hosts and ports there are at most "
                f"{MOST_NAMED:,}, where there is room: zoom in for more. Ports and what you select "
                "come first.",
            )
    return Choice(limits, labels, LAYOUTS[layout or "Forces"], compared, names)


def _compared(workspace: Workspace, days: tuple[str, ...]) -> str:
    others = [each for each in loaders.bins(workspace) if each not in days]
    if st.session_state.get("graph_compare") not in others:
        st.session_state.pop("graph_compare", None)
    chosen = st.selectbox(
        "Compare with",
        others,
        index=None,
        key="graph_compare",
        bind="query-params",
        placeholder="No other day",
        width=220,
        help="Edges are coloured by how they changed since that day: new, grown, shrunk, gone.",
    )
    return chosen or ""


def _limits() -> Limits:
    neighbours = st.slider(
        "Neighbours shown at a time",
        1,
        200,
        USUAL.neighbours,
        key="graph_neighbours",
        help="So many ports of the start, or neighbours of a node you expand; the heaviest.",
    )
    nodes = st.slider(
        "Nodes at the start, at most",
        10,
        MOST_NODES,
        USUAL.nodes,
        key="graph_nodes",
        help="Above 200 a drawing is hard to read; the tables have the rest. What you expand comes "
        "on top.",
    )
    edges = st.slider(
        "Edges, at most",
        50,
        MOST_EDGES,
        USUAL.edges,
        step=50,
        key="graph_edges",
        help="The heaviest are drawn, and the heaviest of each node.",
    )
    least = st.number_input(
        "Packets of an edge, at least",
        1,
        None,
        1,
        key="graph_least",
        help="Pairs with fewer packets do not count at all.",
    )
    rank = st.segmented_control(
        "Ports of the start are ranked by",
        list(RANKS),
        default="Packets",
        key="graph_rank",
        required=True,
        help="Which ports are drawn where there are too many: by packets, the heaviest of each "
        "host come first; else those that most hosts of the start asked for.",
    )
    return Limits(
        neighbours=neighbours, nodes=nodes, edges=edges, min_packets=int(least),
        rank=RANKS[rank or "Packets"],
    )  # fmt: skip


def _labels(workspace: Workspace, days: tuple[str, ...]) -> tuple[str, ...]:
    counts = graph_loaders.labels_of(workspace, days).counts()
    chosen = st.multiselect(
        "Only hosts with these labels",
        list(counts),
        key="graph_labels",
        format_func=lambda label: plain(f"{label} ({counts[label]:,})"),
        placeholder="All labels",
        help="Hosts with other labels are left out, those of the start, too; 'unknown' are hosts "
        "without a label.",
    )
    return tuple(chosen)
