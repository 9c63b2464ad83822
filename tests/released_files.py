"""Writes a small data set in the layout of the paper authors' released files.

Written from the facts of the format (file names, columns, ids, month-first edges, features divided
by the day's maximum), by plain loops over planted packets; shares nothing with the reader.
"""

import json
import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

RAW_HEADER = (
    "ts,ethtype,src_ip,src_port,dst_ip,dst_port,pck_len,tcp_flags,mirai,tcp_seq,ttl,t_mss,t_win,"
    "t_ts,t_sack,t_sackp,interval"
)
DAY_0_S = 1_638_316_800  # 2021-12-01 00:00 UTC


@dataclass(frozen=True)
class Planted:
    """One packet: day counted from 2021-12-01, sender, port (`oth` allowed), header fields."""

    day: int
    src: str
    port: str
    dst: str = "198.51.100.1"
    length: int = 44
    ttl: int = 50
    mss: int = 1_460
    window: int = 1_024
    ts_option: int = 0


def planted() -> list[Planted]:
    """Three days of four senders; host .4 is on day 3 only with pairs it had already on day 1."""
    one, two, three, four = (f"192.0.2.{last}" for last in (1, 2, 3, 4))
    packets = [Planted(0, one, "23", f"198.51.100.{n}", ttl=40 + n) for n in range(1, 5)]
    packets += [Planted(0, one, "2323", ttl=41), Planted(0, one, "oth", ttl=41)]
    packets += [Planted(0, two, "22", length=60, ts_option=7)] * 6
    packets += [Planted(0, four, "443", window=65_535)] * 8
    packets += [Planted(1, one, "23")] * 7 + [Planted(1, three, "23", mss=0, ttl=200)] * 9
    packets += [Planted(1, three, "oth", ttl=201)] * 2
    packets += [Planted(2, four, "443", window=65_535)] * 6 + [Planted(2, two, "8080")] * 6
    return packets


def day_digits(day: int) -> str:
    """Return `20211201` for day 0."""
    return f"202112{day + 1:02d}"


def write_released(folder: Path, packets: list[Planted], labels: dict[str, str]) -> Path:
    """Write `raw/`, `graph/`, `features/` and `ground_truth/` into `folder`; return it."""
    for name in ("raw", "graph", "features", "ground_truth"):
        (folder / name).mkdir(parents=True)
    days = sorted({packet.day for packet in packets})
    hosts = {name: n for n, name in enumerate(sorted({packet.src for packet in packets}))}
    ports = {p: len(hosts) + n for n, p in enumerate(sorted({packet.port for packet in packets}))}
    (folder / "graph/ip_lookup.json").write_text(json.dumps(hosts))
    (folder / "graph/port_lookup.json").write_text(json.dumps(ports))
    rows = [f"{address},{label}" for address, label in labels.items()]
    write_lines(folder / "ground_truth/ground_truth.csv", ["src_ip,label", *rows])
    for day in days:
        of_day = [packet for packet in packets if packet.day == day]
        _write_raw(folder, day, of_day)
        _write_features(folder, day, of_day, hosts, ports)
    _write_graphs(folder, packets, hosts, ports, labels)
    return folder


def write_lines(path: Path, lines: list[str]) -> None:
    """Write lines, each with its end."""
    path.write_text("".join(f"{line}\n" for line in lines))


def _write_raw(folder: Path, day: int, packets: list[Planted]) -> None:
    rows = [RAW_HEADER]
    for n, p in enumerate(packets):
        fields = [DAY_0_S + 86_400 * day + n + 0.25, 2048, p.src, 40_000 + n, p.dst, p.port]
        fields += [p.length, "S", 0, 1_000 + n, p.ttl, p.mss, p.window, p.ts_option, "-", "-"]
        rows.append(",".join(map(str, [*fields, day_digits(day)])))
    write_lines(folder / f"raw/raw_{day_digits(day)}.csv", rows)


def _write_graphs(folder, packets, hosts, ports, labels) -> None:
    totals = Counter((p.src, p.port) for p in packets)
    lines = defaultdict(list)
    for src, port in sorted(totals):
        first = min(p.day for p in packets if (p.src, p.port) == (src, port))
        label = labels.get(src, "unknown")
        lines[first].append(f"{hosts[src]},{ports[port]},{totals[src, port]},{label}")
    for day, rows in lines.items():
        (folder / f"graph/{day_digits(day)}.txt").write_text("\n".join(rows))


def _write_features(folder, day, packets, hosts, ports) -> None:
    rows = {}
    for kind, lookup in (("src", hosts), ("port", ports)):
        found = {name: raw_features(packets, kind, name) for name in lookup}
        columns = list(zip(*(row for row in found.values() if row), strict=True))
        tops = [max(column) for column in columns]
        for name, node in lookup.items():
            row = found[name] or [0.0] * 37
            rows[node] = [value / top if top else 0.0 for value, top in zip(row, tops, strict=True)]
    lines = ["index," + ",".join(map(str, range(37)))]
    lines += [",".join(map(str, [node, *rows[node]])) for node in sorted(rows)]
    write_lines(folder / f"features/features_{day_digits(day)}.csv", lines)


def raw_features(packets: list[Planted], kind: str, name: str) -> list[float]:
    """Return the 37 columns of one node of a day before scaling; empty where it was silent."""
    own = [packet for packet in packets if getattr(packet, kind) == name]
    if not own:
        return []
    others = Counter(packet.port if kind == "src" else packet.src for packet in own)
    row = [len(others), *_five(list(others.values()), "min max sum mean std")]
    if kind == "src":
        dark = Counter(packet.dst for packet in own)
        row += [len(dark), *_five(list(dark.values()), "min max sum mean std")]
    else:
        row += [0.0] * 6
    for column in ("length", "ttl", "mss", "window", "ts_option"):
        row += _five([getattr(packet, column) for packet in own], "sum min max mean std")
    return row


def _five(values: list[int], order: str) -> list[float]:
    known = {
        "min": min(values),
        "max": max(values),
        "sum": sum(values),
        "mean": statistics.fmean(values),
        "std": statistics.stdev(values) if len(values) > 1 else 0.0,
    }
    return [float(known[name]) for name in order.split()]
