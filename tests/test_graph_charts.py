"""What is drawn of a graph, what is written about it, and the files made of it."""

import io
import json
import math
import re
import xml.etree.ElementTree as ET
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import vl_convert
from made_pairs import address, drawn_pairs, pairs_of
from test_theme import SEEN_BY, contrast, lab, linear

from darkgnn_core.charts.class_colours import COLOURS
from darkgnn_core.charts.graph_charts import (
    CHANGE_LOOKS,
    DARK_INK,
    EDGE_COLOUR,
    LIGHT_INK,
    PORT_COLOUR,
    graph_chart,
    height_of,
    visitors_by_day,
)
from darkgnn_core.charts.graph_names import Field, placed_names
from darkgnn_core.charts.graph_packing import pack_graph
from darkgnn_core.charts.graph_tables import (
    MOST_NAMED,
    drawn_edges,
    drawn_nodes,
    edge_rows,
    label_looks,
    node_rows,
)
from darkgnn_core.charts.graph_words import count_words, cut_words, days_words
from darkgnn_core.charts.pictures import picture_of
from darkgnn_core.graphs.difference import with_changes
from darkgnn_core.graphs.exporting import graphml_of
from darkgnn_core.graphs.layouts import Layout, places_of
from darkgnn_core.graphs.limits import Cut, Doings, Limits, Seeds
from darkgnn_core.graphs.nodes import host_node, port_node
from darkgnn_core.graphs.pairs import NOT_TOLD, Pairs
from darkgnn_core.graphs.subgraph import Shown, subgraph
from darkgnn_core.safe_csv import csv_of
from pages.components import host_graph

EVIL = '=1+1 <b>&"x"</b>\u0000\ufffe'
WHITE, BLACK = "#FFFFFF", "#10161D"


def shown_of(pairs: Pairs, doings: Doings | None = None) -> Shown:
    """Return the whole graph of some pairs."""
    return subgraph(pairs, Seeds(pairs.unique_hosts), Limits(neighbours=800, nodes=800), doings)


def chart_of(shown: Shown, layout: Layout = "force", selected: tuple[str, ...] = ()) -> Any:
    """Return the drawing of a graph."""
    rows = node_rows(shown.nodes, {address(1): "mirai"})
    places = places_of(shown.ids, shown.edges, layout)
    nodes = drawn_nodes(rows, places, selected=selected)
    edges = drawn_edges(shown.edges, places, selected=set(selected))
    return graph_chart(nodes, edges, label_looks(rows, ["mirai"]), layout=layout)


@pytest.mark.parametrize("layout", ["force", "two columns"])
def test_the_picture_has_every_node_and_edge(layout: Layout) -> None:
    """Marks for all of them; ports have a mark of their own."""
    shown = shown_of(drawn_pairs(1, hosts=9, ports=5, count=20))
    spec = chart_of(shown, layout).to_dict()
    sizes = {name: len(rows) for name, rows in spec["datasets"].items()}
    assert sorted(sizes.values())[-2:] == sorted([len(shown.nodes), len(shown.edges)])
    assert "port" in json.dumps(spec)


def test_what_is_selected_stands_out_with_its_edges() -> None:
    """A ring round it, its edges in full, others faint."""
    shown = shown_of(pairs_of([(1, 23, 5), (2, 23, 6), (2, 80, 7)]))
    rows = node_rows(shown.nodes, {})
    places = places_of(shown.ids, shown.edges, "force")
    edges = drawn_edges(shown.edges, places, selected={"p80"})
    assert edges.set_index(["host", "port"])["is_near"].to_dict() == {
        ("192.0.2.1", "23 telnet"): False,
        ("192.0.2.2", "23 telnet"): False,
        ("192.0.2.2", "80 http"): True,
    }
    assert drawn_edges(shown.edges, places)["is_near"].all()
    nodes = drawn_nodes(rows, places, selected=["p80"]).set_index("id")
    assert nodes.loc[nodes["is_selected"]].index.tolist() == ["p80"]


def test_names_are_written_while_they_are_few() -> None:
    """Up to 150 nodes all hosts; beyond only what was touched; ports always."""
    few = shown_of(pairs_of([(last, 23, 5) for last in range(MOST_NAMED - 1)]))
    many = shown_of(
        pairs_of([*((last, 23, 5) for last in range(200)), *((1, port, 1) for port in range(100))]),
        Doings(pinned=(host_node(address(7)),)),
    )
    for shown, names, expected in ((few, True, MOST_NAMED), (few, False, 1)):
        rows = node_rows(shown.nodes, {})
        places = dict.fromkeys(shown.ids, (0.0, 0.0))
        text = drawn_nodes(rows, places, names=names)["text"]
        assert (text != "").sum() == expected
    rows = node_rows(many.nodes, {})
    drawn = drawn_nodes(rows, dict.fromkeys(many.ids, (0.0, 0.0)))
    written = set(drawn.loc[drawn["text"] != "", "text"])
    assert {"23 telnet", "192.0.2.7 (pinned)"} <= written
    assert len(written) == 100 + 1


