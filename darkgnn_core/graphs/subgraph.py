"""The part of a day's graph that is drawn: around some hosts and ports, and never too much of it.

Whatever is left out is told: each guard gives a `Cut` with what it shows and what there is.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from darkgnn_core.graphs.growing import Growth, host_totals, port_totals
from darkgnn_core.graphs.limits import Cut, Doings, Limits, Seeds
from darkgnn_core.graphs.nodes import Hosts, Node, host_node, hosts_among, port_node, ports_among
from darkgnn_core.graphs.pairs import Mask, Pairs, is_among, pairs_from

NODE_COLUMNS = (
    "id", "kind", "key", "packets", "degree", "shown_degree", "shown_packets", "is_seed",
    "is_expanded", "is_pinned",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Shown:
    """A graph cut to size.

    Attributes:
        nodes: One row a node, `NODE_COLUMNS`: `packets` and `degree` over all its pairs that
            pass the filters, `shown_degree` and `shown_packets` over the edges that are drawn.
        edges: One row an edge: `host`, `port`, `packets`, `dark_addresses`, `first_ns`,
            `last_ns`, `bins`, as in `pairs.Pairs`, the heaviest first.
        cuts: What the limits left out.
        absent: Seeds that sent nothing, or got nothing, at all.
        filtered: Seeds that the filters left without a pair.
    """

    nodes: pd.DataFrame
    edges: pd.DataFrame
    cuts: tuple[Cut, ...]
    absent: int
    filtered: int

    @property
    def ids(self) -> list[str]:
        """The ids of the nodes, in the order of `nodes`."""
        return [str(each) for each in self.nodes["id"]]


def subgraph(
    pairs: Pairs,
    seeds: Seeds,
    limits: Limits,
    doings: Doings | None = None,
    *,
    allowed: Hosts | None = None,
) -> Shown:
    """Cut the graph around some hosts and ports to a size that can be read.

    Args:
        pairs: Everything of the day or days.
        seeds: What it starts from; their neighbours are shown.
        limits: How much is shown.
        doings: What the analyst expanded, hid and pinned.
        allowed: Only these hosts count, uint32; None for all.
    """
    done = doings or Doings()
    mask = _passing(pairs, limits, done, allowed)
    passing = pairs if mask.all() else pairs.where(mask)
    growth = Growth(passing, limits)
    growth.start(seeds)
    for node, times in Counter(done.expanded).items():
        growth.expand(node, limits.neighbours * times)
    growth.pin(done.pinned)
    growth.shrink({*done.expanded, *done.pinned}, len(done.expanded))
    edges = growth.edges()
    nodes = _node_table(passing, list(growth.order), edges, seeds, done)
    return Shown(
        nodes=nodes,
        edges=edges,
        cuts=growth.cuts(),
        absent=_missing(pairs, seeds),
        filtered=_missing(passing, seeds) - _missing(pairs, seeds),
    )


def around(
    pairs: Pairs,
    seeds: Seeds,
    limits: Limits,
    doings: Doings | None = None,
    *,
    allowed: Hosts | None = None,
) -> Pairs:
    """Return all pairs of the seeds that pass the filters, drawn or not; arguments as above."""
    mask = _passing(pairs, limits, doings or Doings(), allowed)
    return pairs.where(mask & (pairs.with_hosts(seeds.hosts) | pairs.with_ports(seeds.ports)))


def around_shown(
    pairs: Pairs,
    seeds: Seeds,
    limits: Limits,
    doings: Doings,
    shown: Shown,
    *,
    allowed: Hosts | None = None,
) -> tuple[Pairs, Mask]:
    """Return all pairs that what is drawn was chosen from, and which of them are drawn.

    Args:
        pairs: Everything, as for `subgraph`.
        seeds: What it starts from.
        limits: How much is shown.
        doings: What the analyst did; pairs of expanded and pinned nodes count, too.
        shown: What is drawn of it.
        allowed: Only these hosts count, uint32; None for all.

    Returns:
        Pairs that pass the filters, and bool (p,).
    """
    touched = (*doings.expanded, *doings.pinned)
    hosts = np.union1d(seeds.hosts, hosts_among(touched)).astype(np.uint32)
    ports = np.union1d(seeds.ports, ports_among(touched)).astype(np.int32)
    edges = pairs_from(shown.edges)
    is_drawn = np.isin(pairs.keys, edges.keys)
    near = pairs.with_hosts(hosts) | pairs.with_ports(ports) | is_drawn
    chosen: Mask = near & _passing(pairs, limits, doings, allowed)
    return pairs.where(chosen), is_drawn[chosen]


def _passing(pairs: Pairs, limits: Limits, done: Doings, allowed: Hosts | None) -> Mask:
    mask: Mask = pairs.packets >= limits.min_packets
    if allowed is not None:
        mask &= pairs.with_hosts(allowed)
    if done.hidden:
        mask &= ~pairs.with_hosts(hosts_among(done.hidden))
        mask &= ~pairs.with_ports(ports_among(done.hidden))
    return mask


def _missing(pairs: Pairs, seeds: Seeds) -> int:
    hosts = ~is_among(seeds.hosts, pairs.unique_hosts)
    ports = pairs.hosts_on[seeds.ports + 1] == 0
    return int(hosts.sum() + ports.sum())


def _node_table(
    pairs: Pairs, nodes: list[Node], edges: pd.DataFrame, seeds: Seeds, done: Doings
) -> pd.DataFrame:
    """Describe the nodes that are shown, by kind, then packets."""
    of_hosts = host_totals(pairs.where(pairs.with_hosts(hosts_among(nodes))))
    of_ports = port_totals(pairs.where(pairs.with_ports(ports_among(nodes))))
    packets: Counter[Node] = Counter()
    met: Counter[Node] = Counter()
    for host, port, count in zip(edges["host"], edges["port"], edges["packets"], strict=True):
        for node in (host_node(host), port_node(port)):
            packets[node] += int(count)
            met[node] += 1
    start = {*map(host_node, seeds.hosts), *map(port_node, seeds.ports)}
    rows = []
    for node in nodes:
        total, degree = (of_hosts if node.is_host else of_ports).get(node, (0, 0))
        flags = (node in start, node in done.expanded, node in done.pinned)
        rows.append((node.id, *node, total, degree, met[node], packets[node], *flags))
    table = pd.DataFrame(rows, columns=list(NODE_COLUMNS))
    order = np.lexsort((table["key"], -table["packets"], table["kind"] != "host"))
    return table.iloc[order].reset_index(drop=True)
