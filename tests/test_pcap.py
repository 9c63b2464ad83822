"""Classic pcap: every variant and every damage of the bad-input table."""

import gzip
import random
import struct
import time
from collections import Counter

import pytest
import zstandard

from darkgnn_core.errors import TraceError
from darkgnn_core.traces import pcap
from darkgnn_core.traces.capture_walk import RecordLayout, walk_records
from darkgnn_core.traces.capture_window import PADDING
from darkgnn_core.traces.opening import source_of_bytes
from darkgnn_core.traces.reading import ReadOptions, Tally
from tests import captures as c
from tests.capture_checks import read_capture, rows_of, trouble_of
from tests.capture_reference import read_pcap

FRAMES = [c.ethernet(c.ipv4(c.tcp(dst_port=port))) for port in range(1, 25)]
SOUND = c.pcap(FRAMES)
RECORD_BYTES = 16 + 54


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("magic", [c.MICRO, c.NANO, c.MODIFIED])
def test_variants(order, magic):
    """24 packets come out of every byte order, resolution and the modified format (P1 to P4)."""
    table, tally = read_capture(c.pcap(FRAMES, order=order, magic=magic))
    tick = 1 if magic == c.NANO else 1000
    times = [(c.FIRST_S + number) * 10**9 + number * tick for number in range(24)]
    assert table["ts_ns"].to_pylist() == times
    assert table["dst_port"].to_pylist() == list(range(1, 25))
    assert (tally.read, tally.kept, dict(tally.notes)) == (24, 24, {})
    assert tally.facts["link_type"] == "Ethernet"


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(SOUND, mtime=0),
        gzip.compress(SOUND[:700], mtime=0) + gzip.compress(SOUND[700:], mtime=0),
        zstandard.compress(SOUND),
    ],
    ids=["gzip", "two members", "zstd"],
)
def test_compressed(packed):
    """Compressed captures read like plain ones, all members (P7)."""
    _, tally = read_capture(packed)
    assert (tally.kept, dict(tally.notes)) == (24, {})


def test_garbage_after_gzip():
    """Bytes after the last gzip member are told and cost nothing (P7)."""
    _, tally = read_capture(gzip.compress(SOUND) + b"garbage!")
    assert (tally.kept, dict(tally.notes)) == (24, {"GZIP-TRAILING": 1})


def test_cut_gzip():
    """A cut gzip stream gives the packets before the cut (P8)."""
    packed = gzip.compress(SOUND, 0)
    _, tally = read_capture(packed[:-40])
    assert tally.kept == 23
    assert dict(tally.notes) == {"PCAP-CUT": 1, "GZIP-CUT": 1}


@pytest.mark.parametrize(
    ("missing", "kept"), [(1, 23), (54, 23), (55, 23), (69, 23), (70, 23), (71, 22)]
)
def test_cut(missing, kept):
    """A capture cut within a packet or a record header keeps what came before (P9)."""
    _, tally = read_capture(SOUND[:-missing])
    assert tally.kept == kept
    if missing == 70:
        assert not tally.notes
    else:
        assert dict(tally.notes) == {"PCAP-CUT": 1}
        place = 24 + kept * RECORD_BYTES
        assert tally.facts["trouble"] == f"at packet {kept + 1}, byte {place}"


def test_nothing_at_all():
    """An empty file is told as such (P10)."""
    source = source_of_bytes(b"")
    with source.raw, pytest.raises(TraceError) as told:
        list(pcap.read(source, ReadOptions(), Tally()))
    assert told.value.code == "EMPTY"


@pytest.mark.parametrize("size", [4, 10, 23])
def test_cut_file_header(size):
    """A file that ends within the header is recognised and told as cut (P10)."""
    assert pcap.sniff(SOUND[:size])
    with pytest.raises(TraceError, match=f"after {size} bytes") as told:
        read_capture(SOUND[:size])
    assert told.value.code == "PCAP-CUT"


def test_header_only():
    """A capture of no packets reads as none, without an error of its own (P10)."""
    table, tally = read_capture(SOUND[:24])
    assert (table.num_rows, tally.read, dict(tally.notes)) == (0, 0, {})


