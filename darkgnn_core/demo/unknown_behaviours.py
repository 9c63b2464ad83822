"""What unknown hosts do that are no look-alikes, and the traffic that filters take out."""

from darkgnn_core.demo.behaviours import Behaviour, even, falling

WINDOWS = (("windows", 0.8), ("windows-old", 0.2))

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
