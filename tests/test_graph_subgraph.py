"""The part of a graph that is drawn: against brute force, and what each guard says it cut."""

from collections import defaultdict

import numpy as np
import pytest
from made_pairs import address, drawn_pairs, pairs_of, rows_of

from darkgnn_core.errors import ConfigError
from darkgnn_core.graphs.difference import (
    CHANGES,
    Changed,
    counted_changes,
    either_day,
    on_each_day,
    with_changes,
)
from darkgnn_core.graphs.limits import MOST_NODES, Cut, Doings, Limits, Seeds
from darkgnn_core.graphs.nodes import Node, host_node, node_of, port_node
from darkgnn_core.graphs.pairs import Pairs
from darkgnn_core.graphs.subgraph import (
    NODE_COLUMNS,
    Shown,
    around,
    around_shown,
    subgraph,
)

WIDE = Limits(neighbours=800, nodes=800, edges=4_000)


def seeds_of(hosts: tuple[int, ...] = (), ports: tuple[int, ...] = ()) -> Seeds:
    """Return seeds by last byte and port."""
    return Seeds(np.array([address(each) for each in hosts], np.uint32), np.array(ports, np.int32))


def host(last: int) -> Node:
    """Return the node of 192.0.2.`last`."""
    return host_node(address(last))


def nodes_in(shown: Shown) -> set[Node]:
    """Return the nodes that are shown."""
    return {node_of(each) for each in shown.ids}


def edges_in(shown: Shown) -> set[tuple[int, int, int]]:
    """Return the edges as (last byte, port, packets)."""
    columns = (shown.edges[name].astype("int64") for name in ("host", "port", "packets"))
    return {(int(a) - address(0), int(b), int(n)) for a, b, n in zip(*columns, strict=True)}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("least", [1, 300])
def test_without_limits_it_is_the_whole_neighbourhood(seed: int, least: int) -> None:
    """Seeds, what they meet, what an expanded node meets, and all edges between those."""
    pairs = drawn_pairs(seed)
    rows = [row for row in rows_of(pairs) if row[2] >= least]
    met = defaultdict(set)
    for last, port, _ in rows:
        met[host(last)].add(port_node(port))
        met[port_node(port)].add(host(last))
    start = [each for each in (host(0), host(1), port_node(2)) if met[each]]
    wanted = set(start).union(*(met[each] for each in start))
    expanded = sorted(wanted - set(start))[:2]
    wanted = wanted.union(*(met[each] for each in expanded))
    limits = Limits(neighbours=800, nodes=800, edges=4_000, min_packets=least)
    shown = subgraph(pairs, seeds_of((0, 1), (2,)), limits, Doings(expanded=tuple(expanded)))
    assert nodes_in(shown) == wanted
    assert edges_in(shown) == {
        row for row in rows if host(row[0]) in wanted and port_node(row[1]) in wanted
    }
    assert shown.cuts == ()
    degrees = dict(zip(shown.ids, shown.nodes["degree"], strict=True))
    assert degrees == {node.id: len(met[node]) for node in wanted}
    packets = dict(zip(shown.ids, shown.nodes["packets"], strict=True))
    assert packets[start[0].id] == sum(n for last, _, n in rows if host(last) == start[0])


def test_the_heaviest_ports_are_shown_and_the_cut_is_told() -> None:
    """Three of ten ports of a host, by packets; equal packets by number."""
    pairs = pairs_of([(1, port, packets) for port, packets in zip(range(10), [5] * 8 + [9, 7])])  # noqa: B905
    shown = subgraph(pairs, seeds_of((1,)), Limits(neighbours=3))
    assert edges_in(shown) == {(1, 8, 9), (1, 9, 7), (1, 0, 5)}
    assert shown.cuts == (Cut("ports", 3, 10),)
    top = shown.nodes.iloc[0]
    assert (top["degree"], top["shown_degree"], top["packets"], top["shown_packets"]) == (
        10,
        3,
        56,
        21,
    )


def test_ports_can_be_ranked_by_how_many_hosts_share_them() -> None:
    """A port that all hosts share comes before a heavy one of a single host."""
    pairs = pairs_of([(1, 99, 1_000), *((last, 23, 1) for last in (1, 2, 3))])
    by_packets = subgraph(pairs, seeds_of((1, 2, 3)), Limits(neighbours=1))
    by_share = subgraph(pairs, seeds_of((1, 2, 3)), Limits(neighbours=1, rank="shared"))
    assert edges_in(by_packets) == {(1, 99, 1_000)}
    assert edges_in(by_share) == {(last, 23, 1) for last in (1, 2, 3)}
    assert by_share.cuts[0] == Cut("ports", 1, 2, rank="shared")


