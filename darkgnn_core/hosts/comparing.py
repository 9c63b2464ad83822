"""Hosts or sets of hosts side by side on one day."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from darkgnn_core.hosts.evidence import likeness
from darkgnn_core.hosts.fingerprint import fingerprint_of
from darkgnn_core.hosts.reading import Floats, Hosts, PortTable, row_of
from darkgnn_core.labels.texts import UNKNOWN

MEDIANS = {
    "packets": "packets a host",
    "true_ports": "ports a host",
    "dark_addresses": "dark addresses a host",
    "hours": "hours a host",
    "gap_p50_s": "seconds between packets",
    "length_common": "length in bytes",
    "hops": "hops",
}
"""Columns whose medians are compared, and what they are called."""

MOST_TOOLS = 2_000
"""Of a larger group so many hosts, evenly by address, tell the common tools."""


@dataclass(frozen=True, eq=False)
class Compared:
    """Groups of hosts side by side, g groups.

    Attributes:
        facts: One row a fact, first column `fact`, then a column of words for each group.
        ports: One row a port: `port`, `day_share` (of all hosts of the day) and `share_<n>` (of the
            n-th group, from 1), the ports most unlike between groups first.
        pairs: One row a pair of groups: `first`, `second`, `hosts_shared`, `ports_shared`,
            `ports_jaccard`, and `ports_cosine` (likeness of the shares by port).
        absent: Hosts of each group that were not seen on the day, by name.
    """

    facts: pd.DataFrame
    ports: pd.DataFrame
    pairs: pd.DataFrame
    absent: Mapping[str, int]


def compare(
    groups: Mapping[str, Hosts],
    *,
    rows: pd.DataFrame,
    ports: PortTable,
    labels: Mapping[int, str],
    limit: int = 25,
) -> Compared:
    """Put groups of hosts side by side.

    Args:
        groups: uint32 addresses by name; a group of one host is a host.
        rows: Of the hosts of all groups that were seen on the day (`reading.read_host_rows`).
        ports: Who asked for which port on the day.
        labels: Label of each host that was seen.
        limit: How many ports.
    """
    there = rows["host"].to_numpy()
    seen = {name: np.unique(hosts[np.isin(hosts, there)]) for name, hosts in groups.items()}
    shares = {name: port_shares(ports, hosts) for name, hosts in seen.items()}
    columns = {name: _facts(rows[np.isin(there, hosts)], labels) for name, hosts in seen.items()}
    facts = pd.DataFrame(columns)
    return Compared(
        facts=facts.rename_axis("fact").reset_index(),
        ports=_unlike_ports(shares, ports, limit),
        pairs=_pairs(seen, shares),
        absent={name: len(np.unique(hosts)) - len(seen[name]) for name, hosts in groups.items()},
    )


def port_shares(table: PortTable, hosts: Hosts) -> Floats:
    """Return the share of some hosts that asked for each port, float64 (65536,)."""
    counts = np.zeros(65_536)
    for host in hosts:
        ours = table.of(int(host))[0]
        counts[ours[ours >= 0]] += 1
    found: Floats = counts / max(len(hosts), 1)
    return found


def _facts(rows: pd.DataFrame, labels: Mapping[int, str]) -> dict[str, str]:
    told = {"hosts seen": f"{len(rows):,}"}
    if rows.empty:
        return told
    said = pd.Series([labels.get(int(host), UNKNOWN) for host in rows["host"]]).value_counts()
    told["labels"] = _listed(said)
    told["packets"] = _number(float(rows["packets"].sum()))
    for column, words in MEDIANS.items():
        value = float(rows[column].astype("float64").median())
        told[f"median {words}"] = "not told" if np.isnan(value) else _number(value)
    told["likely tool"] = _tools(rows)
    told["/24 networks"] = f"{len(np.unique(rows['host'].to_numpy() >> np.uint32(8))):,}"
    return told


def _tools(rows: pd.DataFrame) -> str:
    step = max(1, -(-len(rows) // MOST_TOOLS))
    words = [fingerprint_of(row_of(rows, place)).words for place in range(0, len(rows), step)]
    return _listed(pd.Series(words).value_counts())


def _listed(counts: "pd.Series[int]", limit: int = 3) -> str:
    total = int(counts.sum())
    if len(counts) == 1:
        return str(counts.index[0])
    told = [f"{name} {number / total:.0%}" for name, number in counts.head(limit).items()]
    more = len(counts) - limit
    return ", ".join(told) + (f", {more} more" if more > 0 else "")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.3g}"


def _unlike_ports(shares: Mapping[str, Floats], table: PortTable, limit: int) -> pd.DataFrame:
    names = [f"share_{place}" for place in range(1, len(shares) + 1)]
    matrix = np.stack(list(shares.values()), axis=1) if shares else np.empty((65_536, 0))
    columns = ["port", "day_share", *names]
    if not matrix.any():
        return pd.DataFrame(columns=columns)
    spread = matrix.max(axis=1) - matrix.min(axis=1)
    most = matrix.max(axis=1)
    asked = np.flatnonzero(most > 0)
    order = asked[np.lexsort((asked, -most[asked], -spread[asked]))][:limit]
    day = table.hosts_on[order] / max(len(table.hosts), 1)
    return pd.DataFrame(np.column_stack([order, day, matrix[order]]), columns=columns).astype(
        {"port": np.int64}
    )


def _pairs(seen: Mapping[str, Hosts], shares: Mapping[str, Floats]) -> pd.DataFrame:
    rows = []
    for first, second in combinations(seen, 2):
        ours, theirs = shares[first] > 0, shares[second] > 0
        both, either = int((ours & theirs).sum()), int((ours | theirs).sum())
        rows.append(
            (
                first,
                second,
                len(np.intersect1d(seen[first], seen[second])),
                both,
                both / either if either else float("nan"),
                likeness(shares[first], shares[second]),
            )
        )
    columns = ["first", "second", "hosts_shared", "ports_shared", "ports_jaccard", "ports_cosine"]
    return pd.DataFrame(rows, columns=columns)
