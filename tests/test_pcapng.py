"""pcapng: sections, interfaces, clocks, and every damage of the bad-input table."""

import random
import struct

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from darkgnn_core.errors import TraceError
from darkgnn_core.traces import pcapng
from darkgnn_core.traces.capture_times import to_nanoseconds
from darkgnn_core.traces.opening import source_of_bytes
from darkgnn_core.traces.reading import ReadOptions, Tally
from tests import captures as c
from tests.capture_checks import read_capture, rows_of, trouble_of
from tests.capture_reference import read_pcapng

FRAMES = [c.ethernet(c.ipv4(c.tcp(dst_port=port))) for port in range(1, 25)]
SOUND = c.pcapng(FRAMES)
HEAD_BYTES = 28 + 20
BLOCK_BYTES = 32 + 56


@pytest.mark.parametrize("order", "<>")
def test_byte_orders(order):
    """24 packets come out of both byte orders (P5, P6)."""
    table, tally = read_capture(c.pcapng(FRAMES, order=order))
    assert table["dst_port"].to_pylist() == list(range(1, 25))
    assert table["ts_ns"].to_pylist() == [
        c.FIRST_NS + number * (10**9 + 1000) for number in range(24)
    ]
    assert (tally.kept, dict(tally.notes)) == (24, {})
    assert tally.facts["link_types"] == ["Ethernet"]


def test_sections_of_both_orders_and_interfaces_of_their_own():
    """Each section has its own byte order and interfaces, each interface its clock and link."""
    frame, packet = FRAMES[0], c.ipv4()
    content = b"".join(
        [
            c.section(),
            c.interface(resolution=9),
            c.interface(link=101, resolution=0, offset=1_000),
            c.enhanced(frame, number=0, ticks=c.FIRST_NS + 1),
            c.enhanced(packet, number=1, ticks=c.FIRST_S),
            c.section(order=">"),
            c.interface(order=">", link=113, resolution=0x80 | 10),
            c.enhanced(c.cooked(packet), order=">", ticks=c.FIRST_S << 10 | 512),
            c.interface(order=">", link=276),
            c.enhanced(c.cooked_2(packet), order=">", number=1),
        ]
    )
    for chunk_bytes in (None, 64):
        table, tally = read_capture(content, chunk_bytes=chunk_bytes)
        assert table["ts_ns"].to_pylist() == [
            c.FIRST_NS + 1,
            c.FIRST_NS + 1_000 * 10**9,
            c.FIRST_NS + 500_000_000,
            c.FIRST_NS,
        ]
        assert (tally.kept, dict(tally.skipped), dict(tally.notes)) == (4, {}, {})


def test_old_simple_and_unknown_blocks():
    """Obsolete packet blocks are read, simple ones have no time, unknown ones are skipped."""
    content = b"".join(
        [
            c.section(),
            c.interface(),
            c.block(0x0BAD, b"whatever"),
            c.old_packet(FRAMES[0]),
            c.simple(FRAMES[1]),
            c.block(4, bytes(8)),
            c.block(5, bytes(12)),
            c.enhanced(FRAMES[2], options=c.option(1, b"a comment") + c.option(0, b"")),
        ]
    )
    table, tally = read_capture(content)
    assert table["dst_port"].to_pylist() == [1, 3]
    assert (tally.read, dict(tally.skipped)) == (3, {"no_time": 1})


@pytest.mark.parametrize("order", "<>")
def test_old_packet_of_second_interface(order):
    """The obsolete block's 16-bit interface number is read in its byte order."""
    content = (
        c.section(order=order)
        + c.interface(order=order, link=9999)
        + c.interface(order=order)
        + c.old_packet(FRAMES[0], order=order, number=1)
    )
    _, tally = read_capture(content)
    assert tally.kept == 1


def test_unsupported_interface_beside_a_good_one():
    """Frames of a link type that is not read are counted, the others kept (P16)."""
    content = (
        c.section()
        + c.interface(link=105)
        + c.interface()
        + c.enhanced(FRAMES[0], ticks=0)
        + c.simple(FRAMES[0])
        + c.enhanced(FRAMES[1], number=1)
    )
    table, tally = read_capture(content)
    assert (table.num_rows, dict(tally.skipped)) == (1, {"unsupported_link": 2})
    assert tally.facts["link_types"] == ["105", "Ethernet"]


def test_unsupported_interfaces_only():
    """A capture of nothing but unread link types is refused, naming them (P16)."""
    content = (
        c.section()
        + c.interface(link=105)
        + c.interface(link=9999)
        + c.enhanced(FRAMES[0])
        + c.enhanced(FRAMES[0], number=1)
    )
    with pytest.raises(TraceError, match="105, 9999") as told:
        read_capture(content)
    assert told.value.code == "LINKTYPE-UNSUPPORTED"


