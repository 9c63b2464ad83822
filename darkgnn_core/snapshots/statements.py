"""The SQL that turns packets into a snapshot, statement by statement, in the order it runs.

Only names of ours stand in the text; every value is a bound parameter. All sums are integers
(128 bits wide), so that no order of packets, files or threads changes a bit of the result and
squares of 32-bit fields neither overflow nor cancel: floating point begins where a sum is done.
"""

from string import Template

from darkgnn_core.snapshots.columns import COUNT_STATISTICS, HEADERS
from darkgnn_core.traces.packets import COLUMNS

WIDE_HEADERS = ("length", "ts_option")
"""Fields of 32 bits: shifted by half their range before they are squared, to fit 64 bits."""

HALF_RANGE = 2**31


def _filled(text: str, **parts: str) -> str:
    return Template(text).substitute(parts)


def _names(*, but: tuple[str, ...] = ()) -> str:
    return ", ".join(f'"{name}"' for name in COLUMNS if name not in but)


MACROS = (
    # The reason why a packet does not count, from the packet alone; 3 is none.
    """CREATE TEMP MACRO kind(proto, dst_port, tcp_flags) AS CASE
        WHEN proto <> 6 THEN 0
        WHEN dst_port IS NULL THEN 1
        WHEN (tcp_flags & 18) = 18 OR (tcp_flags & 4) = 4 THEN 2
        ELSE 3 END""",
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
    # Count and value in one number whose maximum is the most frequent, then the smallest value.
    "CREATE TEMP MACRO ranked(n, value) AS n::HUGEINT * 4294967296 + (4294967295 - value::HUGEINT)",
    "CREATE TEMP MACRO value_of(top) AS (4294967295 - top % 4294967296)::BIGINT",
    "CREATE TEMP MACRO count_of(top) AS (top // 4294967296)::BIGINT",
    "CREATE TEMP MACRO share(part, whole) AS CASE WHEN whole > 0 THEN part / whole::DOUBLE END",
    "CREATE TEMP MACRO seconds(gap) AS gap / 1e9",
)

BOGONS = "CREATE TEMP TABLE bogons (first UINTEGER, last UINTEGER)"
ADD_BOGON = "INSERT INTO bogons VALUES (?, ?)"

_IN_BIN = "ts_ns >= $start AND ts_ns < $end"
_COUNTS = """kind(proto, dst_port, tcp_flags) >= 2
        AND ($include_backscatter OR kind(proto, dst_port, tcp_flags) = 3)"""

TALLY = _filled(
    """CREATE TEMP TABLE tally AS
    SELECT src_ip, kind(proto, dst_port, tcp_flags) AS kind,
        ((ts_ns - $$start) // 3600000000000)::INTEGER AS hour, count(*) AS n
    FROM read_parquet($$files) WHERE $in_bin GROUP BY ALL""",
    in_bin="ts_ns >= $start AND ts_ns < $end",
)
"""Everything read, by sender, reason and hour of the bin."""

BOGUS = """CREATE TEMP TABLE bogus AS
    SELECT DISTINCT src_ip FROM tally
    WHERE EXISTS (SELECT 1 FROM bogons WHERE src_ip BETWEEN bogons.first AND bogons.last)"""

_PASSES = """(kind = 3 OR (kind = 2 AND $include_backscatter))
        AND ($include_bogons OR src_ip NOT IN (SELECT src_ip FROM bogus))"""

SENDERS = _filled(
    """CREATE TEMP TABLE senders AS
    SELECT src_ip, sum(n)::BIGINT AS n FROM tally WHERE $passes GROUP BY src_ip""",
    passes=_PASSES,
)
"""Senders and packets that reach the host filter, where duplicates stay."""

