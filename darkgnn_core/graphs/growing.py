"""Choosing the nodes that are shown: the start, what is expanded and pinned, then the limits."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from darkgnn_core.graphs.limits import MOST_NODES, Cut, Decided, Limits, Part, Seeds
from darkgnn_core.graphs.nodes import (
    Hosts,
    Node,
    Ports,
    host_node,
    hosts_among,
    port_node,
    ports_among,
)
from darkgnn_core.graphs.pairs import PORT_PLACES, Ints, Mask, Pairs, frame_of, is_among, met_by

Keys: TypeAlias = npt.NDArray[Any]
"""Addresses or ports."""

NO_KEYS: Keys = np.empty(0, np.int64)


class _Offer(NamedTuple):
    """Nodes that could be shown, and why."""

    part: Part
    nodes: list[Node]
    of: Node | None
    rank: Decided


def _nodes(part: Part, keys: Keys) -> list[Node]:
    make = host_node if part in ("hosts", "seed hosts") else port_node
    return [make(key) for key in keys]


class Growth:
    """The nodes that are shown, while they are being chosen."""

    def __init__(self, pairs: Pairs, limits: Limits) -> None:
        self.pairs, self.limits = pairs, limits
        self.offers: list[_Offer] = []
        self.beyond: list[Cut] = []
        self.order: dict[Node, None] = {}
        self.seeds: set[Node] = set()

    def start(self, seeds: Seeds) -> None:
        """Show the seeds and what they meet, each as far as the limits go."""
        pairs, limits = self.pairs, self.limits
        hosts = seeds.hosts[is_among(seeds.hosts, pairs.unique_hosts)]
        ports = seeds.ports[pairs.hosts_on[seeds.ports + 1] > 0]
        of_hosts, of_ports = pairs.with_hosts(hosts), pairs.with_ports(ports)
        room = max(limits.nodes // 2, limits.nodes - limits.neighbours)
        shown_ports = self._top("seed ports", ports, _by_port(pairs.where(of_ports)), room // 2)
        of_all = pairs.where(of_hosts)
        met_ports = self._top(
            "ports", None, _by_port(of_all), limits.neighbours, of_all if len(hosts) > 1 else None
        )
        drawn = pairs.where(of_hosts & pairs.with_ports(np.union1d(met_ports, shown_ports)))
        left = max(1, room - len(shown_ports))
        shown_hosts = self._top("seed hosts", hosts, _by_host(drawn), left)
        met = pairs.where(of_ports & ~of_hosts & pairs.with_ports(shown_ports))
        met_hosts = self._top(
            "hosts", None, _by_host(met), limits.neighbours, met if len(shown_ports) > 1 else None
        )
        self.seeds = {*map(host_node, shown_hosts), *map(port_node, shown_ports)}
        self._add(shown_hosts, shown_ports)
        self._add(met_hosts, met_ports)

    def _top(
        self,
        part: Part,
        among: Keys | None,
        table: tuple[Keys, Ints, Ints],
        most: int,
        fair: Pairs | None = None,
    ) -> Keys:
        """Return the highest ranked; note what there was.

        Args:
            part: What is chosen.
            among: Everyone there is, or None for those of the table.
            table: Keys, packets, and how many each met.
            most: How many.
            fair: Where given, the heaviest of each one met come first, then the second heaviest.
        """
        keys, packets, met = table
        rank: Decided = self.limits.rank if part == "ports" else "packets"
        if rank == "packets" and fair is not None:
            rank = "each"
            order = np.lexsort((keys, -packets, _best_places(fair, part)))
        elif rank == "shared":
            order = np.lexsort((keys, -packets, -met))
        else:
            order = np.lexsort((keys, -met, -packets))
        chosen: Keys = keys[order[:most]]
        everyone = keys if among is None else among
        self.offers.append(_Offer(part, _nodes(part, everyone), None, rank))
        return chosen

    def _add(self, hosts: Keys, ports: Keys) -> None:
        for host in hosts:
            self.order.setdefault(host_node(host))
        for port in ports:
            self.order.setdefault(port_node(port))

    def expand(self, node: Node, most: int) -> None:
        """Show the heaviest neighbours, of those that are not shown yet, of a node that is."""
        if node not in self.order:
            return
        part: Part = "ports" if node.is_host else "hosts"
        keys, packets = self._met_by(node)
        met = _nodes(part, keys)
        is_new = np.array([each not in self.order for each in met], bool)
        new, weights = keys[is_new], packets[is_new]
        chosen = new[np.lexsort((new, -weights))[:most]]
        if node.is_host:
            self._add(NO_KEYS, chosen)
        else:
            self._add(chosen, NO_KEYS)
        self.offers.append(_Offer(part, met, node, "packets"))

    def _met_by(self, node: Node) -> tuple[Keys, Ints]:
        """Return the neighbours of a node and their packets."""
        met = met_by(self.pairs, node)
        return (met.ports if node.is_host else met.hosts), met.packets

    def pin(self, nodes: Sequence[Node]) -> None:
        """Show pinned nodes even where nothing brings them."""
        for node in nodes:
            if len(self._met_by(node)[0]):
                self.order.setdefault(node)

    def shrink(self, keep: Collection[Node], expansions: int) -> None:
        """Leave out the lightest nodes beyond the limit, and those that meet nobody shown."""
        total = len(self.order)
        weights = self._drawn()
        held = self.seeds | set(keep)
        free = [node for node in self.order if node not in held]
        free.sort(key=lambda node: (-weights.get(node, (0, 0))[0], node))
        most = min(MOST_NODES, self.limits.nodes + expansions * self.limits.neighbours)
        room = max(0, most - (total - len(free)))
        dropped = set(free[room:])
        if dropped:
            self.beyond.append(Cut("nodes", total - len(dropped), total))
        self.order = {node: None for node in self.order if node not in dropped}
        met = self._drawn()
        self.order = {node: None for node in self.order if node in met or node in held}

    def cuts(self) -> tuple[Cut, ...]:
        """Return what is left out, as things are now; the same nodes once."""
        found = []
        told: set[frozenset[Node]] = set()
        for offer in self.offers:
            among = frozenset(offer.nodes)
            shown = sum(node in self.order for node in among)
            if shown < len(among) and among not in told:
                told.add(among)
                found.append(Cut(offer.part, shown, len(offer.nodes), offer.of, offer.rank))
        return (*found, *self.beyond)

    def _drawn(self) -> dict[Node, tuple[int, int]]:
        drawn = self.pairs.where(self._shown_rows())
        return host_totals(drawn) | port_totals(drawn)

    def _shown_rows(self) -> Mask:
        nodes = list(self.order)
        hosts: Mask = self.pairs.with_hosts(hosts_among(nodes))
        return hosts & self.pairs.with_ports(ports_among(nodes))

    def edges(self) -> pd.DataFrame:
        """Return the edges between the nodes, the heaviest first."""
        drawn = self.pairs.where(self._shown_rows())
        order = np.lexsort((drawn.ports, drawn.hosts, -drawn.packets))
        if len(order) > self.limits.edges:
            is_first = np.zeros(len(order), bool)
            is_first[: self.limits.edges] = True
            for column in (drawn.hosts[order], drawn.ports[order]):
                is_first[np.unique(column, return_index=True)[1]] = True
            self.beyond.append(Cut("edges", int(is_first.sum()), len(order)))
            order = order[is_first]
        return frame_of(drawn.where(order))


def _by_port(pairs: Pairs) -> tuple[Ports, Ints, Ints]:
    """Return the ports of pairs, their packets, and how many hosts sent to each."""
    packets = np.zeros(PORT_PLACES, np.int64)
    np.add.at(packets, pairs.ports + 1, pairs.packets)
    ports = np.flatnonzero(pairs.hosts_on)
    return (ports - 1).astype(np.int32), packets[ports], pairs.hosts_on[ports]


def _by_host(pairs: Pairs) -> tuple[Hosts, Ints, Ints]:
    """Return the hosts of pairs, their packets, and how many ports each sent to."""
    places = pairs.host_places
    packets = np.zeros(len(pairs.unique_hosts), np.int64)
    np.add.at(packets, places, pairs.packets)
    return pairs.unique_hosts, packets, np.bincount(places, minlength=len(packets))


def _best_places(pairs: Pairs, part: Part) -> Ints:
    """Return the best place of each port, or host, among the neighbours of any other end.

    Place 0 is the heaviest neighbour of somebody; keys ascending, as in `_by_port`, `_by_host`.
    """
    own, other = (pairs.ports, pairs.hosts) if part == "ports" else (pairs.hosts, pairs.ports)
    order = np.lexsort((own, -pairs.packets, other))
    is_first = np.append(True, other[order][1:] != other[order][:-1])[: len(order)]
    starts = np.flatnonzero(is_first)
    places = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    keys, back = np.unique(own[order], return_inverse=True)
    best = np.full(len(keys), len(order), np.int64)
    np.minimum.at(best, back, places)
    return best


def host_totals(pairs: Pairs) -> dict[Node, tuple[int, int]]:
    """Return packets and number of ports of each host of some pairs."""
    rows = zip(*_by_host(pairs), strict=True)
    return {host_node(key): (int(packets), int(met)) for key, packets, met in rows}


def port_totals(pairs: Pairs) -> dict[Node, tuple[int, int]]:
    """Return packets and number of hosts of each port of some pairs."""
    rows = zip(*_by_port(pairs), strict=True)
    return {port_node(key): (int(packets), int(met)) for key, packets, met in rows}
