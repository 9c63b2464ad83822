"""Checkpoints: what a run needs to go on after a unit, written so that the last good one stays.

`checkpoint/<units done>/` holds `state.safetensors` (plain arrays), `facts.json` and a manifest
with the sha256 of both. A new one is written whole and synced before the old one goes.
"""

import errno
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from darkgnn_core.durable import check_manifest, new_directory
from darkgnn_core.errors import DarkgnnError, RunError
from darkgnn_core.trainers import TrainerState

FORMAT = 1
ARRAYS = "state.safetensors"
FACTS = "facts.json"
OS_ERROR = re.compile(r"\(os error (\d+)\)")


@dataclass(frozen=True)
class Checkpoint:
    """A run after some of its units.

    Attributes:
        units: Names of the finished units, in order.
        state: The trainer's state after the last of them.
        config_hash: Hash of the run's settings.
        data: Hash of each bin the run knew of then, by key.
        embedded: Size and sha256 of each embedding's file, by its name.
        seconds: Wall time of the finished units.
        processor_seconds: What they took of all cores together; 0 in checkpoints from before
            2026-11-23.
        peak_bytes: The most memory the process had, over all attempts.
        lines: What `progress.jsonl` says about the last unit.
    """

    units: tuple[str, ...]
    state: TrainerState
    config_hash: str
    data: Mapping[str, str] = field(default_factory=dict)
    embedded: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    seconds: float = 0.0
    processor_seconds: float = 0.0
    peak_bytes: int = 0
    lines: tuple[dict[str, Any], ...] = ()


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint durably, then remove those before it.

    Args:
        folder: Where the run's checkpoints are; made where it is not there.
        checkpoint: What to keep.

    Raises:
        WorkspaceError: `DISK-FULL`, `DISK-ERROR`; the checkpoint before stays the last one.
    """
    with new_directory(folder / str(len(checkpoint.units))) as partial:
        _write_arrays(partial / ARRAYS, checkpoint.state)
        (partial / FACTS).write_text(json.dumps(_facts_of(checkpoint)), encoding="utf-8")
    drop_earlier(folder)


def drop_earlier(folder: Path) -> None:
    """Remove all checkpoints but the last one, which must be known to be good."""
    for path in _found(folder)[:-1]:
        shutil.rmtree(path, ignore_errors=True)


def read_checkpoint(folder: Path) -> Checkpoint | None:
    """Return the last checkpoint, held against its manifest; None where there is none yet.

    Raises:
        RunError: `DAMAGED`, naming the file that is missing or has changed.
    """
    found = _found(folder)
    if not found:
        return None
    latest = found[-1]
    try:
        check_manifest(latest)
        facts = json.loads((latest / FACTS).read_bytes())
        if facts["format"] != FORMAT:
            raise _unusable(latest, f"it is of format {facts['format']}, this darkgnn knows 1")
        return Checkpoint(
            units=tuple(facts["units"]),
            state=TrainerState(load_file(latest / ARRAYS), facts["trainer"]),
            config_hash=facts["config_hash"],
            data=facts["data"],
            embedded=facts["embedded"],
            seconds=facts["seconds"],
            processor_seconds=facts.get("processor_seconds", 0.0),
            peak_bytes=facts["peak_bytes"],
            lines=tuple(facts["lines"]),
        )
    except RunError:
        raise
    except (DarkgnnError, SafetensorError, ValueError, KeyError, TypeError, OSError) as error:
        raise _unusable(latest, str(error).rstrip(".")) from error


def _unusable(path: Path, why: str) -> RunError:
    return RunError(
        f"The checkpoint after {path.name} units cannot be used: {why}. The embeddings made so far "
        "are kept; restore the checkpoint from a backup, or start the run anew.",
        code="DAMAGED",
    )


def _found(folder: Path) -> list[Path]:
    """Return the checkpoints that are there, the latest last."""
    if not folder.is_dir():
        return []
    return sorted((p for p in folder.iterdir() if p.name.isdigit()), key=lambda p: int(p.name))


def _facts_of(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "units": list(checkpoint.units),
        "config_hash": checkpoint.config_hash,
        "data": dict(checkpoint.data),
        "embedded": dict(checkpoint.embedded),
        "seconds": checkpoint.seconds,
        "processor_seconds": checkpoint.processor_seconds,
        "peak_bytes": checkpoint.peak_bytes,
        "lines": list(checkpoint.lines),
        "trainer": dict(checkpoint.state.facts),
    }


def _write_arrays(path: Path, state: TrainerState) -> None:
    """Write arrays as safetensors, which takes only arrays that lie in one piece.

    Raises:
        OSError: With the system's number, which safetensors tells in its text only.
    """
    arrays = {name: np.asarray(array, order="C") for name, array in state.arrays.items()}
    try:
        save_file(arrays, path)
    except SafetensorError as error:
        number = OS_ERROR.search(str(error))
        raise OSError(int(number[1]) if number else errno.EIO, str(error)) from error