UNIQUE = _filled(
    """CREATE TEMP TABLE once AS
    SELECT DISTINCT $columns FROM read_parquet($$files) WHERE $in_bin AND $counts
        AND ($$include_bogons OR src_ip NOT IN (SELECT src_ip FROM bogus))""",
    columns=_names(),
    in_bin=_IN_BIN,
    counts=_COUNTS,
)
UNIQUE_SENDERS = """CREATE TEMP TABLE senders AS
    SELECT src_ip, count(*) AS n FROM once GROUP BY src_ip"""
"""The same after duplicates were dropped."""

CHOSEN = """CREATE TEMP TABLE chosen AS
    SELECT src_ip FROM senders WHERE n >= $min_packets"""

_KEPT = """CREATE TEMP TABLE kept AS
    SELECT $columns FROM $source WHERE src_ip IN (SELECT src_ip FROM chosen)"""
KEPT = _filled(
    _KEPT + " AND $in_bin AND $counts",
    columns=_names(but=("proto",)),
    source="read_parquet($files)",
    in_bin=_IN_BIN,
    counts=_COUNTS,
)
UNIQUE_KEPT = _filled(_KEPT, columns=_names(but=("proto",)), source="once")
"""The packets of the snapshot."""

TRUE_PAIRS = """CREATE TEMP TABLE true_pairs AS
    SELECT src_ip, dst_port, count(*) AS n FROM kept GROUP BY ALL"""

NODES = """CREATE TEMP TABLE nodes AS
    SELECT dst_port, n, hosts, CASE WHEN place <= $max_ports THEN dst_port::INTEGER ELSE -1 END
        AS node
    FROM (SELECT dst_port, n, hosts, row_number() OVER (ORDER BY n DESC, dst_port) AS place
        FROM (SELECT dst_port, sum(n)::BIGINT AS n, count(*) AS hosts
            FROM true_pairs GROUP BY dst_port))"""
"""The port node of each port: the ports with most packets (the lower of equals) and the rest."""

TRIPLES = """CREATE TEMP TABLE triples AS
    SELECT src_ip, node, dst_ip, count(*) AS n, min(ts_ns) AS first_ts, max(ts_ns) AS last_ts
    FROM kept JOIN nodes USING (dst_port) GROUP BY ALL"""

EDGES = """CREATE TEMP TABLE edges AS
    SELECT src_ip, node, sum(n)::BIGINT AS n, count(dst_ip)::INTEGER AS dark_addresses,
        min(first_ts) AS first_ts, max(last_ts) AS last_ts
    FROM triples GROUP BY src_ip, node"""

_SPREAD_OF_N = """count(*) AS parts, min(n) AS least, max(n) AS most, sum(n)::HUGEINT AS total,
        sum(n * n)::HUGEINT AS squares"""

HOST_PORTS = _filled(
    "CREATE TEMP TABLE host_ports AS SELECT src_ip, $spread FROM edges GROUP BY src_ip",
    spread=_SPREAD_OF_N,
)
HOST_TRUE_PORTS = _filled(
    """CREATE TEMP TABLE host_true_ports AS
    SELECT src_ip, $spread, sum(information(n)) AS information FROM true_pairs GROUP BY src_ip""",
    spread=_SPREAD_OF_N,
)
HOST_DARK = _filled(
    """CREATE TEMP TABLE host_dark AS
    SELECT src_ip, $spread, sum(information(n)) AS information
    FROM (SELECT src_ip, dst_ip, sum(n)::BIGINT AS n FROM triples
        WHERE dst_ip IS NOT NULL GROUP BY src_ip, dst_ip)
    GROUP BY src_ip""",
    spread=_SPREAD_OF_N,
)
PORT_HOSTS = _filled(
    "CREATE TEMP TABLE port_hosts AS SELECT node, $spread FROM edges GROUP BY node",
    spread=_SPREAD_OF_N,
)


def _sums(field: str) -> str:
    shifted = f'"{field}"::BIGINT' + (f" - {HALF_RANGE}" if field in WIDE_HEADERS else "")
    return (
        f'count("{field}") AS {field}_n, sum("{field}"::BIGINT)::HUGEINT AS {field}_total, '
        f'min("{field}") AS {field}_least, max("{field}") AS {field}_most, '
        f"sum(({shifted}) * ({shifted}))::HUGEINT AS {field}_squares"
    )


