"""The slow way from packets to a snapshot: plain Python loops, exact fractions, no SQL.

Written from the paper's text and `docs/decisions.md`, apart from the code it checks.
"""

import itertools
import math
from collections import Counter, defaultdict
from fractions import Fraction
from typing import Any

from darkgnn_core.config import SnapshotConfig
from darkgnn_core.snapshots.bogons import is_bogon

Packet = dict[str, Any]
HOUR = 3_600 * 10**9
HEADERS = ("length", "ttl", "mss", "window", "ts_option")
REST = -1


def snapshot(packets: list[Packet], start: int, hours: int, config: SnapshotConfig) -> dict:
    """Build hosts, ports, edges and counts of the packets within [start, start + hours)."""
    inside = [p for p in packets if start <= p["ts_ns"] < start + hours * HOUR]
    passed, dropped, found = _filter(inside, config)
    sent = Counter(p["src_ip"] for p in passed)
    kept = [p for p in passed if sent[p["src_ip"]] >= config.min_packets]
    dropped["few_packets"] = len(passed) - len(kept)
    node = _nodes(kept, config.max_ports)
    hosts = {host: _host(rows, node, start, config) for host, rows in _by(kept, "src_ip").items()}
    by_node = defaultdict(list)
    for p in kept:
        by_node[node[_true_port(p)]].append(p)
    edges = {
        key: {
            "packets": len(rows),
            "dark_addresses": len({p["dst_ip"] for p in rows} - {None}),
            "first_ts": min(p["ts_ns"] for p in rows),
            "last_ts": max(p["ts_ns"] for p in rows),
        }
        for key, rows in _pairs(kept, node).items()
    }
    if not config.drop_duplicates:
        found["duplicate"] = _repeats(kept)
    return {
        "hosts": hosts,
        "ports": {port: _port(rows) for port, rows in by_node.items()},
        "edges": edges,
        "pairs": {
            key: {"packets": n}
            for key, n in Counter((p["src_ip"], _true_port(p)) for p in kept).items()
        },
        "read": len(inside),
        "kept": len(kept),
        "dropped": dict(dropped),
        "found": dict(found),
        "hourly": _hourly(inside, kept, start, hours),
    }


def _filter(packets: list[Packet], config: SnapshotConfig) -> tuple[list[Packet], Counter, Counter]:
    passed: list[Packet] = []
    dropped = Counter(
        dict.fromkeys(("not_tcp", "no_port", "backscatter", "bogon", "duplicate", "few_packets"), 0)
    )
    found = Counter({"no_port": 0, "backscatter": 0, "bogon": 0, "duplicate": 0})
    seen = set()
    for p in packets:
        if p["proto"] != 6:
            dropped["not_tcp"] += 1
            continue
        found["no_port"] += p["dst_port"] is None
        if is_backscatter(p):
            found["backscatter"] += 1
            if not config.include_backscatter:
                dropped["backscatter"] += 1
                continue
        if is_bogon(p["src_ip"]):
            found["bogon"] += 1
            if not config.include_bogons:
                dropped["bogon"] += 1
                continue
        if config.drop_duplicates:
            if tuple(p.values()) in seen:
                dropped["duplicate"] += 1
                found["duplicate"] += 1
                continue
            seen.add(tuple(p.values()))
        passed.append(p)
    return passed, dropped, found


def is_backscatter(p: Packet) -> bool:
    """Say whether a victim's answer stands here: SYN with ACK, or RST."""
    flags = p["tcp_flags"]
    return flags is not None and (bool(flags & 4) or (bool(flags & 2) and bool(flags & 16)))


def _repeats(packets: list[Packet]) -> int:
    return len(packets) - len({tuple(p.values()) for p in packets})


def _by(packets: list[Packet], name: str) -> dict[Any, list[Packet]]:
    groups = defaultdict(list)
    for p in packets:
        groups[p[name]].append(p)
    return groups


def _pairs(packets: list[Packet], node: dict[int, int]) -> dict[tuple[int, int], list[Packet]]:
    groups = defaultdict(list)
    for p in packets:
        groups[p["src_ip"], node[_true_port(p)]].append(p)
    return groups


def _nodes(packets: list[Packet], max_ports: int) -> dict[int, int]:
    counts = Counter(p["dst_port"] for p in packets if p["dst_port"] is not None)
    order = sorted(counts, key=lambda port: (-counts[port], port))
    nodes = {port: port if place < max_ports else REST for place, port in enumerate(order)}
    return nodes | {REST: REST}


def _true_port(p: Packet) -> int:
    """Return the port; -1 where the trace does not tell it."""
    return REST if p["dst_port"] is None else p["dst_port"]


def _root(value: Fraction) -> float:
    """Square root of a fraction to double precision, whatever its size."""
    scale = 2**200
    return math.isqrt(int(value * scale * scale)) / scale


def _std(values: list[int]) -> float:
    if len(values) < 2:
        return 0.0
    mean = Fraction(sum(values), len(values))
    return _root(sum(((v - mean) ** 2 for v in values), Fraction(0)) / (len(values) - 1))


def _stats(values: list[int]) -> dict[str, float]:
    if not values:
        return dict.fromkeys(("min", "max", "sum", "mean", "std"), 0.0)
    return {
        "min": min(values),
        "max": max(values),
        "sum": sum(values),
        "mean": float(Fraction(sum(values), len(values))),
        "std": _std(values),
    }


