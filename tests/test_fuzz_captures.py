"""Captures broken at random: nothing breaks the readers, and they read what others read.

`DARKGNN_FUZZ_ROUNDS=10000 pytest tests/test_fuzz_captures.py` runs as many rounds as wanted;
`DARKGNN_FUZZ_SEED` starts elsewhere. Without them the same few rounds run every time.
"""

import os
import random
import shutil
import struct
import subprocess
import time
from functools import cache
from pathlib import Path

import pytest

from darkgnn_core.errors import TraceError
from darkgnn_core.traces import pcap, pcapng
from tests import captures as c
from tests.capture_checks import read_capture, rows_of, trouble_of
from tests.capture_reference import read_pcap, read_pcapng
from tests.conftest import SHARED_DATA

ROUNDS = int(os.environ.get("DARKGNN_FUZZ_ROUNDS", "150"))
ORACLE_ROUNDS = int(os.environ.get("DARKGNN_FUZZ_ROUNDS", "15"))
SEED = int(os.environ.get("DARKGNN_FUZZ_SEED", "0"))
CODES = {"PCAP-CUT", "PCAP-DAMAGED", "LINKTYPE-UNSUPPORTED"}
LENGTHS = (0, 1, 7, 12, 13, 31, 32, 54, 60, 262_144, 262_145, 1 << 24, 1 << 31, (1 << 32) - 1)
LINKS = (1, 1, 1, 0, 101, 108, 113, 228, 276)
TCP, UDP = 6, 17


