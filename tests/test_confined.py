"""One confined process for many files: a crash or limit is the fault of one file only."""

import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from darkgnn_core.errors import TraceError
from darkgnn_core.ingest import ingest
from darkgnn_core.traces import confined
from darkgnn_core.traces.confined import Confined, ConfinedPool
from darkgnn_core.traces.parsing import parse_trace
from darkgnn_core.traces.reading import ReadOptions
from darkgnn_core.workspace import open_workspace
from tests.made_traces import Made, write_log

FRAGILE = """
import os, signal, sys
from darkgnn_core.traces import child, serving

def read(request):
    if request["name"].startswith("crash"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if request["name"].startswith("hungry"):
        raise MemoryError
    return child.read_trace(request)

sys.exit(serving.serve({"read": read}))
"""
POISONED = """
done = []
def read(request):
    done.append(request)
    if len(done) > 1:
        os._exit(3)
"""
DEAF = "import os, time; os.close(1); time.sleep(60)"
LOUD = """
import sys
sys.stdin.readline()
for n in range(3000):
    print('{"kind": "progress", "packets": 1, "position": 1}' if n % 2 else "[" * n, flush=True)
"""


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Give a way to run another program as the confined process, and to see how often it was."""

    def use(program: str) -> list[str]:
        starts: list[str] = []

        def command(module: str) -> tuple[str, ...]:
            starts.append(module)
            return (sys.executable, "-c", program) if program else (sys.executable, "-m", module)

        monkeypatch.setattr(confined, "command_of", command)
        return starts

    return use


def logs(folder: Path, names: list[str]) -> list[Path]:
    """Write a log of one packet each, all different."""
    folder.mkdir()
    return [
        write_log(folder / name, [Made(place, "192.0.2.1", 22)]) for place, name in enumerate(names)
    ]


def codes(paths: list[Path], directory: Path) -> list[str]:
    """Return what becomes of files that one reader is given in turn: packets, or the code."""
    found = []
    directory.mkdir()
    with Confined("darkgnn_core.traces.child") as reader:
        for path in paths:
            try:
                report = parse_trace(path, directory, ReadOptions(), reader=reader)
            except TraceError as error:
                found.append(error.code)
            else:
                found.append(str(report.packets))
    return found


def test_small_files_share_a_process_and_a_bad_one_costs_only_itself(tmp_path, started) -> None:
    """A refused file is as nothing; one that crashes or meets a limit is tried once more, alone."""
    before = psutil.Process().children()
    starts = started(FRAGILE)
    names = ["a", "bad", "b", "crash", "c", "hungry", "d", "e"]
    paths = logs(tmp_path / "logs", names)
    paths[1].write_bytes(b"\x7fELF\x00\x01" + bytes(99))
    assert codes(paths, tmp_path / "out") == [
        "1", "NOT-A-CAPTURE", "1", "IN-CRASH", "1", "LIMIT", "1", "1"
    ]  # fmt: skip
    assert len(starts) == 5
    assert set(psutil.Process().children()) <= set(before)


def test_a_process_takes_only_so_much(tmp_path, started, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files beyond the shared bytes, and the files after so many others, get a new process."""
    starts = started("")
    paths = logs(tmp_path / "logs", list("abcdef"))
    monkeypatch.setattr(confined, "SHARED_BYTES", 2 * paths[0].stat().st_size)
    assert codes(paths, tmp_path / "out") == ["1"] * 6
    assert len(starts) == 3
    monkeypatch.setattr(confined, "SHARED_BYTES", 1)
    assert codes(paths[:2], tmp_path / "again") == ["1"] * 2
    assert len(starts) == 5


def test_a_crash_for_which_an_earlier_file_is_to_blame_is_not_told(tmp_path, started) -> None:
    """In a process of its own the file is read; so nothing hangs on the order of files."""
    starts = started(FRAGILE.replace("def read(request):", POISONED))
    assert codes(logs(tmp_path / "logs", ["a", "b", "c"]), tmp_path / "out") == ["1"] * 3
    assert len(starts) == 3


def test_an_ingest_reports_only_the_file_that_crashed(tmp_path, started) -> None:
    """The others of the same folder are loaded, whichever came before or after it."""
    starts = started(FRAGILE)
    names = [f"{place:02}.log" for place in range(8)]
    names[3] = "crash.log"
    paths = logs(tmp_path / "logs", names)
    report = ingest(open_workspace(tmp_path / "workspace"), paths, workers=1)
    assert [each.status for each in report.files].count("loaded") == 7
    assert [each.code for each in report.files if each.status == "failed"] == ["IN-CRASH"]
    assert report.files[3].name == "crash.log"
    assert len(starts) == 3


@pytest.mark.parametrize("program", [DEAF, LOUD])
def test_a_process_that_misbehaves_is_ended(tmp_path, started, program: str) -> None:
    """One that closes its pipe but lives on, and one that floods it with nonsense."""
    before = psutil.Process().children()
    started(program)
    assert codes(logs(tmp_path / "logs", ["a"]), tmp_path / "out") == ["IN-CRASH"]
    assert set(psutil.Process().children()) <= set(before)


def test_an_idle_process_that_died_is_replaced(tmp_path, started) -> None:
    """Nobody's file was in its hands, so none is refused."""
    starts = started("")
    first, second = logs(tmp_path / "logs", ["a", "b"])
    pool = ConfinedPool("darkgnn_core.traces.child")
    before = set(psutil.Process().children())
    with pool.lend() as reader:
        parse_trace(first, tmp_path, ReadOptions(), reader=reader)
    for child in set(psutil.Process().children()) - before:
        child.kill()
    with pool.lend() as again:
        assert again is reader
        assert parse_trace(second, tmp_path, ReadOptions(), reader=again).packets == 1
    pool.close()
    assert len(starts) == 2
    assert set(psutil.Process().children()) <= before
