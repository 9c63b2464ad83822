"""Bad inputs through `ingest` on a real workspace: rows P, T, Q9, Z, N and U of the promises.

Which row is proved where stands in `docs/bad_inputs.md`. Here every file takes the whole way: its
own confined process, the packet files, the catalogue.
"""

import gzip
import hashlib
import io
import os
import sqlite3
import struct
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from darkgnn_core.config import SnapshotConfig
from darkgnn_core.errors import (
    DarkgnnError,
    JobError,
    LabelError,
    TraceError,
    WorkspaceError,
    visible,
)
from darkgnn_core.health import measure_health
from darkgnn_core.ingest import IngestReport, bring_up_to_date, ingest, remove
from darkgnn_core.jobs import forget_job
from darkgnn_core.labels.aliases import set_alias
from darkgnn_core.labels.csv_lists import read_csv
from darkgnn_core.labels.store import add_file, add_list, remove_source
from darkgnn_core.labels.store import list_sources as list_label_sources
from darkgnn_core.outcomes import FileOutcome
from darkgnn_core.shelf import list_snapshots
from darkgnn_core.sources import list_sources
from darkgnn_core.traces.opening import open_once
from darkgnn_core.traces.parsing import parse_trace
from darkgnn_core.traces.reading import ReadOptions
from darkgnn_core.workspace import Workspace, open_workspace
from tests import captures as c
from tests.made_traces import DAY_S, HEADER, Made, drawn_packets, write_log

ALL = SnapshotConfig(min_packets=1)
FRAMES = [c.ethernet(c.ipv4(c.tcp(dst_port=port))) for port in range(1, 25)]
SOUND = c.pcap(FRAMES)
LOG = "\n".join([HEADER, *(packet.line() for packet in drawn_packets(40, days=1, seed=1)), ""])
TABLE = "ts,src_ip,dst_port\n1638316800,192.0.2.1,23\n1638316801,192.0.2.2,80\n"


def parquet(columns: dict[str, object], **options: int) -> bytes:
    """Return a table as the bytes of a Parquet file."""
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, **options)
    return sink.getvalue()


def nested(depth: int) -> pa.Array:
    """Return one value inside many lists."""
    values = pa.array([1])
    for _ in range(depth):
        values = pa.ListArray.from_arrays([0, 1], values)
    return values


