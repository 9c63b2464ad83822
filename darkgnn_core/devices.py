"""What a run may compute on, as a child process finds it: no torch here."""

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import psutil

from darkgnn_core.errors import RunError
from darkgnn_core.job_processes import PATIENT_THREADS
from darkgnn_core.run_config import NETWORKS

ON_TORCH = (*NETWORKS, "random-gcn", "random-gcn-gru", "autoencoder")
"""Methods that a graphics card can take; the others always run on the processor."""
MEASURE_S = 120.0
"""The longest that a child process may take to answer."""

_LOOKING = threading.Lock()


@dataclass(frozen=True)
class Device:
    """Where a run may compute.

    Attributes:
        name: `cpu`, `cuda:0`, ... or `mps`.
        label: What it is, for people.
        memory_bytes: All the memory it has.
    """

    name: str
    label: str
    memory_bytes: int


def devices() -> tuple[Device, ...]:
    """Return the devices a run may compute on, the processor first; found once a process.

    A child process asks torch, which takes seconds; who asks meanwhile waits for the same answer.
    Where it cannot, there is the processor.
    """
    with _LOOKING:
        return _devices()


@lru_cache(maxsize=1)
def _devices() -> tuple[Device, ...]:
    try:
        found = ask_child("devices", {})
        return tuple(Device(**each) for each in found)
    except RunError:
        memory = psutil.virtual_memory().total
        return (Device("cpu", f"processor, {psutil.cpu_count() or 1} cores", memory),)


def choose_device(wanted: str, method: str) -> str:
    """Return the device that a method computes on.

    Args:
        wanted: `auto` (cuda, else mps, else cpu), `cpu`, `cuda` (the first), `cuda:1`, `mps`.
        method: One of `run_config.METHODS`; those without torch take the processor under `auto`.

    Raises:
        RunError: `NO-DEVICE`, naming the devices there are.
    """
    if wanted == "cpu" or (wanted == "auto" and method not in ON_TORCH):
        return "cpu"
    there = [each.name for each in devices()]
    if wanted == "auto":
        return next((each for each in there if each != "cpu"), "cpu")
    name = "cuda:0" if wanted == "cuda" else wanted
    if name not in there or method not in ON_TORCH:
        why = "" if method in ON_TORCH else f" {method} runs on the processor only."
        raise RunError(
            f"There is no device {wanted!r} for it; there are {', '.join(there)}.{why}",
            code="NO-DEVICE",
        )
    return name


def ask_child(what: str, request: dict[str, Any]) -> Any:
    """Return what `training/measuring.py` answers in a process of its own.

    Raises:
        RunError: `NO-MEASURE` where it ends badly, or takes too long.
    """
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "darkgnn_core.training.measuring", what],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=MEASURE_S,
            check=True,
            env=PATIENT_THREADS | os.environ,
            cwd=Path(__file__).resolve().parents[1],
        )
        return json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        raise RunError(f"Nothing could be measured: {error}", code="NO-MEASURE") from error
