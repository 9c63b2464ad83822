"""What is counted of the packets of a shard: small exact tables by sender, port and pair.

Everything is integers. The bounds, for a shard of at most 2**31 packets: a sum of 32-bit values
stays below 2**63, and so does a sum of squares of 16-bit values and of counts (whose own sum is the
number of packets). A square of a 32-bit field, shifted by half its range, reaches 2**62; its two
halves of 32 bits are added apart.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from darkgnn_core.snapshots.arrays import (
    Bools,
    arrow_table,
    encoded,
    hours_of,
    present,
    values_of,
)
from darkgnn_core.snapshots.bins import Bin
from darkgnn_core.snapshots.columns import HEADERS, REST
from darkgnn_core.snapshots.sorting import (
    Ints,
    PairCounts,
    Places,
    count_pairs,
    group_sizes,
    group_starts,
    order_pairs,
    sort_pairs,
)
from darkgnn_core.traces.packets import COLUMNS

WIDE_HEADERS = ("length", "ts_option")
"""Fields of 32 bits: shifted by half their range before they are squared, to fit 64 bits."""

HALF_RANGE = 2**31
LOW_HALF = np.int64(2**32 - 1)

FIXED_POINT = 2**26
"""Entropies are added in units of 2**-26 bits: integers, whose sum does not depend on its order."""

MOST_TABLED = 2**20
"""Counts below it are looked up in a table."""

QUANTILES = {"p10": 1, "p50": 5, "p90": 9}
"""Quantiles of gaps, in tenths: exact, where 0.1 as a floating-point number is not."""

ZMAP_IP_ID = 54_321

SPREADS = {"host_dark": "dst_ip", "host_source_ports": "src_port"}
"""Tables of how the packets of a host spread over the values of a column."""

COMMONS = {"common_ttl": "ttl", "common_window": "window", "common_length": "length"}
"""Tables of the most frequent value of a column."""

NO_PORT = 2**16
"""Stands for a missing port while counting; `REST` stands for it in what is counted."""


def ports_of(table: pa.Table) -> npt.NDArray[np.uint32]:
    """Return the destination port of each packet, `NO_PORT` where it is not known."""
    ports = values_of(table, "dst_port").astype(np.uint32)
    with_port = present(table, "dst_port")
    if with_port is not None:
        ports[~with_port] = NO_PORT
    return ports


@dataclass(frozen=True, eq=False)
class Packets:
    """The packets of a shard whose senders have enough of them, r rows of `table`.

    Attributes:
        table: Packets of `packets.SCHEMA`, those of left out senders among them.
        hosts: uint32 (h,), senders with enough packets, ascending.
        host: uint32 (r,), place of the sender in `hosts`; h for the left out.
        senders: How many senders there are, left out or not.
        kept: How many rows are not left out.
    """

    table: pa.Table
    hosts: npt.NDArray[np.uint32]
    host: npt.NDArray[np.uint32]
    senders: int
    kept: int

    @classmethod
    def of_table(cls, table: pa.Table, min_packets: int) -> "Packets":
        """Find the senders of `table` with at least `min_packets` packets."""
        addresses, codes = encoded(table, "src_ip")
        sent = np.bincount(codes, minlength=len(addresses))
        chosen = sent >= min_packets
        hosts = np.sort(addresses[chosen])
        place = np.full(len(addresses), len(hosts), np.uint32)
        place[chosen] = np.searchsorted(hosts, addresses[chosen])
        return cls(table, hosts, place[codes], len(addresses), int(sent[chosen].sum()))

    @cached_property
    def pairs(self) -> "Pairs":
        """Who sent to which port."""
        ports = ports_of(self.table)
        order = order_pairs(self.host, ports)[: self.kept]
        host, port = self.host[order], ports[order]
        starts = group_starts(host.astype(np.uint64) << np.uint64(17) | port)
        return Pairs(order, starts, host[starts], port[starts])

    def counts(self, name: str) -> PairCounts:
        """Count the values of a column by host; packets without a value do not count."""
        return self.counts_of(values_of(self.table, name), present(self.table, name))

    def counts_of(self, values: Ints, rows: Bools | None) -> PairCounts:
        """Count values by host, on some rows only."""
        host = self.host if rows is None else self.host[rows]
        counts = count_pairs(host, values if rows is None else values[rows])
        end = np.searchsorted(counts.high, len(self.hosts))
        return PairCounts(counts.high[:end], counts.low[:end], counts.n[:end])

    def times(self, rows: Bools | None) -> Places:
        """Count packets by host, int64 (h,), on some rows only."""
        host = self.host if rows is None else self.host[rows]
        return np.bincount(host, minlength=len(self.hosts) + 1)[: len(self.hosts)]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Packets in the order of host, then port: k rows, p pairs.

    Attributes:
        order: int64 (k,), rows of the table.
        starts: int64 (p,), where in `order` a pair starts.
        host: uint32 (p,), place of the host.
        port: uint32 (p,), port, or `NO_PORT`.
    """

    order: Places
    starts: Places
    host: npt.NDArray[np.uint32]
    port: npt.NDArray[np.uint32]

    @cached_property
    def n(self) -> Places:
        """Packets of each pair."""
        return group_sizes(self.starts, len(self.order))

    @cached_property
    def host_starts(self) -> Places:
        """Where in the pairs a host starts."""
        return group_starts(self.host)

    @cached_property
    def port_order(self) -> Places:
        """The order of pairs by port."""
        return np.argsort(self.port, kind="stable")

    @cached_property
    def port_starts(self) -> Places:
        """Where in `port_order` a port starts."""
        return group_starts(self.port[self.port_order])

    @cached_property
    def number(self) -> npt.NDArray[np.int32]:
        """Number of the port of each pair; `REST` where it is not known."""
        return np.where(self.port == NO_PORT, REST, self.port.astype(np.int32)).astype(np.int32)

    def by_host(self, values: Ints, reduce: np.ufunc) -> Ints:
        """Bring values of pairs together by host."""
        result: Ints = reduce.reduceat(values, self.host_starts)
        return result

    def by_port(self, values: Ints, reduce: np.ufunc) -> Ints:
        """Bring values of pairs together by port, in the order of port numbers."""
        result: Ints = reduce.reduceat(values[self.port_order], self.port_starts)
        return result