@pytest.mark.parametrize("head", [b"ts,src_ip\n1,2", b"\x7fELF\x02\x01\x01", b"", b"\xd4\xc3\xb2"])
def test_not_a_capture(head):
    """Other files are not taken for captures (P11)."""
    assert not pcap.sniff(head)


@pytest.mark.parametrize("claimed", [0xFFFFFFFF, 262_145, 1 << 24])
def test_impossible_record_length(claimed):
    """A record longer than any frame ends the reading and keeps what came before (P12)."""
    content = c.pcap(FRAMES[:5]) + c.record(FRAMES[5], captured=claimed) + SOUND[24:]
    _, tally = read_capture(content)
    assert (tally.kept, dict(tally.notes)) == (5, {"PCAP-DAMAGED": 1})
    assert tally.facts["trouble"] == f"at packet 6, byte {24 + 5 * RECORD_BYTES}"


def test_modified_magic_over_plain_records():
    """A header that says "modified" over plain records invents no packet (P12)."""
    content = c.file_header(magic=c.MODIFIED) + SOUND[24:]
    _, tally = read_capture(content)
    assert (tally.kept, dict(tally.notes)) == (0, {"PCAP-DAMAGED": 1})


def test_largest_frame():
    """A frame of the largest length is read whole, in small chunks too."""
    frame = FRAMES[0] + bytes(262_144 - 54)
    _, tally = read_capture(c.pcap([frame, frame]), chunk_bytes=777)
    assert tally.kept == 2


@pytest.mark.parametrize("link", [105, 127, 147, 9999])
def test_unsupported_link_type(link):
    """A link type that is not read is named (P16)."""
    with pytest.raises(TraceError, match=f"link type {link}") as told:
        read_capture(c.pcap(FRAMES, link=link))
    assert told.value.code == "LINKTYPE-UNSUPPORTED"


def test_frame_check_bits_of_the_link_type():
    """The bits above the link type say how long the check sequence is; they are no link type."""
    _, tally = read_capture(c.pcap(FRAMES, link=0x24000001))
    assert tally.kept == 24


def test_impossible_version():
    """A version that never was is damage, told before any packet."""
    with pytest.raises(TraceError, match=r"version 7\.4") as told:
        read_capture(c.file_header(version=(7, 4)) + SOUND[24:])
    assert told.value.code == "PCAP-DAMAGED"


@pytest.mark.parametrize(
    ("seconds", "kept"),
    [(0, 0), (788_918_399, 0), (788_918_400, 1), (0xFFFFFFFF, 0), (-1, 1), (-2, 0)],
)
def test_times_beyond_belief(seconds, kept):
    """Times before 1995 or more than a day ahead are counted and left out (P24)."""
    ahead = {-1: 86_000, -2: 90_000}
    if seconds in ahead:
        seconds = int(time.time()) + ahead[seconds]
    _, tally = read_capture(c.file_header() + c.record(FRAMES[0], seconds=seconds))
    assert tally.kept == kept
    assert tally.skipped["bad_time"] == 1 - kept


@pytest.mark.parametrize(("magic", "tick"), [(c.MICRO, 1000), (c.NANO, 1)])
def test_fraction_of_more_than_a_second(magic, tick):
    """A fraction beyond its second is carried over and noted (P24)."""
    fraction = 2 * 10**9 // tick + 5
    content = c.file_header(magic=magic) + c.record(FRAMES[0], fraction=fraction)
    table, tally = read_capture(content)
    assert table["ts_ns"].to_pylist() == [c.FIRST_NS + 2 * 10**9 + 5 * tick]
    assert tally.notes == {"subsecond_overflow": 1}


def test_order_is_not_assumed():
    """Packets out of order, around midnight, keep their own times (P24, P25)."""
    moments = [(86_400, 0), (86_399, 999_999), (0, 1)]
    records = [
        c.record(FRAMES[0], seconds=c.FIRST_S + second, fraction=fraction)
        for second, fraction in moments
    ]
    table, _ = read_capture(c.file_header() + b"".join(records))
    assert table["ts_ns"].to_pylist() == [
        (c.FIRST_S + second) * 10**9 + fraction * 1000 for second, fraction in moments
    ]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("magic", [c.MICRO, c.NANO])
