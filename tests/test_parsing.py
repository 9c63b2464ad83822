"""Reading a trace in a confined process: whatever it does, the caller learns it by name."""

import gzip
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest

from darkgnn_core.errors import TraceError
from darkgnn_core.traces import confined
from darkgnn_core.traces.confined import Stopped
from darkgnn_core.traces.packets import SCHEMA
from darkgnn_core.traces.parsing import TraceReport, parse_trace
from darkgnn_core.traces.reading import ReadOptions
from tests.made_traces import DAY_S, Made, write_log, write_long_log


def parse(path: Path, directory: Path) -> TraceReport:
    """Parse with the usual options."""
    return parse_trace(path, directory, ReadOptions())


def refused(path: Path, directory: Path) -> str:
    """Return the code with which a file is refused; nothing may have been written."""
    with pytest.raises(TraceError) as caught:
        parse(path, directory)
    assert "Traceback" not in str(caught.value)
    assert path.name in str(caught.value)
    return caught.value.code


def test_packets_come_out_in_day_files_with_the_counts(tmp_path: Path) -> None:
    """Three packets on two days give two files and a report that adds up."""
    made = [Made(0, "192.0.2.1", 22), Made(5, "192.0.2.2", 23), Made(DAY_S, "192.0.2.1", 22)]
    path = write_log(tmp_path / "a.log.gz", made)
    out = tmp_path / "out"
    out.mkdir()
    report = parse(path, out)
    assert (report.read, report.kept, report.packets, report.skipped) == (3, 3, 3, {})
    assert report.days == {"2021-12-01": 2, "2021-12-02": 1}
    assert report.format == "packet_log"
    assert sorted(each.name for each in out.iterdir()) == [
        "2021-12-01.parquet",
        "2021-12-02.parquet",
    ]
    assert pq.read_table(out / "2021-12-01.parquet").schema.equals(SCHEMA)


def test_a_name_that_speaks_of_another_day_is_noted(tmp_path: Path) -> None:
    """The packets' time decides the day; a name that says otherwise is told, not obeyed."""
    for name, noted in (("2099-01-01.log", 1), ("dark_20211201.log", 0), ("port_8080.log", 0)):
        report = parse(write_log(tmp_path / name, [Made(0, "192.0.2.1", 22)]), tmp_path)
        assert report.days == {"2021-12-01": 1}
        assert report.notes.get("NAME-DAY", 0) == noted


def test_files_that_are_no_files_are_refused(tmp_path: Path) -> None:
    """A folder, a pipe, a link, a missing and an empty file each have their code."""
    folder = tmp_path / "folder"
    folder.mkdir()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    link = tmp_path / "link"
    link.symlink_to(write_log(tmp_path / "a.log", [Made(0, "192.0.2.1", 22)]))
    empty = tmp_path / "empty"
    empty.touch()
    assert refused(folder, tmp_path) == "NOT-A-REGULAR-FILE"
    assert refused(pipe, tmp_path) == "NOT-A-REGULAR-FILE"
    assert refused(link, tmp_path) == "NOT-A-REGULAR-FILE"
    assert refused(Path("/dev/zero"), tmp_path) == "NOT-A-REGULAR-FILE"
    assert refused(tmp_path / "absent", tmp_path) == "NO-SUCH-FILE"
    assert refused(empty, tmp_path) == "EMPTY"


def test_a_decompression_bomb_is_refused_at_once(tmp_path: Path) -> None:
    """A log that unpacks to 2 GiB of empty lines ends with BOMB within seconds."""
    log = write_log(tmp_path / "a.log.gz", [Made(0, "192.0.2.1", 22)])
    path = tmp_path / "bomb.gz"
    path.write_bytes(log.read_bytes() + gzip.compress(b"\n" * (64 << 20), 9) * 32)
    started = time.monotonic()
    assert refused(path, tmp_path) == "BOMB"
    assert time.monotonic() - started < 20


def test_archives_are_refused_by_name(tmp_path: Path) -> None:
    """A zip file says that archives are not read."""
    path = tmp_path / "traces.zip"
    path.write_bytes(b"PK\x03\x04" + bytes(200))
    assert refused(path, tmp_path) == "ARCHIVE"


def test_a_crash_of_the_reader_is_told_not_shared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that dies by a signal gives IN-CRASH."""
    program = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    monkeypatch.setattr(confined, "command_of", lambda module: (sys.executable, "-c", program))
    path = write_log(tmp_path / "a.log", [Made(0, "192.0.2.1", 22)])
    assert refused(path, tmp_path) == "IN-CRASH"


def test_a_silent_reader_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that says nothing for too long gives IN-CRASH and is gone."""
    sleeper = (sys.executable, "-c", "import time; time.sleep(60)")
    monkeypatch.setattr(confined, "command_of", lambda module: sleeper)
    monkeypatch.setattr(confined, "SILENCE_S", 0.3)
    path = write_log(tmp_path / "a.log", [Made(0, "192.0.2.1", 22)])
    before = psutil.Process().children()
    assert refused(path, tmp_path) == "IN-CRASH"
    assert set(psutil.Process().children()) <= set(before)


def test_a_stop_ends_the_reader_within_two_seconds(tmp_path: Path) -> None:
    """Asked to stop in the middle of a long log, the process is gone at once."""
    path = write_long_log(tmp_path / "long.log.gz", rows=1_000_000)
    asked = []
    before = psutil.Process().children()

    def should_stop() -> bool:
        asked.append(time.monotonic())
        return len(asked) > 5

    with pytest.raises(Stopped):
        parse_trace(path, tmp_path, ReadOptions(), should_stop=should_stop)
    assert time.monotonic() - asked[-1] < 2.0
    assert set(psutil.Process().children()) <= set(before)


CONFINED = """
import socket, sys
from darkgnn_core.traces.limits import confine
confine(0)
try:
    bytearray(4 << 30)
    print("memory: not limited")
except MemoryError:
    print("memory: limited")
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=2)
    print("network: reached")
except OSError:
    print("network: none")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="namespaces and limits of Linux")
def test_the_confined_process_has_little_memory_and_no_network() -> None:
    """After `confine` 4 GiB cannot be had, and even this machine cannot be reached."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        result = subprocess.run(
            [sys.executable, "-c", CONFINED, str(port)],
            capture_output=True,
            text=True,
            check=True,
        )
    allowed = subprocess.run(["unshare", "-Un", "true"], capture_output=True, check=False)
    assert "memory: limited" in result.stdout
    if allowed.returncode == 0:
        assert "network: none" in result.stdout
