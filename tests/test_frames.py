"""Frames to packets: every link type and every damage of the bad-input table, one at a time."""

import random

import pytest

from tests import captures as c
from tests.capture_checks import read_capture, rows_of
from tests.capture_reference import read_pcap


def read_one(frame, *, link=1, original=None):
    """Return the only packet of a one-frame capture as a dict, or None, and the tally."""
    content = c.file_header(link=link) + c.record(frame, original=original)
    table, tally = read_capture(content)
    assert tally.read == 1
    return (table.to_pylist() or [None])[0], tally


def reason_of(frame, *, link=1):
    """Return why a frame gives no packet."""
    packet, tally = read_one(frame, link=link)
    assert packet is None
    (reason,) = (name for name, count in tally.skipped.items() if count)
    return reason


def test_all_fields_of_a_linux_syn():
    """Every column of a SYN with Linux's options holds what was put in."""
    segment = c.tcp(src_port=1, dst_port=65_535, seq=c.DARK, window=29_200, options=c.LINUX_OPTIONS)
    packet, tally = read_one(c.ethernet(c.ipv4(segment, ttl=51, ip_id=7)))
    assert packet == {
        "ts_ns": c.FIRST_NS,
        "src_ip": c.SENDER,
        "dst_ip": c.DARK,
        "src_port": 1,
        "dst_port": 65_535,
        "proto": 6,
        "length": 60,
        "tcp_flags": 2,
        "ttl": 51,
        "ip_id": 7,
        "seq": c.DARK,
        "window": 29_200,
        "mss": 1460,
        "ts_option": 1_000_000,
        "mirai": True,
    }
    assert not tally.notes


FRAMES = {
    "ethernet": (1, c.ethernet),
    "raw, BSD": (12, bytes),
    "raw, OpenBSD": (14, bytes),
    "raw": (101, bytes),
    "raw IPv4": (228, bytes),
    "cooked": (113, c.cooked),
    "cooked v2": (276, c.cooked_2),
    "loopback, little": (0, c.loopback),
    "loopback, big": (0, lambda packet: c.loopback(packet, order=">")),
    "loopback, OpenBSD": (108, lambda packet: c.loopback(packet, order=">")),
    "one VLAN tag": (1, lambda packet: c.ethernet(packet, tags=(0x8100,))),
    "QinQ": (1, lambda packet: c.ethernet(packet, tags=(0x88A8, 0x8100))),
    "old QinQ": (1, lambda packet: c.ethernet(packet, tags=(0x9100, 0x8100))),
    "four tags": (1, lambda packet: c.ethernet(packet, tags=(0x8100,) * 4)),
    "cooked with a tag": (113, lambda packet: c.cooked(b"\0\7\x08\0" + packet, kind=0x8100)),
}


@pytest.mark.parametrize("name", FRAMES)
def test_link_layers(name):
    """The same packet comes out of every link layer that is read (P15, P16)."""
    link, wrap = FRAMES[name]
    packet, _ = read_one(wrap(c.ipv4()), link=link)
    assert (packet["src_ip"], packet["dst_ip"], packet["dst_port"]) == (c.SENDER, c.DARK, 23)
    assert packet["length"] == 40