TIMES = [1_638_316_800] * 1_001
HOSTS = ["192.0.2.1"] * 1_001
REFUSED: dict[str, tuple[str, bytes]] = {
    "P10 empty.pcap": ("EMPTY", b""),
    "P10 ten bytes.pcap": ("PCAP-CUT", SOUND[:10]),
    "P10 header only.pcap": ("NO-PACKETS", SOUND[:24]),
    "P11 letter.pcap": ("NOT-A-TRACE", b"Dear reader,\n\nthis is a letter.\nIt has lines.\n"),
    "P11 program.pcap": ("NOT-A-CAPTURE", b"\x7fELF\x02\x01\x01" + bytes(500)),
    "P12 first record.pcap": ("NO-PACKETS", SOUND[:24] + b"\xff" * 16 + SOUND[40:]),
    "P13 snaplen 14.pcap": (
        "NO-PACKETS",
        c.file_header() + c.record(FRAMES[0][:14], original=54) * 9,
    ),
    "P16 unknown link.pcap": ("LINKTYPE-UNSUPPORTED", c.pcap(FRAMES, link=9999)),
    "P24 all in 1970.pcap": ("NO-PACKETS", c.file_header() + c.record(FRAMES[0], seconds=5) * 3),
    "T2 utf-16.log": ("ENCODING", LOG.encode("utf-16")),
    "T4 no header.csv": ("COLUMNS", TABLE.partition("\n")[2].encode()),
    "T4 wrong header.csv": ("COLUMNS", b"a,b,c\n1,2,3\n4,5,6\n"),
    "T12 no zone.csv": ("TIMEZONE", b"time,src_ip\n2021-12-01 00:00:00,192.0.2.1\n"),
    "T12 mixed.csv": (
        "TIMES-MIXED",
        b"time,src_ip\n" + b"2021-12-01T00:00:00Z,192.0.2.1\n" * 2 + b"1638316800,192.0.2.1\n",
    ),
    "T14 long field.csv": ("LIMIT", TABLE.encode() + b'1,"' + b"x" * 3_000_000 + b'",2\n'),
    "T14 wide.csv": ("LIMIT", b",".join([b"c"] * 500_000) + b"\n"),
    "T15 header only.csv": ("NO-ROWS", b"ts,src_ip,dst_port\n"),
    "T15 comments.csv": ("NOT-A-TRACE", b"# nothing\n# but comments\n"),
    "Q9 nested.parquet": (
        "COLUMNS",
        parquet({"ts": TIMES[:1], "src_ip": HOSTS[:1], "x": nested(30)}),
    ),
    "Q9 row groups.parquet": ("LIMIT", parquet({"ts": TIMES, "src_ip": HOSTS}, row_group_size=1)),
    "Q9 cut.parquet": ("PARQUET-DAMAGED", parquet({"ts": TIMES, "src_ip": HOSTS})[:-40]),
    "U3 other.sqlite": ("NOT-A-CAPTURE", b"SQLite format 3\0" + bytes(4_080)),
    "Z1 bomb.log.gz": ("BOMB", gzip.compress(LOG.encode() + b"\n" * (200 << 20), 9)),
    "Z2 nested.log.gz": ("NOT-A-CAPTURE", gzip.compress(gzip.compress(LOG.encode()))),
    "Z3 zip": ("ARCHIVE", b"PK\x03\x04" + bytes(200)),
    "Z4 tar": ("NOT-A-CAPTURE", b"../../outside.log" + bytes(495) + LOG.encode()),
    "Z5 bz2": ("ARCHIVE", b"BZh9" + bytes(200)),
    "deep.json": ("NOT-A-TRACE", b"[" * 200_000),
}


@dataclass
class Kept:
    """A file of which something is kept, and what is promised of it."""

    content: bytes
    read: int = 24
    kept: int = 24
    skipped: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)


def one_bad(frame: bytes, **record: int) -> bytes:
    """Return the 24 sound packets with a bad one before the last."""
    return c.pcap(FRAMES[:23]) + c.record(frame, **record) + c.record(FRAMES[23])


