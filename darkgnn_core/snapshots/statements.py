"""The SQL that turns what was counted of packets (`counting`) into a snapshot.

Only names of ours stand in the text; every value is a bound parameter. All sums are integers
(128 bits wide where 64 might not do), so that no order of packets, files or threads changes a bit
of the result and squares of 32-bit fields neither overflow nor cancel: floating point begins where
a sum is done.
"""

from string import Template

from darkgnn_core.snapshots.columns import COUNT_STATISTICS, HEADERS
from darkgnn_core.snapshots.counting import HALF_RANGE, WIDE_HEADERS
from darkgnn_core.traces.packets import COLUMNS


def _filled(text: str, **parts: str) -> str:
    return Template(text).substitute(parts)


def _names() -> str:
    return ", ".join(f'"{name}"' for name in COLUMNS)


MACROS = (
    # Sample standard deviation of n integers from their sum and their sum of squares, exact until
    # the last division; one sample gives 0.
    """CREATE TEMP MACRO spread(n, total, squares) AS CASE WHEN n > 1 THEN
        sqrt((n::HUGEINT * squares - total::HUGEINT * total)::DOUBLE / (n::DOUBLE * (n - 1)))
        ELSE 0 END""",
    # n * log2(n) in units of 2**-26: integers, so that their sum does not depend on its order.
    "CREATE TEMP MACRO information(n) AS round(n * log2(n) * 67108864)::BIGINT",
    # Shannon entropy in bits of counts with sum `total`, from the sum `details` of
    # their `information`.
    """CREATE TEMP MACRO entropy(total, details) AS CASE WHEN total > 0 THEN
        (information(total) - details)::DOUBLE / 67108864 / total END""",
    "CREATE TEMP MACRO share(part, whole) AS CASE WHEN whole > 0 THEN part / whole::DOUBLE END",
    "CREATE TEMP MACRO seconds(tenths_of_ns) AS tenths_of_ns / 1e10",
)

UNREPEATED = _filled("SELECT DISTINCT $columns FROM look_alikes", columns=_names())
REPEATED = _filled(
    """SELECT coalesce(sum(n - 1), 0)::BIGINT FROM (
        SELECT count(*) AS n FROM look_alikes GROUP BY $columns)""",
    columns=_names(),
)
"""Packets once each, and how many repeat another in every field."""

NODES = """CREATE TEMP TABLE nodes AS
    SELECT dst_port, n, hosts, CASE WHEN place <= $max_ports AND dst_port >= 0 THEN dst_port
        ELSE -1 END AS node
    FROM (SELECT dst_port, n, hosts,
            row_number() OVER (ORDER BY dst_port < 0, n DESC, dst_port) AS place
        FROM (SELECT dst_port, sum(n)::BIGINT AS n, count(*) AS hosts
            FROM pairs GROUP BY dst_port))"""
"""The port node of each port: the ports with most packets (the lower of equals) and the rest.

Port -1 stands for packets whose port is not known: always in the rest.
"""

EDGES = """SELECT src_ip, node, n, dark_addresses, first_ts, last_ts
    FROM (SELECT src_ip, node, sum(pairs.n)::BIGINT AS n, min(first_ts) AS first_ts,
            max(last_ts) AS last_ts
        FROM pairs JOIN nodes USING (dst_port) GROUP BY src_ip, node)
    JOIN dark USING (src_ip, node)"""
"""Grouped before the second join: joined the other way round, each host of the rest would meet each
port of the rest.
"""

_SPREAD_OF_N = """count(*) AS parts, min(n) AS least, max(n) AS most, sum(n)::HUGEINT AS total,
        sum(n * n)::HUGEINT AS squares"""

_HOST_PORTS = _filled("SELECT src_ip, $spread FROM edges GROUP BY src_ip", spread=_SPREAD_OF_N)
_HOST_TRUE_PORTS = _filled(
    "SELECT src_ip, $spread, sum(information(n)) AS information FROM pairs GROUP BY src_ip",
    spread=_SPREAD_OF_N,
)
_PORT_HOSTS = _filled(
    "SELECT node, $spread FROM edges GROUP BY node",
    spread=_SPREAD_OF_N,
)


def _sums(field: str) -> str:
    squares = ("high", "low") if field in WIDE_HEADERS else ("squares",)
    return (
        f"sum({field}_n)::BIGINT AS {field}_n, sum({field}_total)::HUGEINT AS {field}_total, "
        f"min({field}_least) AS {field}_least, max({field}_most) AS {field}_most, "
        + ", ".join(f"sum({field}_{part})::HUGEINT AS {field}_{part}" for part in squares)
    )


_PORT_HEADERS = _filled(
    """SELECT node, sum(port_parts.packets)::BIGINT AS packets, $sums
    FROM port_parts JOIN nodes USING (dst_port) GROUP BY node""",
    sums=", ".join(_sums(field) for field in HEADERS),
)

DERIVED = (
    f"CREATE TEMP VIEW host_ports AS {_HOST_PORTS}",
    f"CREATE TEMP VIEW host_true_ports AS {_HOST_TRUE_PORTS}",
    f"CREATE TEMP TABLE port_hosts AS {_PORT_HOSTS}",
    f"CREATE TEMP TABLE port_headers AS {_PORT_HEADERS}",
)
"""What follows from what was counted and the edges; of hosts, for those a query asks for only."""


