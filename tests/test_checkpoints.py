"""Checkpoints: whole or not there, damage told by name, the last good one kept."""

import errno
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as drawn
from safetensors import SafetensorError

from darkgnn_core.errors import DarkgnnError, RunError, WorkspaceError
from darkgnn_core.trainers import TrainerState
from darkgnn_core.training import checkpoints
from darkgnn_core.training.checkpoints import Checkpoint, read_checkpoint, write_checkpoint

FILES = ("facts.json", "manifest.json", "state.safetensors")


def after(units: int, **arrays: np.ndarray) -> Checkpoint:
    """Return a checkpoint after some units."""
    state = TrainerState(arrays or {"weights": np.arange(50.0)}, {"steps": units * 3})
    names = tuple(f"2021-12-{day:02}" for day in range(1, units + 1))
    return Checkpoint(names, state, "abc", {"2021-12-01": "x"}, seconds=1.5, peak_bytes=7)


def units_kept(folder: Path) -> int:
    """Return after how many units the last checkpoint is."""
    found = read_checkpoint(folder)
    return 0 if found is None else len(found.units)


ARRAYS = st.dictionaries(
    st.sampled_from(["w", "gru.bias", "moments/1"]),
    drawn.arrays(
        st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_]),
        drawn.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    ),
)


@settings(max_examples=40, deadline=None)
@given(arrays=ARRAYS)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, arrays) -> None:
    """Arrays of every shape and kind, NaN bits included, and facts come back as they were."""
    folder = tmp_path_factory.mktemp("checkpoint")
    written = Checkpoint(("a",), TrainerState(arrays, {"n": [1, None]}), "abc", lines=({"x": 1},))
    write_checkpoint(folder, written)
    found = read_checkpoint(folder)
    assert found is not None
    assert (found.units, found.lines, found.state.facts) == (("a",), ({"x": 1},), {"n": [1, None]})
    assert set(found.state.arrays) == set(arrays)
    for name, array in arrays.items():
        kept = found.state.arrays[name]
        assert (kept.dtype, kept.shape) == (array.dtype, array.shape)
        assert kept.tobytes() == array.tobytes()


def test_an_array_that_lies_in_pieces_keeps_its_values(tmp_path: Path) -> None:
    """A transposed array, whose memory is in another order, comes back with the same values."""
    array = np.arange(12).reshape(3, 4).T
    write_checkpoint(tmp_path, after(1, weights=array))
    found = read_checkpoint(tmp_path)
    assert found is not None
    assert found.state.arrays["weights"].tolist() == array.tolist()


def test_there_is_none_at_first(tmp_path: Path) -> None:
    """A folder that is not there, or empty, has no checkpoint."""
    assert read_checkpoint(tmp_path / "absent") is None
    assert read_checkpoint(tmp_path) is None


def test_a_new_one_takes_the_place_of_the_old(tmp_path: Path) -> None:
    """After the tenth only the tenth is there: 10 comes after 9, not after 1."""
    for units in (1, 9, 10):
        write_checkpoint(tmp_path, after(units))
    assert [path.name for path in tmp_path.iterdir()] == ["10"]
    assert units_kept(tmp_path) == 10


def test_of_two_the_later_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill between writing the new one and removing the old leaves both: the new one is read."""
    write_checkpoint(tmp_path, after(1))
    monkeypatch.setattr(checkpoints, "drop_earlier", lambda _: None)
    write_checkpoint(tmp_path, after(2))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2"]
    assert units_kept(tmp_path) == 2


@pytest.mark.parametrize("name", FILES)
def test_a_changed_bit_is_refused_by_name(tmp_path: Path, name: str) -> None:
    """Whichever bit of whichever file is flipped, the checkpoint is refused and named."""
    write_checkpoint(tmp_path, after(3))
    path = tmp_path / "3" / name
    good = path.read_bytes()
    chance = random.Random(1)
    for _ in range(60):
        bad = bytearray(good)
        bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
        path.write_bytes(bad)
        with pytest.raises(RunError, match="checkpoint after 3 units") as refused:
            read_checkpoint(tmp_path)
        assert refused.value.code == "DAMAGED"
    path.write_bytes(good)
    assert units_kept(tmp_path) == 3


@pytest.mark.parametrize("name", FILES)
def test_a_missing_or_cut_file_is_refused(tmp_path: Path, name: str) -> None:
    """Half a file, none, and one too many are refused."""
    write_checkpoint(tmp_path, after(1))
    path = tmp_path / "1" / name
    good = path.read_bytes()
    path.write_bytes(good[: len(good) // 2])
    with pytest.raises(RunError, match="cannot be used"):
        read_checkpoint(tmp_path)
    path.unlink()
    with pytest.raises(RunError, match="cannot be used"):
        read_checkpoint(tmp_path)
    path.write_bytes(good)
    (path.parent / "extra").write_bytes(b"x")
    with pytest.raises(RunError, match="is extra"):
        read_checkpoint(tmp_path)


def test_a_full_disk_leaves_the_last_good_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fills while arrays are written: told as such, the one before stays, nothing half."""

    def full(*_: object) -> None:
        text = "Error while serializing: I/O error: No space left on device (os error 28)"
        raise SafetensorError(text)

    write_checkpoint(tmp_path, after(1))
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "save_file", full)
        with pytest.raises(WorkspaceError) as refused:
            write_checkpoint(tmp_path, after(2))
    assert refused.value.code == "DISK-FULL"
    assert [path.name for path in tmp_path.iterdir()] == ["1"]
    assert units_kept(tmp_path) == 1
    write_checkpoint(tmp_path, after(2))
    assert units_kept(tmp_path) == 2


@pytest.mark.parametrize("call", ["fsync", "rename", "replace", "mkdir"])
def test_an_error_at_any_call_leaves_a_good_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Whichever of its calls on the disk fails, the first to the last, a good one is there."""
    failures = 0
    for position in range(50):
        folder = tmp_path / str(position)
        write_checkpoint(folder, after(1))
        with monkeypatch.context() as patch:
            patch.setattr(os, call, failing_at(position, getattr(os, call)))
            error = error_of(lambda to=folder: write_checkpoint(to, after(2)))
        if error is None:
            break
        failures += 1
        assert error.code == "DISK-ERROR"
        assert units_kept(folder) in (1, 2)
        assert not list(folder.glob(".partial-*"))
    assert failures >= 1, f"{call} is never called"
    assert units_kept(folder) == 2


def failing_at(position: int, real: Callable[..., object]) -> Callable[..., object]:
    """Return a call that fails at its turn, counted from 0, and else does what it should."""
    left = [position]

    def call(*arguments: object, **named: object) -> object:
        left[0] -= 1
        if left[0] == -1:
            raise OSError(errno.EIO, "Input/output error")
        return real(*arguments, **named)

    return call


def error_of(do: Callable[[], None]) -> DarkgnnError | None:
    """Return the error that a call ends in, None where it ends well."""
    try:
        do()
    except DarkgnnError as error:
        return error
    return None


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits are POSIX")
def test_what_the_system_says_of_a_write_is_kept(tmp_path: Path) -> None:
    """Safetensors tells the system's error in words only: the number comes back out of them."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        with pytest.raises(OSError, match="too large") as refused:
            checkpoints._write_arrays(tmp_path / "x", TrainerState({"w": np.zeros(1000)}, {}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert refused.value.errno == errno.EFBIG
