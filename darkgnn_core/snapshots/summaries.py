"""What a snapshot says about itself: what was read, left out and why, and the sensor's health."""

from string import Template
from typing import Any

import duckdb

from darkgnn_core.config import SnapshotConfig
from darkgnn_core.snapshots.bins import Bin
from darkgnn_core.traces.packets import COLUMNS

REASONS = ("not_tcp", "no_port", "backscatter", "bogon", "duplicate", "few_packets")
"""Why a packet is left out, in the order of the filters: a packet counts under the first."""

TOP_PORTS = 20

_NULLABLE = tuple(name for name in COLUMNS if name not in ("ts_ns", "src_ip", "proto", "dst_port"))

READ = """SELECT coalesce(sum(n), 0)::BIGINT,
        coalesce(sum(n) FILTER (kind = 0), 0)::BIGINT,
        coalesce(sum(n) FILTER (kind = 1), 0)::BIGINT,
        coalesce(sum(n) FILTER (kind = 2), 0)::BIGINT,
        coalesce(sum(n) FILTER ((kind = 3 OR (kind = 2 AND $include_backscatter))
            AND src_ip IN (SELECT src_ip FROM bogus)), 0)::BIGINT
    FROM tally"""
FILTERED = """SELECT coalesce(sum(n), 0)::BIGINT, count(*),
        coalesce(sum(n) FILTER (n >= $min_packets), 0)::BIGINT, count(*) FILTER (n >= $min_packets)
    FROM senders"""
HOURLY = """SELECT hour, sum(n)::BIGINT, count(DISTINCT src_ip),
        coalesce(sum(n) FILTER (kind = 2), 0)::BIGINT
    FROM tally GROUP BY hour"""
KEPT_HOURLY = """SELECT (ts_ns - $start) // 3600000000000 AS hour, count(*)
    FROM kept GROUP BY hour"""
SIZES = """SELECT (SELECT count(*) FROM port_headers), (SELECT count(*) FROM nodes),
        (SELECT count(*) FROM edges), (SELECT count(DISTINCT dst_ip) FROM triples),
        (SELECT count(*) FILTER (mirai > 0) FROM host_headers)"""
TOP = "SELECT dst_port, n, hosts FROM nodes ORDER BY n DESC, dst_port LIMIT $top"
NULLS = Template("SELECT $counts FROM kept").substitute(
    counts=", ".join(f'count(*) - count("{name}")' for name in _NULLABLE)
)


def count_filters(connection: duckdb.DuckDBPyConnection, config: SnapshotConfig) -> dict[str, Any]:
    """Return what was read, found, dropped by reason and kept, so far as the filters ran.

    Returns:
        `read`, `kept` packets with `read == kept + sum(dropped.values())`; `found` counts the
        backscatter and bogons met even where the settings keep them; `hosts`, `dropped_hosts`.
    """
    read, not_tcp, no_port, backscatter, bogon = connection.execute(
        READ, {"include_backscatter": config.include_backscatter}
    ).fetchall()[0]
    passed, senders, kept, hosts = connection.execute(
        FILTERED, {"min_packets": config.min_packets}
    ).fetchall()[0]
    dropped = {
        "not_tcp": not_tcp,
        "no_port": no_port,
        "backscatter": 0 if config.include_backscatter else backscatter,
        "bogon": 0 if config.include_bogons else bogon,
    }
    dropped["duplicate"] = read - sum(dropped.values()) - passed
    dropped["few_packets"] = passed - kept
    return {
        "read": read,
        "dropped": dropped,
        "found": {
            "backscatter": backscatter,
            "bogon": bogon,
            "duplicate": dropped["duplicate"],
        },
        "kept": kept,
        "hosts": hosts,
        "dropped_hosts": {"few_packets": senders - hosts},
    }


def describe_graph(connection: duckdb.DuckDBPyConnection, time_bin: Bin) -> dict[str, Any]:
    """Return the sizes of the graph, its top ports, what the format lacks, and the hours."""
    ports, true_ports, edges, dark, mirai = connection.execute(SIZES).fetchall()[0]
    nulls = dict(zip(_NULLABLE, connection.execute(NULLS).fetchall()[0], strict=True))
    return {
        "ports": ports,
        "true_ports": true_ports,
        "edges": edges,
        "dark_addresses": dark,
        "mirai_hosts": mirai,
        "nulls": {name: count for name, count in nulls.items() if count},
        "top_ports": [
            {"port": port, "packets": packets, "hosts": hosts}
            for port, packets, hosts in connection.execute(TOP, {"top": TOP_PORTS}).fetchall()
        ],
        "hourly": _by_hour(connection, time_bin),
    }


def _by_hour(connection: duckdb.DuckDBPyConnection, time_bin: Bin) -> dict[str, list[int]]:
    names = ("packets", "hosts", "backscatter", "kept")
    hourly = {name: [0] * time_bin.hours for name in names}
    for hour, *values in connection.execute(HOURLY).fetchall():
        for name, value in zip(names[:3], values, strict=True):
            hourly[name][hour] = value
    for hour, kept in connection.execute(KEPT_HOURLY, {"start": time_bin.start_ns}).fetchall():
        hourly["kept"][hour] = kept
    return hourly
