"""From frames to packets: link layer, IPv4, TCP and UDP, decoded a column at a time."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from darkgnn_core.traces.capture_window import rows_at
from darkgnn_core.traces.frame_links import find_ip
from darkgnn_core.traces.frame_options import read_options
from darkgnn_core.traces.frame_values import Frames, Verdicts
from darkgnn_core.traces.packets import TCP, packet_batch
from darkgnn_core.traces.reading import Tally

EARLIEST_NS = 788_918_400 * 10**9  # 1995-01-01
UDP = 17
IP_BYTES, TCP_BYTES, UDP_BYTES = 20, 20, 8
# Bytes of a TCP header that must be there to see a field.
PORTS_END, SEQ_END, OFFSET_END, FLAGS_END, WINDOW_END = 4, 8, 13, 14, 16
MORE_FRAGMENTS, FRAGMENT_OFFSET = 0x2000, 0x1FFF

IP_HEADER = np.dtype(
    [
        ("version", "u1"),
        ("service", "u1"),
        ("total", ">u2"),
        ("id", ">u2"),
        ("fragment", ">u2"),
        ("ttl", "u1"),
        ("proto", "u1"),
        ("checksum", ">u2"),
        ("src", ">u4"),
        ("dst", ">u4"),
    ]
)
TCP_HEADER = np.dtype(
    [
        ("src_port", ">u2"),
        ("dst_port", ">u2"),
        ("seq", ">u4"),
        ("ack", ">u4"),
        ("offset", "u1"),
        ("flags", "u1"),
        ("window", ">u2"),
    ]
)


@dataclass(frozen=True)
class _Decoded:
    """Headers of n packets and what follows from them.

    `seen` is the bytes of IP payload that were captured, `sent` those on the wire, `odd` says
    where lengths contradict each other.
    """

    ts_ns: NDArray[np.int64]
    ip: NDArray[np.void]
    tcp: NDArray[np.void]
    payload: NDArray[np.int64]
    length: NDArray[np.int64]
    seen: NDArray[np.int64]
    sent: NDArray[np.int64]
    odd: NDArray[np.bool_]

    def where(self, chosen: NDArray[np.int64]) -> "_Decoded":
        return _Decoded(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def decode(frames: Frames, verdicts: Verdicts, tally: Tally, *, latest_ns: int) -> pa.RecordBatch:
    """Decode frames; each one is in the batch or counted under one of `frame_values.REASONS`.

    A header that the capture cut short gives the fields that are there and null for the others.

    Args:
        frames: The frames.
        verdicts: Of these frames; may already leave some out.
        tally: Counts every frame; notes `len_mismatch` (record lengths or IP total length
            contradict each other), `tcp_cut` (header cut by the capture or by fragmentation),
            `options_cut`, `bad_options`.
        latest_ns: Last time that is believed.

    Returns:
        Batch of `packets.SCHEMA`, in the order of the frames. `length` is the IP total length
        where the frame can hold it, otherwise what the frame holds.

    Source:
        RFC 791, 9293 and 768. Which damage costs what is ours (`docs/decisions.md`, captures).
    """
    verdicts.leave_out((frames.ts_ns < EARLIEST_NS) | (frames.ts_ns > latest_ns), "bad_time")
    offsets = find_ip(frames, verdicts)
    decoded = _read_headers(frames, offsets, verdicts)
    _judge_transport(decoded, verdicts)
    kept = verdicts.settle(tally)
    if len(kept) < len(frames.start):
        decoded = decoded.where(kept)
    tally.note("len_mismatch", int(np.count_nonzero(decoded.odd)))
    return _batch(frames.content, decoded, tally)


def _read_headers(frames: Frames, offsets: NDArray[np.int64], verdicts: Verdicts) -> _Decoded:
    """Read IP and TCP headers at once; what is no such header is read too, and left out after."""
    start, captured = frames.start + offsets, frames.captured - offsets
    verdicts.leave_out(captured < IP_BYTES, "no_ip_header")
    ip = rows_at(frames.content, start, IP_HEADER)
    header_bytes = (ip["version"] & 15).astype(np.int64) * 4
    total = ip["total"].astype(np.int64)
    bad = (ip["version"] >> 4 != 4) | (header_bytes < IP_BYTES) | (header_bytes > captured)
    bad |= (total < header_bytes) & (total > 0)  # 0: a kernel left the length to its card
    verdicts.leave_out(bad, "bad_ip_header")
    verdicts.leave_out((ip["fragment"] & FRAGMENT_OFFSET) > 0, "fragment")
    held = np.maximum(frames.captured, frames.original) - offsets
    length = np.where((total == 0) | (total > held), held, total)
    return _Decoded(
        ts_ns=frames.ts_ns,
        ip=ip,
        tcp=rows_at(frames.content, start + header_bytes, TCP_HEADER),
        payload=start + header_bytes,
        length=length,
        seen=np.minimum(length, captured) - header_bytes,
        sent=length - header_bytes,
        odd=(frames.captured > frames.original) | (length != total),
    )


def _judge_transport(packets: _Decoded, verdicts: Verdicts) -> None:
    """Leave out impossible TCP and UDP headers, and those cut before the end of the ports."""
    is_tcp, is_udp = packets.ip["proto"] == TCP, packets.ip["proto"] == UDP
    # The rest of a header may come in the next fragment: such packets are cut, not wrong.
    whole = (packets.ip["fragment"] & MORE_FRAGMENTS) == 0
    header_bytes = (packets.tcp["offset"] >> 4).astype(np.int64) * 4
    wrong = (packets.seen >= OFFSET_END) & (header_bytes < TCP_BYTES)
    wrong |= whole & (packets.sent < TCP_BYTES)
    verdicts.leave_out(is_tcp & wrong, "bad_tcp")
    verdicts.leave_out(is_udp & whole & (packets.sent < UDP_BYTES), "bad_udp")
    verdicts.leave_out((is_tcp | is_udp) & (packets.seen < PORTS_END), "truncated_l4")


def _batch(content: NDArray[np.uint8], packets: _Decoded, tally: Tally) -> pa.RecordBatch:
    ip, tcp = packets.ip, packets.tcp
    is_tcp = ip["proto"] == TCP
    no_ports = ~(is_tcp | (ip["proto"] == UDP))
    no_seq = ~is_tcp | (packets.seen < SEQ_END)
    no_offset = ~is_tcp | (packets.seen < OFFSET_END)
    tally.note("tcp_cut", int(np.count_nonzero(is_tcp & (packets.seen < TCP_BYTES))))
    mss, timestamp = _options(content, packets, np.flatnonzero(~no_offset), tally)
    columns: dict[str, pa.Array] = {
        "ts_ns": _column(packets.ts_ns, "i8"),
        "src_ip": _column(ip["src"], "u4"),
        "dst_ip": _column(ip["dst"], "u4"),
        "src_port": _column(tcp["src_port"], "u2", no_ports),
        "dst_port": _column(tcp["dst_port"], "u2", no_ports),
        "proto": _column(ip["proto"], "u1"),
        "length": _column(packets.length, "u4"),
        "tcp_flags": _column(tcp["flags"], "u1", ~is_tcp | (packets.seen < FLAGS_END)),
        "ttl": _column(ip["ttl"], "u1"),
        "ip_id": _column(ip["id"], "u2"),
        "seq": _column(tcp["seq"], "u4", no_seq),
        "window": _column(tcp["window"], "u2", ~is_tcp | (packets.seen < WINDOW_END)),
        "mss": _column(mss, "u2", no_offset),
        "ts_option": _column(timestamp, "u4", no_offset),
        "mirai": _column(tcp["seq"] == ip["dst"], "?", no_seq),
    }
    return packet_batch(columns, rows=len(ip))


def _options(
    content: NDArray[np.uint8], packets: _Decoded, chosen: NDArray[np.int64], tally: Tally
) -> tuple[NDArray[np.uint16], NDArray[np.uint32]]:
    """Read the options of the chosen packets; 0 for the others."""
    mss = np.zeros(len(packets.ip), dtype=np.uint16)
    timestamp = np.zeros(len(packets.ip), dtype=np.uint32)
    header_bytes = (packets.tcp["offset"][chosen] >> 4).astype(np.int64) * 4
    seen, start = packets.seen[chosen], packets.payload[chosen]
    short = (header_bytes > TCP_BYTES) & (seen < header_bytes)
    # Some scanners announce options that they do not send: odd, but a packet that arrived.
    whole = (packets.ip["fragment"][chosen] & MORE_FRAGMENTS) == 0
    absent = short & whole & (header_bytes > packets.sent[chosen])
    end = start + np.minimum(header_bytes, seen)
    options = read_options(content, start + TCP_BYTES, end, short)
    mss[chosen], timestamp[chosen] = options.mss, options.timestamp
    tally.note("options_cut", int(np.count_nonzero(short & ~absent)))
    tally.note("bad_options", options.bad + int(np.count_nonzero(absent)))
    return mss, timestamp


def _column(values: NDArray[Any], kind: str, missing: NDArray[np.bool_] | None = None) -> pa.Array:
    """Return an Arrow column of native numbers, null where `missing`.

    Made of buffers: `pa.array` would import pandas, half a second for every trace.
    """
    native = np.ascontiguousarray(values.astype(kind))
    content = np.packbits(native, bitorder="little") if kind == "?" else native
    present = None
    if missing is not None and missing.any():
        present = pa.py_buffer(np.packbits(~missing, bitorder="little"))
    arrow_type = pa.from_numpy_dtype(native.dtype)
    return pa.Array.from_buffers(arrow_type, len(native), [present, pa.py_buffer(content)])
