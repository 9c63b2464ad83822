"""The one address that an analyst typed, pasted or came with in a link."""

from darkgnn_core.errors import ConfigError
from darkgnn_core.labels.targets import BadTarget, parse_target
from darkgnn_core.labels.texts import shown

LONGEST = 200


def read_address(text: str) -> int:
    """Return the IPv4 address that a text is.

    ASCII space around it is ignored, and `::ffff:192.0.2.1` is 192.0.2.1.

    Raises:
        ConfigError: `IPV6` for an IPv6 address; `ADDRESS` for a prefix or anything else.

    >>> read_address(" 192.0.2.1 ")
    3221225985
    """
    try:
        target = parse_target(text[:LONGEST])
    except BadTarget as error:
        if error.reason in ("ipv6", "zone"):
            raise ConfigError(
                f"{shown(text)} is an IPv6 address. IPv6 packets are counted when traces are "
                "loaded, but not kept, so there is nothing to show.",
                code="IPV6",
            ) from error
        message = f"Type one IPv4 address such as 192.0.2.1: expected {error}, got {shown(text)}."
        raise ConfigError(message, code="ADDRESS") from error
    if target.prefix_len != 32:
        raise ConfigError(
            f"{shown(text)} is a prefix of {target.last_ip - target.first_ip + 1:,} addresses; "
            "this page shows one. Under Compare a prefix can be set beside others.",
            code="ADDRESS",
        )
    return target.first_ip
