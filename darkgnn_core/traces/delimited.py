"""Comma, semicolon, tab, bar or space separated text with a header, mapped to packets."""

import re
from collections.abc import Iterator

import pyarrow as pa

from darkgnn_core.errors import TraceError
from darkgnn_core.traces import mapping as mappings
from darkgnn_core.traces.assembling import Assembler
from darkgnn_core.traces.lines import FIELD_BYTES, Block, count_lines, refuse_utf16, text_blocks
from darkgnn_core.traces.opening import HEAD_BYTES, ByteSource
from darkgnn_core.traces.reading import ColumnMapping, Format, ReadOptions, Tally
from darkgnn_core.traces.tables import (
    DELIMITERS,
    Layout,
    check_column_count,
    head_lines,
    layout_of,
    listed,
    read_columns,
    split_line,
)
from darkgnn_core.traces.times import DECIMALS, check_timezone

MOSTLY = 0.8
_FIELD_CHARACTERS = re.compile(r"[A-Za-z]")


def sniff(head: bytes) -> bool:
    """Say whether the first lines are a table: alike in their number of fields, at least two."""
    lines = data_lines(head)
    if not lines:
        return False
    return any(_alike(lines[:20], delimiter) for delimiter in ",;\t|") or (
        len(guess_from_head(head)[1].columns) >= 2
    )


def _alike(lines: list[str], delimiter: str) -> bool:
    counts = [len(split_line(line, delimiter)) for line in lines]
    same = sum(count == counts[0] for count in counts)
    return counts[0] >= 2 and same >= MOSTLY * len(counts) and (len(counts) > 1 or counts[0] >= 3)


def data_lines(head: bytes) -> list[str]:
    """Return the first lines of a text without the comment lines before the header."""
    lines = list(head_lines(head))
    while lines and lines[0].lstrip().startswith("#"):
        lines.pop(0)
    return lines


def guess_from_head(head: bytes) -> tuple[str, ColumnMapping]:
    """Return the delimiter and the mapping that explain most columns of a text."""
    lines = data_lines(head)
    if not lines:
        return ",", ColumnMapping(())
    found = []
    for delimiter in DELIMITERS:
        header = split_line(lines[0], delimiter)
        rows = [split_line(line, delimiter) for line in lines[1:]]
        found.append((delimiter, mappings.guess(header[:512], rows)))
    return max(found, key=lambda pair: len(pair[1].columns))


def layout_from_head(source: ByteSource, options: ReadOptions) -> tuple[Layout, ColumnMapping, str]:
    """Find how a file is cut into columns and what they mean.

    Returns:
        The layout, the mapping in use, and the header line as it stands in the file.

    Raises:
        TraceError: `EMPTY` without any line; `NO-ROWS` with nothing but comments; `COLUMNS` where
            the needed columns are not found; `LIMIT`; `MAPPING`.
    """
    head = source.peek(HEAD_BYTES)
    refuse_utf16(head, source.name)
    if not head.strip():
        raise TraceError(f"{source.name}: the file is empty.", code="EMPTY")
    lines = data_lines(head)
    if not lines:
        raise TraceError(f"{source.name}: there are only comments in it.", code="NO-ROWS")
    check_column_count(max(lines[0].count(d) for d in ",;\t|") + 1, source.name)
    if len(lines[0]) >= FIELD_BYTES - 4:
        raise TraceError(
            f"{source.name}: the first line is longer than {FIELD_BYTES:,} bytes. Is it a trace?",
            code="LIMIT",
        )
    if options.mapping is not None:
        mapping = mappings.check(options.mapping)
        delimiter = _delimiter_for(lines[0], mapping, source.name)
    else:
        delimiter, mapping = guess_from_head(head)
        _check_found(lines[0], delimiter, mapping, source.name)
    header = split_line(lines[0], delimiter)
    return layout_of(header, delimiter, mapping, where=source.name), mapping, lines[0]


