"""What the hosts of each labelled class do.

Source: ours, from what is public about these scanners and botnets; the amounts are Table 2's.
"""

from darkgnn_core.demo.behaviours import Behaviour, even, falling

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