def test_changes_are_drawn_and_tabled() -> None:
    """Colour and dash by change; packets before and now instead of one number."""
    now, before = pairs_of([(1, 23, 5), (1, 80, 9)]), pairs_of([(1, 22, 5), (1, 80, 9)])
    both = shown_of(pairs_of([(1, 23, 5), (1, 80, 9), (1, 22, 5)]))
    edges = with_changes(both.edges, now, before)
    places = places_of(both.ids, edges, "force")
    rows = node_rows(both.nodes, {})
    chart = graph_chart(drawn_nodes(rows, places), drawn_edges(edges, places), [])
    assert "strokeDash" in json.dumps(chart.to_dict())
    table = edge_rows(edges, {}).set_index("port")["change"].to_dict()
    assert table == {"23 telnet": "new", "80 http": "about the same", "22 ssh": "gone"}


@pytest.mark.parametrize("page", [WHITE, BLACK])
def test_lines_and_ports_stand_out_in_light_and_dark(page: str) -> None:
    """At least 3 to 1; names 4.5 to 1."""
    for colour in (EDGE_COLOUR, PORT_COLOUR, *(look for look, _ in CHANGE_LOOKS.values())):
        assert contrast(colour, page) >= 3.0, colour
    assert contrast(DARK_INK if page == WHITE else LIGHT_INK, page) >= 4.5


@pytest.mark.parametrize("kind", ["all colours", *SEEN_BY])
def test_changes_are_no_labels_and_differ_for_every_colour_vision(kind: str) -> None:
    """No label has a colour that looks like theirs; any two differ for the colour-blind, too."""
    assert not {look for look, _ in CHANGE_LOOKS.values()} & set(COLOURS)
    rows = SEEN_BY.get(kind, ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))

    def seen(colour: str) -> tuple[float, float, float]:
        """Return a colour as Lab as it is seen."""
        light = [sum(a * b for a, b in zip(row, linear(colour), strict=True)) for row in rows]
        return lab((light[0], light[1], light[2]))

    for one, other in combinations([look for look, _ in CHANGE_LOOKS.values()], 2):
        assert math.dist(seen(one), seen(other)) >= 12, (one, other)
    if kind == "all colours":
        for name in set(CHANGE_LOOKS) - {"same"}:
            for colour in COLOURS:
                assert math.dist(seen(CHANGE_LOOKS[name][0]), seen(colour)) >= 12, (name, colour)


def test_many_edges_stay_visible() -> None:
    """However many there are, none is thinner than 0.6 pixels."""
    pairs = pairs_of((last, port, 1 + last) for last in range(100) for port in range(30))
    shown = subgraph(
        pairs, Seeds(pairs.unique_hosts), Limits(neighbours=800, nodes=800, edges=4_000)
    )
    assert len(shown.edges) == 3_000
    widths = [edge[2] for edge in packed(shown)["edges"]]
    assert min(widths) >= 0.6


def test_marks_in_columns_do_not_overlap() -> None:
    """600 hosts below one another: each mark is smaller than the way to the next."""
    pairs = pairs_of((last, last % 150, 1 + last**2) for last in range(600))
    shown = shown_of(pairs)
    rows = node_rows(shown.nodes, {})
    places = places_of(shown.ids, shown.edges, "two columns")
    height = height_of(places.values(), "two columns")
    head = {"layout": "two columns", "height": height}
    nodes = json.loads(pack_graph(rows, shown.edges, places, label_looks(rows, []), head))["nodes"]
    longest = max(y for _, _, y, *_ in nodes) - min(y for _, _, y, *_ in nodes)
    for side in "hp":
        column = sorted((y, radius) for name, _, y, radius, *_ in nodes if name[0] == side)
        for (low, one), (high, other) in pairwise(column):
            assert one + other < (high - low) * (height - 52) / longest
    assert min(node[3] for node in nodes) > 1.5, "and can still be seen"


