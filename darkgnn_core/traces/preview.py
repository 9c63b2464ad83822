"""What an analyst sees of a trace before it is read: format, columns, first rows, the guess."""

from dataclasses import dataclass

from darkgnn_core.traces import delimited, jsonl, mapping, parquet, zeek
from darkgnn_core.traces.addresses import address_text
from darkgnn_core.traces.formats import detect
from darkgnn_core.traces.opening import HEAD_BYTES, ByteSource
from darkgnn_core.traces.packets import COLUMNS
from darkgnn_core.traces.reading import ColumnMapping, Format, ReadOptions, Tally
from darkgnn_core.traces.tables import DELIMITERS, head_lines, split_line

ROWS = 20
CELL_CHARACTERS = 200


@dataclass(frozen=True)
class Preview:
    """The first look at a trace.

    Attributes:
        format: Short name of the format.
        title: What an analyst calls it.
        header: Names of the columns; of the packet columns for captures.
        rows: The first rows, at most 20, as text, each cell at most 200 characters.
        mapping: The guess, or what the options say; None where the format needs none.
        missing: Packet columns that are needed and that the mapping lacks.
        delimiter: Name of what separates the columns (`comma`, ...), or empty.
    """

    format: str
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    mapping: ColumnMapping | None = None
    missing: tuple[str, ...] = ()
    delimiter: str = ""


def preview(source: ByteSource, options: ReadOptions) -> Preview:
    """Look at the beginning of a trace; the source is used up by it.

    Raises:
        TraceError: As `formats.detect`, and what makes the beginning unreadable; that needed
            columns are not found is told in `missing` instead.
    """
    found = detect(source)
    head = source.peek(HEAD_BYTES)
    if found.name == "delimited":
        return _of_table(found, head, options)
    if found.name == "jsonl":
        header, rows = jsonl.sample(head)
        return _with_mapping(found, header, rows, options, "")
    if found.name == "parquet":
        table = parquet.open_table(source)
        if options.mapping is None and parquet.is_packet_table(table.schema_arrow):
            return _of_packets(found, source, options)
        header, rows = parquet.sample(table)
        return _with_mapping(found, header, rows, options, "")
    if found.name in ("packet_log", "zeek", "iptables"):
        return _of_lines(found, head)
    return _of_packets(found, source, options)


def _of_table(found: Format, head: bytes, options: ReadOptions) -> Preview:
    lines = delimited.data_lines(head)
    delimiter, guessed = delimited.guess_from_head(head)
    if not guessed.columns:
        delimiter = max(DELIMITERS, key=lambda d: len(split_line(lines[0], d)))
    rows = [split_line(line, delimiter) for line in lines[1:]]
    header = split_line(lines[0], delimiter)
    return _with_mapping(found, header, rows, options, DELIMITERS[delimiter])


def _with_mapping(
    found: Format, header: list[str], rows: list[list[str]], options: ReadOptions, delimiter: str
) -> Preview:
    chosen = options.mapping or mapping.guess(header[:512], rows)
    return Preview(
        format=found.name,
        title=found.title,
        header=tuple(name[:CELL_CHARACTERS] for name in header),
        rows=_cut(rows),
        mapping=chosen,
        missing=tuple(mapping.missing_columns(chosen)),
        delimiter=delimiter,
    )


def _of_lines(found: Format, head: bytes) -> Preview:
    """Show a log with known columns: cut at its header where it has one, else line by line."""
    lines = list(head_lines(head))
    zeek_head = zeek.head_of(head) if found.name == "zeek" else None
    if found.name == "packet_log":
        lines = delimited.data_lines(head)
        header, delimiter = lines[0].split(), " "
        rows = [line.split() for line in lines[1:]]
    elif zeek_head is not None:
        header, delimiter = list(zeek_head.fields), zeek_head.separator
        rows = [line.split(delimiter) for line in lines if not line.startswith("#")]
    else:
        header, delimiter, rows = ["line"], "", [[line] for line in lines]
    name = DELIMITERS.get(delimiter, delimiter)
    return Preview(found.name, found.title, tuple(header), _cut(rows), delimiter=name)


def _of_packets(found: Format, source: ByteSource, options: ReadOptions) -> Preview:
    rows: list[list[str]] = []
    batches = found.read(source, options, Tally())
    for batch in batches:
        rows += [
            [_cell(name, row[name]) for name in COLUMNS]
            for row in batch.slice(0, ROWS - len(rows)).to_pylist()
        ]
        if len(rows) >= ROWS:
            break
    return Preview(found.name, found.title, COLUMNS, _cut(rows))


def _cell(name: str, value: object) -> str:
    if value is None:
        return ""
    if name in ("src_ip", "dst_ip") and isinstance(value, int):
        return address_text(value)
    return str(value)


def _cut(rows: list[list[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(cell[:CELL_CHARACTERS] for cell in row) for row in rows[:ROWS])