SYN = c.tcp()
LEFT_OUT = {
    "five tags": ("too_many_vlan", 1, c.ethernet(c.ipv4(), tags=(0x8100,) * 5)),
    "ARP": ("not_ip", 1, c.ethernet(bytes(28), kind=0x0806)),
    "802.3 length": ("not_ip", 1, c.ethernet(bytes(40), kind=40)),
    "IPv6": ("ipv6", 1, c.ethernet(bytes(40), kind=0x86DD)),
    "raw IPv6 among raw": ("ipv6", 101, b"\x60" + bytes(39)),
    "raw IPv6": ("ipv6", 229, b"\x60" + bytes(39)),
    "cooked IPv6": ("ipv6", 113, c.cooked(bytes(40), kind=0x86DD)),
    "cooked netlink": ("not_ip", 113, c.cooked(c.ipv4(), device=824)),
    "loopback IPv6": ("ipv6", 0, c.loopback(bytes(40), family=30)),
    "loopback other": ("not_ip", 0, c.loopback(bytes(40), family=7)),
    "nothing": ("no_ip_header", 1, b""),
    "half a link header": ("no_ip_header", 1, c.ethernet(c.ipv4())[:9]),
    "snaplen 14": ("no_ip_header", 1, c.ethernet(c.ipv4())[:14]),
    "half a tag": ("no_ip_header", 1, c.ethernet(c.ipv4(), tags=(0x8100,))[:16]),
    "half an IP header": ("no_ip_header", 1, c.ethernet(c.ipv4())[:33]),
    "raw, nothing": ("no_ip_header", 101, b""),
    "IHL 2": ("bad_ip_header", 1, c.ethernet(c.ipv4(words=2))),
    "IHL 15 cut": ("bad_ip_header", 1, c.ethernet(c.ipv4(words=15))),
    "total length 10": ("bad_ip_header", 1, c.ethernet(c.ipv4(total=10))),
    "version 5": ("bad_ip_header", 101, c.ipv4(version=5)),
    "later fragment": ("fragment", 1, c.ethernet(c.ipv4(fragment=0x2000 | 185))),
    "last fragment": ("fragment", 1, c.ethernet(c.ipv4(fragment=185))),
    "data offset 4": ("bad_tcp", 1, c.ethernet(c.ipv4(c.tcp(offset=4)))),
    "TCP of 12 bytes": ("bad_tcp", 1, c.ethernet(c.ipv4(SYN[:12]))),
    "TCP of no bytes": ("bad_tcp", 1, c.ethernet(c.ipv4(b""))),
    "UDP of 6 bytes": ("bad_udp", 1, c.ethernet(c.ipv4(bytes(6), proto=17))),
    "cut in the ports": ("truncated_l4", 1, c.ethernet(c.ipv4())[:37]),
    "UDP cut in the ports": ("truncated_l4", 1, c.ethernet(c.ipv4(c.udp(), proto=17))[:36]),
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_frames_left_out(name):
    """A frame without a usable packet is counted under its one reason (P13 to P22)."""
    reason, link, frame = LEFT_OUT[name]
    if "cut" in name:
        content = c.file_header(link=link) + c.record(frame, original=54)
        _, tally = read_capture(content)
        assert dict(tally.skipped) == {reason: 1}
    else:
        assert reason_of(frame, link=link) == reason


def test_cut_at_40_bytes_keeps_the_ports():
    """Six captured bytes of TCP give ports, and null for what lies beyond (P13)."""
    packet, tally = read_one(c.ethernet(c.ipv4())[:40], original=54)
    assert (packet["src_port"], packet["dst_port"], packet["length"]) == (40_000, 23, 40)
    for name in ("seq", "tcp_flags", "window", "mss", "ts_option", "mirai"):
        assert packet[name] is None
    assert tally.notes == {"tcp_cut": 1}


@pytest.mark.parametrize(
    ("seen", "names"),
    [
        (7, ()),
        (8, ("seq", "mirai")),
        (13, ("seq", "mirai", "mss", "ts_option")),
        (14, ("seq", "mirai", "mss", "ts_option", "tcp_flags")),
        (16, ("seq", "mirai", "mss", "ts_option", "tcp_flags", "window")),
    ],
)
def test_fields_appear_as_they_are_captured(seen, names):
    """A TCP field is there exactly when all its bytes are (P20)."""
    packet, _ = read_one(c.ethernet(c.ipv4())[: 34 + seen], original=54)
    fields = ("seq", "mirai", "mss", "ts_option", "tcp_flags", "window")
    assert {name for name in fields if packet[name] is not None} == set(names)


def test_options_cut_by_the_capture():
    """Options cut by the capture give what was seen, 0 for the rest, and a note."""
    packet, tally = read_one(
        c.ethernet(c.ipv4(c.tcp(options=c.LINUX_OPTIONS)))[: 14 + 20 + 20 + 8], original=74
    )
    assert (packet["mss"], packet["ts_option"]) == (1460, 0)
    assert tally.notes == {"options_cut": 1}


@pytest.mark.parametrize(
    ("options", "mss", "timestamp", "bad"),
    [
        (b"", 0, 0, 0),
        (b"\x01" * 40, 0, 0, 0),
        (b"\x01" * 36 + c.MSS_1460, 1460, 0, 0),
        (b"\x00\x00" + b"\x02\x04\x05\xb4\x00\x00", 0, 0, 0),
        (b"\x02\x00\x05\xb4", 0, 0, 1),
        (b"\x02\x01\x05\xb4", 0, 0, 1),
        (b"\x02\x05\x05\xb4", 0, 0, 1),
        (b"\x03\xff\x05\xb4", 0, 0, 1),
        (b"\x01\x01\x01\x02", 0, 0, 1),
        (b"\x02\x06\x05\xb4\x01\x01\x01\x01", 0, 0, 0),
        (b"\xfe\x08" + bytes(6) + c.MSS_1460, 1460, 0, 0),
        (c.MSS_1460 + b"\x02\x04\x00\x01", 1, 0, 0),
        (b"\x08\x0a\xff\xff\xff\xff\x00\x00\x00\x00\x01\x01", 0, 0xFFFFFFFF, 0),
        (b"\x08\x0a\x00\x00\x00\x07", 0, 0, 1),
    ],
)
def test_options(options, mss, timestamp, bad):
    """Options are read as far as they make sense and never further (P20)."""
    options += bytes(-len(options) % 4)
    packet, tally = read_one(c.ethernet(c.ipv4(c.tcp(options=options))))
    assert (packet["mss"], packet["ts_option"], tally.notes["bad_options"]) == (mss, timestamp, bad)


def test_options_announced_and_not_sent():
    """A data offset beyond the packet, as one real scanner sends, keeps the packet with a note."""
    frame = c.ethernet(c.ipv4(c.tcp(offset=6))) + bytes(6)
    packet, tally = read_one(frame)
    assert (packet["dst_port"], packet["mss"]) == (23, 0)
    assert tally.notes == {"bad_options": 1}


def test_padding_is_not_payload():
    """Ethernet's padding behind a short packet is neither length nor options."""
    segment = c.tcp(offset=6)
    packet, _ = read_one(c.ethernet(c.ipv4(segment, total=40)) + c.MSS_1460)
    assert (packet["length"], packet["mss"]) == (40, 0)


def test_first_fragment_keeps_its_ports():
    """A first fragment, even of 8 bytes of TCP, keeps the fields it has (P18)."""
    packet, _ = read_one(c.ethernet(c.ipv4(c.tcp()[:8], fragment=0x2000)))
    assert (packet["dst_port"], packet["seq"], packet["tcp_flags"]) == (23, 0x01020304, None)


def test_ip_options_are_stepped_over():
    """TCP is found behind IP options."""
    packet, _ = read_one(c.ethernet(c.ipv4(options=bytes(40))))
    assert (packet["dst_port"], packet["length"]) == (23, 80)


@pytest.mark.parametrize("total", [0, 41, 65_535])
def test_impossible_total_length(total):
    """A total length the frame cannot hold, or 0, gives way to the frame's own (P19)."""
    packet, tally = read_one(c.ethernet(c.ipv4(total=total)))
    assert (packet["length"], packet["dst_port"]) == (40, 23)
    assert tally.notes == {"len_mismatch": 1}


@pytest.mark.parametrize("original", [0, 20, 53])
def test_captured_more_than_sent(original):
    """A record that claims fewer bytes sent than captured is parsed by the captured (P14)."""
    packet, tally = read_one(c.ethernet(c.ipv4()), original=original)
    assert (packet["length"], packet["dst_port"]) == (40, 23)
    assert tally.notes == {"len_mismatch": 1}


def test_sent_more_than_captured():
    """The length is the IP total length though the capture cut the packet (P13)."""
    frame = c.ethernet(c.ipv4(c.tcp(payload=bytes(1000))))
    packet, tally = read_one(frame[:68], original=len(frame))
    assert packet["length"] == 1040
    assert not tally.notes


INNER = c.ipv4(c.udp(), proto=17, src=c.DARK, dst=c.SENDER)


@pytest.mark.parametrize(
    ("proto", "payload"),
    [
        (1, b"\x03\x03" + bytes(6) + INNER[:28]),
        (47, b"\x00\x00\x08\x00" + INNER),
        (4, INNER),
        (132, bytes(12)),
        (255, b""),
    ],
)
def test_other_protocols_have_no_ports(proto, payload):
    """ICMP, tunnels and the rest keep the outer addresses and get no ports (P21, P22)."""
    packet, _ = read_one(c.ethernet(c.ipv4(payload, proto=proto)))
    assert (packet["src_ip"], packet["dst_ip"], packet["proto"]) == (c.SENDER, c.DARK, proto)
    for name in ("src_port", "dst_port", "tcp_flags", "seq", "window", "mss", "ts_option", "mirai"):
        assert packet[name] is None


def test_udp():
    """UDP has ports and none of TCP's fields."""
    packet, _ = read_one(c.ethernet(c.ipv4(c.udp(), proto=17)))
    assert (packet["src_port"], packet["dst_port"], packet["proto"]) == (5_000, 53, 17)
    assert packet["tcp_flags"] is packet["mirai"] is packet["seq"] is None


@pytest.mark.parametrize(
    "change",
    [
        {"src": c.DARK},
        {"src": 0x7F000001},
        {"src": 0xE0000001},
        {"src": 0},
        {"src": 0xFFFFFFFF},
        {"payload": c.tcp(src_port=0, dst_port=0)},
    ],
)
def test_odd_but_whole_packets_are_kept(change):
    """Land packets, bogons and port 0 are packets like others (P22, P23)."""
    packet, tally = read_one(c.ethernet(c.ipv4(**change)))
    assert packet is not None
    assert not tally.skipped


@pytest.mark.parametrize("link", [0, 1, 12, 101, 108, 113, 228, 229, 276])
def test_random_frames_equal_a_plain_reader(link):
    """Thousands of sound and hostile frames read as a plain reader reads them."""
    rng = random.Random(link)
    content = c.pcap((c.random_frame(rng, link) for _ in range(1_500)), link=link)
    expected = read_pcap(content)
    table, tally = read_capture(content)
    assert rows_of(table) == expected.rows
    assert tally.skipped == expected.skipped
