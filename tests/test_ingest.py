"""Ingest: counts that add up, nothing twice, and a sound workspace after any kill."""

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from darkgnn_core import durable, shelf
from darkgnn_core.config import SnapshotConfig
from darkgnn_core.durable import check_manifest
from darkgnn_core.errors import TraceError, WorkspaceError
from darkgnn_core.ingest import IngestReport, bring_up_to_date, ingest
from darkgnn_core.released_loading import load_released
from darkgnn_core.shelf import list_snapshots, open_snapshot, plan_snapshots
from darkgnn_core.snapshots import released_writing
from darkgnn_core.snapshots.bins import Bin
from darkgnn_core.sources import bytes_needed, list_sources, remove_source
from darkgnn_core.traces import confined
from darkgnn_core.traces.reading import ReadOptions
from darkgnn_core.workspace import Workspace, open_workspace
from tests.made_traces import DAY_S, Made, drawn_packets, write_log
from tests.released_files import planted, write_released

ALL = SnapshotConfig(min_packets=1)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Give an empty workspace whose snapshots keep every host."""
    made = open_workspace(tmp_path / "w")
    made.set_snapshot_config(ALL)
    return made


def hosts_and_packets(workspace: Workspace) -> dict[str, tuple[int, int]]:
    """Return hosts and kept packets of each snapshot, its files held against their manifest."""
    found = {}
    for each in list_snapshots(workspace, ALL):
        opened = open_snapshot(workspace, ALL, each.bin)
        found[each.bin] = (opened.summary["hosts"], opened.summary["kept"])
    return found


def content(workspace: Workspace) -> dict[str, dict[str, list[object]]]:
    """Return the host and edge tables of all snapshots, for comparing two workspaces."""
    return {
        f"{each.bin}/{name}": pq.read_table(each.directory / name).to_pydict()
        for each in list_snapshots(workspace, ALL)
        if each.directory is not None
        for name in ("hosts.parquet", "edges.parquet")
    }


def statuses(report: IngestReport) -> list[str]:
    """Return what became of each file."""
    return [each.status for each in report.files]


def test_a_day_may_come_from_many_files_and_a_file_may_span_days(
    workspace: Workspace, tmp_path: Path
) -> None:
    """Hand-counted: two files, two days; the name of a file does not decide its day."""
    first = [Made(1, "192.0.2.1", 22), Made(2, "192.0.2.2", 23), Made(DAY_S + 1, "192.0.2.1", 80)]
    second = [Made(3, "192.0.2.3", 22), Made(4, "192.0.2.1", 22)]
    paths = [
        write_log(tmp_path / "2099-01-01.log", first),
        write_log(tmp_path / "b.log.gz", second),
    ]
    report = ingest(workspace, paths)
    assert statuses(report) == ["loaded", "loaded"]
    assert report.packets == 5
    assert hosts_and_packets(workspace) == {"2021-12-01": (3, 4), "2021-12-02": (1, 1)}


def test_loading_the_same_bytes_twice_adds_nothing(workspace: Workspace, tmp_path: Path) -> None:
    """Again, under another name, and twice in one call: one source, the same snapshots."""
    packets = drawn_packets(500, days=2, seed=1)
    path = write_log(tmp_path / "a.log", packets)
    twin = write_log(tmp_path / "b.log", packets)
    assert sorted(statuses(ingest(workspace, [path, twin]))) == ["already loaded", "loaded"]
    before = content(workspace)
    report = ingest(workspace, [twin])
    assert statuses(report) == ["already loaded"]
    assert report.snapshots == {}
    assert len(list_sources_of(workspace)) == 1
    assert content(workspace) == before


def list_sources_of(workspace: Workspace) -> list[str]:
    """Return the names of the sources."""
    with workspace.catalogue() as connection:
        return [source.name for source in list_sources(connection)]


def test_a_bad_file_is_reported_and_the_others_go_on(workspace: Workspace, tmp_path: Path) -> None:
    """Of a good, an empty and a strange file the good one is loaded, the others have a code."""
    good = write_log(tmp_path / "a.log", [Made(1, "192.0.2.1", 22)])
    (tmp_path / "empty.log").touch()
    (tmp_path / "strange.bin").write_bytes(b"\x7fELF" + bytes(500))
    report = ingest(workspace, [tmp_path / "empty.log", good, tmp_path / "strange.bin"])
    assert statuses(report) == ["failed", "loaded", "failed"]
    assert [each.code for each in report.files] == ["EMPTY", "", "NOT-A-CAPTURE"]
    assert list_sources_of(workspace) == ["a.log"]


def test_a_path_that_is_not_there_stops_before_anything_is_read(
    workspace: Workspace, tmp_path: Path
) -> None:
    """A missing path and an empty folder are refused by name."""
    (tmp_path / "folder").mkdir()
    for path, code in ((tmp_path / "absent", "NO-SUCH-FILE"), (tmp_path / "folder", "EMPTY")):
        with pytest.raises(TraceError) as caught:
            ingest(workspace, [path])
        assert caught.value.code == code


def test_removing_a_source_takes_its_packets_out_of_the_snapshots(
    workspace: Workspace, tmp_path: Path
) -> None:
    """A day with another source is built anew without it; a day of its own disappears."""
    shared = [Made(1, "192.0.2.1", 22)]
    gone = [Made(2, "192.0.2.2", 22), Made(DAY_S + 5, "192.0.2.2", 22)]
    ingest(workspace, [write_log(tmp_path / "a.log", shared)])
    ingest(workspace, [write_log(tmp_path / "b.log", gone)])
    assert hosts_and_packets(workspace) == {"2021-12-01": (2, 2), "2021-12-02": (1, 1)}
    with workspace.catalogue() as connection:
        [identity] = [each.id for each in list_sources(connection) if each.name == "b.log"]
    remove_source(workspace, identity)
    bring_up_to_date(workspace, ALL)
    assert hosts_and_packets(workspace) == {"2021-12-01": (1, 1)}


def test_another_setting_builds_its_own_snapshots_and_keeps_the_first(
    workspace: Workspace, tmp_path: Path
) -> None:
    """Six-hour bins stand beside the days; a bin of nothing but weak hosts says so."""
    ingest(workspace, [write_log(tmp_path / "a.log", drawn_packets(400, days=1, seed=2))])
    six = SnapshotConfig(min_packets=1, bin_hours=6)
    bring_up_to_date(workspace, six)
    assert [each.bin for each in list_snapshots(workspace, six)] == [
        Bin.parse(f"2021-12-01T{hour:02}", 6).key for hour in (0, 6, 12, 18)
    ]
    assert len(list_snapshots(workspace, ALL)) == 1
    strict = SnapshotConfig(min_packets=1_000)
    bring_up_to_date(workspace, strict)
    [empty] = list_snapshots(workspace, strict)
    assert empty.summary["code"] == "NOTHING-LEFT"
    assert empty.summary["read"] == sum(empty.summary["hourly"]["packets"]) == 400
    assert empty.summary["dropped"]["few_packets"] == 400
    assert plan_snapshots(workspace, strict) == []


def test_snapshots_of_an_older_version_are_built_again(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They count as out of date; each stays until the new one has taken its place."""
    packets = [Made(0, "192.0.2.1", 22), Made(DAY_S, "192.0.2.1", 22)]
    ingest(workspace, [write_log(tmp_path / "a.log", packets)])
    before = list_snapshots(workspace, ALL)
    assert plan_snapshots(workspace, ALL) == []
    monkeypatch.setattr(shelf, "VERSION", shelf.VERSION + 1)
    assert [plan.bin.key for plan in plan_snapshots(workspace, ALL)] == ["2021-12-01", "2021-12-02"]
    stopped = bring_up_to_date(workspace, ALL, should_stop=lambda: True)
    assert stopped.stopped
    for each in list_snapshots(workspace, ALL):
        assert open_snapshot(workspace, ALL, each.bin).summary["hosts"] == 1
    bring_up_to_date(workspace, ALL)
    assert plan_snapshots(workspace, ALL) == []
    after = list_snapshots(workspace, ALL)
    assert [each.directory for each in after] != [each.directory for each in before]
    assert not any(each.directory.exists() for each in before if each.directory)


