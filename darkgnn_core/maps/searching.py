"""Hosts found by what an analyst types: an address, a prefix, a label, a port, or a pasted list."""

import re
from dataclasses import dataclass
from ipaddress import IPv6Network

import numpy as np
import numpy.typing as npt

from darkgnn_core.labels.targets import BadTarget, parse_target
from darkgnn_core.labels.texts import fold, shown
from darkgnn_core.labels.typed import is_in_any, read_typed
from darkgnn_core.maps.enclosing import Mask
from darkgnn_core.maps.facts import DayFacts

SEARCH_CHARACTERS = 200
_PORT = re.compile(r"(?:port\s*|:)?([0-9]{1,5})(?:\s*/\s*(?:tcp|udp))?", re.IGNORECASE)
_PARTIAL = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,3}))?(?:\.([0-9]{1,3}))?\.?\*?")


@dataclass(frozen=True, eq=False)
class Found:
    """What a search found.

    Attributes:
        mask: bool (n,), the hosts it found.
        words: What was looked for, in words; text of others may stand in it.
        missing: How many addresses of a list are not on the map.
        bad: What is no address, of a list.
        hint: What one may have meant where nothing was found; empty for nothing.
    """

    mask: Mask
    words: str
    missing: int = 0
    bad: tuple[str, ...] = ()
    hint: str = ""


def search(
    text: str,
    facts: DayFacts,
    label_names: tuple[str, ...],
    label_codes: npt.NDArray[np.int32],
) -> Found | None:
    """Find hosts; None where nothing was typed.

    An address or a prefix (`192.0.2.7`, `192.0.2.0/24`, `192.0.2.`), a port (`23`, `port 23`),
    else a part of a label; several addresses or prefixes may be given at once.

    Args:
        text: What was typed.
        facts: The hosts of the map and what they did.
        label_names: The labels there are.
        label_codes: int32 (n,), position of each host's label.
    """
    wanted = text.strip()[:SEARCH_CHARACTERS]
    if not wanted:
        return None
    port = _PORT.fullmatch(wanted)
    if port is not None and int(port[1]) < 1 << 16:
        return Found(facts.sent_to(int(port[1])), f"hosts that sent to port {int(port[1])}")
    prefix = _as_prefix(wanted)
    if prefix is not None:
        return pasted(prefix, facts.hosts)
    if _are_addresses(wanted):
        return pasted(wanted, facts.hosts)
    part = fold(wanted)
    codes = [code for code, name in enumerate(label_names) if part in name]
    mask = np.isin(label_codes, codes)
    return Found(mask, f"label with {shown(wanted)}", hint="" if mask.any() else hint_for(wanted))


def hint_for(text: str) -> str:
    """Say what a text that is no label's may have been meant as; empty for nothing.

    >>> hint_for("192.0.2")
    'This looks like the start of an address: end it with a dot, 192.0.2., to find all of them.'
    >>> hint_for("2001:db8::7"), hint_for("nobody")
    ('IPv6 addresses are not kept: the map has IPv4 hosts only.', '')
    """
    if _is_ipv6(text):
        return "IPv6 addresses are not kept: the map has IPv4 hosts only."
    parts = _PARTIAL.fullmatch(text)
    if parts is None or any(int(part) > 255 for part in parts.groups() if part is not None):
        return ""
    said = f"This looks like the start of an address: end it with a dot, {text}.,"
    return f"{said} to find all of them."


def _is_ipv6(text: str) -> bool:
    """Say whether a text is an IPv6 address or prefix."""
    try:
        IPv6Network(text, strict=False)
    except ValueError:
        return False
    return True


def _as_prefix(text: str) -> str | None:
    """Return `192.0.2.` or `192.0.*` as a prefix with its length; None for all else."""
    parts = _PARTIAL.fullmatch(text)
    if parts is None or not text.endswith((".", "*")):
        return None
    given = [part for part in parts.groups() if part is not None]
    quad = ".".join([*given, *["0"] * (4 - len(given))])
    return f"{quad}/{8 * len(given)}"


def _are_addresses(text: str) -> bool:
    """Say whether the first word is an address or a prefix."""
    try:
        parse_target(re.split(r"[\s,;]+", text)[0])
    except BadTarget:
        return False
    return True


def pasted(text: str, hosts: npt.NDArray[np.uint32]) -> Found:
    """Find the hosts of a list of addresses and prefixes, one a line or separated by commas.

    Args:
        text: The list.
        hosts: uint32 (n,), ascending, the hosts of the map.
    """
    typed = read_typed(text)
    mask = np.asarray(is_in_any(typed.targets, hosts), bool)
    single = np.array([t.first_ip for t in typed.targets if t.prefix_len == 32], np.uint32)
    missing = int((~np.isin(single, hosts)).sum())
    count = len(typed.targets)
    words = f"{count:,} addresses or prefixes" if count != 1 else "one address or prefix"
    bad = tuple(word for word, _ in typed.bad)
    unquoted = (word.strip("'") for word in bad)
    hint = next((hint_for(word) for word in unquoted if _is_ipv6(word)), "")
    return Found(mask, words, missing, bad, hint)
