"""Names, order and types of what a snapshot stores.

Feature columns are float64: sums over 32-bit header fields pass the 2**24 that float32 counts
exactly. They become float32 only after scaling, on the way into a model.
"""

import pyarrow as pa

HEADERS = ("length", "ttl", "mss", "window", "ts_option")
"""Header fields that have a block of five columns each, in the paper's order."""

COUNT_STATISTICS = ("min", "max", "sum", "mean", "std")
HEADER_STATISTICS = ("sum", "min", "max", "mean", "std")

_HEADER_FEATURES = tuple(f"{field}_{name}" for field in HEADERS for name in HEADER_STATISTICS)

HOST_FEATURES = (
    "ports",
    *(f"packets_per_port_{name}" for name in COUNT_STATISTICS),
    "dark_addresses",
    *(f"packets_per_dark_address_{name}" for name in COUNT_STATISTICS),
    *_HEADER_FEATURES,
)
"""The 37 columns of a host. `ports` counts nodes, so it stops at `max_ports` + 1.

Source: paper, Table 1; order, ddof=1 and zeros as in `docs/decisions.md`.
"""

PORT_FEATURES = (
    "hosts",
    *(f"packets_per_host_{name}" for name in COUNT_STATISTICS),
    *(f"zero_{position}" for position in range(6, 12)),
    *_HEADER_FEATURES,
)
"""The 37 columns of a port; 6 to 11 are always 0, a port has no dark addresses of its own."""

FEATURES = len(HOST_FEATURES)

EXTRA_HOST_COLUMNS = (
    pa.field("true_ports", pa.int32()),
    pa.field("source_ports", pa.int32()),
    pa.field("hours", pa.int32()),
    pa.field("ttl_common", pa.int16()),
    pa.field("ttl_common_share", pa.float64()),
    pa.field("initial_ttl", pa.int16()),
    pa.field("hops", pa.int16()),
    pa.field("window_common", pa.int32()),
    pa.field("window_common_share", pa.float64()),
    pa.field("length_common", pa.int64()),
    pa.field("length_common_share", pa.float64()),
    pa.field("zmap_share", pa.float64()),
    pa.field("masscan_share", pa.float64()),
    pa.field("mirai_share", pa.float64()),
    pa.field("mss_share", pa.float64()),
    pa.field("ts_option_share", pa.float64()),
    pa.field("port_entropy", pa.float64()),
    pa.field("dark_address_entropy", pa.float64()),
    pa.field("source_port_entropy", pa.float64()),
    pa.field("hour_entropy", pa.float64()),
    pa.field("gap_p10_s", pa.float64()),
    pa.field("gap_p50_s", pa.float64()),
    pa.field("gap_p90_s", pa.float64()),
)
"""What is kept of a host beyond the paper; null where the format carries no such field.

`true_ports` before the port filter, ports that the trace does not tell as one together;
`hours` of the bin in which the host was seen; `*_common` the
most frequent value (the smallest of several) and its share; `initial_ttl` the next of 32, 64, 128
and 255 above the common TTL and `hops` the distance to it; `zmap_share` packets with ip_id 54321;
`masscan_share` packets with ip_id = (dst_ip ^ dst_port ^ seq) & 0xffff, among those with a port;
`mss_share` and `ts_option_share` packets that carry the option; entropies in bits, over packets,
ports before the filter; gaps between successive packets in seconds, quantiles interpolated
linearly, null for a host with one packet.
"""


def _required(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


_TIMES = (_required("first_ts", pa.int64()), _required("last_ts", pa.int64()))

HOSTS_SCHEMA = pa.schema(
    [
        _required("host", pa.uint32()),
        _required("packets", pa.int64()),
        *_TIMES,
        *(_required(name, pa.float64()) for name in HOST_FEATURES),
        *EXTRA_HOST_COLUMNS,
    ]
)
"""`hosts.parquet`, one row a host by address; times in UTC nanoseconds."""

PORTS_SCHEMA = pa.schema(
    [
        _required("port", pa.int32()),
        _required("packets", pa.int64()),
        *(_required(name, pa.float64()) for name in PORT_FEATURES),
    ]
)
"""`ports.parquet`, one row a port node by number; `REST` comes first where it exists."""

EDGES_SCHEMA = pa.schema(
    [
        _required("host", pa.uint32()),
        _required("port", pa.int32()),
        _required("packets", pa.int64()),
        _required("dark_addresses", pa.int32()),
        *_TIMES,
    ]
)
"""`edges.parquet`, one row a pair that met, by host and port."""

PAIRS_SCHEMA = pa.schema(
    [
        _required("host", pa.uint32()),
        _required("port", pa.int32()),
        _required("packets", pa.int64()),
    ]
)
"""`pairs.parquet`, who sent how much to which true port, before the port filter; by host, port.

Port -1 are packets whose port the trace does not tell.

Ours: Table 2 counts true ports, and a campaign on a rare port must not vanish in the rest node.
"""

REST = -1
"""The port number of the node that stands for all ports without a node of their own."""

HOSTS_FILE, PORTS_FILE, EDGES_FILE = "hosts.parquet", "ports.parquet", "edges.parquet"
PAIRS_FILE = "pairs.parquet"
SUMMARY_FILE = "summary.json"