def count_packets(packets: Packets, time_bin: Bin) -> dict[str, pa.Table]:
    """Count what features are made of, by the names that `statements` knows.

    Args:
        packets: A shard with at least one host.
        time_bin: Its bin.
    """
    hosts = packets.hosts
    tables = {"host_gaps": _gaps(packets, time_bin)}  # first: it takes most memory
    by_hour = packets.counts_of(hours_of(packets.table, time_bin), None)
    sizes = np.bincount(by_hour.low, weights=by_hour.n, minlength=1).astype(np.int64)
    tables["kept_hours"] = arrow_table({"hour": np.arange(len(sizes)), "n": sizes})
    tables["host_hours"] = spread_of(hosts, by_hour)
    for name, column in SPREADS.items():
        tables[name] = spread_of(hosts, packets.counts(column))
    for name, column in COMMONS.items():
        tables[name] = common_of(hosts, packets.counts(column))
    return tables | count_by_pair(packets)


def count_by_pair(packets: Packets) -> dict[str, pa.Table]:
    """Count what is counted by host and port first: `pairs`, `host_headers`, `port_parts`."""
    pairs = packets.pairs
    ordered = values_of(packets.table, "ts_ns")[pairs.order]
    first = np.minimum.reduceat(ordered, pairs.starts)
    last = np.maximum.reduceat(ordered, pairs.starts)
    by_pair: dict[str, Ints] = {
        "src_ip": packets.hosts[pairs.host],
        "dst_port": pairs.number,
        "n": pairs.n,
        "first_ts": first,
        "last_ts": last,
    }
    hosts: dict[str, Ints] = {
        "src_ip": packets.hosts,
        "packets": pairs.by_host(pairs.n, np.add),
        "first_ts": pairs.by_host(first, np.minimum),
        "last_ts": pairs.by_host(last, np.maximum),
    } | _marks(packets)
    ports: dict[str, Ints] = {"dst_port": pairs.number[pairs.port_order][pairs.port_starts]}
    ports |= {"packets": pairs.by_port(pairs.n, np.add)}
    for field in HEADERS:
        for name, (values, reduce) in _header_sums(packets, field).items():
            hosts[name] = pairs.by_host(values, reduce)
            ports[name] = pairs.by_port(values, reduce)
    return {
        "pairs": arrow_table(by_pair),
        "host_headers": arrow_table(hosts),
        "port_parts": arrow_table(ports),
    }


