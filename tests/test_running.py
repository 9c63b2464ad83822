"""The runner: the same bytes whatever interrupts it, named troubles, progress in whole lines."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from darkgnn_core.durable import check_manifest
from darkgnn_core.embeddings import read_embedding
from darkgnn_core.errors import DarkgnnError, RunError
from darkgnn_core.run_config import RunConfig
from darkgnn_core.training import running, troubles
from darkgnn_core.training.progress import NAME, ProgressLog, line_of, read_lines
from darkgnn_core.training.running import RunReport, run
from tests.made_trainers import CONFIG, DAYS, WalkTrainer, embeddings_of

ROOT = Path(__file__).resolve().parents[1]
UNITS = ["epoch 1", "epoch 2", *DAYS]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Give the embeddings of a run that nothing interrupted."""
    directory = tmp_path_factory.mktemp("whole")
    go(directory)
    return embeddings_of(directory)


def go(directory: Path, trainer: WalkTrainer | None = None, **options: Any) -> RunReport:
    """Take a run on."""
    (directory / "embeddings").mkdir(exist_ok=True)
    walk = trainer or WalkTrainer()
    days = [unit.day for unit in walk.units if unit.day]
    return run(directory, CONFIG, walk, data=dict.fromkeys(days, "x"), **options)


def lines_of(directory: Path, event: str) -> list[dict[str, Any]]:
    """Return what the progress file says of one kind."""
    lines, _ = read_lines(directory / NAME)
    return [line for line in lines if line["event"] == event]


def stop_after(asked: int) -> Callable[[], bool]:
    """Return what says stop from the n-th time on that it is asked."""
    left = [asked]

    def should_stop() -> bool:
        left[0] -= 1
        return left[0] < 0

    return should_stop


def test_a_run_goes_through_its_units(tmp_path: Path, expected: dict[str, bytes]) -> None:
    """Each day is embedded, each unit told once, what was made is listed with its sha256."""
    report = go(tmp_path)
    check_manifest(tmp_path / "embeddings")
    assert sorted(expected) == sorted([*(f"{day}.parquet" for day in DAYS), "manifest.json"])
    assert [line["unit"] for line in lines_of(tmp_path, "unit")] == UNITS
    assert [line["day"] for line in lines_of(tmp_path, "day")] == list(DAYS)
    last = lines_of(tmp_path, "unit")[-1]
    assert (last["units_done"], last["units_total"], last["epoch"], last["epochs"]) == (6, 6, 3, 3)
    assert (report.stopped, report.days) == (False, 4)
    assert report.seconds > 0
    assert report.seconds_a_day == pytest.approx(report.seconds / 4, abs=1e-3)
    assert report.processor_seconds_a_day > 0
    assert report.peak_bytes > 20_000_000
    assert report.bytes == sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file())
    assert read_lines(tmp_path / NAME)[0][0]["event"] == "start"
    assert lines_of(tmp_path, "end")[0]["message"] == "done"


@pytest.mark.parametrize("asked", [0, 1, 4, 5, 11, 12, 20])
def test_stopped_anywhere_and_resumed_it_ends_in_the_same_bytes(
    tmp_path: Path, expected: dict[str, bytes], asked: int
) -> None:
    """Stopped before, within or between units: resumed, the bytes and the told units are those."""
    assert go(tmp_path, should_stop=stop_after(asked)).stopped
    assert lines_of(tmp_path, "end")[0]["message"] == "cancelled"
    trainer = WalkTrainer()
    report = go(tmp_path, trainer)
    assert not report.stopped
    assert embeddings_of(tmp_path) == expected
    assert [line["unit"] for line in lines_of(tmp_path, "unit")] == UNITS
    done_before = asked // 4  # a unit asks once before it and after each of its three steps
    assert trainer.did == UNITS[done_before:]