MIXED_ROWS = "1638316802,192.0.2.3\n1,2,3,4\n1638316803,01.02.03.004,5\n1638316804,16909060,5\n"
BAD_VALUES = (
    "1638316805,192.0.2.4,70000\n1638316806,192.0.2.4,-1\n99999999999999999999999,1.2.3.4,1\n"
)
KEPT: dict[str, Kept] = {
    "P1 little micro.pcap": Kept(SOUND),
    "P3 big micro.pcap": Kept(c.pcap(FRAMES, order=">")),
    "P4 big nano.pcap": Kept(c.pcap(FRAMES, order=">", magic=c.NANO)),
    "P5 little.pcapng": Kept(c.pcapng(FRAMES)),
    "P7 members.pcap.gz": Kept(gzip.compress(SOUND[:700]) + gzip.compress(SOUND[700:])),
    "P7 garbage.pcap.gz": Kept(gzip.compress(SOUND) + b"garbage", notes={"GZIP-TRAILING": 1}),
    "P7 garbage.pcap.zst": Kept(zstandard.compress(SOUND) + b"garbage", notes={"ZSTD-TRAILING": 1}),
    "P8 cut.pcap.gz": Kept(
        gzip.compress(SOUND, 0)[:-40], 23, 23, notes={"GZIP-CUT": 1, "PCAP-CUT": 1}
    ),
    "P8 cut.log.zst": Kept(
        zstandard.ZstdCompressor(write_checksum=True).compress(LOG.encode())[:-3],
        40,
        40,
        notes={"ZSTD-CUT": 1},
    ),
    "P9 in a packet.pcap": Kept(SOUND[:-1], 23, 23, notes={"PCAP-CUT": 1}),
    "P12 endless record.pcap": Kept(
        c.pcap(FRAMES[:5]) + c.record(FRAMES[5], captured=0xFFFFFFFF) + SOUND[24:],
        5,
        5,
        notes={"PCAP-DAMAGED": 1},
    ),
    "P13 snaplen 40.pcap": Kept(
        c.file_header() + c.record(FRAMES[0][:40], original=54) * 24, notes={"tcp_cut": 24}
    ),
    "P14 lengths.pcap": Kept(
        c.file_header() + c.record(FRAMES[0], original=20) * 24, notes={"len_mismatch": 24}
    ),
    "P15 tags.pcap": Kept(
        c.pcap([c.ethernet(c.ipv4(), tags=(0x88A8, 0x8100, 0x9100))] * 20)
        + c.record(c.ethernet(c.ipv4(), tags=(0x8100,) * 5)) * 4,
        24,
        20,
        {"too_many_vlan": 4},
    ),
    "P17 ipv6.pcap": Kept(
        one_bad(c.ethernet(b"\x60" + bytes(5) + b"\0" * 34, kind=0x86DD)), 25, 24, {"ipv6": 1}
    ),
    "P18 fragment.pcap": Kept(one_bad(c.ethernet(c.ipv4(fragment=185))), 25, 24, {"fragment": 1}),
    "P19 length.pcap": Kept(
        one_bad(c.ethernet(c.ipv4(total=65_535))), 25, 25, notes={"len_mismatch": 1}
    ),
    "P24 times.pcap": Kept(one_bad(FRAMES[0], seconds=0), 25, 24, {"bad_time": 1}),
    "P29 length 7.pcapng": Kept(
        c.pcapng(FRAMES) + c.block(6, bytes(76), length=7), notes={"PCAP-DAMAGED": 1}
    ),
    "T1 mark.log": Kept(b"\xef\xbb\xbf" + LOG.encode(), 40, 40),
    "T1 cr.log": Kept(LOG.replace("\n", "\r").encode(), 40, 40),
    "T2 nul.log": Kept(LOG.encode() + b"1\x002 3\n", 41, 40, {"bad_encoding": 1}),
    "T3 semicolon.csv": Kept(TABLE.replace(",", ";").encode(), 2, 2),
    "T5 T7 rows.csv": Kept(
        (TABLE + MIXED_ROWS).encode(), 6, 2, {"wrong_field_count": 2, "bad_address": 2}
    ),
    "T11 values.csv": Kept((TABLE + BAD_VALUES).encode(), 5, 2, {"bad_port": 2, "bad_time": 1}),
    "T13 2022-01-01.log": Kept(LOG.encode() + b"\n", 40, 40, notes={"NAME-DAY": 1}),
}


