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
MAX_COLUMNS = 512


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
        _look_at_text(source, answer)
        if trace_format.name in _TABLES:
            _look_at_columns(answer, *_TABLES[trace_format.name](source))
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
        answer |= {"read": tally.read, "kept": tally.kept}
        answer |= {"skipped": dict(tally.skipped), "notes": dict(tally.notes)}
        answer |= {"taken_bytes": source.position, "seconds": seconds, "packets": tally.packets}
        if first is not None:
            answer["rows"] = first.slice(0, ROWS).to_pylist()


def _look_at_text(source: Any, answer: dict[str, Any]) -> None:
    """Add the first lines of a text."""
    from darkgnn_core.traces.formats import is_binary
    from darkgnn_core.traces.opening import HEAD_BYTES
    from darkgnn_core.traces.tables import head_lines

    head = source.peek(HEAD_BYTES)
    if not is_binary(head):
        answer["lines"] = [line[:TEXT_LIMIT] for line in head_lines(head, count=ROWS)]


def _look_at_columns(
    answer: dict[str, Any], header: list[str], rows: list[list[str]], guessed: Any
) -> None:
    """Add the columns of a table with one value of each, and the mapping they suggest."""
    from darkgnn_core.traces.mapping import to_dict

    answer["columns"] = header
    answer["samples"] = [
        next((row[i][:TEXT_LIMIT] for row in rows if len(row) > i and row[i]), "")
        for i in range(len(header))
    ]
    answer["mapping"] = to_dict(guessed)


def _delimited_table(source: Any) -> tuple[list[str], list[list[str]], Any]:
    from darkgnn_core.traces.delimited import data_lines, guess_from_head
    from darkgnn_core.traces.opening import HEAD_BYTES
    from darkgnn_core.traces.tables import DELIMITERS, split_line

    head = source.peek(HEAD_BYTES)
    delimiter, guessed = guess_from_head(head)
    lines = data_lines(head)[: ROWS + 1]
    cut = [split_line(line, delimiter) for line in lines]
    if not guessed.columns:
        cut = [max((split_line(line, d) for d in DELIMITERS), key=len) for line in lines]
    return (cut[0] if cut else []), cut[1:], guessed


def _jsonl_table(source: Any) -> tuple[list[str], list[list[str]], Any]:
    from darkgnn_core.traces.jsonl import sample
    from darkgnn_core.traces.mapping import guess
    from darkgnn_core.traces.opening import HEAD_BYTES

    header, rows = sample(source.peek(HEAD_BYTES))
    return header[:MAX_COLUMNS], rows, guess(header[:MAX_COLUMNS], rows)


def _parquet_table(source: Any) -> tuple[list[str], list[list[str]], Any]:
    """Return nothing for packets in our own schema: no mapping can be chosen for those."""
    from darkgnn_core.traces.mapping import guess
    from darkgnn_core.traces.parquet import is_packet_table, open_table, sample
    from darkgnn_core.traces.reading import ColumnMapping

    table = open_table(source)
    if is_packet_table(table.schema_arrow):
        return [], [], ColumnMapping(())
    header, rows = sample(table, count=ROWS)
    return header[:MAX_COLUMNS], rows, guess(header[:MAX_COLUMNS], rows)


_TABLES = {"delimited": _delimited_table, "jsonl": _jsonl_table, "parquet": _parquet_table}


if __name__ == "__main__":
    sys.exit(main())
