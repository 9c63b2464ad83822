"""A look at the start of one trace, inside the confined process (`traces.child`)."""

import time
from typing import Any

from darkgnn_core.errors import DarkgnnError
from darkgnn_core.traces.delimited import data_lines, guess_from_head
from darkgnn_core.traces.formats import detect, format_named, is_binary
from darkgnn_core.traces.jsonl import sample as sample_of_objects
from darkgnn_core.traces.mapping import guess, to_dict
from darkgnn_core.traces.opening import HEAD_BYTES, ByteSource
from darkgnn_core.traces.parquet import is_packet_table, open_table
from darkgnn_core.traces.parquet import sample as sample_of_table
from darkgnn_core.traces.reading import ColumnMapping, Tally, options_from_dict
from darkgnn_core.traces.serving import opened
from darkgnn_core.traces.tables import DELIMITERS, head_lines, split_line

ROWS = 12
TEXT_LIMIT = 200
LOOK_S = 1.5
MAX_COLUMNS = 512

Table = tuple[list[str], list[list[str]], ColumnMapping]


def look(request: dict[str, Any]) -> dict[str, Any]:
    """Return fields of `previewing.Preview`; what was learned before an error stays in them."""
    answer: dict[str, Any] = {}
    try:
        with opened(request) as handle:
            _look(ByteSource(handle, request["name"]), request, answer)
    except DarkgnnError as error:
        answer |= {"code": error.code, "message": str(error)}
    except MemoryError:
        answer |= {"code": "LIMIT", "message": "Looking at it takes more memory than allowed."}
    return answer


def _look(source: ByteSource, request: dict[str, Any], answer: dict[str, Any]) -> None:
    """Fill the answer step by step."""
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


def _look_at_text(source: ByteSource, answer: dict[str, Any]) -> None:
    """Add the first lines of a text."""
    head = source.peek(HEAD_BYTES)
    if not is_binary(head):
        answer["lines"] = [line[:TEXT_LIMIT] for line in head_lines(head, count=ROWS)]


def _look_at_columns(
    answer: dict[str, Any], header: list[str], rows: list[list[str]], guessed: ColumnMapping
) -> None:
    """Add the columns of a table with one value of each, and the mapping they suggest."""
    answer["columns"] = header
    answer["samples"] = [
        next((row[i][:TEXT_LIMIT] for row in rows if len(row) > i and row[i]), "")
        for i in range(len(header))
    ]
    answer["mapping"] = to_dict(guessed)


def _delimited_table(source: ByteSource) -> Table:
    head = source.peek(HEAD_BYTES)
    delimiter, guessed = guess_from_head(head)
    lines = data_lines(head)[: ROWS + 1]
    cut = [split_line(line, delimiter) for line in lines]
    if not guessed.columns:
        cut = [max((split_line(line, d) for d in DELIMITERS), key=len) for line in lines]
    return (cut[0] if cut else []), cut[1:], guessed


def _jsonl_table(source: ByteSource) -> Table:
    header, rows = sample_of_objects(source.peek(HEAD_BYTES))
    return header[:MAX_COLUMNS], rows, guess(header[:MAX_COLUMNS], rows)


def _parquet_table(source: ByteSource) -> Table:
    """Return nothing for packets in our own schema: no mapping can be chosen for those."""
    table = open_table(source)
    if is_packet_table(table.schema_arrow):
        return [], [], ColumnMapping(())
    header, rows = sample_of_table(table, count=ROWS)
    return header[:MAX_COLUMNS], rows, guess(header[:MAX_COLUMNS], rows)


_TABLES = {"delimited": _delimited_table, "jsonl": _jsonl_table, "parquet": _parquet_table}
