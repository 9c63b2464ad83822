"""What the graph in the browser is sent: nodes with their places, edges, looks; JSON as bytes."""

import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from darkgnn_core.charts.graph_charts import CHANGE_LOOKS, PORT_COLOUR
from darkgnn_core.charts.graph_names import name_rank
from darkgnn_core.charts.graph_tables import drawn_edges, drawn_nodes, within_rows
from darkgnn_core.charts.graph_words import CHANGE_WORDS, EITHER
from darkgnn_core.graphs.layouts import Place
from darkgnn_core.graphs.nodes import host_node, port_node

Clean = Callable[[str], str]
Look = tuple[str, str, str]

MARGIN = 26
"""Pixels around the nodes, as in `host_graph.js`."""


def pack_graph(
    rows: pd.DataFrame,
    edges: pd.DataFrame,
    places: Mapping[str, Place],
    looks: Sequence[Look],
    head: Mapping[str, Any],
    *,
    selected: Collection[str] = (),
    names: bool = True,
    clean: Clean = str,
) -> bytes:
    """Return the message that says what is drawn and where.

    Args:
        rows: As `graph_tables.node_rows` gives them, n nodes.
        edges: As in `subgraph.Shown`, or `difference.with_changes`.
        places: Place of each node, by id.
        looks: Label, colour and shape, as `graph_tables.label_looks`.
        head: `frame` (the view stays while it is the same), `layout`, `height`, `words`, `hint`.
        selected: Ids of the nodes that are selected.
        names: Write the addresses of hosts.
        clean: What texts of others go through.

    Returns:
        JSON: `head`; `nodes`, each id, x, y, radius in pixels, place in `looks`, name, rank of
        the name, what the tip says, whether it is pinned, neighbours not drawn; `edges`, each two
        places in `nodes`, width in pixels, place in `changes` (-1 for none), what the tip says;
        `looks`; `changes`; `selected`.
    """
    drawn, wanted = set(rows["id"]), list(selected)
    known = [(clean(name), colour, shape) for name, colour, shape in looks]
    known.append(("ports", PORT_COLOUR, "port"))
    message = {
        "head": dict(head),
        "nodes": _nodes(_fitted(rows, places, head), looks, names, clean, "change" in edges),
        "edges": _edges(rows, edges, places),
        "looks": [dict(zip(("name", "colour", "shape"), look, strict=True)) for look in known],
        "changes": _changes() if "change" in edges else [],
        "selected": [each for each in wanted if each in drawn],
    }
    return json.dumps(message, allow_nan=False, separators=(",", ":")).encode()


def _changes() -> list[dict[str, Any]]:
    return [
        {"name": CHANGE_WORDS[each], "colour": colour, "dash": dash if dash[1] else []}
        for each, (colour, dash) in CHANGE_LOOKS.items()
    ]


def _fitted(
    rows: pd.DataFrame, places: Mapping[str, Place], head: Mapping[str, Any]
) -> pd.DataFrame:
    """Return what is drawn of the nodes, marks shrunk where rows are narrow."""
    drawn = drawn_nodes(rows, places)
    if head.get("layout") != "two columns":
        return drawn
    return within_rows(drawn, float(head["height"]) - 2 * MARGIN)


def _nodes(
    drawn: pd.DataFrame,
    looks: Sequence[Look],
    names: bool,
    clean: Clean,
    is_compared: bool,
) -> list[list[Any]]:
    when = EITHER if is_compared else ""
    look_at = {name: at for at, (name, _, _) in enumerate(looks)}
    radii = np.sqrt(drawn["size"].to_numpy(float) / math.pi).round(2)
    found = []
    for row, radius in zip(drawn.to_dict("records"), radii, strict=True):
        is_port, state = row["kind"] == "port", row["state"]
        is_pinned = "pinned" in state
        is_touched = is_pinned or "expanded" in state
        rank = name_rank(row)
        name = row["name"] if names or is_port or is_touched else ""
        tip = "\n".join(
            [
                row["name"] if is_port else f"{row['name']}  {clean(row['label'])}",
                f"{row['packets']:,} packets, {row['neighbours']:,} neighbours{when}, "
                + row["more"],
                *([state] if state else []),
            ]
        )
        x, y = round(row["x"], 5), round(row["y"], 5)
        look = len(looks) if is_port else look_at[row["label"]]
        more = row["neighbours"] - row["shown"]
        found.append([row["id"], x, y, float(radius), look, name, rank, tip, is_pinned, more])
    return found


def _edges(rows: pd.DataFrame, edges: pd.DataFrame, places: Mapping[str, Place]) -> list[list[Any]]:
    """Return edges, the heaviest last."""
    at = {each: place for place, each in enumerate(rows["id"])}
    kinds = {CHANGE_WORDS[each]: place for place, each in enumerate(CHANGE_LOOKS)}
    drawn = drawn_edges(edges, places)
    ends = zip(edges["host"].iloc[::-1], edges["port"].iloc[::-1], strict=True)
    found = []
    for row, (host, port) in zip(drawn.to_dict("records"), ends, strict=True):
        told = f"{row['packets']:,} packets"
        if "change" in row:
            now, before = row["now"], row["before"]
            told = f"{row['change']}: {now:,.0f} packets a day now, {before:,.0f} before"
        tip = f"{row['host']} - {row['port']}\n{told}"
        width = round(float(row["width"]), 2)
        pair = at[host_node(host).id], at[port_node(port).id]
        found.append([*pair, width, kinds.get(row.get("change", ""), -1), tip])
    return found
