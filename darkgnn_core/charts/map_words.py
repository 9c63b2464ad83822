"""What the columns a map can be coloured by are called."""

import math

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


def hidden_words(shown: int, hidden: int, kind: str) -> str:
    """Say how many of some hosts are shown where known scanners are hidden.

    Args:
        shown: How many are shown.
        hidden: How many are not, at least one.
        kind: What they all are, in the plural.

    >>> hidden_words(309, 18, "selected hosts")
    '309 of 327 selected hosts are shown: 18 known scanners are hidden'
    >>> hidden_words(1, 1, "hosts found")
    '1 of 2 hosts found is shown: 1 known scanner is hidden'
    """
    are = "is" if shown == 1 else "are"
    left_out = "1 known scanner is" if hidden == 1 else f"{hidden:,} known scanners are"
    return f"{shown:,} of {shown + hidden:,} {kind} {are} shown: {left_out} hidden"


def cluster_words(number: int) -> str:
    """Return what a cluster is called; hosts in none are noise.

    >>> cluster_words(3), cluster_words(0)
    ('cluster 3', 'noise')
    """
    return f"cluster {number}" if number else "noise"


def number_of(name: str) -> int | None:
    """Return the number of a cluster by what it is called; None for another name.

    >>> number_of("cluster 3"), number_of("noise"), number_of("smaller clusters")
    (3, 0, None)
    """
    if name == cluster_words(0):
        return 0
    word, _, number = name.partition(" ")
    return int(number) if word == "cluster" and number.isdecimal() else None


def cohesion_words(number: int, hosts: int, inside: float, day: float, kept: float) -> str:
    """Say in a sentence how close together the hosts of a cluster lie.

    Args:
        number: Of the cluster; 0 for noise.
        hosts: How many it has.
        inside: Mean cosine similarity of two of them (`telling.Closeness`); NaN for one host.
        day: The same over all hosts of the day.
        kept: Share of the nearest hosts of each that are in it, too; NaN where not known.

    >>> cohesion_words(3, 79, 0.83, 0.02, 0.94)[:60]
    'Cluster 3 has 79 hosts: two of them have a mean cosine simil'
    >>> cohesion_words(0, 1, float("nan"), 0.02, float("nan"))
    'Noise: 1 host lies in no cluster.'
    """
    many = f"{hosts:,} host" if hosts == 1 else f"{hosts:,} hosts"
    if not number:
        said = f"Noise: {many} {'lies' if hosts == 1 else 'lie'} in no cluster"
    else:
        said = f"Cluster {number} has {many}"
    if not math.isnan(inside):
        said += f": two of them have a mean cosine similarity of {inside:.2f}"
        said += f" ({day:.2f} over the day)"
    if not math.isnan(kept):
        said += f", and {kept:.0%} of the nearest hosts of each are among them"
    return f"{said}."