@pytest.mark.parametrize("missing", [1, 4, 30, 55, 87])
def test_cut_in_a_block(missing):
    """A capture cut within a block keeps what came before (P9)."""
    _, tally = read_capture(SOUND[:-missing])
    assert (tally.kept, dict(tally.notes)) == (23, {"PCAP-CUT": 1})
    assert tally.facts["trouble"] == f"at packet 24, byte {HEAD_BYTES + 23 * BLOCK_BYTES}"


@pytest.mark.parametrize("size", [4, 10, 12, 27])
def test_cut_in_the_first_header(size):
    """A file that ends within the section header is recognised and told as cut (P10)."""
    assert pcapng.sniff(SOUND[:size])
    with pytest.raises(TraceError, match=f"after {size} bytes") as told:
        read_capture(SOUND[:size])
    assert told.value.code == "PCAP-CUT"


def test_nothing_at_all():
    """An empty file is told as such (P10)."""
    source = source_of_bytes(b"")
    with source.raw, pytest.raises(TraceError) as told:
        list(pcapng.read(source, ReadOptions(), Tally()))
    assert told.value.code == "EMPTY"


def test_headers_only():
    """Sections and interfaces without packets read as none, without an error (P10)."""
    _, tally = read_capture(SOUND[:HEAD_BYTES])
    assert (tally.read, dict(tally.notes)) == (0, {})


def test_other_files_are_not_taken():
    """The first block type alone is no capture when something else follows (P11)."""
    assert not pcapng.sniff(b"\x0a\x0d\x0d\x0a" + bytes(60))
    assert not pcapng.sniff(b"\n\r\r")


def damaged(kind):
    """Return a block that makes no sense in one way."""
    frame = FRAMES[0]
    return {
        "length 0": c.block(6, bytes(76), length=0),
        "length 7": c.block(6, bytes(76), length=7),
        "length huge": c.block(6, bytes(76), length=0xFFFFFFFF),
        "length 17 MiB": c.block(6, bytes(76), length=17 << 20),
        "trailer differs": c.block(6, c.enhanced(frame)[8:-4], trailer=92),
        "unknown block, trailer differs": c.block(99, bytes(8), trailer=92),
        "captured beyond block": c.enhanced(frame, captured=57),
        "captured huge": c.enhanced(frame, captured=0xFFFFFFFF),
        "captured too large": c.enhanced(bytes(262_148)),
        "no such interface": c.enhanced(frame, number=1),
        "packet block too short": c.block(6, bytes(16)),
        "old block too short": c.block(2, bytes(16)),
        "simple beyond block": c.simple(frame, original=57),
        "simple too short": c.block(3, b""),
        "interface too short": c.block(1, bytes(4)),
        "section too short": c.block(0x0A0D0D0A, struct.pack("<I", 0x1A2B3C4D)),
        "section of no order": c.block(0x0A0D0D0A, bytes(16)),
        "section of version 2": c.section(version=(2, 0)),
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        "length 0",
        "length 7",
        "length huge",
        "length 17 MiB",
        "trailer differs",
        "unknown block, trailer differs",
        "captured beyond block",
        "captured huge",
        "captured too large",
        "no such interface",
        "packet block too short",
        "old block too short",
        "simple beyond block",
        "simple too short",
        "interface too short",
        "section too short",
        "section of no order",
        "section of version 2",
    ],
)
@pytest.mark.parametrize("chunk_bytes", [None, 100])
def test_damaged_blocks(kind, chunk_bytes):
    """A block that makes no sense ends the reading and keeps what came before (P29)."""
    content = c.pcapng(FRAMES[:5]) + damaged(kind) + SOUND[HEAD_BYTES:]
    _, tally = read_capture(content, chunk_bytes=chunk_bytes)
    assert (tally.kept, dict(tally.notes)) == (5, {"PCAP-DAMAGED": 1})
    assert tally.facts["trouble"] == f"at packet 6, byte {HEAD_BYTES + 5 * BLOCK_BYTES}"


def test_packet_before_any_interface():
    """A packet block of a section without interfaces is damage."""
    _, tally = read_capture(c.section() + c.enhanced(FRAMES[0]))
    assert (tally.read, dict(tally.notes)) == (0, {"PCAP-DAMAGED": 1})


