"""What a process that reads hostile files may use, set by itself before it opens one."""

import ctypes
import os
import signal
import sys

ADDRESS_SPACE_BYTES = 3 << 30
CPU_FLOOR_S = 600
OUTPUT_FLOOR_BYTES = 4 << 30
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
DAY_FILES = 4096
"""Files open at once: one for each day of a trace; shells often allow 256 or 1,024."""


class _NoPandas:
    """Answers `import pandas` as if it were not installed."""

    def find_spec(self, name: str, *_: object) -> None:
        """Refuse pandas, and leave every other module to the others."""
        if name == "pandas":
            raise ModuleNotFoundError(name=name)


def spare_pandas() -> None:
    """Keep pyarrow from importing pandas, which no reader needs and which takes 0.3 s.

    pyarrow does so at the first array it makes from numpy.
    """
    sys.meta_path.insert(0, _NoPandas())


def confine(input_bytes: int) -> None:
    """Limit this process's memory, time, output and network, as far as the system allows.

    Args:
        input_bytes: Size of the file it will read; time and output grow with it.

    Source:
        Ours (`docs/decisions.md`, hostile files): a bomb or a crash ends this process only.
    """
    os.umask(0o077)
    if sys.platform == "win32":
        return
    import resource

    limits = {
        resource.RLIMIT_AS: ADDRESS_SPACE_BYTES,
        resource.RLIMIT_CPU: CPU_FLOOR_S + input_bytes // 500_000,
        resource.RLIMIT_FSIZE: OUTPUT_FLOOR_BYTES + 20 * input_bytes,
        resource.RLIMIT_CORE: 0,
    }
    for kind, value in limits.items():
        _, hard = resource.getrlimit(kind)
        ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (ceiling, ceiling))
    wanted, hard = DAY_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    ceiling = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (ceiling, hard))
    if sys.platform == "linux":
        kernel = ctypes.CDLL(None)
        kernel.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # no reader outlives who asked for it
        kernel.unshare(CLONE_NEWUSER | CLONE_NEWNET)  # no interface, where the kernel allows it