_HEADER_SUMS = ", ".join(_sums(field) for field in HEADERS)

HOST_HEADERS = _filled(
    """CREATE TEMP TABLE host_headers AS
    SELECT src_ip, count(*) AS packets, min(ts_ns) AS first_ts, max(ts_ns) AS last_ts,
        count(ip_id) AS ip_ids, count_if(ip_id = 54321) AS zmap,
        count(masscan) AS masscans, count_if(masscan = ip_id) AS masscan,
        count(mirai_seen) AS mirais, count_if(mirai_seen) AS mirai,
        count_if(mss > 0) AS with_mss, count_if(ts_option > 0) AS with_ts_option,
        $sums
    FROM (SELECT *, coalesce(mirai, seq = dst_ip) AS mirai_seen, CASE WHEN ip_id IS NOT NULL
            THEN xor(xor(dst_ip, dst_port::UINTEGER), seq) & 65535 END AS masscan FROM kept)
    GROUP BY src_ip""",
    sums=_HEADER_SUMS,
)
PORT_HEADERS = _filled(
    """CREATE TEMP TABLE port_headers AS
    SELECT node, count(*) AS packets, $sums
    FROM kept JOIN nodes USING (dst_port) GROUP BY node""",
    sums=_HEADER_SUMS,
)

_COMMON = """CREATE TEMP TABLE common_$name AS
    SELECT src_ip, max(ranked(n, "$name")) AS top, sum(n)::BIGINT AS total
    FROM (SELECT src_ip, "$name", count(*) AS n FROM kept
        WHERE "$name" IS NOT NULL GROUP BY ALL)
    GROUP BY src_ip"""
COMMON = tuple(_filled(_COMMON, name=name) for name in ("ttl", "window", "length"))

HOST_SOURCE_PORTS = """CREATE TEMP TABLE host_source_ports AS
    SELECT src_ip, count(*) AS parts, sum(n)::BIGINT AS total, sum(information(n)) AS information
    FROM (SELECT src_ip, src_port, count(*) AS n FROM kept
        WHERE src_port IS NOT NULL GROUP BY ALL)
    GROUP BY src_ip"""
HOST_HOURS = """CREATE TEMP TABLE host_hours AS
    SELECT src_ip, count(*) AS parts, sum(n)::BIGINT AS total, sum(information(n)) AS information
    FROM (SELECT src_ip, (ts_ns - $start) // 3600000000000 AS hour, count(*) AS n
        FROM kept GROUP BY ALL)
    GROUP BY src_ip"""

GAPS = """CREATE TEMP TABLE host_gaps
    (src_ip UINTEGER, quantiles DOUBLE[], simultaneous BIGINT)"""
ADD_GAPS = """INSERT INTO host_gaps
    SELECT src_ip, quantile_cont(gap, [0.1, 0.5, 0.9]), count_if(gap = 0)
    FROM (SELECT src_ip, ts_ns - lag(ts_ns) OVER (PARTITION BY src_ip ORDER BY ts_ns) AS gap
        FROM kept WHERE $shards = 1 OR hash(src_ip) % $shards = $shard)
    WHERE gap IS NOT NULL GROUP BY src_ip"""
"""Time between successive packets, a part of the hosts at a time: quantiles hold every value."""

