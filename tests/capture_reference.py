"""A second reader of captures: plain, slow, one packet at a time; written to be obviously right."""

import struct
import time
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

YEAR_1995 = 788_918_400 * 10**9
LARGEST = 262_144
NAMES = (
    *("ts_ns", "src_ip", "dst_ip", "src_port", "dst_port", "proto", "length", "tcp_flags"),
    *("ttl", "ip_id", "seq", "window", "mss", "ts_option", "mirai"),
)


@dataclass
class Reading:
    """What the second reader finds: rows as tuples in schema order, and why others are absent."""

    rows: list = field(default_factory=list)
    skipped: Counter = field(default_factory=Counter)
    trouble: str = ""

    def add(self, result):
        """Take one frame's row or reason."""
        if isinstance(result, str):
            self.skipped[result] += 1
        else:
            self.rows.append(tuple(result[name] for name in NAMES))


def read_pcap(data: bytes) -> Reading:
    """Read a classic capture whose header is sound."""
    reading = Reading()
    order = "<" if data[0] in (0xD4, 0x4D, 0x34) and data[3] == 0xA1 else ">"
    magic = struct.unpack(order + "I", data[:4])[0]
    link = struct.unpack(order + "I", data[20:24])[0] & 0x3FFFFFF
    tick = 1 if magic == 0xA1B23C4D else 1000
    head = 24 if magic == 0xA1B2CD34 else 16
    place = 24
    while place < len(data):
        if len(data) - place < head:
            reading.trouble = "PCAP-CUT"
            break
        seconds, fraction, captured, original = struct.unpack(
            order + "IIII", data[place : place + 16]
        )
        if captured > LARGEST:
            reading.trouble = "PCAP-DAMAGED"
            break
        if len(data) - place - head < captured:
            reading.trouble = "PCAP-CUT"
            break
        frame = data[place + head : place + head + captured]
        reading.add(read_frame(frame, original, link, seconds * 10**9 + fraction * tick))
        place += head + captured
    return reading


def read_pcapng(data: bytes) -> Reading:
    """Read a pcapng capture."""
    reading = Reading()
    place, order, interfaces = 0, "", []
    while place < len(data):
        if len(data) - place < 12:
            reading.trouble = "PCAP-CUT"
            return reading
        if data[place : place + 4] == b"\x0a\x0d\x0d\x0a":
            mark = data[place + 8 : place + 12]
            order_here = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}.get(mark, "")
        else:
            order_here = order
        reading.trouble = "PCAP-DAMAGED"  # unless this block proves sound
        if not order_here:
            return reading
        kind, length = struct.unpack(order_here + "II", data[place : place + 8])
        padded = (length + 3) // 4 * 4
        if length < 12 or length > 1 << 24:
            return reading
        if place + padded > len(data):
            reading.trouble = "PCAP-CUT"
            return reading
        block = data[place : place + padded]
        if struct.unpack(order_here + "I", block[-4:])[0] != length:
            return reading
        body = block[8:-4]
        if kind == 0x0A0D0D0A:
            if len(body) < 16 or struct.unpack(order_here + "H", body[4:6])[0] != 1:
                return reading
            order, interfaces = order_here, []
        elif kind == 1:
            if len(body) < 8:
                return reading
            interfaces.append(_read_interface(body, order))
        elif kind in (2, 3, 6):
            result = _read_packet(kind, body, order, interfaces)
            if result is None:
                return reading
            reading.add(result)
        reading.trouble = ""
        place += padded
    return reading


