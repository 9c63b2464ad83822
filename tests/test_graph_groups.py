"""Groups of hosts with the same ports, similar ports and the story of a port, by brute force."""

import math
from collections import defaultdict
from itertools import combinations

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from made_pairs import address, drawn_pairs, pairs_of, rows_of

from darkgnn_core.graphs.groups import Group, group_rows, maximal_bicliques, same_ports
from darkgnn_core.graphs.pairs import Pairs
from darkgnn_core.graphs.ports import (
    against_baseline,
    daily_classes,
    new_visitors,
    ports_near,
    similar_ports,
    visitors,
)

Found = set[tuple[frozenset[int], frozenset[int]]]


def sets_in(groups: tuple[Group, ...]) -> Found:
    """Return groups as (last bytes, ports)."""
    return {
        (
            frozenset((group.hosts.astype(np.int64) - address(0)).tolist()),
            frozenset(group.ports.tolist()),
        )
        for group in groups
    }


def ports_by_host(pairs: Pairs) -> dict[int, frozenset[int]]:
    """Return the ports of each host."""
    met = defaultdict(set)
    for host, port, _ in rows_of(pairs):
        met[host].add(port)
    return {host: frozenset(ports) for host, ports in met.items()}


def bicliques_by_networkx(pairs: Pairs, min_hosts: int, min_ports: int) -> Found:
    """Return maximal bicliques as maximal cliques of the graph with both sides made complete."""
    graph = nx.Graph()
    rows = rows_of(pairs)
    graph.add_edges_from((("h", host), ("p", port)) for host, port, _ in rows)
    for side in "hp":
        graph.add_edges_from(combinations([node for node in graph if node[0] == side], 2))
    found = set()
    for clique in nx.find_cliques(graph):
        hosts = frozenset(key for side, key in clique if side == "h")
        ports = frozenset(key for side, key in clique if side == "p")
        if len(hosts) >= max(min_hosts, 1) and len(ports) >= max(min_ports, 1):
            found.add((hosts, ports))
    return found


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("least", [(1, 1), (2, 2), (3, 2)])
def test_bicliques_are_those_that_networkx_finds(seed: int, least: tuple[int, int]) -> None:
    """All maximal ones, each once, none that is not."""
    pairs = drawn_pairs(seed, hosts=9, ports=7, count=35)
    hosts, ports = least
    groups = maximal_bicliques(pairs, min_hosts=hosts, min_ports=ports)
    assert sets_in(groups.groups) == bicliques_by_networkx(pairs, hosts, ports)
    assert len(sets_in(groups.groups)) == len(groups.groups)
    assert not groups.is_cut


def test_the_search_for_bicliques_ends_and_says_so() -> None:
    """Too many, or too many steps: what was found is given, and that it is cut."""
    pairs = drawn_pairs(3, hosts=20, ports=15, count=200)
    assert not maximal_bicliques(pairs, min_hosts=1, min_ports=1).is_cut
    few = maximal_bicliques(pairs, min_hosts=1, min_ports=1, most=3)
    assert few.is_cut
    assert len(few.groups) == 3
    assert maximal_bicliques(pairs, most_steps=2).is_cut
    assert maximal_bicliques(pairs_of([])).groups == ()


@pytest.mark.parametrize("seed", range(5))
def test_equal_sets_are_found_among_all_hosts(seed: int) -> None:
    """Every group of three or more hosts with the same two or more ports, and its packets."""
    pairs = drawn_pairs(seed, hosts=200, ports=4, count=500)
    by_set = defaultdict(set)
    for host, ports in ports_by_host(pairs).items():
        by_set[ports].add(host)
    expected = {
        (frozenset(hosts), ports)
        for ports, hosts in by_set.items()
        if len(hosts) >= 3 and len(ports) >= 2
    }
    groups = same_ports(pairs)
    assert expected
    assert sets_in(groups.groups) == expected
    packets = defaultdict(int)
    for host, _, n in rows_of(pairs):
        packets[host] += n
    for group in groups.groups:
        assert group.packets == sum(packets[int(each) - address(0)] for each in group.hosts)
    sizes = [len(group.hosts) * len(group.ports) for group in groups.groups]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("near", [0.5, 0.75])
