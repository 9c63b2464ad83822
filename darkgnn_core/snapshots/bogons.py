"""Source addresses that nobody on the Internet can answer to: they are forged or local."""

import ipaddress

BOGONS = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
)
"""Prefixes that are not globally reachable, multicast and reserved space.

Source: RFC 6890 and RFC 5737 (special purpose), RFC 5771 (multicast). The sensor's own addresses
would belong here too, but are not known.
"""


def bogon_ranges() -> list[tuple[int, int]]:
    """Return first and last address of each prefix of `BOGONS`, as integers."""
    networks = [ipaddress.IPv4Network(text) for text in BOGONS]
    return [(int(network[0]), int(network[-1])) for network in networks]


def is_bogon(address: int) -> bool:
    """Say whether an IPv4 address, as a big-endian integer, lies in `BOGONS`.

    >>> is_bogon(10 << 24), is_bogon(8 << 24)
    (True, False)
    """
    return any(first <= address <= last for first, last in bogon_ranges())
