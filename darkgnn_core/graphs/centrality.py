"""Which nodes hold the shown part of a graph together."""

from collections.abc import Sequence

import networkx as nx
import pandas as pd

from darkgnn_core.graphs.layouts import SEED, graph_of

EXACT = 300
"""Up to so many nodes betweenness is exact; above, paths from this many drawn nodes are counted."""


def centrality(ids: Sequence[str], edges: pd.DataFrame) -> pd.DataFrame:
    """Return how central each node is in the part that is shown.

    Args:
        ids: Nodes, in a fixed order.
        edges: As in `subgraph.Shown`.

    Returns:
        Columns `id`, `degree` (neighbours), `weighted_degree` (packets), `betweenness`: the share
        of shortest paths between other nodes that go through it, 0 to 1, each step counting 1.

    Source:
        Brandes, 2001, as networkx computes it.
    """
    graph = graph_of(ids, edges)
    drawn = None if len(graph) <= EXACT else EXACT
    between = nx.betweenness_centrality(graph, k=drawn, seed=SEED)
    weighted = dict(graph.degree(weight="packets"))
    rows = {
        "id": list(graph),
        "degree": [graph.degree(node) for node in graph],
        "weighted_degree": [weighted[node] for node in graph],
        "betweenness": [float(between[node]) for node in graph],
    }
    table = pd.DataFrame(rows)
    return table.sort_values(
        ["betweenness", "weighted_degree", "id"], ascending=[False, False, True], ignore_index=True
    )


def is_exact(nodes: int) -> bool:
    """Say whether betweenness of so many nodes is exact."""
    return nodes <= EXACT
