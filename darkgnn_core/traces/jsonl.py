"""JSON lines: one object a line; keys inside objects are joined with full stops."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from darkgnn_core.errors import TraceError
from darkgnn_core.traces import mapping as mappings
from darkgnn_core.traces.assembling import Assembler
from darkgnn_core.traces.lines import FIELD_BYTES, Block, refuse_utf16, text_blocks
from darkgnn_core.traces.opening import HEAD_BYTES, ByteSource
from darkgnn_core.traces.reading import ColumnMapping, Format, ReadOptions, Tally
from darkgnn_core.traces.tables import check_column_count, head_lines, listed
from darkgnn_core.traces.times import check_timezone
from darkgnn_core.traces.values import NULLS

MAX_DEPTH = 8
_NULLS = frozenset(NULLS)


def sniff(head: bytes) -> bool:
    """Say whether the first line is a JSON object."""
    first = next(head_lines(head, count=1), "")
    return first.lstrip().startswith("{") and object_of(first) is not None


def object_of(line: str) -> dict[str, Any] | None:
    """Return the object of a line, its numbers as they are written; None where it is none."""
    if not line.startswith(("{", " ", "\t")):
        return None
    try:
        value = json.loads(line, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def flat(value: dict[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """Return an object's values by dotted key.

    >>> flat({"src": {"ip": "192.0.2.1"}, "ttl": "64"})
    {'src.ip': '192.0.2.1', 'ttl': '64'}
    """
    found: dict[str, Any] = {}
    for key, inner in value.items():
        if isinstance(inner, dict) and depth < MAX_DEPTH:
            found |= flat(inner, f"{prefix}{key}.", depth + 1)
        else:
            found[f"{prefix}{key}"] = inner
    return found


def text_of(value: Any) -> str | None:
    """Return a JSON value as the text that a table would hold, None where it is absent."""
    if value is None or isinstance(value, str):
        return None if value in _NULLS else value
    if isinstance(value, bool):
        return "true" if value else "false"
    return "not a plain value"  # a list or an object: bad wherever it is asked for


def value_at(row: dict[str, Any], key: str) -> Any:
    """Return what stands at a dotted key, or None; a key that holds the stops itself goes first."""
    if key in row or "." not in key:
        return row.get(key)
    first, _, rest = key.partition(".")
    while rest:
        inner = row.get(first)
        if isinstance(inner, dict):
            return value_at(inner, rest)
        more, _, rest = rest.partition(".")
        first = f"{first}.{more}"
    return None


def objects(block: Block, tally: Tally, *, where: str) -> list[dict[str, Any]]:
    """Return the objects of a block's lines; other lines are skipped as `not_json`.

    Raises:
        TraceError: `LIMIT` for a value longer than 64 KiB.
    """
    rows = []
    for line in block.data.decode("utf-8").split("\n")[:-1]:
        row = object_of(line)
        if row is None:
            tally.skip("not_json")
            continue
        if len(line) > FIELD_BYTES and _longest(row) > FIELD_BYTES:
            raise TraceError(
                f"{where}: a value is longer than {FIELD_BYTES:,} bytes. Traces have no such "
                "values.",
                code="LIMIT",
            )
        rows.append(row)
    return rows


def _longest(row: dict[str, Any]) -> int:
    return max((len(v) for v in flat(row).values() if isinstance(v, str)), default=0)


def columns_at(
    rows: Sequence[dict[str, Any]], fields: Sequence[tuple[str, str]]
) -> dict[str, pa.Array]:
    """Return the values at each field's key as columns of strings (`ts` for `ts_ns`)."""
    return {"ts" if field == "ts_ns" else field: _column(rows, key) for field, key in fields}


def _column(rows: Sequence[dict[str, Any]], key: str) -> pa.Array:
    values = [row.get(key) for row in rows]
    if "." in key:
        values = [value_at(row, key) for row in rows]
    try:
        texts = pa.array(values, pa.string())
    except pa.ArrowException:  # a mark, a list or an object among them
        return pa.array([text_of(value) for value in values], pa.string())
    absent = pc.is_in(texts, pa.array(NULLS))
    return pc.if_else(absent, pa.scalar(None, pa.string()), texts)


def sample(head: bytes) -> tuple[list[str], list[list[str]]]:
    """Return the dotted keys of the first objects, and their values as text."""
    flats = [flat(row) for row in map(object_of, head_lines(head)) if row is not None]
    header = list(dict.fromkeys(key for row in flats for key in row))
    return header, [[text_of(row.get(key)) or "" for key in header] for row in flats]


def _mapping_of(source: ByteSource, options: ReadOptions) -> ColumnMapping:
    head = source.peek(HEAD_BYTES)
    refuse_utf16(head, source.name)
    if options.mapping is not None:
        return mappings.check(options.mapping)
    header, rows = sample(head)
    check_column_count(len(header), source.name)
    mapping = mappings.guess(header, rows)
    advice = "Say which keys hold them (a column mapping)."
    mappings.require_columns(mapping, source.name, found=listed(header), advice=advice)
    return mapping


def read(source: ByteSource, options: ReadOptions, tally: Tally) -> Iterator[pa.RecordBatch]:
    """Yield the packets of JSON lines; see `traces.reading.Format`.

    Raises:
        TraceError: `COLUMNS`, `LIMIT`, `ENCODING`, `TIMEZONE`, `TIMES-MIXED`, `MAPPING`,
            `SENSORS`, `NO-ROWS`.
    """
    mapping = _mapping_of(source, options)
    tally.facts["mapping"] = mappings.to_dict(mapping)
    if options.timezone is not None:
        check_timezone(options.timezone)
    assembler = Assembler(source.name, mapping.time_unit, options, tally)
    for block in text_blocks(source, tally):
        rows = objects(block, tally, where=source.name)
        if rows:
            yield from assembler.batches(columns_at(rows, mapping.columns), len(rows))
    if tally.read == 0:
        raise TraceError(f"{source.name}: there are no rows in it.", code="NO-ROWS")


JSONL = Format("jsonl", "JSON lines", sniff, read)