def test_each_port_of_a_start_shows_its_heaviest_hosts() -> None:
    """A quiet port gets its share beside a busy one; so do the hosts of a start their ports."""
    rows = [*((last, 23, 100 + last) for last in range(20)), *((last, 99, 1) for last in (50, 51))]
    shown = subgraph(pairs_of(rows), seeds_of(ports=(23, 99)), Limits(neighbours=4))
    assert nodes_in(shown) == {port_node(23), port_node(99), *map(host, (19, 18, 50, 51))}
    assert shown.cuts == (Cut("hosts", 4, 22, rank="each"),)
    turned = pairs_of([(port, last, n) for last, port, n in rows])
    shown = subgraph(turned, seeds_of((23, 99)), Limits(neighbours=4))
    assert edges_in(shown) == {(23, 19, 119), (23, 18, 118), (99, 50, 1), (99, 51, 1)}
    assert shown.cuts == (Cut("ports", 4, 22, rank="each"),)


def test_a_large_start_is_cut_to_its_heaviest_hosts() -> None:
    """100 seeds in a drawing of 20 nodes: the ones with most packets to the ports shown."""
    pairs = pairs_of([(last, 23, 1 + last) for last in range(100)])
    shown = subgraph(pairs, seeds_of(tuple(range(100))), Limits(neighbours=5, nodes=20))
    assert nodes_in(shown) == {port_node(23), *(host(last) for last in range(85, 100))}
    assert shown.cuts == (Cut("seed hosts", 15, 100),)


def test_edges_are_cut_but_no_node_loses_its_last_one() -> None:
    """The heaviest stay, and the heaviest of each node."""
    pairs = pairs_of([(last, port, 100 * last + port) for last in range(1, 6) for port in (1, 2)])
    shown = subgraph(pairs, seeds_of(tuple(range(1, 6))), Limits(edges=2))
    assert edges_in(shown) == {(5, 2, 502), (5, 1, 501), (4, 2, 402), (3, 2, 302), (2, 2, 202),
                               (1, 2, 102)}  # fmt: skip
    assert shown.cuts == (Cut("edges", 6, 10),)


def test_an_expansion_adds_beyond_the_start_and_more_when_asked_twice() -> None:
    """A click shows the heaviest neighbours, a second one as many again; what was there stays."""
    pairs = pairs_of([(1, 23, 50), *((last, 23, last) for last in range(2, 12))])
    limits = Limits(neighbours=3, nodes=4)
    before = nodes_in(subgraph(pairs, seeds_of((1,)), limits))
    assert before == {host(1), port_node(23)}
    once = subgraph(pairs, seeds_of((1,)), limits, Doings(expanded=(port_node(23),)))
    assert nodes_in(once) == before | {host(11), host(10), host(9)}
    assert once.cuts == (Cut("hosts", 4, 11, of=port_node(23)),)
    twice = subgraph(pairs, seeds_of((1,)), limits, Doings(expanded=(port_node(23),) * 2))
    assert nodes_in(twice) == before | {host(last) for last in range(6, 12)}


def test_what_is_hidden_is_gone_and_what_is_pinned_stays() -> None:
    """A hidden node counts nowhere; a pinned one is shown though nothing brings it."""
    pairs = pairs_of([(1, 23, 50), (1, 80, 40), (2, 80, 30), (3, 99, 1)])
    hidden = subgraph(pairs, seeds_of((1,)), WIDE, Doings(hidden=(port_node(23),)))
    assert nodes_in(hidden) == {host(1), port_node(80)}
    assert hidden.nodes.iloc[0]["degree"] == 1
    pinned = subgraph(pairs, seeds_of((1,)), WIDE, Doings(pinned=(host(3), host(9))))
    assert host(3) in nodes_in(pinned)
    assert host(9) not in nodes_in(pinned), "it is not there that day"
    assert bool(pinned.nodes.set_index("id").loc[host(3).id, "is_pinned"])


