"""The process that looks at the start of one trace; confined like the one that reads it.

Run as `python -m darkgnn_core.traces.preview_child`: one JSON request on stdin, one JSON answer on
stdout, the fields of `previewing.Preview`.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from darkgnn_core.traces.limits import confine, spare_pandas

ROWS = 12
TEXT_LIMIT = 200
LOOK_S = 1.5


def main() -> int:
    """Serve the one request on stdin."""
    request = json.loads(sys.stdin.readline())
    confine(int(request["bytes"]))
    spare_pandas()
    from darkgnn_core.errors import DarkgnnError

    answer: dict[str, Any] = {}
    try:
        _look(request, answer)
    except DarkgnnError as error:
        answer |= {"code": error.code, "message": str(error)}
    except MemoryError:
        answer |= {"code": "LIMIT", "message": "Looking at it takes more memory than allowed."}
    sys.stdout.write(json.dumps(answer, default=str))
    return 0


def _look(request: dict[str, Any], answer: dict[str, Any]) -> None:
    """Fill the answer step by step, so that what was learned before an error stays in it."""
    from darkgnn_core.traces.formats import detect, format_named
    from darkgnn_core.traces.opening import ByteSource
    from darkgnn_core.traces.reading import Tally, options_from_dict

    raw = os.fdopen(request["fd"], "rb", buffering=0) if "fd" in request else None
    with raw or Path(request["path"]).open("rb", buffering=0) as handle:
        source = ByteSource(handle, request["name"])
        chosen = request["format"]
        trace_format = format_named(chosen) if chosen else detect(source)
        answer |= {"format": trace_format.name, "title": trace_format.title}
        answer["compression"] = source.compression
        _look_at_text(source, trace_format.name, answer)
        tally = Tally()
        started = time.perf_counter()
        batches = trace_format.read(source, options_from_dict(request["options"]), tally)
        first = None
        for batch in batches:  # for a while: readers take bytes ahead, which short looks overrate
            first = first if first is not None or not batch.num_rows else batch
            seconds = time.perf_counter() - started
            if first is not None and seconds > LOOK_S:
                break
        seconds = time.perf_counter() - started
        answer["facts"] = tally.facts
        answer |= {"read": tally.read, "kept": tally.kept, "skipped": dict(tally.skipped)}
        answer |= {"taken_bytes": source.position, "seconds": seconds, "packets": tally.packets}
        if first is not None:
            answer["rows"] = first.slice(0, ROWS).to_pylist()


def _look_at_text(source: Any, format_name: str, answer: dict[str, Any]) -> None:
    """Add the first lines of a text, and for a table its columns with sample values."""
    from darkgnn_core.traces.delimited import data_lines, guess_from_head
    from darkgnn_core.traces.formats import is_binary
    from darkgnn_core.traces.mapping import to_dict
    from darkgnn_core.traces.opening import HEAD_BYTES
    from darkgnn_core.traces.tables import DELIMITERS, head_lines, split_line

    head = source.peek(HEAD_BYTES)
    if is_binary(head):
        return
    answer["lines"] = [line[:TEXT_LIMIT] for line in head_lines(head, count=ROWS)]
    if format_name != "delimited":
        return
    delimiter, guessed = guess_from_head(head)
    lines = data_lines(head)[: ROWS + 1]
    cut = [split_line(line, delimiter) for line in lines]
    if not guessed.columns:
        cut = [max((split_line(line, d) for d in DELIMITERS), key=len) for line in lines]
    header = cut[0] if cut else []
    answer["columns"] = header
    answer["samples"] = [
        next((row[i][:TEXT_LIMIT] for row in cut[1:] if len(row) > i and row[i]), "")
        for i in range(len(header))
    ]
    answer["mapping"] = to_dict(guessed)


if __name__ == "__main__":
    sys.exit(main())
