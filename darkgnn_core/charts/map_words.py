"""What the columns a map can be coloured by are called."""

from darkgnn_core.charts.host_words import feature_words
from darkgnn_core.snapshots.columns import HOST_FEATURES

LONG = 10_000

_EXTRA = {
    "packets": "packets",
    "true_ports": "ports",
    "source_ports": "source ports",
    "hours": "hours seen",
    "ttl_common": "TTL, most frequent",
    "ttl_common_share": "TTL, share of the most frequent",
    "initial_ttl": "TTL at the start",
    "hops": "hops",
    "window_common": "window, most frequent",
    "window_common_share": "window, share of the most frequent",
    "length_common": "length, most frequent",
    "length_common_share": "length, share of the most frequent",
    "zmap_share": "ZMap's mark, share of packets",
    "masscan_share": "masscan's mark, share of packets",
    "mirai_share": "Mirai's mark, share of packets",
    "mss_share": "MSS option, share of packets",
    "ts_option_share": "timestamp option, share of packets",
    "port_entropy": "ports, entropy (bits)",
    "dark_address_entropy": "dark addresses, entropy (bits)",
    "source_port_entropy": "source ports, entropy (bits)",
    "hour_entropy": "hours, entropy (bits)",
    "gap_p10_s": "gap between packets, shortest tenth (s)",
    "gap_p50_s": "gap between packets, median (s)",
    "gap_p90_s": "gap between packets, longest tenth (s)",
}


def column_words(name: str) -> str:
    """Return what a column of `maps.facts.FEATURES` is called.

    >>> column_words("hops"), column_words("ttl_mean")
    ('hops', 'TTL, mean')
    """
    if name in HOST_FEATURES:
        return feature_words(name)
    return _EXTRA.get(name, name.replace("_", " "))


def short_count(value: float) -> str:
    """Write a number so that it fits a legend or a figure.

    >>> short_count(1234567.0), short_count(45678), short_count(0.12345), short_count(20.0)
    ('1.23 M', '45.7 k', '0.123', '20')
    """
    for size, unit in ((1e9, "G"), (1e6, "M")):
        if abs(value) >= size:
            return f"{value / size:.3g} {unit}"
    if abs(value) >= LONG:
        return f"{value / 1e3:.3g} k"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.3g}"
