"""The paper's Table 2: what each class of the demo darknet is calibrated on.

Source: paper, Table 2 and section 3.2. The table's daily averages are over the days on which a
class was seen: 60,469 packets of Rapid7 a month at 6,046 a day are 10 days, 226,559 of Netsystems
at 8,391 are 27, 39,030 of Onyphe at 1,393 are 28; all others fit 31. With those days the class
rows add up to the table's own total row.
"""

from dataclasses import dataclass

PAPER_DAYS = 31
UNKNOWN = "unknown"
TOTAL = "total"


@dataclass(frozen=True)
class Figures:
    """One row of Table 2.

    Attributes:
        hosts: Different hosts of the month, each with 5 TCP packets or more on its days.
        ports: Different destination ports of the month.
        packets: Packets of the month.
        daily_hosts: Mean hosts a day, over the days on which the class is seen.
        daily_ports: Mean different ports a day.
        daily_packets: Mean packets a day.
    """

    hosts: int
    ports: int
    packets: int
    daily_hosts: int
    daily_ports: int
    daily_packets: int


@dataclass(frozen=True)
class DemoClass:
    """One class of hosts and how it is planted.

    Attributes:
        label: The label an analyst would see, lower case.
        title: Its row in the paper's Table 2.
        paper: That row.
        seen_days: Days of the paper's 31 on which it was seen.
        lookalikes: Unknown hosts a day that behave like it, for each of its own hosts.
        organisation: Owns a few /24 networks and keeps its addresses; otherwise scattered.
    """

    label: str
    title: str
    paper: Figures
    seen_days: int
    lookalikes: float
    organisation: bool


CLASSES: tuple[DemoClass, ...] = (
    DemoClass(
        "mirai-like", "Mirai-like", Figures(16147, 2094, 1982205, 2158, 95, 63942), 31, 0.06, False
    ),
    DemoClass(
        "brute-forcer",
        "Brute-forcers",
        Figures(976, 9791, 10191173, 246, 1020, 328747),
        31,
        0.8,
        False,
    ),
    DemoClass(
        "spammer", "Spammers", Figures(1014, 49783, 4891353, 252, 7048, 157785), 31, 1.2, False
    ),
    DemoClass(
        "shadowserver", "Shadowserver", Figures(289, 42, 218443, 287, 38, 7046), 31, 0.08, True
    ),
    DemoClass("driftnet", "Driftnet", Figures(252, 9246, 564854, 252, 2247, 18221), 31, 0.08, True),
    DemoClass(
        "internetcensus",
        "Internetcensus",
        Figures(271, 252, 213909, 224, 234, 6900),
        31,
        0.25,
        True,
    ),
    DemoClass("censys", "Censys", Figures(329, 65069, 3400900, 245, 12455, 109706), 31, 0.1, True),
    DemoClass("rapid7", "Rapid7", Figures(344, 139, 60469, 283, 25, 6046), 10, 0.1, True),
    DemoClass("onyphe", "Onyphe", Figures(115, 186, 39030, 97, 158, 1393), 28, 0.2, True),
    DemoClass("netsystems", "Netsystems", Figures(45, 199, 226559, 43, 191, 8391), 27, 0.15, True),
    DemoClass("shodan", "Shodan", Figures(36, 1232, 320861, 31, 1007, 10350), 31, 0.2, True),
    DemoClass("exploiter", "Exploiters", Figures(430, 33, 148210, 27, 8, 4780), 31, 8.0, False),
    DemoClass(
        "securitytrails",
        "Securitytrails",
        Figures(18, 207, 107826, 17, 15, 3478),
        31,
        0.2,
        True,
    ),
    DemoClass("intrinsec", "Intrinsec", Figures(12, 8, 9403, 9, 6, 303), 31, 0.4, True),
)
"""The 14 labelled classes. The look-alike shares are set by design, not by any model's score:
classes that the paper finds hard (brute-forcers, spammers, exploiters) get as many unknown
look-alikes as labelled hosts, or more; scanners of organisations get few."""

UNKNOWN_CLASS = DemoClass(
    UNKNOWN,
    "Unknown",
    Figures(39828, 65535, 39654818, 3594, 49461, 1279188),
    31,
    0.0,
    False,
)

PAPER_TABLE2: dict[str, Figures] = {c.label: c.paper for c in (*CLASSES, UNKNOWN_CLASS)} | {
    TOTAL: Figures(60106, 65535, 62030013, 7566, 53638, 2000968)
}
"""Rows of the paper's Table 2 by label, with `unknown` and `total`."""

LABELS: tuple[str, ...] = tuple(c.label for c in (*CLASSES, UNKNOWN_CLASS))
"""All labels in the table's order; `unknown` is the last."""
