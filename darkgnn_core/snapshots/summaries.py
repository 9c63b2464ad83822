"""What a snapshot says about itself: what was read, left out and why, and the sensor's health."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb

from darkgnn_core.config import SnapshotConfig
from darkgnn_core.snapshots.tallying import Tally

REASONS = ("not_tcp", "no_port", "backscatter", "bogon", "duplicate", "few_packets")
"""Why a packet is left out, in the order of the filters: a packet counts under the first.

`no_port` stays 0: TCP without a known port counts to the rest. Older summaries have such packets.
"""

TOP_PORTS = 20

KEPT_HOURLY = "SELECT hour, sum(n)::BIGINT FROM kept_hours GROUP BY hour"
SIZES = """SELECT (SELECT count(*) FROM port_headers),
        (SELECT count(*) FILTER (dst_port >= 0) FROM nodes),
        (SELECT count(*) FROM edges),
        (SELECT count(*) FILTER (mirai > 0) FROM host_headers)"""
TOP = (
    "SELECT dst_port, n, hosts FROM nodes WHERE dst_port >= 0 ORDER BY n DESC, dst_port LIMIT $top"
)


@dataclass
class Passed:
    """What passed the filters on single packets, and what of it the host filter kept.

    Attributes:
        packets: Packets that reached the host filter.
        senders: Their senders.
        kept: Packets of hosts with enough of them.
        hosts: Those hosts.
        repeats: Kept packets that repeat another, where duplicates stay.
        nulls: Kept packets without a value, by column.
    """

    packets: int = 0
    senders: int = 0
    kept: int = 0
    hosts: int = 0
    repeats: int = 0
    nulls: Counter[str] = field(default_factory=Counter)


def count_filters(tally: Tally, config: SnapshotConfig, passed: Passed) -> dict[str, Any]:
    """Return what was read, found, dropped by reason and kept.

    Args:
        tally: What was read.
        config: Which filters ran.
        passed: What came of them.

    Returns:
        `read`, `kept` packets with `read == kept + sum(dropped.values())`; `found` counts the
        backscatter, bogons, repeats and TCP packets without a port met even where they stay;
        `hosts`, `dropped_hosts`, `nulls` and `absent_columns` of the kept packets.
    """
    read, backscatter = int(tally.packets.sum()), int(tally.backscatter.sum())
    bogon = tally.bogons + (tally.bogon_answers if config.include_backscatter else 0)
    dropped = {
        "not_tcp": tally.not_tcp,
        "no_port": 0,
        "backscatter": 0 if config.include_backscatter else backscatter,
        "bogon": 0 if config.include_bogons else bogon,
    }
    dropped["duplicate"] = read - sum(dropped.values()) - passed.packets
    dropped["few_packets"] = passed.packets - passed.kept
    return {
        "read": read,
        "dropped": dropped,
        "found": {
            "no_port": tally.no_port,
            "backscatter": backscatter,
            "bogon": bogon,
            "duplicate": dropped["duplicate"] + passed.repeats,
        },
        "kept": passed.kept,
        "hosts": passed.hosts,
        "dropped_hosts": {"few_packets": passed.senders - passed.hosts},
        "nulls": {name: count for name, count in sorted(passed.nulls.items()) if count},
        "absent_columns": sorted(n for n, count in passed.nulls.items() if count == passed.kept),
    }


def describe_graph(connection: duckdb.DuckDBPyConnection, tally: Tally) -> dict[str, Any]:
    """Return the sizes of the graph, its top ports, and the hours."""
    ports, true_ports, edges, mirai = connection.execute(SIZES).fetchall()[0]
    return {
        "ports": ports,
        "true_ports": true_ports,
        "edges": edges,
        "mirai_hosts": mirai,
        "top_ports": [
            {"port": port, "packets": packets, "hosts": hosts}
            for port, packets, hosts in connection.execute(TOP, {"top": TOP_PORTS}).fetchall()
        ],
        "hourly": by_hour(tally, dict(connection.execute(KEPT_HOURLY).fetchall())),
    }


def by_hour(tally: Tally, kept: Mapping[int, int]) -> dict[str, list[int]]:
    """Return what was read in each hour of the bin, and the packets kept of it."""
    return {
        "packets": tally.packets.tolist(),
        "hosts": tally.hosts().tolist(),
        "backscatter": tally.backscatter.tolist(),
        "kept": [kept.get(hour, 0) for hour in range(tally.time_bin.hours)],
    }
