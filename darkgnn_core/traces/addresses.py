"""IPv4 addresses: whole columns of dotted quads to integers, and one at a time back."""

import ipaddress
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Bytes: TypeAlias = npt.NDArray[np.uint8]
Ints: TypeAlias = npt.NDArray[np.int64]
Words: TypeAlias = npt.NDArray[np.uint32]
Mask: TypeAlias = npt.NDArray[np.bool_]

OK, NULL, BAD, IPV6 = range(4)
_MAPPED = r"(?i)^(?:0*:){2,6}ffff:(?P<v4>[0-9]{1,3}(?:\.[0-9]{1,3}){3})$"
_V6 = r"^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$"


def text_buffers(texts: pa.StringArray) -> tuple[Ints, Bytes]:
    """Return the offsets (n + 1) and the bytes of a string array, without copying the bytes."""
    _, offsets, data = texts.buffers()
    if offsets is None:
        return np.zeros(1, np.int64), np.zeros(1, np.uint8)
    view = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    body = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, "u1")
    return view.astype(np.int64), body


def addresses(texts: pa.Array) -> tuple[Words, Bytes]:
    """Parse a column of addresses.

    ASCII space around an address is ignored; `::ffff:1.2.3.4` is 1.2.3.4; leading zeros, fewer
    than four parts, ports, prefixes and names are bad.

    Args:
        texts: Strings, or strings with a dictionary (each distinct one is parsed once).

    Returns:
        uint32 (n,) addresses, 0 where there is none, and uint8 (n,): `OK`, `NULL`, `BAD`, `IPV6`.
    """
    if pa.types.is_dictionary(texts.type):
        return _of_dictionary(texts)
    values, kind = _dotted_quads(texts)
    if not (kind == BAD).any():
        return values, kind
    rows = np.flatnonzero(kind == BAD)
    trimmed = pc.ascii_trim_whitespace(texts.take(pa.array(rows)))
    values[rows], kind[rows] = _dotted_quads(trimmed)
    odd = np.flatnonzero(kind[rows] == BAD)
    if len(odd):
        values[rows[odd]], kind[rows[odd]] = _with_colons(trimmed.take(pa.array(odd)))
    return values, kind


def _of_dictionary(texts: pa.DictionaryArray) -> tuple[Words, Bytes]:
    values, kind = addresses(texts.dictionary)
    values, kind = np.append(values, np.uint32(0)), np.append(kind, np.uint8(NULL))
    rows = texts.indices.fill_null(len(texts.dictionary)).to_numpy(zero_copy_only=False)
    return values[rows], kind[rows]


def _with_colons(texts: pa.StringArray) -> tuple[Words, Bytes]:
    mapped = pc.struct_field(pc.extract_regex(texts, _MAPPED), "v4")
    values, kind = _dotted_quads(mapped)
    six = pc.match_substring_regex(texts, _V6).to_numpy(zero_copy_only=False)
    kind[kind == NULL] = BAD
    kind[(kind == BAD) & six.astype(bool)] = IPV6
    return values, kind


def _dotted_quads(texts: pa.StringArray) -> tuple[Words, Bytes]:
    offsets, data = text_buffers(texts)
    rows = len(texts)
    kind = np.full(rows, BAD, np.uint8)
    values = np.zeros(rows, np.uint32)
    dots = np.flatnonzero(data[offsets[0] : offsets[-1]] == ord(".")) + offsets[0]
    counts = np.diff(np.searchsorted(dots, offsets))
    four = counts == 3
    dots = dots[np.repeat(four, counts)].reshape(-1, 3)
    parsed, good = _octets(data, offsets[:-1][four], offsets[1:][four], dots)
    values[four] = parsed
    kind[four] = np.where(good, OK, BAD)
    values[kind == BAD] = 0
    if texts.null_count:
        null = texts.is_null().to_numpy(zero_copy_only=False)
        kind[null], values[null] = NULL, 0
    return values, kind


def _octets(data: Bytes, start: Ints, end: Ints, dots: Ints) -> tuple[Words, Mask]:
    """Parse the four parts between dots, without leading zeros, each at most 255."""
    value = np.zeros(len(start), np.uint32)
    good = np.ones(len(start), bool)
    for part in range(4):
        first = start if part == 0 else dots[:, part - 1] + 1
        last = end - 1 if part == 3 else dots[:, part] - 1
        length = last - first + 1
        good &= (length >= 1) & (length <= 3)
        octet = np.zeros(len(start), np.uint32)
        for place, power in ((0, 1), (1, 10), (2, 100)):
            has = length > place
            digit = data[np.maximum(last - place, 0)] - np.uint8(48)
            good &= ~has | (digit <= 9)
            octet += np.where(has, digit, 0).astype(np.uint32) * np.uint32(power)
        leading = data[np.minimum(np.maximum(first, 0), len(data) - 1)]
        good &= ((length == 1) | (leading != ord("0"))) & (octet <= 255)
        value = value << np.uint32(8) | octet
    return value, good


def address_text(value: int) -> str:
    """Return the dotted quad of an address.

    >>> address_text(3221225985)
    '192.0.2.1'
    """
    return str(ipaddress.IPv4Address(value))


def is_address(text: str) -> bool:
    """Say whether a text is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text.strip())
    except ValueError:
        return False
    return True
