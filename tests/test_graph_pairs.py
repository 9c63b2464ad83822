"""Pairs of hosts and ports: read from snapshots, joined over days, and typed starts."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from app_workspaces import DAYS, filled_workspace
from made_pairs import address, drawn_pairs, pairs_of, rows_of

from darkgnn_core.errors import ConfigError
from darkgnn_core.graphs.nodes import (
    Node,
    host_node,
    hosts_among,
    node_of,
    port_node,
    ports_among,
)
from darkgnn_core.graphs.pairs import NOT_TOLD, joined, keys_of, no_pairs, read_day
from darkgnn_core.graphs.ports import read_visitors, visitors
from darkgnn_core.graphs.typed import MOST_PORTS, read_seeds
from darkgnn_core.shelf import open_snapshot
from darkgnn_core.snapshots.reading import column, read_edges, read_pairs


def test_days_are_added_up_like_a_counter() -> None:
    """Packets are summed by pair, or the most of any day counts; days are counted."""
    parts = [drawn_pairs(seed) for seed in range(4)]
    total: Counter[tuple[int, int]] = Counter()
    most: dict[tuple[int, int], int] = {}
    days: Counter[tuple[int, int]] = Counter()
    for part in parts:
        for host, port, n in rows_of(part):
            total[host, port] += n
            most[host, port] = max(n, most.get((host, port), 0))
            days[host, port] += 1
    ones = [pairs_of(rows_of(part)) for part in parts]
    summed, largest = joined(ones), joined(ones, "most")
    assert rows_of(summed) == [(*key, n) for key, n in sorted(total.items())]
    assert rows_of(largest) == [(*key, n) for key, n in sorted(most.items())]
    assert summed.bins.tolist() == [n for _, n in sorted(days.items())]
    assert summed.dark_addresses.max() == 2


def test_times_are_those_of_the_days_that_tell_them() -> None:
    """A day that does not tell a time takes nothing away from one that does."""
    told, untold = pairs_of([(1, 23, 5)]), pairs_of([(1, 23, 7)])
    untold.first_ns[:] = untold.last_ns[:] = untold.dark_addresses[:] = NOT_TOLD
    both = joined([untold, told])
    assert (both.first_ns[0], both.last_ns[0], both.dark_addresses[0]) == (1_000, 2_000, 2)
    assert joined([untold, untold]).first_ns[0] == NOT_TOLD


def test_nothing_joined_is_nothing() -> None:
    """No days, and days without traffic, give no pairs, and looking things up still works."""
    assert len(joined([])) == len(joined([no_pairs(), no_pairs()])) == 0
    assert no_pairs().packets_of(np.array([1, 2])).tolist() == [0, 0]
    assert len(no_pairs().unique_hosts) == 0


def test_packets_are_looked_up_by_pair() -> None:
    """Those that met give their packets, others 0; the unknown port -1 is a port like any."""
    pairs = pairs_of([(1, -1, 3), (1, 0, 4), (2, 65_535, 5)])
    hosts = np.array([address(1), address(1), address(2), address(2)], np.uint32)
    keys = keys_of(hosts, np.array([-1, 0, 65_535, 0], np.int32))
    assert pairs.packets_of(keys).tolist() == [3, 4, 5, 0]
    assert pairs.hosts_on[[0, 1, 65_536]].tolist() == [1, 1, 1]


def test_a_snapshot_is_read_as_it_was_stored(tmp_path: Path) -> None:
    """All true ports with their packets; dark addresses and times where the port is a node."""
    workspace = filled_workspace(tmp_path)
    directory = open_snapshot(workspace, workspace.snapshot_config(), DAYS[0]).directory
    assert directory is not None
    day = read_day(directory)
    table, edges = read_pairs(directory), read_edges(directory)
    assert day.packets.tolist() == column(table, "packets").tolist()
    assert read_visitors(directory, 23).equals(visitors(day, 23))
    assert len(visitors(day, 23)) == 4
    told = {
        (host, port): (dark, first)
        for host, port, dark, first in zip(
            *(edges[name].to_pylist() for name in ("host", "port", "dark_addresses", "first_ts")),
            strict=True,
        )
        if port >= 0
    }
    assert told
    for host, port, dark, first in zip(
        day.hosts, day.ports, day.dark_addresses, day.first_ns, strict=True
    ):
        assert (dark, first) == told.get((host, port), (NOT_TOLD, NOT_TOLD))


def test_nodes_have_ids_that_come_back() -> None:
    """From node to id and back; hosts and ports of a list apart."""
    nodes = [host_node(address(1)), port_node(23), port_node(-1), host_node(0)]
    assert [node_of(node.id) for node in nodes] == nodes
    assert hosts_among(nodes).tolist() == [0, address(1)]
    assert ports_among(nodes).tolist() == [-1, 23]
    assert nodes[0].address == "192.0.2.1"


@pytest.mark.parametrize("bad", ["", "x1", "h-1", "p65536", "h4294967296", "p023", None, 5, "p1\n"])
def test_what_is_no_node_is_refused(bad: object) -> None:
    """An id may come from a browser, so it may be anything."""
    with pytest.raises(ConfigError, match="A node is"):
        node_of(bad)


def test_typed_starts_are_told_apart() -> None:
    """Addresses, prefixes, ports and ranges of ports; nothing is guessed."""
    typed = read_seeds("192.0.2.1, port 23 tcp/2323\nports 6000-6002; 198.51.100.0/30 p80")
    assert typed.ports == (23, 80, 2323, 6000, 6001, 6002)
    assert [target.prefix_len for target in typed.targets] == [32, 30]
    assert typed.bad == ()


def test_what_is_neither_is_quoted() -> None:
    """Ports beyond 65535, ranges backwards or too long, and names."""
    typed = read_seeds(f"65536 10-5 1-{MOST_PORTS + 5} example.org 22")
    assert typed.ports == (22,)
    assert len(typed.bad) == 4


def test_a_node_is_a_pair_of_kind_and_key() -> None:
    """So it can be a key, sorted, and compared."""
    assert {Node("port", 23): 1}[port_node(23)] == 1
    assert sorted([port_node(2), host_node(1)]) == [host_node(1), port_node(2)]
