"""What a host does: its ports, its tool, how much of the darknet it covers, and when."""

from dataclasses import dataclass
from typing import Literal

Rhythm = Literal["steady", "daily", "burst"]
RHYTHMS: tuple[Rhythm, ...] = ("steady", "daily", "burst")


@dataclass(frozen=True)
class Behaviour:
    """One way to scan.

    Attributes:
        name: Its name in the planted truth.
        ports: Core ports with their weights.
        stacks: Names of header stacks with their weights; a host has one.
        share: Share of the hosts of its class.
        tail: Share of packets that go to the class's rotating ports instead of the core.
        focus: Share of the core's weight that one host uses on one day.
        rotates: The host moves to other core ports every day.
        coverage: Fewest and most dark addresses a host contacts, of 256.
        rhythm: `steady` around the clock; `daily` with the hours of the host's time zone;
            `burst` a few hours a day, the same for all members of a campaign.
        rate: Packets a host, relative to the others of its class.
        spread: Standard deviation of the logarithm of a host's packets.
        hops: Fewest and most routers on the way.
    """

    name: str
    ports: tuple[tuple[int, float], ...]
    stacks: tuple[tuple[str, float], ...]
    share: float = 1.0
    tail: float = 0.0
    focus: float = 1.0
    rotates: bool = False
    coverage: tuple[int, int] = (256, 256)
    rhythm: Rhythm = "steady"
    rate: float = 1.0
    spread: float = 0.4
    hops: tuple[int, int] = (6, 26)


def even(*ports: int) -> tuple[tuple[int, float], ...]:
    """Give every port the same weight."""
    return tuple((port, 1.0) for port in ports)


def falling(*ports: int) -> tuple[tuple[int, float], ...]:
    """Give every port 0.8 of the weight of the one before it."""
    return tuple((port, 0.8**place) for place, port in enumerate(ports))