def test_near_sets_join_their_leader(near: float) -> None:
    """Sets with most hosts first; each takes in what is near and not taken; shared ports told."""
    pairs = drawn_pairs(2, hosts=150, ports=6, count=600)
    by_set = defaultdict(set)
    for host, ports in ports_by_host(pairs).items():
        if len(ports) >= 2:
            by_set[ports].add(host)
    order = sorted(by_set, key=lambda ports: (-len(by_set[ports]), tuple(sorted(ports))))
    free, expected = dict.fromkeys(order), set()
    while free:
        leader = next(iter(free))
        near_ones = [each for each in free if len(each & leader) / len(each | leader) >= near]
        for each in near_ones:
            del free[each]
        hosts = frozenset().union(*(by_set[each] for each in near_ones))
        if len(hosts) >= 3:
            expected.add((hosts, frozenset.intersection(*near_ones)))
    assert sets_in(same_ports(pairs, near=near).groups) == expected


def test_only_so_many_sets_are_held_against_one_another() -> None:
    """The bound is told; a port that is not told makes no set."""
    pairs = drawn_pairs(2, hosts=150, ports=6, count=600)
    groups = same_ports(pairs, near=0.5, most_sets=5)
    assert groups.is_cut
    assert groups.looked_at == 5 < groups.total
    untold = pairs_of([(last, port, 1) for last in range(4) for port in (-1, 23)])
    assert same_ports(untold).groups == ()
    assert len(same_ports(untold, min_ports=1).groups) == 1
    assert group_rows(same_ports(untold, min_ports=1)).iloc[0].tolist() == [4, 1, 4]


@pytest.mark.parametrize("seed", range(4))
def test_similar_ports_are_those_with_the_largest_cosine(seed: int) -> None:
    """Against vectors written out over all hosts."""
    pairs = drawn_pairs(seed, hosts=12, ports=6, count=60)
    vectors: dict[int, dict[int, float]] = defaultdict(dict)
    for host, port, n in rows_of(pairs):
        vectors[port][host] = math.log1p(n)
    port = int(pairs.ports[0])
    found = similar_ports(pairs, port).set_index("port")
    for other, vector in vectors.items():
        shared = vector.keys() & vectors[port].keys()
        if other == port or not shared:
            assert other not in found.index
            continue
        product = sum(vector[host] * vectors[port][host] for host in shared)
        length = math.dist((0,) * len(vector), vector.values())
        own = math.dist((0,) * len(vectors[port]), vectors[port].values())
        assert found.loc[other, "similarity"] == pytest.approx(product / length / own)
        assert found.loc[other, "shared"] == len(shared)
        assert found.loc[other, "hosts"] == len(vector)
    assert found["similarity"].is_monotonic_decreasing


@pytest.mark.parametrize("seed", range(4))
def test_ports_are_near_whose_hosts_lie_alike(seed: int) -> None:
    """Against means written out host by host; a host without an embedding does not count."""
    pairs = drawn_pairs(seed, hosts=12, ports=6, count=60)
    hosts = pairs.unique_hosts[1:]
    rows = np.random.default_rng(seed).normal(size=(len(hosts), 4)).astype(np.float32)
    visitors: dict[int, set[int]] = defaultdict(set)
    places: dict[int, np.ndarray] = defaultdict(lambda: np.zeros(4))
    for host, port, n in zip(pairs.hosts, pairs.ports, pairs.packets, strict=True):
        at = np.flatnonzero(hosts == host)
        if len(at) and port >= 0:
            visitors[port].add(host)
            places[port] = places[port] + math.log1p(n) * rows[at[0]]
    port = max(visitors, key=lambda each: (len(visitors[each]), each))
    found = ports_near(pairs, port, hosts, rows, min_hosts=2).set_index("port")
    assert set(found.index) == {p for p in visitors if p != port and len(visitors[p]) >= 2}
    for other, row in found.iterrows():
        lengths = np.linalg.norm(places[other]) * np.linalg.norm(places[port])
        assert row["similarity"] == pytest.approx(places[other] @ places[port] / lengths, abs=1e-5)
        assert row["shared"] == len(visitors[other] & visitors[port])
        assert row["hosts"] == len(visitors[other])
    assert found["similarity"].is_monotonic_decreasing


