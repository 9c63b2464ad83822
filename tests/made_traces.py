"""Small per-packet logs for tests, from packets written out by hand or drawn with a seed."""

import gzip
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HEADER = (
    "ts ethtype src_ip src_port dst_ip dst_port pck_len tcp_flags mirai tcp_seq "
    "ttl t_mss t_win t_ts t_sack t_sackp proto"
)
DAY_S = 86_400
FIRST_DAY_S = 18_962 * DAY_S
"""2021-12-01 00:00 UTC, in seconds."""


@dataclass(frozen=True)
class Made:
    """One packet of a made log; `at` seconds after 2021-12-01 00:00 UTC."""

    at: float
    host: str
    port: int
    dark: str = "198.18.0.1"
    flags: int = 2
    proto: int = 6

    def line(self) -> str:
        """Return the packet as a line of the paper's log."""
        return (
            f"{FIRST_DAY_S + self.at:.6f} 2048 {self.host} 40000 {self.dark} {self.port} 40 "
            f"{self.flags} 0 12345 64 0 1024 0 0 0 {self.proto}"
        )


def write_log(path: Path, packets: Iterable[Made]) -> Path:
    """Write a per-packet log, gzipped where the name ends so."""
    text = "\n".join([HEADER, *(packet.line() for packet in packets), ""]).encode()
    path.write_bytes(gzip.compress(text, 1, mtime=0) if path.suffix == ".gz" else text)
    return path


def drawn_packets(packets: int, *, days: int, seed: int, hosts: int = 60) -> list[Made]:
    """Return packets of random hosts and ports over some days, in time order."""
    rng = np.random.default_rng(seed)
    times = np.sort(rng.uniform(0, days * DAY_S - 1, packets))
    sources = rng.integers(0, hosts, packets)
    ports = rng.choice([22, 23, 80, 443, 2323, 8080], packets)
    return [
        Made(float(at), f"192.0.2.{source}", int(port), f"198.18.0.{source % 7}")
        for at, source, port in zip(times, sources, ports, strict=True)
    ]


def write_long_log(path: Path, *, rows: int) -> Path:
    """Write a gzipped log of many packets, quickly: one block of lines again and again."""
    block = drawn_packets(20_000, days=1, seed=5)
    lines = "\n".join([*(packet.line() for packet in block), ""]).encode()
    with gzip.open(path, "wb", compresslevel=1) as handle:
        handle.write(HEADER.encode() + b"\n")
        for _ in range(rows // len(block)):
            handle.write(lines)
    return path
