"""The process that reads traces, and looks at them before they are read (`traces.serving`).

Run as `python -m darkgnn_core.traces.child`. Reading tells `progress` a few times a second.
"""

import sys
import time
from pathlib import Path
from typing import Any

from darkgnn_core.traces.serving import opened, serve, tell

PROGRESS_S = 0.2


def read_trace(request: dict[str, Any]) -> dict[str, Any]:
    """Read a trace into day files; return the report of `parsing.TraceReport`, as far as known."""
    from darkgnn_core.traces.formats import detect, format_named
    from darkgnn_core.traces.opening import ByteSource
    from darkgnn_core.traces.reading import Tally, options_from_dict
    from darkgnn_core.traces.storing import DayWriter

    with opened(request) as handle:
        source = ByteSource(handle, request["name"], size=request["size"])
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
                    tell("progress", {"packets": tally.packets, "position": source.position})
    if source.trouble:
        tally.notes[source.trouble] = max(1, tally.notes[source.trouble])
    return vars(tally) | {  # not asdict: Python 3.11's spoils a Counter
        "format": trace_format.name,
        "days": writer.packets,
        "first_ns": writer.first_ns,
        "last_ns": writer.last_ns,
    }


def look_at_trace(request: dict[str, Any]) -> dict[str, Any]:
    """Look at the start of a trace; return fields of `previewing.Preview`."""
    from darkgnn_core.traces.looking import look

    return look(request)


if __name__ == "__main__":
    sys.exit(serve({"read": read_trace, "look": look_at_trace}))