def state_of(workspace: Workspace) -> dict[str, str]:
    """Return a hash of every file of packets and snapshots, and of the catalogue's rows."""
    found = {
        str(path.relative_to(workspace.root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in (workspace.packets, workspace.snapshots, workspace.inbox)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    with sqlite3.connect(workspace.catalogue_path) as connection:
        found["catalogue"] = hashlib.sha256("\n".join(connection.iterdump()).encode()).hexdigest()
    connection.close()
    return found


def new_workspace(root: Path) -> Workspace:
    """Return an empty workspace whose snapshots keep every host."""
    workspace = open_workspace(root)
    workspace.set_snapshot_config(ALL)
    return workspace


@dataclass
class Loaded:
    """What a workspace with one good source made of the refused and of the kept files."""

    workspace: Workspace
    before: dict[str, str]
    after: dict[str, str]
    refused: dict[str, FileOutcome]
    kept: dict[str, FileOutcome]


def write_all(folder: Path, contents: dict[str, bytes]) -> Path:
    """Write files into a new folder."""
    folder.mkdir()
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """Load every file of both tables through `ingest`, the refused ones first."""
    base = tmp_path_factory.mktemp("inputs")
    workspace = new_workspace(base / "w")
    ingest(workspace, [write_log(base / "good.log", [Made(5, "192.0.2.77", 22)])])
    before = state_of(workspace)
    bad = write_all(base / "bad", {name: content for name, (_, content) in REFUSED.items()})
    refused = ingest(workspace, [bad])
    after = state_of(workspace)
    good = write_all(base / "kept", {name: each.content for name, each in KEPT.items()})
    kept = ingest(workspace, [good])
    return Loaded(workspace, before, after, by_name(refused), by_name(kept))


def by_name(report: IngestReport) -> dict[str, FileOutcome]:
    """Return the outcomes by file name."""
    return {each.name: each for each in report.files}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_file_has_its_code_and_its_name_in_words(loaded: Loaded, name: str) -> None:
    """The promised code, the file's name, no traceback."""
    outcome = loaded.refused[name]
    assert (outcome.status, outcome.code) == ("failed", REFUSED[name][0]), outcome.message
    assert name in outcome.message
    assert "Traceback" not in outcome.message


def test_refusals_change_nothing(loaded: Loaded) -> None:
    """Packets, snapshots and every row of the catalogue are as they were, byte for byte."""
    assert loaded.after == loaded.before


@pytest.mark.parametrize("name", KEPT)
def test_a_kept_file_has_its_counts(loaded: Loaded, name: str) -> None:
    """Read = kept + skipped by reason, and the promised notes; the source keeps them."""
    outcome, promised = loaded.kept[name], KEPT[name]
    assert outcome.status == "loaded", outcome.message
    report = outcome.report
    assert (report["read"], report["kept"]) == (promised.read, promised.kept)
    assert report["skipped"] == promised.skipped
    notes = {code: times for code, times in report["notes"].items() if code != "proto_assumed_tcp"}
    assert notes == promised.notes
    assert report["read"] == report["kept"] + sum(report["skipped"].values())
    with loaded.workspace.catalogue() as connection:
        [source] = [each for each in list_sources(connection) if each.name == name]
    assert source.report["skipped"] == promised.skipped


def test_captures_of_every_byte_order_give_the_same_packets(loaded: Loaded) -> None:
    """P1 to P7: the packet files of all variants hold the same rows, but for the clock's grain."""
    names = [name for name in KEPT if name[:3] in ("P1 ", "P3 ", "P4 ", "P5 ", "P7 ")]
    with loaded.workspace.catalogue() as connection:
        ids = {each.name: each.id for each in list_sources(connection)}
    first, *others = (
        pq.read_table(loaded.workspace.packets / ids[name] / "2021-12-01.parquet") for name in names
    )
    assert len(others) >= 4
    for each in others:
        assert each.drop_columns("ts_ns").equals(first.drop_columns("ts_ns"))


def test_days_of_more_than_a_year_need_a_yes(tmp_path: Path) -> None:
    """P25: 400 days are refused with the option that allows them; with it each has its file."""
    packets = [Made((day - 500) * DAY_S, "192.0.2.1", 22) for day in range(400)]
    path = write_log(tmp_path / "long.log", packets)
    workspace = new_workspace(tmp_path / "w")
    before = state_of(workspace)
    [outcome] = ingest(workspace, [path]).files
    assert (outcome.code, "--max-days" in outcome.message) == ("LONG-SPAN", True)
    assert state_of(workspace) == before
    out = tmp_path / "out"
    out.mkdir()
    report = parse_trace(path, out, ReadOptions(max_days=400))
    assert len(report.days) == len(list(out.iterdir())) == 400


def test_more_days_than_open_files_is_told(tmp_path: Path) -> None:
    """Where few files may be open at once, a trace of many days is refused in words."""
    resource = pytest.importorskip("resource")
    path = write_log(tmp_path / "a.log", [Made(d * DAY_S, "192.0.2.1", 22) for d in range(80)])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    out = tmp_path / "out"
    out.mkdir()
    resource.setrlimit(resource.RLIMIT_NOFILE, (60, hard))
    try:
        assert len(parse_trace(path, out, ReadOptions()).days) == 80  # the child raises it again
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_overlapping_files_are_counted_and_can_be_dropped(tmp_path: Path) -> None:
    """P26: packets of two files that overlap are shown as repeats, and dropped on request."""
    packets = drawn_packets(60, days=1, seed=4)
    workspace = new_workspace(tmp_path / "w")
    ingest(workspace, [write_log(tmp_path / "a.log", packets[:40])])
    ingest(workspace, [write_log(tmp_path / "b.log", packets[20:])])
    assert measure_health(workspace, ALL).days["duplicates"].tolist() == [20]
    without = SnapshotConfig(min_packets=1, drop_duplicates=True)
    bring_up_to_date(workspace, without)
    kept = [list_snapshots(workspace, config)[0].summary["kept"] for config in (ALL, without)]
    assert kept == [80, 60]


def test_a_trace_of_which_nothing_is_left_says_why(tmp_path: Path) -> None:
    """P27: only UDP: the packets are loaded, and the day says why it has no snapshot."""
    workspace = new_workspace(tmp_path / "w")
    report = ingest(
        workspace, [write_log(tmp_path / "udp.log", [Made(1, "192.0.2.1", 53, proto=17)] * 7)]
    )
    summary = report.snapshots["2021-12-01"]
    assert summary["code"] == "NOTHING-LEFT"
    assert "7" in summary["error"]
    [day] = measure_health(workspace, workspace.snapshot_config()).days.to_dict("records")
    assert (day["read"], day["packets"], day["silent_hours"]) == (7, 0, 23)


def test_what_is_no_regular_file_is_refused_inside_a_folder_too(tmp_path: Path) -> None:
    """P28: a link to a file is refused by name, other things in a folder are never opened."""
    workspace = new_workspace(tmp_path / "w")
    outside = write_log(tmp_path / "outside.log", [Made(1, "192.0.2.66", 22)])
    folder = tmp_path / "folder"
    folder.mkdir()
    write_log(folder / "a.log", [Made(1, "192.0.2.1", 22)])
    (folder / "link.log").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    (folder / "broken").symlink_to(tmp_path / "absent")
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe")
    outcomes = by_name(ingest(workspace, [folder]))
    assert outcomes["a.log"].status == "loaded"
    assert outcomes["link.log"].code == "NOT-A-REGULAR-FILE"
    assert set(outcomes) == {"a.log", "link.log"}


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    """P28: without the right to read, the error says so."""
    path = write_log(tmp_path / "a.log", [Made(1, "192.0.2.1", 22)])
    path.chmod(0)
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65_534)  # root may read everything
        with pytest.raises(TraceError) as caught, open_once(path):
            pass
    finally:
        os.seteuid(user)
    assert caught.value.code == "NO-PERMISSION"


def test_a_growing_file_is_read_to_where_it_ended(tmp_path: Path) -> None:
    """P28: lines appended after opening are left out, and that is noted."""
    path = write_log(tmp_path / "a.log", [Made(1, "192.0.2.1", 22)] * 3)
    with open_once(path) as opened:
        identity = opened.sha256()
        with path.open("a", encoding="utf-8") as end:
            end.write(Made(2, "192.0.2.2", 23).line() + "\n")
        report = parse_trace(path, tmp_path, ReadOptions(), opened=opened)
        assert opened.sha256() == identity
    assert (report.read, report.notes) == (3, {"GREW": 1})


def test_a_file_changed_or_replaced_while_read(tmp_path: Path) -> None:
    """P28: rewritten in place it is refused; replaced, the file that was opened is read."""
    path = write_log(tmp_path / "a.log", [Made(1, "192.0.2.1", 22)] * 3)
    with open_once(path) as opened:
        content = path.read_bytes().replace(b"192.0.2.1", b"192.0.2.9")
        path.write_bytes(content)
        os.utime(path, ns=(1, 1))
        with pytest.raises(TraceError) as caught:
            parse_trace(path, tmp_path, ReadOptions(), opened=opened)
    assert caught.value.code == "CHANGED"
    with open_once(path) as opened:
        write_log(tmp_path / "new", [Made(1, "192.0.2.2", 22)] * 8).replace(path)
        assert parse_trace(path, tmp_path, ReadOptions(), opened=opened).read == 3


LABEL_ROWS: dict[str, tuple[str, bytes]] = {
    "T2": ("ENCODING", "src_ip,label\n192.0.2.1,a\n".encode("utf-16")),
    "T3": ("COLUMNS", b"src_ip;label\n192.0.2.1;a\n"),
    "T5": ("ROW", b"src_ip,label\n192.0.2.1\n"),
    "T6": ("LABEL", "src_ip,label\n192.0.2.1,a\u200b\n".encode()),
    "T7": ("IP", b"src_ip,label\n01.02.03.004,a\n"),
    "T14 lines": ("LIMIT", b"src_ip,label\n" + b"192.0.2.1,a\n" * 1_000_001),
    "T14 size": ("LIMIT", b"#" * (33 << 20)),
    "T15": ("NO-ROWS", b"src_ip,label\n"),
    "json bomb": ("MISP", b'{"list":' + b"[" * 100_000),
    "json flood": ("LIMIT", b'{"list":[' + b"1," * 1_000_001 + b"1]}"),
    "range flood": ("LIMIT", b"create s hash:net\n" + b"add s 0.0.0.1-255.255.255.254\n" * 20_000),
    "gzip bomb": ("BOMB", gzip.compress(b"\n" * (100 << 20), 9)),
}


@pytest.mark.parametrize("name", LABEL_ROWS)
def test_a_refused_list_of_labels_changes_nothing(tmp_path: Path, name: str) -> None:
    """The promised code, in bounded time, and not a row of the catalogue changed."""
    workspace = new_workspace(tmp_path / "w")
    before = state_of(workspace)
    code, content = LABEL_ROWS[name]
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with workspace.catalogue() as connection, pytest.raises(LabelError) as caught:
        add_file(connection, path)
    assert caught.value.code in (code, "LIMIT" if name == "gzip bomb" else code)
    assert state_of(workspace) == before


HOSTILE = [
    "../x", "../../etc/passwd", "a\\..\\b", "C:x", "con", "nul.log", "\uff0e\uff0e\uff0fx",
    "%2e%2e%2f",
    "x" * 200, "\u202egol.a", "-rf", ".hidden", "a\nb", "a\rb", "a\tb", "a\x1b[2Jb", "a\x00b",
    "~", "$(id)", "`id`", "'; DROP TABLE source; --", '"x"', "%s%n", "<script>alert(1)</script>",
    "a\udcffb", "", " ", "|id", "*",
]  # fmt: skip


WORST = ["../../etc/passwd", "a\x00b", "a\udcffb", "'; DROP TABLE source; --"]


def test_every_hostile_name_becomes_visible_text() -> None:
    """N1, N3: nothing that is shown or stored holds a character that cannot be seen."""
    assert all(visible(name).isprintable() for name in HOSTILE)
    assert all(len(visible(name)) == len(name) for name in HOSTILE)


def test_hostile_names_are_only_shown(tmp_path: Path) -> None:
    """N1, N3, U1: as names of uploads and of files they load, stay visible text, name no path."""
    sentinel = write_all(tmp_path / "sentinel", {"a": b"1", "b": b"2"})
    workspace = new_workspace(tmp_path / "w")
    folder = tmp_path / "in"
    folder.mkdir()
    paths = [
        write_log(folder / f"{place}.log", [Made(place, "192.0.2.1", 22)])
        for place in range(len(WORST))
    ]
    report = ingest(workspace, paths, names=dict(zip(paths, WORST, strict=True)))
    assert {each.status for each in report.files} == {"loaded"}
    named = [folder / name for name in ("a\udcffb.log", "\u202e\x1b[31m.log", "a\nb.log")]
    more = ingest(workspace, [write_log(path, [Made(9, path.name[0], 22)]) for path in named[:1]])
    assert [(each.status, each.name) for each in more.files] == [("failed", "a\ufffdb.log")]
    for place, path in enumerate(named):
        write_log(path, [Made(20 + place, "192.0.2.3", 22)])
    outcomes = ingest(workspace, named).files
    assert {each.status for each in outcomes} == {"loaded"}
    assert all(each.name.isprintable() for each in outcomes)
    with workspace.catalogue() as connection:
        sources = list_sources(connection)
    assert all(each.name.isprintable() for each in sources)
    assert {path.name for path in workspace.packets.iterdir()} == {each.id for each in sources}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "sentinel", "w"]
    assert {path.name: path.read_bytes() for path in sentinel.iterdir()} == {"a": b"1", "b": b"2"}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_labels_and_aliases_are_text_or_refused(tmp_path: Path, name: str) -> None:
    """N1, U1: whatever the text, it is kept as it is or refused as a label, never run or half."""
    workspace = open_workspace(tmp_path / "w")
    with workspace.catalogue() as connection:
        for write in (
            lambda: set_alias(connection, name, "other"),
            lambda: add_list(
                connection, f'ip,label\n192.0.2.1,"{name}"\n'.encode("utf-8", "replace"), name=name
            ),
        ):
            try:
                write()
            except LabelError as error:
                assert str(error).isprintable()  # noqa: PT017 - it may also be accepted
        assert all(each.name.isprintable() for each in list_label_sources(connection))
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        assert tables >= 10


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "a/" * 3_000])
def test_a_workspace_at_an_impossible_path_is_refused_in_words(tmp_path: Path, name: str) -> None:
    """N1: a NUL, or a name longer than the system takes, is an error of ours."""
    with pytest.raises(WorkspaceError) as caught:
        open_workspace(tmp_path / name)
    assert caught.value.code in ("BAD-PATH", "NO-PERMISSION")
    assert list(tmp_path.iterdir()) == []


