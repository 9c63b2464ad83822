"""Where a result came from: the code, the libraries, the interpreter and the machine."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

import darkgnn_core

LIBRARIES = (
    "torch",
    "torch-geometric",
    "numpy",
    "scipy",
    "scikit-learn",
    "gensim",
    "pyarrow",
    "safetensors",
)
ROOT = Path(__file__).resolve().parents[1]
CPUINFO = Path("/proc/cpuinfo")


def environment() -> dict[str, Any]:
    """Return what made a result, but for data and settings, as JSON can hold it.

    Returns:
        `code` (version, and commit where the sources are a checkout), `libraries` by name,
        `python`, `machine` with `processor`, `cores` this process may use and `memory_bytes`.
    """
    return {
        "code": code_version(ROOT),
        "libraries": {name: found for name in LIBRARIES if (found := _version_of(name))},
        "python": platform.python_version(),
        "machine": {
            "processor": _processor(),
            "cores": cores(),
            "memory_bytes": psutil.virtual_memory().total,
        },
    }


def cores() -> int:
    """Return how many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def code_version(root: Path) -> str:
    """Return the version of darkgnn, and the git commit where `root` is a checkout of it.

    Files are read; no program is run. Changes that are not committed do not show.
    """
    commit = _commit(root / ".git")
    known = darkgnn_core.__version__
    return f"{known}+{commit}" if commit else known


def _commit(git: Path) -> str:
    """Return the commit that a `.git` points at, 40 digits; empty where it cannot be told."""
    try:
        if git.is_file():  # a work tree of its own: `gitdir: PATH`
            git = (git.parent / git.read_text(encoding="utf-8").partition(":")[2].strip()).resolve()
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref: "):
            return head
        shared = git / "commondir"
        common = (git / shared.read_text(encoding="utf-8").strip()) if shared.is_file() else git
        return _resolved(common, head.removeprefix("ref: "))
    except (OSError, UnicodeDecodeError):
        return ""


def _resolved(git: Path, reference: str) -> str:
    loose = git / reference
    if loose.is_file():
        return loose.read_text(encoding="utf-8").strip()
    for line in (git / "packed-refs").read_text(encoding="utf-8").splitlines():
        commit, _, name = line.partition(" ")
        if name == reference:
            return commit
    return ""


def _version_of(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""


def _processor() -> str:
    """Return the processor's name, the plainest the system gives."""
    try:
        for line in CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
