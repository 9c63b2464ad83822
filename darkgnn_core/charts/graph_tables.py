"""Tables behind a graph: what is drawn where, and the same for people, spreadsheets and readers."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from darkgnn_core.charts.class_colours import look_of
from darkgnn_core.charts.graph_words import CHANGE_WORDS, node_words
from darkgnn_core.graphs.layouts import Place
from darkgnn_core.graphs.nodes import Node, host_node, node_of, port_node
from darkgnn_core.labels.texts import UNKNOWN

PORT_KIND = "port"
"""What stands in place of a label for ports."""

MOST_NAMED = 150
"""Up to so many nodes hosts have their addresses; `host_graph.js` counts those in view."""

WIDTHS = (0.8, 6.0)
SIZES = (70.0, 420.0)
FEW_SELECTED = 10
"""So many selected nodes have their names beside them."""

CROWD = 60.0
"""From so many nodes, or three times as many edges, on they are drawn smaller."""

LEAST = 0.22
THINNEST = 0.6
"""Pixels of the thinnest edge: thinner ones can hardly be seen."""

FILLED = 0.4
"""Half a mark in columns, at most, as a share of the distance between two rows."""


def node_rows(nodes: pd.DataFrame, labels: Mapping[int, str]) -> pd.DataFrame:
    """Return nodes for people: id, name, label, packets, neighbours, how many of them shown.

    Args:
        nodes: As in `subgraph.Shown`.
        labels: Label by address; those left out are unknown.
    """
    found = [node_of(each) for each in nodes["id"]]
    return pd.DataFrame(
        {
            "id": nodes["id"],
            "kind": nodes["kind"],
            "name": [node_words(node) for node in found],
            "label": [label_of(node, labels) for node in found],
            "packets": nodes["packets"],
            "neighbours": nodes["degree"],
            "shown": nodes["shown_degree"],
            "state": [_state(row) for row in nodes.to_dict("records")],
        }
    )


def label_of(node: Node, labels: Mapping[int, str]) -> str:
    """Return the label of a host, or `PORT_KIND`."""
    return labels.get(node.key, UNKNOWN) if node.is_host else PORT_KIND


def _state(row: Mapping[Any, Any]) -> str:
    words = (("is_seed", "start"), ("is_expanded", "expanded"), ("is_pinned", "pinned"))
    return ", ".join(word for name, word in words if row[name])


def edge_rows(edges: pd.DataFrame, labels: Mapping[int, str]) -> pd.DataFrame:
    """Return edges for people: host, label, port, packets, dark addresses, times, days.

    With the columns of `difference.with_changes` where the edges have them.
    """
    table = pd.DataFrame(
        {
            "host": [node_words(host_node(each)) for each in edges["host"]],
            "label": [labels.get(int(each), UNKNOWN) for each in edges["host"]],
            "port": [node_words(port_node(each)) for each in edges["port"]],
            "packets": edges["packets"].to_numpy(),
            "dark_addresses": _told(edges["dark_addresses"]),
            "first": _moments(edges["first_ns"]),
            "last": _moments(edges["last_ns"]),
            "days": edges["bins"].to_numpy(),
        }
    )
    if "change" in edges:
        table.insert(3, "change", edges["change"].map(CHANGE_WORDS).to_numpy())
        table.insert(4, "packets_a_day_now", edges["packets_now"].to_numpy())
        table.insert(5, "packets_before", edges["packets_before"].to_numpy())
        table = table.drop(columns=["packets", "days"])
    return table


def _told(values: "pd.Series[int]") -> "pd.Series[Any]":
    """Return whole numbers, those that are not told empty."""
    column = values.reset_index(drop=True).astype("Int64")
    return column.mask(column < 0)


def _moments(values: "pd.Series[int]") -> "pd.Series[Any]":
    """Return UTC times, those that are not told empty."""
    told = values.where(values >= 0).reset_index(drop=True)
    return pd.to_datetime(told, utc=True, unit="ns").dt.floor("s")


def drawn_nodes(
    rows: pd.DataFrame,
    places: Mapping[str, Place],
    *,
    selected: Collection[str] = (),
    names: bool = True,
) -> pd.DataFrame:
    """Return what is drawn of each node.

    Args:
        rows: As `node_rows` gives them.
        places: Place by id.
        selected: Ids that stand out.
        names: Write the addresses of hosts, up to `MOST_NAMED` nodes. Ports, and what is
            selected, expanded or pinned, are always named.
    """
    is_host = rows["kind"] == "host"
    is_selected = rows["id"].isin(list(selected))
    is_named = ~is_host | rows["state"].str.contains("expanded|pinned")
    if is_selected.sum() <= FEW_SELECTED:
        is_named |= is_selected
    if names and len(rows) <= MOST_NAMED:
        is_named |= True
    text = rows["name"] + np.where(rows["state"].str.contains("pinned"), " (pinned)", "")
    hidden = rows["neighbours"] - rows["shown"]
    return rows.assign(
        x=[float(places[each][0]) for each in rows["id"]],
        y=[float(places[each][1]) for each in rows["id"]],
        text=text.where(is_named, ""),
        size=_scaled(rows["packets"], SIZES) * _crowded(len(rows) / CROWD),
        is_selected=is_selected,
        more=[f"{count:,} more not shown" if count else "all shown" for count in hidden],
    )


def drawn_edges(
    edges: pd.DataFrame, places: Mapping[str, Place], *, selected: Collection[str] = ()
) -> pd.DataFrame:
    """Return what is drawn of each edge, the heaviest last, on top.

    Args:
        edges: As in `subgraph.Shown`, or `difference.with_changes`.
        places: Place by id.
        selected: Ids of nodes whose edges stand out; without any all do.
    """
    hosts = [host_node(each) for each in edges["host"]]
    ports = [port_node(each) for each in edges["port"]]
    ends = [(places[a.id], places[b.id]) for a, b in zip(hosts, ports, strict=True)]
    near = [
        not selected or a.id in selected or b.id in selected
        for a, b in zip(hosts, ports, strict=True)
    ]
    table = pd.DataFrame(
        {
            "x": [a[0] for a, _ in ends],
            "y": [a[1] for a, _ in ends],
            "x2": [b[0] for _, b in ends],
            "y2": [b[1] for _, b in ends],
            "host": [node_words(each) for each in hosts],
            "port": [node_words(each) for each in ports],
            "packets": edges["packets"].to_numpy(),
            "width": np.maximum(
                _scaled(edges["packets"], WIDTHS) * _crowded(len(edges) / CROWD / 3), THINNEST
            ),
            "is_near": near,
        }
    )
    if "change" in edges:
        table["change"] = edges["change"].map(CHANGE_WORDS).to_numpy()
        table["now"] = edges["packets_now"].to_numpy()
        table["before"] = edges["packets_before"].to_numpy()
    return table.iloc[::-1].reset_index(drop=True)


def within_rows(drawn: pd.DataFrame, height: float) -> pd.DataFrame:
    """Shrink the marks of two columns until those of neighbouring rows do not overlap.

    Args:
        drawn: As `drawn_nodes` gives them, in two columns.
        height: Pixels from the first to the last row.
    """
    pixels = height / max(float(np.ptp(drawn["y"])) if len(drawn) else 0.0, 1.0)
    is_port = (drawn["kind"] == "port").to_numpy()
    most = np.full(len(drawn), np.inf)
    for column in (is_port, ~is_port):
        gaps = np.diff(np.sort(drawn["y"].to_numpy(np.float64)[column]))
        if len(gaps):  # the usual one: a node that was dragged on another does not count
            most[column] = np.pi * (FILLED * pixels * float(np.median(gaps))) ** 2
    return drawn.assign(size=np.minimum(drawn["size"], most))


def _crowded(times: float) -> float:
    """Return by how much marks shrink where there are so many times as many as fit well."""
    return min(1.0, max(LEAST, times**-0.7)) if times > 1 else 1.0


def _scaled(values: "pd.Series[Any]", bounds: tuple[float, float]) -> npt.NDArray[np.float64]:
    """Return sizes that grow with the order of magnitude."""
    low, high = bounds
    magnitudes = np.log10(np.maximum(values.to_numpy(np.float64), 1.0))
    top = max(float(magnitudes.max(initial=0.0)), 1.0)
    sizes: npt.NDArray[np.float64] = low + (high - low) * magnitudes / top
    return sizes


def label_looks(rows: pd.DataFrame, names: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return label, colour and shape of each label that is drawn, the most frequent first.

    Args:
        rows: As `node_rows` gives them.
        names: All labels of the workspace (`loaders.all_labels`), which decide on colours.
    """
    hosts = rows[rows["kind"] == "host"]
    counts = hosts["label"].value_counts()
    order = sorted(counts.index, key=lambda label: (-int(counts[label]), str(label)))
    found = []
    for label in order:
        look = look_of(str(label), names)
        found.append((str(label), look.colour, look.shape))
    return found
