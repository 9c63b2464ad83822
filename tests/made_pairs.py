"""Small days of pairs for tests of graphs, written down or drawn."""

from collections.abc import Iterable
from ipaddress import IPv4Address

import numpy as np

from darkgnn_core.graphs.pairs import Pairs, joined, no_pairs


def address(last: int) -> int:
    """Return 192.0.2.`last` as an integer."""
    return int(IPv4Address("192.0.2.0")) + last


def pairs_of(rows: Iterable[tuple[int, int, int]]) -> Pairs:
    """Return pairs from (last byte of the host, port, packets)."""
    table = np.array(sorted((address(host), port, n) for host, port, n in rows), np.int64)
    if not len(table):
        return no_pairs()
    count = len(table)
    return Pairs(
        hosts=table[:, 0].astype(np.uint32),
        ports=table[:, 1].astype(np.int32),
        packets=table[:, 2],
        dark_addresses=np.full(count, 2, np.int64),
        first_ns=np.full(count, 1_000, np.int64),
        last_ns=np.full(count, 2_000, np.int64),
        bins=np.ones(count, np.int64),
    )


def rows_of(pairs: Pairs) -> list[tuple[int, int, int]]:
    """Return pairs as `pairs_of` takes them."""
    hosts = pairs.hosts.astype(np.int64) - address(0)
    return [
        (int(host), int(port), int(n))
        for host, port, n in zip(hosts, pairs.ports, pairs.packets, strict=True)
    ]


def drawn_pairs(seed: int, *, hosts: int = 40, ports: int = 25, count: int = 300) -> Pairs:
    """Return drawn pairs of hosts 192.0.2.0 and on, ports 1 and on, 1 to 1,000 packets."""
    draw = np.random.default_rng(seed)
    rows = zip(
        draw.integers(0, hosts, count),
        1 + (draw.pareto(1.0, count) * 3).astype(int) % ports,
        draw.integers(1, 1_000, count),
        strict=True,
    )
    return joined([pairs_of([(int(host), int(port), int(n))]) for host, port, n in rows])
