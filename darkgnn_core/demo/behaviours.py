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


LINUX = (("linux", 1.0),)
WINDOWS = (("windows", 0.8), ("windows-old", 0.2))
SHADOWSERVER_PORTS = (
    *(21, 22, 23, 25, 80, 110, 143, 389, 443, 445, 465, 548, 587, 631, 873, 993, 995, 1433),
    *(2323, 3306, 3389, 4443, 5432, 5555, 5672, 5900, 5984, 6379, 7547, 8080, 8443, 9200),
    *(11_211, 27_017),
)

CLASS_BEHAVIOURS: dict[str, tuple[Behaviour, ...]] = {
    "mirai-like": (
        Behaviour(
            "telnet-bot",
            ((23, 10.0), (2323, 1.0)),
            (("mirai", 1.0),),
            0.93,
            rhythm="daily",
            spread=0.9,
            hops=(8, 28),
        ),
        Behaviour(
            "variant-bot",
            even(37_215, 52_869, 5555, 8080, 81, 60_001, 7547),
            (("mirai", 1.0),),
            0.07,
            0.25,
            0.4,
            rhythm="daily",
            spread=0.9,
            hops=(8, 28),
        ),
    ),
    "brute-forcer": (
        Behaviour(
            "ssh-guess",
            ((22, 12.0), (2222, 2.0)),
            (("linux", 0.8), ("syn-kit", 0.2)),
            0.45,
            coverage=(40, 256),
            rhythm="steady",
            spread=1.3,
        ),
        Behaviour(
            "rdp-guess",
            ((3389, 9.0), (3390, 1.0)),
            (("windows", 0.6), ("masscan", 0.4)),
            0.2,
            0.02,
            coverage=(60, 256),
            spread=1.3,
        ),
        Behaviour(
            "service-guess",
            even(1433, 3306, 5432, 21, 5900, 23),
            (("linux", 0.5), ("windows", 0.5)),
            0.25,
            0.01,
            0.3,
            coverage=(20, 256),
            rhythm="daily",
            spread=1.3,
        ),
        Behaviour(
            "wide-guess",
            even(22, 3389),
            (("masscan", 0.6), ("linux", 0.4)),
            0.1,
            0.5,
            rate=1.6,
            spread=1.2,
        ),
    ),
    "spammer": (
        Behaviour(
            "mail-relay",
            ((25, 6.0), (587, 2.0), (465, 2.0), (2525, 1.0)),
            (("linux", 0.6), ("windows", 0.4)),
            0.4,
            0.02,
            0.7,
            coverage=(20, 256),
            rhythm="daily",
            spread=1.2,
        ),
        Behaviour(
            "proxy-hunt",
            falling(8080, 3128, 1080, 80, 8888, 443),
            (("linux", 0.5), ("masscan", 0.3), ("plain-syn", 0.2)),
            0.35,
            0.05,
            0.5,
            rotates=True,
            coverage=(60, 256),
            rhythm="burst",
            spread=1.2,
        ),
        Behaviour(
            "wide-relay",
            even(25, 8080),
            (("masscan", 0.7), ("linux", 0.3)),
            0.25,
            0.7,
            rate=2.0,
            spread=1.0,
        ),
    ),
    "shadowserver": (
        Behaviour(
            "service-census",
            even(*SHADOWSERVER_PORTS),
            (("zmap", 1.0),),
            1.0,
            0.1,
            0.12,
            True,
            (200, 256),
            "steady",
            spread=0.25,
            hops=(12, 14),
        ),
    ),
    "driftnet": (
        Behaviour(
            "wide-census",
            falling(443, 80, 22, 8443, 8080, 21, 25, 3389),
            (("syn-kit", 1.0),),
            1.0,
            0.75,
            spread=0.3,
            hops=(9, 12),
        ),
    ),
    "internetcensus": (
        Behaviour(
            "port-census",
            falling(443, 80, 22, 21, 8080, 8443, 53, 3389, 5900, 1723),
            (("linux", 1.0),),
            0.6,
            0.85,
            spread=0.5,
            hops=(14, 18),
        ),
        Behaviour(
            "fast-census",
            falling(443, 80, 22, 21, 8080, 8443, 53, 3389, 5900, 1723),
            (("zmap", 1.0),),
            0.4,
            0.85,
            spread=0.5,
            hops=(14, 18),
        ),
    ),
    "censys": (
        Behaviour(
            "all-ports",
            falling(443, 80, 22, 8080, 8443, 21, 23, 25, 3306, 5432),
            (("censys", 1.0),),
            0.8,
            0.85,
            spread=0.5,
            hops=(11, 15),
        ),
        Behaviour(
            "protocols",
            falling(443, 80, 22, 8080, 8443, 21, 23, 25, 3306, 5432),
            (("censys", 1.0),),
            0.2,
            0.1,
            rate=0.5,
            spread=0.5,
            hops=(11, 15),
        ),
    ),
    "rapid7": (
        Behaviour(
            "sonar",
            even(80, 443, 22, 23, 25, 21, 445, 3389, 8080, 8443, 5900, 3306),
            (("zmap", 1.0),),
            1.0,
            0.2,
            0.15,
            True,
            (120, 256),
            "burst",
            spread=0.4,
            hops=(13, 15),
        ),
    ),
    "onyphe": (
        Behaviour(
            "asset-census",
            falling(443, 80, 22, 21, 8080, 3389, 25, 8443),
            (("syn-kit", 1.0),),
            1.0,
            0.7,
            spread=0.3,
            hops=(8, 10),
        ),
    ),
    "netsystems": (
        Behaviour(
            "research-census",
            falling(443, 80, 22, 23, 8080, 3389, 445, 25, 21, 8443),
            (("masscan", 1.0),),
            1.0,
            0.75,
            spread=0.4,
            hops=(10, 12),
        ),
    ),
    "shodan": (
        Behaviour(
            "crawler",
            falling(80, 443, 22, 8080, 21, 23, 554, 161, 502, 102),
            (("syn-kit", 0.7), ("linux", 0.3)),
            1.0,
            0.85,
            rhythm="steady",
            spread=0.5,
            hops=(9, 19),
        ),
    ),
    "exploiter": (
        Behaviour(
            "web-probe",
            ((80, 5.0), (8080, 3.0), (8443, 1.0)),
            (("linux", 0.7), ("syn-kit", 0.3)),
            0.6,
            0.06,
            coverage=(2, 120),
            rhythm="burst",
            spread=1.2,
        ),
        Behaviour(
            "service-probe",
            even(6379, 7001),
            (("linux", 0.7), ("masscan", 0.3)),
            0.4,
            0.06,
            coverage=(2, 120),
            rhythm="burst",
            spread=1.2,
        ),
    ),
    "securitytrails": (
        Behaviour(
            "domain-census",
            falling(443, 80, 8080, 8443, 53, 25),
            (("masscan", 1.0),),
            1.0,
            0.4,
            spread=0.3,
            hops=(11, 12),
        ),
    ),
    "intrinsec": (
        Behaviour(
            "audit",
            falling(443, 80, 22, 21, 8443),
            (("linux", 1.0),),
            1.0,
            0.1,
            coverage=(10, 40),
            rhythm="daily",
            spread=0.3,
            hops=(12, 13),
        ),
    ),
}
"""How each labelled class behaves; its look-alikes among the unknown hosts behave the same, except
that those of `mirai-like` lack Mirai's sequence number: the fingerprint is what labels that class.
"""


