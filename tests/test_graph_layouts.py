"""Places of nodes: the same each time, kept when others come, apart from one another."""

import math
from itertools import combinations

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from made_pairs import drawn_pairs, pairs_of

from darkgnn_core.graphs.centrality import EXACT, centrality, is_exact
from darkgnn_core.graphs.layouts import Layout, graph_of, places_of
from darkgnn_core.graphs.limits import Limits, Seeds
from darkgnn_core.graphs.pairs import Pairs
from darkgnn_core.graphs.subgraph import Shown, subgraph

LAYOUTS: tuple[Layout, ...] = ("force", "two columns")
WIDE = Limits(neighbours=800, nodes=800, edges=4_000)


def all_of(pairs: Pairs) -> Shown:
    """Return the whole graph of some pairs."""
    return subgraph(pairs, Seeds(pairs.unique_hosts), WIDE)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_node_has_a_place_of_its_own_and_always_the_same(layout: Layout) -> None:
    """Twice the same drawing; no two nodes on one spot; all finite."""
    shown = all_of(drawn_pairs(3))
    places = places_of(shown.ids, shown.edges, layout)
    assert places == places_of(shown.ids, shown.edges, layout)
    assert set(places) == set(shown.ids)
    assert np.isfinite(list(places.values())).all()
    assert len(set(places.values())) == len(places)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_has_a_place_keeps_it_exactly(layout: Layout) -> None:
    """New nodes are laid out around the old ones; nothing moves, nothing is covered."""
    shown = all_of(drawn_pairs(4))
    old_ids = shown.ids[::2]
    old = dict(zip(old_ids, _spots(len(old_ids), layout, old_ids), strict=True))
    places = places_of(shown.ids, shown.edges, layout, old)
    assert {name: places[name] for name in old_ids} == old
    assert set(places) == set(shown.ids)
    assert len(set(places.values())) == len(places)


def _spots(count: int, layout: Layout, ids: list[str]) -> list[tuple[float, float]]:
    if layout == "force":
        return [(math.cos(i) * i, math.sin(i) * i) for i in range(count)]
    return [(0.0 if ids[i][0] == "h" else 1.0, float(i)) for i in range(count)]


def test_new_nodes_come_near_their_neighbours() -> None:
    """A host that joins a port lies nearer to it than to a far one."""
    shown = all_of(pairs_of([(1, 23, 9), (2, 23, 9), (3, 99, 9)]))
    first, second, third, far, near = shown.ids[0], shown.ids[1], shown.ids[2], "p99", "p23"
    hosts = {row["id"]: row["key"] for _, row in shown.nodes.iterrows()}
    newcomer = next(each for each in (first, second, third) if hosts[each] % 256 == 2)
    old = {name: (0.0, 0.0) for name in shown.ids if name != newcomer}
    old |= {near: (-10.0, 0.0), far: (10.0, 0.0)}
    old |= {name: (i * 1.0, 1.0) for i, name in enumerate(old) if name[0] == "h"}
    place = places_of(shown.ids, shown.edges, "force", old)[newcomer]
    assert math.dist(place, old[near]) < math.dist(place, old[far])


def test_two_columns_put_hosts_left_and_ports_right_without_needless_crossings() -> None:
    """Two groups that share nothing do not cross."""
    rows = [(last, 23, 5) for last in (1, 3, 5)] + [(last, 99, 5) for last in (2, 4, 6)]
    shown = all_of(pairs_of(rows))
    places = places_of(shown.ids, shown.edges, "two columns")
    assert {place[0] for name, place in places.items() if name[0] == "h"} == {0.0}
    assert {place[0] for name, place in places.items() if name[0] == "p"} == {1.0}
    ends = [
        (places[f"h{host}"][1], places[f"p{port}"][1])
        for host, port in zip(shown.edges["host"], shown.edges["port"], strict=True)
    ]
    assert not any((a - c) * (b - d) < 0 for (a, b), (c, d) in combinations(ends, 2))


def test_parts_that_share_nothing_are_packed_apart() -> None:
    """The boxes around components do not overlap."""
    rows = [(10 * part + i, 1_000 + part, 5) for part in range(5) for i in range(part + 1)]
    shown = all_of(pairs_of(rows))
    places = places_of(shown.ids, shown.edges, "force")
    boxes = []
    for part in nx.connected_components(graph_of(shown.ids, shown.edges)):
        spots = np.array([places[name] for name in part])
        boxes.append((*spots.min(axis=0), *spots.max(axis=0)))
    assert len(boxes) == 5
    for (ax, ay, bx, by), (cx, cy, dx, dy) in combinations(boxes, 2):
        assert bx < cx or dx < ax or by < cy or dy < ay


def test_small_parts_are_packed_around_a_large_one() -> None:
    """A star of 200 and 90 pairs fill a wide box; pairs stand beside the star at any height."""
    rows = [(last, 1, 5) for last in range(200)] + [(200 + i, 100 + i, 5) for i in range(90)]
    shown = all_of(pairs_of(rows))
    places = places_of(shown.ids, shown.edges, "force")
    graph = graph_of(shown.ids, shown.edges)
    star = np.array([places[name] for name in nx.node_connected_component(graph, "p1")])
    others = np.array([places[f"p{100 + i}"] for i in range(90)])
    everyone = np.array(list(places.values()))
    width, height = np.ptp(everyone, axis=0)
    assert 1.0 < width / height < 1.7
    used = (2 * math.sqrt(201) + 1) ** 2 + 90 * (2 * math.sqrt(2) + 1) ** 2
    assert used / (width * height) > 0.8
    beside = others[others[:, 0] > star[:, 0].max()]
    assert np.ptp(beside[:, 1]) > 0.75 * np.ptp(star[:, 1])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_node_and_one_node(layout: Layout) -> None:
    """Nothing to lay out is nothing; a lone node has a place."""
    edges = pd.DataFrame({"host": [], "port": [], "packets": []})
    assert places_of([], edges, layout) == {}
    assert len(places_of(["p23"], edges, layout)) == 1


def test_centrality_is_that_of_the_definition() -> None:
    """Degree, packets, and the share of shortest paths, counted by hand over all pairs."""
    shown = all_of(drawn_pairs(5, hosts=6, ports=5, count=14))
    graph = graph_of(shown.ids, shown.edges)
    found = centrality(shown.ids, shown.edges).set_index("id")
    for name in shown.ids:
        assert found.loc[name, "degree"] == len(list(graph.neighbors(name)))
        weight = sum(graph[name][other]["packets"] for other in graph[name])
        assert found.loc[name, "weighted_degree"] == weight
        assert found.loc[name, "betweenness"] == pytest.approx(_betweenness(graph, name))


def _betweenness(graph: nx.Graph, name: str) -> float:
    others = [each for each in graph if each != name]
    total = 0.0
    for one, two in combinations(others, 2):
        if nx.has_path(graph, one, two):
            paths = list(nx.all_shortest_paths(graph, one, two))
            total += sum(name in path for path in paths) / len(paths)
    return total / (len(others) * (len(others) - 1) / 2)


def test_betweenness_says_when_it_is_drawn() -> None:
    """Exact up to a size."""
    assert is_exact(EXACT)
    assert not is_exact(EXACT + 1)
