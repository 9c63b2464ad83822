"""Why two hosts are alike: what they share, and how surprising that is on this day.

An embedding only says that two hosts are near. This says in what: ports with their lift over the
day's base rate, volume, timing, headers, features, and whether other runs agree.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from darkgnn_core.hosts.features import feature_gaps
from darkgnn_core.hosts.fingerprint import compared_traits, is_same_fingerprint
from darkgnn_core.hosts.reading import Floats, PortTable, row_of

PREFIX_BITS = 8
"""Bits of an address that a /24 leaves open."""


@dataclass(frozen=True, eq=False)
class SharedPorts:
    """The ports that two hosts both asked for.

    Attributes:
        ports: One row a port: `port`, `packets`, `neighbour_packets`, `hosts` (of the day),
            `base_rate` (share of the day's other hosts that asked for it, 0 to 1) and `lift`
            (1 / base_rate: how many times likelier than in a random host), the rarest first.
        count: How many they share.
        of_host: Ports of the first host.
        of_neighbour: Ports of the second.
        expected: How many the first would share with a random host of the day: the sum of the
            base rates of its ports.
        jaccard: Shared ports as a share of all that either asked for.
        cosine: Likeness of their packets by port, 0 to 1.
    """

    ports: pd.DataFrame
    count: int
    of_host: int
    of_neighbour: int
    expected: float
    jaccard: float
    cosine: float

    @property
    def lift(self) -> float:
        """How many times more ports they share than the host shares with a random one."""
        return self.count / self.expected if self.expected > 0 else float("nan")


@dataclass(frozen=True, eq=False)
class Evidence:
    """What two hosts have in common on one day, and in what they differ.

    Attributes:
        host: Address of the first.
        neighbour: Address of the second.
        shared: Their ports.
        packets: Packets of both on the day; NaN where not told.
        volume: The smaller number of packets as a share of the larger one; NaN where not told.
        timing: Likeness of their packets by hour, 0 to 1; NaN where packets are not stored.
        traits: Their headers side by side (`fingerprint.compared_traits`).
        is_same_fingerprint: Whether all headers agree; None where too few are told.
        is_same_prefix: Whether they lie in the same /24: their likeness may be that of a network.
        gaps: The features in which they differ most (`features.feature_gaps`).
    """

    host: int
    neighbour: int
    shared: SharedPorts
    packets: tuple[float, float]
    volume: float
    timing: float
    traits: pd.DataFrame
    is_same_fingerprint: bool | None
    is_same_prefix: bool
    gaps: pd.DataFrame


def shared_ports(table: PortTable, host: int, neighbour: int) -> SharedPorts:
    """Return the ports that two hosts share, with their lift over the day's base rate.

    The base rate of a port is that of the hosts of the day other than the first: the share of
    those that asked for it. Ports that the trace does not tell (-1) are left out.
    """
    ours, our_packets = _known(table, host)
    theirs, their_packets = _known(table, neighbour)
    both, at_ours, at_theirs = np.intersect1d(ours, theirs, assume_unique=True, return_indices=True)
    others = max(len(table.hosts) - 1, 1)
    rates = (table.hosts_on[ours] - 1) / others
    rows = pd.DataFrame(
        {
            "port": both,
            "packets": our_packets[at_ours],
            "neighbour_packets": their_packets[at_theirs],
            "hosts": table.hosts_on[both],
            "base_rate": rates[at_ours],
            "lift": 1 / np.maximum(rates[at_ours], 1 / others),
        }
    )
    either = len(ours) + len(theirs) - len(both)
    product = float(our_packets[at_ours].astype(float) @ their_packets[at_theirs].astype(float))
    lengths = float(
        np.linalg.norm(our_packets.astype(float)) * np.linalg.norm(their_packets.astype(float))
    )
    return SharedPorts(
        ports=rows.sort_values(["lift", "port"], ascending=[False, True], ignore_index=True),
        count=len(both),
        of_host=len(ours),
        of_neighbour=len(theirs),
        expected=float(rates.sum()),
        jaccard=len(both) / either if either else float("nan"),
        cosine=product / lengths if lengths > 0 else float("nan"),
    )


def _known(table: PortTable, host: int) -> tuple[np.ndarray, np.ndarray]:
    ports, packets = table.of(host)
    return ports[ports >= 0], packets[ports >= 0]


def likeness(ours: Floats, theirs: Floats) -> float:
    """Return the cosine of two profiles without negative values, 0 to 1; NaN where one is zero.

    >>> likeness(np.array([1.0, 0.0]), np.array([2.0, 0.0]))
    1.0
    """
    lengths = float(np.linalg.norm(ours) * np.linalg.norm(theirs))
    return min(float(ours @ theirs) / lengths, 1.0) if lengths > 0 else float("nan")


def volume_likeness(packets: float, others: float) -> float:
    """Return the smaller volume as a share of the larger one; NaN where one is not told.

    >>> volume_likeness(50, 200)
    0.25
    """
    largest = max(packets, others)
    return min(packets, others) / largest if largest > 0 else float("nan")


def is_same_prefix(host: int, other: int) -> bool:
    """Say whether two addresses lie in the same /24."""
    return host >> PREFIX_BITS == other >> PREFIX_BITS


def evidence_of(
    host: int,
    neighbour: int,
    *,
    rows: pd.DataFrame,
    features: tuple[str, ...],
    ports: PortTable,
    hours: tuple[Floats, Floats] | None,
) -> Evidence:
    """Put together what speaks for and against the likeness of two hosts.

    Args:
        host: Address of the first, one of the day.
        neighbour: Address of the second, one of the day.
        rows: All hosts of the day, by address (`reading.read_host_rows`).
        features: Names of the feature columns that are compared.
        ports: Who asked for which port on the day.
        hours: Packets by hour of both, or None where packets are not stored.
    """
    there = rows["host"].to_numpy()
    place, other = (int(np.searchsorted(there, np.uint32(each))) for each in (host, neighbour))
    ours, theirs = (row_of(rows, each) for each in (place, other))
    traits = compared_traits(ours, theirs)
    packets = (float(ours["packets"]), float(theirs["packets"]))
    return Evidence(
        host=host,
        neighbour=neighbour,
        shared=shared_ports(ports, host, neighbour),
        packets=packets,
        volume=volume_likeness(*packets),
        timing=float("nan") if hours is None else likeness(*hours),
        traits=traits,
        is_same_fingerprint=is_same_fingerprint(traits),
        is_same_prefix=is_same_prefix(host, neighbour),
        gaps=feature_gaps(features, rows[list(features)].to_numpy(np.float64), place, other),
    )