def _count_features(what: str, unit: str, source: str) -> str:
    columns = {
        "min": f"{source}.least",
        "max": f"{source}.most",
        "sum": f"{source}.total",
        "mean": f"{source}.total::DOUBLE / {source}.parts",
        "std": f"spread({source}.parts, {source}.total, {source}.squares)",
    }
    counts = [f"coalesce({source}.parts, 0)::DOUBLE AS {what}"]
    return ", ".join(
        counts
        + [
            f"coalesce({columns[name]}, 0)::DOUBLE AS packets_per_{unit}_{name}"
            for name in COUNT_STATISTICS
        ]
    )


def _header_features(source: str) -> str:
    return ", ".join(_header_block(f"{source}.{field}", field) for field in HEADERS)


def _header_block(column: str, field: str) -> str:
    shift, squares = "", f"{column}_squares"
    if field in WIDE_HEADERS:
        shift = f" - {column}_n::HUGEINT * {HALF_RANGE}"
        squares = f"{column}_high::HUGEINT * 4294967296 + {column}_low"
    columns = {
        "sum": f"{column}_total",
        "min": f"{column}_least",
        "max": f"{column}_most",
        "mean": f"{column}_total::DOUBLE / {column}_n",
        "std": f"spread({column}_n, {column}_total{shift}, {squares})",
    }
    return ", ".join(
        f"CASE WHEN {column}_n > 0 THEN {value} ELSE 0 END::DOUBLE AS {field}_{name}"
        for name, value in columns.items()
    )


_HOSTS = """SELECT headers.src_ip AS host, headers.packets, headers.first_ts, headers.last_ts,
        $ports, $dark, $headers,
        true_ports.parts::INTEGER AS true_ports,
        source_ports.parts::INTEGER AS source_ports,
        hours.parts::INTEGER AS hours,
        ttl.value::SMALLINT AS ttl_common,
        share(ttl.n, ttl.total) AS ttl_common_share,
        CASE WHEN ttl.value <= 32 THEN 32 WHEN ttl.value <= 64 THEN 64
            WHEN ttl.value <= 128 THEN 128 WHEN ttl.value <= 255 THEN 255
            END::SMALLINT AS initial_ttl,
        (initial_ttl - ttl_common)::SMALLINT AS hops,
        "window".value::INTEGER AS window_common,
        share("window".n, "window".total) AS window_common_share,
        length.value::BIGINT AS length_common,
        share(length.n, length.total) AS length_common_share,
        share(headers.zmap, headers.ip_ids) AS zmap_share,
        share(headers.masscan, headers.masscans) AS masscan_share,
        share(headers.mirai, headers.mirais) AS mirai_share,
        share(headers.with_mss, headers.mss_n) AS mss_share,
        share(headers.with_ts_option, headers.ts_option_n) AS ts_option_share,
        entropy(true_ports.total, true_ports.information) AS port_entropy,
        entropy(dark.total, dark.information) AS dark_address_entropy,
        entropy(source_ports.total, source_ports.information) AS source_port_entropy,
        entropy(hours.total, hours.information) AS hour_entropy,
        seconds(gaps.p10) AS gap_p10_s,
        seconds(gaps.p50) AS gap_p50_s,
        seconds(gaps.p90) AS gap_p90_s
    FROM $tables
    ORDER BY host"""


_BY_HOST = (
    ("host_headers", "headers"),
    ("host_true_ports", "true_ports"),
    ("host_hours", "hours"),
    ("host_dark", "dark"),
    ("host_source_ports", "source_ports"),
    ("common_ttl", "ttl"),
    ("common_window", '"window"'),
    ("common_length", "length"),
    ("host_gaps", "gaps"),
)
"""Tables with a row a host, or none, and what `_HOSTS` calls them."""


def _joined(tables: tuple[tuple[str, str], ...]) -> str:
    """Return the tables joined on the host, each cut to the hosts asked for first."""
    parts = [
        f"(SELECT * FROM {table} WHERE src_ip BETWEEN $first AND $last) AS {name}"  # noqa: S608
        for table, name in tables
    ]
    return "\n    LEFT JOIN ".join([parts[0], *(f"{part} USING (src_ip)" for part in parts[1:])])


def _hosts(port_table: str) -> str:
    return _filled(
        _HOSTS,
        ports=_count_features("ports", "port", "ports"),
        dark=_count_features("dark_addresses", "dark_address", "dark"),
        headers=_header_features("headers"),
        tables=_joined((*_BY_HOST, (port_table, "ports"))),
    )


HOSTS = _hosts("host_ports")
HOSTS_BEFORE_PORT_FILTER = _hosts("host_true_ports")
"""Rows of the hosts `$first` to `$last`, with the port columns after or before the port filter."""

PORTS = _filled(
    """SELECT node AS port, headers.packets, $hosts, $zeros, $headers
    FROM port_headers AS headers JOIN port_hosts AS hosts USING (node) ORDER BY port""",
    hosts=_count_features("hosts", "host", "hosts"),
    zeros=", ".join(f"0::DOUBLE AS zero_{position}" for position in range(6, 12)),
    headers=_header_features("headers"),
)
EDGE_ROWS = """SELECT src_ip AS host, node AS port, n AS packets, dark_addresses, first_ts, last_ts
    FROM edges ORDER BY host, port"""
PAIR_ROWS = """SELECT src_ip AS host, dst_port AS port, n AS packets
    FROM pairs ORDER BY host, port"""
