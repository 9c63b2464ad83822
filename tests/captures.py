"""Captures built by hand, piece by piece, sound or broken in a chosen place."""

import struct
from collections.abc import Iterable

FIRST_S = 1_638_316_800  # 2021-12-01 00:00 UTC
FIRST_NS = FIRST_S * 10**9
SENDER, DARK = 0xC0000201, 0xCB007105  # 192.0.2.1, 203.0.113.5
MICRO, NANO, MODIFIED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34
MSS_1460 = bytes.fromhex("020405b4")
LINUX_OPTIONS = bytes.fromhex("020405b40402080a000f42400000000001030307")


def tcp(
    *,
    src_port=40_000,
    dst_port=23,
    seq=0x01020304,
    flags=2,
    window=1024,
    options=b"",
    offset=None,
    payload=b"",
):
    """Return a TCP segment; `offset` replaces the true data offset in words."""
    words = 5 + len(options) // 4 if offset is None else offset
    head = struct.pack(">HHIIBBHHH", src_port, dst_port, seq, 0, words << 4, flags, window, 0, 0)
    return head + options + payload


def udp(*, src_port=5_000, dst_port=53, payload=b"query"):
    """Return a UDP datagram."""
    return struct.pack(">HHHH", src_port, dst_port, 8 + len(payload), 0) + payload


def ipv4(
    payload=None,
    *,
    src=SENDER,
    dst=DARK,
    proto=6,
    ttl=64,
    ip_id=54_321,
    fragment=0,
    options=b"",
    total=None,
    words=None,
    version=4,
):
    """Return an IPv4 packet; `total` and `words` replace the true lengths."""
    payload = tcp() if payload is None else payload
    size = 20 + len(options)
    first = version << 4 | (size // 4 if words is None else words)
    length = size + len(payload) if total is None else total
    head = struct.pack(">BBHHHBBHII", first, 0, length, ip_id, fragment, ttl, proto, 0, src, dst)
    return head + options + payload


def ethernet(packet, *, kind=0x0800, tags=()):
    """Return an Ethernet frame with VLAN tags of the given types, outermost first."""
    types = [*tags, kind]
    middle = b"".join(struct.pack(">HH", 7, each) for each in types[1:])
    return bytes(range(12)) + struct.pack(">H", types[0]) + middle + packet


def cooked(packet, *, kind=0x0800, device=1):
    """Return a frame of Linux's cooked capture, version 1."""
    return struct.pack(">HHH8sH", 0, device, 6, bytes(8), kind) + packet


def cooked_2(packet, *, kind=0x0800, device=1):
    """Return a frame of Linux's cooked capture, version 2."""
    return struct.pack(">HHIHBB8s", kind, 0, 3, device, 0, 6, bytes(8)) + packet


def loopback(packet, *, family=2, order="<"):
    """Return a frame of BSD's loopback."""
    return struct.pack(f"{order}I", family) + packet


def file_header(*, order="<", magic=MICRO, link=1, snaplen=65_535, version=(2, 4)):
    """Return the first 24 bytes of a classic capture."""
    return struct.pack(f"{order}IHHiIII", magic, *version, 0, 0, snaplen, link)


def record(
    frame, *, order="<", seconds=FIRST_S, fraction=0, captured=None, original=None, extra=b""
):
    """Return a record of a classic capture."""
    captured = len(frame) if captured is None else captured
    original = len(frame) if original is None else original
    return struct.pack(f"{order}IIII", seconds, fraction, captured, original) + extra + frame


def pcap(frames: Iterable[bytes], *, order="<", magic=MICRO, link=1):
    """Return a whole classic capture, one frame a second."""
    extra = bytes(8) if magic == MODIFIED else b""
    records = [
        record(frame, order=order, seconds=FIRST_S + number, fraction=number, extra=extra)
        for number, frame in enumerate(frames)
    ]
    return file_header(order=order, magic=magic, link=link) + b"".join(records)


def block(kind, body, *, order="<", length=None, trailer=None):
    """Return a pcapng block; `length` and `trailer` replace the true lengths."""
    body += bytes(-len(body) % 4)
    true = len(body) + 12
    length = true if length is None else length
    trailer = length if trailer is None else trailer
    return struct.pack(f"{order}II", kind, length) + body + struct.pack(f"{order}I", trailer)


def section(*, order="<", version=(1, 0)):
    """Return a section header block."""
    return block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, *version, -1), order=order)


def option(code, value, *, order="<"):
    """Return a pcapng option."""
    return struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4)


