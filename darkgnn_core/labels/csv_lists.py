"""CSV lists of labels: an address or prefix, a label, perhaps a day, evidence and confidence.

A CSV list is somebody's ground truth: one bad row refuses the whole file, so that nothing is
dropped without the analyst knowing. Source: reliability rows T1 to T9, T14, T15.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from darkgnn_core.errors import LabelError
from darkgnn_core.labels.claims import Claim, ClaimCollector, ListReport
from darkgnn_core.labels.targets import BadTarget, parse_target
from darkgnn_core.labels.texts import FIELD_CHARACTERS, clean_name, decode, fold, parse_day, shown

MAX_COLUMNS = 256
BAD_ROWS_NAMED = 5
DELIMITERS = ",;\t|"
EVIDENCE_CHARACTERS = 500

ADDRESS_NAMES = (
    "src ip", "ip", "address", "ip address", "prefix", "network", "cidr", "range", "subnet",
    "host", "sender", "src", "ip src", "source ip", "src addr", "ipaddr", "addr", "ipv4",
)  # fmt: skip
LABEL_NAMES = (
    "label", "class", "category", "tag", "organisation", "organization", "org", "group",
    "actor", "type",
)  # fmt: skip

Column: TypeAlias = str | int
Row: TypeAlias = tuple[int, list[str]]


@dataclass(frozen=True)
class CsvColumns:
    """Which column holds what: a name from the header, or a position counted from 0.

    Attributes:
        address: Column of the address or prefix; None means guess.
        label: Column of the label; None means guess.
        delimiter: Character between fields.
        has_header: Whether the first row names the columns; without one, positions are needed.
    """

    address: Column | None = None
    label: Column | None = None
    delimiter: str = ","
    has_header: bool = True


GUESSED = CsvColumns()


@dataclass(frozen=True)
class _Places:
    address: int
    label: int
    width: int
    day: int | None = None
    evidence: int | None = None
    confidence: int | None = None

    @property
    def used(self) -> set[int]:
        every = (self.address, self.label, self.day, self.evidence, self.confidence)
        return {place for place in every if place is not None}


def read_csv(
    content: bytes, *, name: str, columns: CsvColumns = GUESSED, allow_wide: bool = False
) -> tuple[list[Claim], ListReport]:
    """Read a CSV list of labels; all of it, or nothing.

    Args:
        content: The file's bytes.
        name: What messages call it.
        columns: Which column is which; guessed from the header by default. Columns named `day`,
            `evidence` and `confidence` are used where there are any.
        allow_wide: Keep prefixes wider than /24.

    Returns:
        The claims, and the report. IPv6 rows, rows that say "unknown" and wide prefixes are left
        out and counted; equal rows are merged; contradictory rows are kept and listed.

    Raises:
        LabelError: `ENCODING`, `EMPTY`, `NO-ROWS`, `COLUMNS`, `LIMIT`, `ROW`, `IP`, `LABEL`,
            `VALUE`, with the first bad rows.
    """
    name = clean_name(name)
    rows = _rows_of(decode(content, name), name, columns.delimiter)
    first = next(rows, None)
    if first is None:
        raise LabelError(f"{name}: EMPTY: there are only comments.", code="EMPTY")
    collector = ClaimCollector(allow_wide=allow_wide)
    if columns.has_header:
        places = _places_in(first[1], columns, name)
        unused = (text for i, text in enumerate(first[1]) if i not in places.used)
        collector.report.ignored_columns = [clean_name(text) for text in unused]
    else:
        places = _places_by_position(first[1], columns, name)
        rows = _chain(first, rows)
    _collect(rows, places, collector, name)
    return collector.finish()


def _chain(first: Row, rest: Iterator[Row]) -> Iterator[Row]:
    yield first
    yield from rest


def _rows_of(text: str, name: str, delimiter: str) -> Iterator[Row]:
    """Yield (line number, fields) of each row that is not a comment or empty."""
    lines = text.split("\n")
    kept = [
        (n, line) for n, line in enumerate(lines, 1) if line.strip() and line.lstrip()[0] != "#"
    ]
    for number, line in kept:
        if line.count('"') % 2:
            raise LabelError(f"{name}, row {number}: ROW: a quote is not closed.", code="ROW")
        try:
            fields = next(csv.reader([line], delimiter=delimiter, strict=True))
        except csv.Error as error:
            code = "LIMIT" if "limit" in str(error) else "ROW"
            raise LabelError(f"{name}, row {number}: {code}: {error}.", code=code) from error
        _check_size(fields, f"{name}, row {number}")
        yield number, fields


def _check_size(fields: list[str], where: str) -> None:
    if len(fields) > MAX_COLUMNS:
        message = f"{where}: LIMIT: {len(fields):,} columns, at most {MAX_COLUMNS} are read."
        raise LabelError(message, code="LIMIT")
    if max(map(len, fields)) > FIELD_CHARACTERS:
        message = f"{where}: LIMIT: a field is longer than {FIELD_CHARACTERS:,} characters."
        raise LabelError(message, code="LIMIT")


def _places_in(header: list[str], columns: CsvColumns, name: str) -> _Places:
    names = [fold(text.strip().strip('"')) for text in header]
    twice = sorted({text for text in names if names.count(text) > 1})
    if twice:
        raise _columns_error(header, name, f"the column {shown(twice[0])} is there twice")
    address = _place(columns.address, ADDRESS_NAMES, names)
    label = _place(columns.label, LABEL_NAMES, names)
    if address is None or label is None or address == label:
        raise _columns_error(header, name, _advice(header, columns.delimiter))
    optional = {
        column: names.index(column)
        for column in ("day", "evidence", "confidence")
        if column in names and names.index(column) not in (address, label)
    }
    return _Places(address, label, len(header), **optional)


def _place(wanted: Column | None, guesses: tuple[str, ...], names: list[str]) -> int | None:
    if isinstance(wanted, int):
        return wanted if 0 <= wanted < len(names) else None
    candidates = guesses if wanted is None else (fold(wanted),)
    return next((names.index(guess) for guess in candidates if guess in names), None)


def _places_by_position(first: list[str], columns: CsvColumns, name: str) -> _Places:
    address, label = columns.address, columns.label
    if not isinstance(address, int) or not isinstance(label, int):
        address, label = 0, 1
    if address == label or not (0 <= address < len(first) and 0 <= label < len(first)):
        raise _columns_error(first, name, f"there is no column {max(address, label)}")
    return _Places(address, label, len(first))


def _advice(header: list[str], delimiter: str) -> str:
    for other in DELIMITERS:
        if other != delimiter and len(header) == 1 and other in header[0]:
            return f"the delimiter may be {other!r}: choose it and try again"
    if any(_is_target(text) for text in header):
        return "the first row looks like data: say that there is no header"
    return "say which column is the address and which is the label"


def _is_target(text: str) -> bool:
    try:
        parse_target(text)
    except BadTarget:
        return False
    return True


def _columns_error(header: list[str], name: str, advice: str) -> LabelError:
    return LabelError(
        f"{name}: COLUMNS: expected src_ip,label; found {shown(','.join(header), 80)}: {advice}.",
        code="COLUMNS",
    )


def _collect(rows: Iterator[Row], places: _Places, collector: ClaimCollector, name: str) -> None:
    bad: list[LabelError] = []
    count = 0
    for number, fields in rows:
        try:
            _collect_row(number, fields, places, collector)
        except LabelError as error:
            count += 1
            if len(bad) < BAD_ROWS_NAMED:
                bad.append(error)
    if bad:
        more = f" and {count - len(bad):,} more" if count > len(bad) else ""
        message = f"{name} was refused, nothing was added. {' '.join(map(str, bad))}{more}"
        raise LabelError(message, code=bad[0].code)
    if not collector.report.read:
        raise LabelError(f"{name}: NO-ROWS: there is a header and nothing else.", code="NO-ROWS")


def _collect_row(
    number: int, fields: list[str], places: _Places, collector: ClaimCollector
) -> None:
    if len(fields) != places.width:
        message = f"ROW row {number}: {len(fields)} fields, expected {places.width}."
        raise LabelError(message, code="ROW")
    text = fields[places.address]
    try:
        target = parse_target(text)
    except BadTarget as error:
        if error.reason == "ipv6":
            collector.report.skip("ipv6")
            return
        raise LabelError(f"IP row {number}: expected {error}; got {shown(text)}.", code="IP") from (
            error
        )
    if ":" in text:
        collector.report.notes["mapped_ipv6"] += 1
    try:
        collector.add(
            target,
            fields[places.label],
            row=number,
            day=_day(fields, places.day, number),
            evidence=_evidence(fields, places.evidence, number),
            confidence=_confidence(fields, places.confidence, number),
        )
    except LabelError as error:
        if error.code != "LABEL":
            raise
        raise LabelError(f"LABEL row {number}: {error}", code="LABEL") from error


def _evidence(fields: list[str], place: int | None, number: int) -> str:
    if place is None:
        return f"row {number} of the list"
    return clean_name(fields[place])[:EVIDENCE_CHARACTERS] if fields[place].strip() else ""


def _day(fields: list[str], place: int | None, number: int) -> str | None:
    text = fields[place].strip() if place is not None else ""
    if not text:
        return None
    try:
        return parse_day(text)
    except LabelError as error:
        raise LabelError(f"VALUE row {number}: {error}", code="VALUE") from error


def _confidence(fields: list[str], place: int | None, number: int) -> float | None:
    text = fields[place].strip() if place is not None else ""
    if not text:
        return None
    if re.fullmatch(r"0|1|[01]?\.[0-9]{1,17}", text) is None or float(text) > 1:
        message = f"VALUE row {number}: confidence must be from 0 to 1, got {shown(text)}."
        raise LabelError(message, code="VALUE")
    return float(text)