def test_links_planted_in_a_workspace_are_not_followed(tmp_path: Path) -> None:
    """N2: packets and leftovers are never written or removed through a link."""
    sentinel = write_all(tmp_path / "sentinel", {"a": b"1"})
    workspace = new_workspace(tmp_path / "w")
    path = write_log(tmp_path / "a.log", [Made(1, "192.0.2.1", 22)])
    with open_once(path) as opened:
        identity = opened.sha256()[:16]
    (workspace.packets / identity).symlink_to(sentinel)
    (workspace.packets / ".partial-x").symlink_to(sentinel)
    (workspace.snapshots / ".partial-y").symlink_to(sentinel)
    with pytest.raises(WorkspaceError):
        ingest(workspace, [path])
    assert {each.name: each.read_bytes() for each in sentinel.iterdir()} == {"a": b"1"}


def test_what_is_not_in_the_catalogue_cannot_be_removed(tmp_path: Path) -> None:
    """N4 to N6: unknown ids are refused and nothing inside or outside is touched."""
    write_all(tmp_path / "sentinel", {"a": b"1"})
    workspace = new_workspace(tmp_path / "w")
    ingest(workspace, [write_log(tmp_path / "a.log", [Made(1, "192.0.2.1", 22)])])
    before = state_of(workspace)
    for identity in ("", ".", "..", "../sentinel", "/", "' OR 1=1 --", "%", "\0"):
        with pytest.raises(WorkspaceError, match="No source"):
            remove(workspace, identity)
        with pytest.raises(JobError, match="no job"):
            forget_job(workspace, identity)
        with workspace.catalogue() as connection, pytest.raises(DarkgnnError):
            remove_source(connection, identity)
    assert state_of(workspace) == before
    assert (tmp_path / "sentinel" / "a").read_bytes() == b"1"


def test_numbers_beyond_any_column_are_refused_or_counted() -> None:
    """U1: 2**70 is no address, no port and no confidence anywhere."""
    big = str(2**70)
    for text in (f"ip,label\n{big},a\n", f"ip,label,confidence\n192.0.2.1,a,{big}\n"):
        with pytest.raises(LabelError):
            read_csv(text.encode(), name="x")


def test_damage_of_pcap_lengths_never_asks_for_memory(tmp_path: Path) -> None:
    """P12, PF3: a claimed length of 4 GiB in every record header is damage at once."""
    path = tmp_path / "a.pcap"
    path.write_bytes(c.pcap(FRAMES[:2]) + struct.pack("<IIII", 1, 1, 0xFFFFFFFF, 0xFFFFFFFF) * 9)
    assert parse_trace(path, tmp_path, ReadOptions()).notes == {"PCAP-DAMAGED": 1}