@pytest.mark.parametrize("link", [1, 101, 113, 276])
@pytest.mark.parametrize("chunk_bytes", [777, 20_011])
def test_random_captures_equal_a_plain_reader(order, magic, link, chunk_bytes):
    """Chunk edges, cuts and damage give what a plain reader gives."""
    rng = random.Random(f"{order}{magic}{link}{chunk_bytes}")
    frames = [c.random_frame(rng, link) for _ in range(400)]
    content = c.pcap(frames, order=order, magic=magic, link=link)
    content = content[: rng.choice([len(content), rng.randrange(24, len(content))])]
    expected = read_pcap(content)
    table, tally = read_capture(content, chunk_bytes=chunk_bytes)
    assert rows_of(table) == expected.rows
    assert tally.skipped == expected.skipped
    assert trouble_of(tally) == expected.trouble


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("header_bytes", [16, 24])
@pytest.mark.parametrize("spread_s", [10, 1 << 20, 1 << 31])
def test_walk_in_lanes_equals_a_plain_walk(order, header_bytes, spread_s):
    """Guessed starts never change which records are found, traps among the frames or not."""
    rng = random.Random(header_bytes + spread_s)
    pieces, starts, place = [], [], 0
    for number in range(12_000):
        size = rng.choice([0, 40, 58, 66, 74, 1514])
        seconds = (c.FIRST_S + number * spread_s // 12_000) & 0xFFFFFFFF
        head = struct.pack(f"{order}IIII", seconds, 0, size, size)
        trap = (head * 95)[:size] if rng.random() < 0.3 else rng.randbytes(size)
        pieces.append(head + bytes(header_bytes - 16) + trap)
        starts.append(place)
        place += header_bytes + size
    content = b"".join(pieces)
    walk = walk_records(content + PADDING, place, RecordLayout(order, header_bytes))
    assert walk.starts.tolist() == starts
    assert (walk.end, walk.damaged) == (place, False)


def test_damage_in_a_long_capture_is_found_where_it_is():
    """Damage in the middle of lanes ends the records there, not at the next lane."""
    content = bytearray(c.pcap(FRAMES * 5_000))
    place = 24 + 70_001 * RECORD_BYTES
    content[place + 8 : place + 12] = b"\xff\xff\xff\xff"
    _, tally = read_capture(bytes(content))
    assert (tally.kept, dict(tally.notes)) == (70_001, {"PCAP-DAMAGED": 1})
    assert tally.facts["trouble"] == f"at packet 70002, byte {place}"


def test_real_mirai_scans(shared_data):
    """A border capture holds 1,557 packets, 798 of them with Mirai's sequence number."""
    table, tally = read_capture((shared_data / "pcap" / "23-tcp.pcap").read_bytes())
    assert (tally.read, tally.kept) == (1557, 1557)
    assert len(table["src_ip"].unique()) == 1242
    assert sum(table["mirai"].to_pylist()) == 798
    assert Counter(table["tcp_flags"].to_pylist()) == {2: 1555, 0xC2: 1, 4: 1}


def test_real_masscan_sweep(shared_data):
    """In a masscan sweep every ip.id is destination, port and sequence folded together."""
    table, _ = read_capture((shared_data / "pcap" / "scan-1433.pcap").read_bytes())
    columns = (table[name].to_pylist() for name in ("ip_id", "dst_ip", "dst_port", "seq"))
    matches = [
        (dst ^ port ^ seq) & 0xFFFF == ip_id for ip_id, dst, port, seq in zip(*columns, strict=True)
    ]
    assert (len(matches), sum(matches)) == (7667, 7667)


@pytest.mark.parametrize(
    ("name", "packets", "days"),
    [("23-tcp-scan.pcap", 31_933, 2), ("test-for-accurate-scan-summary.pcap", 600, 2)],
)
def test_real_counts(shared_data, name, packets, days):
    """Real captures give their known counts on their known number of dates."""
    table, tally = read_capture((shared_data / "pcap" / name).read_bytes())
    assert (tally.read, tally.kept) == (packets, packets)
    assert len({moment // (86_400 * 10**9) for moment in table["ts_ns"].to_pylist()}) == days