def _present(packets: list[Packet], name: str) -> list[Any]:
    return [p[name] for p in packets if p[name] is not None]


def _header_columns(packets: list[Packet]) -> dict[str, float]:
    return {
        f"{field}_{name}": value
        for field in HEADERS
        for name, value in _stats(_present(packets, field)).items()
    }


def _count_columns(counts: Counter, what: str, unit: str) -> dict[str, float]:
    stats = _stats(list(counts.values()))
    return {what: len(counts)} | {f"packets_per_{unit}_{name}": v for name, v in stats.items()}


def _port(packets: list[Packet]) -> dict[str, float]:
    return (
        {"packets": len(packets)}
        | _count_columns(Counter(p["src_ip"] for p in packets), "hosts", "host")
        | {f"zero_{n}": 0 for n in range(6, 12)}
        | _header_columns(packets)
    )


def _host(
    packets: list[Packet], node: dict[int, int], start: int, config: SnapshotConfig
) -> dict[str, Any]:
    true = Counter(map(_true_port, packets))
    cut = Counter(node[_true_port(p)] for p in packets)
    dark = Counter(_present(packets, "dst_ip"))
    source = Counter(_present(packets, "src_port"))
    hours = Counter((p["ts_ns"] - start) // HOUR for p in packets)
    ports = true if config.features_before_port_filter else cut
    return (
        {
            "packets": len(packets),
            "first_ts": min(p["ts_ns"] for p in packets),
            "last_ts": max(p["ts_ns"] for p in packets),
            "true_ports": len(true),
            "source_ports": len(source) or None,
            "hours": len(hours),
            "port_entropy": _entropy(true),
            "dark_address_entropy": _entropy(dark),
            "source_port_entropy": _entropy(source),
            "hour_entropy": _entropy(hours),
        }
        | _count_columns(ports, "ports", "port")
        | _count_columns(dark, "dark_addresses", "dark_address")
        | _header_columns(packets)
        | _common(packets)
        | _shares(packets)
        | _gaps(packets)
    )


def _entropy(counts: Counter) -> float | None:
    total = sum(counts.values())
    return math.fsum(-n / total * math.log2(n / total) for n in counts.values()) if total else None


def _common(packets: list[Packet]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name in ("ttl", "window", "length"):
        counts = Counter(_present(packets, name))
        best = min(counts, key=lambda v: (-counts[v], v)) if counts else None
        result[f"{name}_common"] = best
        result[f"{name}_common_share"] = counts[best] / sum(counts.values()) if counts else None
    ttl = result["ttl_common"]
    result["initial_ttl"] = None if ttl is None else min(t for t in (32, 64, 128, 255) if t >= ttl)
    result["hops"] = None if ttl is None else result["initial_ttl"] - ttl
    return result


def _share(answers: list[bool]) -> float | None:
    return sum(answers) / len(answers) if answers else None


def _shares(packets: list[Packet]) -> dict[str, float | None]:
    masscan, mirai = [], []
    for p in packets:
        if None not in (p["dst_ip"], p["seq"], p["ip_id"], p["dst_port"]):
            masscan.append((p["dst_ip"] ^ p["dst_port"] ^ p["seq"]) & 0xFFFF == p["ip_id"])
        if p["mirai"] is not None:
            mirai.append(p["mirai"])
        elif None not in (p["dst_ip"], p["seq"]):
            mirai.append(p["dst_ip"] == p["seq"])
    return {
        "zmap_share": _share([i == 54_321 for i in _present(packets, "ip_id")]),
        "masscan_share": _share(masscan),
        "mirai_share": _share(mirai),
        "mss_share": _share([v > 0 for v in _present(packets, "mss")]),
        "ts_option_share": _share([v > 0 for v in _present(packets, "ts_option")]),
    }


def _gaps(packets: list[Packet]) -> dict[str, float | None]:
    times = sorted(p["ts_ns"] for p in packets)
    gaps = sorted(b - a for a, b in itertools.pairwise(times))
    return {f"gap_p{q}_s": _quantile(gaps, q) for q in (10, 50, 90)}


def _quantile(values: list[int], percent: int) -> float | None:
    if not values:
        return None
    place = Fraction(percent, 100) * (len(values) - 1)
    low = math.floor(place)
    high = min(low + 1, len(values) - 1)
    return float((values[low] + (values[high] - values[low]) * (place - low)) / 10**9)


def _hourly(
    inside: list[Packet], kept: list[Packet], start: int, hours: int
) -> dict[str, list[int]]:
    def hour(p: Packet) -> int:
        return (p["ts_ns"] - start) // HOUR

    plain = [p for p in inside if p["proto"] == 6]
    senders = defaultdict(set)
    for p in inside:
        senders[hour(p)].add(p["src_ip"])
    counts = {
        "packets": Counter(map(hour, inside)),
        "backscatter": Counter(hour(p) for p in plain if is_backscatter(p)),
        "kept": Counter(map(hour, kept)),
        "hosts": {h: len(s) for h, s in senders.items()},
    }
    return {name: [values.get(h, 0) for h in range(hours)] for name, values in counts.items()}