def core_ports(label: str) -> list[int]:
    """Return the core ports of a labelled class, all behaviours together.

    >>> core_ports("exploiter")
    [80, 6379, 7001, 8080, 8443]
    """
    behaviours = CLASS_BEHAVIOURS[label]
    return sorted({port for behaviour in behaviours for port, _ in behaviour.ports})


WIDE = Behaviour(
    "wide-scan", even(80, 443, 22), (("masscan", 0.7), ("plain-syn", 0.3)), tail=0.95, spread=0.7
)
"""Unknown hosts that scan all ports; their union is what gives the class its ports."""

BACKGROUND: tuple[Behaviour, ...] = (
    Behaviour(
        "smb-worm",
        ((445, 1.0),),
        WINDOWS,
        0.28,
        coverage=(4, 256),
        rhythm="daily",
        rate=0.5,
        spread=1.1,
    ),
    Behaviour(
        "telnet-scan",
        ((23, 5.0), (2323, 1.0), (26, 0.3)),
        (("linux", 0.7), ("plain-syn", 0.3)),
        0.12,
        rhythm="daily",
        spread=1.1,
    ),
    Behaviour(
        "ssh-scan",
        ((22, 9.0), (2222, 1.0)),
        (("linux", 0.8), ("zmap", 0.2)),
        0.11,
        coverage=(10, 256),
        rate=1.5,
        spread=1.4,
    ),
    Behaviour(
        "rdp-scan",
        ((3389, 9.0), (3388, 0.5), (33_890, 0.5)),
        (("windows", 0.6), ("masscan", 0.4)),
        0.07,
        coverage=(20, 256),
        rate=2,
        spread=1.4,
    ),
    Behaviour(
        "web-scan",
        falling(80, 443, 8080, 8443, 81, 88, 8000, 8888),
        (("linux", 0.6), ("zmap", 0.2), ("plain-syn", 0.2)),
        0.12,
        focus=0.4,
        coverage=(3, 256),
        rhythm="burst",
        spread=1.3,
    ),
    Behaviour(
        "database-scan",
        even(1433, 3306, 5432, 6379, 27_017, 9200, 11_211),
        (("masscan", 0.5), ("linux", 0.3), ("windows", 0.2)),
        0.07,
        focus=0.3,
        coverage=(30, 256),
        rate=1.5,
        spread=1.3,
    ),
    Behaviour(
        "adb-scan",
        ((5555, 1.0),),
        (("linux", 0.5), ("mirai-like", 0.5)),
        0.05,
        rhythm="daily",
        spread=1.0,
    ),
    Behaviour(
        "container-scan",
        even(2375, 2376, 6443, 10_250),
        (("masscan", 0.6), ("zmap", 0.4)),
        0.03,
        rhythm="burst",
        spread=1.2,
    ),
    Behaviour(
        "voice-scan",
        even(5060, 5061, 5038, 1720),
        (("linux", 1.0),),
        0.03,
        focus=0.6,
        coverage=(30, 256),
        spread=1.1,
    ),
    Behaviour(
        "proxy-scan",
        falling(8080, 3128, 1080, 8118, 9050),
        (("linux", 1.0),),
        0.04,
        focus=0.6,
        coverage=(20, 256),
        rhythm="burst",
        spread=1.2,
    ),
    Behaviour(
        "remnant",
        even(*range(20_011, 60_000, 397)),
        (("linux", 0.4), ("windows", 0.6)),
        0.08,
        focus=0.002,
        coverage=(1, 2),
        rhythm="daily",
        rate=0.2,
        spread=0.8,
    ),
)
"""What other unknown hosts do; shares of those that are in no campaign."""

FEW_PACKETS = Behaviour(
    "few-packets",
    falling(23, 445, 22, 80, 3389, 8080, 443, 5555, 1433, 81),
    (("linux", 0.5), ("windows", 0.3), ("plain-syn", 0.2)),
    focus=0.3,
    rhythm="daily",
)
SYN_ACKS = Behaviour(
    "victim-syn-ack",
    falling(80, 443, 22, 25_565, 53, 8080),
    (("victim-syn-ack", 1.0),),
    focus=0.1,
    rhythm="burst",
    spread=1.5,
)
RESETS = Behaviour(
    "victim-rst",
    falling(80, 443, 22, 25_565, 53, 8080),
    (("victim-rst", 1.0),),
    focus=0.1,
    rhythm="burst",
    spread=1.5,
)
UDP_SCAN = Behaviour(
    "udp-scan",
    falling(53, 123, 5060, 1900, 161, 389, 11_211, 443, 1434, 69),
    (("udp", 1.0),),
    focus=0.2,
    coverage=(60, 256),
    spread=1.2,
)
PING = Behaviour("ping", ((0, 1.0),), (("icmp", 1.0),), spread=1.0)
"""Traffic that the paper's filters take out, planted so that there is something to filter."""