def _read_interface(body, order):
    link, _, snaplen = struct.unpack(order + "HHI", body[:8])
    resolution, offset = 6, 0
    rest = body[8:]
    while len(rest) >= 4:
        code, length = struct.unpack(order + "HH", rest[:4])
        if code == 0 or 4 + length > len(rest):
            break
        value = rest[4 : 4 + length]
        if code == 9 and length == 1:
            resolution = value[0]
        if code == 14 and length == 8:
            offset = struct.unpack(order + "q", value)[0]
        rest = rest[4 + (length + 3) // 4 * 4 :]
    return link, snaplen, resolution, offset


def _read_packet(kind, body, order, interfaces):
    """Return a row, a reason, or None for a block that makes no sense."""
    if kind == 3:
        if len(body) < 4 or not interfaces:
            return None
        original = struct.unpack(order + "I", body[:4])[0]
        link, snaplen, _, _ = interfaces[0]
        if min(original, snaplen or LARGEST) > len(body) - 4:
            return None
        return "no_time" if link in LINKS else "unsupported_link"
    if len(body) < 20:
        return None
    number, high, low, captured, original = struct.unpack(order + "IIIII", body[:20])
    if kind == 2:
        number = struct.unpack(order + "H", body[:2])[0]
    if number >= len(interfaces) or captured > len(body) - 20 or captured > LARGEST:
        return None
    link, _, resolution, offset = interfaces[number]
    base = 2 if resolution & 0x80 else 10
    moment = Fraction((high << 32) + low, base ** (resolution & 0x7F)) + offset
    if link not in LINKS:
        return "unsupported_link"
    return read_frame(body[20 : 20 + captured], original, link, moment * 10**9 // 1)


LINKS = (0, 1, 12, 14, 101, 108, 113, 228, 229, 276)


def read_frame(frame: bytes, original: int, link: int, ts_ns: int):
    """Return a row as a dict, or the reason for none."""
    if not YEAR_1995 <= ts_ns <= time.time_ns() + 86_400 * 10**9:
        return "bad_time"
    offset = _skip_link(frame, link)
    if isinstance(offset, str):
        return offset
    packet = frame[offset:]
    held = max(len(frame), original) - offset
    if len(packet) < 20:
        return "no_ip_header"
    size = (packet[0] & 15) * 4
    total = int.from_bytes(packet[2:4], "big")
    if packet[0] >> 4 != 4 or size < 20 or size > len(packet) or 0 < total < size:
        return "bad_ip_header"
    flags = int.from_bytes(packet[6:8], "big")
    if flags & 0x1FFF:
        return "fragment"
    length = total if 0 < total <= held else held
    row = dict.fromkeys(NAMES)
    row["ts_ns"] = int(ts_ns)
    row["src_ip"] = int.from_bytes(packet[12:16], "big")
    row["dst_ip"] = int.from_bytes(packet[16:20], "big")
    row["proto"], row["ttl"], row["length"] = packet[9], packet[8], length
    row["ip_id"] = int.from_bytes(packet[4:6], "big")
    seen = packet[size:length]
    sent = length - size
    if packet[9] == 6:
        return _read_tcp(row, seen, sent, bool(flags & 0x2000))
    if packet[9] == 17:
        if sent < 8 and not flags & 0x2000:
            return "bad_udp"
        if len(seen) < 4:
            return "truncated_l4"
        row["src_port"], row["dst_port"] = struct.unpack(">HH", seen[:4])
    return row


def _skip_link(frame, link):
    """Return the size of the link header, or a reason."""
    if link == 228:
        return 0
    if link == 229:
        return "ipv6"
    if link in (12, 14, 101):
        if not frame:
            return "no_ip_header"
        return "ipv6" if frame[0] >> 4 == 6 else 0
    if link in (0, 108):
        if len(frame) < 4:
            return "no_ip_header"
        families = {int.from_bytes(frame[:4], "big"), int.from_bytes(frame[:4], "little")}
        if families & {10, 24, 28, 30}:
            return "ipv6"
        return 4 if 2 in families else "not_ip"
    header, kind_at = {1: (14, 12), 113: (16, 14), 276: (20, 0)}[link]
    if len(frame) < header:
        return "no_ip_header"
    device = {1: b"", 113: frame[2:4], 276: frame[8:10]}[link]
    if int.from_bytes(device, "big") in (770, 803, 824):
        return "not_ip"
    kind = int.from_bytes(frame[kind_at : kind_at + 2], "big")
    tags = 0
    while kind in (0x8100, 0x88A8, 0x9100):
        if tags == 4:
            return "too_many_vlan"
        if len(frame) < header + 4:
            return "no_ip_header"
        kind = int.from_bytes(frame[header + 2 : header + 4], "big")
        header += 4
        tags += 1
    if kind == 0x86DD:
        return "ipv6"
    return header if kind == 0x0800 else "not_ip"


def _read_tcp(row, seen, sent, is_piece):
    if sent < 20 and not is_piece:
        return "bad_tcp"
    size = 0
    if len(seen) >= 13:
        size = (seen[12] >> 4) * 4
        if size < 20:
            return "bad_tcp"
        row["mss"], row["ts_option"] = _read_options(seen[20:size])
    if len(seen) < 4:
        return "truncated_l4"
    row["src_port"], row["dst_port"] = struct.unpack(">HH", seen[:4])
    if len(seen) >= 8:
        row["seq"] = int.from_bytes(seen[4:8], "big")
        row["mirai"] = row["seq"] == row["dst_ip"]
    if len(seen) >= 14:
        row["tcp_flags"] = seen[13]
    if len(seen) >= 16:
        row["window"] = int.from_bytes(seen[14:16], "big")
    return row


def _read_options(options):
    mss = timestamp = 0
    while options:
        if options[0] == 0:
            break
        if options[0] == 1:
            options = options[1:]
            continue
        if len(options) < 2 or options[1] < 2 or options[1] > len(options):
            break
        value = options[2 : options[1]]
        if options[0] == 2 and len(value) == 2:
            mss = int.from_bytes(value, "big")
        if options[0] == 8 and len(value) == 8:
            timestamp = int.from_bytes(value[:4], "big")
        options = options[options[1] :]
    return mss, timestamp
