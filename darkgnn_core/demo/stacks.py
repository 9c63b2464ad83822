"""What the packets of one tool or operating system look like."""

from dataclasses import dataclass

TCP, UDP, ICMP = 6, 17, 1
SYN, SYN_ACK, RST, RST_ACK = 0x02, 0x12, 0x04, 0x14
ZMAP_IP_ID = 54_321

RANDOM, ZMAP, MASSCAN, MIRAI = 0, 1, 2, 3


@dataclass(frozen=True)
class Stack:
    """Header fields of a sender.

    A tuple means that each host has one of the values, always the same one.

    Attributes:
        name: Its name in the planted truth.
        ttl: Initial time to live.
        lengths: IP total length in bytes.
        windows: Unscaled TCP window; empty means one random value a host and day.
        mss: TCP MSS option; 0 means no such option.
        relation: `RANDOM`; `ZMAP` ip_id is 54321; `MASSCAN` ip_id is the low 16 bits of
            dst_ip ^ dst_port ^ seq; `MIRAI` seq is dst_ip.
        sends_timestamps: Carries a TCP timestamp option that counts milliseconds.
        source_ports: First and last source port.
        fixed_source_port: One source port a host and day instead of a new one a packet.
        flags: TCP flag bits.
        proto: IP protocol number.
        is_reply: Source ports are services, destination ports random: backscatter of a victim.

    Source:
        ZMap (Durumeric et al. 2013), masscan's source, Mirai's scanner (Antonakakis et al. 2017),
        Linux and Windows defaults.
    """

    name: str
    ttl: int
    lengths: tuple[int, ...] = (40,)
    windows: tuple[int, ...] = ()
    mss: tuple[int, ...] = (0,)
    relation: int = RANDOM
    sends_timestamps: bool = False
    source_ports: tuple[int, int] = (1024, 65_535)
    fixed_source_port: bool = False
    flags: tuple[int, ...] = (SYN,)
    proto: int = TCP
    is_reply: bool = False


STACKS: tuple[Stack, ...] = (
    Stack(
        "linux",
        64,
        (60,),
        (29_200, 64_240, 14_600, 5_840, 65_535),
        (1460, 1452, 1440, 1400),
        sends_timestamps=True,
        source_ports=(32_768, 60_999),
    ),
    Stack(
        "windows",
        128,
        (52,),
        (8_192, 64_240, 65_535),
        (1460, 1440, 1452),
        source_ports=(49_152, 65_535),
    ),
    Stack("windows-old", 128, (48,), (65_535, 16_384), (1460, 1360), source_ports=(1_025, 5_000)),
    Stack("zmap", 255, windows=(65_535,), relation=ZMAP, source_ports=(32_768, 60_999)),
    Stack(
        "masscan",
        255,
        windows=(1_024,),
        relation=MASSCAN,
        source_ports=(40_000, 59_999),
        fixed_source_port=True,
    ),
    Stack("censys", 64, (44,), (1_024,), (1460,)),
    Stack("mirai", 64, relation=MIRAI, fixed_source_port=True),
    Stack("mirai-like", 64, fixed_source_port=True),
    Stack("syn-kit", 64, (44,), (8_192, 16_384, 32_120, 65_535), (1460, 1412, 536)),
    Stack("plain-syn", 255, (40,), (14_600, 16_384, 5_840)),
    Stack(
        "victim-syn-ack",
        64,
        (44, 60),
        (65_535, 29_200, 14_600, 64_240),
        (1460,),
        flags=(SYN_ACK,),
        is_reply=True,
    ),
    Stack("victim-rst", 64, (40,), (0,), flags=(RST, RST_ACK), is_reply=True),
    Stack("udp", 64, (46, 58, 60, 71, 131), proto=UDP),
    Stack("icmp", 64, (28, 60, 84), proto=ICMP),
)
"""All stacks; the index in this tuple is the stack's number in the plan."""

STACK_NUMBER: dict[str, int] = {stack.name: number for number, stack in enumerate(STACKS)}
