"""The process that reads one trace: confined, told what to do on stdin, telling on stdout.

Run as `python -m darkgnn_core.traces.child`. It reads one JSON request, confines itself, and only
then imports the readers and opens the bytes. It answers in JSON lines: `progress` a few times a
second, then `done` with the report, or `error` with a code and a message for the analyst.
"""

import errno
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from darkgnn_core.traces.limits import confine, spare_pandas

PROGRESS_S = 0.2
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


def main() -> int:
    """Serve the one request on stdin; exit 0 when an answer was given."""
    request = json.loads(sys.stdin.readline())
    confine(int(request["bytes"]))
    spare_pandas()
    from darkgnn_core.errors import DarkgnnError

    try:
        _answer("done", _read_trace(request))
    except DarkgnnError as error:
        _answer("error", {"code": error.code, "message": str(error)})
    except MemoryError:
        message = f"{request['name']}: reading it takes more memory than one trace may use."
        _answer("error", {"code": "LIMIT", "message": message})
    except OSError as error:
        if error.errno not in (*DISK_FULL, errno.EMFILE):
            raise
        code = "LONG-SPAN" if error.errno == errno.EMFILE else "DISK-FULL"
        _answer("error", {"code": code, "message": _too_many_days(request["name"])})
    return 0


def _too_many_days(name: str) -> str:
    return (
        f"{name}: its packets lie on more days than files may be open at once here. Split it, or "
        "raise the limit (ulimit -n)."
    )


def _read_trace(request: dict[str, Any]) -> dict[str, Any]:
    from darkgnn_core.traces.formats import detect, format_named
    from darkgnn_core.traces.opening import ByteSource
    from darkgnn_core.traces.reading import Tally, options_from_dict
    from darkgnn_core.traces.storing import DayWriter

    raw = os.fdopen(request["fd"], "rb", buffering=0) if "fd" in request else None
    with raw or Path(request["path"]).open("rb", buffering=0) as handle:
        source = ByteSource(handle, request["name"], size=request["bytes"])
        chosen = request["format"]
        trace_format = format_named(chosen) if chosen else detect(source)
        options = options_from_dict(request["options"])
        tally = Tally()
        told = time.monotonic()
        with DayWriter(Path(request["directory"]), max_days=options.max_days) as writer:
            for batch in trace_format.read(source, options, tally):
                writer.write(batch)
                if time.monotonic() - told > PROGRESS_S:
                    told = time.monotonic()
                    _answer("progress", {"packets": tally.packets, "position": source.position})
    if source.trouble:
        tally.notes[source.trouble] = max(1, tally.notes[source.trouble])
    return vars(tally) | {  # not asdict: Python 3.11's spoils a Counter
        "format": trace_format.name,
        "days": writer.packets,
        "first_ns": writer.first_ns,
        "last_ns": writer.last_ns,
    }


def _answer(kind: str, value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"kind": kind} | value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