@pytest.mark.parametrize("layout", ["force", "two columns"])
def test_names_in_a_picture_lie_on_nothing(layout: Layout) -> None:
    """No name on another, nor on a mark, nor beyond the picture; those left out are counted."""
    shown = shown_of(drawn_pairs(1, hosts=100, ports=40, count=400))
    rows = node_rows(shown.nodes, {})
    places = places_of(shown.ids, shown.edges, layout)
    nodes = drawn_nodes(rows, places)
    field = Field((-60.0, 60.0), (-60.0, 60.0), 900, 640)
    if layout == "two columns":
        field = Field((-0.5, 1.5), (-120.0, 5.0), 900, 640)
    found = placed_names(nodes, field, layout)
    assert 0 < len(found) < len(nodes)
    boxes = []
    for text, x, y in found[["text", "x", "y"]].itertuples(index=False):
        left, middle = field.pixels(x, y)
        boxes.append((left, middle - 5, left + 6 * len(text), middle + 5))
        assert boxes[-1][0] >= 0
        assert boxes[-1][2] <= 900
    for one, other in combinations(boxes, 2):
        assert not meets(one, other)
    for row in nodes.to_dict("records"):
        x, y = field.pixels(row["x"], row["y"])
        half = math.sqrt(row["size"]) / 4
        assert not any(meets(box, (x - half, y - half, x + half, y + half)) for box in boxes)
    crowded = nodes.assign(x=nodes["x"] / 50, y=nodes["y"].round(-2))
    chart = graph_chart(crowded, drawn_edges(shown.edges, places), [], layout=layout)
    assert "names that would overlap are left out." in chart.to_dict()["title"]["subtitle"]


