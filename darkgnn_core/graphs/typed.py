"""What an analyst types to start a graph: addresses, prefixes and ports, in one line or pasted."""

import re
from dataclasses import dataclass

from darkgnn_core.labels.targets import Target
from darkgnn_core.labels.texts import shown
from darkgnn_core.labels.typed import TYPED_CHARACTERS, read_typed

MOST_PORTS = 1_000

_BETWEEN = re.compile(r"[\s,;]+")
_WORDS = frozenset(("port", "ports", "tcp", "port:", "ports:", "host", "hosts", "and"))
_PORTS = re.compile(r"(?:port|tcp|p)?[:/]?([0-9]{1,5})(?:-([0-9]{1,5}))?", re.IGNORECASE)


@dataclass(frozen=True)
class TypedSeeds:
    """What a typed text names.

    Attributes:
        targets: Addresses and prefixes.
        ports: Port numbers, ascending, each once.
        bad: What is neither, quoted, and what was expected.
    """

    targets: tuple[Target, ...]
    ports: tuple[int, ...]
    bad: tuple[tuple[str, str], ...]


def read_seeds(text: str) -> TypedSeeds:
    """Read addresses, prefixes and ports; what is neither is told, not guessed.

    A number without dots is a port: `23`, `port 23`, `tcp/23`, `6000-6010`.

    >>> read_seeds("192.0.2.1, port 23 2323").ports
    (23, 2323)
    """
    ports: set[int] = set()
    bad: list[tuple[str, str]] = []
    rest: list[str] = []
    for word in filter(None, _BETWEEN.split(text[:TYPED_CHARACTERS])):
        found = _PORTS.fullmatch(word)
        if found is None:
            if word.lower() not in _WORDS:
                rest.append(word)
            continue
        low, high = int(found[1]), int(found[2] or found[1])
        if not low <= high <= 65_535:
            bad.append((shown(word), "ports go from 0 to 65535"))
        elif len(ports) + high - low >= MOST_PORTS:
            bad.append((shown(word), f"expected at most {MOST_PORTS:,} ports"))
        else:
            ports.update(range(low, high + 1))
    typed = read_typed(" ".join(rest))
    return TypedSeeds(typed.targets, tuple(sorted(ports)), (*bad, *typed.bad))