@pytest.mark.skipif(sys.platform == "win32", reason="fork is POSIX")
def test_killed_before_any_call_on_a_file_it_ends_in_the_same_bytes(tmp_path: Path) -> None:
    """A process that vanishes at any of its calls on a file, all tried, loses and doubles nothing.

    Files and lines are those of a run that nothing interrupted, no temporary file is left.
    """
    command = [sys.executable, "-m", "tests.crash_points", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["bad"] == [], done.stderr
    assert found["points"] > 40


def test_a_finished_run_has_nothing_left_to_do(tmp_path: Path, expected: dict[str, bytes]) -> None:
    """Killed after its last checkpoint, before its state was told: it ends at once."""
    go(tmp_path)
    trainer = WalkTrainer()
    report = go(tmp_path, trainer)
    assert (trainer.did, report.days) == ([], 4)
    assert embeddings_of(tmp_path) == expected


def test_days_that_come_later_are_added(tmp_path: Path, expected: dict[str, bytes]) -> None:
    """A run over two days that goes on over four ends like one over four."""
    go(tmp_path, WalkTrainer(DAYS[:2]))
    trainer = WalkTrainer()
    go(tmp_path, trainer)
    assert trainer.did == list(DAYS[2:])
    assert embeddings_of(tmp_path) == expected


def test_days_that_came_before_are_refused(tmp_path: Path, expected: dict[str, bytes]) -> None:
    """What was done first must be what would be done first; embeddings stay as they were."""
    go(tmp_path, WalkTrainer(DAYS[1:]))
    before = embeddings_of(tmp_path)
    with pytest.raises(RunError, match="Start a new run") as refused:
        go(tmp_path)
    assert refused.value.code == "CANNOT-CONTINUE"
    assert embeddings_of(tmp_path) == before


def test_a_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    """A directory handed to a run of other settings is not taken on."""
    go(tmp_path, should_stop=stop_after(5))
    other = RunConfig.of("features", seed=4)
    with pytest.raises(RunError, match="other settings"):
        run(tmp_path, other, WalkTrainer(), data={})


@pytest.mark.parametrize("what", ["loss", "embedding", "weights"])
def test_nan_ends_the_run_and_is_not_published(
    tmp_path: Path, expected: dict[str, bytes], what: str
) -> None:
    """Poisoned on its third day: two days are kept, and resumed in health it ends as it should."""
    with pytest.raises(RunError, match="no finite number") as refused:
        go(tmp_path, WalkTrainer(poison=(DAYS[2], what)))
    assert refused.value.code == "DIVERGED"
    check_manifest(tmp_path / "embeddings")
    kept = embeddings_of(tmp_path)
    for day in DAYS[:2]:
        assert kept[f"{day}.parquet"] == expected[f"{day}.parquet"]
    assert f"{DAYS[3]}.parquet" not in kept
    for path in (tmp_path / "embeddings").glob("*.parquet"):
        assert np.isfinite(read_embedding(path).vectors).all()
    assert "DIVERGED" in lines_of(tmp_path, "end")[0]["message"]
    trainer = WalkTrainer()
    go(tmp_path, trainer)
    assert trainer.did == list(DAYS[2:])
    assert embeddings_of(tmp_path) == expected


class OutOfMemoryError(RuntimeError):
    """Named as torch's."""


CPU_TEXT = "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate"
TROUBLES = [
    (MemoryError(), "OUT-OF-MEMORY", "min_packets"),
    (RuntimeError(f"{CPU_TEXT} memory: you tried to allocate 9 bytes."), "OUT-OF-MEMORY", "resume"),
    (OutOfMemoryError("CUDA out of memory. Tried to allocate"), "GPU-OUT-OF-MEMORY", "device cpu"),
    (RuntimeError("CUDA error: out of memory"), "GPU-OUT-OF-MEMORY", "smaller batches"),
    (RuntimeError("MPS backend out of memory"), "GPU-OUT-OF-MEMORY", "device cpu"),
    (RuntimeError("CUDA error: unspecified launch failure"), "GPU-ERROR", "device cpu"),
    (OSError(errno.ENOSPC, "No space left on device"), "DISK-FULL", "Free some space"),
    (OSError(errno.EIO, "Input/output error"), "DISK-ERROR", "Check the disk"),
]


@pytest.mark.parametrize(("raised", "code", "said"), TROUBLES, ids=lambda each: str(each)[:20])
def test_troubles_have_names(
    tmp_path: Path, expected: dict[str, bytes], raised: BaseException, code: str, said: str
) -> None:
    """Out of memory, of a card's memory, of disk: named, with a way out, and what was done kept."""
    with pytest.raises(RunError) as refused:
        go(tmp_path, WalkTrainer(fails=(DAYS[1], raised)))
    assert refused.value.code == code
    assert said in str(refused.value)
    check_manifest(tmp_path / "embeddings")
    trainer = WalkTrainer()
    go(tmp_path, trainer)
    assert trainer.did == list(DAYS[1:])
    assert embeddings_of(tmp_path) == expected


def test_a_mistake_of_ours_stays_what_it_is(tmp_path: Path) -> None:
    """An error nobody planned is not dressed up as trouble of the machine."""
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        go(tmp_path, WalkTrainer(fails=(DAYS[0], RuntimeError("mat1 and mat2 shapes differ"))))


@pytest.mark.parametrize("call", ["fsync", "rename", "replace"])
def test_a_disk_that_fills_at_any_call_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Full at the n-th sync or rename, for every n: told as such, and resumed the bytes are those.

    Each attempt gets one call further than the last, on the same directory.
    """
    days = DAYS[:1]
    (tmp_path / "run").mkdir()
    (tmp_path / "whole").mkdir()
    go(tmp_path / "whole", WalkTrainer(days))
    real, calls = getattr(os, call), [0]
    for position in range(1, 100):
        calls[0] = 0

        def failing(*arguments: object, at: int = position, **named: object) -> object:
            calls[0] += 1
            if calls[0] == at:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*arguments, **named)

        with monkeypatch.context() as patch:
            patch.setattr(os, call, failing)
            error = error_of(lambda: go(tmp_path / "run", WalkTrainer(days)))
        if error is None:
            break
        assert (error.code, "Free some space" in str(error)) == ("DISK-FULL", True)
        left = [p for p in (tmp_path / "run").rglob("*") if ".partial" in p.name]
        assert left == []
    assert position > 2
    assert embeddings_of(tmp_path / "run") == embeddings_of(tmp_path / "whole")
    assert [line["unit"] for line in lines_of(tmp_path / "run", "unit")] == [*UNITS[:2], *days]


def error_of(do: Callable[[], object]) -> DarkgnnError | None:
    """Return the error that a call ends in, None where it ends well."""
    try:
        do()
    except DarkgnnError as error:
        return error
    return None


def test_a_damaged_checkpoint_is_refused_and_embeddings_stay(tmp_path: Path) -> None:
    """With a bit flipped the run does not go on; its days are still there."""
    go(tmp_path, should_stop=stop_after(17))
    before = embeddings_of(tmp_path)
    [path] = tmp_path.glob("checkpoint/*/state.safetensors")
    data = bytearray(path.read_bytes())
    data[-3] ^= 4
    path.write_bytes(data)
    with pytest.raises(RunError, match=r"state\.safetensors") as refused:
        go(tmp_path)
    assert refused.value.code == "DAMAGED"
    assert embeddings_of(tmp_path) == before


def test_progress_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What watchers get says the unit, how many are done, the loss, the time gone and to come."""
    monkeypatch.setattr(running, "TELL_S", 0.0)
    told: list[dict[str, Any]] = []
    go(tmp_path, on_progress=told.append)
    assert [each["units_done"] for each in told] == sorted(each["units_done"] for each in told)
    assert (told[0]["units_done"], told[0]["remaining_s"]) == (0, None)
    last = told[-1]
    assert (last["unit"], last["day"], last["units_done"]) == (DAYS[3], DAYS[3], 6)
    assert (last["epoch"], last["epochs"], last["accuracy"]) == (3, 3, 0.5)
    assert last["remaining_s"] == 0.0
    assert last["seconds"] >= sum(line["seconds"] for line in lines_of(tmp_path, "unit"))
    assert all(each["remaining_s"] > 0 for each in told if 0 < each["units_done"] < 6)
    steps = lines_of(tmp_path, "step")
    assert [(step["unit"], step["epoch"]) for step in steps] == [
        (unit, epoch) for unit in UNITS for epoch in (1, 2, 3)
    ]


def test_quick_steps_are_not_all_written(tmp_path: Path) -> None:
    """Three steps within a few milliseconds do not make three lines."""
    go(tmp_path, WalkTrainer(step_s=0.0))
    assert len(lines_of(tmp_path, "step")) <= len(UNITS)


def test_seconds_are_those_of_all_attempts(tmp_path: Path) -> None:
    """A resumed run says how long its finished units took, those of earlier attempts included."""
    go(tmp_path, WalkTrainer(step_s=0.02), should_stop=stop_after(9))
    told: list[dict[str, Any]] = []
    report = go(tmp_path, on_progress=told.append)
    assert told[0]["seconds"] >= 0.12  # two units of three steps
    assert report.seconds >= told[0]["seconds"]


# The progress file itself.


def test_half_a_line_is_no_line(tmp_path: Path) -> None:
    """A cut last line is left out when read, and gone once the run goes on."""
    path = tmp_path / NAME
    whole = b'{"event":"unit","unit":"a"}\n'
    path.write_bytes(whole + b'{"event":"unit","un')
    assert read_lines(path) == ([{"event": "unit", "unit": "a"}], len(whole))
    log = ProgressLog(path)
    log.add({"event": "unit", "unit": "b"})
    log.close()
    assert [line["unit"] for line in read_lines(path)[0]] == ["a", "b"]


@pytest.mark.parametrize("length", [1, 65_535, 65_536, 65_537, 200_000])
def test_a_long_half_line_is_cut_off(tmp_path: Path, length: int) -> None:
    """However long the cut line is, the lines before it stay, and only they."""
    path = tmp_path / NAME
    for whole in (b"", b'{"event":"unit","unit":"a"}\n'):
        path.write_bytes(whole + b"x" * length)
        ProgressLog(path).close()
        assert path.read_bytes() == whole


def test_lines_are_read_on_from_where_reading_ended(tmp_path: Path) -> None:
    """A reader that comes back gets what is new, each line once."""
    path = tmp_path / NAME
    assert read_lines(path) == ([], 0)
    log = ProgressLog(path)
    seen, after = [], 0
    for number in range(5):
        log.add(line_of("unit", unit=str(number), loss=None))
        lines, after = read_lines(path, after)
        seen += lines
        assert read_lines(path, after) == ([], after)
    log.close()
    assert [line["unit"] for line in seen] == list("01234")
    assert all("loss" not in line for line in seen)


def test_a_full_disk_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that the disk took half of is taken back, and those that follow are whole."""
    path = tmp_path / NAME
    log = ProgressLog(path)
    log.add(line_of("unit", unit="a"))
    file = log._file

    class HalfFull:
        """Takes half a line, then no more."""

        asked = 0

        def write(self, data: bytes) -> int:
            self.asked += 1
            if self.asked > 1:
                raise OSError(errno.ENOSPC, "No space left on device")
            return file.write(data[: len(data) // 2])

        tell, truncate = file.tell, file.truncate

    monkeypatch.setattr(log, "_file", HalfFull())
    with pytest.raises(OSError, match="No space"):
        log.add(line_of("unit", unit="b"))
    monkeypatch.setattr(log, "_file", file)
    log.add(line_of("unit", unit="c"))
    log.close()
    assert path.read_bytes().count(b"\n") == 2
    assert [line["unit"] for line in read_lines(path)[0]] == ["a", "c"]


def test_steps_done_again_are_read_once(tmp_path: Path) -> None:
    """Steps after the checkpoint from which a later attempt started are left out; units stay."""
    path = tmp_path / NAME
    log = ProgressLog(path)
    for line in (
        {"event": "start", "units_done": 0},
        {"event": "step", "units_done": 0, "loss": 1},
        {"event": "unit", "units_done": 1},
        {"event": "step", "units_done": 1, "loss": 2},
        {"event": "start", "units_done": 1},
        {"event": "step", "units_done": 1, "loss": 3},
    ):
        log.add(line)
    log.close()
    lines, _ = read_lines(path)
    assert [line["loss"] for line in lines if line["event"] == "step"] == [1, 3]
    assert len(lines) == 5


def test_the_names_of_cards_and_memory_cover_what_torch_says() -> None:
    """An error that only quotes a card in passing is still told as the card's."""
    assert troubles._named(RuntimeError("CUDA error: device-side assert triggered")) is not None
    assert troubles._named(RuntimeError("index 7 is out of bounds")) is None
