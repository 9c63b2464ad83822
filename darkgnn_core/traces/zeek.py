"""Zeek's `conn.log`, as TSV or JSON: each connection becomes the packets its sender sent."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from darkgnn_core.errors import TraceError
from darkgnn_core.traces.addresses import Ints, Mask
from darkgnn_core.traces.assembling import Assembler, numpy_of
from darkgnn_core.traces.jsonl import columns_at, object_of, objects, text_of, value_at
from darkgnn_core.traces.lines import Block, count_lines, refuse_utf16, text_blocks
from darkgnn_core.traces.opening import HEAD_BYTES, ByteSource
from darkgnn_core.traces.reading import Format, ReadOptions, Tally
from darkgnn_core.traces.tables import Layout, check_column_count, head_lines, listed, read_columns
from darkgnn_core.traces.times import unit_of
from darkgnn_core.traces.values import whole_numbers

NEEDED = ("ts", "id.orig_h", "id.resp_h", "proto")
USED = (
    *NEEDED, "id.orig_p", "id.resp_p", "history", "orig_pkts", "orig_ip_bytes",
    "resp_pkts", "resp_ip_bytes",
)  # fmt: skip
_SEPARATOR = re.compile(r"\\x([0-7][0-9a-fA-F])")
FIRST_FLAGS = {"S": 2, "H": 18, "A": 16, "D": 24, "F": 1, "R": 4}
"""Flag bits for a letter of `history`. Source: Zeek documentation, `Conn::Info`; D is ACK+PSH."""


@dataclass(frozen=True)
class Head:
    """What the directives at the top of a Zeek TSV log say.

    Attributes:
        separator: Between fields.
        fields: Names of the columns.
        nulls: Texts of unset and empty fields.
    """

    separator: str
    fields: tuple[str, ...]
    nulls: tuple[str, ...]


def head_of(head: bytes) -> Head | None:
    """Return what the directives say, or None where there are no `#fields`."""
    separator, nulls = "\t", ["-", "(empty)", ""]
    fields: tuple[str, ...] = ()
    for line in head_lines(head):
        if not line.startswith("#"):
            break
        if line.startswith("#separator "):
            code = _SEPARATOR.fullmatch(line[11:].strip())
            separator = chr(int(code[1], 16)) if code else "\t"
        key, *values = line.split(separator)
        if key in ("#unset_field", "#empty_field") and values:
            nulls.append(values[0])
        if key == "#fields":
            fields = tuple(values)
    return Head(separator, fields, tuple(dict.fromkeys(nulls))) if fields else None


def sniff(head: bytes) -> bool:
    """Say whether the text is a Zeek log: `#fields` at the top, or JSON with `id.orig_h`."""
    if head.startswith((b"#separator", b"#fields", b"\xef\xbb\xbf#separator")):
        return head_of(head) is not None
    first = next(head_lines(head, count=1), "")
    row = object_of(first) if first.startswith("{") else None
    return row is not None and all(value_at(row, key) is not None for key in NEEDED)


def read(source: ByteSource, options: ReadOptions, tally: Tally) -> Iterator[pa.RecordBatch]:
    """Yield the packets of connections; see `traces.reading.Format`.

    A connection stands for `orig_pkts` packets of its originator, one at least, all at its start
    time and with the flags of the originator's first packet (`history`); `length` is the mean.
    Where only the responder sent (backscatter, `^h`), it is the sender, noted `zeek_flipped`.

    Raises:
        TraceError: `COLUMNS` for another log than `conn.log`; `LIMIT`, `ENCODING`, `NO-ROWS`,
            `TIMES-MIXED`.
    """
    head = source.peek(HEAD_BYTES)
    refuse_utf16(head, source.name)
    tables = _of_tsv if head_of(head) is not None else _of_json
    assembler = Assembler(source.name, _time_unit(head), options, tally)
    for columns, rows in tables(source, tally):
        if rows:
            yield from assembler.batches(packets_of(columns, rows, tally), rows)
    if tally.read == 0:
        raise TraceError(f"{source.name}: there are no connections in it.", code="NO-ROWS")


def _time_unit(head: bytes) -> str:
    known = head_of(head)
    lines = [line for line in head_lines(head) if not line.startswith("#")]
    if known is None:
        rows = [row for row in map(object_of, lines) if row is not None]
        samples = [text_of(value_at(row, "ts")) or "" for row in rows]
    else:
        at = known.fields.index("ts") if "ts" in known.fields else 0
        cells = [line.split(known.separator) for line in lines]
        samples = [row[at] for row in cells if len(row) > at]
    return unit_of(samples) or "s"


def _of_json(source: ByteSource, tally: Tally) -> Iterator[tuple[dict[str, pa.Array], int]]:
    for block in text_blocks(source, tally):
        rows = objects(block, tally, where=source.name)
        yield columns_at(rows, [(name, name) for name in USED]), len(rows)


def _of_tsv(source: ByteSource, tally: Tally) -> Iterator[tuple[dict[str, pa.Array], int]]:
    head = head_of(source.peek(HEAD_BYTES))
    assert head is not None  # noqa: S101 - the caller looked
    check_column_count(len(head.fields), source.name)
    missing = [name for name in NEEDED if head.fields.count(name) != 1]
    if missing or "history" not in head.fields:
        raise TraceError(
            f"{source.name}: COLUMNS: a Zeek log without {listed(missing or ['history'])}; only "
            f"conn.log is read. Columns found: {listed(head.fields)}.",
            code="COLUMNS",
        )
    fields = tuple((name, head.fields.index(name)) for name in USED if name in head.fields)
    layout = Layout(head.separator, head.fields, fields, quoting=False, nulls=head.nulls)
    for block in text_blocks(source, tally):
        data = _without_directives(block.data, head, source.name)
        if data:
            rows = Block(data, count_lines(data))
            yield read_columns(rows, layout, tally, where=source.name)


def _without_directives(data: bytes, head: Head, where: str) -> bytes:
    if not data.startswith(b"#") and b"\n#" not in data:
        return data
    kept = []
    fields = b"#fields" + head.separator.encode()
    expected = fields + head.separator.join(head.fields).encode()
    for line in data.splitlines(keepends=True):
        if not line.startswith(b"#"):
            kept.append(line)
        elif line.startswith(fields) and line.rstrip(b"\n") != expected:
            raise TraceError(
                f"{where}: COLUMNS: the columns change within the file (a second #fields line). "
                "Split it there.",
                code="COLUMNS",
            )
    return b"".join(kept)


def packets_of(columns: dict[str, pa.Array], rows: int, tally: Tally) -> dict[str, pa.Array]:
    """Turn the columns of connections, as strings, into columns of their sender's packets."""
    columns = {name: columns.get(name, pa.nulls(rows, pa.string())) for name in USED}
    columns = {name: _plain(column) for name, column in columns.items()}
    packets, bad = _count(columns["orig_pkts"])
    replies, bad_replies = _count(columns["resp_pkts"])
    history = columns["history"]
    led = pc.fill_null(pc.match_substring_regex(history, r"^\^?[a-z]|^\^"), False)
    flipped = numpy_of(led, 0).astype(bool) & (packets == 0) & (replies > 0)
    tally.note("zeek_flipped", int(flipped.sum()))
    chosen = pa.array(flipped)

    def sender(ours: str, theirs: str) -> pa.Array:
        return pc.if_else(chosen, columns[theirs], columns[ours])

    sent = np.maximum(np.where(flipped, replies, packets), 1)
    size, bad_size = _count(sender("orig_ip_bytes", "resp_ip_bytes"))
    known = (size > 0) & (np.where(flipped, replies, packets) > 0)
    wrong = pa.array(bad | bad_replies | bad_size)
    length = pa.array(np.where(known, np.round(size / sent), 0).astype(np.int64), mask=~known)
    return {
        "ts": columns["ts"],
        "src_ip": sender("id.orig_h", "id.resp_h"),
        "dst_ip": sender("id.resp_h", "id.orig_h"),
        "src_port": sender("id.orig_p", "id.resp_p"),
        "dst_port": sender("id.resp_p", "id.orig_p"),
        "proto": columns["proto"],
        "length": length.cast(pa.string()),
        "packets": pc.if_else(wrong, pa.scalar("bad"), pa.array(sent).cast(pa.string())),
        "tcp_flags": _flags(history, columns["proto"], flipped),
    }


