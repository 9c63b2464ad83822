"""The memory and disk that a run has taken."""

import re
import sys
from pathlib import Path
from typing import Any

import psutil

STATUS = Path("/proc/self/status")


def peak_bytes() -> int:
    """Return the most resident memory this process has had, in bytes.

    Linux: `VmHWM`. What `getrusage` says there may be the peak of the process that started this
    one. macOS: `getrusage`; Windows: the peak working set.
    """
    try:
        found = re.search(r"^VmHWM:\s+(\d+) kB", STATUS.read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        found = None
    if found is not None:
        return int(found[1]) * 1024
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource  # absent on Windows

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def gpu_peak_bytes() -> int:
    """Return the most memory of the graphics card that torch has taken; 0 where it took none."""
    torch: Any = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return 0
    return int(torch.cuda.max_memory_allocated())


def bytes_below(directory: Path) -> int:
    """Return the bytes of the files below a directory."""
    return sum(_bytes_of(path) for path in directory.rglob("*"))


def _bytes_of(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:  # it went meanwhile: a temporary file, an old checkpoint
        return 0