def base_captures():
    """Return generated captures of every variant and the heads of the real ones, if here."""
    rng = random.Random(7)
    contents = []
    for number, link in enumerate(LINKS):
        order = "<>"[number % 2]
        magic = (c.MICRO, c.NANO)[number // 2 % 2]
        frames = [c.random_frame(rng, link) for _ in range(60)]
        contents.append(c.pcap(frames, order=order, magic=magic, link=link))
        contents.append(c.pcapng(frames, order=order, link=link))
    return contents + [head + b"".join(records[:100]) for head, records in real_captures()]


@cache
def real_captures():
    """Return file header and records of the real captures, if they are here."""
    captures = []
    for path in sorted(SHARED_DATA.glob("pcap/*.pcap")):
        content, place, records = path.read_bytes(), 24, []
        while place < len(content):
            size = 16 + struct.unpack_from("<8xI", content, place)[0]
            records.append(content[place : place + size])
            place += size
        captures.append((content[:24], records))
    return captures


def flip(rng, content):
    """Change a few bytes anywhere."""
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        content[rng.randrange(len(content))] = rng.getrandbits(8)


def flip_rarely(rng, content):
    """Change a share of all bytes, as `editcap -E` does."""
    for place in range(len(content)):
        if rng.random() < 0.004:
            content[place] = rng.getrandbits(8)


def slice_out(rng, content):
    """Cut, remove or repeat a stretch."""
    first, last = sorted(rng.randrange(24, len(content)) for _ in range(2))
    piece = content[first:last]
    kind = rng.randrange(3)
    if kind == 0:
        del content[first:]
    elif kind == 1:
        del content[first : first + len(piece) % 200]
    else:
        content[first:first] = piece[:300]


def edit_length(rng, content):
    """Put an interesting number somewhere, in either byte order and width."""
    value = rng.choice(LENGTHS)
    form = rng.choice(["<I", ">I", "<H", ">H", "B"])
    packed = struct.pack(form, value & (1 << 8 * struct.calcsize(form)) - 1)
    place = rng.randrange(24, len(content) - 4)
    content[place : place + len(packed)] = packed


def broken(rng, contents):
    """Return one of the captures, broken in one to three ways."""
    content = bytearray(rng.choice(contents))
    for _ in range(rng.choice([1, 1, 2, 3])):
        if len(content) > 64:
            rng.choice([flip, flip_rarely, slice_out, edit_length])(rng, content)
    return bytes(content)


@pytest.fixture(scope="module")
def contents():
    """Give the captures that are broken."""
    return base_captures()


@pytest.mark.parametrize("share", range(5))
def test_broken_captures_equal_a_plain_reader(contents, share):
    """Broken captures give rows and counts of a plain reader, or an error of ours, in time."""
    for number in range(share, ROUNDS, 5):
        rng = random.Random(f"{SEED} {number}")
        content = broken(rng, contents)
        if not (pcap.sniff(content[:64]) or pcapng.sniff(content[:64])):
            continue
        started = time.process_time()
        try:
            table, tally = read_capture(content, chunk_bytes=rng.choice([777, 8 << 20]))
        except TraceError as error:
            if error.code not in CODES:
                raise
            continue
        assert time.process_time() - started < 2 + 5e-6 * len(content), number
        expected = (read_pcap if pcap.sniff(content[:64]) else read_pcapng)(content)
        assert rows_of(table) == expected.rows, number
        assert tally.skipped == expected.skipped, number
        assert trouble_of(tally) == expected.trouble, number


def tshark_rows(path: Path):
    """Return what tshark reads, one tuple a packet, or None where it finds fault with the file."""
    fields = "frame.time_epoch ip.src ip.dst ip.proto ip.len tcp.srcport tcp.dstport udp.srcport"
    names = [*fields.split(), "udp.dstport", "_ws.malformed"]
    wanted = [part for name in names for part in ("-e", name)]
    command = ["tshark", "-n", "-o", "ip.defragment:FALSE", "-T", "fields", "-E", "occurrence=f"]
    done = subprocess.run(
        [*command, *wanted, "-r", path],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        return None
    return [line.split("\t") for line in done.stdout.split("\n")[:-1]]


def agree(ours, theirs, notes):
    """Say whether a row of ours is the one that tshark shows, but for the listed exceptions."""
    ts_ns, src, dst, src_port, dst_port, proto, length = ours[:7]
    moment, their_src, their_dst, their_proto, their_length, *ports, malformed = theirs
    if (dotted(src), dotted(dst), str(proto)) != (their_src, their_dst, their_proto):
        return False
    seconds, _, fraction = moment.partition(".")
    same_time = bool(fraction) and int(seconds) * 10**9 + int(fraction) == ts_ns
    if not same_time and not notes["subsecond_overflow"]:  # tshark does not carry it over
        return False
    if str(length) != their_length:  # we believe the frame where the header cannot be right
        impossible = int(their_length) == 0 or int(their_length) > length
        if not (impossible and notes["len_mismatch"]):
            return False
    if proto not in (TCP, UDP):  # tshark shows ports of packets quoted inside (P21)
        return True
    if malformed and not any(ports):  # a damaged IP option ends tshark's look at the packet
        return True
    return [str(src_port), str(dst_port)] == (ports[:2] if proto == TCP else ports[2:])


def dotted(address):
    """Return an address as tshark writes it."""
    return ".".join(str(byte) for byte in address.to_bytes(4, "big"))


def broken_frames(rng):
    """Return a sound capture of broken frames, generated or real."""
    link = rng.choice(LINKS)
    frames = [c.random_frame(rng, link) for _ in range(100)]
    if link == 1:
        for _, records in real_captures():
            first = rng.randrange(len(records) - 50)
            frames += [record[16:] for record in records[first : first + 50]]
    for number, frame in enumerate(frames):
        if frame and rng.random() < 0.7:
            changed = bytearray(frame)
            rng.choice([flip, flip_rarely])(rng, changed)
            frames[number] = bytes(changed)
    order = rng.choice("<>")
    if rng.random() < 0.3:
        return c.pcapng(frames, order=order, link=link)
    return c.pcap(frames, order=order, magic=rng.choice([c.MICRO, c.NANO]), link=link)


def check_against_tshark(content, path, number):
    """Check that our rows are tshark's, in order; say whether tshark took the file."""
    path.write_bytes(content)
    theirs = tshark_rows(path)
    if theirs is None:
        return False
    try:
        table, tally = read_capture(content)
    except TraceError as error:
        if error.code not in CODES:
            raise
        return False
    if tally.read == 0 and len(theirs) == 1 and not theirs[0][1]:
        return False  # a broken header: tshark takes the file for one of another type
    assert tally.read == len(theirs), number
    left = iter(theirs)
    for row in rows_of(table):
        assert any(agree(row, line, tally.notes) for line in left), (number, row)
    return True


@pytest.fixture(scope="module")
def tshark():
    """Skip where tshark is not installed."""
    if not shutil.which("tshark"):
        pytest.skip("tshark is not installed, so there is nothing to compare with")


def test_tshark_reads_the_same_from_sound_captures(tshark, contents, tmp_path):
    """Sound and hostile frames in sound captures read as tshark reads them."""
    rng = random.Random(3)
    frames = [c.random_frame(rng, 1) for _ in range(1_000)]
    sound = [c.pcap(frames), c.pcapng(frames, order=">"), c.pcap(frames, magic=c.MODIFIED)]
    sound.append(c.pcap((c.random_packet(rng) for _ in range(500)), link=101, magic=c.NANO))
    sound.append(c.pcap((c.random_frame(rng, 276) for _ in range(500)), link=276))
    for number, content in enumerate(sound):
        assert check_against_tshark(content, tmp_path / "sound", number), number


@pytest.mark.parametrize(
    "name",
    ["23-tcp.pcap", "scan-1433.pcap", "test-for-accurate-scan-summary.pcap"],
)
def test_tshark_reads_the_same_from_real_captures(tshark, shared_data, tmp_path, name):
    """Real captures read as tshark reads them, every packet."""
    content = (shared_data / "pcap" / name).read_bytes()
    assert check_against_tshark(content, tmp_path / "real", name)


def test_tshark_reads_the_same_from_broken_captures(tshark, contents, tmp_path):
    """Where tshark finds no fault with a broken capture, we read the same packets."""
    compared = 0
    for number in range(ORACLE_ROUNDS):
        rng = random.Random(f"oracle {SEED} {number}")
        content = broken(rng, contents) if number % 4 == 3 else broken_frames(rng)
        is_old = pcap.sniff(content[:64]) and content[4:8] not in (b"\2\0\4\0", b"\0\2\0\4")
        is_capture = pcap.sniff(content[:64]) or pcapng.sniff(content[:64])
        if is_capture and not is_old:  # before version 2.4 lengths may stand swapped
            compared += check_against_tshark(content, tmp_path / "broken", number)
    assert compared >= ORACLE_ROUNDS // 2
