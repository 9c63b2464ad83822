"""What a label is put on: one IPv4 address or one prefix, read from text without guessing."""

import re
from ipaddress import AddressValueError, IPv6Address
from typing import NamedTuple

from darkgnn_core.labels.texts import shown

_QUAD = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})(?:/([0-9]{1,2}))?")
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")
_NUMBERS = re.compile(r"(?:0[xX][0-9A-Fa-f]+|[0-9]+)(?:\.(?:0[xX][0-9A-Fa-f]+|[0-9]+))*")
_PORT = re.compile(r"[0-9.]+:[0-9]+")
_MAPPED = 0xFFFF << 32


class Target(NamedTuple):
    """The addresses first_ip to last_ip (both in), which are one prefix of prefix_len bits."""

    first_ip: int
    last_ip: int
    prefix_len: int


class BadTarget(ValueError):  # noqa: N818 - a finding that readers count, not an error of ours
    """A text is no IPv4 address and no IPv4 prefix.

    Args:
        reason: Short name to count it under: `ipv6`, `zone`, `empty`, `integer`, `port`,
            `leading_zero`, `hostname`, `host_bits`, `malformed`.
        expected: What an analyst is told, as half a sentence.
    """

    def __init__(self, reason: str, expected: str) -> None:
        super().__init__(expected)
        self.reason = reason


def parse_target(text: str, *, mask_host_bits: bool = False) -> Target:
    """Read an address or a prefix in CIDR notation.

    ASCII space around it is ignored; `::ffff:192.0.2.1` is 192.0.2.1.

    Args:
        text: What a file says.
        mask_host_bits: Read 192.0.2.5/24 as 192.0.2.0/24 instead of refusing it.

    Raises:
        BadTarget: If it is anything else; `ipv6` where it is a valid IPv6 address or prefix.

    >>> parse_target(" 192.0.2.0/30 ")
    Target(first_ip=3221225984, last_ip=3221225987, prefix_len=30)
    """
    trimmed = text.strip(" \t")
    quad = _QUAD.fullmatch(trimmed)
    if quad is not None:
        return _of_quad(quad, mask_host_bits)
    if ":" in trimmed and _PORT.fullmatch(trimmed) is None:
        return _of_ipv6(trimmed, mask_host_bits)
    raise _why_bad(trimmed)


def target_of(address: int, prefix_len: int = 32) -> Target:
    """Return the prefix of `prefix_len` bits that holds an address."""
    size = 1 << (32 - prefix_len)
    first = address - address % size
    return Target(first, first + size - 1, prefix_len)


def prefix_text(first_ip: int, prefix_len: int) -> str:
    """Return the text of a prefix; a single address stands without its length.

    >>> prefix_text(3221225984, 24), prefix_text(3221225985, 32)
    ('192.0.2.0/24', '192.0.2.1')
    """
    quad = ".".join(str(first_ip >> shift & 255) for shift in (24, 16, 8, 0))
    return quad if prefix_len == 32 else f"{quad}/{prefix_len}"


def prefixes_between(first: int, last: int) -> list[Target]:
    """Return the fewest prefixes that together are the addresses `first` to `last`."""
    found = []
    while first <= last:
        size = (first & -first) or 1 << 32
        while size > last - first + 1:
            size >>= 1
        found.append(target_of(first, 33 - size.bit_length()))
        first += size
    return found


def _of_quad(quad: re.Match[str], mask_host_bits: bool) -> Target:
    address = 0
    for part in quad.groups()[:4]:
        if part[0] == "0" and part != "0":
            raise BadTarget("leading_zero", "an address without leading zeros")
        if int(part) > 255:
            raise BadTarget("malformed", "four numbers from 0 to 255")
        address = address << 8 | int(part)
    return _within(address, quad.group(5) or "32", mask_host_bits)


def _within(address: int, length: str, mask_host_bits: bool) -> Target:
    if int(length) > 32 or (length[0] == "0" and length != "0"):
        raise BadTarget("malformed", "a prefix length from 0 to 32")
    target = target_of(address, int(length))
    if target.first_ip != address and not mask_host_bits:
        prefix = prefix_text(target.first_ip, target.prefix_len)
        alone = prefix_text(address, 32)
        raise BadTarget("host_bits", f"either {prefix} or the one address {alone}")
    return target


def _of_ipv6(text: str, mask_host_bits: bool) -> Target:
    if "%" in text:
        raise BadTarget("zone", "an address without a zone (%...)")
    bare, slash, length = text.partition("/")
    try:
        value = int(IPv6Address(bare))
    except AddressValueError as error:
        raise BadTarget("malformed", "an IPv4 address or prefix") from error
    if slash and (re.fullmatch("[0-9]{1,3}", length) is None or int(length) > 128):
        raise BadTarget("malformed", "a prefix length from 0 to 128")
    bits = int(length or 128) - 96
    if value >> 32 != _MAPPED >> 32 or bits < 0:
        raise BadTarget("ipv6", "an IPv4 address or prefix")
    return _within(value & 0xFFFF_FFFF, str(bits), mask_host_bits)


def _why_bad(text: str) -> BadTarget:
    if not text:
        return BadTarget("empty", "an IPv4 address or prefix")
    if re.fullmatch("[0-9]+", text):
        return BadTarget("integer", "a dotted address such as 192.0.2.1, not an integer")
    if _PORT.fullmatch(text):
        return BadTarget("port", "an address without a port")
    if _NAME.fullmatch(text) and not _NUMBERS.fullmatch(text):
        return BadTarget("hostname", "an address, not a name")
    return BadTarget("malformed", f"an IPv4 address or prefix, not {shown(text)}")
