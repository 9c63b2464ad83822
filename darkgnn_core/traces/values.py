"""Numbers, TCP flags and protocols: text columns to the schema's types, bad values marked."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from darkgnn_core.traces.addresses import Mask

NULLS = ("", "-", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", r"\N")
PROTOCOLS = {
    "icmp": 1, "igmp": 2, "ipip": 4, "tcp": 6, "egp": 8, "udp": 17, "dccp": 33, "rsvp": 46,
    "gre": 47, "esp": 50, "ah": 51, "icmp6": 58, "icmpv6": 58, "ipv6-icmp": 58, "ospf": 89,
    "pim": 103, "sctp": 132, "udplite": 136,
}  # fmt: skip
"""Numbers of protocol names. Source: IANA, Assigned Internet Protocol Numbers."""
FLAG_BITS = {
    "FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32, "ECE": 64, "CWR": 128, "ECN": 64,
    "F": 1, "S": 2, "R": 4, "P": 8, "A": 16, ".": 16, "U": 32, "E": 64, "C": 128, "W": 128,
}  # fmt: skip
"""Bits of flag names and letters. Source: RFC 9293 section 3.1; `.` and `W` as tcpdump writes."""
ICMP, TCP, UDP = 1, 6, 17
SYN, ACK, RST = 2, 16, 4
IPV4_TYPES = ("0x800", "0x0800", "0800", "800", "2048", "ip", "ipv4", "ip4")
IPV6_TYPES = ("0x86dd", "86dd", "34525", "ipv6", "ip6")
_HEX = re.compile(r"0[xX][0-9a-fA-F]{1,8}")
_WORDS = re.compile(r"[\s,|+/_-]+")


def whole_numbers(texts: pa.Array, kind: pa.DataType) -> tuple[pa.Array, Mask]:
    """Parse a column of whole numbers into an unsigned type.

    `007` is 7, `80.0` is 80 (as pandas writes columns with gaps) and `0x50` is 80; signs,
    fractions, powers of ten and values beyond the type are bad.

    Args:
        texts: Strings, or numbers that are already of the type.
        kind: An unsigned integer type.

    Returns:
        The numbers, null where null or bad, and bool (n,): which rows are bad.
    """
    if texts.type == kind:
        return texts, np.zeros(len(texts), bool)
    if pa.types.is_dictionary(texts.type):
        texts = texts.cast(pa.string())
    plain = pc.replace_substring_regex(pc.ascii_trim_whitespace(texts), r"^([0-9]+)\.0*$", r"\1")
    plain = pc.replace_substring_regex(plain, r"^0+([0-9])", r"\1")
    fits = pc.fill_null(
        pc.match_substring_regex(plain, r"^(?:[0-9]{1,18}|0[xX][0-9a-fA-F]{1,8})$"), False
    )
    numbers = pc.if_else(fits, plain, pa.scalar(None, pa.string())).cast(pa.int64())
    top = min(int(np.iinfo(kind.to_pandas_dtype()).max), 2**63 - 1)
    small = pc.fill_null(pc.less_equal(numbers, top), False)
    values = pc.if_else(small, numbers, pa.scalar(None, pa.int64())).cast(kind)
    bad = pc.and_not(texts.is_valid(), small).to_numpy(zero_copy_only=False)
    return values, bad


def mapped(
    texts: pa.Array, parse: Callable[[str], int | None], kind: pa.DataType
) -> tuple[pa.Array, Mask]:
    """Parse each distinct text of a column once.

    Args:
        texts: Strings, with a dictionary or without.
        parse: Gives the number of a text, or None where the text is bad.
        kind: Type of the result.

    Returns:
        The numbers, null where null or bad, and bool (n,): which rows are bad.
    """
    coded = texts if pa.types.is_dictionary(texts.type) else texts.dictionary_encode()
    found: list[Any] = [parse(text) for text in coded.dictionary.to_pylist()]
    rows = coded.indices.fill_null(len(found)).to_numpy(zero_copy_only=False)
    is_bad = np.array([value is None for value in found] + [False])
    numbers = np.array([value or 0 for value in found] + [0])
    bad: Mask = is_bad[rows]
    missing = bad | (rows == len(found))
    return pa.array(numbers[rows], mask=missing).cast(kind), bad


def flags_of(text: str) -> int | None:
    """Return the low eight TCP flag bits of a number, hexadecimal, letters or names.

    >>> flags_of("2"), flags_of("0x012"), flags_of("SA"), flags_of("[S.]"), flags_of("SYN,ACK")
    (2, 18, 18, 18, 18)
    >>> flags_of("hello") is None
    True
    """
    text = text.strip().strip("[]")
    if text.isascii() and text.isdecimal():
        return int(text) & 0xFF if len(text) <= 4 and int(text) <= 0xFFF else None
    if _HEX.fullmatch(text):
        return int(text, 16) & 0xFF if int(text, 16) <= 0xFFF else None
    words = [word for word in _WORDS.split(text.upper().replace("\u00b7", "")) if word]
    if all(word in FLAG_BITS for word in words):
        bits = [FLAG_BITS[word] for word in words]
    elif len(words) == 1 and words[0] == "SYNACK":
        bits = [SYN, ACK]
    else:
        letters = [letter for word in words for letter in word]
        if len(letters) > 9 or not all(letter in FLAG_BITS for letter in letters):
            return None
        bits = [FLAG_BITS[letter] for letter in letters]
    return int(np.bitwise_or.reduce(bits)) if bits else 0


def protocol_of(text: str) -> int | None:
    """Return the IP protocol number of a number or a name.

    >>> protocol_of("6"), protocol_of("TCP"), protocol_of("256") is None
    (6, 6, True)
    """
    text = text.strip().lower()
    if text.isascii() and text.isdecimal():
        return int(text) if len(text) <= 4 and int(text) <= 255 else None
    return PROTOCOLS.get(text)


def mark_of(text: str) -> int | None:
    """Return 1 or 0 for a yes-or-no mark, None where it is neither."""
    text = text.strip().lower()
    if text in ("1", "true", "t", "yes", "y"):
        return 1
    return 0 if text in ("0", "false", "f", "no", "n") else None


def ethertype_of(text: str) -> int | None:
    """Return 4 for IPv4, 6 for IPv6, 0 for anything else."""
    text = text.strip().lower()
    return 4 if text in IPV4_TYPES else 6 if text in IPV6_TYPES else 0


def id_of(text: str) -> int | None:
    """Return a 16-bit identifier written in decimal or as `0x...`; None where it is neither."""
    text = text.strip()
    if _HEX.fullmatch(text):
        return int(text, 16) if int(text, 16) <= 0xFFFF else None
    plain = re.sub(r"\.0*$", "", text)
    if not (plain.isascii() and plain.isdecimal() and len(plain) <= 8):
        return None
    return int(plain) if int(plain) <= 0xFFFF else None


def masked(values: npt.NDArray[Any], missing: Mask, kind: pa.DataType) -> pa.Array:
    """Return an array of `kind`, null where `missing`."""
    return pa.array(values, mask=missing if missing.any() else None).cast(kind)