_SUSPECT = "src_ip IN (SELECT src_ip FROM host_gaps WHERE simultaneous > 0)"
DUPLICATES = _filled(
    """WITH suspects AS (
        SELECT hash($columns) AS name FROM kept WHERE $suspect GROUP BY ALL HAVING count(*) > 1)
    SELECT coalesce(sum(n - 1), 0)::BIGINT FROM (
        SELECT count(*) AS n FROM kept
        WHERE $suspect AND hash($columns) IN (SELECT name FROM suspects)
        GROUP BY $columns)""",
    columns=_names(but=("proto",)),
    suspect=_SUSPECT,
)
"""Kept packets that repeat another in every field: those of one host at one time, then exactly."""


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
    shift = f" - {column}_n::HUGEINT * {HALF_RANGE}" if field in WIDE_HEADERS else ""
    columns = {
        "sum": f"{column}_total",
        "min": f"{column}_least",
        "max": f"{column}_most",
        "mean": f"{column}_total::DOUBLE / {column}_n",
        "std": f"spread({column}_n, {column}_total{shift}, {column}_squares)",
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
        value_of(ttl.top)::SMALLINT AS ttl_common,
        share(count_of(ttl.top), ttl.total) AS ttl_common_share,
        CASE WHEN value_of(ttl.top) <= 32 THEN 32 WHEN value_of(ttl.top) <= 64 THEN 64
            WHEN value_of(ttl.top) <= 128 THEN 128 WHEN value_of(ttl.top) <= 255 THEN 255
            END::SMALLINT AS initial_ttl,
        (initial_ttl - ttl_common)::SMALLINT AS hops,
        value_of("window".top)::INTEGER AS window_common,
        share(count_of("window".top), "window".total) AS window_common_share,
        value_of(length.top)::BIGINT AS length_common,
        share(count_of(length.top), length.total) AS length_common_share,
        share(headers.zmap, headers.ip_ids) AS zmap_share,
        share(headers.masscan, headers.masscans) AS masscan_share,
        share(headers.mirai, headers.mirais) AS mirai_share,
        share(headers.with_mss, headers.mss_n) AS mss_share,
        share(headers.with_ts_option, headers.ts_option_n) AS ts_option_share,
        entropy(true_ports.total, true_ports.information) AS port_entropy,
        entropy(dark.total, dark.information) AS dark_address_entropy,
        entropy(source_ports.total, source_ports.information) AS source_port_entropy,
        entropy(hours.total, hours.information) AS hour_entropy,
        seconds(gaps.quantiles[1]) AS gap_p10_s,
        seconds(gaps.quantiles[2]) AS gap_p50_s,
        seconds(gaps.quantiles[3]) AS gap_p90_s
    FROM host_headers AS headers
    JOIN host_true_ports AS true_ports USING (src_ip)
    JOIN $port_table AS ports USING (src_ip)
    JOIN host_hours AS hours USING (src_ip)
    LEFT JOIN host_dark AS dark USING (src_ip)
    LEFT JOIN host_source_ports AS source_ports USING (src_ip)
    LEFT JOIN common_ttl AS ttl USING (src_ip)
    LEFT JOIN common_window AS "window" USING (src_ip)
    LEFT JOIN common_length AS length USING (src_ip)
    LEFT JOIN host_gaps AS gaps USING (src_ip)
    ORDER BY host"""


def _hosts(port_table: str) -> str:
    return _filled(
        _HOSTS,
        ports=_count_features("ports", "port", "ports"),
        dark=_count_features("dark_addresses", "dark_address", "dark"),
        headers=_header_features("headers"),
        port_table=port_table,
    )


HOSTS = _hosts("host_ports")
HOSTS_BEFORE_PORT_FILTER = _hosts("host_true_ports")
"""The table of hosts, with the port columns after or before the port filter."""

PORTS = _filled(
    """SELECT node AS port, headers.packets, $hosts, $zeros, $headers
    FROM port_headers AS headers JOIN port_hosts AS hosts USING (node) ORDER BY port""",
    hosts=_count_features("hosts", "host", "hosts"),
    zeros=", ".join(f"0::DOUBLE AS zero_{position}" for position in range(6, 12)),
    headers=_header_features("headers"),
)
EDGE_ROWS = """SELECT src_ip AS host, node AS port, n AS packets, dark_addresses, first_ts, last_ts
    FROM edges ORDER BY host, port"""
PAIR_ROWS = """SELECT src_ip AS host, dst_port::INTEGER AS port, n AS packets
    FROM true_pairs ORDER BY host, port"""