def meets(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Say whether two boxes overlap."""
    across = one[0] < other[2] and other[0] < one[2]
    return across and one[1] < other[3] and other[1] < one[3]


def test_the_page_and_the_browser_write_as_many_addresses() -> None:
    """The number that is told is that of the JavaScript."""
    script = Path(host_graph.__file__).parent / "assets" / "host_graph.js"
    assert f"const MANY_NODES = {MOST_NAMED};" in script.read_text(encoding="utf-8")


def test_a_legend_takes_no_height_from_the_chart() -> None:
    """14 labels: the field of the bars is as high as with one."""
    heights = []
    for labels in (1, 14):
        names = [f"label {i}" for i in range(labels)]
        counted = pd.DataFrame({"bin": "a", "label": names, "hosts": 2, "packets": 9})
        chart = visitors_by_day(counted, ["a"], names).properties(width=900)
        spec = chart.to_dict() | {"autosize": {"type": "fit", "contains": "padding"}}
        svg = vl_convert.vegalite_to_svg(spec)
        heights.append(float(re.findall(r'd="M0.5,0.5h[0-9.]+v([0-9.]+)h', svg)[0]))
    assert heights[1] >= heights[0] - 2


def packed(shown: Shown, edges: pd.DataFrame | None = None, **told: Any) -> Any:
    """Return the message for the browser, read back, with each node under its id."""
    rows = node_rows(shown.nodes, {address(1): EVIL})
    used = shown.edges if edges is None else edges
    places = places_of(shown.ids, used, "force")
    looks = label_looks(rows, [])
    message = json.loads(pack_graph(rows, used, places, looks, {"frame": "x"}, **told))
    message["by id"] = {node[0]: node for node in message["nodes"]}
    return message


def test_the_browser_is_sent_every_node_and_edge() -> None:
    """Edges join the right nodes, places are those of the layout, tips say how much is hidden."""
    shown = shown_of(pairs_of([(1, 23, 50), (2, 23, 6), (2, 80, 7)]))
    message = packed(shown, selected=["p80", "p81"])
    ids = [node[0] for node in message["nodes"]]
    assert {(ids[a], ids[b]) for a, b, *_ in message["edges"]} == {
        (f"h{host}", f"p{port}")
        for host, port in zip(shown.edges["host"], shown.edges["port"], strict=True)
    }
    assert message["edges"][-1][2] == max(edge[2] for edge in message["edges"])
    assert message["selected"] == ["p80"], "only what is drawn"
    places = places_of(shown.ids, shown.edges, "force")
    for name, (x, y) in places.items():
        assert message["by id"][name][1:3] == pytest.approx([x, y], abs=1e-5)
    port = message["by id"]["p23"]
    assert message["looks"][port[4]]["shape"] == "port"
    assert "56 packets, 2 neighbours, all shown" in port[7]
    assert message["changes"] == []


def test_names_in_the_browser_have_an_order_and_texts_are_cleaned() -> None:
    """What was pinned before ports before hosts; hosts have no name where that is not wanted."""
    pairs = pairs_of([(1, 23, 50), (2, 23, 6), (2, 80, 7)])
    pinned = host_node(address(2))
    message = packed(
        shown_of(pairs, Doings(pinned=(pinned,))), names=False, clean=lambda _: "clean"
    )
    nodes = sorted(message["by id"].values(), key=lambda node: -node[6])
    assert [node[5] for node in nodes] == ["192.0.2.2", "23 telnet", "80 http", ""]
    assert [node[8] for node in nodes] == [True, False, False, False]
    assert "<b>" not in json.dumps(message)
    assert [look["name"] for look in message["looks"]] == ["clean", "clean", "ports"]


def test_changes_are_sent_with_their_looks() -> None:
    """One look for each kind of change, and a tip that says it."""
    now, before = pairs_of([(1, 23, 5)]), pairs_of([(1, 22, 5)])
    shown = shown_of(pairs_of([(1, 23, 5), (1, 22, 5)]))
    message = packed(shown, with_changes(shown.edges, now, before))
    told = {message["changes"][edge[3]]["name"]: edge[4] for edge in message["edges"]}
    assert set(told) == {"new", "gone"}
    assert "5 packets a day now, 0 before" in told["new"]


def test_what_is_not_told_is_empty() -> None:
    """Times and dark addresses of a port without a node of its own."""
    pairs = pairs_of([(1, 23, 5), (1, 40_001, 5)])
    pairs.dark_addresses[1] = pairs.first_ns[1] = pairs.last_ns[1] = NOT_TOLD
    rows = edge_rows(shown_of(pairs).edges, {}).set_index("port")
    assert rows.loc["23 telnet", "dark_addresses"] == 2
    assert rows.loc["40001", ["dark_addresses", "first", "last"]].isna().all()


def test_what_is_cut_is_said_in_words() -> None:
    """As an analyst would read it."""
    assert cut_words(Cut("ports", 40, 312)) == "Showing 40 of 312 ports, the heaviest."
    of_port = Cut("hosts", 1, 2, of=port_node(23))
    assert cut_words(of_port) == "23 telnet: showing 1 of 2 hosts, the heaviest."
    assert cut_words(Cut("ports", 1, 2, rank="shared")).endswith("most of the hosts share.")
    assert cut_words(Cut("hosts", 1, 2, rank="each")).endswith("the heaviest of each.")
    assert count_words(1, 2, 0) == "1 host, 2 ports, 0 edges"
    assert days_words(["2021-12-01"]) == "2021-12-01"


def test_graphml_is_read_back_whatever_the_labels_are() -> None:
    """Read by networkx: same nodes, edges, weights; what XML cannot hold is left out."""
    shown = shown_of(drawn_pairs(1, hosts=5, ports=4, count=12))
    rows = node_rows(shown.nodes, {int(shown.nodes["key"].iloc[0]): EVIL})
    written = graphml_of(rows, shown.edges)
    graph = nx.read_graphml(io.BytesIO(written))
    assert set(graph) == set(shown.ids)
    for host, port, packets in zip(
        *(shown.edges[c] for c in ("host", "port", "packets")), strict=True
    ):
        assert graph[f"h{host}"][f"p{port}"]["packets"] == packets
    first = graph.nodes[shown.ids[0]]
    assert first["label"] == '=1+1 <b>&"x"</b>'
    assert first["kind"] == "host"
    root = ET.fromstring(written)  # noqa: S314 - our own file
    assert root.tag.endswith("graphml")


def test_what_is_not_told_is_left_out_of_graphml() -> None:
    """No value instead of a wrong one."""
    nodes = pd.DataFrame({"id": ["h1", "p2"], "label": ["x", None], "share": [np.nan, 0.5]})
    edges = pd.DataFrame({"host": [1], "port": [2], "last": [pd.Timestamp(0, tz="UTC")]})
    graph = nx.read_graphml(io.BytesIO(graphml_of(nodes, edges)))
    assert dict(graph.nodes["h1"]) == {"label": "x"}
    assert dict(graph.nodes["p2"]) == {"share": 0.5}
    assert graph["h1"]["p2"]["last"].startswith("1970-01-01")


def test_csv_is_harmless_in_a_spreadsheet() -> None:
    """A label that is a formula gets an apostrophe."""
    shown = shown_of(pairs_of([(1, 23, 5)]))
    written = csv_of(edge_rows(shown.edges, {address(1): "=1+1"})).decode()
    assert written.splitlines()[1].startswith("192.0.2.1,'=1+1,23 telnet,5,2,")


def test_the_drawing_is_a_picture_too() -> None:
    """SVG with the names in it, PNG with its mark; nothing is fetched."""
    chart = chart_of(shown_of(pairs_of([(1, 23, 5), (2, 23, 9)])))
    svg = picture_of(chart, "svg", title="Graph")
    assert b"23 telnet" in svg
    assert picture_of(chart, "png").startswith(b"\x89PNG")


def test_visitors_of_a_port_are_stacked_by_label() -> None:
    """Colours are those of other pages; days without a visitor keep their place."""
    counted = pd.DataFrame({"bin": ["a"], "label": ["mirai"], "hosts": [2], "packets": [9]})
    spec = visitors_by_day(counted, ["2021-12-01", "a"], ["mirai"]).to_dict()
    assert spec["encoding"]["color"]["scale"]["range"] == ["#C23300"]
    assert spec["encoding"]["x"]["scale"]["domain"] == ["2021-12-01", "a"]