def test_hostile_interface_options():
    """Options that overrun their block or lie about their length are harmless (P29)."""
    for options in (
        struct.pack("<HH", 9, 0xFFFF) + bytes(4),
        struct.pack("<HH", 9, 0) * 3,
        struct.pack("<HH", 14, 4) + bytes(4),
        struct.pack("<HH", 2, 3) + b"abc",
    ):
        block = c.block(1, struct.pack("<HHI", 1, 0, 0) + options)
        table, _ = read_capture(c.section() + block + c.enhanced(FRAMES[0]))
        assert table["ts_ns"].to_pylist() == [c.FIRST_NS]


def test_large_unknown_block_in_small_chunks():
    """A block far larger than a chunk is stepped over."""
    content = SOUND[:HEAD_BYTES] + c.block(0x0BAD, bytes(5 << 20)) + SOUND[HEAD_BYTES:]
    _, tally = read_capture(content, chunk_bytes=1_000)
    assert tally.kept == 24


def test_more_interfaces_than_anyone_has():
    """A flood of interface blocks is damage, not memory."""
    _, tally = read_capture(c.section() + c.interface() * 70_000 + c.enhanced(FRAMES[0]))
    assert dict(tally.notes) == {"PCAP-DAMAGED": 1}


@pytest.mark.parametrize(
    ("resolution", "offset", "ticks"),
    [
        (6, None, 0),
        (6, None, 1 << 63),
        (0, None, (1 << 64) - 1),
        (6, -(1 << 63), c.FIRST_S * 10**6),
        (6, (1 << 63) - 1, c.FIRST_S * 10**6),
        (6, -c.FIRST_S - 1, c.FIRST_S * 10**6),
        (127, None, c.FIRST_S),
        (0xFF, None, c.FIRST_S),
    ],
)
def test_times_beyond_belief(resolution, offset, ticks):
    """Negative, far and overflowing times are counted and left out (P24)."""
    content = c.section() + c.interface(resolution=resolution, offset=offset)
    _, tally = read_capture(content + c.enhanced(FRAMES[0], ticks=ticks))
    assert (tally.kept, dict(tally.skipped)) == (0, {"bad_time": 1})


@given(
    st.integers(0, 2**64 - 1),
    st.integers(0, 255),
    st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-2, 2**33)),
)
@example(18_446_744_074, 0x80 | 64, 0)
@example(2**64 - 1, 20, 0)
@example(2**64 - 1, 19, 5)
@settings(max_examples=1_000, deadline=None)
def test_clocks_are_exact(ticks, resolution, offset):
    """Any clock gives the same nanoseconds as exact integers do."""
    base = 2 if resolution & 0x80 else 10
    unit = base ** (resolution & 0x7F)
    seconds = ticks // unit + offset
    exact = seconds * 10**9 + ticks % unit * 10**9 // unit
    got = to_nanoseconds(
        np.array([ticks], np.uint64), np.array([resolution], np.uint8), np.array([offset], np.int64)
    )
    assert got.tolist() == [exact if 0 <= seconds < 2**33 else -1]


@pytest.mark.parametrize("seed", range(24))
def test_random_captures_equal_a_plain_reader(seed):
    """Sections, interfaces, block kinds, cuts and chunk edges as a plain reader sees them."""
    rng = random.Random(seed)
    blocks = []
    for _ in range(rng.randrange(1, 5)):
        order = rng.choice("<>")
        links = [rng.choice([1, 1, 101, 113, 276, 0, 228, 9999]) for _ in range(3)]
        clocks = [rng.choice([None, 6, 9, 3, 0x80 | 20, 0x80 | 33]) for _ in links]
        blocks.append(c.section(order=order))
        blocks += [
            c.interface(order=order, link=link, resolution=clock, offset=rng.choice([None, 3600]))
            for link, clock in zip(links, clocks, strict=True)
        ]
        for _ in range(100):
            number = rng.randrange(3)
            frame = c.random_frame(rng, links[number])
            unit = 2 ** (clocks[number] & 127) if (clocks[number] or 0) > 127 else None
            unit = unit or 10 ** (clocks[number] or 6)
            ticks = c.FIRST_S * unit + rng.randrange(unit)
            kind = rng.choice([c.enhanced] * 8 + [c.old_packet])
            blocks.append(kind(frame, order=order, number=number, ticks=ticks))
            if rng.random() < 0.05:
                blocks.append(c.simple(frame, order=order))
            if rng.random() < 0.05:
                blocks.append(c.block(rng.randrange(7, 99), rng.randbytes(9), order=order))
    content = b"".join(blocks)
    content = content[: rng.choice([len(content), rng.randrange(200, len(content))])]
    expected = read_pcapng(content)
    table, tally = read_capture(content, chunk_bytes=rng.choice([64, 777, 20_011, 1 << 20]))
    assert rows_of(table) == expected.rows
    assert tally.skipped == expected.skipped
    assert trouble_of(tally) == expected.trouble