def test_the_limit_of_nodes_drops_the_lightest_first() -> None:
    """Two ports with ten hosts each in six nodes: the heavier port, its heaviest hosts."""
    pairs = pairs_of([(last, 23 + last % 2, last) for last in range(1, 21)])
    shown = subgraph(pairs, seeds_of(ports=(23, 24)), Limits(neighbours=40, nodes=6))
    assert nodes_in(shown) == {port_node(23), *(host(last) for last in (20, 18, 16, 14, 12))}
    assert shown.cuts == (Cut("seed ports", 1, 2), Cut("hosts", 5, 10), Cut("nodes", 6, 11))


def test_only_allowed_hosts_count() -> None:
    """A filter by label leaves other hosts out, seeds too, and says how many seeds it left out."""
    pairs = pairs_of([(1, 23, 5), (2, 23, 6), (3, 23, 7)])
    shown = subgraph(
        pairs, seeds_of((1, 2, 9), (23,)), WIDE, allowed=np.array([address(2)], np.uint32)
    )
    assert edges_in(shown) == {(2, 23, 6)}
    assert (shown.absent, shown.filtered) == (1, 1)


@pytest.mark.parametrize("seed", range(3))
def test_everything_around_the_start_is_listed(seed: int) -> None:
    """All pairs of its hosts and ports that pass the filters, however much is drawn."""
    pairs = drawn_pairs(seed)
    limits = Limits(neighbours=1, nodes=2, min_packets=100)
    hidden = Doings(hidden=(port_node(4),))
    found = around(pairs, seeds_of((0, 1), (2, 4)), limits, hidden)
    assert rows_of(found) == [
        row
        for row in rows_of(pairs)
        if row[2] >= 100 and row[1] != 4 and (row[0] in (0, 1) or row[1] == 2)
    ]


def test_nothing_there_is_an_empty_graph() -> None:
    """No pairs, no seeds, or seeds that are not there: no node, no error."""
    for pairs, seeds in (
        (pairs_of([]), seeds_of((1,), (23,))),
        (drawn_pairs(1), seeds_of()),
        (drawn_pairs(1), seeds_of((250,), (60_000,))),
    ):
        shown = subgraph(pairs, seeds, Limits())
        assert shown.nodes.empty
        assert list(shown.nodes.columns) == list(NODE_COLUMNS)
        assert shown.edges.empty
        assert shown.absent == len(seeds.hosts) + len(seeds.ports)


def test_no_more_than_the_most_nodes_are_ever_shown() -> None:
    """However often one expands."""
    pairs = pairs_of([(last % 250, port, 1 + port) for last in range(250) for port in range(10)])
    wide = Limits(neighbours=MOST_NODES, nodes=MOST_NODES, edges=10)
    ports = tuple(range(10))
    shown = subgraph(
        pairs, seeds_of(ports=ports), wide, Doings(expanded=tuple(map(port_node, ports)))
    )
    assert len(shown.nodes) <= MOST_NODES


@pytest.mark.parametrize(
    "values",
    [{"neighbours": 0}, {"nodes": 1}, {"nodes": 801}, {"edges": 0}, {"min_packets": 0},
     {"rank": "beauty"}],
)  # fmt: skip
def test_limits_have_bounds(values: dict[str, object]) -> None:
    """Beyond them nothing is drawn."""
    with pytest.raises(ConfigError, match="A graph shows"):
        Limits(**values)  # type: ignore[arg-type]


def changes_of(now: Pairs, before: Pairs, **how: float) -> dict[tuple[int, int], str]:
    """Return the change of every edge of both days."""
    both = either_day(now, before)
    shown = subgraph(both, Seeds(both.unique_hosts), WIDE)
    table = with_changes(shown.edges, now, before, **how)  # type: ignore[arg-type]
    return {
        (int(a) - address(0), int(b)): change
        for a, b, change in zip(table["host"], table["port"], table["change"], strict=True)
    }


def test_changes_are_told_from_counts() -> None:
    """New, gone, and by a factor of two grown or shrunk; exactly the factor counts."""
    now = pairs_of([(1, 1, 5), (1, 2, 20), (1, 3, 19), (1, 4, 5), (1, 5, 6)])
    before = pairs_of([(1, 2, 10), (1, 3, 10), (1, 4, 10), (1, 5, 10), (1, 6, 1)])
    found = changes_of(now, before)
    assert found == {
        (1, 1): "new",
        (1, 2): "grown",
        (1, 3): "same",
        (1, 4): "shrunk",
        (1, 5): "same",
        (1, 6): "gone",
    }
    assert changes_of(now, before, factor=1.5)[1, 3] == "grown"


