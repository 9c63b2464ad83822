"""Addresses as an analyst types or pastes them: one a line, or separated by commas or spaces."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from darkgnn_core.labels.claims import WIDEST_PREFIX
from darkgnn_core.labels.opinions import Addresses, Mask
from darkgnn_core.labels.targets import BadTarget, Target, parse_target
from darkgnn_core.labels.texts import shown

TYPED_CHARACTERS = 2_000_000

_BETWEEN = re.compile(r"[\s,;]+")


@dataclass(frozen=True)
class Typed:
    """What a typed text names.

    Attributes:
        targets: Addresses and prefixes, each once, in the order typed.
        bad: What is neither, quoted, and what was expected: (text, reason).
    """

    targets: tuple[Target, ...]
    bad: tuple[tuple[str, str], ...]

    @property
    def addresses(self) -> int:
        """How many addresses they are, those that lie in several counted several times."""
        return sum(target.last_ip - target.first_ip + 1 for target in self.targets)

    @property
    def wide(self) -> tuple[Target, ...]:
        """The prefixes wider than /24, which need an explicit yes."""
        return tuple(target for target in self.targets if target.prefix_len < WIDEST_PREFIX)


def read_typed(text: str) -> Typed:
    """Read addresses and prefixes from a text; what is neither is told, not guessed.

    Args:
        text: Up to 2,000,000 characters; the rest is told as one bad entry.

    >>> read_typed("192.0.2.1, 192.0.2.0/30").addresses
    5
    """
    targets: dict[Target, None] = {}
    bad = []
    for word in filter(None, _BETWEEN.split(text[:TYPED_CHARACTERS])):
        try:
            targets[parse_target(word)] = None
        except BadTarget as error:
            bad.append((shown(word), f"expected {error}"))
    if len(text) > TYPED_CHARACTERS:
        bad.append(("the end of the text", f"more than {TYPED_CHARACTERS:,} characters"))
    return Typed(tuple(targets), tuple(bad))


def count_seen(targets: Iterable[Target], hosts: Addresses) -> int:
    """Return how many hosts lie in any of the targets.

    Args:
        targets: Addresses and prefixes.
        hosts: uint32 (n,), sorted, each once.
    """
    return int(is_in_any(targets, hosts).sum())


def is_in_any(targets: Iterable[Target], hosts: Addresses) -> Mask:
    """Return which hosts lie in any of the targets, bool (n,).

    Args:
        targets: Addresses and prefixes.
        hosts: uint32 (n,), sorted, each once.
    """
    is_in = np.zeros(len(hosts), bool)
    for target in targets:
        low = np.searchsorted(hosts, target.first_ip, "left")
        is_in[low : np.searchsorted(hosts, target.last_ip, "right")] = True
    return is_in


def hosts_of(targets: Iterable[Target], hosts: Addresses) -> Addresses:
    """Return those of some hosts that lie in any of the targets, uint32, ascending.

    Args:
        targets: Addresses and prefixes.
        hosts: uint32 (n,), sorted, each once.
    """
    return hosts[is_in_any(targets, hosts)]
