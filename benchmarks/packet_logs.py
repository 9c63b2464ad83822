"""Speed and memory of reading gzip per-packet logs.

Run `python benchmarks/packet_logs.py --rows 2000000`. It writes a synthetic log with all 17
columns, reads it in a fresh process, and prints packets a second of wall and CPU time and the
peak memory. `--kind` also measures the slower paths.
"""

import argparse
import gzip
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from darkgnn_core.traces.formats import detect
from darkgnn_core.traces.opening import ByteSource, open_regular
from darkgnn_core.traces.reading import ReadOptions, Tally

HEADER = (
    "ts ethtype src_ip src_port dst_ip dst_port pck_len tcp_flags mirai tcp_seq ttl t_mss t_win "
    "t_ts t_sack t_sackp proto"
)
KINDS = ("clean", "dirty", "csv", "quoted", "iso", "jsonl", "iptables", "zeek")


def rows_of(count: int, seed: int) -> list[list[str]]:
    """Return synthetic packets as cells of the log."""
    random = np.random.default_rng(seed)
    ts = np.sort(random.integers(0, 86_400 * 10**6, count)) + 1_700_000_000 * 10**6
    hosts = random.zipf(1.3, count) % 60_000
    cells = [
        [f"{t // 10**6}.{t % 10**6:06d}" for t in ts.tolist()],
        ["2048"] * count,
        [f"100.{64 + h // 65_536}.{h // 256 % 256}.{h % 256}" for h in hosts.tolist()],
        list(map(str, random.integers(1_024, 65_536, count).tolist())),
        [f"198.18.{d // 256}.{d % 256}" for d in random.integers(0, 512, count).tolist()],
        list(map(str, (random.zipf(1.5, count) % 65_536).tolist())),
        ["40"] * count,
        ["2"] * count,
        ["0"] * count,
        list(map(str, random.integers(0, 2**32, count).tolist())),
        list(map(str, random.integers(32, 250, count).tolist())),
        ["1460" if o else "-" for o in random.integers(0, 2, count).tolist()],
        list(map(str, random.integers(0, 65_536, count).tolist())),
        [str(o) if o % 2 else "-" for o in random.integers(0, 2**32, count).tolist()],
        ["-"] * count,
        ["-"] * count,
        ["6"] * count,
    ]
    return list(map(list, zip(*cells, strict=True)))


def line_of(cells: list[str], kind: str, number: int) -> str:
    """Write one packet as a line of the kind of file."""
    if kind == "dirty" and number % 20_000 == 7:
        return " ".join([cells[0], "2048", "999.1.1.1", *cells[3:]])
    if kind == "csv":
        return ",".join(cells)
    if kind == "quoted":
        return ",".join(f'"{cell}"' for cell in cells)
    if kind == "iso":
        day = np.datetime64(int(float(cells[0]) * 1e6), "us")
        return ",".join([f"{day}Z", *cells[1:]])
    if kind == "jsonl":
        return (
            f'{{"ts": {cells[0]}, "src_ip": "{cells[2]}", "src_port": {cells[3]}, '
            f'"dst_ip": "{cells[4]}", "dst_port": {cells[5]}, "proto": "tcp", "ttl": {cells[10]}}}'
        )
    if kind == "iptables":
        return (
            f"2023-11-14T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}+00:00 "
            f"box kernel: [1.5] DROP: IN=eth0 OUT= MAC= SRC={cells[2]} DST={cells[4]} LEN=40 "
            f"TOS=0x00 PREC=0x00 TTL={cells[10]} ID=54321 PROTO=TCP SPT={cells[3]} DPT={cells[5]} "
            f"WINDOW={cells[12]} RES=0x00 SYN URGP=0"
        )
    if kind == "zeek":
        return "\t".join(
            [cells[0], f"C{number}", cells[2], cells[3], cells[4], cells[5], "tcp", "-", "-", "-",
             "-", "S0", "S", "1", "40", "0", "0"]
        )  # fmt: skip
    return " ".join(cells)


def header_of(kind: str) -> str:
    """Return the first line or lines of the kind of file."""
    if kind == "zeek":
        names = (
            "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes "
            "resp_bytes conn_state history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes"
        )
        tabbed = names.replace(" ", "\t")
        return f"#separator \\x09\n#unset_field\t-\n#path\tconn\n#fields\t{tabbed}"
    if kind in ("jsonl", "iptables"):
        return ""
    return HEADER if kind in ("clean", "dirty") else HEADER.replace(" ", ",")


def write(path: Path, rows: int, kind: str) -> None:
    """Write a synthetic gzip log."""
    with gzip.open(path, "wt", compresslevel=6, encoding="ascii") as handle:
        if header_of(kind):
            handle.write(header_of(kind) + "\n")
        for first in range(0, rows, 200_000):
            cells = rows_of(min(200_000, rows - first), first)
            handle.writelines(line_of(row, kind, first + i) + "\n" for i, row in enumerate(cells))


def peak_mib() -> float:
    """Return the peak memory of this process (unlike `ru_maxrss`, not of what started it)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024


def measure(path: Path) -> None:
    """Read a file and print what it took."""
    before = peak_mib()
    wall, cpu = time.perf_counter(), time.process_time()
    tally = Tally()
    with open_regular(path) as raw:
        source = ByteSource(raw, path.name)
        found = detect(source)
        packets = sum(batch.num_rows for batch in found.read(source, ReadOptions(), tally))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(
        f"{found.name:10} {packets:,} packets, {dict(tally.skipped)} skipped: {wall:.2f} s wall, "
        f"{cpu:.2f} s CPU, {packets / wall:,.0f} packets/s, {packets / cpu:,.0f} packets/s of CPU, "
        f"peak {peak_mib():,.0f} MiB (before reading {before:,.0f})"
    )


def main() -> None:
    """Write, then read in a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--kind", choices=(*KINDS, "all"), default="clean")
    parser.add_argument("--read", type=Path, help="only read this file")
    arguments = parser.parse_args()
    if arguments.read:
        measure(arguments.read)
        return
    for kind in KINDS if arguments.kind == "all" else (arguments.kind,):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{kind}.log.gz"
            write(path, arguments.rows, kind)
            print(f"{kind:9} {path.stat().st_size / 2**20:,.0f} MiB: ", end="", flush=True)
            subprocess.run([sys.executable, __file__, "--read", str(path)], check=True)


if __name__ == "__main__":
    main()
