"""A graph as GraphML, for Gephi, Cytoscape, yEd and networkx; names and labels escaped."""

import io
import re
from collections.abc import Iterator

import networkx as nx
import pandas as pd

from darkgnn_core.graphs.nodes import host_node, port_node

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def graphml_of(nodes: pd.DataFrame, edges: pd.DataFrame) -> bytes:
    """Return a graph as GraphML, UTF-8.

    Args:
        nodes: One row a node: `id` and whatever is to be told of it; values that are not told
            are left out.
        edges: One row an edge: `host` and `port` as integers, and whatever is to be told.
    """
    graph = nx.Graph()
    for row in nodes.to_dict("records"):
        graph.add_node(row["id"], **dict(_told(row, {"id"})))
    for row in edges.to_dict("records"):
        ends = host_node(row["host"]).id, port_node(row["port"]).id
        graph.add_edge(*ends, **dict(_told(row, {"host", "port"})))
    written = io.BytesIO()
    nx.write_graphml_xml(graph, written, encoding="utf-8", named_key_ids=True)
    return written.getvalue()


def _told(row: dict[object, object], without: set[str]) -> Iterator[tuple[str, object]]:
    """Yield the values of a row as GraphML can hold them."""
    for name, value in row.items():
        if name in without or pd.isna(value):  # type: ignore[call-overload]
            continue
        if isinstance(value, bool | int | float):
            yield str(name), value
        elif isinstance(value, pd.Timestamp):
            yield str(name), value.isoformat()
        elif hasattr(value, "item"):
            yield str(name), value.item()
        else:
            yield str(name), _NOT_XML.sub("", str(value))
