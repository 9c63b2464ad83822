"""The released ground truth: addresses and what they are said to be."""

import csv
import unicodedata
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from typing import NamedTuple

from darkgnn_core.errors import LabelError
from darkgnn_core.snapshots.released_lines import bounded_lines, shown

MAX_LABEL = 64
MAX_LABELS = 1_500_000


class ReleasedLabel(NamedTuple):
    """One line of the ground truth: an IPv4 address as integer and what it is said to be."""

    address: int
    label: str


def read_ground_truth(path: Path) -> tuple[ReleasedLabel, ...]:
    """Read the labels; equal rows are merged, two labels of one address both stay.

    Raises:
        LabelError: `COLUMNS`, `ROW`, `IP`, `LABEL`, `ENCODING`, `LIMIT`, with the row.
    """
    rows = csv.reader(_text_lines(path), strict=True)
    found: dict[ReleasedLabel, None] = {}
    try:
        header = _header_of(next(rows, []), path)
        for number, fields in enumerate(rows, start=2):
            found[_label_of_row(fields, header, f"{path.name}, row {number}")] = None
            if len(found) > MAX_LABELS:
                raise LabelError(f"{path.name}: more than {MAX_LABELS:,} labels.", code="LIMIT")
    except csv.Error as error:
        raise LabelError(f"{path.name}, row {rows.line_num}: {error}.", code="ROW") from error
    return tuple(found)


def _header_of(fields: list[str], path: Path) -> list[str]:
    header = [name.strip() for name in fields]
    if header.count("src_ip") != 1 or header.count("label") != 1:
        raise LabelError(
            f"{path.name}: expected the columns src_ip and label once each, separated by commas; "
            f"found {shown(','.join(header))}.",
            code="COLUMNS",
        )
    return header


def _label_of_row(fields: list[str], header: list[str], where: str) -> ReleasedLabel:
    if len(fields) != len(header):
        raise LabelError(f"{where}: {len(fields)} fields, expected {len(header)}.", code="ROW")
    address = fields[header.index("src_ip")].strip(" \t")
    text = fields[header.index("label")]
    label = unicodedata.normalize("NFC", text.strip())
    if not 1 <= len(label) <= MAX_LABEL or not label.isprintable():
        limits = f"a label has 1 to {MAX_LABEL} printable characters"
        raise LabelError(f"{where}: {limits}, got {shown(text)}.", code="LABEL")
    try:
        return ReleasedLabel(int(IPv4Address(address)), label)
    except AddressValueError as error:
        message = f"{where}: expected an IPv4 address, got {shown(address)}."
        raise LabelError(message, code="IP") from error


def _text_lines(path: Path) -> Iterator[str]:
    for number, line in bounded_lines(path, LabelError):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            message = f"{path.name}, line {number}: not UTF-8. Save the file as UTF-8."
            raise LabelError(message, code="ENCODING") from error
        if "\0" in text:
            raise LabelError(f"{path.name}, line {number}: a NUL byte.", code="ENCODING")
        yield (text.removeprefix("\ufeff") if number == 1 else text) + "\n"