def test_ports_without_a_common_host_can_be_near() -> None:
    """Two groups of hosts that lie together ask for two ports; a third port's lie elsewhere."""
    pairs = pairs_of([(last, (22, 23, 80)[last % 3], 5) for last in range(1, 13)])
    rows = np.array([[1, 0] if last % 3 < 2 else [-1, 0] for last in range(1, 13)], np.float32)
    found = ports_near(pairs, 22, pairs.unique_hosts, rows)
    assert found["port"].tolist() == [23, 80]
    assert found["similarity"].tolist() == pytest.approx([1, -1])
    assert found["shared"].tolist() == [0, 0]
    assert ports_near(pairs, 99, pairs.unique_hosts, rows).empty
    assert ports_near(pairs, 22, pairs.unique_hosts, rows, min_hosts=9).empty


def test_a_port_that_nobody_visits_is_like_none() -> None:
    """No rows, no error; ports that the trace does not tell are never listed."""
    pairs = pairs_of([(1, 23, 5), (1, -1, 5)])
    assert similar_ports(pairs, 99).empty
    assert similar_ports(pairs, 23).empty


def labels(*names: str) -> np.ndarray:
    """Return labels as the core has them."""
    return np.array(names, object)


def test_newcomers_of_a_port_are_held_against_its_own_days() -> None:
    """Three days before with 1, 0 and 1 Mirai hosts and none unknown; today 3 and 2."""
    now = visitors(pairs_of([(last, 23, 5) for last in range(1, 6)]), 23)
    told = labels("mirai", "mirai", "mirai", "unknown", "unknown")
    before = [visitors(pairs_of([(1, 23, 5)]), 23), visitors(pairs_of([(9, 80, 5)]), 23),
              visitors(pairs_of([(8, 23, 5), (4, 80, 1)]), 23)]  # fmt: skip
    earlier = list(zip(before, [labels("mirai"), labels(), labels("mirai")], strict=True))
    table = against_baseline(now, told, earlier).set_index("label")
    assert table.loc["mirai"].tolist() == [3, 2, 1, 1, 3]
    assert table.loc["unknown", ["hosts", "new_hosts", "usual", "most"]].tolist() == [2, 2, 0, 0]
    assert math.isnan(table.loc["unknown", "times"])
    assert (new_visitors(now, before) - address(0)).tolist() == [2, 3, 4, 5]


def test_without_earlier_days_everybody_is_new_and_nothing_is_usual() -> None:
    """The first day has no baseline; a port without visitors has no rows."""
    now = visitors(pairs_of([(1, 23, 5)]), 23)
    table = against_baseline(now, labels("mirai"), [])
    assert table["new_hosts"].tolist() == [1]
    assert table["usual"].isna().all()
    nobody = visitors(pairs_of([(1, 23, 5)]), 80)
    assert against_baseline(nobody, labels(), []).empty


def test_visitors_are_counted_by_day_and_label() -> None:
    """Days without visitors have no row."""
    day = visitors(pairs_of([(1, 23, 5), (2, 23, 6), (3, 80, 1)]), 23)
    counted = daily_classes({"a": (day, labels("x", "y")), "b": (day.head(0), labels())})
    expected = pd.DataFrame(
        {"bin": ["a", "a"], "label": ["x", "y"], "hosts": [1, 1], "packets": [5, 6]}
    )
    pd.testing.assert_frame_equal(counted, expected, check_dtype=False)
    assert daily_classes({}).empty
