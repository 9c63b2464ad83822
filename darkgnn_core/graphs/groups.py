"""Groups of hosts that ask for the same ports: equal or near sets over the day, bicliques drawn.

A biclique is a set of hosts and a set of ports in which every host asked for every port; it is
maximal where neither a host nor a port can be added.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from darkgnn_core.graphs.nodes import Hosts, Ports
from darkgnn_core.graphs.pairs import Pairs

Ints: TypeAlias = npt.NDArray[np.int64]

MOST_SETS = 2_000
MOST_BICLIQUES = 2_000
MOST_STEPS = 200_000


@dataclass(frozen=True, eq=False)
class Group:
    """Hosts with the ports they share.

    Attributes:
        hosts: uint32 (n,), by address.
        ports: int32 (m,): all of them ask for all of these.
        packets: What they sent to these ports.
    """

    hosts: Hosts
    ports: Ports
    packets: int


@dataclass(frozen=True, eq=False)
class Groups:
    """What was found.

    Attributes:
        groups: The largest first: hosts times ports.
        is_cut: Whether the search was ended by its bound, so that there may be more.
        looked_at: How many different sets of ports, or bicliques, were looked at.
        total: How many there are to look at; equal to `looked_at` where all were.
    """

    groups: tuple[Group, ...]
    is_cut: bool
    looked_at: int
    total: int


def same_ports(
    pairs: Pairs,
    *,
    near: float = 1.0,
    min_hosts: int = 3,
    min_ports: int = 2,
    most_sets: int = MOST_SETS,
) -> Groups:
    """Group the hosts of a day whose sets of ports are equal, or near.

    Equal sets are found among all hosts. Near ones: the sets with most hosts come first, each
    takes in the sets whose Jaccard likeness with it is `near` or more and that no other took.

    Args:
        pairs: Of the day; the port -1, which is not told, does not count.
        near: Shared ports as a share of all ports of the two, above 0; 1 for equal sets.
        min_hosts: Smallest group.
        min_ports: Fewest ports of a host: one port alone is no pattern.
        most_sets: So many different sets are held against one another, those with most hosts.
    """
    told = pairs.where(pairs.ports >= 0)
    sets, members = _port_sets(told, min_ports)
    order = sorted(range(len(sets)), key=lambda place: (-len(members[place]), sets[place]))
    looked = order if near >= 1 else order[:most_sets]
    taken = _joined_sets([sets[place] for place in looked], near)
    groups = []
    for leader in dict.fromkeys(taken):
        places = [looked[at] for at, own in enumerate(taken) if own == leader]
        hosts = np.concatenate([members[place] for place in places])
        if len(hosts) >= min_hosts:
            shared = frozenset.intersection(*(frozenset(sets[place]) for place in places))
            groups.append(_group(told, np.sort(told.unique_hosts[hosts]), sorted(shared)))
    return Groups(_largest(groups), len(looked) < len(order), len(looked), len(order))


def _port_sets(pairs: Pairs, min_ports: int) -> tuple[list[tuple[int, ...]], list[Ints]]:
    """Return the different sets of ports, and the places of the hosts that have each."""
    starts = np.searchsorted(pairs.host_places, np.arange(len(pairs.unique_hosts) + 1))
    found: dict[bytes, list[int]] = {}
    for place in range(len(pairs.unique_hosts)):
        ports = pairs.ports[starts[place] : starts[place + 1]]
        if len(ports) >= min_ports:
            found.setdefault(ports.tobytes(), []).append(place)
    sets = [tuple(np.frombuffer(key, np.int32).tolist()) for key in found]
    return sets, [np.array(places, np.int64) for places in found.values()]


def _joined_sets(sets: list[tuple[int, ...]], near: float) -> list[int]:
    """Return for each set the place of the earlier one that takes it in, or its own."""
    own = list(range(len(sets)))
    if near >= 1 or not sets:
        return own
    lengths = np.array([len(each) for each in sets])
    columns = np.concatenate([np.array(each, np.int64) for each in sets])
    rows = np.repeat(np.arange(len(sets)), lengths)
    from scipy.sparse import csr_matrix

    matrix = csr_matrix((np.ones(len(rows), np.int32), (rows, columns)))
    shared = (matrix @ matrix.T).toarray()
    taken = np.full(len(sets), -1)
    for place in range(len(sets)):
        if taken[place] < 0:
            likeness = shared[place] / (lengths + lengths[place] - shared[place])
            taken[(likeness >= near) & (taken < 0)] = place
    return [int(each) for each in taken]


def maximal_bicliques(
    pairs: Pairs,
    *,
    min_hosts: int = 3,
    min_ports: int = 2,
    most: int = MOST_BICLIQUES,
    most_steps: int = MOST_STEPS,
) -> Groups:
    """Return the maximal bicliques of a small graph, such as the part that is drawn.

    Args:
        pairs: Its edges.
        min_hosts: Fewest hosts of a biclique.
        min_ports: Fewest ports.
        most: The search ends once it has found so many.
        most_steps: The search ends after so many steps.

    Source:
        Maximal bicliques are the closed sets of a relation; listed by Close-by-One (Kuznetsov,
        1993), over bits.
    """
    hosts, host_at = np.unique(pairs.hosts, return_inverse=True)
    ports, port_at = np.unique(pairs.ports, return_inverse=True)
    of_port = [0] * len(ports)
    for host, port in zip(host_at, port_at, strict=True):
        of_port[port] |= 1 << int(host)
    found: list[tuple[int, int]] = []
    steps = 0
    for extent, intent in _closed(of_port, len(hosts), min_hosts):
        steps += 1
        if intent.bit_count() >= min_ports:
            found.append((extent, intent))
        if len(found) >= most or steps >= most_steps:
            break
    else:
        steps = 0
    groups = [
        _group(pairs, hosts[_bits(extent, len(hosts))], ports[_bits(intent, len(ports))].tolist())
        for extent, intent in found
    ]
    return Groups(_largest(groups), bool(steps), len(found), len(found))


def _closed(of_port: list[int], hosts: int, min_hosts: int) -> Iterator[tuple[int, int]]:
    """Yield each closed pair (hosts, ports) as bits, once, with at least so many hosts."""

    def intent_of(extent: int) -> int:
        return sum(1 << port for port, own in enumerate(of_port) if extent & own == extent)

    everyone = (1 << hosts) - 1
    stack = [(everyone, intent_of(everyone), 0)] if hosts >= max(min_hosts, 1) else []
    while stack:
        extent, intent, start = stack.pop()
        yield extent, intent
        for port in range(start, len(of_port)):
            if intent >> port & 1:
                continue
            smaller = extent & of_port[port]
            if smaller.bit_count() < max(min_hosts, 1):
                continue
            closure = intent_of(smaller)
            before = (1 << port) - 1
            if closure & before == intent & before:
                stack.append((smaller, closure, port + 1))


def _bits(number: int, length: int) -> npt.NDArray[np.bool_]:
    return np.array([number >> place & 1 for place in range(length)], bool)


def _group(pairs: Pairs, hosts: Hosts, ports: list[int]) -> Group:
    chosen = np.array(ports, np.int32)
    inside = pairs.with_hosts(hosts) & pairs.with_ports(chosen)
    return Group(hosts.astype(np.uint32), chosen, int(pairs.packets[inside].sum()))


def _largest(groups: list[Group]) -> tuple[Group, ...]:
    def order(group: Group) -> tuple[int, int, int, bytes]:
        size = len(group.hosts) * len(group.ports)
        return -size, -len(group.hosts), -group.packets, group.hosts.tobytes()

    return tuple(sorted(groups, key=order))


def group_rows(groups: Groups) -> pd.DataFrame:
    """Return groups as a table: `hosts`, `ports` (how many) and `packets`."""
    return pd.DataFrame(
        {
            "hosts": [len(group.hosts) for group in groups.groups],
            "ports": [len(group.ports) for group in groups.groups],
            "packets": [group.packets for group in groups.groups],
        }
    )