def test_a_flipped_bit_in_the_packets_is_noticed_before_they_are_used(
    workspace: Workspace, tmp_path: Path
) -> None:
    """A changed packet file is refused by name, and the old snapshots stay."""
    ingest(workspace, [write_log(tmp_path / "a.log", drawn_packets(300, days=1, seed=3))])
    before = content(workspace)
    [path] = workspace.packets.rglob("2021-12-01.parquet")
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(WorkspaceError, match=r"2021-12-01\.parquet has changed"):
        bring_up_to_date(workspace, SnapshotConfig(min_packets=2))
    assert content(workspace) == before


def test_a_full_disk_leaves_the_workspace_as_it_was(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ENOSPC while writing gives DISK-FULL; the same load works once there is room."""
    first = write_log(tmp_path / "a.log", drawn_packets(300, days=1, seed=3))
    second = write_log(tmp_path / "b.log", drawn_packets(300, days=2, seed=4))
    ingest(workspace, [first])
    before = content(workspace)

    def full(_: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(durable, "fsync_file", full)
    with pytest.raises(WorkspaceError) as caught:
        ingest(workspace, [second])
    assert caught.value.code == "DISK-FULL"
    assert content(workspace) == before
    monkeypatch.undo()
    assert statuses(ingest(workspace, [second])) == ["loaded"]


def test_a_load_without_room_is_refused_before_it_starts(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both figures are told and nothing is changed; files that are loaded already need no room."""
    path = write_log(tmp_path / "a.log.gz", drawn_packets(500, days=1, seed=3))
    need = round(1.5 * bytes_needed(path))
    assert 1.1 * path.stat().st_size < need < 1.3 * path.stat().st_size
    for free, fits in ((need - 1, False), (need, True), (0, True)):
        usage = shutil.disk_usage(tmp_path)._replace(free=free)
        monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
        if fits:
            assert [each.code for each in ingest(workspace, [path]).files] == [""]
            continue
        with pytest.raises(WorkspaceError, match=r"needs about .* are free at") as caught:
            ingest(workspace, [path])
        assert caught.value.code == "DISK-FULL"
        assert list(workspace.packets.iterdir()) == []


def test_a_file_can_be_read_with_options_of_its_own(workspace: Workspace, tmp_path: Path) -> None:
    """The others are read as all are."""
    paths = []
    for name in ("a", "b"):
        rows = "2021-12-01 12:00:00,192.0.2.7,23\n" * 3
        paths.append(tmp_path / f"{name}.csv")
        paths[-1].write_text(f"time,src_ip,dst_port,{name}\n" + rows.replace("\n", f",{name}\n"))
    own = {paths[1]: ReadOptions(timezone="Asia/Tokyo")}
    options = ReadOptions(timezone="UTC")
    report = ingest(workspace, paths, options=options, own_options=own)
    first, second = (each.report["first_ns"] for each in report.files)
    assert first - second == 9 * 3_600 * 10**9


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (duckdb.OutOfMemoryException("could not allocate"), "OUT-OF-MEMORY"),
        (
            duckdb.TransactionException("Failed to commit: failed to pin block of size 256.0 KiB"),
            "OUT-OF-MEMORY",
        ),
        (duckdb.IOException("No space left on device"), "DISK-FULL"),
        (duckdb.InternalException("x"), "DATABASE"),
    ],
)
def test_a_database_that_gives_up_is_named(
    workspace: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    raised: duckdb.Error,
    code: str,
) -> None:
    """What DuckDB ran out of is told by a code, and the packets that were read stay."""

    def give_up(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(shelf, "build_snapshot", give_up)
    with pytest.raises(WorkspaceError) as caught:
        ingest(workspace, [write_log(tmp_path / "a.log", drawn_packets(50, days=1, seed=3))])
    assert caught.value.code == code
    assert list_sources_of(workspace) == ["a.log"]


def test_a_stop_keeps_what_was_finished(workspace: Workspace, tmp_path: Path) -> None:
    """Stopped from the start nothing is added; the next ingest does it all."""
    path = write_log(tmp_path / "a.log", drawn_packets(300, days=1, seed=3))
    report = ingest(workspace, [path], should_stop=lambda: True)
    assert report.stopped
    assert report.files == []
    assert list(workspace.packets.iterdir()) == []
    assert statuses(ingest(workspace, [path])) == ["loaded"]


PROGRAM = """
import sys
from pathlib import Path
from typing import Any
from darkgnn_core.ingest import ingest
from darkgnn_core.workspace import open_workspace
ingest(open_workspace(Path(sys.argv[1])), [Path(each) for each in sys.argv[2:]], workers=2)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 of a group is POSIX")
def test_kill_at_any_moment_leaves_old_or_new(workspace: Workspace, tmp_path: Path) -> None:
    """After each of many kills all that is listed is whole, and a last run ends like no kill."""
    paths = [
        write_log(tmp_path / f"{seed}.log.gz", drawn_packets(4_000, days=3, seed=seed))
        for seed in range(6)
    ]
    reference = open_workspace(tmp_path / "reference")
    reference.set_snapshot_config(ALL)
    ingest(reference, paths)
    rng = random.Random(7)
    command = [sys.executable, "-c", PROGRAM, str(workspace.root), *map(str, paths)]
    for _ in range(12):
        process = subprocess.Popen(command, start_new_session=True)
        try:
            process.wait(timeout=rng.uniform(0.3, 3.0))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        hosts_and_packets(workspace)
        with workspace.catalogue() as connection:
            for source in list_sources(connection):
                check_manifest(workspace.packets / source.id)
                stored = sum(
                    pq.read_metadata(workspace.packets / source.id / f"{day}.parquet").num_rows
                    for day in source.report["days"]
                )
                assert stored == source.packets == 4_000
    ingest(workspace, paths)
    assert content(workspace) == content(reference)
    assert [path.name for path in workspace.root.rglob(".partial-*")] == []
    assert json.dumps(hosts_and_packets(workspace)) == json.dumps(hosts_and_packets(reference))


def test_a_released_folder_is_opened_as_it_is(workspace: Workspace, tmp_path: Path) -> None:
    """Graphs and features become snapshots of their own, raw packets and labels come along."""
    folder = write_released(tmp_path / "data", planted(), {"192.0.2.1": "mirai"})
    report = ingest(workspace, [folder])
    assert [each.status for each in report.files] == ["loaded"] * 4 + ["labels"]
    days = ["2021-12-01", "2021-12-02", "2021-12-03"]
    shelved = list_snapshots(workspace, released_writing.CONFIG)
    assert [each.bin for each in shelved] == days
    for day in days:
        opened = open_snapshot(workspace, released_writing.CONFIG, day)
        assert opened.summary["origin"] == "released"
    assert list(hosts_and_packets(workspace)) == days
    again = ingest(workspace, [folder])
    assert [each.status for each in again.files] == ["already loaded"] * 4 + ["labels"]


def test_a_damaged_released_folder_is_reported(workspace: Workspace, tmp_path: Path) -> None:
    """A cut lookup gives a failed outcome with its code, and changes nothing."""
    folder = write_released(tmp_path / "data", planted(), {})
    lookup = folder / "graph" / "ip_lookup.json"
    lookup.write_text(lookup.read_text(encoding="utf-8")[:-5], encoding="utf-8")
    report = ingest(workspace, [folder])
    assert statuses(report) == ["failed"]
    assert list_snapshots(workspace, released_writing.CONFIG) == []


FRAGILE_RELEASED = """
import os, signal, sys
from darkgnn_core.snapshots import released_child
from darkgnn_core.traces.serving import serve

def write(request):
    if request["day"] == "2021-12-02":
        os.kill(os.getpid(), signal.SIGSEGV)
    return released_child.write(request)

sys.exit(serve({"look": released_child.look, "write": write}))
"""


def test_a_released_folder_that_kills_its_reader_is_reported(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read in a confined process: earlier days are kept, the next try does the rest."""
    folder = write_released(tmp_path / "data", planted(), {})
    with monkeypatch.context() as patched:
        command = (sys.executable, "-c", FRAGILE_RELEASED)
        patched.setattr(confined, "command_of", lambda module: command)
        failed = load_released(workspace, folder).outcome
    assert failed is not None
    assert (failed.status, failed.code) == ("failed", "IN-CRASH")
    kept = [each.bin for each in list_snapshots(workspace, released_writing.CONFIG)]
    assert kept == ["2021-12-01"]
    again = load_released(workspace, folder).outcome
    assert again is not None
    assert again.status == "loaded"
    assert len(list_snapshots(workspace, released_writing.CONFIG)) == 3


def test_a_released_folder_can_be_stopped(workspace: Workspace, tmp_path: Path) -> None:
    """Asked to stop, no day of it is added, and none of its raw files is read."""
    folder = write_released(tmp_path / "data", planted(), {"192.0.2.1": "mirai"})
    report = ingest(workspace, [folder], should_stop=lambda: True)
    assert report.stopped
    assert (report.files, list_snapshots(workspace, released_writing.CONFIG)) == ([], [])


def test_large_days_are_built_one_at_a_time(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two builds run at once, but never two of bins whose packets take much room."""
    building, most = set[str](), []
    build = shelf.build_snapshot

    def watched(files: Any, time_bin: Any, *rest: Any, **options: Any) -> dict[str, Any]:
        building.add(time_bin.key)
        most.append(len(building))
        try:
            return build(files, time_bin, *rest, **options)
        finally:
            building.discard(time_bin.key)

    monkeypatch.setattr(shelf, "build_snapshot", watched)
    monkeypatch.setattr(shelf, "LARGE_BYTES", 0)
    report = ingest(workspace, [write_log(tmp_path / "a.log", drawn_packets(900, days=4, seed=3))])
    assert len(report.snapshots) == len(most) == 4
    assert max(most) == 1
