"""How fast captures are read: `python -m benchmarks.captures [packets]`.

Writes SYN packets of 58, 66 and 74 bytes with three option layouts to a temporary file, reads each
kind of file in a process of its own, and prints packets a second to Arrow batches and peak memory.
On a machine that does other things too, the rate by processor time is the one to compare.
"""

import gzip
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from darkgnn_core.traces import pcap, pcapng
from darkgnn_core.traces.opening import ByteSource
from darkgnn_core.traces.reading import ReadOptions, Tally

PACKETS = 1_000_000
PIECE = 100_000
FIRST_S = 1_638_316_800
OPTIONS = (
    bytes.fromhex("020405b4"),
    bytes.fromhex("020405b40103030801010402"),
    bytes.fromhex("020405b40402080a000f42400000000001030307"),
)


def write_pcap(path: Path, packets: int, seed: int = 0) -> None:
    """Write SYN packets as a little-endian microsecond capture."""
    rng = np.random.default_rng(seed)
    with path.open("wb") as file:
        file.write(bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000"))
        for first in range(0, packets, PIECE):
            rows = min(PIECE, packets - first)
            times = (FIRST_S * 10**6 + (first + np.arange(rows)) * 500).astype(np.int64)
            file.write(_records(rng, times, pcapng=False))


def write_pcapng(path: Path, packets: int, seed: int = 0) -> None:
    """Write the same packets as pcapng, one section and one interface."""
    rng = np.random.default_rng(seed)
    with path.open("wb") as file:
        file.write(bytes.fromhex("0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000"))
        file.write(bytes.fromhex("0100000014000000010000000000040014000000"))
        for first in range(0, packets, PIECE):
            rows = min(PIECE, packets - first)
            times = (FIRST_S * 10**6 + (first + np.arange(rows)) * 500).astype(np.int64)
            file.write(_records(rng, times, pcapng=True))


def _records(rng: np.random.Generator, times: np.ndarray, *, pcapng: bool) -> bytes:
    """Return records of one packet each, the three layouts mixed at random."""
    layout = rng.integers(0, len(OPTIONS), len(times))
    pieces = np.empty(len(times), dtype=object)
    for number, options in enumerate(OPTIONS):
        chosen = np.flatnonzero(layout == number)
        frames = _frames(rng, len(chosen), options)
        rows = _wrap_ng(times[chosen], frames) if pcapng else _wrap(times[chosen], frames)
        pieces[chosen] = [row.tobytes() for row in rows]
    return b"".join(pieces.tolist())


def _frames(rng: np.random.Generator, rows: int, options: bytes) -> np.ndarray:
    size = 54 + len(options)
    frames = np.zeros((rows, size), dtype=np.uint8)
    frames[:, 12:14] = (8, 0)
    frames[:, 14] = 0x45
    frames[:, 17] = size - 14
    frames[:, 18:20] = rng.integers(0, 256, (rows, 2))
    frames[:, 22:24] = (64, 6)
    frames[:, 26:38] = rng.integers(0, 256, (rows, 12))
    frames[:, 38:42] = rng.integers(0, 256, (rows, 4))
    frames[:, 46] = (size - 34) // 4 << 4
    frames[:, 47:50] = (2, 4, 0)
    frames[:, 54:] = np.frombuffer(options, dtype=np.uint8)
    return frames


def _wrap(times: np.ndarray, frames: np.ndarray) -> np.ndarray:
    head = np.empty((len(times), 4), dtype="<u4")
    head[:, 0], head[:, 1] = times // 10**6, times % 10**6
    head[:, 2:] = frames.shape[1]
    return np.hstack((head.view(np.uint8), frames))


def _wrap_ng(times: np.ndarray, frames: np.ndarray) -> np.ndarray:
    size = frames.shape[1]
    filled = -(-size // 4) * 4
    head = np.empty((len(times), 7), dtype="<u4")
    head[:] = (6, filled + 32, 0, 0, 0, size, size)
    head[:, 3], head[:, 4] = times >> 32, times & 0xFFFFFFFF
    tail = np.full((len(times), 1), filled + 32, dtype="<u4")
    fill = np.zeros((len(times), filled - size), dtype=np.uint8)
    return np.hstack((head.view(np.uint8), frames, fill, tail.view(np.uint8)))


def read_once(path: Path) -> None:
    """Read one capture and print what it took."""
    tally = Tally()
    started, started_cpu = time.perf_counter(), time.process_time()
    with path.open("rb", buffering=0) as raw:
        source = ByteSource(raw, path.name)
        module = pcap if pcap.sniff(source.peek(64)) else pcapng
        for _ in module.read(source, ReadOptions(), tally):
            pass
    seconds, cpu = time.perf_counter() - started, time.process_time() - started_cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{path.name:16} {tally.kept:>10,} packets {seconds:7.2f} s "
        f"{tally.kept / seconds:>12,.0f} packets/s  "
        f"{tally.kept / cpu:>12,.0f} packets/s of processor time  peak {peak:,.0f} MB"
    )


def main() -> None:
    """Write the captures and read each in a process of its own."""
    if len(sys.argv) > 1 and not sys.argv[1].isdigit():
        read_once(Path(sys.argv[1]))
        return
    packets = int(sys.argv[1]) if len(sys.argv) > 1 else PACKETS
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / "syn.pcap", Path(folder) / "syn.pcapng"]
        write_pcap(paths[0], packets)
        write_pcapng(paths[1], packets)
        for path in list(paths):
            packed = path.with_name(path.name + ".gz")
            packed.write_bytes(gzip.compress(path.read_bytes(), 1))
            paths.append(packed)
        for path in paths:
            subprocess.run([sys.executable, "-m", "benchmarks.captures", str(path)], check=True)


if __name__ == "__main__":
    main()
