"""The same graph as tables, for keyboard and screen readers, and as files to hand on."""

from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st

from darkgnn_core.charts.graph_charts import graph_chart
from darkgnn_core.charts.graph_tables import (
    drawn_edges,
    drawn_nodes,
    edge_rows,
    label_looks,
)
from darkgnn_core.charts.graph_words import EITHER
from darkgnn_core.charts.pictures import Picture, picture_of
from darkgnn_core.graphs.exporting import graphml_of
from darkgnn_core.graphs.nodes import host_node
from darkgnn_core.safe_csv import csv_of
from pages.shared import graph_loaders
from pages.shared.feedback import safe, show_table
from pages.shared.graph_panel import show_hosts_drawn, take_row
from pages.shared.graph_view import GraphView

HEIGHT = 420
SHORT = 11
MOST_ROWS = 2_000
GRAPHML = "Nodes and edges with all that the tables say, for Gephi, Cytoscape, yEd and networkx."
EDGES = "One row for each host and port that are joined in the drawing."
NODES = "One row for each host and port in the drawing."
SVG = "A picture of the drawing that stays sharp at any size."
PNG = "A picture of the drawing in pixels, for documents and slides."


def show_nodes(view: GraphView) -> None:
    """Show the nodes; choosing a row selects it."""
    rows = view.rows.drop(columns=["id"])
    st.caption("Choose rows to select nodes in the drawing.")
    if view.question.compared:
        st.caption("Packets and neighbours on either day; of packets, the larger of each edge.")
    show_table(
        rows,
        "graph_nodes_table",
        height=_height(rows),
        selection_mode="multi-row",
        on_select=partial(take_row, "graph_nodes_table", tuple(view.rows["id"])),
    )
    show_hosts_drawn(view)


def show_edges(view: GraphView) -> None:
    """Show the edges; choosing a row selects its host."""
    edges = view.edges
    ids = tuple(host_node(each).id for each in edges["host"])
    near = {node.id for node in view.selected}
    rows = edge_rows(edges, view.answer.labels)
    if near and st.toggle(
        "Only edges of what is selected", key="graph_only_near", help="All edges otherwise."
    ):
        keep = [
            one in near or f"p{port}" in near for one, port in zip(ids, edges["port"], strict=True)
        ]
        rows, ids = rows[keep], tuple(one for one, kept in zip(ids, keep, strict=True) if kept)
    if len(view.days) == 1 and "days" in rows:
        rows = rows.drop(columns=["days"])
    st.caption("Choose a row to select its host. Times and dark addresses of rare ports are not "
               "stored.")  # fmt: skip
    show_table(
        rows,
        "graph_edges_table",
        height=_height(rows),
        on_select=partial(take_row, "graph_edges_table", ids),
    )


def show_everything(view: GraphView) -> None:
    """Show all edges of the start, drawn or not: what the limits cut is here."""
    edges = graph_loaders.everything(view.workspace, view.question)
    top = edges.head(MOST_ROWS)
    hosts = top["host"].to_numpy(np.uint32)
    labels = graph_loaders.label_texts(view.workspace, view.question, hosts)
    either = EITHER if view.question.compared else ""
    said = f"All {len(edges):,} edges of the start{either} that pass the filters, drawn or not."
    if len(top) < len(edges):
        said += f" The table shows {len(top):,}, the heaviest; the CSV has all."
    st.caption(safe(said))
    rows = edge_rows(top, labels)
    show_table(rows, "graph_everything", height=_height(rows))
    _offer(
        "All as CSV",
        "csv",
        "text/csv",
        partial(_everything_csv, view),
        "Every edge of the start that passes the filters, drawn or not, one a row.",
        name="all-edges",
    )


def _everything_csv(view: GraphView) -> bytes:
    edges = graph_loaders.everything(view.workspace, view.question)
    hosts = edges["host"].to_numpy(np.uint32)
    return csv_of(edge_rows(edges, graph_loaders.label_texts(view.workspace, view.question, hosts)))


def _height(rows: pd.DataFrame) -> int | Literal["auto"]:
    return "auto" if len(rows) < SHORT else HEIGHT


def show_export(view: GraphView) -> None:
    """Offer what is drawn as GraphML, CSV, SVG and PNG."""
    st.caption(
        "What is drawn now, with names and labels. Files are made when you click. In a picture, "
        "names that would overlap are left out, and their number is said there."
    )
    with st.container(horizontal=True):
        _offer("GraphML", "graphml", "application/xml", partial(_graphml, view), GRAPHML)
        _offer("Edges as CSV", "csv", "text/csv", partial(_edges_csv, view), EDGES, name="edges")
        _offer("Nodes as CSV", "csv", "text/csv", partial(_nodes_csv, view), NODES, name="nodes")
        _offer("SVG", "svg", "image/svg+xml", partial(_picture, view, "svg"), SVG)
        _offer("PNG", "png", "image/png", partial(_picture, view, "png"), PNG)


def _offer(
    words: str,
    kind: str,
    mime: str,
    make: Callable[[], bytes],
    explanation: str,
    name: str = "graph",
) -> None:
    st.download_button(
        words,
        make,
        file_name=f"darkgnn-{name}.{kind}",
        mime=mime,
        key=f"graph_{name}_{kind}",
        on_click="ignore",
        icon=":material/download:",
        help=explanation,
    )


def _graphml(view: GraphView) -> bytes:
    return graphml_of(view.rows, view.edges)


def _edges_csv(view: GraphView) -> bytes:
    return csv_of(edge_rows(view.edges, view.answer.labels))


def _nodes_csv(view: GraphView) -> bytes:
    return csv_of(view.rows.drop(columns=["id"]))


def _picture(view: GraphView, kind: Picture) -> bytes:
    chart = graph_chart(
        drawn_nodes(view.rows, view.places, names=view.choice.names),
        drawn_edges(view.edges, view.places),
        label_looks(view.rows, view.answer.names),
        layout=view.choice.layout,
        title=f"Graph around {view.start.words}, {view.days[-1]}",
    )
    return picture_of(chart, kind)