def test_a_range_is_compared_by_packets_a_day() -> None:
    """20 packets over two days are 10 a day: the same as 10 on one."""
    now, before = pairs_of([(1, 1, 20)]), pairs_of([(1, 1, 10)])
    assert changes_of(now, before, bins=2) == {(1, 1): "same"}
    assert changes_of(now, before) == {(1, 1): "grown"}


def test_a_factor_of_one_is_refused() -> None:
    """Everything would have grown."""
    with pytest.raises(ConfigError, match="factor above 1"):
        changes_of(drawn_pairs(1), drawn_pairs(2), factor=1.0)


@pytest.mark.parametrize("seed", range(4))
def test_changes_turn_round_with_the_days(seed: int) -> None:
    """What is new one way is gone the other, what grew shrank."""
    one, other = drawn_pairs(seed, count=80), drawn_pairs(seed + 10, count=80)
    turned = {"new": "gone", "gone": "new", "grown": "shrunk", "shrunk": "grown", "same": "same"}
    there, back = changes_of(one, other), changes_of(other, one)
    assert back == {edge: turned[change] for edge, change in there.items()}
    assert {"new", "gone"} <= set(there.values())


def test_the_same_cut_is_said_once() -> None:
    """Expanding the start brings more of it, and one sentence about them, not two."""
    pairs = pairs_of((last, 23, 5 + last) for last in range(9))
    limits = Limits(neighbours=2)
    shown = subgraph(pairs, seeds_of(ports=(23,)), limits, Doings(expanded=(port_node(23),)))
    assert shown.cuts == (Cut("hosts", 4, 9),)
    two = Seeds(ports=np.array([23, 80], np.int32))
    both = pairs_of([*((last, 23, 5) for last in range(9)), *((last, 80, 5) for last in range(5))])
    shown = subgraph(both, two, limits, Doings(expanded=(port_node(80),)))
    assert {(cut.total, cut.of) for cut in shown.cuts} == {(9, None), (5, port_node(80))}


@pytest.mark.parametrize("seed", range(4))
def test_changes_are_counted_over_all_edges_around_what_is_drawn(seed: int) -> None:
    """As a loop over the rows counts them; drawn ones are among them; filters hold."""
    now, before = drawn_pairs(seed), drawn_pairs(seed + 100)
    seeds, limits = seeds_of((0, 1), (2,)), Limits(neighbours=5, edges=20, min_packets=100)
    done = Doings(expanded=(port_node(1),), hidden=(host(3),))
    either = either_day(now, before)
    shown = subgraph(either, seeds, limits, done)
    near, is_drawn = around_shown(either, seeds, limits, done, shown)
    today, then = ({(a, b): n for a, b, n in rows_of(each)} for each in (now, before))
    drawn = {(a, b) for a, b, _ in edges_in(shown)}
    assert {(a, b) for a, b, _ in rows_of(near.where(is_drawn))} == drawn
    wanted = {
        (a, b)
        for a, b, n in rows_of(either)
        if n >= 100 and a != 3 and (a in (0, 1) or b in (1, 2) or (a, b) in drawn)
    }
    assert {(a, b) for a, b, _ in rows_of(near)} == wanted
    counted = {each.change: each for each in counted_changes(near, is_drawn, now, before)}
    new = [pair for pair in wanted if pair not in then]
    assert counted["new"] == Changed("new", len(new), len(drawn.intersection(new)))
    gone = [pair for pair in wanted if pair not in today]
    assert counted["gone"] == Changed("gone", len(gone), len(drawn.intersection(gone)))
    assert sum(each.edges for each in counted.values()) == len(wanted)
    assert list(counted) == [each for each in CHANGES if each in counted]


def test_a_node_is_told_on_each_day() -> None:
    """Packets and neighbours of both days, not those of their union."""
    now, before = pairs_of([(1, 23, 5), (1, 80, 9)]), pairs_of([(1, 80, 4), (1, 22, 5), (2, 22, 1)])
    met = either_day(now, before).where(slice(0, 3))
    told = on_each_day(met, now, before)
    assert (told.now, told.before) == ((14, 2), (9, 2))
