"""Durable writes: old or new, never half; every changed bit is noticed."""

import errno
import os
import stat
from pathlib import Path

import pytest

from darkgnn_core import durable
from darkgnn_core.errors import WorkspaceError


def tree(directory: Path) -> dict[str, bytes]:
    """Return the bytes of every file below a directory."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def make(directory: Path) -> Path:
    """Write a directory of two files with a manifest."""
    final = directory / "thing"
    with durable.new_directory(final) as partial:
        (partial / "a.bin").write_bytes(bytes(range(64)))
        (partial / "b.txt").write_text("hosts", encoding="utf-8")
    return final


def test_write_replaces_in_one_step_and_leaves_no_temporary(tmp_path: Path) -> None:
    """A second write gives the new content and nothing else in the directory."""
    path = tmp_path / "value.json"
    durable.write_json(path, {"n": 1})
    durable.write_json(path, {"n": 2})
    assert tree(tmp_path) == {"value.json": b'{\n "n": 2\n}\n'}


def test_a_writer_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    """An error in the middle of writing keeps the old bytes and removes the temporary file."""
    path = tmp_path / "value.txt"
    durable.write_text(path, "old")

    def fail(temporary: Path) -> None:
        temporary.write_text("half", encoding="utf-8")
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        durable.write_file(path, fail)
    assert tree(tmp_path) == {"value.txt": b"old"}


def test_the_order_is_write_sync_rename_sync_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes are synced before the rename, and the directory after it."""
    steps: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(handle: int) -> None:
        steps.append("sync directory" if stat.S_ISDIR(os.fstat(handle).st_mode) else "sync file")
        real_fsync(handle)

    def replace(self: Path, target: Path) -> Path:
        steps.append("rename")
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    durable.write_text(tmp_path / "x", "y")
    assert steps == ["sync file", "rename", "sync directory"]


@pytest.mark.parametrize("failing", ["write", "fsync", "rename"])
def test_a_full_disk_is_named_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """ENOSPC at any step becomes DISK-FULL, the old file stays, no temporary file remains."""
    path = tmp_path / "value.txt"
    durable.write_text(path, "old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    write = full
    if failing != "write":
        write = lambda temporary: temporary.write_text("new", encoding="utf-8")  # noqa: E731
        owner, name = (os, "fsync") if failing == "fsync" else (Path, "replace")
        monkeypatch.setattr(owner, name, full)
    with pytest.raises(WorkspaceError, match=r"Disk full while writing value\.txt") as caught:
        durable.write_file(path, write)
    monkeypatch.undo()
    assert caught.value.code == "DISK-FULL"
    assert tree(tmp_path) == {"value.txt": b"old"}


def test_a_directory_appears_whole_with_its_manifest(tmp_path: Path) -> None:
    """A finished directory holds its files and a manifest that agrees with them."""
    final = make(tmp_path)
    assert set(tree(final)) == {"a.bin", "b.txt", "manifest.json"}
    durable.check_manifest(final)
    durable.check_file(final / "a.bin")


def test_a_directory_whose_writer_fails_never_appears(tmp_path: Path) -> None:
    """An error inside the block leaves the parent empty."""
    with pytest.raises(RuntimeError), durable.new_directory(tmp_path / "thing") as partial:
        (partial / "a").write_bytes(b"1")
        raise RuntimeError("stop")
    assert tree(tmp_path) == {}


def test_every_flipped_bit_and_every_cut_is_noticed(tmp_path: Path) -> None:
    """Flipping any bit of a file, or cutting it anywhere, makes the check fail by its name."""
    final = make(tmp_path)
    path = final / "a.bin"
    whole = path.read_bytes()
    damaged = [whole[:cut] for cut in range(len(whole))]
    for position in range(len(whole) * 8):
        flipped = bytearray(whole)
        flipped[position // 8] ^= 1 << (position % 8)
        damaged.append(bytes(flipped))
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(WorkspaceError, match=r"thing/a\.bin has changed"):
            durable.check_manifest(final)
        with pytest.raises(WorkspaceError, match=r"thing/a\.bin has changed"):
            durable.check_file(path)


@pytest.mark.parametrize("name", ["a.bin", "manifest.json"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    """Removing a file, or the manifest itself, is told by name."""
    final = make(tmp_path)
    (final / name).unlink()
    with pytest.raises(WorkspaceError, match=f"{name} is missing"):
        durable.check_manifest(final)


def test_an_extra_file_is_named(tmp_path: Path) -> None:
    """A file the manifest does not list is told by name."""
    final = make(tmp_path)
    (final / "extra").write_bytes(b"")
    with pytest.raises(WorkspaceError, match="extra is extra"):
        durable.check_manifest(final)
    with pytest.raises(WorkspaceError, match="extra is missing"):
        durable.check_file(final / "extra")


def test_sweeping_removes_only_what_a_killed_writer_left(tmp_path: Path) -> None:
    """Partial files and directories go, finished ones stay."""
    final = make(tmp_path)
    (tmp_path / f"{durable.TEMPORARY}dead").mkdir()
    (tmp_path / f"{durable.TEMPORARY}dead" / "half.parquet").write_bytes(b"PAR1")
    (final / f"{durable.TEMPORARY}file").write_bytes(b"half")
    assert durable.sweep_partials(tmp_path) == 2
    durable.check_manifest(final)