def interface(*, order="<", link=1, snaplen=0, resolution=None, offset=None):
    """Return an interface description block."""
    options = b""
    if resolution is not None:
        options += option(9, bytes([resolution]), order=order)
    if offset is not None:
        options += option(14, struct.pack(f"{order}q", offset), order=order)
    body = struct.pack(f"{order}HHI", link, 0, snaplen) + options
    return block(1, body + (option(0, b"", order=order) if options else b""), order=order)


def enhanced(frame, *, order="<", number=0, ticks=None, captured=None, original=None, options=b""):
    """Return an enhanced packet block."""
    ticks = FIRST_S * 10**6 if ticks is None else ticks
    captured = len(frame) if captured is None else captured
    original = len(frame) if original is None else original
    body = struct.pack(
        f"{order}IIIII", number, ticks >> 32 & 0xFFFFFFFF, ticks & 0xFFFFFFFF, captured, original
    )
    return block(6, body + frame + bytes(-len(frame) % 4) + options, order=order)


def old_packet(frame, *, order="<", number=0, ticks=None):
    """Return an obsolete packet block."""
    ticks = FIRST_S * 10**6 if ticks is None else ticks
    body = struct.pack(
        f"{order}HHIIII",
        number,
        9,
        ticks >> 32 & 0xFFFFFFFF,
        ticks & 0xFFFFFFFF,
        len(frame),
        len(frame),
    )
    return block(2, body + frame, order=order)


def simple(frame, *, order="<", original=None):
    """Return a simple packet block, which has no time."""
    original = len(frame) if original is None else original
    return block(3, struct.pack(f"{order}I", original) + frame, order=order)


def pcapng(frames: Iterable[bytes], *, order="<", link=1):
    """Return a whole pcapng capture of one section and interface, one frame a second."""
    blocks = [section(order=order), interface(order=order, link=link)]
    for number, frame in enumerate(frames):
        blocks.append(enhanced(frame, order=order, ticks=(FIRST_S + number) * 10**6 + number))
    return b"".join(blocks)


def random_packet(rng):
    """Return an IP packet or something like it, sound or hostile."""
    options = rng.choice(
        [
            b"",
            MSS_1460,
            LINUX_OPTIONS,
            bytes(4),
            b"\x01" * 40,
            b"\x02\x00\x05\xb4",
            b"\x08\xff\x01\x01",
            rng.randbytes(rng.randrange(0, 10) * 4),
        ]
    )
    offset = rng.choice([None] * 8 + [0, 4, 5, 15])
    dst = rng.choice([DARK, rng.getrandbits(32)])
    seq = rng.choice([dst, rng.getrandbits(32)])
    payload = rng.choice(
        [tcp(seq=seq, dst_port=rng.getrandbits(16), options=options, offset=offset)] * 4
        + [udp(), b"\x08\x00" + rng.randbytes(6), ipv4(udp(), proto=17), rng.randbytes(30)]
    )
    payload = payload[: rng.choice([999] * 6 + [0, 3, 4, 7, 8, 12, 13, 14, 16, 19, 20, 22])]
    return ipv4(
        payload,
        src=rng.getrandbits(32),
        dst=dst,
        proto=rng.choice([6] * 8 + [17, 17, 1, 47, 4, 132]),
        fragment=rng.choice([0, 0x4000] * 6 + [0x2000, 1, 0x2005]),
        options=rng.choice([b""] * 6 + [bytes(4), b"\x07" * 40]),
        total=rng.choice([None] * 12 + [0, 10, 30, 41, 65_535]),
        words=rng.choice([None] * 16 + [2, 6, 15]),
        version=rng.choice([4] * 20 + [6, 0]),
    )


def random_frame(rng, link):
    """Return a frame of the link type, sound or hostile, perhaps cut or padded."""
    packet = random_packet(rng)
    kind = rng.choice([0x0800] * 10 + [0x86DD, 0x0806, 0x8100])
    tags = rng.choice([(), (), (0x8100,), (0x88A8, 0x8100), (0x9100,) * 4, (0x8100,) * 5])
    family = rng.choice([2] * 8 + [30, 24, 7])
    frame = {
        0: lambda: loopback(packet, family=family, order=rng.choice("<>")),
        1: lambda: ethernet(packet, kind=kind, tags=tags),
        108: lambda: loopback(packet, family=family, order=">"),
        113: lambda: cooked(packet, kind=kind, device=rng.choice([1, 1, 1, 824])),
        276: lambda: cooked_2(packet, kind=kind, device=rng.choice([1, 1, 1, 803])),
    }.get(link, lambda: packet)()
    frame += bytes(rng.choice([0, 0, 6]))
    return frame[: rng.choice([9999] * 8 + [rng.randrange(0, 90)])]