def _header_sums(packets: Packets, field: str) -> dict[str, tuple[Ints, np.ufunc]]:
    """Return what is summed of a header field by pair, and how pairs are brought together."""
    order, starts = packets.pairs.order, packets.pairs.starts
    here = present(packets.table, field)
    rows = None if here is None else here[order]
    values = values_of(packets.table, field)[order].astype(np.int64)
    least = values if rows is None else np.where(rows, values, 2**32)
    n = packets.pairs.n if rows is None else np.add.reduceat(rows, starts, dtype=np.int64)
    sums: dict[str, tuple[Ints, np.ufunc]] = {
        f"{field}_n": (n, np.add),
        f"{field}_least": (np.minimum.reduceat(least, starts), np.minimum),
        f"{field}_most": (np.maximum.reduceat(values, starts), np.maximum),
        f"{field}_total": (np.add.reduceat(values, starts), np.add),
    }
    if field not in WIDE_HEADERS:
        values *= values
        return sums | {f"{field}_squares": (np.add.reduceat(values, starts), np.add)}
    values -= HALF_RANGE
    values *= values
    if rows is not None:
        values *= rows
    sums[f"{field}_low"] = (np.add.reduceat(values & LOW_HALF, starts), np.add)
    values >>= 32
    return sums | {f"{field}_high": (np.add.reduceat(values, starts), np.add)}


def _marks(packets: Packets) -> dict[str, Ints]:
    """Count the fingerprints of tools by host."""
    table = packets.table
    ip_id, seq, dst = (values_of(table, name) for name in ("ip_id", "seq", "dst_ip"))
    port = values_of(table, "dst_port").astype(np.uint32)
    swept = present(table, "ip_id", "dst_ip", "seq", "dst_port")
    seen = present(table, "mirai")
    mirai = values_of(table, "mirai")
    known = None
    if seen is not None:
        guessable = present(table, "seq", "dst_ip")
        known = None if guessable is None else seen | guessable
        mirai = np.where(seen, mirai, seq == dst)
    return {
        "ip_ids": packets.times(present(table, "ip_id")),
        "zmap": packets.times(ip_id == ZMAP_IP_ID),
        "masscans": packets.times(swept),
        "masscan": packets.times(_both((dst ^ port ^ seq) & 65_535 == ip_id, swept)),
        "mirais": packets.times(known),
        "mirai": packets.times(_both(mirai, known)),
        "with_mss": packets.times(values_of(table, "mss") > 0),
        "with_ts_option": packets.times(values_of(table, "ts_option") > 0),
    }


def _both(one: Bools, other: Bools | None) -> Bools:
    return one if other is None else one & other


def spread_of(hosts: npt.NDArray[np.uint32], counts: PairCounts) -> pa.Table:
    """Return how the packets of each host spread over values: counts, their extremes and sums.

    Args:
        hosts: uint32 (h,), addresses.
        counts: How often each value came, by place of the host.
    """
    starts = group_starts(counts.high)
    if not len(starts):
        return _SPREAD.empty_table()
    return arrow_table(
        {
            "src_ip": hosts[counts.high[starts]],
            "parts": group_sizes(starts, len(counts.n)),
            "least": np.minimum.reduceat(counts.n, starts),
            "most": np.maximum.reduceat(counts.n, starts),
            "total": np.add.reduceat(counts.n, starts),
            "squares": np.add.reduceat(counts.n * counts.n, starts),
            "information": np.add.reduceat(_information(counts.n), starts),
        }
    )


_SPREAD = pa.schema(
    [("src_ip", pa.uint32())]
    + [(n, pa.int64()) for n in ("parts", "least", "most", "total", "squares", "information")]
)
_COMMON = pa.schema(
    [("src_ip", pa.uint32())] + [(name, pa.int64()) for name in ("value", "n", "total")]
)
GAPS = pa.schema(
    [("src_ip", pa.uint32())] + [(name, pa.int64()) for name in (*QUANTILES, "simultaneous")]
)