def _plain(column: pa.Array) -> pa.Array:
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def _count(texts: pa.Array) -> tuple[Ints, Mask]:
    values, bad = whole_numbers(texts, pa.uint64())
    return np.minimum(numpy_of(values, 0), 2**62).astype(np.int64), bad


def _flags(history: pa.Array, proto: pa.Array, flipped: Mask) -> pa.Array:
    """Return the flags of the sender's first packet, null where it is not TCP or not known."""
    ours = first_flags(history, upper=True)
    theirs = first_flags(history, upper=False)
    flags = pc.if_else(pa.array(flipped), theirs, ours)
    tcp = pc.fill_null(pc.equal(pc.utf8_lower(proto), "tcp"), False)
    return pc.if_else(tcp, flags, pa.scalar(None, pa.uint8()))


def first_flags(history: pa.Array, *, upper: bool) -> pa.Array:
    """Return the flag bits of the first packet of the originator (`upper`) or the responder."""
    coded = history.dictionary_encode()
    letters = FIRST_FLAGS if upper else {key.lower(): bits for key, bits in FIRST_FLAGS.items()}
    found = [
        next((letters[letter] for letter in text if letter in letters), None)
        for text in coded.dictionary.to_pylist()
    ]
    rows = coded.indices.fill_null(len(found))
    return pa.array([*found, None], pa.uint8()).take(rows)


ZEEK = Format("zeek", "Zeek conn.log", sniff, read)
