"""Delimited text with a header: the layout of a file, and its blocks as columns.

A block is read with the types that clean data has; where a value does not fit, the same block is
read again as strings, and each column is checked value by value (`assembling`).
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from darkgnn_core.errors import TraceError
from darkgnn_core.traces.lines import FIELD_BYTES, Block, count_lines, long_lines
from darkgnn_core.traces.packets import SCHEMA
from darkgnn_core.traces.reading import ColumnMapping, Tally
from darkgnn_core.traces.values import NULLS

SPACE = 32
MAX_COLUMNS = 256
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "space"}
_CODED = pa.dictionary(pa.int32(), pa.string())
_CODED_FIELDS = frozenset(
    ("src_ip", "dst_ip", "sensor", "ethtype", "proto", "tcp_flags", "ip_id", "mirai")
)
_STRICT_FIELDS = frozenset(
    ("src_port", "dst_port", "length", "ttl", "seq", "window", "mss", "ts_option", "packets")
)


@dataclass(frozen=True)
class Layout:
    """How the lines of one file are cut into fields.

    Attributes:
        delimiter: One character; a space stands for any run of spaces and tabs.
        header: Names of the columns.
        fields: Column number of each field of a packet that the file has.
        quoting: Whether fields may stand in double quotes.
        nulls: Texts that mean that a value is absent.
    """

    delimiter: str
    header: tuple[str, ...]
    fields: tuple[tuple[str, int], ...]
    quoting: bool = True
    nulls: tuple[str, ...] = NULLS

    @property
    def names(self) -> list[str]:
        """Names of our own for the columns, all distinct."""
        return [f"c{i}" for i in range(len(self.header))]


def split_line(line: str, delimiter: str) -> list[str]:
    """Cut one line into fields, quotes removed, spaces around a field too."""
    if delimiter == " ":
        return line.split()
    if '"' not in line:
        return [field.strip() for field in line.split(delimiter)]
    try:
        return [field.strip() for field in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return [field.strip() for field in line.split(delimiter)]


def layout_of(
    header: Sequence[str], delimiter: str, mapping: ColumnMapping, *, where: str
) -> Layout:
    """Return the layout of a file with this header and mapping.

    Raises:
        TraceError: `COLUMNS` where a mapped column is absent or there twice; `LIMIT` for more than
            256 columns.
    """
    check_column_count(len(header), where)
    for target, name in mapping.columns:
        times = list(header).count(name)
        if times != 1:
            found = "is not there" if times == 0 else f"is there {times} times"
            raise TraceError(
                f"{where}: COLUMNS: the column {name!r}, which should give {target}, {found}. "
                f"Columns found: {listed(header)}.",
                code="COLUMNS",
            )
    fields = tuple((target, list(header).index(name)) for target, name in mapping.columns)
    return Layout(delimiter, tuple(header), fields)


def check_column_count(count: int, where: str) -> None:
    """Raise `TraceError` `LIMIT` for more than 256 columns."""
    if count > MAX_COLUMNS:
        raise TraceError(
            f"{where}: {count:,} columns; at most {MAX_COLUMNS} are read. Is it a trace?",
            code="LIMIT",
        )


def listed(names: Sequence[str]) -> str:
    """Return names for a message: at most twenty, none longer than forty characters."""
    shown = ", ".join(repr(name[:40]) for name in names[:20])
    return shown + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def read_columns(
    block: Block, layout: Layout, tally: Tally, *, where: str
) -> tuple[dict[str, pa.Array], int]:
    """Cut a block into the columns that the layout names.

    Rows with another number of fields are skipped as `wrong_field_count`, rows with broken quotes
    as `bad_quoting`.

    Returns:
        Columns by field name (`ts` for `ts_ns`), and the number of rows.

    Raises:
        TraceError: `LIMIT` where a field is longer than 64 KiB.
    """
    check_fields(block.data, layout.delimiter, where)
    data = block.data
    if layout.delimiter == " ":
        data = one_space(data)
        if not data:
            tally.skip("wrong_field_count", block.lines)
            return {}, 0
    lines = block.lines if data is block.data else count_lines(data)
    tally.skip("wrong_field_count", block.lines - lines)
    quoting = layout.quoting and b'"' in data
    table, wrong = _read(data, layout, quoting, typed=not quoting)
    if table is None or table.num_rows + wrong != lines:
        table, wrong = _read(data, layout, quoting, typed=False)
    if table is None or table.num_rows + wrong != lines:
        return _line_by_line(data, layout, tally)
    tally.skip("wrong_field_count", wrong)
    return _by_field(table, layout), table.num_rows


def check_fields(data: bytes, delimiter: str, where: str) -> None:
    """Raise `TraceError` `LIMIT` where a field is longer than 64 KiB."""
    for line in long_lines(data):
        fields = line.split() if delimiter == " " else line.split(delimiter.encode())
        if max((len(field) for field in fields), default=0) > FIELD_BYTES:
            raise TraceError(
                f"{where}: a field is longer than {FIELD_BYTES:,} bytes. Traces have no such "
                "fields: is a quote left open?",
                code="LIMIT",
            )


def one_space(data: bytes) -> bytes:
    """Return lines whose fields are one space apart, none at their ends, empty lines left out."""
    gaps = np.frombuffer(data, np.uint8) <= SPACE
    if b"\t" in data:
        data = data.replace(b"\t", b" ")
    if not (gaps[1:] & gaps[:-1]).any() and not data.startswith(b" "):
        return data
    while b"  " in data:
        data = data.replace(b"  ", b" ")
    if b" \n" in data:
        data = data.replace(b" \n", b"\n")
    if b"\n " in data or data.startswith(b" "):
        data = data.replace(b"\n ", b"\n").removeprefix(b" ")
    while b"\n\n" in data:
        data = data.replace(b"\n\n", b"\n")
    return data.lstrip(b"\n")


def _types(layout: Layout, typed: bool) -> dict[str, pa.DataType]:
    names = layout.names
    if not typed:
        return {names[column]: pa.string() for _, column in layout.fields}
    return {names[column]: _type_of(field) for field, column in layout.fields}


def _type_of(field: str) -> pa.DataType:
    if field in _CODED_FIELDS:
        return _CODED
    if field == "packets":
        return pa.uint64()
    return SCHEMA.field(field).type if field in _STRICT_FIELDS else pa.string()


def _read(
    data: bytes, layout: Layout, quoting: bool, *, typed: bool
) -> tuple[pa.Table | None, int]:
    """Read lines with pyarrow; None where a value does not fit its type."""
    wrong = 0

    def count_row(_: object) -> str:
        nonlocal wrong
        wrong += 1
        return "skip"

    names = layout.names
    try:
        table = pacsv.read_csv(
            pa.py_buffer(data),
            read_options=pacsv.ReadOptions(
                column_names=names, use_threads=False, block_size=len(data) + 1
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=layout.delimiter,
                quote_char='"' if quoting else False,
                newlines_in_values=False,
                invalid_row_handler=count_row,
            ),
            convert_options=pacsv.ConvertOptions(
                check_utf8=False,
                column_types=_types(layout, typed),
                include_columns=[names[column] for _, column in layout.fields],
                null_values=list(layout.nulls),
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:
        return None, 0
    return table, wrong


def _by_field(table: pa.Table, layout: Layout) -> dict[str, pa.Array]:
    columns = {}
    for at, (field, _) in enumerate(layout.fields):
        column = table.column(at)
        whole = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
        columns["ts" if field == "ts_ns" else field] = whole
    return columns


def _line_by_line(data: bytes, layout: Layout, tally: Tally) -> tuple[dict[str, pa.Array], int]:
    """Read lines one at a time, for blocks whose quotes lead the fast reader astray."""
    rows = []
    for line in data.decode("utf-8", "replace").split("\n")[:-1]:
        try:
            cells = next(
                csv.reader(
                    [line],
                    delimiter=layout.delimiter,
                    strict=True,
                    quoting=csv.QUOTE_MINIMAL if layout.quoting else csv.QUOTE_NONE,
                )
            )
        except (csv.Error, StopIteration):
            tally.skip("bad_quoting")
            continue
        if len(cells) != len(layout.header):
            tally.skip("wrong_field_count")
            continue
        rows.append(cells)
    return text_columns(rows, layout), len(rows)


def text_columns(rows: Sequence[Sequence[str | None]], layout: Layout) -> dict[str, pa.Array]:
    """Return the columns of rows of cells, as strings; the layout's null texts become null."""
    columns = {}
    nulls = frozenset(layout.nulls)
    for field, at in layout.fields:
        cells = [None if row[at] in nulls else row[at] for row in rows]
        columns["ts" if field == "ts_ns" else field] = pa.array(cells, pa.string())
    return columns


def sample_rows(head: bytes, delimiter: str, *, count: int = 100) -> list[list[str]]:
    """Return the first whole lines of a text after its header, cut into fields."""
    lines = list(head_lines(head, count=count + 1))
    return [split_line(line, delimiter) for line in lines[1:]]


def head_lines(head: bytes, *, count: int = 101) -> Iterator[str]:
    """Yield the first lines of a text, without empty ones; one that may be cut only if alone."""
    text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    whole = [line for line in lines[:-1] if line.strip()] or [lines[-1]]
    yield from whole[:count]