def _information(n: Places) -> Places:
    """Return n * log2(n) in fixed point; few counts are different, so each is taken once."""
    if n.max() >= MOST_TABLED:
        different, places = np.unique(n, return_inverse=True)
        found: Places = np.array([_information_of(value) for value in different.tolist()])[places]
        return found
    table = np.zeros(int(n.max()) + 1, np.int64)
    for value in np.flatnonzero(np.bincount(n)).tolist():
        table[value] = _information_of(value)
    return table[n]


def _information_of(value: int) -> int:
    return math.floor(value * math.log2(value) * FIXED_POINT + 0.5)


def common_of(hosts: npt.NDArray[np.uint32], counts: PairCounts) -> pa.Table:
    """Return the most frequent value of each host (the smallest of several) and its packets."""
    starts = group_starts(counts.high)
    if not len(starts):
        return _COMMON.empty_table()
    ranked = counts.n << 32 | (LOW_HALF - counts.low.astype(np.int64))
    top = np.maximum.reduceat(ranked, starts)
    return arrow_table(
        {
            "src_ip": hosts[counts.high[starts]],
            "value": LOW_HALF - (top & LOW_HALF),
            "n": top >> 32,
            "total": np.add.reduceat(counts.n, starts),
        }
    )


def _gaps(packets: Packets, time_bin: Bin) -> pa.Table:
    """Return quantiles of the time between successive packets of each host, in 0.1 ns."""
    times = values_of(packets.table, "ts_ns") - time_bin.start_ns
    host, times = (part[: packets.kept] for part in sort_pairs(packets.host, times))
    same = host[1:] == host[:-1]
    host, gaps = host[1:][same], (times[1:] - times[:-1])[same]
    del times, same
    if not len(gaps):
        return GAPS.empty_table()
    simultaneous = np.bincount(host[gaps == 0], minlength=len(packets.hosts))
    host, gaps = sort_pairs(host, gaps)
    starts = group_starts(host)
    sizes, present_hosts = group_sizes(starts, len(gaps)), host[starts]
    columns: dict[str, Any] = {"src_ip": packets.hosts[present_hosts]}
    for name, tenths in QUANTILES.items():
        below, above, beyond = beside_quantile(sizes, tenths)
        columns[name] = between(gaps[starts + below], gaps[starts + above], beyond)
    return arrow_table(columns | {"simultaneous": simultaneous[present_hosts]})


def beside_quantile(sizes: Places, tenths: int) -> tuple[Places, Places, Places]:
    """Return the places of the two sorted values next to a quantile, and tenths of the way."""
    below, beyond = np.divmod((sizes - 1) * tenths, 10)
    return below, below + (beyond > 0), beyond


def between(low: Ints, high: Ints, beyond: Places) -> Places:
    """Interpolate linearly; the result is in tenths."""
    low, high = low.astype(np.int64), high.astype(np.int64)
    return low * 10 + (high - low) * beyond


def count_dark_addresses(
    packets: Packets, node_of: npt.NDArray[np.int32]
) -> tuple[pa.Table, npt.NDArray[np.uint32]]:
    """Count the dark addresses of each host and port node; return also which there are.

    Args:
        packets: A shard with at least one host.
        node_of: int32 (65537,), the node of each port and of `NO_PORT`.
    """
    pairs = packets.pairs
    nodes = node_of[pairs.port]
    keys = pairs.host.astype(np.int64) << 32 | (nodes + 1)
    edges, edge_of = np.unique(keys, return_inverse=True)
    addresses, targets = encoded(packets.table, "dst_ip")
    targets = targets[pairs.order]
    edge = np.repeat(edge_of.astype(np.uint32), pairs.n)
    here = present(packets.table, "dst_ip")
    if here is not None:
        edge, targets = edge[here[pairs.order]], targets[here[pairs.order]]
    met = count_pairs(edge, targets)
    table = arrow_table(
        {
            "src_ip": packets.hosts[edges >> 32],
            "node": ((edges & LOW_HALF) - 1).astype(np.int32),
            "dark_addresses": np.bincount(met.high, minlength=len(edges)).astype(np.int32),
        }
    )
    return table, addresses[np.flatnonzero(np.bincount(targets))]


def count_nulls(packets: Packets) -> dict[str, int]:
    """Return in how many kept packets a column is null, for columns where some are."""
    kept = packets.host < len(packets.hosts)
    here = {name: present(packets.table, name) for name in COLUMNS}
    return {n: int((kept & ~rows).sum()) for n, rows in here.items() if rows is not None}