def _delimiter_for(header_line: str, mapping: ColumnMapping, where: str) -> str:
    wanted = {name for _, name in mapping.columns}
    for delimiter in DELIMITERS:
        if wanted <= set(split_line(header_line, delimiter)):
            return delimiter
    best = max(DELIMITERS, key=lambda d: len(split_line(header_line, d)))
    found = split_line(header_line, best)
    raise TraceError(
        f"{where}: COLUMNS: expected {listed(sorted(wanted))}; found {listed(found)} "
        f"({DELIMITERS[best]} separated). Choose the columns again.",
        code="COLUMNS",
    )


def _check_found(header_line: str, delimiter: str, mapping: ColumnMapping, where: str) -> None:
    if not mappings.missing_columns(mapping):
        return
    best = max(DELIMITERS, key=lambda d: len(split_line(header_line, d)))
    delimiter = delimiter if mapping.columns else best
    found = split_line(header_line, delimiter)
    check_column_count(len(found), where)
    advice = "Say which columns hold them (a column mapping)."
    if not _FIELD_CHARACTERS.search(header_line):
        advice = "The first line looks like data: put a line with the names of the columns first."
    elif len(found) == 1:
        advice = "Separate the columns with a comma, semicolon, tab or bar."
    listing = f"{listed(found)} ({DELIMITERS[delimiter]} separated)"
    mappings.require_columns(mapping, where, found=listing, advice=advice)


def read(source: ByteSource, options: ReadOptions, tally: Tally) -> Iterator[pa.RecordBatch]:
    """Yield the packets of a delimited file; see `traces.reading.Format`.

    Raises:
        TraceError: `COLUMNS`, `EMPTY`, `NO-ROWS`, `LIMIT`, `ENCODING`, `TIMEZONE`, `TIMES-MIXED`,
            `MAPPING`, `SENSORS`.
    """
    layout, mapping, header_line = layout_from_head(source, options)
    yield from read_table(source, options, tally, layout, mapping, header_line)


def read_table(
    source: ByteSource,
    options: ReadOptions,
    tally: Tally,
    layout: Layout,
    mapping: ColumnMapping,
    header_line: str,
) -> Iterator[pa.RecordBatch]:
    """Yield the packets of a file whose layout is known."""
    tell_facts(tally, layout, mapping, options)
    assembler = Assembler(source.name, mapping.time_unit, options, tally)
    for block in body_blocks(source, tally, header_line):
        columns, rows = read_columns(block, layout, tally, where=source.name)
        if rows:
            yield from assembler.batches(columns, rows)
    refuse_no_rows(tally, source.name)


def refuse_no_rows(tally: Tally, name: str) -> None:
    """Raise `TraceError` `NO-ROWS` where nothing was read."""
    if tally.read == 0:
        raise TraceError(f"{name}: there are no rows after the header.", code="NO-ROWS")


def tell_facts(tally: Tally, layout: Layout, mapping: ColumnMapping, options: ReadOptions) -> None:
    """Put into the tally's facts how the file is read."""
    used = {name for _, name in mapping.columns}
    tally.facts["mapping"] = mappings.to_dict(mapping)
    tally.facts["delimiter"] = DELIMITERS[layout.delimiter]
    tally.facts["ignored_columns"] = [name for name in layout.header if name not in used]
    if options.timezone is not None and mapping.time_unit not in DECIMALS:
        check_timezone(options.timezone)
        tally.facts["timezone"] = options.timezone


def body_blocks(source: ByteSource, tally: Tally, header_line: str) -> Iterator[Block]:
    """Yield the blocks of a file without its comments before the header, and without the header.

    Header lines met again (files glued together) are left out and noted as `repeated_header`.
    """
    header = header_line.encode() + b"\n"
    before_header = True
    for block in text_blocks(source, tally):
        data = block.data
        if before_header:
            at = data.find(header) if not data.startswith(header) else 0
            data = data[at + len(header) :] if at >= 0 else data.partition(b"\n")[2]
            before_header = False
        if header in data:
            data = _without(data, header, tally)
        if data:
            yield Block(data, count_lines(data))


def _without(data: bytes, header: bytes, tally: Tally) -> bytes:
    lines = data.splitlines(keepends=True)
    kept = [line for line in lines if line != header]
    tally.note("repeated_header", len(lines) - len(kept))
    return b"".join(kept)


DELIMITED = Format("delimited", "Table (CSV, TSV, ...)", sniff, read)
