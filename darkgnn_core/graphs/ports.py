"""The story of one port: who asks for it now, who is new there, and which ports are like it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from darkgnn_core.graphs.nodes import Hosts
from darkgnn_core.graphs.pairs import PORT_PLACES, Pairs, is_among
from darkgnn_core.snapshots.reading import column, read_pairs

Floats: TypeAlias = npt.NDArray[np.float64]
Labels: TypeAlias = npt.NDArray[np.object_]


def visitors(pairs: Pairs, port: int) -> pd.DataFrame:
    """Return who sent to a port: `host` uint32, `packets`, by address."""
    mask = pairs.ports == port
    return pd.DataFrame({"host": pairs.hosts[mask], "packets": pairs.packets[mask]})


def read_visitors(directory: Path, port: int) -> pd.DataFrame:
    """Return who sent to a port in a snapshot, as `visitors` does.

    Raises:
        WorkspaceError: `DAMAGED`.
    """
    table = read_pairs(directory)
    mask = column(table, "port") == port
    return pd.DataFrame({name: column(table, name)[mask] for name in ("host", "packets")})


def daily_classes(days: Mapping[str, tuple[pd.DataFrame, Labels]]) -> pd.DataFrame:
    """Count the visitors of a port by day and label.

    Args:
        days: For each bin its `visitors` and their labels, in the same order.

    Returns:
        Columns `bin`, `label`, `hosts`, `packets`; only labels that came.
    """
    parts = [
        found.assign(bin=key, label=labels)
        .groupby(["bin", "label"], sort=True)
        .agg(hosts=("host", "size"), packets=("packets", "sum"))
        .reset_index()
        for key, (found, labels) in days.items()
        if len(found)
    ]
    columns = ["bin", "label", "hosts", "packets"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def against_baseline(
    now: pd.DataFrame, labels: Labels, earlier: Sequence[tuple[pd.DataFrame, Labels]]
) -> pd.DataFrame:
    """Hold the visitors of a port against its own earlier days, label by label.

    Args:
        now: `visitors` of the day in view.
        labels: Their labels.
        earlier: The same of the days before, in any order; days without visitors count, too.

    Returns:
        Columns `label`; `hosts` now; `new_hosts`: those of them that did not ask for the port on
        any earlier day; `usual`, the median of the hosts a day before, `most`, the largest of
        them; `times`: hosts now over the usual, NaN where the usual is 0. Most new hosts first.
    """
    known = _union([found["host"].to_numpy(np.uint32) for found, _ in earlier])
    is_new = ~is_among(now["host"].to_numpy(np.uint32), known)
    names = sorted({*map(str, labels), *(str(each) for _, told in earlier for each in told)})
    before = np.array(
        [[int((told == name).sum()) for name in names] for _, told in earlier], np.float64
    ).reshape(len(earlier), len(names))
    usual = np.median(before, axis=0) if len(earlier) else np.full(len(names), np.nan)
    hosts = np.array([int((labels == name).sum()) for name in names])
    table = pd.DataFrame(
        {
            "label": names,
            "hosts": hosts,
            "new_hosts": [int((is_new & (labels == name)).sum()) for name in names],
            "usual": usual,
            "most": before.max(axis=0) if len(earlier) else np.full(len(names), np.nan),
            "times": np.divide(hosts, usual, out=np.full(len(names), np.nan), where=usual > 0),
        }
    )
    return table.sort_values(
        ["new_hosts", "hosts", "label"], ascending=[False, False, True], ignore_index=True
    )


def new_visitors(now: pd.DataFrame, earlier: Sequence[pd.DataFrame]) -> Hosts:
    """Return the hosts that ask for a port now and did on no earlier day, uint32, by address."""
    hosts = now["host"].to_numpy(np.uint32)
    known = _union([found["host"].to_numpy(np.uint32) for found in earlier])
    new: Hosts = hosts[~is_among(hosts, known)]
    return new


def _union(parts: Sequence[Hosts]) -> Hosts:
    return np.unique(np.concatenate([*parts, np.empty(0, np.uint32)])).astype(np.uint32)


def similar_ports(pairs: Pairs, port: int, most: int = 20) -> pd.DataFrame:
    """Return the ports that are visited like one: by the same hosts, to the same extent.

    A port is the vector of ln(1 + packets) of each host; two ports are as similar as the cosine
    of their vectors: 1 where the same hosts send the same, 0 where they share no host.

    Returns:
        Columns `port`, `similarity` (0 to 1), `shared` (hosts that visit both), `hosts` (of the
        other port), `share`: shared hosts as a share of those of `port`. Most similar first; the
        port itself, ports that share no host, and those that the trace does not tell left out.

    Source:
        Ours; the likeness of ports by their visitors, as in Dante and DarkVec, without a model.
    """
    own = pairs.hosts[pairs.ports == port]
    columns = ["port", "similarity", "shared", "hosts", "share"]
    if not len(own):
        return pd.DataFrame(columns=columns)
    weights = np.log1p(pairs.packets.astype(np.float64))
    lengths = np.sqrt(np.bincount(pairs.ports + 1, weights**2, minlength=PORT_PLACES))
    near = pairs.where(pairs.with_hosts(own))
    own_weight = np.zeros(len(near.unique_hosts))
    is_own = near.ports == port
    near_weights = np.log1p(near.packets.astype(np.float64))
    own_weight[near.host_places[is_own]] = near_weights[is_own]
    products = np.bincount(
        near.ports + 1, near_weights * own_weight[near.host_places], minlength=PORT_PLACES
    )
    ports = np.flatnonzero(near.hosts_on) - 1
    ports = ports[(ports >= 0) & (ports != port)]
    places = ports + 1
    table = pd.DataFrame(
        {
            "port": ports,
            "similarity": products[places] / (lengths[places] * lengths[port + 1]),
            "shared": near.hosts_on[places],
            "hosts": pairs.hosts_on[places],
            "share": near.hosts_on[places] / len(own),
        }
    )
    order = np.lexsort((table["port"], -table["shared"], -table["similarity"].round(12)))
    return table.iloc[order[:most]].reset_index(drop=True)


def ports_near(
    pairs: Pairs,
    port: int,
    hosts: Hosts,
    rows: npt.NDArray[np.float32],
    *,
    most: int = 20,
    min_hosts: int = 3,
) -> pd.DataFrame:
    """Return the ports whose visitors lie where those of one do in an embedding.

    A port lies at the mean of its visitors' rows, each by ln(1 + packets); two ports are as
    similar as the cosine of their places. They may have no visitor in common.

    Args:
        pairs: Of the day or days.
        port: The port.
        hosts: uint32 (n,), ascending, the hosts of the embedding.
        rows: float32 (n, E), one a host, columns centred (`maps.projecting.directions`).
        most: How many ports.
        min_hosts: Fewest visitors with an embedding that a port must have.

    Returns:
        Columns `port`, `similarity` (-1 to 1), `shared` (hosts that visit both) and `hosts` (of the
        other port), both of those that are embedded. Most similar first; `port` itself left out.

    Source:
        Ours; the mean of the vectors of what belongs to it, as for documents of words.
    """
    columns = ["port", "similarity", "shared", "hosts"]
    known = pairs.where(pairs.with_hosts(hosts) & (pairs.ports >= 0))
    ports, place_of = np.unique(known.ports, return_inverse=True)
    visited = np.bincount(place_of, minlength=len(ports))
    own = int(np.searchsorted(ports, port))
    if own == len(ports) or ports[own] != port or visited[own] < min_hosts:
        return pd.DataFrame(columns=columns)
    places = _places(known, place_of, len(ports), hosts, rows)
    lengths = np.linalg.norm(places, axis=1)
    likeness = places @ places[own] / np.maximum(lengths * lengths[own], 1e-12)
    both = known.where(known.with_hosts(known.hosts[place_of == own])).hosts_on[ports + 1]
    kept = np.flatnonzero((visited >= min_hosts) & (ports != port))
    order = kept[np.lexsort((ports[kept], -likeness[kept].round(9)))][:most]
    found = (ports[order], likeness[order], both[order], visited[order])
    return pd.DataFrame(dict(zip(columns, found, strict=True)))


def _places(
    known: Pairs,
    place_of: npt.NDArray[np.int64],
    ports: int,
    hosts: Hosts,
    rows: npt.NDArray[np.float32],
) -> Floats:
    """Return the sum of the rows of each port's visitors by ln(1 + packets), float64 (ports, E)."""
    from scipy.sparse import csr_matrix

    weights = np.log1p(known.packets.astype(np.float64))
    at = np.searchsorted(hosts, known.hosts)
    shape = (ports, len(hosts))
    found: Floats = np.asarray(
        csr_matrix((weights, (place_of, at)), shape=shape) @ rows, np.float64
    )
    return found
